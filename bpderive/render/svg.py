"""Figures as SVG: by themselves as files, or within a page.

In: a `Drawing`, a `Notation` and a `Wording`. Out: SVG without references to anything outside it,
which is legible on light and on dark ground. Must not know: what is drawn.

Colours stand as attributes for light ground; classes and `style()` put those of dark ground in
their place where the reader prefers them.
"""

from collections.abc import Callable, Iterator, Mapping
from html import escape
from typing import Any

from bpderive.document.blocks import Beside, Figure, Words
from bpderive.document.drawing import Box, Disc, Drawing, Label, Point, Stroke
from bpderive.notation import Notation
from bpderive.render import latex
from bpderive.render.colours import GROUND, POINTS, Shade, fill, letters, line
from bpderive.render.drawn import DOT, headed, number, text_size
from bpderive.render.svg_math import setting, words
from bpderive.render.svg_setting import RULE, Setting
from bpderive.render.unicode_math import UnicodeMath
from bpderive.render.writer import Style, Writer
from bpderive.wording import Wording

UNIT = 40.0
"""Units of the picture in a centimetre."""

POINT = UNIT / 28.45
LEGIBLE = "32rem"
"""No figure is shrunk below this width."""
GROWN = 1.06
"""Letters of the Times kind are smaller than TeX's of the same size."""

FONT = "'STIX Two Text','Times New Roman',Times,'Liberation Serif','Noto Serif CJK TC',serif"
DASH = (3.2, 2.0)
PLAIN = Style(escape=str, inline=str, text=str, plain=str, limit=10_000)
STYLE = Style(escape=words, inline=lambda math: math, text=words, plain=words, limit=10_000)


def picture(block: Figure | Beside, notation: Notation, wording: Wording) -> str:
    """A figure as a file of its own."""
    drawing, canvas = block.drawing, _Canvas(Writer(latex.math(notation), wording, STYLE))
    body = "".join(f"{shape}\n" for shape in canvas.shapes(drawing))
    wide, high = (number(UNIT * size) for size in (drawing.width, drawing.height))
    ground = f'<rect width="{wide}" height="{high}"{canvas.paint("fill", GROUND)}/>'
    sizes = f'width="{number(drawing.width)}cm" height="{number(drawing.height)}cm"'
    style = f"<style>{canvas.style()}</style>"
    described = _described(block, notation, wording, "figure")
    return f"{_opening(drawing, 'figure', sizes)}\n{described}{style}\n{ground}\n{body}</svg>\n"


def inline(block: Figure | Beside, notation: Notation, wording: Wording) -> str:
    """A figure within a page; its ids begin with the figure's own, which is the page's only one."""
    drawing, canvas = block.drawing, _Canvas(Writer(latex.math(notation), wording, STYLE))
    body = "".join(f"{shape}\n" for shape in canvas.shapes(drawing))
    described = _described(block, notation, wording, block.id)
    style = f"<style>{canvas.style()}</style>"
    return f"{_opening(drawing, block.id, _width(block))}\n{described}{style}\n{body}</svg>"


def _width(block: Figure | Beside) -> str:
    """As wide as drawn, narrower on a narrow page; a figure only as far as its letters are legible.

    It then scrolls in a box of its own.
    """
    wide = f"{number(block.drawing.width)}cm"
    least = f"min-width:min({wide},{LEGIBLE});" if isinstance(block, Figure) else ""
    return f'style="width:{wide};{least}max-width:100%;height:auto"'


def _opening(drawing: Drawing, name: str, sizes: str) -> str:
    wide, high = (number(UNIT * size) for size in (drawing.width, drawing.height))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" {sizes} role="img" '
        f'aria-labelledby="{escape(name)}-title {escape(name)}-desc" font-family="{FONT}">'
    )


def told(words: Words, notation: Notation, wording: Wording) -> str:
    """A sentence in plain text, its mathematics in Unicode."""
    return Writer(UnicodeMath(notation), wording, PLAIN).words(words)


def _described(block: Figure | Beside, notation: Notation, wording: Wording, name: str) -> str:
    """The caption as the title, the alternative as the description, in plain text."""
    caption = block.caption if isinstance(block, Figure) else block.alternative
    pairs = (("title", caption), ("desc", block.alternative))
    return "".join(
        f'<{tag} id="{escape(name)}-{tag}">{escape(told(sentence, notation, wording))}</{tag}>\n'
        for tag, sentence in pairs
    )


def _class(attribute: str, shade: Shade) -> str:
    return f"bp-{attribute[0]}{shade.light[1:]}-{shade.dark[1:]}"


