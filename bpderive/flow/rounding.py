"""Numbers rounded to one side, so that a bound stays a bound.

In: positive numbers. Out: rationals of few digits. Must not know: what is bounded.
"""

from sympy import Expr, Rational, ceiling, floor, log


def upward(value: Expr, digits: int) -> Expr:
    """The next number of so many significant digits that is not smaller; for 0 and above."""
    unit = _unit(value, digits)
    return value if value == 0 else ceiling(_rational(value) / unit) * unit


def downward(value: Expr, digits: int) -> Expr:
    """The next number of so many significant digits that is not larger; for 0 and above."""
    unit = _unit(value, digits)
    return value if value == 0 else floor(_rational(value) / unit) * unit


def _unit(value: Expr, digits: int) -> Expr:
    """One unit in the last of so many digits."""
    power = floor(log(_rational(value), 10).evalf(20)) if value != 0 else 0
    return Rational(10) ** (power + 1 - digits)


def _rational(value: Expr) -> Expr:
    return value if value.is_Rational else Rational(str(value.evalf(30)))
