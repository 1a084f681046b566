"""Where a network multiplies its derivatives again and again: residual sums and recurrences.

In: a `StackDerivation`. Out: `Gain`s, in norms. They are read off the majorants of its own
equations: what is sent around a branch and what comes through it add up to `1 + …`, what refers to
the next step of time has a factor for each step. The norm of a vector is the largest size of its
elements, that of a matrix the largest sum of the sizes of what one of its inputs is multiplied by,
which bounds the product of a vector with it. What is no such product has no gain. Must not know:
words, letters, kinds of layers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from sympy import Add, Expr, Indexed, Integer, Mul, Sum, Symbol

from bpderive.backprop import StackDerivation
from bpderive.flow.layered_bounds import LayerBound, layered_bounds
from bpderive.functions import Abs
from bpderive.index import label_of
from bpderive.slopes.nodes import norm

MOST = 40
"""A branch of more equations is not followed."""


@dataclass(frozen=True)
class Gain:
    """`‖left‖ <= factor ‖right‖`, or for each step of time, where `left` is `right`.

    `number` is the layer's from which a residual sum is sent back, or the recurrent layer's. Only a
    recurrence has `steps`: how many steps of time there are; the factor of all is its power.
    """

    number: int
    left: str
    right: str
    factor: Expr
    kind: Literal["residual", "recurrent"]
    steps: Expr | None = None


def gains(derivation: StackDerivation) -> tuple[Gain, ...]:
    """Of every residual sum and every recurrence of a single derivative, from the last layer on."""
    return tuple(_Gains(layered_bounds(derivation)).found())


@dataclass(frozen=True)
class _Gains:
    bounds: tuple[LayerBound, ...]

    @cached_property
    def by_label(self) -> Mapping[str, LayerBound]:
        return {bound.label: bound for bound in self.bounds if not bound.parameter}

    @cached_property
    def parameters(self) -> frozenset[str]:
        return frozenset(bound.label.removeprefix("d") for bound in self.bounds if bound.parameter)

    def found(self) -> Iterator[Gain]:
        for bound in self.by_label.values():
            terms = self.terms(bound.right)
            if terms is None:
                continue
            if bound.label in terms:
                steps = bound.sizes[_time(bound)]
                factor = terms[bound.label]
                yield Gain(bound.number, bound.label, bound.label, factor, "recurrent", steps)
            around = next((k for k, factor in terms.items() if factor == 1), None)
            whole = self.up_to(around, bound.label) if around and len(terms) > 1 else None
            if whole is not None and around is not None and bound.label not in terms:
                yield Gain(bound.number, bound.label, around, whole, "residual")

    def terms(self, right: Expr) -> dict[str, Expr] | None:
        """By the label of a derivative, what its norm is multiplied with; None: not known."""
        found: dict[str, Expr] = {}
        for term in Add.make_args(right.expand(deep=False)):
            one = self._term(term)
            if one is None:
                return None
            label, factor = one
            found[label] = found.get(label, Integer(0)) + factor
        return found

    def _term(self, term: Expr) -> tuple[str, Expr] | None:
        """A number times a derivative, alone or summed against one matrix."""
        number, rest = term.as_coeff_Mul()
        body, bound = (rest.function, len(rest.limits)) if isinstance(rest, Sum) else (rest, 0)
        inner, product = body.as_coeff_Mul()
        sizes = Mul.make_args(product)
        if not all(isinstance(s, Abs) and isinstance(s.args[0], Indexed) for s in sizes):
            return None
        tensors = [size.args[0] for size in sizes]
        own = [t for t in tensors if label_of(t) in self.by_label]
        others = [t for t in tensors if t not in own]
        if len(own) != 1 or len(others) != bound or bound > 1:
            return None
        if any(len(t.indices) != 2 or label_of(t) not in self.parameters for t in others):
            return None
        norms = (norm(Symbol(label_of(t)), Integer(2)) for t in others)
        return label_of(own[0]), Mul(number, inner, *norms)

    def up_to(self, goal: str | None, label: str) -> Expr | None:
        """The norm of a derivative by that of another, through all that lies between."""
        waiting, total = {label: Integer(1)}, Integer(0)
        for _ in range(MOST):
            if not waiting:
                return total
            at, factor = waiting.popitem()
            bound = self.by_label.get(at)
            terms = None if bound is None else self.terms(bound.right)
            if terms is None or at in terms:
                return None
            total = total + factor * terms.pop(goal or "", Integer(0))
            for below, more in terms.items():
                waiting[below] = waiting.get(below, Integer(0)) + factor * more
        return None


def _time(bound: LayerBound) -> int:
    """Which of its indices counts the steps: the one that is shifted."""
    own = next(
        tensor
        for tensor in bound.right.atoms(Indexed)
        if label_of(tensor) == bound.label and tensor.indices != bound.indices
    )
    pairs = zip(own.indices, bound.indices, strict=True)
    return next(
        k for k, (one, free) in enumerate(pairs) if one != free and free in one.free_symbols
    )
