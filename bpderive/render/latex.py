"""LaTeX: an article, or a fragment for course notes. Everything compiles with pdflatex."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from bpderive.document.blocks import Link, Row
from bpderive.notation import Notation
from bpderive.render.latex_math import LatexMath
from bpderive.render.printer import width
from bpderive.render.writer import Style, Writer
from bpderive.wording import Wording

ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "$": r"\$",
        "&": r"\&",
        "#": r"\#",
        "%": r"\%",
        "_": r"\_",
        "^": r"\textasciicircum{}",
        "~": r"\textasciitilde{}",
        "…": r"\ldots{}",
        "−": r"$-$",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
    }
)
MANY = 6
"""From this many short equations on, they stand side by side."""

BESIDE = 34
"""Up to this width, a step leaves room for its reason beside it."""

FULL = 74
"""Up to this width, a step fits under its reason; what is wider and unbroken is set smaller."""

LONG = 8
"""A table of more rows may be broken over pages."""

MARKS = {
    "factor": r">{\everymath{\displaystyle}}l",
    "meaning": r"p{0.42\linewidth}",
    "reason": r"p{0.42\linewidth}",
}


def escape(text: str) -> str:
    """Text that LaTeX prints as it stands."""
    return text.translate(ESCAPES).replace("--", "-{}-")


def text_in_math(text: str) -> str:
    """Words inside mathematics; an ellipsis is mathematics."""
    parts = (
        rf"\text{{{escape(part)}}}" if part.strip(" ,=") else _spaced(part)
        for part in text.split("…")
    )
    return r"\ldots".join(parts)


def _spaced(text: str) -> str:
    return text.replace(" ", r"\ ") if text.strip() == "" else text


STYLE = Style(
    escape=escape,
    inline=lambda math: f"${math}$",
    text=text_in_math,
    plain=lambda text: rf"\text{{{escape(text)}}}",
    limit=84,
)


@cache
def math(notation: Notation) -> LatexMath:
    """The printer of a notation: one for all formats, because it remembers what it printed."""
    return LatexMath(notation)


def helpers(notation: Notation, wording: Wording, *, fragment: bool = False) -> Mapping[str, Any]:
    """What the template calls."""
    writer = Writer(math(notation), wording, STYLE)
    return {
        **writer.helpers,
        **writer.table_helpers(" & "),
        "fragment": fragment,
        "equations": lambda rows: aligned(writer, rows),
        "lead": lead,
        "step": lambda link: step(writer, link),
        "long": lambda table: "factor" in table.columns or len(table.rows) > LONG,
        "marks": lambda columns: "".join(MARKS.get(column, "l") for column in columns),
        "stretch": lambda table: 2.1 if "factor" in table.columns else 1.15,
    }


def lead(text: str) -> str:
    """A paragraph; one that ends with a colon stays with what follows it."""
    return text + "\\nopagebreak" if text.endswith(":") else text


def aligned(writer: Writer, rows: Sequence[Row]) -> str:
    """The rows of an `align*`; many short ones stand side by side."""
    lines = [_row(writer, row) for row in rows]
    columns = side_by_side(writer, rows)
    if columns == 1:
        return " \\\\\n".join(lines)
    grid = [lines[k : k + columns] for k in range(0, len(lines), columns)]
    return " \\\\\n".join(" & ".join(line) for line in grid)


def side_by_side(writer: Writer, rows: Sequence[Row]) -> int:
    """How many short equations without numbers fit on a line."""
    plain = all(row.number is None and row.condition is None and row.lhs for row in rows)
    if not plain or len(rows) < MANY:
        return 1
    widest = max(width(f"{writer.math(r.lhs)}={writer.math(r.rhs)}") for r in rows if r.lhs)
    return max(1, min(3, len(rows) // 2, writer.style.limit // (widest + 8)))


def _row(writer: Writer, row: Row) -> str:
    """Broken lines, the condition, the number as a tag."""
    body = " \\\\\n&\\quad ".join(writer.rhs_lines(row))
    condition = rf" &&{writer.words_in_math(row.condition)}" if row.condition else ""
    lhs = f"{writer.math(row.lhs)} &= " if row.lhs else "&"
    return f"{lhs}{body}{condition}{tag(writer, row)}"


def step(writer: Writer, link: Link) -> str:
    """One step of a chain: its reason beside it, or above it where the step is wide."""
    reason = writer.words(link.reason)
    lines = writer.lines(link.rhs, BESIDE)
    if len(lines) == 1:
        return rf"\bpstep{{= {lines[0]}}}{{{reason}}}"
    lines = writer.lines(link.rhs, FULL)
    body = " \\\\ &\\quad ".join(lines)
    body = rf"\begin{{aligned}}[t] &= {body} \end{{aligned}}" if len(lines) > 1 else f"= {body}"
    command = "bptiny" if max(map(width, lines)) > FULL else "bpwide"
    return rf"\{command}{{{body}}}{{{reason}}}"


def tag(writer: Writer, row: Row) -> str:
    """The row's number, where it has one."""
    if row.number is None:
        return ""
    number = writer.number(row.number)
    return rf" \tag{{${number}$}}" if row.number.slope else rf" \tag{{{number}}}"