class _Canvas:
    """Draws shapes, and remembers which colours it used."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.used: dict[str, str] = {}
        self.paint("fill", GROUND)

    def style(self) -> str:
        """The colours on dark ground."""
        rules = "".join(f".{name}{{{rule}}}" for name, rule in sorted(self.used.items()))
        return f"@media screen and (prefers-color-scheme:dark){{{rules}}}"

    def paint(self, *pairs: Any) -> str:
        """Attributes and classes of `attribute, shade, attribute, shade …`."""
        names, attributes = [], ""
        for attribute, shade in zip(pairs[::2], pairs[1::2], strict=True):
            name = _class(attribute, shade)
            self.used[name] = f"{attribute}:{shade.dark}"
            names.append(name)
            attributes += f' {attribute}="{shade.light}"'
        return f'{attributes} class="{" ".join(names)}"'

    def shapes(self, drawing: Drawing) -> Iterator[str]:
        """Each shape, its height turned over: SVG counts downwards."""
        self.height = drawing.height
        for shape in drawing.shapes:
            yield SHAPES[type(shape)](self, shape)

    def at(self, point: Point) -> tuple[str, str]:
        return number(UNIT * point[0]), number(UNIT * (self.height - point[1]))

    def outline(self, shape: Disc | Box) -> str:
        """The colours of what fills a shape and of its outline, its width."""
        edge = line(shape.role, shape.emphasis)
        width = number(POINTS[shape.emphasis] * POINT)
        dash = _dash(POINT) if isinstance(shape, Box) and shape.dashed else ""
        if not shape.filled:
            return f' fill="none"{self.paint("stroke", edge)} stroke-width="{width}"{dash}'
        inside = fill(shape.role, shape.emphasis)
        return f'{self.paint("fill", inside, "stroke", edge)} stroke-width="{width}"{dash}'

    def disc(self, shape: Disc) -> str:
        x, y = self.at(shape.at)
        if shape.radius < DOT:
            colour = self.paint("fill", line(shape.role, shape.emphasis))
            return f'<circle cx="{x}" cy="{y}" r="{number(UNIT * shape.radius)}"{colour}/>'
        return f'<circle cx="{x}" cy="{y}" r="{number(UNIT * shape.radius)}"{self.outline(shape)}/>'

    def box(self, shape: Box) -> str:
        (x, y), (wide, high) = shape.at, shape.size
        left, top = self.at((x, y + high))
        sizes = f'width="{number(UNIT * wide)}" height="{number(UNIT * high)}"'
        round_ = f' rx="{number(UNIT * shape.rounding)}"' if shape.rounding else ""
        return f'<rect x="{left}" y="{top}" {sizes}{round_}{self.outline(shape)}/>'

    def stroke(self, shape: Stroke) -> str:
        colour = line(shape.role, shape.emphasis)
        points, head = headed(shape)
        path = "L".join(" ".join(self.at(point)) for point in points)
        width = number(POINTS[shape.emphasis] * POINT)
        dash = _dash(POINT) if shape.dashed else ""
        drawn = (
            f'<path d="M{path}" fill="none"{self.paint("stroke", colour)} '
            f'stroke-width="{width}"{dash}/>'
        )
        if head:
            corners = " ".join(",".join(self.at(point)) for point in head)
            drawn += f'<polygon points="{corners}"{self.paint("fill", colour)}/>'
        return drawn

    def label(self, shape: Label) -> str:
        size = GROWN * text_size(shape) * POINT
        found = setting(_latex(self.writer, shape.text))
        left, base = _corner(shape.anchor, found, size)
        x, y = UNIT * shape.at[0] + left, UNIT * (self.height - shape.at[1]) + base
        colour = letters(shape.role, shape.emphasis)
        marks = self.halo(found, x, y, size) if shape.halo else ""
        return marks + self.text(found, x, y, size, colour)

    def halo(self, found: Setting, x: float, y: float, size: float) -> str:
        """The ground behind a label."""
        pad = 0.12 * size
        place = f'x="{number(x - pad)}" y="{number(y - found.up * size)}"'
        wide, high = found.width * size + 2 * pad, (found.up + found.down) * size
        sizes = f'width="{number(wide)}" height="{number(high)}" rx="3"'
        return f"<rect {place} {sizes}{self.paint('fill', GROUND)}/>"

    def text(self, found: Setting, x: float, y: float, size: float, colour: Shade) -> str:
        runs = "".join(
            f'<tspan x="{number(x + run.at[0] * size)}" y="{number(y - run.at[1] * size)}"'
            f' font-size="{number(run.size * size)}"'
            + (' font-style="italic"' if run.italic else "")
            + (' font-weight="bold"' if run.bold else "")
            + f">{escape(run.text)}</tspan>"
            for run in found.runs
        )
        drawn = f"<text{self.paint('fill', colour)}>{runs}</text>"
        for bar in found.bars:
            ends = [
                f'x{end}="{number(x + at[0] * size)}" y{end}="{number(y - at[1] * size)}"'
                for end, at in ((1, bar.start), (2, bar.end))
            ]
            width = number(RULE * size)
            colours = self.paint("stroke", colour)
            drawn += f'<line {" ".join(ends)}{colours} stroke-width="{width}"/>'
        return drawn


SHAPES: Mapping[type, Callable[[_Canvas, Any], str]] = {
    Disc: _Canvas.disc,
    Box: _Canvas.box,
    Stroke: _Canvas.stroke,
    Label: _Canvas.label,
}


def _dash(scale: float) -> str:
    return f' stroke-dasharray="{number(DASH[0] * scale)} {number(DASH[1] * scale)}"'


def _latex(writer: Writer, content: Any) -> str:
    return writer.words_in_math(content) if isinstance(content, Words) else writer.math(content)


def _corner(anchor: str, found: Setting, size: float) -> tuple[float, float]:
    """How far the text begins right of its place, and its line stands below it."""
    left = {"west": 0.0, "east": -found.width}.get(anchor, -found.width / 2)
    middle = (found.up - found.down) / 2
    base = {"north": found.up, "south": -found.down}.get(anchor, middle)
    return left * size, base * size
