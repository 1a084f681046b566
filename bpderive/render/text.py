"""Unicode text for the terminal."""

import textwrap
from collections.abc import Mapping
from typing import Any

from bpderive.document.blocks import Chain, Row, Table, Working
from bpderive.errors import SpecError
from bpderive.notation import Notation
from bpderive.render.columns import columns, filled, padded
from bpderive.render.unicode_math import UnicodeMath
from bpderive.render.writer import Style, Writer
from bpderive.wording import Wording

NARROWEST = 40
"""Columns that a text needs at least."""


def _same(text: str) -> str:
    return text


def helpers(notation: Notation, wording: Wording, *, width: int = 88) -> Mapping[str, Any]:
    """What the template calls; `width` is the terminal's.

    Raises:
        SpecError: a width that nothing fits into.
    """
    if width < NARROWEST:
        raise SpecError.single(f"{width} columns are too few", accepted=f"{NARROWEST} or more")
    writer = Writer(UnicodeMath(notation), wording, Style(_same, _same, _same, _same, width))
    return {
        **writer.helpers,
        "heading": lambda text: filled(text, width),
        "fill": lambda text: filled(text, width, "  ", "  "),
        "entry": lambda mark, text: filled(f"{mark} {text}", width, "  ", "    "),
        "equations": lambda rows: equations(writer, rows),
        "chain": lambda block: chain(writer, block),
        "table": lambda block: table(writer, block),
        "calculation": lambda rows: calculation(writer, rows),
        "indent": textwrap.indent,
    }


def equations(writer: Writer, rows: tuple[Row, ...]) -> str:
    """Equations with their equality signs one under the other."""
    sides = [(f"{writer.math(row.lhs)} = " if row.lhs else "", row) for row in rows]
    margin = max(columns(lhs) for lhs, _ in sides) + 2
    lines = []
    for lhs, row in sides:
        condition = f"   ({writer.words_in_math(row.condition)})" if row.condition else ""
        number = f"   ({writer.number(row.number)})" if row.number else ""
        room = writer.style.limit - margin - len(condition + number)
        first, *rest = writer.lines(row.rhs, room)
        lines.append(lhs.rjust(margin + len(lhs) - columns(lhs)) + first)
        lines += [" " * margin + line for line in rest]
        lines[-1] += condition + number
    return "\n".join(lines)


def chain(writer: Writer, block: Chain) -> str:
    """Each step under the last, with its reason above it."""
    lines, width = [f"  {writer.math(block.lhs)}"], writer.style.limit
    for link in block.links:
        lines.append(filled(writer.words(link.reason), width, "      · ", " " * 8))
        first, *rest = writer.lines(link.rhs, width - 10)
        lines += [f"    = {first}", *(f"          {line}" for line in rest)]
    return "\n".join(lines)


def calculation(writer: Writer, rows: tuple[Working, ...]) -> str:
    """Calculations with their first equality signs one under the other."""
    sides = [(writer.math(row.lhs), row) for row in rows]
    margin = max(columns(lhs) for lhs, _ in sides) + 2
    lines = []
    for lhs, row in sides:
        number = f"   ({writer.number(row.number)})" if row.number else ""
        room = writer.style.limit - margin - 3 - len(number)
        head = lhs.rjust(margin + len(lhs) - columns(lhs))
        for relation, text in writer.calculation(row, room):
            lines.append(f"{head} {relation or ' '} {text}")
            head = " " * margin
        lines[-1] += number
    return "\n".join(lines)


def table(writer: Writer, block: Table) -> str:
    """Columns padded to the same width; the last one is wrapped where it is too wide."""
    cells = [[writer.column(c) for c in block.columns]]
    cells += [[writer.slot(cell) for cell in row] for row in block.rows]
    widths = [max(map(columns, column)) for column in zip(*cells, strict=True)]
    margin = sum(widths[:-1]) + 2 * len(widths)
    room = max(NARROWEST // 2, writer.style.limit - margin)
    lines = []
    for *heads, last in cells:
        left = (padded(cell, wide) for cell, wide in zip(heads, widths, strict=False))
        first, *rest = filled(last, room).split("\n")
        lines.append("  " + "  ".join((*left, first)).rstrip())
        lines += [" " * margin + line for line in rest]
    return "\n".join(lines)
