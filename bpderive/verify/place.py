"""A place where a mistake may be made: one derivative of one kind of layer, and what is around it.

In: a `Derivation`, a kind of layer, and a letter. Out: the right-hand side, its parts, the other
derivatives at the same neuron. Must not know: any mistake.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from sympy import Expr, Function, Indexed, Integer

from bpderive.catalog import Activation
from bpderive.derive import Derivation, Derived, steps
from bpderive.equations import HERE, Graph, Kind
from bpderive.index import Fresh, Partial, element, label_of
from bpderive.network import Network
from bpderive.rules import Context
from bpderive.rules.calculus import adjoint


@dataclass(frozen=True)
class Place:
    """One derivative of one kind of layer, where a mistake may be made."""

    derivation: Derivation
    kind: Kind
    letter: str

    @property
    def derived(self) -> Derived:
        """The right derivative."""
        return self.derivation.kind(self.kind)[self.letter]

    @property
    def rhs(self) -> Expr:
        """What it is, slopes as such."""
        return self.derived.shown.rhs

    @property
    def indices(self) -> tuple[Expr, ...]:
        """Its free indices; of a batch, the sample's is the first."""
        return self.derived.result.indices

    @property
    def network(self) -> Network:
        """The network that the layer is part of."""
        return self.derivation.network

    @property
    def graph(self) -> Graph:
        """The equations around the layer."""
        return self.network.graph(self.kind)

    @property
    def row(self) -> Activation:
        """The layer's activation."""
        return self.network.activations[self.kind.activation]

    @cached_property
    def context(self) -> Context:
        """What a rule may look at: all that was derived, and indices that nothing else has."""
        known = {one.tensor.label: one.result for one in self.derivation.kind(self.kind).values()}
        return Context(self.graph, known, Fresh(500_000))

    @property
    def mean(self) -> bool:
        """Whether the loss of a batch is the mean over its samples."""
        return self.network.spec.reduction == "mean"

    @property
    def bends(self) -> bool:
        """Whether the activation has a slope of its own for each neuron."""
        return self.row.elementwise and self.row.name != "linear"

    @property
    def slope(self) -> Expr:
        """`f'(z)` of the neuron."""
        if self.row.name == "linear":
            return Integer(1)
        return Function(f"{self.row.name}'")(element(f"z{HERE}", self.indices))

    def by(self, label: str) -> Expr:
        """`∂L/∂T` at this neuron, for a tensor of the layer."""
        partial = Partial(self.graph.root, element(label, self.indices))
        return adjoint(partial, self.context) or partial

    def within(self, above: str, below: str) -> Expr:
        """`∂above/∂below` of one neuron, for two tensors of the layer: of all, then of the same."""
        other = (*self.indices[:-1], self.context.fresh())
        whole = Partial(element(above, self.indices), element(below, other))
        return steps(whole, self.context)[-1].after.xreplace({other[-1]: self.indices[-1]})

    def with_each(self, label: str, new: Callable[[Indexed], Expr]) -> Expr | None:
        """The right-hand side with every element of a tensor changed; None where it has none."""
        found = [atom for atom in self.rhs.atoms(Indexed) if label_of(atom) == label]
        return self.rhs.xreplace({atom: new(atom) for atom in found}) if found else None
