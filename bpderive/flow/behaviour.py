"""An activation in floats: its values, its slope, and their means over normal numbers.

In: a row of the catalogue, elementwise. Out: a `Behaviour`. Must not know: networks.

Nothing overflows: exponentials end at infinity, and where that leaves no number the value comes
from mpmath, whose exponents have no end. Variances are given as decimal logarithms; beyond FAR a
mean is continued as the power of the variance that it has become there.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import mpmath
from sympy import Expr, Pow, Symbol, lambdify, log, oo
from sympy import exp as exponential

from bpderive.catalog import Activation
from bpderive.flow.gaussian import NODES, Real, hermite, mean, panels
from bpderive.functions import number, scalar_symbol, sigmoid, softplus
from bpderive.functions.nodes import NUMERIC
from bpderive.slopes.intervals import logistic, soft
from bpderive.slopes.pieces import pieces

FAR = 100.0
"""The decimal logarithm of the largest variance that is worked with."""
STEP = 10.0
DIGITS = 14
"""Variances that agree to so many digits share their means."""
MPMATH = 50
"""The digits carried where floats do not do."""
ALIKE = 24
"""The nodes in each of two directions, for two correlated numbers."""
Z = scalar_symbol("z")


def _exp(u: float) -> float:
    return math.exp(u) if u < 709 else math.inf


def _log(u: float) -> float:
    if u > 0:
        return math.log(u)
    return -math.inf if u == 0 else math.nan


def _hyperbolic(function: Real, sign: float) -> Real:
    return lambda u: function(u) if abs(u) < 710 else (math.inf if u > 0 else sign * math.inf)


def _sign(u: float) -> float:
    return float(u > 0) - float(u < 0)


FLOATS: Mapping[str, Callable[..., float]] = {
    "exp": _exp,
    "log": _log,
    "sigmoid": logistic,
    "softplus": soft,
    "sinh": _hyperbolic(math.sinh, -1),
    "cosh": _hyperbolic(math.cosh, 1),
    "select": lambda u, p, q: p if u > 0 else q,
    "sign": _sign,
    "xlogy": lambda x, y: x * _log(y) if x else 0.0,
}


def floats(expr: Expr, symbols: tuple[Symbol, ...]) -> Callable[..., float]:
    """An expression of the catalogue's functions as a function of floats; nan where it has none."""
    written = _steady(expr)
    quick = lambdify(symbols, written, modules=[dict(FLOATS), "math"])
    slow = _exact(expr, symbols)

    def value(*at: float) -> float:
        try:
            found = quick(*at)
            if math.isfinite(found):
                return float(found)
        except (ArithmeticError, ValueError, TypeError):
            pass
        return slow(*at)

    return value


def _exact(expr: Expr, symbols: tuple[Symbol, ...]) -> Callable[..., float]:
    """The same with many digits; worked out only where it is needed."""
    own = {function.__name__: value for function, value in NUMERIC.items()}

    @lru_cache(maxsize=1)
    def made() -> Callable[..., Any]:
        found: Callable[..., Any] = lambdify(symbols, expr, modules=[own, "mpmath"])
        return found

    def value(*at: float) -> float:
        with mpmath.workdps(MPMATH):
            try:
                return float(mpmath.mpf(made()(*map(mpmath.mpf, at))))
            except (ArithmeticError, ValueError, TypeError):
                return math.nan

    return value


def _steady(expr: Expr) -> Expr:
    """`log(1 + exp(u)) → softplus(u)` and `1/(1 + exp(u)) → sigmoid(-u)`."""
    found: dict[Expr, Expr] = {}
    for node in expr.atoms(exponential):
        one = 1 + node
        found |= {log(one): softplus(node.args[0]), Pow(one, -1): sigmoid(-node.args[0])}
    return expr.xreplace(found) if found else expr


