"""Random parameters and samples for a network of any size, in NumPy's float64.

In: an `Oracle`, and what its loss asks of outputs and labels. Out: a `Batch`, and the slopes of its
loss by the complex step. Must not know: the engine; an import contract keeps it apart.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator

from bpderive.errors import UnsupportedError
from bpderive.verify.arrays import losses, outputs
from bpderive.verify.oracle import Oracle
from bpderive.verify.points import SAMPLES, TRIES, Labels, takes

STEP = 1e-30
"""The imaginary step: its error is about its square."""
LARGEST = 1e6
"""Outputs of hidden layers are drawn no larger."""

DRAWS: Mapping[str, Callable[[Generator, tuple[int, int]], Any]] = {
    "real": lambda rng, shape: rng.normal(size=shape),
    "binary": lambda rng, shape: rng.uniform(0.01, 0.99, shape),
    "sign": lambda rng, shape: rng.choice((-1.0, 1.0), shape),
    "count": lambda rng, shape: rng.integers(1, 6, shape).astype(float),
    "distribution": lambda rng, shape: rng.dirichlet(np.full(shape[1], 5.0), shape[0]),
}
"""Labels of each kind, as in `points`."""


@dataclass(frozen=True)
class Batch:
    """Parameters by label, the outputs of each layer with x first, and labels; samples are rows."""

    oracle: Oracle
    parameters: Mapping[str, Any]
    layers: tuple[Any, ...]
    y: Any
    rng: Generator

    def directions(self, label: str, count: int) -> Iterator[Any]:
        """Random directions in which a parameter may change; each element varies by about 1."""
        return (self.rng.normal(size=self.parameters[label].shape) for _ in range(count))

    def slope(self, label: str, along: Any, reduction: str) -> float:
        """`Im L(θ + ihv)/h`; the layers below the parameter are as they are."""
        nudged = {**self.parameters, label: self.parameters[label] + 1j * STEP * along}
        first = int(label[1:])
        a = self.layers[first - 1]
        with np.errstate(all="ignore"):  # of a `where`, both branches are worked out
            for layer in range(first, self.oracle.depth + 1):
                a = outputs(self.oracle, nudged, layer, a)
            found = losses(self.oracle, a, self.y).imag / STEP
        return float(found.mean() if reduction == "mean" else found.sum())


def draw(oracle: Oracle, labels: Labels, seed: int) -> Batch:
    """A batch that the loss takes, layer by layer.

    Raises:
        UnsupportedError: none was found.
    """
    rng = np.random.default_rng(seed)
    y = DRAWS[labels.label](rng, (SAMPLES, oracle.widths[-1]))
    suits = np.vectorize(lambda a, y: takes(labels, a, y), otypes=[bool])
    parameters: dict[str, Any] = {}
    layers = [rng.normal(size=(SAMPLES, oracle.widths[0]))]
    with np.errstate(all="ignore"):
        for layer in range(1, oracle.depth + 1):
            last = layer == oracle.depth
            test = (lambda a: suits(a, y)) if last else (lambda a: abs(a) < LARGEST)
            drawn, a = _layer(oracle, layer, layers[-1], test, rng)
            parameters |= drawn
            layers.append(a)
    return Batch(oracle, parameters, tuple(layers), y, rng)


def _layer(
    oracle: Oracle, layer: int, below: Any, test: Callable[[Any], Any], rng: Generator
) -> tuple[dict[str, Any], Any]:
    """Parameters and outputs of a layer; neurons whose outputs do not suit are drawn again."""
    inputs, width = oracle.widths[layer - 1 : layer + 1]
    shape = oracle.weight(width, inputs)
    found: dict[str, Any] = {f"w{layer}": np.empty(shape)}
    if oracle.bias:
        found[f"b{layer}"] = np.empty(width)
    # so that weighted sums are about 1, and nothing saturates
    size = (np.sum(below**2) / len(below)) ** -0.5 if below.any() else 1.0
    bad = np.full(width, fill_value=True)
    for _ in range(TRIES):
        for value in found.values():
            rows = value.T if oracle.input_first else value  # a neuron in each row
            rows[bad] = size * rng.normal(size=rows[bad].shape)
        a = outputs(oracle, found, layer, below)
        bad = ~np.all(test(a), axis=0)
        if not bad.any():
            return found, a
    raise UnsupportedError(f"no parameters of layer {layer} were found that suit the loss")
