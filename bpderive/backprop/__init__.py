"""The derivation of a network of any layers: each kind of module once, put together by places.

In: a `Stack`. Out: a `StackDerivation`. Must not know: letters, words, how anything is printed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sympy import Add, Expr, Symbol

from bpderive.backprop.kinds import Kind, outer
from bpderive.backprop.sweep import sweep
from bpderive.derive import Derivation, Derived
from bpderive.index import (
    Equation,
    Fresh,
    Partial,
    element,
    indices_of,
    instantiate,
    label_of,
)
from bpderive.modules.labels import label
from bpderive.stack.model import Place, Stack


@dataclass(frozen=True)
class StackDerivation:
    """A network of any layers, with the derivatives of its loss."""

    stack: Stack
    _sweeps: dict[Kind, dict[str, Derived]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def network(self) -> Stack:
        """The network, as a derivation of dense layers has it."""
        return self.stack

    def kind(self, number: int) -> Kind:
        """What the derivation of a place depends on."""
        stack, place = self.stack, self.stack.place(number)
        loss = stack.loss_equations if number == stack.depth else ()
        unit = frozenset({stack.target.label} if stack.loss.label == "distribution" else ())
        return Kind(place.module, loss, stack.root, unit if loss else frozenset())

    def derived(self, number: int) -> Mapping[str, Derived]:
        """What was derived for a place's kind, in general labels, by the tensor's name."""
        kind = self.kind(number)
        if kind not in self._sweeps:
            self._sweeps[kind] = sweep(kind)
        return self._sweeps[kind]

    @cached_property
    def forward(self) -> tuple[Equation, ...]:
        """The equations of all places in order, then the loss."""
        own = (e.renamed(p.names) for p in self.stack.places for e in p.module.equations)
        return (*own, self.loss)

    @cached_property
    def loss(self) -> Equation:
        """The loss as the last equation, summed over the samples."""
        names = dict(self.stack.places[-1].names)
        names.pop(self.stack.root, None)  # a stride is an S too
        return self.stack.loss_equations[-1].renamed(names)

    @cached_property
    def backward(self) -> tuple[Equation, ...]:
        """Every derivative with a name, in the order of computation; the loss's own first."""
        return tuple(equation for _, equation in self.numbered)

    @cached_property
    def numbered(self) -> tuple[tuple[int, Equation], ...]:
        """The same, each with the number of its place; the input's derivative has 0."""
        return tuple(_backward(self))

    def outer(self, place: Place) -> str:
        """The label under which the derivative by a place's output comes from above."""
        return str(place.names[outer(place.module)])


AnyDerivation = Derivation | StackDerivation
"""Of dense layers, or of any."""


def derive_stack(stack: Stack) -> StackDerivation:
    """Derive every gradient of a network of any layers; equal layers are derived once."""
    derivation = StackDerivation(stack)
    for place in stack.places:
        derivation.derived(place.number)
    return derivation


@dataclass
class _Sent:
    """What the places send back to one tensor: terms of one derivative, each with its equation."""

    parts: list[Equation] = field(default_factory=list)

    def equation(self, name: str) -> Equation:
        """Their sum, under the derivative's name."""
        first, *others = self.parts
        fresh = Fresh(400_000)
        rest = [instantiate(other, first.indices, fresh) for other in others]
        lhs = element(name, tuple(indices_of(first.lhs)))
        return Equation(lhs, Add(first.rhs, *rest), first.sizes)


def _backward(derivation: StackDerivation) -> Iterator[tuple[int, Equation]]:
    stack = derivation.stack
    sent: dict[int, _Sent] = {place.number: _Sent() for place in stack.places} | {0: _Sent()}
    shared: dict[str, tuple[int, _Sent]] = {}
    users = {place.tied or place.number: place.number for place in reversed(stack.places)}
    for place in reversed(stack.places):
        if place.number != stack.depth:
            yield place.number, sent[place.number].equation(derivation.outer(place))
        for name, found in derivation.derived(place.number).items():
            result = found.result.renamed(place.names)
            role = place.module.by_name[name].role
            if role == "input":
                sent[place.source_of(name)].parts.append(result)
            elif role == "parameter":
                gradient = f"d{label_of(_at(place, name))}"
                owner = place.tied or place.number
                shared.setdefault(gradient, (owner, _Sent()))[1].parts.append(result)
                if users[owner] == place.number:
                    yield owner, shared.pop(gradient)[1].equation(gradient)
            elif not isinstance(found.result.lhs, Partial):
                yield place.number, result
    if sent[0].parts and not stack.tokens:
        yield 0, sent[0].equation(stack.sent)


def _at(place: Place, name: str) -> Expr:
    return Symbol(str(place.names[label(name)]))


__all__ = ["AnyDerivation", "StackDerivation", "derive_stack"]
