"""The same as `drawing`, as NumPy arrays, and fast.

In: a text that tells which numbers. Out: arrays of variance 1. Each number is one of 65536 equally
likely quantiles of its distribution, looked up by 16 random bits: that costs a sixth of what exact
normal numbers cost, which for a network of one layer after another is more than its gradients do.
The quantiles of a normal distribution end at 4.3 standard deviations; the variance is exactly 1.
Must not know: networks.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bpderive.sweep.drawing import COUNTS, CUT
from bpderive.sweep.model import Drawn, Kind

Array = NDArray[Any]
CODES = 1 << 16
_WORD = 4  # codes in 64 bits


class Source:
    """Random bits that a text tells."""

    def __init__(self, text: str) -> None:
        seed = int.from_bytes(sha256(text.encode()).digest(), "big")
        self.rng = np.random.default_rng(seed)

    def codes(self, size: int) -> Array:
        """Numbers of 16 bits."""
        words = self.rng.bit_generator.random_raw(-(-size // _WORD))
        ordered = words if sys.byteorder == "little" else words.byteswap()
        return ordered.view("<u2")[:size]

    def fill(self, kind: Kind, out: Array) -> None:
        """Write numbers of variance 1 into a flat array."""
        table(kind).take(self.codes(out.size), out=out, mode="wrap")

    def drawn(self, kind: Kind, shape: tuple[int, ...]) -> Array:
        """An array of such numbers."""
        found = np.empty(shape)
        self.fill(kind, found.reshape(-1))
        return found


@cache
def table(kind: Kind) -> Array:
    """The quantiles in the middle of each of 65536 equal shares, scaled to variance 1."""
    middle = (np.arange(CODES // 2) + 0.5) / CODES  # half of them, above the median
    upper = _UPPER[kind](middle)
    both = np.concatenate([-upper[::-1], upper])
    return both / np.sqrt(np.mean(both**2))  # type: ignore[no-any-return] # NumPy says Any


def _normal(middle: Array, share: float = 1.0) -> Array:
    """Above the median, where the middle `share` of the distribution is taken."""
    inverse = NormalDist().inv_cdf
    return np.array([inverse(0.5 + share * u) for u in middle.tolist()])


def _truncated(middle: Array) -> Array:
    return _normal(middle, 2 * NormalDist().cdf(CUT) - 1)


_UPPER: Mapping[str, Callable[[Array], Array]] = {
    "normal": _normal,
    "uniform": lambda middle: middle,
    "truncated": _truncated,
}


def tensors(
    source: Source, drawn: Sequence[Drawn], theta: Array, parts: Mapping[str, Array]
) -> None:
    """Write all parameters; those of one distribution at once, from the same bits."""
    kinds = {one.kind for one in drawn}
    if len(kinds) == 1 and (kind := kinds.pop()) in _UPPER:
        source.fill(kind, theta)
        for one in drawn:
            parts[one.key] *= one.deviation
        return
    for one in drawn:
        tensor(source, one, parts[one.key])


def tensor(source: Source, drawn: Drawn, out: Array) -> None:
    """Write one parameter into its flat array."""
    if drawn.kind == "constant":
        out.fill(drawn.deviation)
        return
    if drawn.kind == "orthogonal":
        out[:] = _orthogonal(source, drawn.shape[0], drawn.size)
    else:
        source.fill(drawn.kind, out)
    out *= drawn.deviation


def _orthogonal(source: Source, rows: int, size: int) -> Array:
    columns = size // rows
    few, many = sorted((rows, columns))
    q, r = np.linalg.qr(source.drawn("normal", (many, few)))
    q *= np.copysign(np.sqrt(many), np.diag(r))  # else not all directions are equally likely
    return (q if rows == many else q.T).reshape(-1)


def _one_hot(source: Source, shape: tuple[int, ...]) -> Array:
    places = source.rng.integers(shape[-1], size=shape[:-1])
    found: Array = (np.arange(shape[-1]) == places[..., np.newaxis]).astype(float)
    return found


def _integers(low: int, high: int) -> Callable[[Source, tuple[int, ...]], Array]:
    return lambda source, shape: source.rng.integers(low, high, shape).astype(float)


LABELS: Mapping[str, Callable[[Source, tuple[int, ...]], Array]] = {
    "real": lambda source, shape: source.drawn("normal", shape),
    "binary": _integers(0, 2),
    "sign": lambda source, shape: 2 * _integers(0, 2)(source, shape) - 1,
    "count": _integers(1, COUNTS + 1),
    "distribution": _one_hot,
}
"""Labels of each kind that a loss may take."""
