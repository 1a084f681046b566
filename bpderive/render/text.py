"""Unicode text for the terminal."""

import textwrap
from collections.abc import Mapping
from typing import Any

from bpderive.document.blocks import Chain, Row, Table
from bpderive.notation import Notation
from bpderive.render.printer import width as printed_width
from bpderive.render.unicode_math import UnicodeMath
from bpderive.render.writer import Style, Writer
from bpderive.wording import Wording


def _same(text: str) -> str:
    return text


def helpers(notation: Notation, wording: Wording, *, width: int = 88) -> Mapping[str, Any]:
    """What the template calls; `width` is the terminal's."""
    writer = Writer(UnicodeMath(notation), wording, Style(_same, _same, _same, _same, width - 4))
    return {
        **writer.helpers,
        "fill": lambda text: textwrap.fill(
            text, width, initial_indent="  ", subsequent_indent="  "
        ),
        "equations": lambda rows: equations(writer, rows),
        "chain": lambda block: chain(writer, block, width),
        "table": lambda block: table(writer, block),
    }


def equations(writer: Writer, rows: tuple[Row, ...]) -> str:
    """Equations with their equality signs one under the other."""
    sides = [(f"{writer.math(row.lhs)} = " if row.lhs else "", row) for row in rows]
    margin = max(printed_width(lhs) for lhs, _ in sides)
    lines = []
    for lhs, row in sides:
        first, *rest = writer.rhs_lines(row)
        condition = f"   ({writer.words_in_math(row.condition)})" if row.condition else ""
        number = f"   ({writer.number(row.number)})" if row.number else ""
        lines.append(f"  {' ' * (margin - printed_width(lhs))}{lhs}{first}")
        lines += [f"  {' ' * margin}{line}" for line in rest]
        lines[-1] += condition + number
    return "\n".join(lines)


def chain(writer: Writer, block: Chain, width: int) -> str:
    """Each step under the last, with its reason above it."""
    lines = [f"  {writer.math(block.lhs)}"]
    for link in block.links:
        reason = textwrap.fill(
            writer.words(link.reason),
            width,
            initial_indent="      · ",
            subsequent_indent="        ",
        )
        lines += [reason, f"    = {writer.math(link.rhs)}"]
    return "\n".join(lines)


def table(writer: Writer, block: Table) -> str:
    """Columns padded to the same width."""
    cells = [[writer.column(c) for c in block.columns]]
    cells += [[writer.slot(cell) for cell in row] for row in block.rows]
    widths = [max(map(printed_width, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  "
        + "  ".join(
            c + " " * (w - printed_width(c)) for c, w in zip(row, widths, strict=True)
        ).rstrip()
        for row in cells
    )
