"""Where an index may be out of range, or no whole number: conditions, and the bounds of loops.

In: positions as expressions of indices, each with the least and the largest value that it takes.
Out: conditions that are not known to hold. Must not know: tensors, statements.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sympy import (
    Add,
    Expr,
    Indexed,
    Integer,
    KroneckerDelta,
    Mod,
    Rational,
    Symbol,
    ceiling,
    floor,
    igcd,
    ilcm,
    oo,
)

from bpderive.functions.conditions import bracket, merged
from bpderive.targets.loops.model import divisible

Ranges = Mapping[Symbol, tuple[Expr, Expr]]
"""The least and the largest value of each index."""


def conditions(index: Expr, low: Expr, high: Expr, ranges: Ranges) -> Iterator[Expr]:
    """What must hold for an index to be a whole number from `low` to `high`."""
    if isinstance(index, Indexed) or isinstance(index - 1, Indexed):  # checked when it is given
        return
    if isinstance(index, merged):
        for part, size in zip(index.parts, index.sizes, strict=True):
            yield from conditions(part, low, size + low - 1, ranges)
        return
    index = index.expand()
    least, most = span(index, ranges)
    if any(not c.is_Integer for c in coefficients(index)):
        below = denominator(index)
        yield divisible((below * index).expand(), below)
    below_fits = bool((least - low).is_nonnegative)
    above_fits = bool((high - most).is_nonnegative)
    if not (below_fits and above_fits):
        yield bracket(-oo if below_fits else low, index, oo if above_fits else high)


def coefficients(expr: Expr) -> tuple[Expr, ...]:
    """The numbers in front of the terms."""
    return tuple(term.as_coeff_Mul()[0] for term in Add.make_args(expr.expand()))


def denominator(expr: Expr) -> Integer:
    """The least common one of all terms."""
    return Integer(ilcm(1, 1, *(Rational(c).q for c in coefficients(expr) if c.is_Rational)))


def span(expr: Expr, ranges: Ranges) -> tuple[Expr, Expr]:
    """The least and the largest value, as far as they are known."""
    low = high = Integer(0)
    for term in Add.make_args(expr.expand()):
        number, rest = term.as_coeff_Mul()
        least, most = _span(rest, ranges)
        ends = (number * least, number * most)
        low, high = low + ends[bool(number < 0)], high + ends[bool(number >= 0)]
    return low, high


def _span(factor: Expr, ranges: Ranges) -> tuple[Expr, Expr]:
    if factor in ranges:
        return ranges[factor]
    if isinstance(factor, Mod):
        return Integer(0), factor.args[1] - 1
    if isinstance(factor, floor):
        least, most = span(factor.args[0], ranges)
        return floor(least), floor(most)
    if factor.free_symbols & set(ranges) or factor.has(Indexed):
        return -oo, oo
    return factor, factor


def plain(condition: Expr) -> Expr:
    """A condition as all its equals are written: whole numbers without a common factor.

    `0 ≤ 2i + 2k - 2 ≤ 6 → 1 ≤ i + k ≤ 4`.
    """
    if isinstance(condition, bracket):
        return _plain_bracket(*condition.args)
    if isinstance(condition, KroneckerDelta | divisible):
        return condition.func(*(arg if arg.has(merged) else arg.expand() for arg in condition.args))
    return condition


def holds(condition: Expr, ranges: Ranges) -> bool:
    """Whether a condition is known to hold."""
    if not isinstance(condition, bracket):
        return bool(condition == 1)
    low, index, high = condition.args
    least, most = span(index, ranges)
    return bool((least - low).is_nonnegative) and bool((high - most).is_nonnegative)


def _plain_bracket(low: Expr, index: Expr, high: Expr) -> Expr:
    if low == -oo and not high.is_number:
        index, high = index - high, Integer(0)
    elif high == oo and not low.is_number:
        index, low = index - low, Integer(0)
    below = denominator(index)
    moved, rest = (below * index).expand().as_coeff_Add()
    factors = coefficients(rest)
    common = Integer(igcd(0, *factors)) if all(f.is_Integer for f in factors) else Integer(1)
    known = all(bound.is_number for bound in (low, high))
    if common == 0 or not known:
        return bracket(low, index, high)
    low = low if low == -oo else ceiling((below * low - moved) / common)
    high = high if high == oo else floor((below * high - moved) / common)
    return bracket(low, (rest / common).expand(), high)


@dataclass(frozen=True)
class Bounds:
    """What conditions say of an index: its bounds, or its value; and those that remain."""

    low: tuple[Expr, ...]
    high: tuple[Expr, ...]
    """The largest values, not what is beyond."""
    value: Expr | None
    rest: tuple[Expr, ...]


def bounds(found: tuple[Expr, ...], index: Symbol) -> Bounds:
    """What conditions say of an index that stands in them with the factor 1 or -1."""
    low, high, value, rest = list[Expr](), list[Expr](), None, list[Expr]()
    for condition in found:
        if isinstance(condition, KroneckerDelta) and value is None:
            value = _solved(condition.args[0] - condition.args[1], index)
            rest += [condition] if value is None else []
        elif isinstance(condition, bracket):
            rest += [] if all(_sided(condition, index, low, high)) else [condition]
        else:
            rest.append(condition)
    if value is None:
        value = next((bound for bound in low if bound in high), None)
    return Bounds(tuple(dict.fromkeys(low)), tuple(dict.fromkeys(high)), value, tuple(rest))


def _sided(condition: Expr, index: Symbol, low: list[Expr], high: list[Expr]) -> Iterator[bool]:
    """Note what each side of a bracket says of an index; false where it cannot be told."""
    least, expr, most = condition.args
    for bound, sides in ((least, (low, high)), (most, (high, low))):
        if bound in (oo, -oo):
            continue
        zero = (expr - bound).expand()
        solved = _solved(zero, index)
        if solved is not None:
            sides[bool(zero.coeff(index) < 0)].append(solved)
        yield solved is not None


def _plain(expr: Expr, index: Symbol) -> bool:
    factor = expr.expand().coeff(index)
    others = (expr - factor * index).expand()
    return factor in (1, -1) and index not in others.free_symbols


def _solved(zero: Expr, index: Symbol) -> Expr | None:
    """The index where an expression is 0."""
    zero = zero.expand()
    if not _plain(zero, index):
        return None
    factor = zero.coeff(index)
    return -((zero - factor * index) / factor).expand()
