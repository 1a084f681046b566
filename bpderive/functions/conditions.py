"""What an index equation may say of its indices: conditions, choices, and axes read as one.

In: indices and index expressions. Out: nodes that stay as they are written; constants fold.
Their derivative is zero: they are constant almost everywhere, or taken as such.
"""

from typing import Any

from sympy import Expr, Function, Integer, oo


class Constant(Function):  # type: ignore[misc] # SymPy has no types
    """A function whose derivative is zero wherever it has one."""

    is_real = True

    def fdiff(self, argindex: int = 1) -> Expr:
        """Zero."""
        return Integer(0)


class bracket(Constant):
    """`[low ≤ e ≤ high]`: 1 where it holds, else 0 (Iverson's bracket); `oo` leaves a side open."""

    nargs = 3

    @classmethod
    def eval(cls, low: Expr, e: Expr, high: Expr) -> Expr | None:
        """Fold what is decided whatever the indices are."""
        below, above = (
            (e - low) if low != -oo else Integer(0),
            (high - e) if high != oo else low * 0,
        )
        below, above = (Integer(0) if side is None else side for side in (below, above))
        if any(side.is_Number and side < 0 for side in (below, above)):
            return Integer(0)
        open_sides = (low == -oo or (below.is_Number), high == oo or (above.is_Number))
        return Integer(1) if all(open_sides) else None


class first_largest(Constant):
    """1 where its indices are those of the first largest element, else 0.

    The last argument is a `Sum`, which only binds the indices over which the largest is sought:
    `first_largest(k, Sum(x[k'], (k', 1, K)))`.
    """

    @classmethod
    def eval(cls, *args: Any) -> None:
        """Stay as written."""


class fixed(Constant):
    """`fixed(u) = u`, taken as a constant when differentiating."""

    nargs = 1


class merged(Function):  # type: ignore[misc] # SymPy has no types
    """Several indices as one, the last running fastest: `merged(i, I, j, J)` is `(i-1)·J + j`."""

    is_integer = True

    @classmethod
    def eval(cls, *args: Any) -> Expr | None:
        """Fold numbers."""
        if all(arg.is_Integer for arg in args):
            return flat(args)
        return None

    @property
    def parts(self) -> tuple[Expr, ...]:
        """The indices."""
        return tuple(self.args[::2])

    @property
    def sizes(self) -> tuple[Expr, ...]:
        """Their ranges."""
        return tuple(self.args[1::2])


def flat(args: tuple[Expr, ...]) -> Expr:
    """The position that `merged` means, counted from 1."""
    position = Integer(0)
    for index, size in zip(args[::2], args[1::2], strict=True):
        position = position * size + index - 1
    return position + 1
