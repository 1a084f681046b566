"""The bound of a network's gradients at given weights, where there is one.

In: the `bounds` of a `Plan`, weights, a sample. Out: a number for each layer, or None. Must not
know: how bounds are found. SymPy is imported where there is a bound to be found.
"""

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bpderive.network import Network

Bound = Sequence[float | None]


class Bounds:
    """The bounds of the networks of one plan, whose `bounds` are pickled; or none."""

    def __init__(self, packed: bytes | None, layers: int) -> None:
        self.none: Bound = (None,) * layers
        self.find: Callable[..., Bound] | None = None
        if packed is not None:
            self.find = pickle.loads(packed)  # noqa: S301 - our own

    def of(self, params: Any, samples: Sequence[Any]) -> Bound:
        """Of each layer, for all samples; None where it has none."""
        if self.find is None:
            return self.none
        try:
            return self.find(params, samples)
        except ArithmeticError:  # a number left the range of floats
            return self.none


@dataclass(frozen=True)
class GradientBounds:
    """Bounds the gradients of a dense network; `source` is its code, with biases.

    The gradient by the biases of the last layer is what the bound starts from.
    """

    network: "Network"
    source: str

    def __call__(self, params: Any, samples: Sequence[Any]) -> Bound:
        """Of each layer at these weights: no gradient of any of the samples exceeds it.

        A bound grows with every input and every element of the error, so that one for the largest
        of each holds for all samples.
        """
        from bpderive.flow.sizes import gradient_bounds

        every = {**params, **{k: v for k, v in self._zeros.items() if k not in params}}
        last = f"b{self.network.depth}"
        inputs, errors = [], []
        for x, y in samples:
            inputs.append(_flat(x))
            errors.append(_flat(self._call(every, x, y)[1][last]))
        return gradient_bounds(self.network, params, _largest(inputs), _largest(errors))

    @cached_property
    def _module(self) -> Any:
        from bpderive.sweep.running import load

        return load(self.source)

    @cached_property
    def _call(self) -> Callable[..., tuple[float, Any]]:
        compiled = getattr(self._module, "compile", None)
        found: Any = compiled(1) if compiled else self._module.loss_and_grad
        return found  # type: ignore[no-any-return] # generated

    @cached_property
    def _zeros(self) -> dict[str, Any]:
        shapes = {key: shape for key, shape in self._module.SHAPES.items() if key[0] == "b"}
        if not hasattr(self._module, "compile"):
            return {key: [0.0] * shape[0] for key, shape in shapes.items()}
        import numpy as np

        return {key: np.zeros(shape) for key, shape in shapes.items()}


def _flat(values: Any) -> Any:
    """One sample's numbers; arrays have an axis of samples, and are written over."""
    return values if isinstance(values, list) else values.reshape(-1).copy()


def _largest(rows: Sequence[Any]) -> Any:
    """The largest size in each place."""
    if isinstance(rows[0], list):
        return [max(map(abs, column)) for column in zip(*rows, strict=True)]
    import numpy as np

    return np.abs(rows).max(axis=0)