@dataclass(frozen=True, eq=False)
class Behaviour:
    """`value` and `slope` at a float; `cuts` are the arguments at which the slope may jump.

    `straight` are the slopes to the left and to the right of 0, where it is made of two straight
    lines through 0.
    """

    value: Real
    slope: Real
    cuts: tuple[float, ...]
    straight: tuple[Expr, Expr] | None

    def square(self, power: float) -> float:
        """`log10 E f²`, at the decimal logarithm of the variance of z."""
        return _logarithm(self, "square", round(power, DIGITS))

    def steepness(self, power: float) -> float:
        """`log10 E f'²`."""
        return _logarithm(self, "steepness", round(power, DIGITS))

    def average(self, power: float) -> float:
        """`E f / √(E f²)`, between -1 and 1."""
        return _average(self, round(min(power, FAR), DIGITS))

    def alike(self, power: float, correlation: float) -> tuple[float, float]:
        """`E f(z₁) f(z₂)` by `E f²`, and the same of slopes, for two correlated numbers."""
        return _alike(self, round(min(power, FAR), DIGITS), round(correlation, DIGITS))


def behaviour(row: Activation) -> Behaviour:
    """How an elementwise activation behaves."""
    return _behaviour(row.formula, row)


@lru_cache(maxsize=256)
def _behaviour(_formula: str, row: Activation) -> Behaviour:
    slope = row.slope_expr.xreplace({scalar_symbol("a"): row.definition})
    parts = pieces(row.definition, Z) or ()
    ends = {float(part.hi) for part in (*parts, *(pieces(slope, Z) or ())) if part.hi != oo}
    return Behaviour(
        floats(row.definition, (Z,)), floats(slope, (Z,)), tuple(sorted(ends)), _straight(row)
    )


def _straight(row: Activation) -> tuple[Expr, Expr] | None:
    """The slopes on both sides of 0, where there are two straight lines through it."""
    found = pieces(row.definition, Z) or ()
    if not found or any(part.hi not in (0, oo) for part in found):
        return None
    gains = [part.expr.diff(Z) for part in found]
    lines = zip(gains, found, strict=True)
    if any(not g.is_number or number(part.expr - g * Z) != 0 for g, part in lines):
        return None
    return gains[0], gains[-1]


FUNCTIONS: Mapping[str, Callable[[Behaviour], Real]] = {
    "square": lambda own: lambda z: own.value(z) ** 2,
    "steepness": lambda own: lambda z: own.slope(z) ** 2,
}


@lru_cache(maxsize=16384)
def _logarithm(own: Behaviour, what: str, power: float) -> float:
    if power == -math.inf:
        return _log10(_guarded(FUNCTIONS[what](own))(0.0))
    if own.straight is not None:
        gains = [float(gain) ** 2 for gain in own.straight]
        return _log10(sum(gains) / 2) + (power if what == "square" else 0.0)
    if power > FAR:
        end, before = (_logarithm(own, what, at) for at in (FAR, FAR - STEP))
        return end + (end - before) / STEP * (power - FAR)
    return _log10(mean(_guarded(FUNCTIONS[what](own)), 10**power, own.cuts))


def _guarded(function: Real) -> Real:
    def value(z: float) -> float:
        try:
            return function(z)
        except OverflowError:
            return math.inf

    return value


def _log10(value: float) -> float:
    if value == 0:
        return -math.inf
    return math.log10(value) if value > 0 else math.nan


@lru_cache(maxsize=4096)
def _average(own: Behaviour, power: float) -> float:
    size = own.square(power)
    if not math.isfinite(size):
        return 0.0
    return mean(own.value, 10**power, own.cuts) / math.sqrt(10**size)


@lru_cache(maxsize=4096)
def _alike(own: Behaviour, power: float, correlation: float) -> tuple[float, float]:
    """Two numbers as what they share, and what each has of its own."""
    shared, apart = (math.sqrt(10**power * part) for part in (correlation, 1 - correlation))
    pairs = ((own.value, own.square(power)), (own.slope, own.steepness(power)))
    value, slope = (_part(_shared(one, shared, apart), 10**size) for one, size in pairs)
    return value, slope


def _part(shared: float, whole: float) -> float:
    """What two numbers share of their mean square; nothing where that is 0."""
    return min(shared / whole, 1.0) if whole > 0 else 0.0


def _shared(function: Real, shared: float, apart: float) -> float:
    """`E_s (E_t f(s + t))²`; a smooth function of s, whatever f is, unless all is shared."""
    inner = hermite(NODES) if apart < 1 else panels(round(apart, DIGITS), ())
    outer = hermite(ALIKE)
    means = (math.fsum(w * function(shared * s + apart * t) for t, w in inner) for s, _ in outer)
    return math.fsum(w * m * m for m, (_, w) in zip(means, outer, strict=True))
