"""Expressions far out: what a function comes near to as its variable grows, and how near it is.

In: an expression and a number R >= 1. Out: a `Tail`, `f(z) = P(z) + e(z)` for all z >= R, with a
polynomial P and `|e(z)| <= C z^p exp(-q z)`; or None where this arithmetic cannot tell.
Must not know: slopes, networks.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import sympy
from sympy import Add, Expr, Mul, Pow, Symbol

from bpderive.functions import sigmoid, softplus, tanh
from bpderive.slopes.intervals import (
    INF,
    Interval,
    absolute,
    add,
    constant,
    logistic,
    monotone,
    multiply,
    soft,
)

MORE = 1 + 2.0**-40
"""What a bound is multiplied with after every step, for rounding."""
DEGREE = 40
NOTHING: Interval = (0.0, 0.0)


@dataclass(frozen=True)
class Rest:
    """At most `size z^power exp(-rate z)`."""

    size: float = 0.0
    power: float = 0.0
    rate: float = 0.0

    def __add__(self, other: "Rest") -> "Rest":
        if 0 in (self.size, other.size):
            return self if other.size == 0 else other
        power, rate = max(self.power, other.power), min(self.rate, other.rate)
        return Rest((self.size + other.size) * MORE, power, rate)

    def __mul__(self, other: "Rest") -> "Rest":
        size = self.size * other.size * MORE
        return Rest(size, self.power + other.power, self.rate + other.rate) if size else Rest()

    def scaled(self, factor: float) -> "Rest":
        return Rest(self.size * factor * MORE, self.power, self.rate)

    def above(self, r: float) -> float:
        """The largest it can be from r on."""
        if self.size == 0:
            return 0.0
        falls = self.rate * r >= self.power if self.rate > 0 else self.rate == 0 >= self.power
        if not falls:
            return INF
        return float(self.size * r**self.power * math.exp(-self.rate * r) * MORE)


@dataclass(frozen=True)
class Tail:
    """`P(z) + e(z)` for z >= r; `poly` holds the coefficients from the constant one up."""

    poly: tuple[Interval, ...]
    rest: Rest
    r: float

    @property
    def degree(self) -> int:
        return len(self.poly) - 1

    @property
    def lead(self) -> Interval:
        return self.poly[-1]

    @property
    def error(self) -> float:
        """The largest of `|e|`."""
        return self.rest.above(self.r)

    @property
    def grows(self) -> int:
        """1 or -1 where P goes to that infinity, else 0."""
        if self.degree == 0:
            return 0
        return (self.lead[0] > 0) - (self.lead[1] < 0)


def tail(expr: Expr, x: Symbol, r: float) -> Tail | None:
    """The form of an expression far out, or None."""
    try:
        return _tail(expr, x, r)
    except (OverflowError, ZeroDivisionError, _UnknownError):
        return None


class _UnknownError(Exception):
    """This arithmetic cannot tell."""


def _tail(expr: Expr, x: Symbol, r: float) -> Tail:
    if expr == x:
        return Tail((NOTHING, (1.0, 1.0)), Rest(), r)
    if x not in expr.free_symbols:
        return Tail((constant(expr),), Rest(), r)
    if isinstance(expr, Pow):
        return _power(expr, x, r)
    parts = [_tail(arg, x, r) for arg in expr.args]
    if isinstance(expr, Add | Mul):
        joined, join = parts[0], _add if isinstance(expr, Add) else _multiply
        for part in parts[1:]:
            joined = join(joined, part)
        return joined
    if expr.func not in FUNCTIONS:
        raise _UnknownError
    return FUNCTIONS[expr.func](parts[0])


def _made(poly: list[Interval], rest: Rest, r: float) -> Tail:
    while len(poly) > 1 and poly[-1] == NOTHING:
        poly.pop()
    # a leading coefficient that rounding alone keeps from 0 cannot be told from one
    if len(poly) > DEGREE or (len(poly) > 1 and poly[-1][0] <= 0 <= poly[-1][1]):
        raise _UnknownError
    return Tail(tuple(poly), rest, r)


def _add(a: Tail, b: Tail) -> Tail:
    size = max(len(a.poly), len(b.poly))
    padded = ((*t.poly, *[NOTHING] * (size - len(t.poly))) for t in (a, b))
    poly = [_plus(u, v) for u, v in zip(*padded, strict=True)]
    return _made(poly, a.rest + b.rest, a.r)


def _plus(u: Interval, v: Interval) -> Interval:
    """The sum, without rounding where it needs none: opposites cancel, as in `tanh² - 1`."""
    if NOTHING in (u, v):
        return v if u == NOTHING else u
    return (u[0] + v[0],) * 2 if _exact(u, v, Fraction.__add__, u[0] + v[0]) else add(u, v)


def _times(u: Interval, v: Interval) -> Interval:
    if NOTHING in (u, v):
        return NOTHING
    return (u[0] * v[0],) * 2 if _exact(u, v, Fraction.__mul__, u[0] * v[0]) else multiply(u, v)


def _exact(
    u: Interval, v: Interval, operation: Callable[[Fraction, Fraction], Fraction], found: float
) -> bool:
    """Whether two numbers give this one exactly."""
    single = u[0] == u[1] and v[0] == v[1] and math.isfinite(found)
    return single and operation(Fraction(u[0]), Fraction(v[0])) == Fraction(found)


def _multiply(a: Tail, b: Tail) -> Tail:
    rest = _mixed(a, b) + _mixed(b, a) + a.rest * b.rest
    return _made(_product(a.poly, b.poly), rest, a.r)


def _product(a: tuple[Interval, ...], b: tuple[Interval, ...]) -> list[Interval]:
    poly: list[Interval] = [NOTHING] * (len(a) + len(b) - 1)
    for i, u in enumerate(a):
        for j, v in enumerate(b):
            poly[i + j] = _plus(poly[i + j], _times(u, v))
    return poly


def _mixed(a: Tail, b: Tail) -> Rest:
    """The polynomial of one times the rest of the other: `|P(z)| <= (Σ|c|) z^degree`."""
    size = sum(absolute(c)[1] for c in a.poly) * MORE
    return Rest(size, float(a.degree)) * b.rest if size else Rest()


def _power(expr: Expr, x: Symbol, r: float) -> Tail:
    if not expr.exp.is_Rational:
        raise _UnknownError
    base = _tail(expr.base, x, r)
    if expr.exp.is_Integer and expr.exp > 0:
        result = base
        for _ in range(int(expr.exp) - 1):
            result = _multiply(result, base)
        return result
    if not expr.exp.is_negative:
        raise _UnknownError
    if expr.exp.is_Integer and base.grows < 0:
        sign = -1.0 if expr.exp % 2 else 1.0
        return _multiply(_inverse(_turned(base), float(expr.exp)), _number(sign, r))
    return _inverse(base, float(expr.exp))


def _number(value: float, r: float) -> Tail:
    return Tail(((value, value),), Rest(), r)


def _inverse(base: Tail, n: float) -> Tail:
    """`(P + e)^n` for n < 0, where it is positive."""
    low = _least(base)
    if low <= 0:
        raise _UnknownError
    if base.degree:
        return Tail((NOTHING,), Rest(_slowest(base) ** n * MORE, n * base.degree), base.r)
    value = (base.poly[0][1] ** n / MORE, base.poly[0][0] ** n * MORE)
    return Tail((value,), base.rest.scaled(-n * low ** (n - 1)), base.r)


def _shifted(poly: tuple[Interval, ...], r: float) -> list[float]:
    """Lower bounds of the coefficients of `P(r + t)` in t, by Horner's scheme."""
    current, result = list(poly), []
    while current:
        for k in range(len(current) - 2, -1, -1):
            current[k] = add(current[k], multiply((r, r), current[k + 1]))
        result.append(current[0][0])
        current = current[1:]
    return result


