"""Typst: an article whose every formula can be read aloud.

In: blocks, a `Writer` of Typst and one of spoken words. Out: what goes between the marks that the
templates write. Text stands in markup (`escape`) or in quotes (`string`); a formula is a call of
`m`, with its words. Must not know: which document it is.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bpderive.document.blocks import (
    LARGE,
    Beside,
    Cell,
    Chain,
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
from bpderive.document.mathematics import Entries, Math, Named, Plain, Shape
from bpderive.notation import Notation
from bpderive.render.colours import COLOURS
from bpderive.render.guests import guest
from bpderive.render.latex import BESIDE, FULL, LONG
from bpderive.render.spoken_math import SpokenMath
from bpderive.render.typst_math import TypstMath
from bpderive.render.writer import Style, Writer
from bpderive.wording import Wording

SPECIAL = re.compile(r"[\\`*_#$<>@\[\]~/=+]|-(?=[?0-9 ]|$)|\.(?=\.)|(?<=^)\d+\.")
"""What means something in markup, and what does at the start of a line."""
JOINER = "\u2060"
"""Between two hyphens, which the font would join to a dash."""
TOLD = (Words, Listed, Plain, Named, Command)
"""What is no formula in a sentence."""
DISPLAYED = frozenset(("equations", "chain", "calculation", "listing", "table"))
"""Kinds of blocks that the paragraph before them speaks of."""
QUOTED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\t": r"\t", "\r": r"\r"})
MANY = 4
"""From this many short equations on, they stand side by side."""
SIGNS = ("+", "-", "−")
HEAD = 10
"""Up to this width, the left side of a chain stands on the line of its first step."""
UNBROKEN = 40
"""Up to so many characters, a command stands on one line."""
LIMIT = 84
"""The width in characters from which an equation is broken."""


def escape(text: str) -> str:
    """Text that Typst's markup prints as it stands."""
    plain = " ".join(text.splitlines())
    return SPECIAL.sub(lambda match: _behind(match.group()), plain).replace("--", f"-{JOINER}-")


def _behind(sign: str) -> str:
    return rf"{sign[:-1]}\." if sign[:-1].isdigit() else rf"\{sign}"


def string(text: str) -> str:
    """A text in quotes."""
    return f'"{text.translate(QUOTED)}"'


def typed(text: str) -> str:
    """What one types; it is copied as it stands, and a short one is not broken."""
    raw = f"raw({string(text)})"
    return f"#box({raw});" if len(text) <= UNBROKEN else f"#{raw};"


STYLE = Style(escape, lambda math: f"${math}$", string, string, LIMIT, typed)
ALOUD = Style(escape=str, inline=str, text=str, plain=str, limit=10**6)


class Speaker(Writer):
    """Says what a document holds."""

    def math(self, value: Math) -> str:
        return self.shape(value) if isinstance(value, Shape) else super().math(value)

    def shape(self, value: Shape) -> str:
        by = "".join(literal for literal, _ in self.wording.pieces("spoken.by")).join("  ")
        return by.join(self.printer.expr(size) for size in value.sizes) or "1"

    def listing(self, block: Listing, before: str, after: str) -> str:
        return super().listing(block, before, after).replace(" = ", f" {self.equals} ")

    def row(self, row: Row) -> str:
        """`lhs equals rhs`, and for which layers."""
        condition = f", {self.words_in_math(row.condition)}" if row.condition else ""
        lhs = f"{self.math(row.lhs)} {self.equals} " if row.lhs else ""
        return f"{lhs}{self.math(row.rhs)}{condition}"

    def working(self, row: Working) -> str:
        """`lhs equals part equals part`."""
        lines = self.calculation(row, LIMIT)
        return " ".join([self.math(row.lhs), *(part for line in lines for part in line if part)])

    @property
    def equals(self) -> str:
        return self.printer.relations["="]


