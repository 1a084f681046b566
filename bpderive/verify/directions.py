"""A gradient of any size against the complex step, along random directions.

In: an `Oracle`, what its loss asks of outputs and labels, and a function that gives the gradient.
Out: for each parameter tensor, the loss's slope along some directions, in two ways. Must not know:
the engine; an import contract keeps it apart.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bpderive.errors import UnsupportedError
from bpderive.verify.oracle import Oracle
from bpderive.verify.points import Labels

if TYPE_CHECKING:
    from bpderive.verify.batches import Batch

WANTED = 10
# Of float64's 15 digits, 14 are left over the catalogue, and 13 in a thousand layers.
DIRECTIONS = 1
TENSORS = 24
"""So many parameter tensors are tried; of a deeper network, some from every depth."""
LEAST = 1e-278
"""The imaginary part of a float64 cannot hold smaller slopes."""

ROUNDING = (1e-20, 1e-12)
"""What rounding leaves of terms that cancel, relative to the loss."""

LossAndGrad = Callable[[dict[str, Any], Any, Any], tuple[float, Mapping[str, Any]]]


@dataclass(frozen=True)
class Slopes:
    """Slopes along random directions, the gradient's own and the complex step's.

    `scale` is the length of the gradient, and so what such a slope is on the average.
    """

    pairs: tuple[tuple[float, float], ...]
    scale: float


def directional(
    oracle: Oracle, labels: Labels, reduction: str, loss_and_grad: LossAndGrad, seed: int
) -> Mapping[str, Slopes]:
    """By parameter (`w1`, `b1`), pairs (found, expected) of slopes of the batch's loss.

    Of a network with more than `TENSORS` parameter tensors, some from every depth are tried.

    Args:
        oracle: the network.
        labels: what its loss asks.
        reduction: `mean` or `sum` over the samples.
        loss_and_grad: of parameters (`{"W1": …, "b1": …}`), and of samples and labels as rows.
        seed: of the parameters, samples, labels and directions.

    Raises:
        UnsupportedError: NumPy is not installed, or no parameters were found that suit the loss.
    """
    try:
        from bpderive.verify.batches import draw
    except ModuleNotFoundError as error:
        raise UnsupportedError("NumPy is not installed: pip install numpy") from error
    batch = draw(oracle, labels, seed)
    keys = {label: label.replace("w", "W") for label in batch.parameters}
    params = {keys[label]: value for label, value in batch.parameters.items()}
    loss, gradient = loss_and_grad(params, batch.layers[0], batch.y)
    apart = -(-len(keys) // TENSORS)
    chosen = list(keys)[::-apart][::-1]  # the last layer's among them
    return {
        label: _rounded(_slopes(batch, reduction, label, gradient[keys[label]]), abs(loss))
        for label in chosen
    }


def _rounded(slopes: Slopes, loss: float) -> Slopes:
    """The slopes, compared with the loss where they are what rounding leaves, and disagree.

    Those of a softmax of one output are 0, by terms that cancel.
    """
    apart = max(abs(found - expected) for found, expected in slopes.pairs)
    largest = max(slopes.scale, *(abs(value) for pair in slopes.pairs for value in pair))
    if apart > 10**-WANTED * slopes.scale and ROUNDING[0] * loss < largest < ROUNDING[1] * loss:
        return Slopes(slopes.pairs, loss)
    return slopes


def _slopes(batch: "Batch", reduction: str, label: str, gradient: Any) -> Slopes:
    pairs = tuple(
        (_along(gradient, direction), batch.slope(label, direction, reduction))
        for direction in batch.directions(label, DIRECTIONS)
    )
    return Slopes(pairs, max(LEAST, float((gradient**2).sum()) ** 0.5))


def _along(gradient: Any, direction: Any) -> float:
    if gradient.shape != direction.shape:
        return math.inf
    return float((gradient * direction).sum())
