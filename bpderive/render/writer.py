"""What all formats share: mathematics, words and equations of a document as text.

In: blocks, a printer of mathematics, a `Wording` and a `Style`. Out: strings for the templates.
Must not know: which rules, which layers; a sentence's literal text is escaped here, and nothing
else reaches a template unescaped.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bpderive.document.blocks import (
    Cell,
    Formula,
    Listed,
    Listing,
    Math,
    Matrix,
    Near,
    Number,
    Ordered,
    OrderedSum,
    Plain,
    Route,
    Row,
    Section,
    Shape,
    Update,
    Words,
)
from bpderive.render.letters import all_letters
from bpderive.render.printer import Printer, break_lines, width
from bpderive.wording import Wording


@dataclass(frozen=True)
class Style:
    """How a format marks text up.

    `inline` sets mathematics in a sentence, `text` sets words in mathematics, `limit` is the
    width in characters from which an equation is broken.
    """

    escape: Callable[[str], str]
    inline: Callable[[str], str]
    text: Callable[[str], str]
    plain: Callable[[str], str]
    limit: int


@dataclass(frozen=True)
class Writer:
    """Prints the parts of blocks in one format."""

    printer: Printer
    wording: Wording
    style: Style

    def math(self, value: Math) -> str:
        """Mathematics, without marks around it."""
        return MATH[type(value)](self, value)

    def formula(self, value: Formula) -> str:
        return self.printer.expr(value.expr, self.letters(value))

    def letters(self, value: Formula) -> Mapping[Any, str]:
        """The letters of the free indices."""
        letters = self.printer.notation.letters_for(value.indices, samples=value.samples)
        if value.within is None:
            return letters
        return all_letters(value.within, letters, self.printer.notation)

    def matrix(self, value: Matrix) -> str:
        return self.printer.array(value.node, value.names)

    def ordered(self, value: Ordered) -> str:
        return self.printer.product(value.factors)

    def ordered_sum(self, value: OrderedSum) -> str:
        return " ".join(self.products(value))

    def products(self, value: OrderedSum) -> tuple[str, ...]:
        return self.printer.products([product.factors for product in value.products])

    def route(self, value: Route) -> str:
        return self.printer.arrow.join(self.printer.expr(stop) for stop in value.stops)

    def shape(self, value: Shape) -> str:
        return self.printer.times.join(self.printer.expr(size) for size in value.sizes) or "1"

    def update(self, value: Update) -> str:
        letters = self.printer.notation.letters_for(value.indices, samples=False)
        return self.printer.update(value.quantity, letters)

    def near(self, value: Near) -> str:
        return f"{self.printer.approximately} {self.printer.power('10', str(value.exponent))}"

    def plain(self, value: Plain) -> str:
        return self.style.plain(value.text)

    def words(self, words: Words) -> str:
        """A sentence, its mathematics set inline."""
        return "".join(
            self.style.escape(literal) + (self.slot(words.slots[slot]) if slot else "")
            for literal, slot in self.wording.pieces(words.id)
        )

    def slot(self, value: Cell) -> str:
        """What stands in a sentence's slot or a table's cell."""
        if isinstance(value, Words):
            return self.words(value)
        if isinstance(value, Listed):
            return ", ".join(self.slot(item) for item in value.items)
        if isinstance(value, Plain):
            return self.style.escape(value.text)
        return self.style.inline(self.math(value))

    def words_in_math(self, words: Words) -> str:
        """A sentence inside mathematics."""
        return "".join(
            (self.style.text(literal) if literal else "")
            + (self.inside(words.slots[slot]) if slot else "")
            for literal, slot in self.wording.pieces(words.id)
        )

    def inside(self, value: Cell) -> str:
        if isinstance(value, Listed):
            return ", ".join(self.math(item) for item in value.items)
        return self.words_in_math(value) if isinstance(value, Words) else self.math(value)

    def title(self, section: Section) -> str:
        """A section's title."""
        return self.words(Words(f"section.{section.id}"))

    def column(self, name: str) -> str:
        """A table's heading."""
        return self.words(Words(f"table.{name}"))

    def rhs_lines(self, row: Row) -> list[str]:
        """The right-hand side, broken where it is too wide."""
        room = self.style.limit - (width(self.math(row.lhs)) + 3 if row.lhs else 0)
        return self.lines(row.rhs, room)

    def lines(self, value: Math, room: int) -> list[str]:
        """Mathematics on as many lines as it needs, broken at its terms."""
        if isinstance(value, Formula):
            return break_lines(self.printer.terms(value.expr, self.letters(value)), room)
        if not isinstance(value, OrderedSum):
            return break_lines((self.math(value),), room)
        terms = self.products(value)
        if sum(map(width, terms)) > room:
            return [line for term in terms for line in break_lines((term,), room)]
        return [" ".join(terms)]

    def number(self, number: Number) -> str:
        """An equation's number, without parentheses."""
        if number.slope == 0:
            return str(number.intercept)
        layer, size, minus = self.printer.layer, abs(number.slope), self.printer.minus
        multiple = f"{size if size > 1 else ''}{layer}"
        if number.slope < 0:
            return f"{number.intercept} {minus} {multiple}"
        if number.intercept == 0:
            return multiple
        return f"{multiple} {minus if number.intercept < 0 else '+'} {abs(number.intercept)}"

    def listing(self, block: Listing, before: str, after: str) -> str:
        """One equation at every value of its indices, each between the same marks."""
        lines = self.printer.lines(block.lhs, block.rhs, block.indices, block.sizes)
        return before + (after + before).join(lines) + after

    @cached_property
    def helpers(self) -> Mapping[str, Callable[..., Any]]:
        """What a template may call."""
        return {
            "math": self.math,
            "words": self.words,
            "title": self.title,
            "listing": self.listing,
        }

    def table_helpers(self, separator: str) -> Mapping[str, Callable[..., str]]:
        """What a template calls for the lines of a table."""
        return {
            "heading": lambda columns: separator.join(self.column(name) for name in columns),
            "line": lambda cells: separator.join(self.slot(cell) for cell in cells),
        }


MATH: Mapping[type, Callable[[Writer, Any], str]] = {
    Formula: Writer.formula,
    Matrix: Writer.matrix,
    Ordered: Writer.ordered,
    OrderedSum: Writer.ordered_sum,
    Route: Writer.route,
    Shape: Writer.shape,
    Update: Writer.update,
    Plain: Writer.plain,
    Near: Writer.near,
}
