"""How much of a network shows at some samples: which weights' gradients, and of how many slopes.

In: an `Oracle`, and samples in the machine's numbers. Out: two counts, to choose points by; nothing
is proved by them. Must not know: the engine; an import contract keeps it apart.
"""

import cmath
import math
from collections.abc import Sequence
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

from bpderive.verify.formulas import NAMES, Domain
from bpderive.verify.oracle import Oracle, Point, Tensor

STEP = 1e-30


def erf(u: Any) -> Any:
    """The error function of a number with a small imaginary part: `erf(a) + ih·2/√π·exp(−a²)`."""
    a, h = complex(u).real, complex(u).imag
    return complex(math.erf(a), h * 2 / math.sqrt(math.pi) * math.exp(-a * a))


PLAIN = Domain(
    float,
    SimpleNamespace(**{name: getattr(cmath, name) for name in NAMES if name != "erf"}, erf=erf),
    real=lambda u: complex(u).real,
)


def liveliness(oracle: Oracle, samples: Sequence[Point]) -> tuple[int, int]:
    """How many weights have a gradient that is not zero, and how many layers several slopes."""
    slopes = [_slopes(oracle, sample) for sample in samples]
    layers = range(1, oracle.depth + 1)
    shown = sum(len(_shown(samples, slopes, layer)) for layer in layers)
    return shown, sum(len(_ratios(slopes, layer)) > 1 for layer in layers)


def most(oracle: Oracle) -> tuple[int, int]:
    """The most that there can be: every weight, and every layer whose activation bends."""
    weights = sum(n * m for n, m in pairwise(oracle.widths))
    return weights, sum(text != "z" for text in oracle.activations)


def _slopes(oracle: Oracle, sample: Point) -> dict[str, Tensor]:
    """The derivatives by the inner quantities, by complex steps."""
    found: dict[str, Tensor] = {}
    for label, indices in oracle.inner():
        loss = oracle.forward(sample, PLAIN, (label, indices), complex(0, STEP))["L"][()]
        found.setdefault(label, {})[indices] = complex(loss).imag / STEP
    return found


def _shown(samples: Sequence[Point], slopes: Sequence[Point], layer: int) -> set[tuple[Any, Any]]:
    """The weights of a layer whose gradient is not zero: neither their sum's nor their input is."""
    below = "x" if layer == 1 else f"a{layer - 1}"
    return {
        (i, j)
        for sample, found in zip(samples, slopes, strict=True)
        for i, slope in found[f"z{layer}"].items()
        for j, value in sample[below].items()
        if slope != 0 and value != 0
    }


def _ratios(slopes: Sequence[Point], layer: int) -> set[str]:
    """The slopes of a layer's activation where the loss depends on it."""
    return {
        f"{found[f'z{layer}'][i] / value:.6g}"
        for found in slopes
        for i, value in found[f"a{layer}"].items()
        if value != 0
    }
