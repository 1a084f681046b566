"""Markdown with mathematics, in the flavors of GitHub, Pandoc and MyST.

No single form of displayed mathematics works everywhere, so the flavor is a row of `FLAVORS`.
"""

import base64
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from typing import Any

from bpderive.document.blocks import Beside, Document, Figure, Row
from bpderive.errors import SpecError, quoted, suggest
from bpderive.notation import Notation
from bpderive.render.latex import aligned, calculated, conditioned, math, tag, text_in_math
from bpderive.render.latex_math import HexMath
from bpderive.render.printer import Printer
from bpderive.render.writer import Style, Writer
from bpderive.wording import Wording

SPECIAL = str.maketrans({c: f"\\{c}" for c in r"\`*_{}[]<>#|$~"})


def escape(text: str) -> str:
    """Text that Markdown prints as it stands."""
    return text.translate(SPECIAL)


@dataclass(frozen=True)
class Flavor:
    """How one reader of Markdown wants its mathematics, and whether it may have colours.

    Pandoc takes one text to LaTeX and to KaTeX, which name colours in different ways.
    """

    inline: Callable[[str], str]
    display: Callable[[str], str]
    colours: bool = True


FLAVORS: Mapping[str, Flavor] = {
    "github": Flavor(lambda math: f"$`{math}`$", lambda math: f"```math\n{math}\n```"),
    "pandoc": Flavor(lambda math: f"${math}$", lambda math: f"$$\n{math}\n$$", colours=False),
    "myst": Flavor(lambda math: f"${math}$", lambda math: f"```{{math}}\n{math}\n```"),
}


@lru_cache(16)
def _coloured(notation: Notation) -> Printer:
    """The printer of coloured mathematics: one, because it remembers what it printed."""
    return HexMath(notation).in_colour


class MarkdownWriter(Writer):
    """Names colours by their numbers."""

    def tinted(self) -> Writer:
        return replace(self, printer=_coloured(self.printer.notation))


class PlainWriter(Writer):
    """Leaves colours out."""

    def tinted(self) -> Writer:
        return self


def helpers(
    notation: Notation,
    wording: Wording,
    *,
    flavor: str = "github",
    stem: str = "derivation",
    inline: bool = False,
) -> Mapping[str, Any]:
    """What the template calls; figures are files named after `stem`, or `inline` in the page.

    Raises:
        SpecError: an unknown flavor.
    """
    if flavor not in FLAVORS:
        raise SpecError.single(
            f"unknown flavor {quoted(flavor)}{suggest(flavor, FLAVORS)}",
            accepted=", ".join(FLAVORS),
        )
    row = FLAVORS[flavor]
    style = Style(escape, row.inline, text_in_math, lambda text: rf"\text{{{text}}}", 84, typed)
    kind = MarkdownWriter if row.colours else PlainWriter
    writer = kind(math(notation), wording, style)
    return {
        **writer.helpers,
        "display": row.display,
        "equations": lambda rows: "\n\n".join(row.display(m) for m in displays(writer, rows)),
        **writer.table_helpers(" | "),
        "marks": lambda columns: "|".join(" --- " for _ in columns),
        "indent": textwrap.indent,
        "calculation": lambda rows: calculated(writer, rows),
        "fence": fence,
        "figure": lambda block: figure(writer, block, stem, inline=inline),
    }


def typed(text: str) -> str:
    """What one types, between backticks: more of them than it holds."""
    marks = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    return f"{marks}{text}{marks}"


def displays(writer: Writer, rows: tuple[Row, ...]) -> Iterator[str]:
    """One display for each numbered row; others that follow each other stand aligned in one."""
    for numbered, group in groupby(rows, key=lambda row: row.number is not None):
        several = tuple(group)
        if numbered or len(several) == 1:
            yield from (_single(writer, row) for row in several)
        else:
            yield f"\\begin{{aligned}}\n{aligned(writer, several)}\n\\end{{aligned}}"


def _single(writer: Writer, row: Row) -> str:
    lines, words = conditioned(writer, row)
    condition = rf"\qquad {words}" if words else ""
    lhs = f"{writer.math(row.lhs)} " if row.lhs else ""
    body = f"{lhs}= {lines[0]}" if lhs else lines[0]
    if len(lines) > 1:
        rest = " \\\\\n&\\quad ".join(lines)
        body = f"\\begin{{aligned}}\n{lhs}&= {rest}\n\\end{{aligned}}"
    return f"{body}{condition}{tag(writer, row)}"


def fence(language: str, text: str) -> str:
    """A program text between fences that it does not hold itself."""
    marks = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{marks}{language}\n{text.rstrip()}\n{marks}"


def figure(writer: Writer, block: Figure | Beside, stem: str, *, inline: bool) -> str:
    """A picture as a link to its file, or within the page."""
    from bpderive.render import svg  # pages without figures do without it

    alternative = escape(svg.told(block.alternative, writer.printer.notation, writer.wording))
    if not inline:
        return f"![{alternative}]({stem}-{block.id}.svg)"
    picture = svg.picture(block, writer.printer.notation, writer.wording)
    data = base64.b64encode(picture.encode()).decode()
    return f"![{alternative}](data:image/svg+xml;base64,{data})"


def pictures(
    document: Document,
    notation: Notation,
    wording: Wording,
    *,
    stem: str = "derivation",
    inline: bool = False,
    **_: Any,
) -> Mapping[str, str]:
    """The figures as files, by their names."""
    from bpderive.render import svg

    if inline:
        return {}
    return {
        f"{stem}-{block.id}.svg": svg.picture(block, notation, wording)
        for section in document.sections
        for block in section.blocks
        if isinstance(block, Figure | Beside)
    }
