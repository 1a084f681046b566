"""The parts of a figure by their keys: which of them a change goes through, and which stand out.

In: a `Network`, a `Reference`, a route. Out: keys. Must not know: where anything stands.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from sympy import Expr, Integer

from bpderive.forms.routes import stops
from bpderive.network import Network
from bpderive.reference import Reference
from bpderive.weights import by_role

Key = tuple[Any, ...]
"""A part of the figure: ("n", layer, neuron), ("w", layer, neuron, input), ("L",) …"""


@dataclass(frozen=True)
class Look:
    """What stands out: by part, the role whose colour it takes (its own where empty)."""

    strong: Mapping[Key, str] = field(default_factory=dict)
    faint: bool = False

    def of(self, key: Key, role: str) -> tuple[str, str]:
        """The role and the emphasis of a part."""
        if key in self.strong:
            return self.strong[key] or role, "strong"
        return role, "faint" if self.faint else "normal"


def plain(index: Expr) -> object:
    """A neuron's index as in a reference, a symbol as it is."""
    return int(index) if index.is_Integer else index


def number(index: object) -> Expr:
    """The same as an expression."""
    return Integer(index) if isinstance(index, int) else index


def ends(network: Network, reference: Reference) -> tuple[int, ...]:
    """The neuron that a parameter belongs to, and a weight's input."""
    if reference.name == "w":
        return by_role(network.spec.weights, reference.indices)
    return reference.indices


def parts(
    network: Network, reference: Reference, route: tuple[Any, ...], outputs: Sequence[object]
) -> Iterator[Key]:
    """The parts of the figure that a change of a parameter goes through on one route.

    `outputs` are those that an output activation ties together.
    """
    found = stops(network, reference, route)
    layer = reference.layer or 0
    neuron, *sources = ends(network, reference)
    for source in sources:
        yield ("w", layer, neuron, source)
        yield ("n", layer - 1, source)
    if reference.name == "b":
        yield ("b", layer, neuron)
    for stop in found:
        yield ("n", stop.layer, *stop.indices)
    for lower, upper in pairwise(found):
        if upper.name == "z":
            yield ("w", upper.layer, *upper.indices, *lower.indices)
        elif upper.indices != lower.indices:
            yield ("m", upper.layer, *upper.indices, *lower.indices)
    own = found[-1].indices
    tied = () if network.layers[-1].activation.elementwise else outputs
    yield from (("m", network.depth, k, *own) for k in tied)
    yield from (("o", k) for k in tied or own)
    yield from (("n", network.depth, k) for k in tied)
    yield ("L",)
