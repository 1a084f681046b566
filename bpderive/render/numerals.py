"""Numbers in place of quantities: how they are written, and where they stand.

In: an exact or a long number, the digits to print; an expression and numbers by the names of its
quantities. Out: pieces and text. A number has the place of its quantity, so that a calculation
reads in the order of its formula; a negative one has brackets. Must not know: any format.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import TYPE_CHECKING, NamedTuple

from sympy import Expr, Rational, Symbol
from sympy.core.function import AppliedUndef

from bpderive.functions import select, xlogy
from bpderive.index import Partial
from bpderive.render.pieces import ATOM, PRODUCT, Piece
from bpderive.render.syntax import Syntax

if TYPE_CHECKING:
    from bpderive.render.printer import Printer

FULL = 10
"""An exact decimal of at most so many digits is written in full."""
SHORT = 4
"""So many digits a fraction has at most, above and below together."""
LEAST, MOST = -5, 7
"""Powers of ten at which a number is written with one."""


class Numerals(NamedTuple):
    """The numbers of quantities by their names, and the digits to print."""

    values: Mapping[str, Expr]
    digits: int

    def of(self, expr: Expr) -> Expr | None:
        """The number of a symbol, of a named function at one, or of a derivative by one."""
        name = name_of(expr)
        return None if name is None else self.values.get(name)

    def used(self, expr: Expr) -> set[Expr]:
        """The numbers that stand in an expression."""
        own = self.of(expr)
        if own is not None:
            return {own}
        return {number for part in expr.args for number in self.used(part)}


def vanishes(numerals: Numerals, expr: Expr) -> bool:
    """Whether a factor of it is written as 0: `0 · log(0.52)`, which has no sign."""
    factors = expr.args if expr.is_Mul else (expr,)
    heads = (factor.args[0] if isinstance(factor, xlogy) else factor for factor in factors)
    return any(numerals.of(head) == 0 for head in heads)


def name_of(expr: Expr) -> str | None:
    """`w1[1,2]`, `gelu'(z1[1])`, `dw1[1,2]`, a case: what a number is given for."""
    if isinstance(expr, select):
        return str(expr)
    if isinstance(expr, Symbol):
        return str(expr.name)
    if isinstance(expr, Partial) and isinstance(expr.denominator, Symbol):
        return f"d{expr.denominator.name}"
    if isinstance(expr, AppliedUndef) and isinstance(expr.args[0], Symbol):
        return f"{expr.func.__name__}({expr.args[0].name})"
    return None


def is_rounded(number: Expr, digits: int) -> bool:
    """Whether what is written is not the number itself."""
    return _exact(number, digits) is None


def numeral(syntax: "Printer", number: Expr, digits: int) -> Piece:
    """A number, its sign apart."""
    negative, size = bool(number < 0), abs(number)
    exact = _exact(size, digits)
    if isinstance(exact, Rational):
        top, bottom = (Piece(str(part), kind="number") for part in (exact.p, exact.q))
        return syntax.fraction(top, bottom, small=True)._replace(negative=negative)
    decimal = _rounded(size, digits) if exact is None else exact
    return _written(syntax, decimal)._replace(negative=negative)


def written(printer: "Printer", number: Expr, digits: int) -> str:
    """A number: a short decimal or fraction as it is, any other to so many digits."""
    return printer.signed([numeral(printer, number, digits)])


def grid(printer: "Printer", rows: Sequence[Sequence[Expr]], digits: int) -> str:
    """A matrix of numbers."""
    return printer.grid([[written(printer, number, digits) for number in row] for row in rows])


def substituted(printer: "Printer", expr: Expr, numerals: Numerals) -> tuple[str, ...]:
    """The terms of an expression with numbers in place of its quantities, in their order."""
    twin = _twin(printer, numerals)
    return tuple(twin.signs(twin.parts(expr, {})))


def stepped(printer: "Printer", target: Expr, numerals: Numerals) -> tuple[str, ...]:
    """`0.5 − 0.1 · 0.03`: the right-hand side of an update in numbers."""
    twin = _twin(printer, numerals)
    return tuple(twin.signs(twin.step(target, {})))


def _twin(printer: "Printer", numerals: Numerals) -> "Printer":
    twin = copy(printer)
    twin.numerals = numerals
    return twin


def placed(syntax: "Printer", number: Expr, digits: int, like: Piece) -> Piece:
    """A number in the place of a quantity; in brackets where it is negative, or no single sign."""
    found = numeral(syntax, number, digits)
    if found.negative or found.level < ATOM:
        found = syntax.enclosed(found)
    return like._replace(text=found.text, level=ATOM, negative=False, tall=False, open=False)


def _exact(number: Expr, digits: int) -> Decimal | Rational | None:
    """A short decimal or fraction that is the number itself."""
    if not number.is_Rational:
        return None
    top, bottom = int(number.p), int(number.q)
    if 10 ** bottom.bit_length() % bottom == 0:
        decimal = Decimal(top) / Decimal(bottom) if bottom > 1 else Decimal(top)
        count = len(decimal.as_tuple().digits)
        return decimal if count <= max(FULL, digits) and decimal * bottom == top else None
    return Rational(number) if len(f"{abs(top)}{bottom}") <= SHORT else None


def _rounded(number: Expr, digits: int) -> Decimal:
    """The nearest decimal of so many digits, a tie to the even one; its zeros are kept."""
    context = Context(prec=digits, rounding=ROUND_HALF_EVEN)
    if number.is_Rational:
        found = context.divide(Decimal(int(number.p)), Decimal(int(number.q)))
    else:
        found = context.plus(Decimal(str(number)))
    last = found.adjusted() - digits + 1
    return found.quantize(Decimal((0, (1,), last)), context=context) if found else Decimal(0)


def _written(syntax: Syntax, decimal: Decimal) -> Piece:
    """`0.0001234`, or `1.234 × 10⁻⁷`."""
    power = decimal.adjusted()
    if LEAST < power < MOST or not decimal:
        return Piece(syntax.decimal(f"{decimal:f}", cut=False), kind="number")
    front = syntax.decimal(f"{decimal.scaleb(-power):f}", cut=False)
    ten = syntax.power("10", f"{'-' * (power < 0)}{abs(power)}")
    return Piece(f"{front}{syntax.times}{ten}", PRODUCT, kind="number")
