"""One equation at every value of its indices, as fast as text can be put together.

In: the two sides of an equation with free indices, and their ranges. Out: lines, the same as if
each were printed by itself. Must not know: any format.

The equation is printed once with a blank for each index; each subscript is one place to fill in.
An equation in which that could change an order or a sum is printed line by line instead.
"""

from collections.abc import Callable, Iterator
from itertools import product
from typing import TYPE_CHECKING

from sympy import Expr, Indexed, Integer, KroneckerDelta, Symbol

from bpderive.index import label_of
from bpderive.render.syntax import BLANK, FIRST, LEFT, RIGHT, Syntax

if TYPE_CHECKING:
    from bpderive.render.printer import Printer

Sides = tuple[Expr, Expr]
Values = tuple[int, ...]


def lines(
    printer: "Printer",
    sides: Sides,
    indices: tuple[Symbol, ...],
    sizes: tuple[int, ...],
    relation: str,
) -> Iterator[str]:
    """The equation at every value, the last index fastest."""
    values = product(*(range(1, size + 1) for size in sizes))
    if not all(map(_is_uniform, sides)):
        return (_one(printer, sides, indices, at, relation) for at in values)
    blanks = {index: chr(BLANK + k) for k, index in enumerate(indices)}
    text = relation.join(printer.expr(side, blanks) for side in sides)
    return _filled(text, printer, values)


def _is_uniform(expr: Expr) -> bool:
    """Whether all values give the same text but for the subscripts."""
    tensors = expr.atoms(Indexed)
    once = len({label_of(tensor) for tensor in tensors}) == len(tensors)
    return once and not expr.has(KroneckerDelta)


def _filled(text: str, printer: Syntax, values: Iterator[Values]) -> Iterator[str]:
    head, *rest = text.split(LEFT)
    slots: list[Callable[[Values], str]] = []
    tails: list[str] = []
    for part in rest:
        slot, _, tail = part.partition(RIGHT)
        slots.append(_slot(slot.split(","), printer))
        tails.append(tail)
    parts = list(zip(slots, tails, strict=True))
    for at in values:
        yield head + "".join([slot(at) + tail for slot, tail in parts])


def _slot(indices: list[str], syntax: Syntax) -> Callable[[Values], str]:
    """What fills in one subscript."""
    places = [ord(index) - BLANK if index >= FIRST else -1 for index in indices]
    known: dict[Values, str] = {}

    def fill(at: Values) -> str:
        key = tuple([at[place] for place in places if place >= 0])
        text = known.get(key)
        if text is None:
            texts = [
                str(at[place]) if place >= 0 else index
                for place, index in zip(places, indices, strict=True)
            ]
            text = syntax.scripted(texts)
            if len(places) == 1:
                known[key] = text
        return text

    return fill


def _one(
    printer: "Printer", sides: Sides, indices: tuple[Symbol, ...], at: Values, relation: str
) -> str:
    values = dict(zip(indices, map(Integer, at), strict=True))
    return relation.join(printer.expr(side.xreplace(values)) for side in sides)
