"""Numbers as a textbook writes them: common factors in front, 0.01, 1/√(2π).

In: SymPy numbers and terms. Out: what belongs together. Must not know: any format, letters.
"""

from collections.abc import Sequence
from math import gcd
from typing import NamedTuple

from sympy import Expr, Indexed, Integer, Pow, Rational, S, Sum, Symbol

LONG = 8
"""From this many digits on, zeros in front apart, a decimal is cut."""
SHOWN = 5
"""Digits after the point of one that is cut."""


def coefficient(term: Expr) -> Rational:
    """The number before a term; a number itself."""
    if term.is_Rational:
        return term
    head = term.args[0] if term.is_Mul else term
    return head if head.is_Rational else S.One


def content_of(terms: Sequence[Expr]) -> Rational:
    """What to take out of a sum: `2a − 2y → 2`, `a/2 + 1/2 → 1/2`, but `a + 3/2 → 1`."""
    sizes = [abs(coefficient(term)) for term in terms]
    if all(size is S.One for size in sizes):
        return S.One
    if all(size == sizes[0] for size in sizes):
        return sizes[0]
    return Integer(gcd(*map(int, sizes))) if all(size.is_Integer for size in sizes) else S.One


def decimal(number: Rational) -> tuple[str, bool] | None:
    """The digits of a decimal, and whether more follow; None where a fraction reads better."""
    top, bottom = int(number.p), int(number.q)
    exact = bottom > 5 and bottom % 5 == 0 and 10 ** bottom.bit_length() % bottom == 0
    if bottom == 1 or (not exact and len(f"{top}{bottom}") <= LONG):
        return None
    whole, rest = divmod(top, bottom)
    digits = ""
    while rest and len(digits.lstrip("0")) < LONG:
        digit, rest = divmod(10 * rest, bottom)
        digits += str(digit)
    zeros = len(digits) - len(digits.lstrip("0"))
    return f"{whole}.{digits[: max(SHOWN, zeros + 3)] if rest else digits}", bool(rest)


def is_constant(expr: Expr) -> bool:
    """A number, or a size such as `N` (SymPy's own `is_number` of a sum is slow)."""
    if isinstance(expr, Symbol):
        return expr.name[-1] != "]" and expr.name[0] != "_" and bool(expr.is_integer)
    if isinstance(expr, Indexed | Sum):
        return False
    return all(map(is_constant, expr.args)) if expr.args else bool(expr.is_number)


class Roots(NamedTuple):
    """`number · √(top/bottom)` times the other constants."""

    number: Rational
    top: Expr
    bottom: Expr
    others: tuple[Expr, ...]


def merged_roots(number: Rational, constants: Sequence[Expr]) -> Roots:
    """Square roots of constants under one sign: `√2/(2√π) → 1/√(2π)`, `√2/2 → 1/√2`."""
    top, bottom = S.One, S.One
    others = []
    for constant in constants:
        if isinstance(constant, Pow) and constant.exp == S.Half:
            top = top * constant.base
        elif isinstance(constant, Pow) and constant.exp == -S.Half:
            bottom = bottom * constant.base
        else:
            others.append(constant)
    square = number**2 * top
    if top != 1 and number != 1 and square.is_Rational and square.p == 1:
        return Roots(S.One, S.One, bottom * square.q, tuple(others))
    return Roots(number, top, bottom, tuple(others))


def inverse(factor: Expr) -> Expr | None:
    """What a factor divides by: `1/a² → a²`; None where it multiplies."""
    if not isinstance(factor, Pow) or not factor.exp.is_Rational or not factor.exp.is_negative:
        return None
    return factor.base if factor.exp == -1 else Pow(factor.base, -factor.exp)
