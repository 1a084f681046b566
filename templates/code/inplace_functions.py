"""Functions that write where they are told; code in place takes from here those that it uses.

Each is made for a type, with the numbers that it needs as arrays: NumPy converts its own faster.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def _log_softmax(_: np.dtype[Any]) -> Callable[..., None]:
    """Return a function that writes the logarithm of the softmax of each row."""
    copyto, subtract, exp, log = np.copyto, np.subtract, np.exp, np.log
    largest = np.maximum.reduce

    def log_softmax(
        z: Array,
        ones: Array,
        out: Array,
        columns: Array,
        part: Array,
        m: Array,
        s: Array,
    ) -> None:
        copyto(columns, z.T)  # of short rows, NumPy compares the columns faster
        largest(columns, 0, out=m)
        subtract(z, m[:, None], out)
        exp(out, part)
        part.dot(ones, m)
        log(m, s)
        subtract(out, s[:, None], out)

    return log_softmax


def _sigmoid(dtype: np.dtype[Any]) -> Callable[[Array, Array], None]:
    """Return a function that writes 1 / (1 + exp(-z)); exp does not overflow."""
    negative, minimum, exp = np.negative, np.minimum, np.exp
    add, divide, one = np.add, np.divide, np.ones((), dtype)
    most = np.floor(np.log(np.finfo(dtype).max)).astype(dtype)

    def sigmoid(z: Array, out: Array) -> None:
        negative(z, out)
        minimum(out, most, out=out)
        exp(out, out)
        add(out, one, out)
        divide(one, out, out)

    return sigmoid


def _softmax(_: np.dtype[Any]) -> Callable[..., None]:
    """Return a function that writes the softmax of each row."""
    copyto, subtract, exp, divide = np.copyto, np.subtract, np.exp, np.divide
    largest = np.maximum.reduce

    def softmax(z: Array, ones: Array, out: Array, columns: Array, row: Array) -> None:
        column = row[:, None]
        copyto(columns, z.T)  # of short rows, NumPy compares the columns faster
        largest(columns, 0, out=row)
        subtract(z, column, out)
        exp(out, out)
        out.dot(ones, row)
        divide(out, column, out)

    return softmax


def _softplus(dtype: np.dtype[Any]) -> Callable[[Array, Array, Array], None]:
    """Return a function that writes log(1 + exp(z)); exp does not overflow."""
    absolute, negative, exp, log1p = np.absolute, np.negative, np.exp, np.log1p
    maximum, add, zero = np.maximum, np.add, np.zeros((), dtype)

    def softplus(z: Array, out: Array, part: Array) -> None:
        absolute(z, part)
        negative(part, part)
        exp(part, part)
        log1p(part, part)
        maximum(z, zero, out=out)
        add(out, part, out)

    return softplus


def _where(_: np.dtype[Any]) -> Callable[[Array, Array, Array, Array], None]:
    """Return a function that writes p where the mask holds, and q elsewhere."""
    copyto = np.copyto

    def where(mask: Array, p: Array, q: Array, out: Array) -> None:
        copyto(out, q)
        copyto(out, p, where=mask)

    return where


def _xlogy(dtype: np.dtype[Any]) -> Callable[[Array, Array, Array, Array], None]:
    """Return a function that writes x log(y), and 0 where x is 0."""
    copyto, equal, log, multiply = np.copyto, np.equal, np.log, np.multiply
    zero, one = np.zeros((), dtype), np.ones((), dtype)

    def xlogy(x: Array, y: Array, out: Array, mask: Array) -> None:
        equal(x, zero, mask)
        copyto(out, y)
        copyto(out, one, where=mask)
        log(out, out)
        multiply(out, x, out)

    return xlogy
