"""Runs of equal layers: a thousand of them are said once, for the general layer.

In: a `Network`. Out: `Run`s with their words, and the number of an equation in a run.
"""

from dataclasses import dataclass

from sympy import Integer

from bpderive.document.blocks import Cell, Number, Row, Words
from bpderive.document.mathematics import Formula, Indices, Layer
from bpderive.flow import runs as layers
from bpderive.index import Equation
from bpderive.network import Network

LAYER = layers.LAYER


def numbered(layer: int) -> Layer:
    """The number of a layer, as the notation counts."""
    return Layer(Integer(layer))


def between(first: int, last: int) -> Words:
    """`ℓ = 3, 2`, `ℓ = 5, …, 2`: layers in a row, up or down."""
    kind = {0: "one", 1: "two"}.get(abs(last - first), "range")
    slots: dict[str, Cell] = {"layer": Formula(LAYER), "first": numbered(first)}
    return Words(f"layers.{kind}", slots if first == last else slots | {"last": numbered(last)})


@dataclass(frozen=True)
class Run(layers.Run):
    """Layers `first` to `last`, all of one kind and size, with what is said of them."""

    @property
    def words(self) -> Words | None:
        """For which layers an equation of the run holds."""
        return words_of(self)

    def number(self, at_first: int, at_last: int) -> Number:
        """The number of an equation that has these numbers at the ends of the run."""
        if not self.general:
            return Number(at_first)
        slope = (at_last - at_first) // (self.last - self.first)
        return Number(at_first - slope * self.first, slope)


def words_of(run: layers.Run) -> Words | None:
    """For which layers an equation of a run holds; None: for one."""
    return between(run.first, run.last) if run.general else None


def runs(network: Network) -> tuple[Run, ...]:
    """The layers in runs: short ones one by one, the first and the last always apart."""
    return tuple(Run(*ends) for ends in layers.ranges(network))


def in_letters(network: Network, name: str, indices: Indices) -> Indices:
    """The indices of a tensor in the order of their letters: of a weight, its neuron's first."""
    return network.ends(indices) if name == "w" else indices


def row(
    equation: Equation,
    number: Number | None = None,
    condition: Words | None = None,
    indices: Indices | None = None,
) -> Row:
    """An equation as a row, its free indices lettered alike on both sides, in their own order."""
    indices = equation.indices if indices is None else indices
    return Row(Formula(equation.lhs, indices), Formula(equation.rhs, indices), number, condition)
