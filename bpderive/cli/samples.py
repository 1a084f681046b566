"""A line of each notation for `bpderive list notations`: two equations, really derived and printed.

In: the notations.  Out: cells of text.  Must not know: columns.
"""

from collections.abc import Iterator

from bpderive.catalog import CATALOG
from bpderive.derive import derive
from bpderive.document import setting
from bpderive.document.runs import Run, in_letters
from bpderive.index import Equation, indices_of
from bpderive.network import Network, build
from bpderive.notation import Notation, load, notations
from bpderive.render.unicode_math import UnicodeMath
from bpderive.spec import parse_spec

LAYERS = "2,2,2"
"""The first layer of this network is printed: its weighted sums, and its deltas."""


def samples() -> Iterator[tuple[str, str, str, str]]:
    """Name, forward, backward, and the name of the book."""
    for name in notations():
        found = load(name)
        yield (name, *sample(found), found.title)


def sample(notation: Notation) -> tuple[str, str]:
    """A weighted sum and the recurrence of the deltas, in the conventions of a notation."""
    built = build(parse_spec(LAYERS, bias=True, defaults=notation.spec), CATALOG)
    printer = UnicodeMath(notation.fitted(setting(built)))
    forward = built.graph(built.kind(1)).by_label["z{l}"]
    backward = derive(built).at(1)["z"].shown
    return _line(printer, built, forward), _line(printer, built, backward)


def _line(printer: UnicodeMath, built: Network, equation: Equation) -> str:
    named = Run(1, 1).equation(built, equation)
    indices = in_letters(built, "z", indices_of(named.lhs))
    letters = printer.notation.letters_for(indices)
    return f"{printer.expr(named.lhs, letters)} = {printer.expr(named.rhs, letters)}"
