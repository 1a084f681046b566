"""Functions that generated code takes from here when it uses them."""

from typing import Any

Array = Any


def _namespace(array: Array) -> Any:
    """Return the array's library; the generated module has a function of this name."""
    return array.__array_namespace__()


def erf(z: Array) -> Array:
    """Return the error function, which the standard lacks.

    Source: W. J. Cody, Rational Chebyshev approximations for the error function,
    Mathematics of Computation 23 (1969).
    """
    xp = _namespace(z)
    u = xp.clip(xp.abs(z), 0, 6)
    t = u * u
    p, q = 0.185777706184603153 * t, t
    for c, d in (
        (3.16112374387056560, 23.6012909523441209),
        (113.864154151050156, 244.024637934444173),
        (377.485237685302021, 1282.61652607737228),
    ):
        p, q = (p + c) * t, (q + d) * t
    near = u * (p + 3209.37758913846947) / (q + 2844.23683343917062)
    p, q = 2.15311535474403846e-8 * u, u
    for c, d in (
        (0.564188496988670089, 15.7449261107098347),
        (8.88314979438837594, 117.693950891312499),
        (66.1191906371416295, 537.181101862009858),
        (298.635138197400131, 1621.38957456669019),
        (881.952221241769090, 3290.79923573345963),
        (1712.04761263407058, 4362.61909014324716),
        (2051.07837782607147, 3439.36767414372164),
    ):
        p, q = (p + c) * u, (q + d) * u
    far = 1 - xp.exp(-t) * (p + 1230.33935479799725) / (q + 1230.33935480374942)
    return xp.copysign(xp.where(u < 0.46875, near, far), z)


def log_softmax(z: Array) -> Array:
    """Return the logarithm of the softmax of each row."""
    xp = _namespace(z)
    shifted = z - row_max(z)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=-1, keepdims=True))


def row_max(z: Array) -> Array:
    """Return the largest element of each row; PyTorch gives its place, too."""
    largest = _namespace(z).max(z, axis=-1, keepdims=True)
    return largest[0] if isinstance(largest, tuple) else largest


def sigmoid(z: Array) -> Array:
    """Return 1 / (1 + exp(-z)), where no exponential overflows."""
    xp = _namespace(z)
    e = xp.exp(-xp.abs(z))
    return xp.where(z > 0, 1, e) / (1 + e)


def softmax(z: Array) -> Array:
    """Return the softmax of each row."""
    xp = _namespace(z)
    e = xp.exp(z - row_max(z))
    return e / xp.sum(e, axis=-1, keepdims=True)


def softplus(z: Array) -> Array:
    """Return log(1 + exp(z))."""
    xp = _namespace(z)
    return xp.clip(z, 0, None) + xp.log1p(xp.exp(-xp.abs(z)))


def xlogy(x: Array, y: Array) -> Array:
    """Return x log(y), and 0 where x is 0."""
    xp = _namespace(x)
    return x * xp.log(xp.where(x == 0, 1, y))
