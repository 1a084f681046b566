"""The value of `layers` as an input and items.

In: a text, or a TOML document's list. Out: an `Input` and `Item`s; every problem is noted with its
place. Must not know: whether a layer fits what comes before it (`modules` does), SymPy.
"""

from bpderive.checks import Findings
from bpderive.grammar import expanding, inputs, tables, text
from bpderive.grammar.binding import Binder, Lookup
from bpderive.grammar.model import Input, Item

MOST = expanding.MAX_LAYERS + 1
_EXAMPLE = "1x8x8,conv(4,3):relu,flatten,10"


def read(
    value: object, found: Findings, known: Lookup | None = None
) -> tuple[Input | None, tuple[Item, ...]]:
    """The input and the items; empty where something is wrong, which is then noted.

    A single file of equations needs no input: its own declarations are the whole network.
    """
    before, path = len(found.problems), ("layers",)
    raws = (
        text.read(value, found, path)
        if isinstance(value, str)
        else tables.read(list(value) if isinstance(value, list | tuple) else [], found, path)
    )
    if len(raws) > MOST:
        found.add(path, f"{len(raws)} items are too many", f"at most {MOST}")
        return None, ()
    alone = len(raws) == 1 and raws[0].name.endswith(".eq")
    first = bool(raws) and raws[0].place[:2] == (*path, 1) and not alone  # else it is unreadable
    given = inputs.read(raws[0], found) if first else None
    items = Binder(found, known).items(iter(raws[first:]))
    if len(found.problems) == before and not items:
        message = "an input and at least one layer after it are needed"
        found.add(path, message, _EXAMPLE)
    if len(found.problems) == before:
        expanding.check(items, found)
    return (given, items) if len(found.problems) == before else (None, ())
