"""The routes that a change of one quantity takes to the loss, and how many there are.

In: a `Network` and a `Reference`. Out: routes, as tuples of neurons: the quantity's own neuron,
then one for each layer above it. A hidden layer that mixes its neurons (softmax) has two entries,
the one of its `z` and the one of its `a`; at the output a route ends with its `z`.
Must not know: derivatives, SymPy's functions, words.
"""

import math
from collections.abc import Iterator
from itertools import product

from sympy import Expr, Integer

from bpderive.errors import UnsupportedError
from bpderive.network import Network
from bpderive.reference import Reference

Route = tuple[int, ...]
LIMIT = 1000


def choices(network: Network, reference: Reference) -> tuple[tuple[str, int], ...]:
    """Where a route has a choice of neuron: `(("z", 2), ("z", 3))` from `w1[1,1]` of 2,2,2,1."""
    if reference.layer is None:
        return ()
    found = []
    for layer in network.layers[reference.layer - 1 :]:
        own = layer.index == reference.layer
        hidden = layer.index < network.depth
        if not own:
            found.append(("z", layer.index))
        if hidden and not layer.activation.elementwise and not (own and reference.name == "a"):
            found.append(("a", layer.index))
    return tuple(found)


def route_count(network: Network, reference: Reference) -> Expr:
    """How many routes there are, a symbol's expression where sizes are symbols."""
    count = Integer(1)
    for _, layer in choices(network, reference):
        count = count * network.layer(layer).width
    return count


def routes(network: Network, reference: Reference) -> Iterator[Route]:
    """Every route, in order."""
    own = own_neuron(network, reference)
    widths = [int(network.layer(layer).width) for _, layer in choices(network, reference)]
    return ((*own, *rest) for rest in product(*(range(1, width + 1) for width in widths)))


def own_neuron(network: Network, reference: Reference) -> tuple[int, ...]:
    """The neuron that a quantity is one of, or into which a weight leads."""
    indices = network.ends(reference.indices) if reference.name == "w" else reference.indices
    return indices[:1]


def stops(network: Network, reference: Reference, route: Route) -> tuple[Reference, ...]:
    """The quantities that a route goes through, from its own neuron's to the last layer's.

    `w1[1,1]` along (1, 2, 1) in 2,2,2,1: z1[1], a1[1], z2[2], a2[2], z3[1].
    """
    letter = reference.name if reference.name in ("a", "p") else "z"
    found = [Reference(letter, reference.layer, route[:1])]
    picks = dict(zip(choices(network, reference), route[1:], strict=True))
    for (upper, layer), neuron in picks.items():
        below = Reference("a", layer - 1, found[-1].indices)
        if upper == "z" and found[-1] != below:
            found.append(below)
        found.append(Reference(upper, layer, (neuron,)))
    return tuple(found)


def check_count(count: Expr, what: str, limit: int) -> None:
    """Refuse more routes than can be written out.

    Raises:
        UnsupportedError: with their number.
    """
    if count.is_Integer and count <= limit:
        return
    exponent = int(math.log10(int(count))) if count.is_Integer else 0
    shown = f"about 10^{exponent}" if exponent > 40 else str(count)
    raise UnsupportedError(
        f"{what} has {shown} paths to the loss; at most {limit} are written out: "
        'ask for form="delta" or form="index"'
    )
