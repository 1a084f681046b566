"""Markdown with mathematics, in the flavors of GitHub, Pandoc and MyST.

No single form of displayed mathematics works everywhere, so the flavor is a row of `FLAVORS`.
"""

import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from bpderive.document.blocks import Row
from bpderive.errors import SpecError, quoted, suggest
from bpderive.notation import Notation
from bpderive.render.latex import aligned, math, tag, text_in_math
from bpderive.render.writer import Style, Writer
from bpderive.wording import Wording

SPECIAL = str.maketrans({c: f"\\{c}" for c in r"\`*_{}[]<>#|$~"})


def escape(text: str) -> str:
    """Text that Markdown prints as it stands."""
    return text.translate(SPECIAL)


@dataclass(frozen=True)
class Flavor:
    """How one reader of Markdown wants its mathematics."""

    inline: Callable[[str], str]
    display: Callable[[str], str]


FLAVORS: Mapping[str, Flavor] = {
    "github": Flavor(lambda math: f"$`{math}`$", lambda math: f"```math\n{math}\n```"),
    "pandoc": Flavor(lambda math: f"${math}$", lambda math: f"$$\n{math}\n$$"),
    "myst": Flavor(lambda math: f"${math}$", lambda math: f"```{{math}}\n{math}\n```"),
}


def helpers(notation: Notation, wording: Wording, *, flavor: str = "github") -> Mapping[str, Any]:
    """What the template calls.

    Raises:
        SpecError: an unknown flavor.
    """
    if flavor not in FLAVORS:
        raise SpecError.single(
            f"unknown flavor {quoted(flavor)}{suggest(flavor, FLAVORS)}",
            accepted=", ".join(FLAVORS),
        )
    row = FLAVORS[flavor]
    style = Style(escape, row.inline, text_in_math, lambda text: rf"\text{{{text}}}", 84)
    writer = Writer(math(notation), wording, style)
    return {
        **writer.helpers,
        "display": row.display,
        "equations": lambda rows: "\n\n".join(row.display(m) for m in displays(writer, rows)),
        **writer.table_helpers(" | "),
        "marks": lambda columns: "|".join(" --- " for _ in columns),
        "indent": textwrap.indent,
    }


def displays(writer: Writer, rows: tuple[Row, ...]) -> Iterator[str]:
    """One display for each numbered row; others that follow each other stand aligned in one."""
    for numbered, group in groupby(rows, key=lambda row: row.number is not None):
        several = tuple(group)
        if numbered or len(several) == 1:
            yield from (_single(writer, row) for row in several)
        else:
            yield f"\\begin{{aligned}}\n{aligned(writer, several)}\n\\end{{aligned}}"


def _single(writer: Writer, row: Row) -> str:
    lines = writer.rhs_lines(row)
    condition = rf"\qquad {writer.words_in_math(row.condition)}" if row.condition else ""
    lhs = f"{writer.math(row.lhs)} " if row.lhs else ""
    body = f"{lhs}= {lines[0]}" if lhs else lines[0]
    if len(lines) > 1:
        rest = " \\\\\n&\\quad ".join(lines)
        body = f"\\begin{{aligned}}\n{lhs}&= {rest}\n\\end{{aligned}}"
    return f"{body}{condition}{tag(writer, row)}"
