"""What section 1 says of conventions, and the table that translates to another notation.

In: a `Derivation`, the name of another notation. Out: blocks. What stands there is derived anew,
with the conventions of that book. Must not know: which notation the document is printed in;
mathematics that is to stand in the other one says so (`InNotation`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from sympy import Symbol

from bpderive.catalog import CATALOG
from bpderive.derive import Derivation, derive
from bpderive.document.blocks import Block, Cell, Items, Paragraph, Table, Words
from bpderive.document.mathematics import Equality, Formula, InNotation, Math, Plain
from bpderive.document.runs import Run, in_letters, numbered
from bpderive.index import Equation, element, indices_of
from bpderive.network import Network
from bpderive.notation import Notation, load
from bpderive.spec import Spec
from bpderive.weights import in_order

HALVES = {"half_squared_error": "half", "squared_error": "no_half"}
"""Losses that differ in a factor of one half alone."""

USUAL = Spec(())
"""The conventions of a network of which nothing is said."""

Cells = tuple[Cell, ...]


@dataclass(frozen=True)
class Book:
    """Another notation by its name or path, and a network as its textbook has it."""

    name: str
    notation: Notation
    network: Network

    def written(self, math: Math) -> InNotation:
        """Mathematics in the letters of the book."""
        return InNotation(math, self.name)


def book(network: Network, name: str) -> Book:
    """The same layers with the conventions that another notation states.

    Raises:
        SpecError: there is no such notation.
    """
    notation = load(name)
    stated = dict(notation.spec)
    if not {network.spec.loss, stated.get("loss")} <= set(HALVES):
        stated.pop("loss", None)
    spec = replace(network.spec, **stated)
    loss = network.loss if spec.loss == network.spec.loss else CATALOG.loss(spec.loss)
    return Book(name, notation, Network(spec, network.layers, loss, network.stage))


def conventions(network: Network, *, always: bool) -> tuple[Items, ...]:
    """What the equations take for granted, one sentence each: where it is not the usual."""
    names = _conventions(network.spec)
    if not always and set(names) <= set(_conventions(USUAL)):
        return ()
    return (Items(tuple(Words(f"convention.{name}") for name in names)),)


def _conventions(spec: Spec) -> tuple[str, ...]:
    names = (f"samples_{spec.orientation}", f"weights_{spec.weights}", f"loss_{spec.reduction}")
    return (*names, *([HALVES[spec.loss]] if spec.loss in HALVES else []))


def translation(
    derivation: Derivation, there: Book, symbols: Iterable[tuple[Cells, Cells]]
) -> tuple[Block, ...]:
    """Every quantity and the main equations in two notations, and what differs beside letters.

    Args:
        derivation: of the network.
        there: the other book, and the network as it has it.
        symbols: by symbol, its row in the table of this network and in that of the other: the
            first cell is its formula, the last its meaning.
    """
    rows = [
        (ours[0], there.written(theirs[0]), ours[-1])
        for ours, theirs in symbols
        if isinstance(theirs[0], Formula)
    ]
    both = zip(_equations(derivation), _equations(derive(there.network)), strict=True)
    equations = [(ours, there.written(theirs)) for ours, theirs in both]
    return (
        Paragraph(Words("translation.intro", {"book": Plain(there.notation.title)})),
        Table(("here", "there", "meaning"), tuple(rows)),
        Paragraph(Words("translation.equations")),
        Table(("ours", "theirs"), tuple(equations)),
        Items(tuple(_differences(derivation.network, there))),
    )


def _equations(derivation: Derivation) -> Iterator[Equality]:
    """Forward, the error at the output, the recurrence, the gradients of a hidden layer."""
    network = derivation.network
    top = Run(network.depth, network.depth)
    alike = len({network.kind(layer.index) for layer in network.layers[:-1]}) == 1
    hidden = Run(1, network.depth - 1) if alike else Run(1, 1)
    forward = network.graph(network.kind(1)).by_label
    yield from (_equality(hidden, network, forward[f"{letter}{{l}}"], letter) for letter in "za")
    found = [(top, "z")] if network.depth > 1 else []
    for run, letter in (*found, (hidden, "z"), (hidden, "w"), (hidden, "b")):
        derived = derivation.at(run.first).get(letter)
        if derived is not None:
            yield _equality(run, network, derived.shown, letter)


def _equality(run: Run, network: Network, equation: Equation, letter: str) -> Equality:
    indices = in_letters(network, letter, indices_of(equation.lhs))
    named = run.equation(network, equation)
    return Equality(Formula(named.lhs, indices), Formula(named.rhs, indices))


def _differences(network: Network, there: Book) -> Iterator[Words]:
    """How layers are counted; then each convention in which the other's equations differ."""
    slots: dict[str, Math] = {"here": numbered(0), "weight": _first_weight(network)}
    slots |= {"there": there.written(numbered(0))}
    slots |= {"other": there.written(_first_weight(there.network))}
    yield Words("translation.layers", slots)
    here = _conventions(network.spec)
    for name in _conventions(there.network.spec):
        if name not in here:
            yield Words(f"translation.{name}")


def _first_weight(network: Network) -> Formula:
    i, j = Symbol("_i"), Symbol("_j")
    return Formula(element("w1", in_order(network.spec.weights, i, j)), (i, j))
