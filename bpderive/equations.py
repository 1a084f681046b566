"""The forward equations of one kind of layer, written for a general layer `l`.

In: a `Kind`, and the rows of the catalogue that it names. Out: a `Graph` of index equations: the
layer itself, and what consumes its output. Must not know: how many layers there are, gradients.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sympy import Expr, Function, Integer, Mul, Rational, Symbol

from bpderive.catalog import Activation, Loss
from bpderive.functions import scalar_symbol, total
from bpderive.index import Axis, Equation, Fresh, Relative, Tensor, size_symbol, sum_over
from bpderive.weights import in_order

SAMPLES = size_symbol("N")


HERE, BELOW, ABOVE = Relative(0), Relative(-1), Relative(1)


@dataclass(frozen=True)
class Kind:
    """What two layers must have in common for their derivations to be the same."""

    activation: str
    bias: bool
    last: bool
    batch: bool
    weights: str


@dataclass(frozen=True)
class Graph:
    """The equations around one general layer `l`, in forward order.

    `adjoints` names derivatives that are derived elsewhere (`z{l+1}` → `delta{l+1}`), `direct`
    those that reach a tensor from outside beside what its consumers here send;
    `unit_sums` are the labels whose elements sum to one along their last axis, `constant` are
    quantities that do not change with what they are made of, such as where the largest stands.
    """

    root: Symbol
    equations: tuple[Equation, ...]
    own: tuple[Tensor, ...]
    adjoints: Mapping[str, str]
    parameters: frozenset[str]
    unit_sums: frozenset[str]
    activations: Mapping[str, Activation]
    direct: Mapping[str, str] = field(default_factory=dict)
    constant: frozenset[str] = frozenset()

    @cached_property
    def by_label(self) -> Mapping[str, Equation]:
        """Each equation by what it defines."""
        return {equation.label: equation for equation in self.equations}


@dataclass(frozen=True)
class Builder:
    """Writes the equations of one kind; `fresh` hands out their indices."""

    kind: Kind
    activations: Mapping[str, Activation]
    loss_row: Loss
    stage: Activation | None

    def graph(self) -> Graph:
        fresh = Fresh(100_000)
        activation = self.activations[self.kind.activation]
        own = [self.activation(activation, fresh), self.dense(HERE, fresh)]
        above = self.loss(fresh) if self.kind.last else (self.dense(ABOVE, fresh),)
        outer = {} if self.kind.last else {f"z{ABOVE}": f"delta{ABOVE}"}
        unit = {"y"} if self.loss_row.label == "distribution" else set()
        return Graph(
            root=Symbol("S" if self.kind.batch else "L"),
            equations=(own[1], own[0], *above),
            own=self.tensors(),
            adjoints=outer,
            parameters=frozenset({f"w{HERE}", f"b{HERE}", f"w{ABOVE}", f"b{ABOVE}"}),
            unit_sums=frozenset(unit),
            activations=self.activations,
        )

    def vector(self, name: str, layer: Relative | None, role: str) -> Tensor:
        samples = (Axis("N", SAMPLES),) if self.kind.batch else ()
        at = HERE if layer is None else layer
        return Tensor(name, layer, (*samples, Axis(f"n{at}", size_symbol(f"n{at}"))), role)

    def matrix(self, layer: Relative) -> Tensor:
        names = in_order(self.kind.weights, f"n{layer}", f"n{Relative(layer.offset - 1)}")
        axes = tuple(Axis(name, size_symbol(name)) for name in names)
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
        return self.kind.last and self.stage is not None

    def dense(self, layer: Relative, fresh: Fresh) -> Equation:
        """A weighted sum for each neuron: `z_i = Σ_j w_ij a_j + b_i`, or `Σ_j a_j w_ji + b_i`."""
        z, a = self.vector("z", layer, ""), self.vector("a", Relative(layer.offset - 1), "")
        *n, i = fresh.many(len(z.axes))
        j = fresh()
        weight = self.matrix(layer)[in_order(self.kind.weights, i, j)]
        rhs = sum_over(weight * a[*n, j], j, a.axes[-1].size)
        rhs = rhs + self.bias(layer)[i,] if self.kind.bias else rhs
        return Equation(z[*n, i], rhs, z.sizes)

    def activation(self, row: Activation, fresh: Fresh) -> Equation:
        """`a_i = f(z_i)`, or the row's formula where it takes in the whole layer."""
        z, a = self.vector("z", HERE, ""), self.vector("a", HERE, "")
        indices = fresh.many(len(z.axes))
        return Equation(a[indices], _apply(row, z, indices, fresh), a.sizes)

    def loss(self, fresh: Fresh) -> tuple[Equation, ...]:
        """The loss, after its stage: a sum over the outputs, and over the samples of a batch."""
        row = self.loss_row
        a, y, p = self.vector("a", HERE, ""), self.vector("y", None, ""), self.vector("p", None, "")
        indices = fresh.many(len(a.axes))
        stage: tuple[Equation, ...] = ()
        if self.stage is not None:
            stage = (Equation(p[indices], _apply(self.stage, a, indices, fresh), p.sizes),)
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
