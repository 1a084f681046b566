"""Runs of equal layers: a thousand of them are said once, for the general layer.

In: a `Network`. Out: `Run`s, and an equation of the general layer as it reads in a run.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sympy import Expr, Integer, Symbol

from bpderive.document.blocks import Cell, Number, Row, Words
from bpderive.document.mathematics import Formula, Indices, Layer
from bpderive.index import Equation
from bpderive.network import Network

LONG = 4
"""From this many equal layers on, they are said once."""

LAYER = Symbol("{l}")


def numbered(layer: int) -> Layer:
    """The number of a layer, as the notation counts."""
    return Layer(Integer(layer))


def between(first: int, last: int) -> Words:
    """`ℓ = 3, 2`, `ℓ = 5, …, 2`: layers in a row, up or down."""
    kind = {0: "one", 1: "two"}.get(abs(last - first), "range")
    slots: dict[str, Cell] = {"layer": Formula(LAYER), "first": numbered(first)}
    return Words(f"layers.{kind}", slots if first == last else slots | {"last": numbered(last)})


@dataclass(frozen=True)
class Run:
    """Layers `first` to `last`, all of one kind and size."""

    first: int
    last: int

    @property
    def general(self) -> bool:
        """Whether the run is said for the general layer."""
        return self.last > self.first

    @property
    def words(self) -> Words | None:
        """For which layers an equation of the run holds."""
        if not self.general:
            return None
        return between(self.first, self.last)

    def number(self, at_first: int, at_last: int) -> Number:
        """The number of an equation that has these numbers at the ends of the run."""
        if not self.general:
            return Number(at_first)
        slope = (at_last - at_first) // (self.last - self.first)
        return Number(at_first - slope * self.first, slope)

    def names(self, network: Network) -> Mapping[str, Expr | str]:
        """How labels read in the run: as they are for a general layer."""
        return {} if self.general else network.names(self.first)

    def equation(self, network: Network, equation: Equation) -> Equation:
        """An equation of the general layer, in the run's labels."""
        return equation.renamed(self.names(network))


def runs(network: Network) -> tuple[Run, ...]:
    """The layers in runs: short ones one by one, the first and the last always apart."""
    found: list[Run] = [Run(1, 1)]
    for first, last in _equal(network):
        if last - first + 1 >= LONG:
            found.append(Run(first, last))
        else:
            found.extend(Run(at, at) for at in range(first, last + 1))
    if network.depth > 1:
        found.append(Run(network.depth, network.depth))
    return tuple(found)


def _equal(network: Network) -> Iterator[tuple[int, int]]:
    """Maximal ranges of equal inner layers."""
    first = 2
    for at in range(2, network.depth):
        if at == network.depth - 1 or _key(network, at) != _key(network, at + 1):
            yield first, at
            first = at + 1


def _key(network: Network, at: int) -> tuple[object, ...]:
    layer = network.layer(at)
    return network.kind(at), layer.width, layer.inputs


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
