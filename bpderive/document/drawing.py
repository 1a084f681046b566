"""What a figure is made of: shapes with roles, in centimetres, before any format.

In: places and mathematics. Out: frozen shapes. Must not know: letters, colours, formats.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Point = tuple[float, float]
"""Centimetres: x to the right, y up, from the lower left corner."""


@dataclass(frozen=True)
class Disc:
    """A circle, `filled` with a tint of its role's colour, or empty."""

    at: Point
    radius: float
    role: str
    emphasis: str = "normal"
    filled: bool = True


@dataclass(frozen=True)
class Stroke:
    """A line through points."""

    points: tuple[Point, ...]
    role: str
    emphasis: str = "normal"
    arrow: bool = False
    dashed: bool = False


@dataclass(frozen=True)
class Label:
    """Mathematics or words; `anchor` is the point of the text that stands at the place.

    `small` is for what stands at the side, `large` for fractions. With `halo` the ground stands
    behind the text, so that no line runs through it.
    """

    at: Point
    text: Any
    anchor: str = "center"
    role: str = "ink"
    emphasis: str = "normal"
    small: bool = False
    halo: bool = False
    large: bool = False


@dataclass(frozen=True)
class Box:
    """A rectangle from its lower left corner, its corners rounded by a radius."""

    at: Point
    size: Point
    role: str
    emphasis: str = "normal"
    rounding: float = 0.0
    filled: bool = True
    dashed: bool = False


Shape = Disc | Stroke | Label | Box


@dataclass(frozen=True)
class Drawing:
    """Shapes in the order in which they are drawn."""

    width: float
    height: float
    shapes: Sequence[Shape]


def dots(at: Point, *, down: bool) -> Iterator[Disc]:
    """Three dots across or down: something is left out here."""
    x, y = at
    for step in (-0.2, 0.0, 0.2):
        yield Disc((x, y + step) if down else (x + step, y), 0.04, "ink")


def bent(points: Sequence[Point], radius: float = 0.16) -> tuple[Point, ...]:
    """A way through points whose corners are rounded, as points of a stroke."""
    found = [points[0]]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        reach = min(radius, math.dist(before, corner) / 2, math.dist(corner, after) / 2)
        start, end = _towards(corner, before, reach), _towards(corner, after, reach)
        found += [_between(start, corner, end, share / ROUND) for share in range(ROUND + 1)]
    way = (*found, points[-1])
    return (*(one for one, other in pairwise(way) if one != other), way[-1])


ROUND = 6
"""A rounded corner has so many pieces."""


def _towards(at: Point, other: Point, reach: float) -> Point:
    """The point so far from one on the way to another."""
    share = reach / (math.dist(at, other) or 1.0)
    return (at[0] + share * (other[0] - at[0]), at[1] + share * (other[1] - at[1]))


def _between(start: Point, corner: Point, end: Point, share: float) -> Point:
    """A point of the curve that leaves towards the corner and arrives from it (Bézier)."""
    weights = ((1 - share) ** 2, 2 * share * (1 - share), share**2)
    x, y = (
        sum(
            weight * point[axis]
            for weight, point in zip(weights, (start, corner, end), strict=True)
        )
        for axis in (0, 1)
    )
    return (round(x, 3), round(y, 3))
