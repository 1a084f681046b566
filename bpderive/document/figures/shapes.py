"""Forward and backward flow, layer by layer, with the shape of what flows along each line.

In: a `Network`, and whether a batch flows or one sample. Out: a `Drawing`: a box for each layer,
above it the way forward, under it the way back, from which the gradients branch off. Must not know:
letters, colours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from sympy import Expr, Function, Symbol

from bpderive.document.blocks import Words
from bpderive.document.drawing import Box, Drawing, Label, Stroke, dots
from bpderive.document.drawing import Shape as Drawn
from bpderive.document.figures.layout import kept_layers
from bpderive.document.mathematics import Formula, Matrix, Shape
from bpderive.equations import SAMPLES
from bpderive.forms.arrays import Leaf
from bpderive.functions import scalar_symbol
from bpderive.network import Network
from bpderive.weights import in_order

WIDE = 14.9
EDGE = 0.1
BOX = (1.6, 1.1)
LOSS = 0.9
DOTS = 0.9
MOST = 1.9
FORWARD, BACK, GRADIENT = 4.5, 2.35, 0.88
"""The heights of the way forward, of the way back, and of the gradients."""

TOP = 6.02
I, J = Symbol("_i"), Symbol("_j")


def flow_figure(network: Network, *, batch: bool) -> Drawing:
    """The block diagram of a step of training, for a sample or for a batch."""
    return _Flow(network, batch).drawing()


@dataclass(frozen=True)
class _Flow:
    network: Network
    batch: bool

    @cached_property
    def layers(self) -> tuple[int, ...]:
        """The layers that have boxes."""
        return tuple(layer for layer in kept_layers(self.network.depth, 4, 0) if layer)

    @property
    def space(self) -> float:
        holes = sum(not self.joined(layer) for layer in self.layers)
        used = 2 * EDGE + len(self.layers) * BOX[0] + holes * DOTS + LOSS
        return min(MOST, (WIDE - used) / (len(self.layers) + 1 + holes))

    def joined(self, layer: int) -> bool:
        """Whether the layer below has a box too, or is the input."""
        return layer == 1 or layer - 1 in self.layers

    @cached_property
    def xs(self) -> dict[int, float]:
        """The middle of each layer's boxes."""
        x, found = EDGE + self.space, {}
        for layer in self.layers:
            x += 0 if self.joined(layer) else DOTS + self.space
            found[layer] = x + BOX[0] / 2
            x += BOX[0] + self.space
        return found

    @property
    def loss(self) -> float:
        """The middle of the loss's box."""
        return self.xs[self.network.depth] + BOX[0] / 2 + self.space + LOSS / 2

    def drawing(self) -> Drawing:
        """All shapes, text last."""
        shapes = [*self._loss()]
        for layer in self.layers:
            shapes += [*self._forward(layer), *self._back(layer), *self._gradient(layer)]
        shapes.sort(key=lambda shape: isinstance(shape, Label))
        return Drawing(round(self.loss + LOSS / 2 + EDGE, 2), TOP, tuple(shapes))

    # --- Mathematics ---

    def array(self, label: str) -> Matrix:
        """A vector, or the matrix of a batch."""
        return Matrix(Leaf((I, J) if self.batch else (I,), label))

    def shape(self, size: Expr) -> Shape:
        """The shape of what flows."""
        sizes = (SAMPLES, size) if self.batch else (size,)
        return Shape(sizes[::-1] if self.network.spec.orientation == "columns" else sizes)

    def size(self, layer: int) -> Expr:
        return self.network.layer(layer).width if layer else self.network.inputs

    def output(self, layer: int) -> Matrix:
        return self.array(f"a{layer}" if layer else "x")

    # --- Forward ---

    def _forward(self, layer: int) -> Iterator[Drawn]:
        x, (wide, high), row = self.xs[layer], BOX, self.network.layer(layer).activation
        yield Box((x - wide / 2, FORWARD - high / 2), BOX, "axis", rounding=0.12)
        bias = self.network.spec.bias
        weight = Matrix(Leaf((I, J), f"w{layer}"))
        yield Label((x - 0.33 * bias, FORWARD + 0.24), weight, "center", "weight")
        if bias:
            yield Label((x + 0.33, FORWARD + 0.24), Matrix(Leaf((I,), f"b{layer}")), role="bias")
        function = Formula(Function(row.name)(scalar_symbol("z")))
        text = Words("figure.linear") if row.name == "linear" else function
        yield Label((x, FORWARD - 0.27), text, small=True)
        start = x - wide / 2 - self.space
        yield from self._edge(start, start + self.space, self.output(layer - 1), layer - 1)
        if not self.joined(layer):
            yield from self._between(start)

    def _edge(self, start: float, end: float, text: Matrix, layer: int) -> Iterator[Drawn]:
        """An arrow forward, what flows along it, its shape."""
        middle = (start + end) / 2
        role = "activation" if layer else "input"
        yield Stroke(((start, FORWARD), (end - 0.02, FORWARD)), role, arrow=True)
        yield Label((middle, FORWARD + 0.1), text, "south", role)
        yield Label(
            (middle, FORWARD - 0.1), self.shape(self.size(layer)), "north", "axis", small=True
        )

    def _between(self, right: float) -> Iterator[Drawn]:
        """Dots for the layers left out, and the line into them."""
        left = right - DOTS - self.space
        below = max(layer for layer in self.layers if self.xs[layer] < left)
        yield from self._edge(left, right - DOTS, self.output(below), below)
        for height in (FORWARD, BACK):
            yield from dots((right - DOTS / 2, height), down=False)

    def _loss(self) -> Iterator[Drawn]:
        depth, x = self.network.depth, self.loss
        yield Box((x - LOSS / 2, FORWARD - BOX[1] / 2), (LOSS, BOX[1]), "loss", rounding=0.12)
        yield Label((x, FORWARD), Formula(Symbol("L")))
        end = x - LOSS / 2
        yield from self._edge(end - self.space, end, self.output(depth), depth)
        top = FORWARD + BOX[1] / 2
        yield Stroke(((x, top + 0.5), (x, top + 0.02)), "input", arrow=True)
        yield Label((x, top + 0.58), self.array("y"), "south", "input")
        turn = ((x, FORWARD - BOX[1] / 2), (x, BACK), (self.xs[depth] + BOX[0] / 2 + 0.02, BACK))
        yield Stroke(turn, "error", arrow=True)

    # --- Backward ---

    def _back(self, layer: int) -> Iterator[Drawn]:
        x, (wide, high) = self.xs[layer], BOX
        yield Box((x - wide / 2, BACK - high / 2), BOX, "error", rounding=0.12)
        yield Label((x, BACK + 0.2), self.array(f"delta{layer}"), role="error")
        yield Label((x, BACK - 0.27), self.shape(self.size(layer)), role="axis", small=True)
        kept = ((x, FORWARD - high / 2), (x, BACK + high / 2 + 0.02))
        yield Stroke(kept, "axis", arrow=True, dashed=True)
        height = (FORWARD + BACK) / 2
        yield Label(
            (x - 0.12, height), self.output(layer - 1), "east", self._role(layer - 1), small=True
        )
        if self.sloped(layer):
            yield Label((x + 0.12, height), self.array(f"z{layer}"), "west", "sum", small=True)
        if layer > 1:
            end = x - wide / 2 - self.space
            yield Stroke(((x - wide / 2, BACK), (end + 0.02, BACK)), "error", arrow=True)
            weight = Matrix(Leaf((I, J), f"w{layer}"))
            yield Label(
                ((x - wide / 2 + end) / 2, BACK + 0.1), weight, "south", "weight", small=True
            )
        if not self.joined(layer):
            below = max(at for at in self.layers if at < layer)
            left = self.xs[below] + wide / 2
            yield Stroke(((left + self.space, BACK), (left + 0.02, BACK)), "error", arrow=True)

    def sloped(self, layer: int) -> bool:
        """Whether the way back needs a layer's weighted sums, for a slope there."""
        cancels = layer == self.network.depth and self.network.loss.domain == "unit"
        return self.network.layer(layer).activation.name != "linear" and not cancels

    def _role(self, layer: int) -> str:
        return "activation" if layer else "input"

    def _gradient(self, layer: int) -> Iterator[Drawn]:
        """What branches off at a layer: the gradients of its parameters, with their shapes."""
        x, found = self.xs[layer], [("w", "weight", self._weights(layer))]
        if self.network.spec.bias:
            found.append(("b", "bias", Shape((self.size(layer),))))
        for number, (letter, role, shape) in enumerate(found):
            at = x + (number - (len(found) - 1) / 2) * 1.2
            foot = BACK - BOX[1] / 2
            yield Stroke(((at, foot), (at, GRADIENT + 0.46)), role, arrow=True)
            axes = (I, J) if letter == "w" else (I,)
            yield Label(
                (at, GRADIENT), Matrix(Leaf(axes, f"d{letter}{layer}")), role=role, large=True
            )
            yield Label((at, GRADIENT - 0.42), shape, "north", "axis", small=True)

    def _weights(self, layer: int) -> Shape:
        sizes = in_order(self.network.spec.weights, self.size(layer), self.size(layer - 1))
        return Shape(sizes)
