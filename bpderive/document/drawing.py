"""What a figure is made of: shapes with roles, in centimetres, before any format.

In: places and mathematics. Out: frozen shapes. Must not know: letters, colours, formats.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
