"""The reverse sweep: applies the rules to every tensor of a network and records the steps.

In: a `Network`. Out: a `Derivation`: for each kind of layer, the derivative of the loss with
respect to each of its tensors, with the steps that lead there, and any of it instantiated at a
layer. Must not know: letters, words, how anything is printed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from sympy import Expr, Indexed, Pow, Sum

from bpderive.equations import HERE, Graph, Kind, mean_equation
from bpderive.errors import DerivationError, SpecError
from bpderive.index import (
    Equation,
    Fresh,
    Partial,
    Tensor,
    element,
    label_of,
)
from bpderive.network import Network
from bpderive.rules import RULES, Context, node_types, tidy

LIMIT = 100
NAMES = {"z": "delta", "a": "g", "p": "h"}


@dataclass(frozen=True)
class Step:
    """One application of a rule."""

    rule: str
    before: Expr
    after: Expr


@dataclass(frozen=True)
class Derived:
    """The derivative with respect to one tensor.

    `result` has the derivative on its left: by name (`delta1[i]`) where it was given one, else as
    the `Partial`. `shown` is the result before an activation's slope was written out.
    """

    tensor: Tensor
    partial: Expr
    steps: tuple[Step, ...]
    result: Equation

    @property
    def named(self) -> bool:
        """Whether the derivative has a name of its own."""
        return not isinstance(self.result.lhs, Partial)

    @property
    def shown(self) -> Equation:
        """The result with `f'(z)` as such, unless writing it out made something cancel."""
        last = self.steps[-1]
        divides = any(p.exp.is_negative and p.base.has(Indexed) for p in last.before.atoms(Pow))
        rhs = last.before if last.rule == "fold" and not divides else last.after
        return Equation(self.result.lhs, rhs, self.result.sizes)


def sweep(graph: Graph) -> tuple[Derived, ...]:
    """Derive `∂root/∂T` for every tensor of the graph's layer, from the loss backwards."""
    fresh, known = Fresh(), dict[str, Equation]()
    derived = []
    for tensor in graph.own:
        found = _derive(tensor, Context(graph, known, fresh))
        known[tensor.label] = found.result
        derived.append(found)
    return tuple(derived)


def _derive(tensor: Tensor, context: Context) -> Derived:
    indices = context.fresh.many(len(tensor.axes))
    partial = Partial(context.graph.root, tensor[indices])
    found = steps(partial, context)
    rhs = found[-1].after
    named = _gets_name(tensor, rhs, context)
    lhs = element(f"{_name(tensor)}{HERE}", indices) if named else partial
    return Derived(tensor, partial, found, Equation(lhs, rhs, tensor.sizes))


def steps(expr: Expr, context: Context) -> tuple[Step, ...]:
    """Apply the first rule that applies, again and again, until none does.

    Raises:
        DerivationError: a derivative is left, or there is no end.
    """
    return checked(applied(expr, context))


def applied(expr: Expr, context: Context) -> list[Step]:
    """The steps of all rules that apply, which may be none.

    Raises:
        DerivationError: there is no end.
    """
    found: list[Step] = []
    while len(found) < LIMIT:
        present = node_types(expr)
        for rule in RULES:
            after = rule.apply(expr, context) if rule.about in present else None
            if after is not None:
                after = tidy(after)
                found.append(Step(rule.id, expr, after))
                expr = after
                break
        else:
            return found
    raise DerivationError(f"the rules do not come to an end at {expr}")


def opened(partial: Expr, context: Context) -> list[Step]:
    """The steps of a derivative of which later steps, or itself, have names already.

    What it is made of comes first, by the chain rule or by its equation, without those names.
    """
    unnamed = replace(context, graph=replace(context.graph, adjoints={}))
    for rule in RULES[:2]:
        after = rule.apply(partial, unnamed)
        if after is not None:
            after = tidy(after)
            return [Step(rule.id, partial, after), *applied(after, context)]
    return applied(partial, context)


def checked(steps: list[Step]) -> tuple[Step, ...]:
    """The steps, at whose end no derivative is left.

    Raises:
        DerivationError: one is.
    """
    if not steps or steps[-1].after.has(Partial):
        raise DerivationError(f"no rule finishes {steps[-1].after if steps else 'the derivation'}")
    return tuple(steps)


def _name(tensor: Tensor) -> str:
    return NAMES[tensor.name]


def _gets_name(tensor: Tensor, rhs: Expr, context: Context) -> bool:
    """Shared derivatives get a name: of what parameters define, and of what is used twice."""
    equation = context.graph.by_label.get(tensor.label)
    if equation is None:
        return False
    labels = {label_of(atom) for atom in equation.rhs.atoms(Indexed)}
    mixes = equation.rhs.has(Sum)
    return bool(labels & context.graph.parameters) or (mixes and rhs.has(Sum))


@dataclass(frozen=True)
class Derivation:
    """A network with the derivatives of its loss."""

    network: Network
    _sweeps: dict[Kind, dict[str, Derived]] = field(default_factory=dict, compare=False, repr=False)
    _equations: dict[tuple[str, int, bool], Equation] = field(
        default_factory=dict, compare=False, repr=False
    )

    def kind(self, kind: Kind) -> Mapping[str, Derived]:
        """What was derived for one kind of layer, by the tensor's letter (`w`, `b`, `z`, `a`)."""
        if kind not in self._sweeps:
            self._sweeps[kind] = {d.tensor.name: d for d in sweep(self.network.graph(kind))}
        return self._sweeps[kind]

    def at(self, layer: int, *, batch: bool = False) -> Mapping[str, Derived]:
        """What was derived for a layer, still in terms of the general layer `l`."""
        return self.kind(self.network.kind(layer, batch=batch))

    def equation(self, letter: str, layer: int, *, batch: bool = False) -> Equation:
        """The derivative with respect to `letter` (`w`, `b`, `z`, `a`) of a layer.

        Raises:
            SpecError: if the layer has no such tensor.
        """
        key = (letter, layer, batch)
        if key not in self._equations:
            found = self.at(layer, batch=batch).get(letter)
            if found is None:
                raise SpecError.single(f"layer {layer} has no {letter}")
            self._equations[key] = found.result.renamed(self.network.names(layer))
        return self._equations[key]

    @cached_property
    def mean(self) -> Equation:
        """How the loss of a batch comes from the sum `S` over its samples."""
        return mean_equation(self.network.spec.reduction)


def derive(network: Network) -> Derivation:
    """Derive every gradient of a network's loss; equal layers are derived once."""
    derivation = Derivation(network)
    for index in sorted({network.kind(la.index): la.index for la in network.layers}.values()):
        derivation.at(index)
    return derivation
