"""A network as index equations.

In: a `Spec` and a `Catalog`. Out: a `Network`, whose `graph(kind)` gives the forward equations of
one kind of layer, written for a general layer `l`, and whose `names(l)` turns them into those of
layer 3 or 1000. Equal layers share one kind, so a thousand of them cost one derivation.
Must not know: gradients, letters, words.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sympy import Expr, Function, Integer, Mul, Rational, Symbol

from bpderive.catalog import (
    FORMULA_NAMES,
    Activation,
    Catalog,
    Loss,
    check_output,
    formula_activation,
)
from bpderive.errors import SpecError
from bpderive.functions import scalar_symbol, total
from bpderive.index import Axis, Equation, Fresh, Names, Relative, Tensor, size_symbol, sum_over
from bpderive.spec import Spec

SAMPLES = size_symbol("N")
RESERVED = frozenset([*"NLSxywbzapghe", "delta", "eta"])
"""Names that a derivation needs for something else than a size, alone or with a number."""
HERE, BELOW, ABOVE = Relative(0), Relative(-1), Relative(1)


@dataclass(frozen=True)
class Layer:
    """One layer: its number (the input is 0), sizes and activation."""

    index: int
    width: Expr
    inputs: Expr
    activation: Activation


@dataclass(frozen=True)
class Kind:
    """What two layers must have in common for their derivations to be the same."""

    activation: str
    bias: bool
    last: bool
    batch: bool


@dataclass(frozen=True)
class Graph:
    """The equations around one general layer `l`, in forward order.

    `adjoints` names derivatives that are derived elsewhere (`z{l+1}` → `delta{l+1}`);
    `unit_sums` are the labels whose elements sum to one along their last axis.
    """

    root: Symbol
    equations: tuple[Equation, ...]
    own: tuple[Tensor, ...]
    adjoints: Mapping[str, str]
    parameters: frozenset[str]
    unit_sums: frozenset[str]
    activations: Mapping[str, Activation]

    @cached_property
    def tensors(self) -> Mapping[str, Tensor]:
        """The layer's own tensors by label."""
        return {tensor.label: tensor for tensor in self.own}

    @cached_property
    def by_label(self) -> Mapping[str, Equation]:
        """Each equation by what it defines."""
        return {equation.label: equation for equation in self.equations}


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
    def symbolic(self) -> bool:
        """Whether any size is a symbol."""
        return any(not s.is_Integer for s in {self.inputs, *(la.width for la in self.layers)})

    def layer(self, index: int) -> Layer:
        """Layer 1 … depth."""
        return self.layers[index - 1]

    def kind(self, index: int, *, batch: bool = False) -> Kind:
        """The kind of a layer."""
        last = index == self.depth
        return Kind(self.layer(index).activation.name, self.spec.bias, last, batch)

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
            self._graphs[kind] = _Builder(self, kind).graph()
        return self._graphs[kind]