def _least(base: Tail) -> float:
    """A lower bound of `P + e` for z >= r."""
    first, *others = _shifted(base.poly, base.r)
    if any(c < 0 for c in others):
        raise _UnknownError
    return first - base.error


def _slowest(base: Tail) -> float:
    """A number c > 0 with `P + e >= c z^degree` for z >= r."""
    c = base.lead[0] / 2
    lower = [*base.poly[:-1], (base.lead[0] - c, base.lead[0] - c)]
    if c <= 0 or _least(Tail(tuple(lower), base.rest, base.r)) < 0:
        raise _UnknownError
    return c


def _decay(u: Tail, k: float, size: float) -> Rest:
    """A bound of `size exp(-k u)`, for u that grows."""
    if u.grows != 1:
        raise _UnknownError
    rate = u.lead[0] if u.degree == 1 else 1.0
    less = [*u.poly]
    less[1] = add(less[1], (-rate, -rate))
    lowest = _shifted(tuple(less), u.r)
    if u.degree > 1 and any(c < 0 for c in lowest[1:]):
        raise _UnknownError
    low = less[0][0] if u.degree == 1 else lowest[0]
    return Rest(size * math.exp(k * (u.error - low)) * MORE, 0.0, k * rate / MORE)


def _turned(u: Tail) -> Tail:
    return Tail(tuple((-hi, -lo) for lo, hi in u.poly), u.rest, u.r)


def _exp(u: Tail) -> Tail:
    if u.degree == 0:
        lo, hi = u.poly[0]
        value = (math.exp(lo) / MORE, math.exp(hi) * MORE)
        return Tail((value,), u.rest.scaled(value[1] * math.exp(u.error)), u.r)
    return Tail((NOTHING,), _decay(_turned(u), 1.0, 1.0), u.r)


@dataclass(frozen=True)
class _Saturating:
    """A function with `|f(u) - high| <= size exp(-k u)` and likewise at the other end."""

    function: Callable[[float], float]
    low: float
    high: float
    k: float
    size: float
    steepest: float
    keeps: bool = False

    def __call__(self, u: Tail) -> Tail:
        if u.degree == 0:
            value = monotone(self.function, self.low, self.high)(u.poly[0])
            return Tail((value,), u.rest.scaled(self.steepest), u.r)
        up = u if u.grows > 0 else _turned(u)
        if _least(up) < 0:
            raise _UnknownError
        rest = _decay(up, self.k, self.size)
        if self.keeps and u.grows > 0:
            return Tail(u.poly, u.rest + rest, u.r)
        end = self.high if u.grows > 0 else self.low
        return Tail(((end, end),), rest, u.r)


def _wave(u: Tail) -> Tail:
    return Tail((NOTHING,), Rest(1.0), u.r)


FUNCTIONS: Mapping[type[Expr], Callable[[Tail], Tail]] = {
    sympy.exp: _exp,
    tanh: _Saturating(math.tanh, -1.0, 1.0, 2.0, 2.0, 1.0),
    sigmoid: _Saturating(logistic, 0.0, 1.0, 1.0, 1.0, 0.25),
    sympy.erf: _Saturating(math.erf, -1.0, 1.0, 1.0, math.exp(0.25), 2 / math.sqrt(math.pi)),
    softplus: _Saturating(soft, 0.0, INF, 1.0, 1.0, 1.0, keeps=True),
    sympy.sin: _wave,
    sympy.cos: _wave,
}
