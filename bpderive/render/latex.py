"""LaTeX: an article, or a fragment for course notes. Everything compiles with pdflatex."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from bpderive.document.blocks import Beside, Chain, Figure, Link, Row, Words, Working
from bpderive.notation import Notation
from bpderive.render.latex_math import LatexMath
from bpderive.render.printer import width
from bpderive.render.tex_blocks import CODE, code, columns, head
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
        "≈": r"$\approx$",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
    }
)
MANY = 6
"""From this many short equations on, they stand side by side."""

BESIDE = 34
"""Up to this width, a step leaves room for its reason beside it."""

BREAK = " \\\\\n"
"""Between the rows of an `align*`."""

SHORT = 10
"""Up to this width, the left-hand side of a chain stands beside its first step."""

FULL = 74
"""Up to this width, a step fits under its reason; what is wider and unbroken is set smaller."""

NUMBER = 6
"""The width that an equation's number takes beside a calculation."""

NARROW = 60
"""The width of a line in an `article` of eleven points with the margins that LaTeX gives it."""

LONG, TALL = 18, 11
"""A table of more rows may be broken over pages; of derivatives, one of more than the other."""


def escape(text: str) -> str:
    """Text that LaTeX prints as it stands."""
    return text.translate(ESCAPES).replace("--", r"-\kern0pt-")


def text_in_math(text: str) -> str:
    """Words inside mathematics; an ellipsis is mathematics."""
    return r"\ldots".join(map(_in_text, text.split("…")))


def _in_text(text: str) -> str:
    """Words as text; the spaces around Chinese ones stand outside: XeTeX drops them inside."""
    bare = text.strip(" ")
    if not bare.strip(",="):
        return _spaced(text)
    if bare.isascii():
        return rf"\text{{{escape(text)}}}"
    before, after = text.split(bare)
    return rf"{_spaced(before)}\text{{{escape(bare)}}}{_spaced(after)}"


def _spaced(text: str) -> str:
    return text.replace(" ", r"\ ") if text.strip() == "" else text


def typed(text: str) -> str:
    """What one types: it breaks at its spaces alone."""
    return rf"\texttt{{{text.translate(CODE)}}}".replace(r"\ ", " ")


STYLE = Style(
    escape=escape,
    inline=lambda math: f"${math}$",
    text=text_in_math,
    plain=lambda text: rf"\text{{{escape(text)}}}",
    limit=84,
    code=typed,
)


@lru_cache(16)
def math(notation: Notation) -> LatexMath:
    """The printer of a notation: one for all formats, because it remembers what it printed."""
    return LatexMath(notation)


def helpers(notation: Notation, wording: Wording, *, fragment: bool = False) -> Mapping[str, Any]:
    """What the template calls."""
    style = replace(STYLE, limit=NARROW) if fragment else STYLE
    writer = Writer(math(notation), wording, style)
    return {**shared(writer), "fragment": fragment}


def shared(writer: Writer) -> Mapping[str, Any]:
    """What the templates of the blocks call, in an article and on slides."""
    colon, notation, wording = writer.wording.setting.colon, writer.printer.notation, writer.wording
    return {
        **writer.helpers,
        **writer.table_helpers(" & "),
        **head(wording.setting),
        "between": escape(wording.setting.separator),
        "plain": lambda words: unmarked(notation, wording, words),
        "equations": lambda rows: kept(aligned(writer, rows)),
        "calculation": lambda rows: kept(worked(writer, rows)),
        "picture": lambda block: picture(block, notation, wording),
        "code": code,
        "lead": lambda text: lead(text, colon),
        "chain": lambda block: chain(writer, block),
        "long": lambda table: len(table.rows) > (TALL if table.displayed else LONG),
        "marks": lambda table: columns(writer, table),
        "stretch": lambda table: 2.1 if table.displayed else 1.15,
    }


def lead(text: str, colon: str = ":") -> str:
    """A paragraph; one that ends with a colon stays with what follows it."""
    return f"\\bpneed{{5}}{text}\\nopagebreak" if text.endswith(colon) else text


def unmarked(notation: Notation, wording: Wording, words: Words) -> str:
    """A sentence for the data of a PDF file, which holds no mathematics but Unicode's."""
    from bpderive.render.unicode_math import UnicodeMath

    same = Style(str, str, str, str, 999)
    text = Writer(UnicodeMath(notation), wording, same).words(words)
    return escape(text.replace("−", "-").replace("…", "..."))


def picture(block: Figure | Beside, notation: Notation, wording: Wording) -> str:
    """A drawing in TikZ."""
    from bpderive.render import tikz

    return tikz.picture(block, notation, wording)


