"""What an index of a tensor means for its axis: all of it, a slice, windows, an element, a token.

In: an index expression, the range of each index, the size of the axis. Out: a `Position`. Must
not know: NumPy's syntax.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Expr, Indexed, Integer, Mod, Rational, Symbol, floor, ilcm

from bpderive.functions.conditions import merged

Ranges = Mapping[Symbol, Expr]


@dataclass(frozen=True)
class Position:
    """One index of a tensor; `expr` is how it was written."""

    expr: Expr


@dataclass(frozen=True)
class Whole(Position):
    """The axis, element by element."""

    index: Symbol


@dataclass(frozen=True)
class Affine(Position):
    """Elements `start + (i - 1) step + …`, counted from 0 on an axis that `dilate` spreads out.

    Between two elements of the axis stand `dilate - 1` zeros, and beyond its ends there are zeros.
    """

    start: Expr
    steps: tuple[tuple[Symbol, Expr, int], ...]
    dilate: int

    @property
    def indices(self) -> tuple[Symbol, ...]:
        """Those that run, in order."""
        return tuple(step[0] for step in self.steps)

    def inside(self, size: Expr) -> bool:
        """Whether it is known that no element lies beyond the ends."""
        low = self.start + sum(min(0, s) * (n - 1) for _, n, s in self.steps)
        high = self.start + sum(max(0, s) * (n - 1) for _, n, s in self.steps)
        room = (size - 1) * self.dilate - high
        return bool(low.is_nonnegative and room.is_nonnegative)


@dataclass(frozen=True)
class Parts(Position):
    """An axis that several indices share, the last running fastest."""

    indices: tuple[Symbol, ...]


@dataclass(frozen=True)
class Token(Position):
    """An element of data."""

    tensor: Indexed


def position(expr: Expr, ranges: Ranges, size: Expr) -> Position:
    """What an index says; a plain `Position` where it is none of the others."""
    if isinstance(expr, Indexed):
        return Token(expr, expr)
    if isinstance(expr, merged) and all(part in ranges for part in expr.parts):
        return Parts(expr, expr.parts)
    if expr.has(Indexed, merged, floor, Mod):
        return Position(expr)
    found = _affine(expr, ranges)
    if found is None:
        return Position(expr)
    if len(found.steps) == 1 and found.start == 0 and found.dilate == 1:
        index, length, step = found.steps[0]
        if step == 1 and length == size:
            return Whole(expr, index)
    return found


def _affine(expr: Expr, ranges: Ranges) -> Affine | None:
    expr = expr.expand()
    indices = sorted(expr.free_symbols & set(ranges), key=lambda s: (int(_serial(s)), s.name))
    slopes = [expr.coeff(index) for index in indices]
    rest = (expr - sum(a * i for a, i in zip(slopes, indices, strict=True))).expand()
    if not all(slope.is_Rational for slope in slopes) or rest.free_symbols & set(ranges):
        return None
    content = rest.as_coeff_Add()[0]
    dilate = int(ilcm(*(Rational(c).q for c in (*slopes, content, 1))))
    start = ((rest + sum(slopes) - 1) * dilate).expand()
    if not all(a.is_Integer for a in start.as_coefficients_dict().values()):
        return None
    steps = (int(slope * dilate) for slope in slopes)
    triples = zip(indices, (ranges[i] for i in indices), steps, strict=True)
    return Affine(expr, Integer(0) + start, tuple(triples), dilate)


def _serial(symbol: Symbol) -> str:
    digits = "".join(c for c in symbol.name if c.isdigit())
    return digits or "0"
