"""Tensors that lie side by side: which ones, along which axis, under which name.

In: labels, lines. Out: a `Stack`, a name. Must not know: why they lie together.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from sympy import Expr

from bpderive.schedule.model import Line
from bpderive.targets.arrays.matching import labels_in


@dataclass(frozen=True)
class Stack:
    """Tensors side by side, along an axis of their own at a place; `given`: they are parameters."""

    label: str
    members: tuple[str, ...]
    place: int
    given: bool = False


def common_name(row: Sequence[str]) -> str:
    """`z` for `z_i, z_f, z_o`; all their names where they have nothing in common."""
    digits = "".join(c for c in _beginning([label[::-1] for label in row])[::-1] if c.isdigit())
    stem = _beginning(row).rstrip("_0123456789")
    return (stem or "_".join(label.removesuffix(digits) for label in row)) + digits


def _beginning(texts: Sequence[str]) -> str:
    """What all begin with."""
    columns = zip(*texts, strict=False)
    return "".join(column[0] for column in takewhile(lambda c: len(set(c)) == 1, columns))


def with_axis(indices: Sequence[Expr], place: int, new: Expr) -> tuple[Expr, ...]:
    """The indices with another one at a place."""
    return (*indices[:place], new, *indices[place:])


def recurring(lines: Iterable[Line]) -> tuple[Line, ...]:
    """The lines of a loop that its steps compute: the others are known before it."""
    left = tuple(lines)
    while True:
        inside = {line.equation.label for line in left}
        rest = tuple(line for line in left if labels_in(line.equation.rhs) & inside)
        if len(rest) == len(left):
            return left
        left = rest
