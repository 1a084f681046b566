"""What was read of a model: its layers, where its weights are, and what could not be kept.

In: nothing. Out: frozen data. Must not know: any library of models.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from bpderive.catalog import CATALOG
from bpderive.grammar.model import Input, Item
from bpderive.spec import Spec, parse_spec

Array = Any
"""A NumPy array."""


def same(array: Array) -> Array:
    """As it is."""
    return array


@dataclass(frozen=True)
class Weight:
    """One of our tensors as it lies in the model.

    It is the sum of the model's `parameters`, each laid out by `lay`: where a model has two biases,
    only their sum counts. `data` is given and not learned. Where there are no `parameters`, every
    element is `constant`, and the shape is `shape`.
    """

    name: str
    parameters: tuple[str, ...]
    lay: Callable[[Array], Array] = same
    data: bool = False
    shape: tuple[int, ...] = ()
    constant: float = 0.0
    back: Callable[[Array], Array] | None = None

    def value(self, arrays: Mapping[str, Array]) -> Array:
        """Its value, of those of the model's parameters."""
        import numpy as np

        if not self.parameters:
            return np.full(self.shape, self.constant)
        return sum(self.lay(arrays[name]) for name in self.parameters)

    def slope(self, gradients: Mapping[str, Array]) -> Array:
        """The derivative by it, of those by the model's parameters: each term of a sum has it."""
        return (self.back or self.lay)(gradients[self.parameters[0]])


@dataclass(frozen=True)
class Layer:
    """A layer as it was found: its name in the model, whose outputs it takes (0: the input).

    `node` is its name in the model's graph, which no other has; `takes` and `gives` are the shapes
    without the samples.
    """

    name: str
    node: str
    item: Item
    sources: tuple[int, ...]
    weights: tuple[Weight, ...] = ()
    takes: tuple[int, ...] = ()
    gives: tuple[int, ...] = ()


@dataclass(frozen=True)
class Placed:
    """A layer with its number in the network; `tied` to another, it has no weights of its own."""

    number: int
    layer: Layer
    tied: int | None = None

    @property
    def weights(self) -> tuple[Weight, ...]:
        """Those that the network has at this place."""
        return tuple(w for w in self.layer.weights if w.data or self.tied is None)


@dataclass(frozen=True)
class Sample:
    """Arrays for the network: its input, what its output is compared with, masks by number."""

    x: Array
    y: Array
    masks: Mapping[int, Array]


class Original(Protocol):
    """The model itself, to compare with; all in double precision.

    `title` says what gives its gradients; `tolerance` is the relative difference to be expected.
    """

    @property
    def title(self) -> str:
        """In words."""
        ...

    @property
    def tolerance(self) -> float:
        """Of a gradient, by its largest element."""
        ...

    def gradients(self, read: "Imported", sample: Sample) -> Mapping[str, Array]:
        """The derivatives of the loss by parameters of ours, by our names; maybe not everywhere.

        What is not compared in an array is nan.
        """
        ...

    def output(self, read: "Imported", sample: Sample) -> Array:
        """What the model gives."""
        ...


@dataclass(frozen=True)
class Imported:
    """A model as a spec, with its weights.

    `arrays` are the model's parameters by their names there; `notes` is what a person should know;
    `logged`, that the model ends in a logarithm that is part of our loss.
    """

    input: Input
    items: tuple[Item, ...]
    places: tuple[Placed, ...]
    bias: bool
    loss: str
    arrays: Mapping[str, Array]
    original: Original
    notes: tuple[str, ...] = ()
    logged: bool = False

    @cached_property
    def spec(self) -> Spec:
        """The spec, read again from what is written."""
        from bpderive.importers.writing import listed

        return parse_spec(listed(self), CATALOG.names, bias=self.bias, loss=self.loss)

    @cached_property
    def weights(self) -> Mapping[str, Array]:
        """Parameters and data under the names that the generated code has for them."""
        return {name: weight.value(self.arrays) for name, weight in self.named}

    @cached_property
    def named(self) -> tuple[tuple[str, Weight], ...]:
        """Each weight with its name in the generated code."""
        return tuple(
            (self.label(weight.name, place.number), weight)
            for place in self.places
            for weight in place.weights
        )

    def label(self, name: str, number: int) -> str:
        """`W_q2`; plain dense networks have their weights in matrices, `W1`."""
        return f"{'W' if name == 'w' and not self.spec.stacked else name}{number}"