@dataclass(frozen=True)
class TypstWriter(Writer):
    """Prints the parts of blocks in Typst, each formula with its words."""

    speaker: Speaker

    def slot(self, value: Cell) -> str:
        if isinstance(value, TOLD):
            return super().slot(value)
        return self.said("m", self.in_line(value), self.speaker.math(value))

    def said(self, mark: str, math: str, words: str) -> str:
        """A formula as the head of the file has it: `m`, `tm` or `dm`."""
        return f"#{mark}({string(words)},${math}$);"

    def display(self, value: Math) -> str:
        """A formula set as large as one that stands alone."""
        return self.said("dm", self.math(value), self.speaker.math(value))

    def tag(self, number: Number | None) -> str:
        """An equation's number, in parentheses."""
        if number is None:
            return "none"
        text = self.number(number)
        if not number.slope:
            return f"[({text})]"
        return f"[({self.said('m', text, self.speaker.number(number))})]"

    def equations(self, rows: Sequence[Row]) -> str:
        """Rows, many short ones of them side by side."""
        lines = [self._row(row) for row in rows]
        return _called("rows", [f"columns: {self.side_by_side(rows)}", *lines])

    def side_by_side(self, rows: Sequence[Row]) -> int:
        """How many short equations without numbers fit on a line."""
        plain = all(row.number is None and row.condition is None and row.lhs for row in rows)
        if not plain or len(rows) < MANY:
            return 1
        width = self.printer.width
        widest = max(width(f"{self.math(r.lhs)} = {self.math(r.rhs)}") for r in rows if r.lhs)
        return max(1, min(3, len(rows) // 2, self.style.limit // (widest + 8)))

    def _row(self, row: Row) -> str:
        first, *rest = self.rhs_lines(row)
        lines = [f"= {first}" if row.lhs else first, *map(_continued, rest)]
        condition = f"${self.words_in_math(row.condition)}$" if row.condition else "none"
        lhs = self.math(row.lhs) if row.lhs else None
        return _line(lhs, lines, self.speaker.row(row), condition, self.tag(row.number))

    def calculations(self, rows: Sequence[Working]) -> str:
        """Calculations with their equality signs one under the other."""
        return _called("rows", [self._working(row) for row in rows])

    def _working(self, row: Working) -> str:
        lhs = self.math(row.lhs)
        parts = self.calculation(row, self.style.limit - self.printer.width(lhs) - 3)
        lines = [f"{sign} {text}" if sign else _continued(text) for sign, text in parts]
        return _line(lhs, lines, self.speaker.working(row), "none", self.tag(row.number))

    def chain(self, block: Chain) -> str:
        """The steps of a chain; a short left side stands on the line of the first."""
        lhs, kept = self.math(block.lhs), held(len(block.links))
        if self.printer.width(lhs) > HEAD:
            steps = [self.step(*one) for one in zip(block.links, kept, strict=True)]
            return "\n".join([f"#start[{self.display(block.lhs)}]", *steps])
        first, *rest = zip(block.links, kept, strict=True)
        steps = [self.step(*first, block.lhs), *(self.step(*one, after=lhs) for one in rest)]
        return "\n".join(steps)

    def step(
        self, link: Link, kept: bool = False, head: Math | None = None, after: str | None = None
    ) -> str:
        """One step of a chain: its reason beside it, or above it where the step is wide.

        It is `kept` on the page of the next; `head` is the left side that it goes on from;
        `after`, that of the step above it.
        """
        lhs = None if head is None else self.math(head)
        room = self.printer.width(lhs or after or "")
        lines = self.lines(link.rhs, BESIDE - room)
        mark = "step" if len(lines) == 1 else "wide"
        lines = lines if mark == "step" else self.lines(link.rhs, FULL - room)
        first, *rest = lines
        said = f"{self.speaker.equals} {self.speaker.math(link.rhs)}"
        said = said if head is None else f"{self.speaker.math(head)} {said}"
        line = _line(lhs, [f"= {first}", *map(_continued, rest)], said)
        below = "" if after is None else f",after: ${after}$"
        held = ",kept: true" if kept else ""
        return f"#{mark}({line},[{self.words(link.reason)}]{below}{held})"

    def in_columns(self, block: Listing) -> str:
        """The lines of a listing, as many side by side as fit."""
        shown, said = (one.listing(block, "", "\v").split("\v") for one in (self, self.speaker))
        lines = [self.said("dm", *line) for line in zip(shown[:-1], said[:-1], strict=True)]
        columns = max(1, self.style.limit // (self.printer.width(shown[-2]) + 8))
        return _called("listed", [f"columns: {columns}", *(f"[{line}]" for line in lines)])

    def spoken(self, words: Words) -> str:
        """A sentence as words alone, in quotes."""
        return string(self.speaker.words(words))

    def cell(self, column: str, value: Cell) -> str:
        """A cell of a table; derivatives are set large."""
        if isinstance(value, TOLD):
            return f"[{self.slot(value)}]"
        mark = "dm" if column in LARGE or isinstance(value, Entries) else "tm"
        return f"[{self.said(mark, self.math(value), self.speaker.math(value))}]"

    def table(self, table: Table) -> str:
        """The heads of the columns, and the cells row by row."""
        heads = ", ".join(f"[{self.column(name)}]" for name in table.columns)
        rows = [
            ", ".join(self.cell(*cell) for cell in zip(table.columns, cells, strict=True))
            for cells in table.rows
        ]
        long = "true" if len(table.rows) > LONG else "false"
        options = [f"columns: {len(table.columns)}", f"long: {long}", f"({heads},)"]
        return _called("ruled", [*options, *rows])


def held(count: int) -> list[bool]:
    """Which of so many steps stay on the page of the next: neither end of a chain is alone."""
    return [k in (0, count - 2) and k < count - 1 for k in range(count)]


def _continued(line: str) -> str:
    """A line that goes on: its first sign stands between two terms, though it begins a line."""
    sign, space, rest = line.partition(" ")
    return f"quad {sign} med {rest}" if sign in SIGNS and space else f"quad {line}"


def _called(name: str, parts: Sequence[str]) -> str:
    """A call over several lines."""
    return f"#{name}(\n  " + ",\n  ".join(parts) + ",\n)"


def _line(
    lhs: str | None, lines: Sequence[str], said: str, condition: str = "none", tag: str = "none"
) -> str:
    """One row: its left side, the lines of its right side, its words, what stands after them."""
    left = "none" if lhs is None else f"${lhs}$"
    right = ", ".join(f"${line}$" for line in lines)
    return f"(l: {left}, r: ({right},), c: {condition}, n: {tag}, a: {string(said)})"


def writer_of(notation: Notation, wording: Wording) -> TypstWriter:
    """The writer of a notation and a language."""
    shown, said = TypstMath(notation), SpokenMath(notation, wording)
    return TypstWriter(shown, wording, STYLE, Speaker(said, wording, ALOUD))


def helpers(notation: Notation, wording: Wording) -> Mapping[str, Any]:
    """What the templates call."""
    writer = writer_of(notation, wording)
    return {
        **writer.helpers,
        "setting": wording.setting,
        "guest_of": lambda document: guest(document, wording.setting),
        "colours": {name: shade.light for name, shade in COLOURS.items()},
        "string": string,
        "spoken": writer.spoken,
        "display": writer.display,
        "lead": lambda words, following: lead(writer, words, following),
        "equations": writer.equations,
        "calculation": writer.calculations,
        "chain": writer.chain,
        "listed": writer.in_columns,
        "table": writer.table,
        "picture": lambda block: picture(writer, block),
    }


def lead(writer: Writer, words: Words, following: str) -> str:
    """A paragraph; one that leads in what follows it stays on its page."""
    text = writer.words(words)
    leads = following in DISPLAYED or text.endswith(writer.wording.setting.colon)
    return f"#lead[{text}]" if leads else text


def picture(writer: TypstWriter, block: Figure | Beside) -> str:
    """A drawing."""
    from bpderive.render import typst_drawing

    return typst_drawing.drawn(block.drawing, writer)
