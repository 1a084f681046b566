"""An activation beside its slope, plotted (Fig. 7, right half).

In: the definition of a function, its slope, and how steep it is at most. Out: a `Drawing` of two
small plots: axes with numbers, curves as lines through points, jumps with a filled and an open dot,
the largest slope as a dashed line. Must not know: letters, colours.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sympy import Expr, Function, Integer, Rational, Symbol, oo

from bpderive.catalog import Activation
from bpderive.document.drawing import Disc, Drawing, Label, Point, Shape, Stroke
from bpderive.document.mathematics import Formula, Value
from bpderive.functions import scalar_symbol
from bpderive.slopes.extrema import maximal_slope
from bpderive.slopes.intervals import INF, Program, program
from bpderive.slopes.pieces import pieces

SIZE = (6.6, 3.9)
GAP = 0.6
LEFT, RIGHT, TOP, BOTTOM = 0.75, 0.6, 0.5, 0.5
POINTS = 80
REACHES = (6, 4, 3, 2)
TALL = 8.0
"""A curve that is higher is shown over fewer numbers, or cut."""

TICK = 0.06
OPEN, CLOSED = 0.07, 0.06
"""The radii of an open dot and of a filled one; below 0.07, a disc is all of its colour."""
Curve = tuple[Point, ...]


def activation_figure(row: Activation) -> Drawing:
    """The activation at the left, its slope at the right."""
    z, a = scalar_symbol("z"), scalar_symbol("a")
    slope = row.slope_expr.xreplace({a: row.definition})
    cuts = _cuts(slope, z)
    reach = _reach(program(row.definition, z))
    largest = maximal_slope(row)
    top = None if largest.value is None else float(largest.value)
    curves, steep = (_curves(expr, z, cuts, reach) for expr in (row.definition, slope))
    left = _Plot(0.0, reach, curves, _dots(row.definition, z, cuts), None)
    right = _Plot(SIZE[0] + GAP, reach, steep, _dots(slope, z, cuts), top)
    names = (Function(row.name)(z), Function(f"{row.name}'")(z))
    shapes = [s for plot, name in zip((left, right), names, strict=True) for s in plot.shapes(name)]
    shapes.sort(key=lambda shape: isinstance(shape, Label))
    return Drawing(2 * SIZE[0] + GAP, SIZE[1], tuple(shapes))


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


def _curves(expr: Expr, z: Symbol, cuts: Sequence[Expr], reach: int) -> tuple[Curve, ...]:
    """The curve between its jumps, and where it is not too high."""
    code = program(expr, z)
    inside = (float(cut) for cut in cuts if -reach < float(cut) < reach)
    ends = [-float(reach), *inside, float(reach)]
    found: list[Curve] = []
    for lo, hi in pairwise(ends):
        count = max(2, round(POINTS * (hi - lo) / (2 * reach)))
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


def _dots(expr: Expr, z: Symbol, cuts: Sequence[Expr]) -> tuple[tuple[Point, bool], ...]:
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


@dataclass(frozen=True)
class _Plot:
    """One plot whose left edge stands at `x`; `top` is the largest slope."""

    x: float
    reach: int
    curves: tuple[Curve, ...]
    dots: tuple[tuple[Point, bool], ...]
    top: float | None

    @property
    def span(self) -> tuple[float, float]:
        """The lowest and the highest number of the upright axis."""
        ys = [y for curve in self.curves for _, y in curve] or [0.0]
        ys += [0.0, *([self.top] if self.top is not None else [])]
        low, high = min(ys), max(ys)
        room = 0.12 * ((high - low) or 1.0)
        return low - room, high + room

    def at(self, x: float, y: float) -> Point:
        """A point of the plot on the paper."""
        low, high = self.span
        wide, tall = SIZE[0] - LEFT - RIGHT, SIZE[1] - TOP - BOTTOM
        right = (x + self.reach) / (2 * self.reach)
        up = (y - low) / (high - low)
        return round(self.x + LEFT + wide * right, 2), round(BOTTOM + tall * up, 2)

    def shapes(self, name: Expr) -> Iterator[Shape]:
        """Axes, the largest slope, the curve, its dots."""
        yield from self._axes(name)
        if self.top is not None:
            yield from self._largest(self.top)
        role = "slope" if self.x else "activation"
        for curve in self.curves:
            yield Stroke(_thinned([self.at(x, y) for x, y in curve]), role, "strong")
        for (x, y), filled in self.dots:
            yield Disc(self.at(x, y), OPEN, role, "strong", filled=False)
            if filled:
                yield Disc(self.at(x, y), CLOSED, role, "strong")

    def _axes(self, name: Expr) -> Iterator[Shape]:
        """Axes at the left and below, where no curve runs through their numbers; faint zeros."""
        (low, high), reach = self.span, self.reach
        for ends in (((-reach, 0), (reach, 0)), ((0, low), (0, high))):
            yield Stroke(tuple(self.at(*end) for end in ends), "axis", "faint")
        corner, right, top = self.at(-reach, low), self.at(reach, low), self.at(-reach, high)
        right, top = (round(right[0] + 0.25, 2), right[1]), (top[0], round(top[1] + 0.25, 2))
        yield Stroke((corner, right), "axis", arrow=True)
        yield Stroke((corner, top), "axis", arrow=True)
        z = Formula(scalar_symbol("z"))
        yield Label((round(right[0] + 0.06, 2), right[1]), z, "west", small=True)
        yield Label((round(top[0] + 0.15, 2), top[1]), Formula(name), "west", small=True)
        for tick in _ticks(-reach, reach):
            yield from self._below(tick)
        for tick in _ticks(low, high):
            yield from self._beside(tick)

    def _below(self, tick: Rational) -> Iterator[Shape]:
        x, y = self.at(float(tick), self.span[0])
        yield Stroke(((x, round(y - TICK, 2)), (x, y)), "axis")
        yield Label((x, round(y - TICK - 0.05, 2)), Value(tick, 6), "north", "axis", small=True)

    def _beside(self, tick: Rational) -> Iterator[Shape]:
        x, y = self.at(-self.reach, float(tick))
        yield Stroke(((round(x - TICK, 2), y), (x, y)), "axis")
        yield Label((round(x - TICK - 0.05, 2), y), Value(tick, 6), "east", "axis", small=True)

    def _largest(self, top: float) -> Iterator[Shape]:
        """A dashed line at the largest slope, and its value."""
        left, right = self.at(-self.reach, top), self.at(self.reach, top)
        yield Stroke((left, right), "error", dashed=True)
        place = (right[0], round(right[1] + 0.05, 2))
        number = Rational(f"{top:.5g}")
        yield Label(place, Value(number, 5), "south", "error", small=True)


def _thinned(points: list[Point]) -> Curve:
    """Without points on a straight line between their neighbours, and without repeated ones."""
    kept = points[:1]
    for (px, py), (x, y), (nx, ny) in zip(points, points[1:], points[2:], strict=False):
        straight = abs((nx - px) * (y - py) - (x - px) * (ny - py)) < 1e-9
        if not straight and (x, y) != kept[-1]:
            kept.append((x, y))
    return (*kept, points[-1])


def _ticks(low: float, high: float) -> Iterator[Rational]:
    """Round numbers, three to six of them."""
    room = (high - low) / 4
    power = math.floor(math.log10(room))
    ten = Integer(10) ** power
    step = next(n * ten for n in (1, 2, 5, 10) if float(n * ten) >= room * 0.8)
    first, last = math.ceil(low / float(step)), math.floor(high / float(step))
    return (k * step for k in range(first, last + 1))
