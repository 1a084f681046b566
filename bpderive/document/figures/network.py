"""The network drawn (Fig. 1), the paths of one weight (Fig. 3), what two gradients share (Fig. 6).

In: a `Network` and a `Reference`. Out: a `Drawing`. Must not know: letters, colours.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from bpderive.document.drawing import Drawing
from bpderive.document.figures.layout import Plan, Scale, layout
from bpderive.document.figures.parts import Key, Look, ends, parts, plain
from bpderive.document.figures.picture import LABELLED, Picture
from bpderive.forms.routes import choices
from bpderive.network import Network
from bpderive.reference import Reference

LARGE = Scale(
    width=14.9, half=0.72, radius=0.38, row=2.0, gap=3.5, tall=6.4, top=0.75, bottom=0.65, left=0.45
)


def network_figure(network: Network) -> Drawing:
    """Fig. 1: the network with every symbol."""
    return Picture(network, layout(network, large(network)), Look()).drawing()


def is_whole(network: Network) -> bool:
    """Whether Fig. 1 shows every neuron, and every weight with its letter."""
    plan = layout(network, LARGE)
    shown = sum(len(a.neurons) * len(b.neurons) for a, b in plan.neighbours)
    return not plan.gaps and not any(c.dots for c in plan.columns) and shown <= LABELLED


def paths_figure(network: Network, reference: Reference) -> Drawing:
    """Fig. 3: the paths of a weight to the loss, everything else faint."""
    plan = _plan(network, reference)
    strong = dict.fromkeys(_reached(network, plan, reference), "")
    return Picture(network, plan, Look(strong, faint=True)).drawing()


def shared_figure(network: Network, one: Reference, other: Reference) -> Drawing:
    """Fig. 6: two weights of a neuron; what their gradients share in one colour, the rest apart."""
    plan = _plan(network, one, other)
    first, second = (list(_reached(network, plan, at)) for at in (one, other))
    both = set(first) & set(second)
    strong = {key: "path1" if key in both else "path2" for key in (*first, *second)}
    return Picture(network, plan, Look(strong, faint=True)).drawing()


def _plan(network: Network, *references: Reference) -> Plan:
    """A layout that has the neurons and the inputs of these parameters."""
    seen: dict[int, frozenset[int]] = {}
    for reference in references:
        layer = reference.layer or 0
        neuron, *source = ends(network, reference)
        seen[layer] = seen.get(layer, frozenset()) | {neuron}
        seen[layer - 1] = seen.get(layer - 1, frozenset()).union(source)
    return layout(network, large(network), seen, references[0].layer or 0)


def large(network: Network) -> Scale:
    """The scale of a large figure: long numbers of layers and neurons need longer neurons."""
    digits = max(len(str(layer.width)) for layer in network.layers) + len(str(network.depth))
    return replace(LARGE, half=LARGE.half + 0.12 * max(0, digits - 3))


def _reached(network: Network, plan: Plan, reference: Reference) -> Iterator[Key]:
    """The parts that a change of a parameter goes through, of those that are drawn."""
    steps = [
        [plain(i) for i in plan.shown[layer].neurons] if layer in plan.shown else [1]
        for _, layer in choices(network, reference)
    ]
    last = [plain(i) for i in plan.columns[-1].neurons]
    for rest in product(*steps):
        route = (ends(network, reference)[0], *rest)
        yield from parts(network, reference, route, last)
