"""Mathematics on slides: set as one box, which the templates make smaller where it is too large.

In: rows and steps. Out: rows of `aligned`, an equation's number in a column of its own. Must not
know: slides.
"""

from bpderive.document.blocks import Row, Working
from bpderive.document.mathematics import Math
from bpderive.render import latex
from bpderive.render.writer import Writer


def row(writer: Writer, value: Row) -> str:
    """An equation: in columns, what it holds for and its number."""
    lines, condition = latex.conditioned(writer, value)
    body = " \\\\\n&\\quad ".join(lines)
    lhs = f"{writer.math(value.lhs)} &= " if value.lhs else "&"
    number = f"({writer.number(value.number)})" if value.number else ""
    marks = rf" && \quad {condition} && {number}" if condition else f" && {number}" * bool(number)
    return f"{lhs}{body}{marks}"


def working(writer: Writer, value: Working) -> str:
    """A calculation and its number."""
    number = f" && ({writer.number(value.number)})" if value.number else ""
    return latex.working(writer, value) + number


def side(writer: Writer, value: Math) -> str:
    """One side of a step, on as many lines as it needs."""
    body = r" \\ &\quad ".join(writer.lines(value, writer.style.limit))
    return rf"\begin{{aligned}} &= {body} \end{{aligned}}"
