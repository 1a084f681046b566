"""Outlines of glyphs: polygons, circles, waves, and their mirror images.

In: points in thousandths of the size of the text. Out: a `Glyph`. Must not know: which glyph it is.
"""

from collections.abc import Callable
from itertools import pairwise
from math import cos, hypot, pi, sin

from fontTools.pens.basePen import BasePen
from fontTools.pens.recordingPen import RecordingPen
from fontTools.pens.transformPen import TransformPen

AXIS, RULE = 250, 46
"""The height of minus signs and fraction lines over the baseline; their thickness."""

Point = tuple[float, float]
Glyph = tuple[float, RecordingPen]
"""An advance width and an outline."""
Draw = Callable[[BasePen], None]


def glyph(width: float, *parts: Draw) -> Glyph:
    """A glyph of these parts."""
    pen = RecordingPen()
    for part in parts:
        part(pen)
    return width, pen


def polygon(*points: Point) -> Draw:
    """Straight lines, closed."""
    return outline(points[0], *((p,) for p in points[1:]))


def outline(start: Point, *moves: tuple[Point, ...]) -> Draw:
    """A closed outline: a move of one point is a line, of three a curve."""

    def draw(pen: BasePen) -> None:
        pen.moveTo(start)
        for move in moves:
            pen.lineTo(move[0]) if len(move) == 1 else pen.curveTo(*move)
        pen.closePath()

    return draw


def box(x: float, y: float, right: float, top: float) -> Draw:
    """A rectangle between two corners."""
    return polygon((x, y), (right, y), (right, top), (x, top))


def bar(start: Point, end: Point, thick: float = RULE) -> Draw:
    """A straight stroke."""
    (x, y), (u, v) = start, end
    length = hypot(u - x, v - y)
    dx, dy = thick / 2 * (y - v) / length, thick / 2 * (u - x) / length
    return polygon((x - dx, y - dy), (u - dx, v - dy), (u + dx, v + dy), (x + dx, y + dy))


def circle(centre: Point, radius: float, *, hole: bool = False) -> Draw:
    """A disc, or, drawn the other way round, a hole."""
    x, y = centre
    k, turn = 0.5523 * radius, -1 if hole else 1

    def at(angle: float, out: float = 0) -> Point:
        c, s = cos(angle), sin(angle)
        return x + radius * c - turn * out * s, y + radius * s + turn * out * c

    quarters = [turn * q * pi / 2 for q in range(5)]
    arcs = [(at(a, k), at(b, -k), at(b)) for a, b in pairwise(quarters)]
    return outline(at(0), *arcs)


def ring(centre: Point, radius: float, thick: float = RULE) -> tuple[Draw, Draw]:
    """A circle's line."""
    return circle(centre, radius), circle(centre, radius - thick, hole=True)


def wave(left: float, right: float, y: float, high: float, thick: float = RULE) -> Draw:
    """A tilde: one swing up and one down, each as high as this."""
    reach, half = (right - left) * 0.36, thick / 2

    def swing(dy: float, start: Point, end: Point) -> tuple[Point, Point, Point]:
        turn = 1 if start[0] < end[0] else -1
        rise = 3.4 * high * turn
        return (start[0] + turn * reach, y + dy + rise), (end[0] - turn * reach, y + dy - rise), end

    low, top = (left, y - high - half), (right, y + high - half)
    back, over = (right, y + high + half), (left, y - high + half)
    return outline(low, swing(-half, low, top), (back,), swing(half, back, over))


def mirrored(found: Glyph) -> Glyph:
    """The same, left and right exchanged."""
    width, pen = found
    turned = RecordingPen()
    pen.replay(TransformPen(turned, (-1, 0, 0, 1, width, 0)))
    return width, turned


def upside_down(found: Glyph) -> Glyph:
    """The same about the axis, top and bottom exchanged."""
    turned = RecordingPen()
    found[1].replay(TransformPen(turned, (1, 0, 0, -1, 0, 2 * AXIS)))
    return found[0], turned
