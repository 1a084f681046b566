"""An activation beside its slope, plotted (Fig. 7, right half).

In: the definition of a function, its slope, and how steep it is at most. Out: a `Drawing` of two
small plots: axes with numbers, curves as lines through points, jumps with a filled and an open dot,
the largest slope as a dashed line. Must not know: letters, colours.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from sympy import Expr, Function, Integer, Rational

from bpderive.catalog import Activation
from bpderive.document.drawing import Disc, Drawing, Label, Point, Shape, Stroke
from bpderive.document.mathematics import Formula, Value
from bpderive.functions import scalar_symbol
from bpderive.slopes.curves import Traced, traced

SIZE = (6.6, 3.9)
GAP = 0.6
LEFT, RIGHT, TOP, BOTTOM = 0.75, 0.6, 0.5, 0.5
TICK = 0.06
OPEN, CLOSED = 0.07, 0.06
"""The radii of an open dot and of a filled one; below 0.07, a disc is all of its colour."""


def activation_figure(row: Activation) -> Drawing:
    """The activation at the left, its slope at the right."""
    z, found = scalar_symbol("z"), traced(row)
    top = None if found.largest.value is None else float(found.largest.value)
    left = _Plot(0.0, found.reach, found.activation, None)
    right = _Plot(SIZE[0] + GAP, found.reach, found.slope, top)
    names = (Function(row.name)(z), Function(f"{row.name}'")(z))
    shapes = [s for plot, name in zip((left, right), names, strict=True) for s in plot.shapes(name)]
    shapes.sort(key=lambda shape: isinstance(shape, Label))
    return Drawing(2 * SIZE[0] + GAP, SIZE[1], tuple(shapes))


@dataclass(frozen=True)
class _Plot:
    """One plot whose left edge stands at `x`; `top` is the largest slope."""

    x: float
    reach: int
    traced: Traced
    top: float | None

    @property
    def span(self) -> tuple[float, float]:
        """The lowest and the highest number of the upright axis."""
        ys = [y for curve in self.traced.curves for _, y in curve] or [0.0]
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
        for curve in self.traced.curves:
            yield Stroke(_thinned([self.at(x, y) for x, y in curve]), role, "strong")
        for (x, y), filled in self.traced.dots:
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


def _thinned(points: list[Point]) -> tuple[Point, ...]:
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
