"""Numbers: read from text without rounding, and worked out from expressions.

In: what a file gives for a number; an expression and numbers for its symbols. Out: a `Rational`, or
a `Float` of 50 digits. Must not know: files, networks.
"""

import re

from sympy import Expr, Float, Integer, Rational, Symbol

from bpderive.errors import SpecError, quoted
from bpderive.example.model import Numbers

CARRIED = 50
"""Digits in computing."""
LONGEST, LARGEST = 40, 10**6
ACCEPTED = f'a number such as 0.25, -2 or "1/3", of at most {LONGEST} characters, up to {LARGEST}'
_PART = r"\+?(-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?)"
_NUMBER = re.compile(rf"{_PART}(?:\s*/\s*{_PART})?")
_BEYOND = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE](-?)\+?[0-9]{4,}")
"""A number whose power of ten is not even read."""
_WORDS = {None: "null", True: "true", False: "false"}


class Literal(str):
    """A decimal number as it stands in a file."""

    __slots__ = ()


def number(value: object) -> Expr:
    """The exact number of an integer, a decimal's text, or a fraction's.

    Raises:
        SpecError: it is none, or out of range.
    """
    text = str(value) if not isinstance(value, bool | list | tuple | dict) else ""
    if text.strip("+-").lower() in ("nan", "inf", "infinity"):
        raise SpecError.single(f"{quoted(text)} is not finite", accepted=ACCEPTED)
    text = text.replace("_", "") if isinstance(value, Literal) else text.strip()
    found = _NUMBER.fullmatch(text) if len(text) <= LONGEST else None
    if found is None:
        raise SpecError.single(f"{shown(value)} {_fault(text)}", accepted=ACCEPTED)
    top, bottom = Rational(found[1]), Rational(found[2] or 1)
    if bottom == 0:
        raise SpecError.single(f"{quoted(value)} divides by 0", accepted=ACCEPTED)
    if abs(top / bottom) > LARGEST:
        raise SpecError.single(f"{quoted(value)} is too large", accepted=ACCEPTED)
    return top / bottom


def shown(value: object) -> str:
    """A value as files write it, in quotes: `"null"`, `"true"`, `"abc"`."""
    return quoted(_WORDS[value] if value is None or isinstance(value, bool) else value)


def _fault(text: str) -> str:
    """Why a text is no number that is taken."""
    if beyond := _BEYOND.fullmatch(text):
        return "is too close to 0" if beyond[1] else "is too large"
    return "is too long" if len(text) > LONGEST and _NUMBER.fullmatch(text) else "is not a number"


class NoValueError(ArithmeticError):
    """An expression has no real value at the numbers given."""


def value_of(expr: Expr, numbers: Numbers) -> Expr:
    """An expression in numbers: exact where it can be, else to `CARRIED` digits.

    Raises:
        NoValueError: it is not real, or not finite.
    """
    found = expr.xreplace({symbol: numbers[symbol.name] for symbol in expr.atoms(Symbol)})
    if found.is_Rational:
        return found
    found = found.evalf(CARRIED)
    if not isinstance(found, Float | Integer) or not found.is_finite:
        raise NoValueError(str(expr))
    return found
