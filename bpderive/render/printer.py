"""Index expressions as printed mathematics: what is printed, and in which order.

In: SymPy expressions of general labels (`w{l}`), concrete ones (`w1`) and scalar symbols named by
reference text (`w1[1,2]`). Out: text, through the methods of `Syntax` that a format implements. A
node that is not in `METHODS` raises. Must not know: words, documents.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any

from sympy import (
    Add,
    Expr,
    Function,
    Indexed,
    KroneckerDelta,
    Mod,
    Mul,
    Pow,
    Rational,
    S,
    Sum,
    Symbol,
    Tuple,
    floor,
)
from sympy.core.numbers import Exp1, Pi

from bpderive.errors import DerivationError
from bpderive.forms.arrays import Node
from bpderive.functions.conditions import bracket, first_largest, fixed, merged
from bpderive.index import Partial
from bpderive.notation import Notation
from bpderive.render import conditions, instances, nodes, positions
from bpderive.render.array_printer import ArrayPrinter
from bpderive.render.breaking import break_lines, width
from bpderive.render.calls import called
from bpderive.render.letters import Scope, scope_of
from bpderive.render.numbers import content_of, inverse, is_constant
from bpderive.render.numerals import numeral, placed, vanishes
from bpderive.render.pieces import Piece, by_reading, flipped, odd, unsigned
from bpderive.render.positions import position
from bpderive.render.products import Products
from bpderive.render.quantities import Quantity, quantity
from bpderive.render.row_printer import RowPrinter
from bpderive.slopes.nodes import at_most, norm, primed

REMEMBERED = 4096
"""So many expressions are printed once, though they stand in several places and formats."""

__all__ = ["Printer", "break_lines", "width"]


class Printer(Products):
    """Prints SymPy's index expressions and array expressions; a format adds the syntax."""

    def __init__(self, notation: Notation) -> None:
        super().__init__(notation)
        self.colours = False
        self._quantities: dict[str, Quantity] = {}
        self._remembered = lru_cache(REMEMBERED)(self._terms_of)

    # --- What callers use ---

    def in_notation(self, notation: Notation) -> "Printer":
        """The same format in another notation."""
        return type(self)(notation)

    @cached_property
    def in_colour(self) -> "Printer":
        """The same format, its quantities in the colours of their roles."""
        twin = self.in_notation(self.notation)
        twin.colours = True
        return twin

    def width(self, text: str) -> int:
        """The width of what it printed, in characters as set on paper."""
        return width(text)

    def broken(self, terms: Sequence[str], room: int) -> list[str]:
        """Terms on lines of this width."""
        return break_lines(terms, room)

    def expr(self, expr: Expr, letters: Scope | None = None) -> str:
        """An expression; `letters` maps free indices to letters, the others get the next ones."""
        return " ".join(self.terms(expr, letters))

    def terms(self, expr: Expr, letters: Scope | None = None) -> tuple[str, ...]:
        """The terms of a sum with their signs, the first without a plus."""
        return self._remembered(expr, None if letters is None else tuple(letters.items()))

    def _terms_of(self, expr: Expr, given: tuple[tuple[Any, str], ...] | None) -> tuple[str, ...]:
        letters = None if given is None else dict(given)
        return tuple(self.signs(self.parts(expr, scope_of(expr, letters, self.notation))))

    def in_line(self, partial: Partial, letters: Scope | None = None) -> str:
        """A derivative with a slash."""
        scope = scope_of(partial, letters, self.notation)
        top, bottom = (f"{self.partial}{self.piece(arg, scope).text}" for arg in partial.args)
        return self.over(top, bottom)

    def product(self, factors: Sequence[Expr], letters: Scope | None = None) -> str:
        """A product whose factors stay in the order given: a chain of derivatives."""
        return self.products((factors,), letters)[0]

    def products(
        self, products: Sequence[Sequence[Expr]], letters: Scope | None = None
    ) -> tuple[str, ...]:
        """A sum of such products, one for each path: its terms with their signs."""
        return tuple(self.signs([self._ordered(factors, letters) for factors in products]))

    def _ordered(self, factors: Sequence[Expr], letters: Scope | None) -> Piece:
        scope = scope_of(Tuple(*factors), letters, self.notation)
        pieces = [self.piece(factor, scope) for factor in factors]
        return self.joined(unsigned(pieces))._replace(negative=odd(pieces))

    def update(self, target: Expr, letters: Scope | None = None) -> str:
        """`w ← w − η ∂L/∂w`."""
        scope = scope_of(target, letters, self.notation)
        old, step = self.step(target, scope)
        return f"{old.text}{self.assign}{self.signed([old, step])}"

    def step(self, target: Expr, scope: Scope) -> list[Piece]:
        """The old value, and what is taken from it."""
        old, slope = self.piece(target, scope), self.piece(Partial(Symbol("L"), target), scope)
        step = self.joined([self.piece(Symbol("eta"), scope), slope._replace(kind="")])
        return [old, flipped(step)]

    def array(
        self, node: Node, names: Mapping[str, Expr | str] | None = None, *, rows: bool = False
    ) -> str:
        """An array expression; `names` gives a layer's labels for the general ones.

        With `rows`, a vector is a row.
        """
        return (RowPrinter if rows else ArrayPrinter)(self, names or {}).text(node)

    def lines(
        self,
        lhs: Expr,
        rhs: Expr,
        indices: Sequence[Symbol],
        sizes: Sequence[int],
        marks: tuple[str, str] = ("", "\n"),
    ) -> list[str]:
        """One equation at every value of its indices, printed once and filled in, in pieces."""
        return instances.lines(self, (lhs, rhs), tuple(indices), tuple(sizes), marks)

    # --- The traversal ---

    def piece(self, expr: Expr, scope: Scope) -> Piece:
        """An expression as a factor: its sign apart, a common number in front.

        Raises:
            DerivationError: at a node that has no printed form.
        """
        found = self._named(expr, scope)
        numerals = self.numerals
        if numerals is None or (number := numerals.of(expr)) is None:
            return found
        return placed(self, number, numerals.digits, found)

    def _named(self, expr: Expr, scope: Scope) -> Piece:
        for kind in type(expr).__mro__:
            method = METHODS.get(kind)
            if method is not None:
                return method(self, expr, scope)
        raise DerivationError(f"no printed form for {type(expr).__name__} in {expr}")

    def parts(self, expr: Expr, scope: Scope) -> list[Piece]:
        """The terms of a sum in reading order, or the expression as a single term."""
        several = expr.is_Add and content_of(expr.args) is S.One
        found = self._terms(expr, S.One, scope) if several else [self.piece(expr, scope)]
        if self.numerals is None or not found[0].negative:
            return found
        nothing = [t for t in (expr.args if several else (expr,)) if vanishes(self.numerals, t)]
        if any(self.piece(term, scope).text == found[0].text for term in nothing):
            found[0] = flipped(found[0])
        return found

    def whole(self, expr: Expr, scope: Scope) -> Piece:
        """An expression that stands alone: between brackets, in a fraction, in an exponent."""
        numerals = self.numerals
        if numerals is not None and (number := numerals.of(expr)) is not None:
            like = self._named(expr, scope)
            found = numeral(self, number, numerals.digits)
            return found._replace(place=like.place, key=like.key)
        return self.collected(self.parts(expr, scope))

    def element(self, label: str, indices: tuple[str, ...]) -> Piece:
        """One element of a tensor, its indices printed already."""
        found = self._quantities.get(label)
        if found is None:
            found = self._quantities[label] = quantity(label, self)
        piece = found.piece(self, indices)
        return self.tinted(piece, label) if self.colours else piece

    def index(self, index: Expr, scope: Scope) -> str:
        """An index: its letter, its number, or what is computed."""
        letter = scope.get(index)
        if letter is not None:
            return self.counter(letter)
        text = position(self, index, scope)
        return text if index.is_Integer else self.computed(text)

    def indexed(self, expr: Indexed, scope: Scope) -> Piece:
        tensor, *indices = expr.args
        label = str(tensor.args[0].name)
        return self.element(label, tuple([self.index(index, scope) for index in indices]))

    def rational(self, number: Rational, _scope: Scope) -> Piece:
        return self.assembled(number)._replace(kind="number")

    def multiplied(self, expr: Expr, scope: Scope) -> Piece:
        """Numbers, constants and factors apart, then put together in textbook order."""
        number, constants = S.One, []
        sides: tuple[list[Piece], list[Piece]] = ([], [])
        for factor in expr.args if expr.is_Mul else (expr,):
            if factor.is_Rational:
                number = number * factor
            elif is_constant(factor) and not factor.is_Add:
                constants.append(factor)
            else:
                divisor = inverse(factor)
                content, piece = self.factored(factor if divisor is None else divisor, scope)
                if content is not S.One:
                    number = number * content if divisor is None else number / content
                sides[divisor is not None].append(piece)
        return self.assembled(number, constants, *sides)

    def factored(self, factor: Expr, scope: Scope) -> tuple[Rational, Piece]:
        """A factor and the number taken out of it."""
        if not factor.is_Add:
            return S.One, self.piece(factor, scope)
        content = content_of(factor.args)
        terms = self._terms(factor, content, scope)
        if all(term.negative for term in terms):
            content, terms = -content, [flipped(term) for term in terms]
        return content, self.collected(terms)

    def _terms(self, expr: Expr, content: Rational, scope: Scope) -> list[Piece]:
        terms = expr.args if content is S.One else [term / content for term in expr.args]
        return by_reading([self.piece(term, scope) for term in terms])


METHODS: Mapping[type, Callable[[Printer, Any, Scope], Piece]] = {
    Indexed: Printer.indexed,
    Symbol: nodes.symbol,
    Rational: Printer.rational,
    Pi: lambda printer, _expr, _scope: Piece(printer.pi),
    Exp1: lambda printer, _expr, _scope: Piece(printer.euler),
    Mul: Printer.multiplied,
    Add: Printer.multiplied,
    Pow: nodes.raised,
    Sum: nodes.summed,
    Partial: nodes.derivative,
    KroneckerDelta: conditions.kronecker,
    bracket: conditions.bounded,
    first_largest: conditions.chosen,
    fixed: conditions.constant,
    merged: positions.several,
    Mod: positions.modulo,
    floor: positions.floored,
    primed: nodes.dashed,
    at_most: nodes.bounded,
    norm: nodes.normed,
    Function: called,
}
