"""Products and sums put together from printed pieces: brackets, coefficients, quotients.

In: pieces of factors and terms, numbers. Out: one piece. Must not know: how a factor was printed.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from sympy import Expr, Rational, S

from bpderive.render.numbers import decimal, inverse, merged_roots
from bpderive.render.numerals import Numerals
from bpderive.render.pieces import (
    HADAMARD,
    POWER,
    PRODUCT,
    SUM,
    Piece,
    Place,
    by_role,
    merged,
    odd,
    unsigned,
)
from bpderive.render.syntax import Syntax

FEW = 2
"""Up to this many factors stand above a line with a tensor below."""
ONE = Piece("1", kind="number")


class Products(Syntax):
    """How pieces become a product, for any format."""

    numerals: Numerals | None = None
    """The numbers that stand in place of quantities, where a calculation is printed."""

    @abstractmethod
    def piece(self, expr: Expr, scope: Mapping[Any, str]) -> Piece:
        """An expression as a factor."""

    def collected(self, terms: Sequence[Piece]) -> Piece:
        """Terms as one piece; a single one keeps its sign apart."""
        if len(terms) == 1:
            return terms[0]
        key, tall = next((t.key for t in terms if t.key), ""), any(t.tall for t in terms)
        return Piece(self.signed(terms), SUM, merged(terms), f"{key}~", tall=tall)

    def enclosed(self, piece: Piece) -> Piece:
        """The piece and its sign in brackets."""
        inside = piece._replace(text=self.signed([piece]))
        return piece._replace(text=self.bracketed(inside), negative=False, open=False)

    def joined(self, factors: Sequence[Piece]) -> Piece:
        """Factors side by side, bracketed where need be; their signs are the caller's."""
        if len(factors) == 1:
            return factors[0]
        *heads, last = factors
        shown = [p if p.level >= HADAMARD and not p.open else self._closed(p) for p in heads]
        shown.append(last if last.level >= HADAMARD else self._closed(last))
        text = shown[0].text
        for left, right in pairwise(shown):
            text += self.between(left, right) + right.text
        key, tall = "".join([p.key for p in factors]), any(p.tall for p in factors)
        kind = "sum" if last.kind == "sum" else ""
        return Piece(text, PRODUCT, merged(factors), key, tall=tall, open=last.open, kind=kind)

    def between(self, left: Piece, right: Piece) -> str:
        """What stands between two factors; between numbers, a sign."""
        numbers = left.kind == "number" and right.text[0].isdigit()
        return self.dot if numbers or self.numerals is not None else self.gap(left, right)

    def each_by_each(self, above: Sequence[Piece], below: Sequence[Piece]) -> Piece:
        """`A ⊙ B ⊘ C`: arrays multiplied and divided element by element."""
        if len(above) == 1 and not below:
            return above[0]
        first, *rest = above or [ONE]
        parts = [(self.hadamard, p) for p in rest] + [(self.divided, p) for p in below]
        pieces = [first, *(piece for _, piece in parts)]
        text = self._operand(first, pieces[-1])
        text += "".join([sign + self._operand(piece, pieces[-1]) for sign, piece in parts])
        tall, key = any(p.tall for p in pieces), "".join([p.key for p in pieces])
        return Piece(text, HADAMARD, merged(pieces), key, odd(pieces), tall)

    def _operand(self, piece: Piece, last: Piece) -> str:
        """One side of an elementwise product; what is open may end it bare."""
        bare = piece.level >= POWER or (piece.open and piece is last)
        return piece.text if bare else self.bracketed(piece)

    def _closed(self, piece: Piece) -> Piece:
        return piece._replace(text=self.bracketed(piece))

    def assembled(
        self,
        number: Rational,
        constants: Sequence[Expr] = (),
        above: Sequence[Piece] = (),
        below: Sequence[Piece] = (),
    ) -> Piece:
        """A number, constants and factors above and below a line as a product or a quotient."""
        negative = odd(above) != odd(below)
        tops, under = by_role(unsigned(above)), by_role(unsigned(below))
        if number.is_negative:
            number, negative = -number, not negative
        if number is S.One and tops and not constants and not under:
            return self.joined(tops)._replace(negative=negative)
        head, foot, under = self._coefficient(number, constants, under)
        factors = self._quotient(head + tops, foot + under) if under else None
        factors = factors or [*self._front(head, foot, tops), *tops]
        return self.joined(factors)._replace(negative=negative)

    def _quotient(self, tops: list[Piece], under: list[Piece]) -> list[Piece]:
        """`y/a`; a derivative stands before it, and of many factors those near the input after."""
        before = [p for p in tops if p.place.down and (p.tall or p.kind == "quotient")]
        tops, after = [p for p in tops if p not in before], list[Piece]()
        if len(tops) > FEW:
            lowest = min(p.place.at for p in under)
            after = [p for p in tops if p.kind != "number" and p.place.at < lowest]
            tops = [p for p in tops if p not in after]
        return [*before, self.fraction(self.joined(tops or [ONE]), self.joined(under)), *after]

    def _coefficient(
        self, number: Rational, constants: Sequence[Expr], under: list[Piece]
    ) -> tuple[list[Piece], list[Piece], list[Piece]]:
        """Numbers and constants above and below; a root below is a factor there."""
        number, top, bottom, others = merged_roots(number, constants)
        head, foot = self._digits(number)
        if top != 1:
            inside = self.piece(top / bottom, {})
            head.append(Piece(self.root(inside), POWER, tall=inside.tall))
        elif bottom != 1:
            under = [Piece(self.root(self.piece(bottom, {})), POWER), *under]
        for constant in others:
            divisor = inverse(constant)
            side = head if divisor is None else foot
            found = self.piece(constant if divisor is None else divisor, {})
            side.append(found._replace(place=Place()))
        return head, foot, under

    def _digits(self, number: Rational) -> tuple[list[Piece], list[Piece]]:
        """A number as what stands above and below a line; nothing for a 1."""
        digits = decimal(number)
        if digits is not None:
            return [Piece(self.decimal(digits[0], cut=digits[1]), kind="number")], []
        above, below = (
            [Piece(str(part), kind="number")] if part != 1 else [] for part in (number.p, number.q)
        )
        return above, below

    def _front(self, head: list[Piece], foot: list[Piece], rest: list[Piece]) -> list[Piece]:
        """The coefficient: nothing, factors, or a fraction as high as what follows it."""
        if not foot:
            return head or ([] if rest else [ONE])
        plain = all(piece.kind == "number" for piece in (*head, *foot))
        small = plain and not any(p.tall for p in rest)
        front = self.fraction(self.joined(head or [ONE]), self.joined(foot), small=small)
        return [front._replace(kind="number") if plain and not front.kind else front]
