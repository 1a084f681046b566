"""Runs of equal layers: a thousand of them are looked at once, for the general layer.

In: a `Network`. Out: `Run`s, and an equation of the general layer as it reads in a run. Must not
know: words, numbers of equations.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from sympy import Expr, Symbol

from bpderive.index import Equation
from bpderive.network import Layer, Network

LONG = 4
"""From this many equal layers on, they are said once."""

LAYER = Symbol("{l}")


@dataclass(frozen=True)
class Run:
    """Layers `first` to `last`, all of one kind and size."""

    first: int
    last: int

    @property
    def general(self) -> bool:
        """Whether the run is said for the general layer."""
        return self.last > self.first

    def names(self, network: Network) -> Mapping[str, Expr | str]:
        """How labels read in the run: as they are for a general layer."""
        return {} if self.general else network.names(self.first)

    def equation(self, network: Network, equation: Equation) -> Equation:
        """An equation of the general layer, in the run's labels."""
        return equation.renamed(self.names(network))


def ranges(network: Network) -> Iterator[tuple[int, int]]:
    """The layers in runs: short ones one by one, the first and the last always apart."""
    yield 1, 1
    for first, last in _equal(network):
        if last - first + 1 >= LONG:
            yield first, last
        else:
            yield from ((at, at) for at in range(first, last + 1))
    if network.depth > 1:
        yield network.depth, network.depth


def runs(network: Network) -> tuple[Run, ...]:
    """The ranges as runs."""
    return tuple(Run(*ends) for ends in ranges(network))


def _equal(network: Network) -> Iterator[tuple[int, int]]:
    """Maximal ranges of equal inner layers."""
    for _, group in groupby(network.layers[1:-1], _key):
        equal = list(group)
        yield equal[0].index, equal[-1].index


def _key(layer: Layer) -> tuple[object, ...]:
    return layer.activation.name, layer.width, layer.inputs
