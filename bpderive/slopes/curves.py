"""An activation and its slope as curves: points between the jumps, dots at them.

In: a row of the catalogue. Out: `Curves`, numbers alone. Must not know: paper, letters, colours.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sympy import Expr, Symbol, oo

from bpderive.catalog import Activation
from bpderive.functions import scalar_symbol
from bpderive.slopes.extrema import maximal_slope
from bpderive.slopes.intervals import INF, Program, program
from bpderive.slopes.model import MaximalSlope
from bpderive.slopes.pieces import pieces

POINTS = 80
REACHES = (6, 4, 3, 2)
TALL = 8.0
"""A curve that is higher is shown over fewer numbers, or cut."""

Point = tuple[float, float]
Curve = tuple[Point, ...]
Dot = tuple[Point, bool]
"""A value at a jump, and whether it is taken there."""


@dataclass(frozen=True)
class Traced:
    """One function: its curves between its jumps, and the dots at them."""

    curves: tuple[Curve, ...]
    dots: tuple[Dot, ...]


@dataclass(frozen=True)
class Curves:
    """A function and its slope from `-reach` to `reach`, and how steep it is at most."""

    reach: int
    activation: Traced
    slope: Traced
    largest: MaximalSlope


def traced(row: Activation, points: int = POINTS) -> Curves:
    """The curves of an elementwise activation, through so many points."""
    z, a = scalar_symbol("z"), scalar_symbol("a")
    slope = row.slope_expr.xreplace({a: row.definition})
    cuts = _cuts(slope, z)
    reach = _reach(program(row.definition, z))
    activation, steep = (
        Traced(_curves(expr, z, cuts, reach, points), _dots(expr, z, cuts))
        for expr in (row.definition, slope)
    )
    return Curves(reach, activation, steep, maximal_slope(row))


def _cuts(slope: Expr, z: Symbol) -> tuple[Expr, ...]:
    """Where the slope may jump."""
    return tuple(piece.hi for piece in pieces(slope, z) or () if piece.hi != oo)


def _value(code: Program, at: float) -> float:
    lo, hi = code((at, at))
    return (lo + hi) / 2 if lo > -INF and hi < INF else math.nan


def _reach(code: Program) -> int:
    """How far to both sides the curve is shown: less where it is very high."""
    for reach in REACHES:
        if all(abs(_value(code, end)) <= TALL for end in (-reach, reach)):
            return reach
    return REACHES[-1]


def _curves(
    expr: Expr, z: Symbol, cuts: Sequence[Expr], reach: int, points: int
) -> tuple[Curve, ...]:
    """The curve between its jumps, and where it is not too high."""
    code = program(expr, z)
    inside = (float(cut) for cut in cuts if -reach < float(cut) < reach)
    ends = [-float(reach), *inside, float(reach)]
    found: list[Curve] = []
    for lo, hi in pairwise(ends):
        count = max(2, round(points * (hi - lo) / (2 * reach)))
        inner = 1e-9 * (hi - lo)
        xs = [lo + inner + (hi - lo - 2 * inner) * k / count for k in range(count + 1)]
        found += _visible([(x, _value(code, x)) for x in xs])
    return tuple(found)


def _visible(points: list[Point]) -> Iterator[Curve]:
    """The runs of points that are not too high."""
    run: list[Point] = []
    for x, y in points:
        if abs(y) <= TALL:
            run.append((x, y))
            continue
        if len(run) > 1:
            yield tuple(run)
        run = []
    if len(run) > 1:
        yield tuple(run)


def _dots(expr: Expr, z: Symbol, cuts: Sequence[Expr]) -> tuple[Dot, ...]:
    """At each jump the values of both sides, filled where the convention takes it."""
    code, found = program(expr, z), []
    for exact in cuts:
        cut, here = float(exact), _real(expr.xreplace({z: exact}).evalf(15))
        sides = [_value(code, cut + by) for by in (-1e-9, 1e-9)]
        if abs(sides[0] - sides[1]) > 1e-6:
            found += [((cut, side), abs(side - here) < 1e-6) for side in sides]
            if not any(abs(side - here) < 1e-6 for side in sides):
                found.append(((cut, here), True))
    return tuple(dot for dot in found if abs(dot[0][1]) <= TALL)


def _real(value: Expr) -> float:
    """A number; nan where the function has none."""
    return float(value) if value.is_Number else math.nan
