"""One web page that needs nothing else: mathematics as MathML, figures as SVG, our own small font.

In: blocks, a `Notation` and a `Wording`. Out: what the templates call; every text of a user's or of
a sentence goes through `escape`. Must not know: what is said, in which order.

A page has no lines of a known width, so a long formula stands as several, which the browser packs
into lines like words: first at the terms, and inside a term that is too long at its factors.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

from bpderive.document.blocks import (
    LARGE,
    Beside,
    Cell,
    Command,
    Figure,
    Link,
    Listed,
    Listing,
    Number,
    Row,
    Table,
    Words,
    Working,
)
from bpderive.document.mathematics import Math, Named, Plain
from bpderive.notation import Notation
from bpderive.render import latex
from bpderive.render.breaking import chunks, width
from bpderive.render.colours import COLOURS
from bpderive.render.mathml import mathml
from bpderive.render.mathml_lines import mathml_of
from bpderive.render.writer import Style, Writer
from bpderive.wording import Wording

NARROW = 24
"""Up to this width in characters a formula is never broken."""

BESIDE = 40
"""Up to this width, a step leaves room for its reason beside it."""

SOLID = 34
"""What is wider than this and cannot be broken is given a box that scrolls, on a telephone."""

MANY = 4
"""From this many short equations on, they stand in two columns, where the page has room."""

EM = 0.5
"""The width of a character."""

SIGNS = ("+ ", "- ", "= ", r"\approx ", r"\cdot ", r"\to ")
"""How a part begins that goes on with another."""

TAG = re.compile(r"<[^>]*>")
BRACES = str.maketrans({"\\": "&#92;", "{": "&#123;", "}": "&#125;"})


def in_math(text: str) -> str:
    """Words inside mathematics; their own braces are no braces of LaTeX."""
    return rf"\text{{{escape(text).translate(BRACES)}}}"


def flow(formula: str, *, display: bool = False) -> str:
    """A formula in as many parts as the browser may set on lines of their own."""
    parts = cut(formula)
    if len(parts) == 1:
        style = ' displaystyle="true"' if display else ""
        return f"<math{style}>{_continued(formula)}</math>"
    inside = " ".join(flow(part, display=display) for part in parts)
    return f'<span class="bp-flow">{inside}</span>'


def cut(formula: str) -> list[str]:
    """The parts of a formula that is not narrow."""
    return chunks(formula) if width(formula) > NARROW else [formula]


def is_solid(formula: str) -> bool:
    """Whether a part of it is too wide for a narrow screen and cannot be broken."""
    parts = cut(formula)
    return any(map(is_solid, parts)) if len(parts) > 1 else width(formula) > SOLID


def _continued(formula: str) -> str:
    """The elements of a part; the space before it is that before its sign."""
    found = mathml(formula)
    return found.replace('"infix"', '"infix" lspace="0"', 1) if formula.startswith(SIGNS) else found


def typed(text: str) -> str:
    """What one types."""
    return f"<code>{escape(text)}</code>"


STYLE = Style(escape=escape, inline=flow, text=in_math, plain=in_math, limit=NARROW, code=typed)


class Line(NamedTuple):
    """One equation: both sides, for what it holds, its number; `solid` if it may need to scroll."""

    left: str
    right: str
    condition: str
    number: str
    solid: bool


class Step(NamedTuple):
    """One equality of a chain: its reason stands beside it, or above what is wide."""

    formula: str
    reason: str
    wide: bool
    solid: bool


class Page:
    """Prints the parts of blocks that are more than a sentence."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.numbered: set[str] = set()

    def equations(self, rows: Sequence[Row]) -> list[Line]:
        """Both sides of each row."""
        return [self._line(row.lhs, [("", row.rhs)], row.number, row.condition) for row in rows]

    def calculation(self, rows: Sequence[Working]) -> list[Line]:
        """A calculation with a relation before each of its parts."""
        return [self._line(row.lhs, self._related(row), row.number) for row in rows]

    def _related(self, row: Working) -> Iterator[tuple[str, Math]]:
        """From the first rounded number on, what follows is near it, and not equal."""
        relation = ""
        for part in row.parts:
            relation = self.writer.printer.approximately if self.writer.rounds(part) else relation
            yield relation, part

    def _line(
        self,
        lhs: Math | None,
        parts: Iterable[tuple[str, Math]],
        number: Number | None,
        condition: Words | None = None,
    ) -> Line:
        equal = "= " if lhs is not None else ""
        texts = [f"{f'{sign} ' if sign else equal}{self.writer.math(part)}" for sign, part in parts]
        return Line(
            flow(self.writer.math(lhs), display=True) if lhs is not None else "",
            " ".join(flow(text, display=True) for text in texts),
            self.writer.words(condition) if condition else "",
            self._number(number) if number else "",
            any(map(is_solid, texts)),
        )

    def _number(self, number: Number) -> str:
        """A number that can be linked to; where it stands again, it leads to the first."""
        printed = self.writer.number(number)
        name = f"equation-{number.intercept}" + (f"-{number.slope}" if number.slope else "")
        mark = "" if name in self.numbered else f' id="{name}"'
        self.numbered.add(name)
        shown = f"<math>{mathml(printed)}</math>" if number.slope else printed
        return f'<a class="bp-number"{mark} href="#{name}">({shown})</a>'

    def many(self, rows: Sequence[Row]) -> float:
        """How wide each of many short equations is, in em; 0 where they are long or few."""
        plain = all(row.number is None and row.condition is None and row.lhs for row in rows)
        if not plain or len(rows) < MANY:
            return 0
        math = self.writer.math
        widest = max(width(f"{math(r.lhs)}={math(r.rhs)}") for r in rows if r.lhs)
        return round(EM * widest + 1, 1) if widest <= SOLID else 0

    def steps(self, links: Sequence[Link]) -> list[Step]:
        """The steps of a chain."""
        return [self._step(link) for link in links]

    def _step(self, link: Link) -> Step:
        text = f"= {self.writer.math(link.rhs)}"
        reason = self.writer.words(link.reason)
        return Step(flow(text, display=True), reason, width(text) > BESIDE, is_solid(text))

    def cells(self, table: Table) -> list[list[str]]:
        """The rows of a table; derivatives are set as large as in a display."""
        large = [name in LARGE for name in table.columns]
        return [[self._cell(*pair) for pair in zip(row, large, strict=True)] for row in table.rows]

    def _cell(self, cell: Cell, large: bool) -> str:
        if large and not isinstance(cell, Words | Listed | Plain | Named | Command):
            return flow(self.writer.math(cell), display=True)
        return self.writer.slot(cell)

    def listing(self, block: Listing) -> Iterator[str]:
        """One equation at every value of its indices."""
        for line in self.writer.listing(block, "", "\n").split("\n"):
            if line:
                yield f"<math>{mathml_of(line)}</math>"


def plain(markup: str) -> str:
    """The text of what is marked up, for places that hold nothing else; it stays escaped."""
    return TAG.sub("", markup)


def _figure(block: Figure | Beside, notation: Notation, wording: Wording) -> str:
    """A figure within the page."""
    from bpderive.render import svg  # not every page has figures

    return svg.inline(block, notation, wording)


def helpers(notation: Notation, wording: Wording) -> Mapping[str, Any]:
    """What the templates call."""
    writer = Writer(latex.math(notation), wording, STYLE)
    page = Page(writer)
    return {
        **writer.helpers,
        "language": wording.setting,
        "roles": COLOURS.items(),
        "escape": escape,
        "plain": plain,
        "column": writer.column,
        "display": lambda value: flow(writer.math(value), display=True),
        "equations": page.equations,
        "many": page.many,
        "calculation": page.calculation,
        "steps": page.steps,
        "cells": page.cells,
        "listing": page.listing,
        "figure_name": lambda block: plain(writer.label(block)).rstrip(" .:：。"),
        "figure": lambda block: _figure(block, notation, wording),
        "label": lambda name: writer.words(Words(f"page.{name}")),
    }
