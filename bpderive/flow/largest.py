"""How large a slope can be: the proved maximum, as a number that never understates it.

In: a row of the catalogue. Out: exact numbers, or None. Must not know: networks, words, how a
maximum was found.
"""

from collections.abc import Mapping

from sympy import Expr, Rational

from bpderive.catalog import Activation
from bpderive.flow.rounding import upward
from bpderive.slopes.extrema import maximal_slope

DIGITS = 7
UP = 6
"""So many digits has a bound that is no short fraction: it is rounded up to them."""
WIDER = Rational(2, 10**10)
"""What was enclosed is known to this share of it."""

JACOBIAN: Mapping[str, Expr] = {"softmax": Rational(1, 4)}
"""The largest size of an element of a Jacobian: `a(1 - a)` and `a b` with a + b <= 1 are at most
one quarter."""


def bound_of(row: Activation) -> Expr | None:
    """The maximal slope: exact where that is short, else rounded up; None where there is none."""
    found = maximal_slope(row)
    if found.value is None:
        return None
    if found.value.is_Rational and len(str(found.value)) < DIGITS:
        return found.value
    return upward(found.value * (1 if found.exact else 1 + WIDER), UP)


def is_reached(row: Activation) -> bool:
    """Whether the bound is the maximal slope itself, and is taken somewhere."""
    if not row.elementwise:
        return False
    found = maximal_slope(row)
    return found.value is not None and found.attained and bound_of(row) == found.value


def largest(row: Activation) -> Expr | None:
    """The largest size of a slope, or of an element of a Jacobian; None: none is known."""
    return bound_of(row) if row.elementwise else JACOBIAN.get(row.name)


def slope_bounds(rows: Mapping[str, Activation]) -> Mapping[str, Expr | None]:
    """By the name of a slope, the most that it can be."""
    return {f"{row.name}'": largest(row) for row in rows.values()}
