"""One equation at every value of its indices, as fast as text can be put together.

In: the two sides of an equation with free indices, and their ranges. Out: lines, the same as if
each were printed by itself. Must not know: any format.

The equation is printed once with a blank for each index; each subscript is one place to fill in.
An equation in which that could change an order or a sum is printed line by line instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, product
from typing import TYPE_CHECKING

from sympy import Expr, Indexed, Integer, KroneckerDelta, Symbol

from bpderive.functions.conditions import Constant
from bpderive.index import label_of
from bpderive.render.syntax import BLANK, FIRST, LEFT, RIGHT, Syntax

if TYPE_CHECKING:
    from bpderive.render.printer import Printer

Sides = tuple[Expr, Expr]
Values = tuple[int, ...]
Texts = tuple[str, ...]
RELATION = " = "
MARK = 1
"""The first of the characters that stand for digits to be filled in: no notation uses them."""


def lines(
    printer: "Printer",
    sides: Sides,
    indices: tuple[Symbol, ...],
    sizes: tuple[int, ...],
    marks: tuple[str, str],
) -> list[str]:
    """The equation at every value, the last index fastest, each between these marks; in pieces."""
    if not all(map(_is_uniform, sides)):
        values = product(*(range(1, size + 1) for size in sizes))
        return [_one(printer, sides, indices, at).join(marks) for at in values]
    blanks = {index: chr(BLANK + k) for k, index in enumerate(indices)}
    text = RELATION.join(printer.expr(side, blanks) for side in sides).join(marks)
    return _filled(_Template(text, printer), (), sizes)


def _is_uniform(expr: Expr) -> bool:
    """Whether all values give the same text but for the subscripts."""
    tensors = expr.atoms(Indexed)
    once = len({label_of(tensor) for tensor in tensors}) == len(tensors)
    return once and not expr.has(KroneckerDelta, Constant) and all(map(_is_simple, tensors))


def _is_simple(tensor: Expr) -> bool:
    """Whether nothing is computed in its indices."""
    return all(index.is_Symbol or index.is_Integer for index in tensor.args[1:])


@dataclass(frozen=True)
class _Template:
    """A printed equation with a blank for each index in its subscripts."""

    text: str
    syntax: Syntax

    @cached_property
    def parts(self) -> tuple[str, tuple[tuple[list[str], str], ...]]:
        """What stands before the first subscript; each subscript, and what follows it."""
        head, *rest = self.text.split(LEFT)
        cut = (part.partition(RIGHT) for part in rest)
        return head, tuple((slot.split(","), tail) for slot, _, tail in cut)

    def filled(self, texts: Sequence[str]) -> str:
        """The equation with these texts for the indices."""
        head, parts = self.parts
        return head + "".join(
            [
                self.syntax.scripted([texts[ord(i) - BLANK] if i >= FIRST else i for i in slot])
                + tail
                for slot, tail in parts
            ]
        )


def _filled(template: _Template, given: Texts, sizes: Values) -> list[str]:
    """Every line that has these texts for the first indices, and any number for the others.

    Numbers of as many digits differ in nothing else, so what is filled in for a mark as long as
    they serves for all of them.
    """
    if not sizes:
        return [template.filled(given)]
    blocks: list[str] = []
    for numbers in _by_digits(sizes[0]):
        first, mark = numbers[0], chr(MARK + len(given)) * len(numbers[0])
        pieces = "".join(_filled(template, (*given, mark), sizes[1:])).split(mark)
        if first.join(pieces) == "".join(_filled(template, (*given, first), sizes[1:])):
            blocks += [number.join(pieces) for number in numbers]
        else:
            blocks += [part for n in numbers for part in _filled(template, (*given, n), sizes[1:])]
    return blocks


def _by_digits(size: int) -> list[list[str]]:
    """The numbers from 1 to the size, in groups of as many digits."""
    return [list(group) for _, group in groupby(map(str, range(1, size + 1)), key=len)]


def _one(printer: "Printer", sides: Sides, indices: tuple[Symbol, ...], at: Values) -> str:
    values = dict(zip(indices, map(Integer, at), strict=True))
    return RELATION.join(printer.expr(side.xreplace(values)) for side in sides)
