r"""Figures as TikZ pictures, for `tikz` alone without any of its libraries.

In: a `Drawing`, a `Notation` and a `Wording`. Out: a `tikzpicture`, in the colours `bp…` that the
preamble defines (`bpweight`, `bpfaint` …). Must not know: what is drawn.
"""

from collections.abc import Callable, Mapping
from typing import Any

from bpderive.document.blocks import Beside, Figure
from bpderive.document.drawing import Box, Disc, Drawing, Label, Point, Stroke
from bpderive.notation import Notation
from bpderive.render import latex
from bpderive.render.colours import POINTS, STRONG_TINT, TINT
from bpderive.render.drawn import DOT, headed, number, text_size
from bpderive.render.writer import Writer
from bpderive.wording import Wording

INDENT = "  "


def picture(block: Figure | Beside, notation: Notation, wording: Wording) -> str:
    """A figure as TikZ."""
    return drawn(block.drawing, Writer(latex.math(notation), wording, latex.STYLE))


def drawn(drawing: Drawing, writer: Writer) -> str:
    """A drawing as TikZ, its text printed by this writer."""
    size = f"({number(drawing.width)},{number(drawing.height)})"
    lines = [
        r"\begin{tikzpicture}[x=1cm,y=1cm,line cap=butt,line join=round]",
        rf"{INDENT}\path[use as bounding box] (0,0) rectangle {size};",
        *(f"{INDENT}{SHAPES[type(shape)](writer, shape)}" for shape in drawing.shapes),
        r"\end{tikzpicture}",
    ]
    return "\n".join(lines)


def _at(point: Point) -> str:
    return f"({number(point[0])},{number(point[1])})"


def _line(shape: Any) -> str:
    """The colour, width and dash of a line or an outline."""
    colour = "bpfaint" if shape.emphasis == "faint" else f"bp{shape.role}"
    dash = ",dash pattern=on 3pt off 2pt" if getattr(shape, "dashed", False) else ""
    return f"draw={colour},line width={POINTS[shape.emphasis]}pt{dash}"


def _fill(shape: Disc | Box) -> str:
    if not shape.filled:
        return ""
    if shape.emphasis == "faint":
        return ",fill=white"
    share = STRONG_TINT if shape.emphasis == "strong" else TINT
    return f",fill=bp{shape.role}!{round(100 * share)}"


def _disc(_writer: Writer, shape: Disc) -> str:
    options = f"fill=bp{shape.role}" if shape.radius < DOT else _line(shape) + _fill(shape)
    return rf"\path[{options}] {_at(shape.at)} circle[radius={number(shape.radius)}];"


def _box(_writer: Writer, shape: Box) -> str:
    (x, y), (wide, high) = shape.at, shape.size
    corners = f",rounded corners={number(shape.rounding)}cm" if shape.rounding else ""
    end = _at((x + wide, y + high))
    return rf"\path[{_line(shape)}{_fill(shape)}{corners}] {_at((x, y))} rectangle {end};"


def _stroke(_writer: Writer, shape: Stroke) -> str:
    points, head = headed(shape)
    drawn = rf"\path[{_line(shape)}] {' -- '.join(map(_at, points))};"
    if not head:
        return drawn
    colour = "bpfaint" if shape.emphasis == "faint" else f"bp{shape.role}"
    return rf"{drawn} \path[fill={colour}] {' -- '.join(map(_at, head))} -- cycle;"


def _label(writer: Writer, shape: Label) -> str:
    colour = "bppale" if shape.emphasis == "faint" else f"bp{shape.role}"
    halo = ",fill=white,rounded corners=1pt" if shape.halo else ""
    size = text_size(shape)
    font = rf"\fontsize{{{number(size)}}}{{{number(1.2 * size)}}}\selectfont"
    pad = "1.2pt" if shape.halo else "0pt"
    options = f"anchor={shape.anchor},inner sep={pad},text={colour},font={font}"
    return rf"\node[{options}{halo}] at {_at(shape.at)} {{{writer.slot(shape.text)}}};"


SHAPES: Mapping[type, Callable[[Writer, Any], str]] = {
    Disc: _disc,
    Box: _box,
    Stroke: _stroke,
    Label: _label,
}
