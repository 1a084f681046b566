"""What is asked of a derivation of any layers: gradients in several forms, second derivatives.

In: a `Stack`. Out: `LayeredDerivation`, whose methods answer. Must not know: words, formats.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from sympy import Expr, Integer

from bpderive.backprop import StackDerivation, derive_stack
from bpderive.errors import SpecError, quoted, suggest
from bpderive.forms.unrolled import unrolled
from bpderive.index import Equation, indices_of
from bpderive.second import Equations
from bpderive.second.asking import SecondOrder, chosen, standard
from bpderive.second.expanding import Expander
from bpderive.second.reading import of_stack
from bpderive.second.scalars import numeric_shapes
from bpderive.stack import for_one
from bpderive.stack.model import Stack

__all__ = ["LayeredDerivation", "Stack", "layered"]


@dataclass(frozen=True)
class LayeredDerivation(SecondOrder, StackDerivation):
    """A network of any layers with every gradient of its loss. Made by `derive`."""

    @cached_property
    def single(self) -> "LayeredDerivation":
        """The same network for one sample; itself where a layer mixes samples."""
        stack = for_one(self.stack)
        return self if stack.samples == self.stack.samples else layered(stack)

    @cached_property
    def equations(self) -> Equations:
        """All its equations, of one sample where that can be."""
        return of_stack(self.single)

    def gradient(self, reference: str, form: str = "delta") -> Expr:
        """The gradient of the loss with respect to one quantity, as a SymPy expression.

        Args:
            reference: the quantity, such as `w1[2,1,3,3]`, `delta2[1]` or `delta_a1[1,1,2]`.
            form: `delta` (the sums of its own equation written out), `weights` (in x, y and the
                parameters alone), `index` (with sums). Where layers mix samples, the loss is that
                of a batch of N.

        Raises:
            SpecError: the network has no such quantity, or there is no such form.
            UnsupportedError: the form would be too long, or a size is a symbol.
        """
        if form not in FORMS:
            message = f"unknown form {quoted(form)}{suggest(form, FORMS)}"
            raise SpecError.single(message, accepted=", ".join(FORMS))
        label, at = chosen(reference, self.table, self.equations)
        return FORMS[form](self, self.table[label], at)

    @cached_property
    def table(self) -> Mapping[str, Equation]:
        """The equation of every derivative by its label, and by the parameter that it is by."""
        own = {e.label: e for e in self.single.backward}
        by = {name: own[label] for name, label in self.equations.gradients.items() if label in own}
        return {**own, **by}


def layered(stack: Stack) -> LayeredDerivation:
    """Derive every gradient of a network of any layers."""
    found = derive_stack(stack)
    return LayeredDerivation(found.stack, found._sweeps)  # noqa: SLF001 - the same value


def _index(_derivation: LayeredDerivation, equation: Equation, at: tuple[int, ...]) -> Expr:
    return equation.rhs.xreplace(dict(zip(indices_of(equation.lhs), map(Integer, at), strict=True)))


def _delta(derivation: LayeredDerivation, equation: Equation, at: tuple[int, ...]) -> Expr:
    written = unrolled(equation, at, numeric_shapes(derivation.equations))
    return standard(written, derivation.stack.activations)


def _weights(derivation: LayeredDerivation, equation: Equation, at: tuple[int, ...]) -> Expr:
    given = derivation.equations
    shapes = numeric_shapes(given)
    every = {e.label: e for e in (*given.forward, *given.backward) if e.label not in given.constant}
    written = Expander(every, shapes).whole(unrolled(equation, at, shapes))
    return standard(written, derivation.stack.activations)


FORMS: Mapping[str, Callable[[LayeredDerivation, Equation, tuple[int, ...]], Expr]] = {
    "delta": _delta,
    "weights": _weights,
    "index": _index,
}
