"""Random weights, samples and labels in plain Python.

In: a `random.Random`, the shape of a distribution. Out: lists of floats, of variance 1. To add a
distribution, add a row here and in `drawing_arrays`. Must not know: NumPy, networks.
"""

import math
from collections.abc import Callable, Mapping
from operator import mul
from random import Random

from bpderive.flow.schemes import TRUNCATED
from bpderive.sweep.model import Drawn, Kind

CUT = 2.0
"""Where a truncated normal distribution ends, in its standard deviations."""
HALF = math.sqrt(3)
"""A uniform distribution of variance 1 goes from -HALF to HALF."""
COUNTS = 5
"""Counts are drawn from 1 to here."""


def normal(random: Random, size: int, _rows: int = 1) -> list[float]:
    """Standard normal numbers."""
    return [random.gauss(0, 1) for _ in range(size)]


def uniform(random: Random, size: int, _rows: int = 1) -> list[float]:
    """Uniform numbers around 0."""
    return [random.uniform(-HALF, HALF) for _ in range(size)]


def truncated(random: Random, size: int, _rows: int = 1) -> list[float]:
    """Normal numbers, each drawn again while it is beyond the cut."""
    return [_cut(random) / math.sqrt(TRUNCATED) for _ in range(size)]


def _cut(random: Random) -> float:
    while abs(draw := random.gauss(0, 1)) > CUT:
        pass
    return draw


def orthogonal(random: Random, size: int, rows: int = 1) -> list[float]:
    """Orthonormal rows, or columns where they are fewer, times the root of the larger size.

    Each is a random direction, less its part along those before it.
    """
    few, many = sorted((rows, size // rows))
    found: list[list[float]] = []
    for _ in range(few):
        row = normal(random, many)
        for other in found * 2:  # once more, for what rounding has left
            along = sum(map(mul, row, other))
            row = [u - along * v for u, v in zip(row, other, strict=True)]
        norm = math.hypot(*row)
        found.append([u / norm for u in row])
    wide = found if rows == few else list(zip(*found, strict=True))
    return [u * math.sqrt(many) for row in wide for u in row]


SHAPES: Mapping[Kind, Callable[[Random, int, int], list[float]]] = {
    "normal": normal,
    "uniform": uniform,
    "truncated": truncated,
    "orthogonal": orthogonal,
}


def tensor(random: Random, drawn: Drawn) -> list[float]:
    """The numbers of one parameter, row by row."""
    if drawn.kind == "constant":
        return [drawn.deviation] * drawn.size
    return [drawn.deviation * u for u in SHAPES[drawn.kind](random, drawn.size, drawn.shape[0])]


def _one_hot(random: Random, size: int, last: int) -> list[float]:
    """Rows that are 0 but for a 1."""
    found = [0.0] * size
    for start in range(0, size, last):
        found[start + random.randrange(last)] = 1.0
    return found


LABELS: Mapping[str, Callable[[Random, int, int], list[float]]] = {
    "real": normal,
    "binary": lambda random, size, _: [float(random.randrange(2)) for _ in range(size)],
    "sign": lambda random, size, _: [float(random.choice((-1, 1))) for _ in range(size)],
    "count": lambda random, size, _: [float(random.randint(1, COUNTS)) for _ in range(size)],
    "distribution": _one_hot,
}
"""Labels of each kind that a loss may take; the last number is the size of the last axis."""
