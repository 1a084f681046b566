"""What all formats share: mathematics, words and equations of a document as text.

In: blocks, a printer of mathematics, a `Wording` and a `Style`. Out: strings for the templates.
Must not know: which rules, which layers; a sentence's literal text is escaped here, and nothing
else reaches a template unescaped.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from bpderive.document.blocks import (
    Cell,
    Command,
    Figure,
    Listed,
    Listing,
    Number,
    Row,
    Section,
    Words,
    Working,
)
from bpderive.document.mathematics import (
    Coloured,
    Entries,
    Equality,
    Formula,
    InNotation,
    Layer,
    Math,
    Matrix,
    Named,
    Near,
    Ordered,
    OrderedSum,
    Plain,
    Route,
    Shape,
    Substituted,
    Update,
    Value,
)
from bpderive.index import Partial
from bpderive.notation import load as load_notation
from bpderive.render.letters import all_letters
from bpderive.render.numerals import Numerals, grid, is_rounded, stepped, substituted, written
from bpderive.render.printer import Printer
from bpderive.render.variants import variant
from bpderive.wording import Wording


@dataclass(frozen=True)
class Style:
    """How a format marks text up.

    `inline` sets mathematics in a sentence, `text` sets words in mathematics, `limit` is the
    width in characters from which an equation is broken, `code` sets what one types (like other
    text where there is none).
    """

    escape: Callable[[str], str]
    inline: Callable[[str], str]
    text: Callable[[str], str]
    plain: Callable[[str], str]
    limit: int
    code: Callable[[str], str] | None = None


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
        return self.printer.array(value.node, value.names, rows=value.rows)

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
        power = self.printer.power("10", str(value.exponent))
        return power if value.exact else f"{self.printer.approximately} {power}"

    def plain(self, value: Plain) -> str:
        return self.style.plain(value.text)

    def named(self, value: Named) -> str:
        return self.style.plain(self.wording.called(value.name))

    def layer(self, value: Layer) -> str:
        """A layer's number, as the notation counts."""
        if not value.index.is_Integer:
            return self.printer.expr(value.index)
        return self.printer.layer_number(int(value.index))

    def coloured(self, value: Coloured) -> str:
        """Its quantities in the colours that they have in the figures."""
        return self.tinted().math(value.math)

    def tinted(self) -> "Writer":
        """The same writer, with the colours of the figures."""
        return replace(self, printer=self.printer.in_colour)

    def equality(self, value: Equality) -> str:
        equals = self.printer.relations["="]
        return f"{self.math(value.left)} {equals} {self.math(value.right)}"

    def in_notation(self, value: InNotation) -> str:
        """In the letters of another notation."""
        letters = load_notation(value.notation).fitted(self.printer.notation.setting)
        printer = self.printer.in_notation(letters)
        return replace(self, printer=printer).math(value.math)

    def words(self, words: Words) -> str:
        """A sentence, its mathematics set inline."""
        return "".join(
            self.style.escape(literal) + (self.slot(words.slots[slot]) if slot else "")
            for literal, slot in self.sentence(words.id)
        )

    def sentence(self, key: str) -> Iterator[tuple[str, str | None]]:
        """Literal text, and the slot that follows it, as the sentence reads in the notation."""
        return self.wording.pieces(variant(key, self.printer.notation))

    def slot(self, value: Cell) -> str:
        """What stands in a sentence's slot or a table's cell."""
        if isinstance(value, Words):
            return self.words(value)
        if isinstance(value, Listed):
            between = self.style.escape(self.wording.setting.separator)
            return between.join(self.slot(item) for item in value.items)
        if isinstance(value, Plain):
            return self.style.escape(value.text)
        if isinstance(value, Named):
            return self.style.escape(self.wording.called(value.name))
        if isinstance(value, Command):
            return (self.style.code or self.style.escape)(value.text)
        return self.style.inline(self.in_line(value))

    def in_line(self, value: Math) -> str:
        """Mathematics as it stands in a sentence: long indices would be too small in a fraction."""
        general = self.printer.notation.general
        if general and isinstance(value, Formula) and isinstance(value.expr, Partial):
            return self.printer.in_line(value.expr, self.letters(value))
        return self.math(value)

    def words_in_math(self, words: Words) -> str:
        """A sentence inside mathematics."""
        return "".join(
            (self.style.text(literal) if literal else "")
            + (self.inside(words.slots[slot]) if slot else "")
            for literal, slot in self.sentence(words.id)
        )

    def inside(self, value: Cell) -> str:
        if isinstance(value, Listed):
            between = self.style.text(self.wording.setting.separator)
            return between.join(self.inside(item) for item in value.items)
        if isinstance(value, Command):
            return self.style.plain(value.text)
        return self.words_in_math(value) if isinstance(value, Words) else self.math(value)

    def title(self, section: Section) -> str:
        """A section's title."""
        return self.words(Words(f"section.{section.id}"))

    def caption(self, figure: Figure) -> str:
        """A figure's label and its caption."""
        return self.label(figure) + self.words(figure.caption)

    def label(self, figure: Figure) -> str:
        """`Figure 3. `."""
        return self.words(Words("figure.label", {"number": Plain(str(figure.number))}))

    def substituted(self, value: Substituted) -> str:
        """A formula with numbers in place of its quantities."""
        return " ".join(self.numbers(value))

    def numbers(self, value: Substituted) -> tuple[str, ...]:
        numerals = Numerals(value.values, value.digits)
        if isinstance(value.expr, Update):
            return stepped(self.printer, value.expr.quantity, numerals)
        return substituted(self.printer, value.expr, numerals)

    def value(self, value: Value) -> str:
        return written(self.printer, value.number, value.digits)

    def entries(self, value: Entries) -> str:
        return grid(self.printer, value.rows, value.digits)

    def calculation(self, row: Working, room: int) -> list[tuple[str, str]]:
        """The right-hand sides of `lhs = part = part ≈ part` on as many lines as they need.

        Each line is a relation and what follows it; a line without a relation goes on with a term
        or a factor of the line before.
        """
        lines: list[tuple[str, str]] = []
        relation = self.printer.relations["="]
        for part in row.parts:
            relation = self.printer.approximately if self.rounds(part) else relation
            first, *rest = self.lines(part, room)
            joined = f"{lines[-1][1]} {relation} {first}" if lines else ""
            if joined and not rest and self.printer.width(joined) <= room:
                lines[-1] = (lines[-1][0], joined)
            else:
                lines += [(relation, first), *(("", line) for line in rest)]
        return lines

    def rounds(self, part: Math) -> bool:
        """Whether a number in it is rounded; what follows is then near it, and not equal."""
        if isinstance(part, Value):
            return is_rounded(part.number, part.digits)
        if isinstance(part, Substituted):
            numerals, expr = Numerals(part.values, part.digits), part.expr
            expr = expr.expr if isinstance(expr, Update) else expr
            return any(is_rounded(number, part.digits) for number in numerals.used(expr))
        return False

    def follows(self, line: str) -> bool:
        """Whether a line of a calculation goes on with the line before."""
        return not line.startswith(("= ", f"{self.printer.approximately} "))

    def column(self, name: str) -> str:
        """A table's heading."""
        return self.words(Words(f"table.{name}"))

    def rhs_lines(self, row: Row) -> list[str]:
        """The right-hand side, broken where it is too wide."""
        room = self.style.limit - (self.printer.width(self.math(row.lhs)) + 3 if row.lhs else 0)
        return self.lines(row.rhs, room)

    def lines(self, value: Math, room: int) -> list[str]:
        """Mathematics on as many lines as it needs, broken at its terms."""
        if isinstance(value, Formula):
            return self.printer.broken(self.printer.terms(value.expr, self.letters(value)), room)
        if isinstance(value, Coloured):
            return self.tinted().lines(value.math, room)
        if isinstance(value, Substituted):
            return self.printer.broken(self.numbers(value), room)
        if not isinstance(value, OrderedSum):
            return self.printer.broken((self.math(value),), room)
        terms = self.products(value)
        if sum(map(self.printer.width, terms)) > room:
            return [line for term in terms for line in self.printer.broken((term,), room)]
        return [" ".join(terms)]

    def number(self, number: Number) -> str:
        """An equation's number, without parentheses."""
        if number.slope == 0:
            return str(number.intercept)
        layer, size, minus = self.printer.layer, abs(number.slope), self.printer.minus
        multiple = f"{size if size > 1 else ''}{layer}"
        rest = number.intercept - number.slope * self.printer.notation.input_layer
        if number.slope < 0:
            return f"{rest} {minus} {multiple}"
        if rest == 0:
            return multiple
        return f"{multiple} {minus if rest < 0 else '+'} {abs(rest)}"

    def listing(self, block: Listing, before: str, after: str) -> str:
        """One equation at every value of its indices, each between the same marks."""
        return "".join(self.listed(block, before, after))

    def listed(self, block: Listing, before: str, after: str) -> list[str]:
        """The same in pieces: a long page is put together once."""
        marks = (before, after)
        return self.printer.lines(block.lhs, block.rhs, block.indices, block.sizes, marks)

    @cached_property
    def helpers(self) -> Mapping[str, Callable[..., Any]]:
        """What a template may call."""
        return {
            "math": self.math,
            "words": self.words,
            "title": self.title,
            "listed": self.listed,
            "caption": self.caption,
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
    Named: Writer.named,
    Near: Writer.near,
    Layer: Writer.layer,
    Substituted: Writer.substituted,
    Value: Writer.value,
    Entries: Writer.entries,
    Coloured: Writer.coloured,
    Equality: Writer.equality,
    InNotation: Writer.in_notation,
}
