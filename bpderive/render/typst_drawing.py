"""Figures in Typst's own shapes, without any package.

In: a `Drawing` and a `Writer` that prints Typst. Out: a `box` of placed shapes, in the colours
`bp-…` that the preamble defines (`bp-weight`, `bp-faint` …). Must not know: what is drawn.
"""

from collections.abc import Callable, Mapping
from typing import Any

from bpderive.document.drawing import Box, Disc, Drawing, Label, Point, Stroke
from bpderive.render.colours import POINTS, STRONG_TINT, TINT
from bpderive.render.drawn import DOT, headed, number, text_size
from bpderive.render.writer import Writer

ROOM = (7.0, 2.0)
"""The field about a place in which a label is set; only its text is seen."""

ANCHORS = {
    "center": ("center + horizon", 0.0, 0.0),
    "west": ("left + horizon", 0.5, 0.0),
    "east": ("right + horizon", -0.5, 0.0),
    "north": ("center + top", 0.0, -0.5),
    "south": ("center + bottom", 0.0, 0.5),
}
"""By anchor: how the text stands in its field, and where the field stands about the place."""


def drawn(drawing: Drawing, writer: Writer) -> str:
    """A drawing as a Typst box, without a mark before it."""
    size = f"width: {number(drawing.width)}cm, height: {number(drawing.height)}cm"
    shapes = "\n".join(_shape(writer, shape, drawing.height) for shape in drawing.shapes)
    return f"box({size}, {{\n  set place(top + left)\n{shapes}\n}})"


def _shape(writer: Writer, shape: Any, height: float) -> str:
    return "\n".join(f"  {line}" for line in SHAPES[type(shape)](writer, shape, height))


def _place(left: float, top: float, body: str) -> str:
    return f"place(top + left, dx: {number(left)}cm, dy: {number(top)}cm, {body})"


def _at(point: Point, height: float) -> str:
    return f"({number(point[0])}cm, {number(height - point[1])}cm)"


def _colour(shape: Any) -> str:
    return "bp-faint" if shape.emphasis == "faint" else f"bp-{shape.role}"


def _line(shape: Any) -> str:
    """The colour, width and dash of a line or an outline."""
    dash = ", dash: (3pt, 2pt)" if getattr(shape, "dashed", False) else ""
    return f"stroke: (paint: {_colour(shape)}, thickness: {POINTS[shape.emphasis]}pt{dash})"


def _fill(shape: Disc | Box) -> str:
    if not shape.filled:
        return ""
    if shape.emphasis == "faint":
        return ", fill: white"
    share = STRONG_TINT if shape.emphasis == "strong" else TINT
    return f", fill: bp-{shape.role}.lighten({100 - round(100 * share)}%)"


def _disc(_writer: Writer, shape: Disc, height: float) -> list[str]:
    (x, y), radius = shape.at, shape.radius
    paint = f"fill: {_colour(shape)}" if radius < DOT else _line(shape) + _fill(shape)
    circle = f"circle(radius: {number(radius)}cm, {paint})"
    return [_place(x - radius, height - y - radius, circle)]


def _box(_writer: Writer, shape: Box, height: float) -> list[str]:
    (x, y), (wide, high) = shape.at, shape.size
    rounding = f", radius: {number(shape.rounding)}cm" if shape.rounding else ""
    size = f"width: {number(wide)}cm, height: {number(high)}cm{rounding}"
    return [_place(x, height - y - high, f"rect({size}, {_line(shape)}{_fill(shape)})")]


def _stroke(_writer: Writer, shape: Stroke, height: float) -> list[str]:
    points, head = headed(shape)
    first, *rest = (_at(point, height) for point in points)
    moves = "".join(f", curve.line({point})" for point in rest)
    found = [f"place(top + left, curve(curve.move({first}){moves}, {_line(shape)}))"]
    if head:
        corners = ", ".join(_at(point, height) for point in head)
        found.append(f"place(top + left, polygon(fill: {_colour(shape)}, {corners}))")
    return found


def _label(writer: Writer, shape: Label, height: float) -> list[str]:
    align, right, up = ANCHORS[shape.anchor]
    left = shape.at[0] + right * ROOM[0] - ROOM[0] / 2
    top = height - shape.at[1] - up * ROOM[1] - ROOM[1] / 2
    colour = "bp-pale" if shape.emphasis == "faint" else f"bp-{shape.role}"
    text = f"text(size: {number(text_size(shape))}pt, fill: {colour}, [{writer.slot(shape.text)}])"
    if shape.halo:
        text = f"box(fill: white, inset: 1.2pt, radius: 1pt, {text})"
    field = f"box(width: {ROOM[0]}cm, height: {ROOM[1]}cm, align({align}, {text}))"
    return [_place(left, top, field)]


SHAPES: Mapping[type, Callable[[Writer, Any, float], list[str]]] = {
    Disc: _disc,
    Box: _box,
    Stroke: _stroke,
    Label: _label,
}
