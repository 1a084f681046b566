"""One path of a weight to the loss, small, to stand beside its chain of factors (Fig. 4).

In: a `Network`, a `Reference`, a route. Out: a `Drawing`. Must not know: letters, colours.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sympy import Expr

from bpderive.document.drawing import Disc, Drawing, Label, Shape
from bpderive.document.figures.layout import Column, Scale, layout
from bpderive.document.figures.parts import Look, number, parts, plain
from bpderive.document.figures.picture import Picture
from bpderive.document.figures.placing import Area
from bpderive.document.mathematics import Formula
from bpderive.forms.routes import Route
from bpderive.index import element
from bpderive.network import Network
from bpderive.reference import Reference

SMALL = Scale(
    width=5.9,
    half=0.11,
    radius=0.11,
    row=0.95,
    gap=1.25,
    tall=2.6,
    top=0.5,
    bottom=0.5,
    left=0.5,
    right=0.1,
    disc=0.0,
    loss=0.24,
    to_loss=0.6,
)

NEAR, NEARLY = 0.13, 0.05
ROOM = (0.55, 0.48)
"""The room of a neuron's letters to each side, and above or below it."""

DEEPEST = 4
"""Down to this depth, a small picture has room for its letters."""


def path_figure(network: Network, reference: Reference, route: Route) -> Drawing:
    """The network small and faint, one path through it strong, with its letters."""
    outputs = tuple(range(1, int(network.outputs) + 1))
    strong = dict.fromkeys(parts(network, reference, route, outputs), "")
    seen: dict[int, frozenset[int]] = {}
    for kind, *at in strong:
        if kind == "n":
            layer, index = at
            seen[layer] = seen.get(layer, frozenset()) | {index}
    plan = layout(network, SMALL, seen, reference.layer or 0)
    return Small(network, plan, Look(strong, faint=True)).drawing()


@dataclass(frozen=True)
class Small(Picture):
    """A figure whose neurons are dots, their letters beside them."""

    def _biases(self, column: Column) -> Iterator[Shape]:
        for shape in super()._biases(column):
            if shape.emphasis == "strong":
                yield shape

    def _heads(self) -> Iterator[Shape]:
        yield from ()

    def _neurons(self) -> Iterator[Shape]:
        for column in self.plan.columns:
            for index in column.neurons:
                yield from self._neuron(column, index)

    def _neuron(self, column: Column, index: Expr) -> Iterator[Shape]:
        key = ("n", column.layer, plain(index))
        (x, y), radius = column.place(index), self.scale.radius
        strong = key in self.look.strong
        yield Disc((x, y), radius, "ink" if strong else "axis", "strong" if strong else "faint")
        if not strong:
            return
        if not column.layer:
            text = Formula(element("x", (index,)))
            yield Label((x - radius - 0.06, y), text, "east", "input", small=True)
            return
        upper = self._free_above(column, y)
        height = y + (radius + 0.05) * (1 if upper else -1)
        for letter, role, side in (("z", "sum", -1), ("a", "activation", 1)):
            text = Formula(element(f"{letter}{column.layer}", (index,)))
            anchor = "south" if upper else "north"
            yield Label((x + 0.29 * side, height), text, anchor, role, small=True)

    def _free_above(self, column: Column, y: float) -> bool:
        """Whether the path comes from below and goes on below, rather than above."""
        beside = [self.plan.loss[1]] if column.layer == self.network.depth else []
        shown, near = self.plan.shown, (column.layer - 1, column.layer + 1)
        beside += [
            shown[layer].neurons[number(index)]
            for _, layer, index in (key for key in self.look.strong if key[0] == "n")
            if layer in near and layer in shown
        ]
        return sum(height - y for height in beside) < NEARLY

    def _areas(self, left: Column, right: Column) -> Iterator[Area]:
        yield from super()._areas(left, right)
        for column in (left, right):
            for index, y in column.neurons.items():
                if column.layer and ("n", column.layer, plain(index)) in self.look.strong:
                    way = 1 if self._free_above(column, y) else -1
                    radius = self.scale.radius
                    ends = (y + way * (radius + NEAR), y + way * (radius + ROOM[1]))
                    low, high = sorted(ends)
                    yield (column.x - ROOM[0], low, column.x + ROOM[0], high)

    def _loss(self) -> Iterator[Shape]:
        for shape in super()._loss():
            yield replace(shape, small=True) if isinstance(shape, Label) else shape

    def _weight_labels(self) -> Iterator[Label]:
        for label in super()._weight_labels():
            yield replace(label, small=True)