@dataclass(frozen=True)
class _Builder:
    """Writes the equations of one kind; `fresh` hands out their indices."""

    network: Network
    kind: Kind

    def graph(self) -> Graph:
        fresh = Fresh(100_000)
        activation = self.network.activations[self.kind.activation]
        own = [self.activation(activation, fresh), self.dense(HERE, fresh)]
        above = self.loss(fresh) if self.kind.last else (self.dense(ABOVE, fresh),)
        outer = {} if self.kind.last else {f"z{ABOVE}": f"delta{ABOVE}"}
        unit = {"y"} if self.network.loss.label == "distribution" else set()
        return Graph(
            root=Symbol("S" if self.kind.batch else "L"),
            equations=(own[1], own[0], *above),
            own=self.tensors(),
            adjoints=outer,
            parameters=frozenset({f"w{HERE}", f"b{HERE}", f"w{ABOVE}", f"b{ABOVE}"}),
            unit_sums=frozenset(unit),
            activations=self.network.activations,
        )

    def vector(self, name: str, layer: Relative | None, role: str) -> Tensor:
        samples = (Axis("N", SAMPLES),) if self.kind.batch else ()
        at = HERE if layer is None else layer
        return Tensor(name, layer, (*samples, Axis(f"n{at}", size_symbol(f"n{at}"))), role)

    def matrix(self, layer: Relative) -> Tensor:
        rows, columns = f"n{layer}", f"n{Relative(layer.offset - 1)}"
        axes = (Axis(rows, size_symbol(rows)), Axis(columns, size_symbol(columns)))
        return Tensor("w", layer, axes, "weight")

    def bias(self, layer: Relative) -> Tensor:
        return Tensor("b", layer, (Axis(f"n{layer}", size_symbol(f"n{layer}")),), "bias")

    def tensors(self) -> tuple[Tensor, ...]:
        """The layer's own tensors, in backward order."""
        stage = (self.vector("p", None, "output"),) if self._staged else ()
        bias = (self.bias(HERE),) if self.kind.bias else ()
        return (
            *stage,
            self.vector("a", HERE, "activation"),
            self.vector("z", HERE, "preactivation"),
            self.matrix(HERE),
            *bias,
        )

    @property
    def _staged(self) -> bool:
        return self.kind.last and self.network.stage is not None

    def dense(self, layer: Relative, fresh: Fresh) -> Equation:
        """A weighted sum for each neuron: `z_i = Σ_j w_ij a_j + b_i`."""
        z, a = self.vector("z", layer, ""), self.vector("a", Relative(layer.offset - 1), "")
        *n, i = fresh.many(len(z.axes))
        j = fresh()
        rhs = sum_over(self.matrix(layer)[i, j] * a[*n, j], j, a.axes[-1].size)
        rhs = rhs + self.bias(layer)[i,] if self.kind.bias else rhs
        return Equation(z[*n, i], rhs, z.sizes)

    def activation(self, row: Activation, fresh: Fresh) -> Equation:
        """`a_i = f(z_i)`, or the row's formula where it takes in the whole layer."""
        z, a = self.vector("z", HERE, ""), self.vector("a", HERE, "")
        indices = fresh.many(len(z.axes))
        return Equation(a[indices], _apply(row, z, indices, fresh), a.sizes)

    def loss(self, fresh: Fresh) -> tuple[Equation, ...]:
        """The loss, after its stage: a sum over the outputs, and over the samples of a batch."""
        row = self.network.loss
        a, y, p = self.vector("a", HERE, ""), self.vector("y", None, ""), self.vector("p", None, "")
        indices = fresh.many(len(a.axes))
        stage: tuple[Equation, ...] = ()
        if self.network.stage is not None:
            stage = (Equation(p[indices], _apply(self.network.stage, a, indices, fresh), p.sizes),)
        indices = fresh.many(len(a.axes))
        values = {"a": a[indices], "y": y[indices], "p": p[indices]}
        body = row.definition.xreplace({scalar_symbol(k): v for k, v in values.items()})
        scale = 1 / a.axes[-1].size if row.combine == "mean" else Integer(1)
        constant, body = body.as_coeff_Mul()
        for index, axis in zip(reversed(indices), reversed(a.axes), strict=True):
            body = sum_over(body, index, axis.size)
        return (*stage, Equation(Symbol("S" if self.kind.batch else "L"), constant * scale * body))


def _apply(row: Activation, z: Tensor, indices: tuple[Symbol, ...], fresh: Fresh) -> Expr:
    """An activation at `z[indices]`: by name when elementwise, by formula when not."""
    argument = scalar_symbol("z")
    if row.name == "linear":
        return z[indices]
    if row.elementwise:
        return Function(row.name)(z[indices])
    table = {}
    for node in row.definition.atoms(total):
        k = fresh()
        body = node.args[0].xreplace({argument: z[(*indices[:-1], k)]})
        table[node] = sum_over(body, k, z.axes[-1].size)
    return row.definition.xreplace(table).xreplace({argument: z[indices]})


def mean_equation(reduction: str) -> Equation:
    """`L = S/N`: the loss of a batch from the sum over its samples; `L = S` for a sum."""
    factor = Rational(1) / SAMPLES if reduction == "mean" else Integer(1)
    return Equation(Symbol("L"), Mul(factor, Symbol("S")))


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
