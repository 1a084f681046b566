"""Gradients by layer on a logarithmic axis: lines, open and filled marks, bars, labels at the side.

In: series of points, a layer's place and a decimal logarithm each. Out: a `Drawing`. Series are
told apart by marks and dashes and by their labels, not by colours alone. Must not know: what the
numbers mean, letters, formats.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor

from sympy import Integer

from bpderive.document.blocks import Cell
from bpderive.document.drawing import Box, Disc, Drawing, Label, Point, Shape, Stroke
from bpderive.document.mathematics import Formula, Near

WIDE, HIGH = 13.8, 6.8
LEFT, RIGHT, TOP, BOTTOM = 1.2, 4.4, 0.9, 0.8
TICK, MARK, CAP = 0.06, 0.08, 0.07
APART = 0.44
"""From one label at the side to the next."""
TICKS = 8
MARKS = 12
"""So many marks a line has at most, and so many numbers an axis."""

Pair = tuple[float, float]


@dataclass(frozen=True)
class Series:
    """`points` by place; `mark` is a key of `MARKED`, or empty; `bars` are (place, low, high)."""

    name: Cell
    points: tuple[Pair, ...]
    mark: str
    role: str
    line: bool = True
    dashed: bool = False
    bars: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True)
class Axes:
    """What stands at the axes, and the numbers of the places below."""

    across: Cell
    up: Cell
    ticks: tuple[tuple[float, Cell], ...]


def layers_chart(series: Sequence[Series], axes: Axes) -> Drawing:
    """All series in one field."""
    field = _Field.around(series)
    shapes = [*field.grid(axes)]
    for one in series:
        shapes += field.drawn(one)
    shapes += field.names(series)
    shapes.sort(key=lambda shape: isinstance(shape, Label))
    return Drawing(WIDE, HIGH, tuple(shapes))


@dataclass(frozen=True)
class _Field:
    """Where a place and a power stand on the paper."""

    first: float
    last: float
    low: int
    high: int

    @classmethod
    def around(cls, series: Sequence[Series]) -> "_Field":
        """The field that holds every point and bar."""
        places = [place for one in series for place, _ in one.points]
        powers = [power for one in series for _, power in one.points]
        powers += [end for one in series for _, *ends in one.bars for end in ends]
        low, high = floor(min(powers)), ceil(max(powers))
        return cls(min(places), max(places), low, max(high, low + 1))

    def at(self, place: float, power: float) -> Point:
        """A point on the paper."""
        across = (place - self.first) / ((self.last - self.first) or 1.0)
        up = (power - self.low) / (self.high - self.low)
        x = LEFT + 0.3 + across * (WIDE - LEFT - RIGHT - 0.6)
        return round(x, 2), round(BOTTOM + up * (HIGH - TOP - BOTTOM), 2)

    def grid(self, axes: Axes) -> Iterator[Shape]:
        """The axes, their numbers, a faint line at each power that has one."""
        right, top = WIDE - RIGHT, HIGH - TOP
        yield Stroke(((LEFT, BOTTOM), (right, BOTTOM)), "axis")
        yield Stroke(((LEFT, BOTTOM), (LEFT, round(top + 0.25, 2))), "axis", arrow=True)
        step = ceil((self.high - self.low) / TICKS)
        for power in range(self.high, self.low - 1, -step):
            y = self.at(self.first, power)[1]
            yield Stroke(((LEFT, y), (right, y)), "axis", "faint")
            place = (round(LEFT - 0.1, 2), y)
            yield Label(place, Near(power, exact=True), "east", "axis", small=True)
        for at, number in axes.ticks:
            x = self.at(at, self.low)[0]
            yield Stroke(((x, round(BOTTOM - TICK, 2)), (x, BOTTOM)), "axis")
            below = (x, round(BOTTOM - TICK - 0.05, 2))
            yield Label(below, number, "north", "axis", small=True)
        middle = round((LEFT + right) / 2, 2)
        yield Label((middle, 0.0), axes.across, "south", small=True)
        yield Label((round(LEFT + 0.15, 2), round(top + 0.45, 2)), axes.up, "west", small=True)

    def drawn(self, series: Series) -> Iterator[Shape]:
        """A series: its line, its bars, its marks."""
        points = [self.at(*point) for point in series.points]
        if series.line and len(points) > 1:
            yield Stroke(tuple(points), series.role, "normal", dashed=series.dashed)
        for place, low, high in series.bars:
            yield from self._bar(place, low, high, series.role)
        if series.mark:
            every = max(1, ceil(len(points) / MARKS))
            yield from (MARKED[series.mark](point, series.role) for point in points[::every])

    def _bar(self, place: float, low: float, high: float, role: str) -> Iterator[Shape]:
        ends = self.at(place, low), self.at(place, high)
        yield Stroke(ends, role)
        for x, y in ends:
            yield Stroke(((round(x - CAP, 2), y), (round(x + CAP, 2), y)), role)

    def names(self, series: Sequence[Series]) -> Iterator[Shape]:
        """The names at the right, one under the other, each with a line from its last point."""
        ends = sorted(
            ((self.at(*one.points[-1]), one) for one in series), key=lambda end: end[0][1]
        )
        heights = spaced([end[1] for end, _ in ends], BOTTOM, HIGH - TOP)
        for ((x, y), one), height in zip(ends, heights, strict=True):
            at = round(WIDE - RIGHT + 0.3, 2), height
            begin = (round(x + 0.15, 2), y)
            yield Stroke((begin, (round(at[0] - 0.12, 2), height)), "axis", "faint")
            if one.mark:
                yield MARKED[one.mark](at, one.role)
            name = round(at[0] + (0.18 if one.mark else -0.06), 2), height
            yield Label(name, one.name, "west", one.role, small=True)


def spaced(heights: Sequence[float], low: float, high: float) -> list[float]:
    """Rising heights, moved as little as it takes for labels not to touch."""
    found = [max(low, heights[0])] if heights else []
    for height in heights[1:]:
        found.append(max(height, found[-1] + APART))
    over = (found[-1] - high) if found else 0.0
    if over > 0:
        found[-1] -= over
        for at in range(len(found) - 2, -1, -1):
            found[at] = min(found[at], found[at + 1] - APART)
    return [round(height, 2) for height in found]


def _square(at: Point, role: str, *, filled: bool) -> Box:
    corner = (round(at[0] - MARK, 2), round(at[1] - MARK, 2))
    return Box(corner, (2 * MARK, 2 * MARK), role, "strong", filled=filled)


def _diamond(at: Point, role: str) -> Stroke:
    (x, y), reach = at, 1.4 * MARK
    ring = ((x, y + reach), (x + reach, y), (x, y - reach), (x - reach, y), (x, y + reach))
    return Stroke(tuple((round(u, 2), round(v, 2)) for u, v in ring), role)


def _cross(at: Point, role: str) -> Stroke:
    (x, y), reach = at, MARK
    way = ((-1, -1), (1, 1), (0, 0), (-1, 1), (1, -1))
    return Stroke(tuple((round(x + u * reach, 2), round(y + v * reach, 2)) for u, v in way), role)


MARKED: Mapping[str, Callable[[Point, str], Shape]] = {
    "dot": lambda at, role: Disc(at, 0.06, role, "strong"),
    "ring": lambda at, role: Disc(at, MARK, role, "normal", filled=False),
    "square": lambda at, role: _square(at, role, filled=False),
    "diamond": _diamond,
    "cross": _cross,
}
"""The marks of points, by name."""


def numbered(places: Sequence[float], cells: Sequence[Cell]) -> tuple[tuple[float, Cell], ...]:
    """Numbers for the places below, not more than there is room for."""
    every = max(1, ceil(len(places) / MARKS))
    return tuple(zip(places, cells, strict=True))[::every]


def steps(count: int) -> tuple[tuple[float, Cell], ...]:
    """0, 1, 2, … below."""
    return numbered(range(count), [Formula(Integer(number)) for number in range(count)])