def aligned(writer: Writer, rows: Sequence[Row]) -> str:
    """The rows of an `align*`; many short ones stand side by side."""
    lines = [_row(writer, row) for row in rows]
    columns = side_by_side(writer, rows)
    if columns == 1:
        return " \\\\\n".join(lines)
    grid = [lines[k : k + columns] for k in range(0, len(lines), columns)]
    return " \\\\\n".join(" & ".join(line) for line in grid)


def kept(rows: str) -> str:
    """Rows of which neither the first nor the last is left alone on a page."""
    first, *others = rows.split(BREAK)
    *middle, last = others or (None,)
    parts = (first, BREAK.join(middle), last)
    return " \\\\*\n".join(part for part in parts if part)


def side_by_side(writer: Writer, rows: Sequence[Row]) -> int:
    """How many short equations without numbers fit on a line."""
    plain = all(row.number is None and row.condition is None and row.lhs for row in rows)
    if not plain or len(rows) < MANY:
        return 1
    widest = max(width(f"{writer.math(r.lhs)}={writer.math(r.rhs)}") for r in rows if r.lhs)
    return max(1, min(3, len(rows) // 2, writer.style.limit // (widest + 8)))


def _row(writer: Writer, row: Row) -> str:
    """Broken lines, the condition, the number as a tag."""
    lines, condition = conditioned(writer, row)
    body = " \\\\\n&\\quad ".join(lines)
    lhs = f"{writer.math(row.lhs)} &= " if row.lhs else "&"
    return f"{lhs}{body}{f' &&{condition}' * bool(condition)}{tag(writer, row)}"


def conditioned(writer: Writer, row: Row) -> tuple[list[str], str]:
    """The lines of a row and what stands beside them; under several lines it has its own."""
    lines = writer.rhs_lines(row)
    condition = writer.words_in_math(row.condition) if row.condition else ""
    return ([*lines, condition], "") if condition and len(lines) > 1 else (lines, condition)


def chain(writer: Writer, block: Chain) -> Iterator[str]:
    """The steps of a chain; a short left-hand side stands on the line of the first."""
    lhs = writer.math(block.lhs)
    beside = width(lhs) <= SHORT
    if not beside:
        yield rf"\bpstart{{{lhs}}}"
    for number, link in enumerate(block.links, 1):
        if number in (2, len(block.links)) and number > 1:
            yield r"\nopagebreak"
        yield step(writer, link, (lhs if number == 1 else rf"\hphantom{{{lhs}}}") * beside)


def step(writer: Writer, link: Link, lhs: str = "") -> str:
    """One step of a chain: its reason beside it, or above it where the step is wide."""
    reason, taken = writer.words(link.reason), width(lhs)
    beside, full = (room * writer.style.limit // STYLE.limit for room in (BESIDE, FULL))
    lines = writer.lines(link.rhs, beside - taken)
    if len(lines) == 1:
        return rf"\bpstep{{{lhs}{{}} = {lines[0]}}}{{{reason}}}"
    lines = writer.lines(link.rhs, full - taken)
    body = " \\\\ &\\quad ".join(lines)
    body = f"{lhs}&= {body}" if len(lines) > 1 else f"{lhs}{{}} = {body}"
    body = rf"\begin{{aligned}}[t] {body} \end{{aligned}}" if len(lines) > 1 else body
    command = "bptiny" if max(map(width, lines)) > full - taken else "bpwide"
    return rf"\{command}{{{body}}}{{{reason}}}"


def calculated(writer: Writer, rows: Sequence[Working]) -> str:
    """Calculations with their first equality signs one under the other."""
    lines = " \\\\\n".join(working(writer, row) + _beside(writer, row) for row in rows)
    return f"\\begin{{aligned}}\n{lines}\n\\end{{aligned}}"


def _beside(writer: Writer, row: Working) -> str:
    """The number of an equation where there are no tags."""
    return "" if row.number is None else rf" &&({writer.number(row.number)})"


def worked(writer: Writer, rows: Sequence[Working]) -> str:
    """The rows of an `align*`, with the numbers of their equations."""
    return " \\\\\n".join(working(writer, row) + tag(writer, row) for row in rows)


def working(writer: Writer, row: Working) -> str:
    """The lines of one calculation; what goes on with the line before is set in."""
    lhs = writer.math(row.lhs)
    taken = width(lhs) + 3 + (NUMBER if row.number else 0)
    lines = writer.calculation(row, writer.style.limit - taken)
    parts = (f"&{sign} {text}" if sign else rf"&\quad {text}" for sign, text in lines)
    return f"{lhs} " + " \\\\\n".join(parts)


def tag(writer: Writer, row: Row | Working) -> str:
    """The row's number, where it has one."""
    if row.number is None:
        return ""
    number = writer.number(row.number)
    return rf" \tag{{${number}$}}" if row.number.slope else rf" \tag{{{number}}}"
