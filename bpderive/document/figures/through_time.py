"""What a recurrent layer does from step to step, read off its equations.

In: a `StackDerivation` and a `Place`. Out: `Recurrence`: what is handed on, by which weight it is
taken in, from where a change reaches the loss. Must not know: where anything stands, letters.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from sympy import Expr, Indexed, Integer, KroneckerDelta, Mul

from bpderive.backprop import StackDerivation
from bpderive.functions.conditions import fixed
from bpderive.index import Axis, Equation, element, label_of, letter_of, rename
from bpderive.modules.labels import label
from bpderive.stack.model import Place

FAR = 200
"""So many steps before the last one a cut is looked for."""


def recurrence(derivation: StackDerivation, place: Place) -> "Recurrence | None":
    """The recurrence of a layer that takes in its own step before by a weight, else None."""
    if len(place.module.recurrent) != 1:
        return None
    found = Recurrence(derivation, place, place.module.recurrent[0])
    inputs = [t for t in place.module.of_role("input") if found.axis in _letters(t.axes)]
    return found if found.weight and found.carried and len(inputs) == 1 else None


def _letters(axes: tuple[Axis, ...]) -> tuple[str, ...]:
    return tuple(axis.name for axis in axes)


@dataclass(frozen=True)
class Recurrence:
    """A layer that is unrolled along `axis`."""

    derivation: StackDerivation
    place: Place
    axis: str

    @property
    def steps(self) -> Expr:
        """How many steps there are: a number, or a symbol."""
        return rename(self.place.module.range_of(self.axis), self.place.names)

    def label(self, name: str) -> str:
        """A tensor's label at its place."""
        return str(self.place.names[label(name)])

    def _earlier(self) -> Iterator[tuple[Equation, Indexed]]:
        """Where an equation takes in the step before."""
        for equation in self.place.module.equations:
            steps = [i for i in equation.indices if letter_of(i) == self.axis]
            for tensor in sorted(equation.rhs.atoms(Indexed), key=str):
                if any(index == step - 1 for step in steps for index in tensor.indices):
                    yield equation, tensor

    @cached_property
    def carried(self) -> tuple[str, ...]:
        """The names of what is handed on to the next step, the output last."""
        names = {_name(tensor) for _, tensor in self._earlier()}
        output = self.place.module.output
        return (*sorted(names - {output}), *([output] if output in names else []))

    @cached_property
    def weight(self) -> str | None:
        """The first parameter that multiplies what the step before handed on."""
        parameters = [t.name for t in self.place.module.of_role("parameter")]
        found = {name for e in self.place.module.equations for name in self._weights(e)}
        return next((name for name in parameters if name in found), None)

    def _weights(self, equation: Equation) -> Iterator[str]:
        parameters = {t.name for t in self.place.module.of_role("parameter")}
        earlier = tuple(self._earlier())
        stand_ins = {e.label for e, _ in earlier if not _names(e) & parameters}
        for product in equation.rhs.atoms(Mul):
            factors = [factor for factor in product.args if isinstance(factor, Indexed)]
            if any((equation, f) in earlier or label_of(f) in stand_ins for f in factors):
                yield from {_name(f) for f in factors} & parameters

    def element_of_weight(self) -> Expr:
        """One element of the weight, off the diagonal where there is one."""
        name = str(self.weight)
        axes = self.place.module.by_name[name].axes
        sizes = [rename(axis.size, self.place.names) for axis in axes]
        last = Integer(1 if sizes[-1] == 1 else 2)
        return element(self.label(name), (*[Integer(1)] * (len(sizes) - 1), last))

    @cached_property
    def truncated(self) -> bool:
        """Whether some derivatives are kept from going back."""
        return any(equation.rhs.has(fixed) for equation in self.place.module.equations)

    def cut(self, step: Expr) -> bool:
        """Whether no derivative goes back from a step to the one before."""
        return self.truncated and not any(self._flows(e, t, step) for e, t in self._earlier())

    def _flows(self, equation: Equation, tensor: Indexed, step: Expr) -> bool:
        at = {i: step for i in equation.indices if letter_of(i) == self.axis}
        live = equation.rhs.replace(lambda node: isinstance(node, fixed), lambda _: Integer(0))
        names = self.place.names
        return bool(rename(live, names).xreplace(at).has(rename(tensor, names).xreplace(at)))

    @cached_property
    def last_cut(self) -> int | None:
        """The last step from which no derivative goes back, where the number of steps is known."""
        if not (self.truncated and self.steps.is_Integer):
            return None
        steps = range(int(self.steps), max(1, int(self.steps) - FAR), -1)
        return next((step for step in steps if self.cut(Integer(step))), None)

    def heard(self, step: Expr) -> bool:
        """Whether the layers above, or the loss, take in the output of this very step."""
        name = self.derivation.outer(self.place)
        found = next((e for e in self.derivation.backward if e.label == name), None)
        if found is None:
            return False
        pairs = zip(found.indices, self.place.output.axes, strict=True)
        at = {index: step for index, axis in pairs if axis.name == self.axis}
        rhs = found.rhs.xreplace(at)
        return rhs != 0 and not rhs.has(KroneckerDelta)


def _name(tensor: Expr) -> str:
    return label_of(tensor).partition("{")[0]


def _names(equation: Equation) -> set[str]:
    return {_name(tensor) for tensor in equation.rhs.atoms(Indexed)}
