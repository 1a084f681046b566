"""Functions that generated code takes from here when it uses them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def erf(z: Array) -> Array:
    """Return the error function.

    Source: W. J. Cody, Rational Chebyshev approximations for the error function,
    Mathematics of Computation 23 (1969).
    """
    u: Array = np.minimum(np.abs(z), 6)
    t = u * u
    p, q = 0.185777706184603153 * t, t.copy()
    for c, d in (
        (3.16112374387056560, 23.6012909523441209),
        (113.864154151050156, 244.024637934444173),
        (377.485237685302021, 1282.61652607737228),
    ):
        p += c
        p *= t
        q += d
        q *= t
    near = u * (p + 3209.37758913846947) / (q + 2844.23683343917062)
    p, q = 2.15311535474403846e-8 * u, u.copy()
    for c, d in (
        (0.564188496988670089, 15.7449261107098347),
        (8.88314979438837594, 117.693950891312499),
        (66.1191906371416295, 537.181101862009858),
        (298.635138197400131, 1621.38957456669019),
        (881.952221241769090, 3290.79923573345963),
        (1712.04761263407058, 4362.61909014324716),
        (2051.07837782607147, 3439.36767414372164),
    ):
        p += c
        p *= u
        q += d
        q *= u
    far = 1 - np.exp(-t) * (p + 1230.33935479799725) / (q + 1230.33935480374942)
    return np.copysign(np.where(u < 0.46875, near, far), z)


def log_softmax(z: Array) -> Array:
    """Return the logarithm of the softmax of each row."""
    columns: Array = z.T.copy()  # of short rows, NumPy sums the columns faster
    columns -= columns.max(axis=0)
    columns -= np.log(np.exp(columns).sum(axis=0))
    return columns.T


def sigmoid(z: Array) -> Array:
    """Return 1 / (1 + exp(-z)), in one array; it is 0 where exp(-z) overflows."""
    a: Array = np.negative(z)
    with np.errstate(over="ignore"):
        np.exp(a, out=a)
    a += 1
    return np.divide(1, a, out=a)


def softmax(z: Array) -> Array:
    """Return the softmax of each row."""
    columns: Array = z.T.copy()  # of short rows, NumPy sums the columns faster
    columns -= columns.max(axis=0)
    np.exp(columns, out=columns)
    columns /= columns.sum(axis=0)
    return columns.T


def softplus(z: Array) -> Array:
    """Return log(1 + exp(z))."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def xlogy(x: Array, y: Array) -> Array:
    """Return x log(y), and 0 where x is 0."""
    return x * np.log(np.where(x == 0, 1, y))
