"""Functions that generated code of any layers takes from here when it uses them."""

from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

Array = NDArray[Any]


def windows(x: Array, *places: tuple[Any, ...]) -> Array:
    """Return x with some axes seen through windows, zeros beyond the ends.

    A place is an axis, the first element (from 0), then length and step of each new axis:
    the element at (i, k) is first + i step + k step'. It is a view where nothing is padded.
    """
    margins = []
    for axis, first, *new in places:
        low = first + sum(min(0, (n - 1) * step) for n, step in new)
        high = first + sum(max(0, (n - 1) * step) for n, step in new)
        margins.append((axis, max(0, -low), max(0, high + 1 - x.shape[axis])))
    if any(before or after for _, before, after in margins):
        shape, inner = list(x.shape), [slice(None)] * x.ndim
        for axis, before, after in margins:
            inner[axis] = slice(before, before + shape[axis])
            shape[axis] += before + after
        order = sorted(range(x.ndim), key=lambda axis: -x.strides[axis])
        padded = np.zeros([shape[axis] for axis in order], x.dtype)  # laid out as x is
        padded = padded.transpose(np.argsort(order))
        padded[tuple(inner)] = x
        x = padded
    start = [slice(None)] * x.ndim
    axes = [[(n, s)] for n, s in zip(x.shape, x.strides, strict=True)]
    for (axis, first, *new), (_, before, _) in zip(places, margins, strict=True):
        start[axis] = slice(first + before, None)
        axes[axis] = [(n, x.strides[axis] * step) for n, step in new]
    shape = [n for axis in axes for n, _ in axis]
    strides = [s for axis in axes for _, s in axis]
    return as_strided(x[tuple(start)], shape, strides, writeable=False)


def dilated(x: Array, *places: tuple[int, int]) -> Array:
    """Return x with zeros between the elements of some axes: places hold axis and step."""
    shape, inner = list(x.shape), [slice(None)] * x.ndim
    for axis, step in places:
        shape[axis] = max(0, (shape[axis] - 1) * step + 1)
        inner[axis] = slice(None, None, step)
    wide = np.zeros(shape, x.dtype)
    wide[tuple(inner)] = x
    return wide


def picked(x: Array, axis: int, places: Array, below: int = 1) -> Array:
    """Return the elements of an axis at places / below (from 0), zeros elsewhere."""
    at, rest = np.divmod(places, below)
    good = (rest == 0) & (at >= 0) & (at < x.shape[axis])
    found = np.take(x, np.where(good, at, 0), axis)
    shape = (1,) * axis + good.shape + (1,) * (x.ndim - axis - 1)
    return found * good.reshape(shape)


def softmax(z: Array, axis: int = -1) -> Array:
    """Return the softmax along an axis."""
    a: Array = z - z.max(axis=axis, keepdims=True)
    np.exp(a, out=a)
    a /= a.sum(axis=axis, keepdims=True)
    return a


def log_softmax(z: Array, axis: int = -1) -> Array:
    """Return the logarithm of the softmax along an axis."""
    a: Array = z - z.max(axis=axis, keepdims=True)
    a -= np.log(np.exp(a).sum(axis=axis, keepdims=True))
    return a


def first_largest(x: Array, count: int) -> Array:
    """Return where the first largest element over the last axes stands."""
    ends = tuple(range(-count, 0))
    x = np.moveaxis(x, ends, range(count))
    places = np.zeros(x.shape, bool)
    if prod(x.shape[:count]) > 64:
        first = x.reshape(prod(x.shape[:count]), -1).argmax(axis=0)
        places.reshape(-1, first.size)[first, np.arange(first.size)] = True
    else:  # a few elements of many windows: all windows at once
        largest = folded(np.maximum, x, *range(count))
        free = np.ones(largest.shape, bool)
        for at in np.ndindex(*x.shape[:count]):
            np.logical_and(free, (x[at] == largest) | (x[at] != x[at]), out=places[at])
            free &= ~places[at]
    return np.moveaxis(places, range(count), ends)


def folded(function: np.ufunc, x: Array, *axes: int) -> Array:
    """Return x with a function such as `np.add` put between its elements along axes."""
    if prod(x.shape[axis] for axis in axes) > 64:
        return np.asarray(function.reduce(x, axis=axes))
    x = np.moveaxis(x, axes, range(len(axes)))
    first, *rest = np.ndindex(*x.shape[: len(axes)])
    total: Array = x[first].copy()
    for at in rest:  # a few elements of many windows: all windows at once
        function(total, x[at], out=total)
    return total


def spread(x: Array, *places: tuple[int, ...]) -> Array:
    """Return the sums of what windows give back to the elements that they see.

    A place is the axis of windows, the axis along a window, the number of elements, then
    first, step and step': the element at (i, k) goes to first + i step + k step'.
    """
    inner = tuple(place[1] for place in places)
    shape = list(x.shape)
    for axis, _, size, *_ in places:
        shape[axis] = size
    total = np.zeros([n for axis, n in enumerate(shape) if axis not in inner], x.dtype)
    x = np.moveaxis(x, inner, range(len(inner)))
    axes = [place[0] - sum(other < place[0] for other in inner) for place in places]
    for at in np.ndindex(*x.shape[: len(inner)]):
        there, here = [slice(None)] * total.ndim, [slice(None)] * total.ndim
        for axis, k, place in zip(axes, at, places, strict=True):
            size, first, step, wide = place[2:]
            start = first + k * wide
            low = max(0, -(start // step))
            high = min(x.shape[len(inner) + axis], -((start - size) // step))
            here[axis] = slice(low, max(low, high))
            there[axis] = slice(start + low * step, max(0, start + high * step), step)
        total[tuple(there)] += x[at][tuple(here)]
    return total


def scattered(places: Array, values: Array, size: int) -> Array:
    """Return the sums of the values that belong to each place of a first axis."""
    rows = values.reshape(places.size, -1)
    total = np.zeros((size, rows.shape[1]), values.dtype)
    np.add.at(total, places.reshape(-1), rows)
    return total.reshape(size, *values.shape[places.ndim :])
