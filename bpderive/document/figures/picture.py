"""One figure of a network in the making: neurons with their z and a, weights on their lines.

In: a `Network`, a `Plan` of places, a `Look` that says what stands out. Out: a `Drawing`. Must not
know: letters, colours.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from sympy import Expr, Function, Integer, Symbol

from bpderive.document.blocks import Words
from bpderive.document.drawing import Box, Disc, Drawing, Label, Point, Shape, Stroke, dots
from bpderive.document.figures.layout import Column, Plan, Scale
from bpderive.document.figures.parts import Key, Look, number, plain
from bpderive.document.figures.placing import Area, Line, place_roomily
from bpderive.document.mathematics import Formula, Layer
from bpderive.functions import scalar_symbol
from bpderive.index import element
from bpderive.network import Network
from bpderive.weights import in_order

FRAME = 0.14
"""How far the frame of a layer that mixes its neurons stands from them."""

LONGER = 0.25
"""How much longer a weight's letter is where its lower mark has the layer too, and commas."""

LABELLED = 40
"""Up to this many weights, each has its letter."""


@dataclass(frozen=True)
class Picture:
    """One figure in the making."""

    network: Network
    plan: Plan
    look: Look

    @property
    def scale(self) -> Scale:
        return self.plan.scale

    def drawing(self) -> Drawing:
        """All shapes: lines first, what stands out after what does not, text last."""
        shapes = [*sorted(self._lines(), key=_rank), *self._loss(), *self._neurons()]
        shapes += [*self._dots(), *self._heads(), *self._weight_labels()]
        shapes.sort(key=lambda shape: isinstance(shape, Label))
        return Drawing(round(self.plan.width, 2), round(self.plan.height, 2), tuple(shapes))

    # --- Lines ---

    @cached_property
    def edges(self) -> Mapping[Key, Line]:
        """Every weight that is drawn, and its line."""
        return {
            ("w", right.layer, plain(i), plain(j)): self.line(left, right, j, i)
            for left, right in self.plan.neighbours
            for i in right.neurons
            for j in left.neurons
        }

    def line(self, left: Column, right: Column, source: Expr, neuron: Expr) -> Line:
        """From the outline of one neuron to that of another."""
        reach = self.scale.half - self.scale.radius
        (x, y), (u, v) = left.place(source), right.place(neuron)
        start = (x + (reach if left.layer else 0), y)
        radius = self.scale.radius if left.layer else self.scale.disc
        return clipped((start, (u - reach, v)), radius, self.scale.radius + 0.02)

    def _lines(self) -> Iterator[Shape]:
        for key, line in self.edges.items():
            role, emphasis = self.look.of(key, "weight")
            yield Stroke(line, role, emphasis, arrow=True, dashed=role == "path2")
        for x in self.plan.gaps:
            yield from dots((x, self.plan.middle), down=False)
        for left, right in pairwise(self.plan.columns):
            if right.layer > left.layer + 1:
                through = self._reached(left) and self._reached(right)
                yield from self._stubs(left, 1, through=through)
                yield from self._stubs(right, -1, through=through)
        for column in self.plan.columns[1:]:
            yield from self._mixing(column)
            yield from self._biases(column)

    def _reached(self, column: Column) -> bool:
        """Whether a neuron of the column stands out."""
        return any(("n", column.layer, plain(i)) in self.look.strong for i in column.neurons)

    def _stubs(self, column: Column, side: int, *, through: bool) -> Iterator[Shape]:
        """The beginnings, or the ends, of lines; strong where a path leads `through` the dots."""
        half = self.scale.half if column.layer else self.scale.disc
        look = self.look if through else Look(faint=self.look.faint)
        for index, y in column.neurons.items():
            role, emphasis = look.of(("n", column.layer, plain(index)), "weight")
            start, end = (column.x + side * (half + step) for step in (0.02, 0.5))
            yield Stroke(((start, y), (end, y)), role, emphasis, dashed=True)

    def _mixing(self, column: Column) -> Iterator[Shape]:
        """A layer whose activation takes in all neurons: a frame, and the ways across."""
        if not self._mixes(column):
            return
        ys, pad = column.neurons.values(), FRAME
        corner = (column.x - self.scale.half - pad, min(ys) - self.scale.radius - pad)
        size = (2 * (self.scale.half + pad), max(ys) - min(ys) + 2 * (self.scale.radius + pad))
        yield Box(corner, size, "activation", rounding=0.5, filled=False, dashed=True)
        for i in column.neurons:
            for k in column.neurons:
                key = ("m", column.layer, plain(k), plain(i))
                if i != k and key in self.look.strong:
                    yield self._across(column, i, k, key)

    def _mixes(self, column: Column) -> bool:
        """Whether the activation of a layer takes in several neurons."""
        mixing = not self.network.layer(column.layer).activation.elementwise
        return mixing and len(column.neurons) > 1

    def _across(self, column: Column, source: Expr, neuron: Expr, key: Key) -> Stroke:
        (x, y), (_, v) = column.place(source), column.place(neuron)
        way, quarter = (1 if v > y else -1) * self.scale.radius, self.scale.half / 2
        role, emphasis = self.look.of(key, "slope")
        ends = ((x - quarter, y + way), (x + quarter, v - way))
        return Stroke(ends, role, emphasis, arrow=True, dashed=role == "path2")

    def _biases(self, column: Column) -> Iterator[Shape]:
        for index, y in column.neurons.items() if self.network.spec.bias else ():
            key = ("b", column.layer, plain(index))
            role, emphasis = self.look.of(key, "bias")
            x, top = column.x - self.scale.half / 2, y + self.scale.radius
            yield Stroke(((x, top + 0.34), (x, top + 0.02)), role, emphasis, arrow=True)
            bias = Formula(element(f"b{column.layer}", (index,)))
            yield Label((x, top + 0.37), bias, "south", role, emphasis, small=True)

    # --- Neurons ---

    def _neurons(self) -> Iterator[Shape]:
        first, *others = self.plan.columns
        for index in first.neurons:
            role, emphasis = self.look.of(("n", 0, plain(index)), "input")
            yield from self.round(first.place(index), "x", index, role, emphasis)
        for column in others:
            for index in column.neurons:
                yield from self._neuron(column, index)

    def round(
        self, at: Point, label: str, index: Expr, role: str, emphasis: str
    ) -> Iterator[Shape]:
        """A given number: an input or a label."""
        yield Disc(at, self.scale.disc, role, emphasis)
        yield Label(at, Formula(element(label, (index,))), "center", role, emphasis)

    def _neuron(self, column: Column, index: Expr) -> Iterator[Shape]:
        """One outline with z and a in it."""
        (x, y), half, radius = column.place(index), self.scale.half, self.scale.radius
        own, emphasis = self.look.of(("n", column.layer, plain(index)), "")
        outline = own or ("ink" if emphasis == "strong" else "axis")
        yield Box((x - half, y - radius), (2 * half, 2 * radius), outline, emphasis, radius)
        yield Stroke(
            ((x, y - radius), (x, y + radius)),
            outline,
            "faint" if emphasis == "faint" else "normal",
        )
        for letter, role, side in (("z", "sum", -1), ("a", "activation", 1)):
            text = Formula(element(f"{letter}{column.layer}", (index,)))
            yield Label((x + side * 0.46 * half, y), text, "center", own or role, emphasis)

    def _dots(self) -> Iterator[Shape]:
        for column in self.plan.columns:
            for y in column.dots:
                yield from dots((column.x, y), down=True)
        if len(self.plan.labels) > 1:
            x, _ = next(iter(self.plan.labels.values()))
            for y in self.plan.columns[-1].dots:
                yield from dots((x, y), down=True)

    def _loss(self) -> Iterator[Shape]:
        scale, last = self.scale, self.plan.columns[-1]
        for index in last.neurons:
            role, emphasis = self.look.of(("o", plain(index)), "axis")
            x, y = last.place(index)
            outer = ((x + scale.half - scale.radius, y), self.plan.loss)
            line = clipped(outer, scale.radius, scale.loss + 0.02)
            yield Stroke(
                line,
                "ink" if emphasis == "strong" and role == "axis" else role,
                emphasis,
                arrow=True,
            )
        for index, at in self.plan.labels.items():
            role, emphasis = self.look.of(("y", plain(index)), "input")
            line = clipped((at, self.plan.loss), scale.disc, scale.loss + 0.02)
            yield Stroke(line, "axis", emphasis, arrow=True)
            yield from self.round(at, "y", index, role, emphasis)
        role, emphasis = self.look.of(("L",), "loss")
        yield Disc(self.plan.loss, scale.loss, role, emphasis)
        yield Label(self.plan.loss, Formula(Symbol("L")), "center", role, emphasis)

    # --- Text ---

    def _heads(self) -> Iterator[Shape]:
        """Over each column what it is, under it its activation."""
        first, *others = self.plan.columns
        top = self.plan.height - 0.12
        yield from self._head(first.x, Words("figure.input"), self.network.inputs, first)
        for column in others:
            words = Words("figure.layer", {"layer": Layer(Integer(column.layer))})
            yield from self._head(column.x, words, self.network.layer(column.layer).width, column)
            yield self._activation(column)
        yield Label((self.plan.loss[0], top), Words("figure.loss"), "north", small=True)
        if len(self.plan.labels) > 1:
            x = max(x for x, _ in self.plan.labels.values())
            yield Label((x, top), Words("figure.target"), "north", small=True)

    def _head(self, x: float, words: Words, size: Expr, column: Column) -> Iterator[Shape]:
        top = self.plan.height - 0.12
        yield Label((x, top), words, "north", small=True)
        if column.dots:
            kind = "count" if column.layer else "inputs"
            count = Words(f"figure.{kind}", {"count": Formula(size)})
            yield Label((x, top - 0.4), count, "north", "axis", small=True)

    def _activation(self, column: Column) -> Label:
        row = self.network.layer(column.layer).activation
        frame = FRAME if self._mixes(column) else 0.0
        at = (column.x, min(column.neurons.values()) - self.scale.radius - frame - 0.16)
        text = Formula(Function(row.name)(scalar_symbol("z")))
        linear = row.name == "linear"
        return Label(at, Words("figure.linear") if linear else text, "north", "axis", small=True)

    def _weight_labels(self) -> Iterator[Label]:
        """Every weight on its line; of very many, or where there is no room, one for each layer."""
        wanted = [key for key in self.edges if key in self.look.strong]
        if not self.look.faint:
            wanted = list(self.edges) if len(self.edges) <= LABELLED and not self._hidden else []
        for left, right in self.plan.neighbours:
            mine = [key for key in self.edges if key[1] == right.layer]
            named = [key for key in wanted if key[1] == right.layer]
            if not self.look.faint and not named:
                named = mine[:1]
            yield from self._named(named, mine, left, right)

    @property
    def _hidden(self) -> bool:
        return bool(self.plan.gaps) or any(column.dots for column in self.plan.columns)

    def _named(
        self, named: list[Key], mine: list[Key], left: Column, right: Column
    ) -> Iterator[Label]:
        obstacles = tuple(self._areas(left, right))
        others = () if self.look.faint else tuple(key for key in mine if key not in named)
        found = None
        while named and found is None:
            lines = [self.edges[key] for key in (*named, *others)]
            size = max((_label_size(key) for key in named), key=lambda size: size[0])
            found = place_roomily(lines[: len(named)], size, LONGER, obstacles)
            if found is None:
                named = named[: len(named) // 2]
        for key, at in zip(named, found or (), strict=True):
            role, emphasis = self.look.of(key, "weight")
            yield Label(at, self.weight(key), "center", role, emphasis, halo=True)

    def _areas(self, left: Column, right: Column) -> Iterator[Area]:
        """Where no weight's letter may stand: the neurons on both sides, biases."""
        for column in (left, right):
            half = self.scale.half if column.layer else self.scale.disc
            radius = self.scale.radius if column.layer else self.scale.disc
            for y in column.neurons.values():
                yield (column.x - half, y - radius, column.x + half, y + radius)

    def weight(self, key: Key) -> Formula:
        """The letter of a weight, its indices in the order in which they are stored."""
        _, layer, neuron, source = key
        indices = in_order(self.network.spec.weights, number(neuron), number(source))
        return Formula(element(f"w{layer}", indices))


def _label_size(key: Key) -> Point:
    """About how much room the letter of a weight takes."""
    digits = sum(len(str(index)) for index in key[2:])
    return (0.5 + 0.1 * max(digits, len(str(key[1]))), 0.46)


def _rank(shape: Shape) -> int:
    """What is faint lies under what is not."""
    return ("faint", "normal", "strong").index(shape.emphasis)


def clipped(line: Line, before: float, after: float) -> Line:
    """The line without its ends, as long as given."""
    (x, y), (u, v) = line
    length = ((u - x) ** 2 + (v - y) ** 2) ** 0.5 or 1.0
    ex, ey = (u - x) / length, (v - y) / length
    return ((x + before * ex, y + before * ey), (u - after * ex, v - after * ey))
