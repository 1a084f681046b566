"""A network as index equations.

In: a `Spec` and a `Catalog`. Out: a `Network`, whose `graph(kind)` gives the forward equations of
one kind of layer, written for a general layer `l`, and whose `names(l)` turns them into those of
layer 3 or 1000. Equal layers share one kind, so a thousand of them cost one derivation.
Must not know: gradients, letters, words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from sympy import Expr, Integer

from bpderive.catalog import (
    FORMULA_NAMES,
    Activation,
    Catalog,
    Loss,
    check_output,
    formula_activation,
)
from bpderive.equations import BELOW, Builder, Graph, Kind
from bpderive.errors import SpecError
from bpderive.index import Names, Relative, size_symbol
from bpderive.spec import Spec
from bpderive.weights import by_role

T = TypeVar("T")

RESERVED = frozenset([*"NLSxywbzapghe", "delta", "eta"])
"""Names that a derivation needs for something else than a size, alone or with a number."""


@dataclass(frozen=True)
class Layer:
    """One layer: its number (the input is 0), sizes and activation."""

    index: int
    width: Expr
    inputs: Expr
    activation: Activation


@dataclass(frozen=True)
class Network:
    """A network that is ready to be derived. Build it with `build`."""

    spec: Spec
    layers: tuple[Layer, ...]
    loss: Loss
    stage: Activation | None
    _graphs: dict[Kind, Graph] = field(default_factory=dict, compare=False, repr=False)
    _names: dict[int, Mapping[str, Expr | str]] = field(
        default_factory=dict, compare=False, repr=False
    )

    @property
    def depth(self) -> int:
        """The number of layers; the input is not counted."""
        return len(self.layers)

    @property
    def inputs(self) -> Expr:
        """The size of `x`."""
        return self.layers[0].inputs

    @property
    def outputs(self) -> Expr:
        """The size of `y`."""
        return self.layers[-1].width

    @cached_property
    def activations(self) -> Mapping[str, Activation]:
        """The activations in use, by name, in order of first use."""
        return {layer.activation.name: layer.activation for layer in self.layers}

    @cached_property
    def size_names(self) -> frozenset[str]:
        """The names of symbolic sizes: no index may have the same letter."""
        sizes = (self.inputs, *(layer.width for layer in self.layers))
        return frozenset(str(size) for size in sizes if not size.is_Integer)

    @cached_property
    def symbolic(self) -> bool:
        """Whether any size is a symbol."""
        return bool(self.size_names)

    @property
    def row_vectors(self) -> bool:
        """Whether one sample is a row as in a batch, `x W`: where a weight has its input first."""
        return self.spec.orientation == "rows" and self.spec.weights == "input_first"

    def layer(self, index: int) -> Layer:
        """Layer 1 … depth."""
        return self.layers[index - 1]

    def ends(self, weight: Sequence[T]) -> tuple[T, T]:
        """What a weight has for its neuron, then for its input: of its two indices, or sizes."""
        return by_role(self.spec.weights, weight)

    def kind(self, index: int, *, batch: bool = False) -> Kind:
        """The kind of a layer."""
        last = index == self.depth
        spec = self.spec
        return Kind(self.layer(index).activation.name, spec.bias, last, batch, spec.weights)

    def names(self, index: int) -> Mapping[str, Expr | str]:
        """How the general layer's labels and sizes read at a given layer."""
        if index not in self._names:
            self._names[index] = Names(self._names_at(index))
        return self._names[index]

    def _names_at(self, index: int) -> Mapping[str, Expr | str]:
        table: dict[str, Expr | str] = {}
        for offset in (-1, 0, 1):
            at, mark = index + offset, str(Relative(offset))
            table |= {f"{name}{mark}": f"{name}{at}" for name in ("w", "b", "z", "a", "delta", "g")}
            table[f"n{mark}"] = self._size(at)
        if index == 1:
            table[f"a{BELOW}"] = "x"
        return table

    def _size(self, index: int) -> Expr:
        if index == 0:
            return self.inputs
        return self.layer(index).width if index <= self.depth else Integer(0)

    def graph(self, kind: Kind) -> Graph:
        """The equations around a layer of this kind."""
        if kind not in self._graphs:
            self._graphs[kind] = Builder(kind, self.activations, self.loss, self.stage).graph()
        return self._graphs[kind]


def build(spec: Spec, catalog: Catalog) -> Network:
    """Build the network that a spec asks for.

    Raises:
        SpecError: an unknown activation or loss, or an output that the loss cannot take.
    """
    loss = catalog.loss(spec.loss)
    chosen = _Chosen(catalog)
    layers = []
    sizes = [_size(layer.width) for layer in spec.layers]
    for index in range(1, len(spec.layers)):
        default = spec.output_activation if index == len(spec.layers) - 1 else spec.activation
        row = chosen.activation(spec.layers[index].activation or default)
        layers.append(Layer(index, sizes[index], sizes[index - 1], row))
    check_output(loss, layers[-1].activation)
    stage = catalog.activation(loss.stage) if loss.stage else None
    return Network(spec, tuple(layers), loss, stage)


class _Chosen:
    """Looks activations up once each; formulas get the names f, g, h, f1, f2 and so on."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.rows: dict[str, Activation] = {}
        self.formulas = 0

    def activation(self, text: str) -> Activation:
        if text not in self.rows:
            row = self.catalog.activation(text)
            if row.name != text.strip():
                name = (*FORMULA_NAMES, f"f{self.formulas - 2}")[min(self.formulas, 3)]
                row = formula_activation(text, name)
                self.formulas += 1
            self.rows[text] = row
        return self.rows[text]


def _size(width: int | str) -> Expr:
    if isinstance(width, str) and width.rstrip("0123456789") in RESERVED:
        raise SpecError.single(
            f"layers: {width} names another quantity of the derivation, and cannot be a width",
            accepted="another letter, or letters and then digits, such as n1",
        )
    return Integer(width) if isinstance(width, int) else size_symbol(width)
