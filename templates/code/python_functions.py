"""Functions that generated code takes from here when it uses them.

Where `math` raises, these give what IEEE 754 says: an infinity, 0 or NaN.
"""

import math
from collections.abc import Sequence
from operator import add, mul

Row = list[float]


def add_outer(total: list[Row], u: Sequence[float], v: Sequence[float]) -> None:
    """Add each number of u, times each of v, to a total; a 0 of u adds nothing."""
    for row, u_i in zip(total, u, strict=True):
        if u_i:
            row[:] = [s + u_i * v_j for s, v_j in zip(row, v, strict=True)]


def add_row(total: Row, values: Sequence[float]) -> None:
    """Add a row to a total."""
    total[:] = map(add, total, values)


def cos(z: float) -> float:
    """Return the cosine."""
    return math.cos(z) if math.isfinite(z) else math.nan


def cosh(z: float) -> float:
    """Return the hyperbolic cosine, which is infinite where it overflows."""
    try:
        return math.cosh(z)
    except OverflowError:
        return math.inf


def divide(u: float, v: float) -> float:
    """Return u / v, which is infinite or NaN where v is 0."""
    if v:
        return u / v
    return math.copysign(math.inf, u) * math.copysign(1, v) if u else math.nan


def dot(u: Sequence[float], v: Sequence[float]) -> float:
    """Return the sum of the products."""
    total: float = sum(map(mul, u, v))
    return total


def exp(z: float) -> float:
    """Return e^z, which is infinite where it overflows."""
    try:
        return math.exp(z)
    except OverflowError:
        return math.inf


def expm1(z: float) -> float:
    """Return e^z - 1, which is infinite where it overflows."""
    try:
        return math.expm1(z)
    except OverflowError:
        return math.inf


def log(u: float) -> float:
    """Return the logarithm, which is -inf at 0, and NaN below."""
    if u > 0:
        return math.log(u)
    return math.nan if u else -math.inf


def log1p(u: float) -> float:
    """Return log(1 + u), which is -inf at -1, and NaN below."""
    if u > -1:
        return math.log1p(u)
    return -math.inf if u == -1 else math.nan


def log_softmax(z: Sequence[float]) -> list[float]:
    """Return the logarithm of the softmax of a row."""
    top = max(z)
    total = math.log(sum([math.exp(z_i - top) for z_i in z]))
    return [z_i - top - total for z_i in z]


def power(u: float, exponent: float) -> float:
    """Return a power: infinite where it overflows, and NaN where it is not real."""
    try:
        return math.pow(u, exponent)
    except OverflowError:
        return -math.inf if u < 0 and exponent % 2 == 1 else math.inf
    except ValueError:
        return math.nan if u else math.inf


def sigmoid(z: float) -> float:
    """Return 1 / (1 + exp(-z)); it is 0 where exp(-z) overflows."""
    return 0.0 if z < -709.0 else 1.0 / (1.0 + math.exp(-z))


def sign(u: float) -> float:
    """Return 1, 0 or -1."""
    return u / abs(u) if u else 0.0


def sin(z: float) -> float:
    """Return the sine."""
    return math.sin(z) if math.isfinite(z) else math.nan


def sinh(z: float) -> float:
    """Return the hyperbolic sine, which is infinite where it overflows."""
    try:
        return math.sinh(z)
    except OverflowError:
        return math.copysign(math.inf, z)


def softmax(z: Sequence[float]) -> list[float]:
    """Return the softmax of a row."""
    top = max(z)
    exps = [math.exp(z_i - top) for z_i in z]
    total = sum(exps)
    return [e / total for e in exps]


def softplus(z: float) -> float:
    """Return log(1 + exp(z))."""
    return max(z, 0.0) + math.log1p(math.exp(-abs(z)))


def sqrt(u: float) -> float:
    """Return the square root, which is NaN below 0."""
    return math.nan if u < 0 else math.sqrt(u)


def xlogy(x: float, y: float) -> float:
    """Return x log(y), and 0 where x is 0."""
    if not x:
        return 0.0
    if y > 0:
        return x * math.log(y)
    return math.nan if y else -x * math.inf
