"""What an example holds, and the numbers that a network wants.

In: a `Derivation`. Out: frozen values by reference text (`w1[1,2]`). Must not know: files, seeds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from sympy import Expr, Rational

from bpderive.derive import Derivation
from bpderive.forms.scalar import quantity
from bpderive.network import Network

Shape = tuple[int, ...]
Numbers = Mapping[str, Expr]
"""Numbers by the names of scalar quantities: `x[1]`, `w1[1,2]`, `delta1[1]`, `L`."""

RATE = Rational(1, 10)
"""The learning rate, where none is given."""


@dataclass(frozen=True)
class Values:
    """One sample, its label, every parameter, the learning rate; the seed if they were drawn."""

    numbers: Numbers
    eta: Expr = RATE
    seed: int | None = None


@dataclass(frozen=True)
class Example:
    """A network in numbers.

    `numbers` are those of `given`, and every z, a, p, delta, g and the loss; `slopes` are the
    gradients, and `updated` the new values, by parameter; `moved` are the quantities of the forward
    pass after the step, or nothing where the loss then has no value. `digits` are printed.
    """

    given: Values
    numbers: Numbers
    slopes: Numbers
    updated: Numbers
    moved: Numbers
    digits: int

    @property
    def exact(self) -> bool:
        """Whether every number is rational, so that none was rounded in computing."""
        tables = (self.numbers, self.slopes, self.updated, self.moved)
        return all(value.is_Rational for table in tables for value in table.values())

    @property
    def loss(self) -> Expr:
        """The loss before the step."""
        return self.numbers["L"]

    @property
    def after(self) -> Expr | None:
        """The loss after the step."""
        return self.moved.get("L")


def shapes(derivation: Derivation) -> Mapping[str, Shape]:
    """What is to be given, and its shape: `x`, `y`, then each layer's parameters."""
    network = derivation.network
    found: dict[str, Shape] = {"x": (int(network.inputs),), "y": (int(network.outputs),)}
    for layer in network.layers:
        for letter in parameters(network):
            sizes = derivation.equation(letter, layer.index).sizes
            found[f"{letter}{layer.index}"] = tuple(map(int, sizes))
    return found


def parameters(network: Network) -> tuple[str, ...]:
    """The letters of the parameters."""
    return ("w", "b") if network.spec.bias else ("w",)


def names(label: str, shape: Shape) -> Iterator[str]:
    """The names of a tensor's elements, row by row."""
    for indices in product(*(range(1, size + 1) for size in shape)):
        yield str(quantity(label, indices).name)
