"""Expressions over intervals: what a function can be at most between two numbers.

In: an expression in one variable. Out: a `Program`, which takes an interval of doubles to one that
holds every value there. Sums, products and quotients are rounded outwards; the functions of the
machine are taken to be right to `ULPS` units in the last place. What is not known is the whole
line, never an error. Must not know: slopes, networks.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Add, Expr, Mul, Pow, Rational, Symbol, log

from bpderive.functions import (
    Abs,
    cosh,
    select,
    sigmoid,
    sign,
    sinh,
    softplus,
    tanh,
    xlogy,
)

Interval = tuple[float, float]
INF = math.inf
LINE: Interval = (-INF, INF)
ULPS = 4


def outward(lo: float, hi: float, ulps: int = 1) -> Interval:
    """The interval, wider by so many units in the last place on either side."""
    if math.isnan(lo) or math.isnan(hi):
        return LINE
    for _ in range(ulps):
        lo, hi = math.nextafter(lo, -INF), math.nextafter(hi, INF)
    return lo, hi


def add(a: Interval, b: Interval) -> Interval:
    """`a + b`."""
    return outward(a[0] + b[0], a[1] + b[1])


def multiply(a: Interval, b: Interval) -> Interval:
    """`a b`; 0 times infinity is 0, because no value is infinite."""
    products = [0.0 if 0 in (u, v) else u * v for u in a for v in b]
    return outward(min(products), max(products))


def hull(a: Interval, b: Interval) -> Interval:
    """The smallest interval that holds both."""
    return min(a[0], b[0]), max(a[1], b[1])


def absolute(a: Interval) -> Interval:
    """`|a|`."""
    low = 0.0 if a[0] <= 0 <= a[1] else min(abs(a[0]), abs(a[1]))
    return low, max(abs(a[0]), abs(a[1]))


def monotone(function: Callable[[float], float], lowest: float, highest: float) -> Any:
    """An increasing function, its values kept within its range."""

    def over(a: Interval) -> Interval:
        lo, hi = outward(_value(function, a[0]), _value(function, a[1]), ULPS)
        return max(lo, lowest), min(hi, highest)

    return over


def _value(function: Callable[[float], float], at: float) -> float:
    try:
        return function(at)
    except OverflowError:
        return math.copysign(INF, at)
    except ValueError:
        return math.nan


def logistic(u: float) -> float:
    """`1/(1 + exp(-u))`."""
    return 1 / (1 + math.exp(-u)) if u > 0 else math.exp(u) / (1 + math.exp(u))


def soft(u: float) -> float:
    """`log(1 + exp(u))`."""
    return max(u, 0.0) + math.log1p(math.exp(-abs(u)))


def _log(a: Interval) -> Interval:
    if a[0] < 0:
        return LINE
    low = -INF if a[0] == 0 else math.log(a[0])
    return outward(low, -INF if a[1] == 0 else math.log(a[1]), ULPS)


def _cosh(a: Interval) -> Interval:
    low, high = (_value(math.cosh, end) for end in absolute(a))
    return outward(low, high, ULPS)


def _wave(function: Callable[[float], float]) -> Callable[[Interval], Interval]:
    """Sine and cosine change no faster than their argument."""

    def over(a: Interval) -> Interval:
        middle, radius = (a[0] + a[1]) / 2, (a[1] - a[0]) / 2
        if not radius < 2:
            return -1.0, 1.0
        value = function(middle)
        reach = max(a[1] - middle, middle - a[0])
        slack = math.nextafter(math.nextafter(reach, INF) + ULPS * math.ulp(value), INF)
        lo, hi = outward(value - slack, value + slack)
        return max(lo, -1.0), min(hi, 1.0)

    return over


def _sign(a: Interval) -> Interval:
    return float(a[0] > 0) - float(a[0] < 0), float(a[1] > 0) - float(a[1] < 0)


def _select(u: Interval, p: Interval, q: Interval) -> Interval:
    if u[0] > 0:
        return p
    return q if u[1] <= 0 else hull(p, q)


FUNCTIONS: Mapping[type[Expr], Callable[..., Interval]] = {
    sympy.exp: monotone(math.exp, 0.0, INF),
    log: _log,
    tanh: monotone(math.tanh, -1.0, 1.0),
    sinh: monotone(math.sinh, -INF, INF),
    cosh: _cosh,
    sympy.erf: monotone(math.erf, -1.0, 1.0),
    sigmoid: monotone(logistic, 0.0, 1.0),
    softplus: monotone(soft, 0.0, INF),
    sympy.sin: _wave(math.sin),
    sympy.cos: _wave(math.cos),
    Abs: absolute,
    sign: _sign,
    select: _select,
    xlogy: lambda x, y: multiply(x, _log(y)),
}


def reciprocal(a: Interval) -> Interval:
    """`1/a`."""
    if a[0] <= 0 <= a[1]:
        return LINE
    return outward(1 / a[1], 1 / a[0])


def power(a: Interval, exponent: sympy.Rational) -> Interval:
    """`a^n`; a root of what may be negative is not known."""
    if exponent.is_negative:
        return reciprocal(power(a, -exponent))
    n = float(exponent)
    if exponent.is_Integer:
        low, high = absolute(a) if exponent % 2 == 0 else a
        n = int(exponent)
    elif a[0] < 0:
        return LINE
    else:
        low, high = a
    return outward(_raised(low, n), _raised(high, n), ULPS)


def _raised(base: float, n: float) -> float:
    try:
        return math.pow(base, n)
    except OverflowError:
        return math.copysign(INF, base)


def constant(number: Expr) -> Interval:
    """A number that is a double, else the doubles around it."""
    value = float(number) if number.is_Rational else float(number.evalf(20))
    exact = number.is_Rational and Rational(value) == number
    return (value, value) if exact else outward(value, value)


@dataclass(frozen=True)
class Program:
    """Every subexpression once, after those that it needs: an operation and where its inputs are.

    The first slot is the variable.
    """

    start: tuple[Interval, ...]
    steps: tuple[tuple[int, Callable[..., Interval], tuple[int, ...]], ...]
    last: int

    def __call__(self, box: Interval) -> Interval:
        """An interval that holds every value over the box."""
        values = [box, *self.start[1:]]
        for at, operation, inputs in self.steps:
            values[at] = operation(*[values[k] for k in inputs])
        return values[self.last]


def program(expr: Expr, x: Symbol) -> Program:
    """The program of an expression in one variable.

    Raises:
        KeyError: a function that has no interval form.
    """
    slots: dict[Expr, int] = {x: 0}
    start: list[Interval] = [LINE]
    steps: list[tuple[int, Callable[..., Interval], tuple[int, ...]]] = []

    def visit(node: Expr) -> int:
        if node in slots:
            return slots[node]
        if x not in node.free_symbols:
            start.append(constant(node))
        else:
            operation, args = _operation(node)
            inputs = tuple(map(visit, args))
            start.append(LINE)
            steps.append((len(start) - 1, operation, inputs))
        slots[node] = len(start) - 1
        return slots[node]

    last = visit(expr)
    return Program(tuple(start), tuple(steps), last)


def _operation(node: Expr) -> tuple[Callable[..., Interval], tuple[Expr, ...]]:
    if isinstance(node, Pow) and node.exp.is_Rational:
        return (lambda a, n=node.exp: power(a, n)), (node.base,)
    if isinstance(node, Pow):
        return FUNCTIONS[sympy.exp], (node.exp * log(node.base),)
    if isinstance(node, Add | Mul):
        operation = add if isinstance(node, Add) else multiply
        return (lambda *values: _folded(operation, values)), node.args
    return FUNCTIONS[node.func], node.args


def _folded(
    operation: Callable[[Interval, Interval], Interval], values: tuple[Interval, ...]
) -> Interval:
    result = values[0]
    for value in values[1:]:
        result = operation(result, value)
    return result
