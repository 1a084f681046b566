"""Attention as blocks: queries, keys and values, scores, softmax, the weighted sum.

In: a `StackDerivation` and a `Place`. Out: a `Drawing`: arrows forward with the tensors, and
arrows back with the derivatives by them. Must not know: letters, colours, words.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from sympy import Symbol

from bpderive.backprop import StackDerivation
from bpderive.document.blocks import Words
from bpderive.document.drawing import Box, Drawing, Label, Point, Shape, Stroke
from bpderive.document.mathematics import Formula
from bpderive.functions.conditions import bracket
from bpderive.modules.labels import delta, label
from bpderive.stack.model import Place

ATTENTION = "attention"
EDGE, SIDE = 0.15, 0.2
ROWS = {"q": 3.8, "k": 2.3, "v": 0.8}
"""The heights of the three ways in."""

HIGH, WIDE = 1.0, 14.4
BOXES = {
    "x": (0.15, 0.9, "v", "q"),
    "q": (1.75, 1.2, "q", "q"),
    "k": (1.75, 1.2, "k", "k"),
    "v": (1.75, 1.2, "v", "v"),
    "u": (3.95, 1.1, "k", "q"),
    "p": (6.05, 2.25, "p", "p"),
    "o": (9.3, 2.05, "v", "p"),
    "a": (12.3, 1.2, "o", "o"),
}
"""By the tensor that a box makes: its left edge, its width, from which row to which it reaches."""

ARROWS = (
    ("x", "q", "q"),
    ("x", "k", "k"),
    ("x", "v", "v"),
    ("q", "u", "q"),
    ("k", "u", "k"),
    ("u", "p", "p"),
    ("p", "o", "p"),
    ("v", "o", "v"),
    ("o", "a", "o"),
)
"""From which box to which, in which row."""

WORDS = {"u": "figure.scores", "p": "figure.softmax", "o": "figure.mixture"}


def has_figure(place: Place) -> bool:
    """Whether a layer is attention with queries, keys and values of its own."""
    return place.row == ATTENTION and set(BOXES) <= set(place.module.by_name)


def is_causal(place: Place) -> bool:
    """Whether no step sees a later one."""
    return any(equation.rhs.has(bracket) for equation in place.module.equations)


def attention_figure(derivation: StackDerivation, place: Place) -> Drawing:
    """One layer of attention as blocks."""
    return _Attention(derivation, place).drawing()


def height(row: str) -> float:
    """The height of a row; that of the scores lies between its neighbours."""
    between = {"p": (ROWS["q"] + ROWS["k"]) / 2}
    between["o"] = (between["p"] + ROWS["v"]) / 2
    return round({**ROWS, **between}[row], 2)


@dataclass(frozen=True)
class _Attention:
    derivation: StackDerivation
    place: Place

    def drawing(self) -> Drawing:
        """All shapes, text last."""
        shapes: list[Shape] = []
        for name in BOXES:
            shapes += self._box(name)
        for arrow in ARROWS:
            shapes += self._pair(*arrow)
        shapes += self._out()
        shapes.sort(key=lambda shape: isinstance(shape, Label))
        return Drawing(WIDE + EDGE, round(ROWS["q"] + HIGH / 2 + 0.15, 2), tuple(shapes))

    @cached_property
    def labels(self) -> frozenset[str]:
        """The derivatives that have names."""
        return frozenset(equation.label for equation in self.derivation.backward)

    @property
    def source(self) -> str:
        """The label of what comes in."""
        number, stack = self.place.sources[0], self.derivation.stack
        return stack.place(number).output.label if number else stack.input.label

    def back(self, name: str) -> str | None:
        """The label of the derivative by a tensor, where it has one."""
        number, stack = self.place.sources[0], self.derivation.stack
        if name == "x":
            found = self.derivation.outer(stack.place(number)) if number else stack.sent
        elif name == "a":
            found = self.derivation.outer(self.place)
        else:
            found = str(self.place.names.get(delta(name), ""))
        return found if found in self.labels else None

    def _box(self, name: str) -> Iterator[Shape]:
        left, wide, low, top = BOXES[name]
        foot = round(height(low) - HIGH / 2, 2)
        size = (wide, round(height(top) + HIGH / 2 - foot, 2))
        role = "input" if name == "x" else "axis"
        yield Box((left, foot), size, role, rounding=0.1)
        middle = (round(left + wide / 2, 2), round(foot + size[1] / 2, 2))
        if name in WORDS:
            causal = name == "p" and is_causal(self.place)
            yield Label(middle, Words("figure.causal" if causal else WORDS[name]), small=True)
        elif name == "x":
            yield from self._input(middle)
        else:
            weight = str(self.place.names[label(f"W_{'o' if name == 'a' else name}")])
            yield Label(middle, Formula(Symbol(weight)), role="weight")

    def _input(self, middle: Point) -> Iterator[Shape]:
        x, y = middle
        back = self.back("x")
        up = 0.22 if back else 0.0
        yield Label((x, round(y + up, 2)), Formula(Symbol(self.source)), role="input")
        if back:
            yield Label((x, round(y - up, 2)), Formula(Symbol(back)), role="error")

    def _pair(self, source: str, target: str, row: str) -> Iterator[Shape]:
        """The arrows forward and back between two boxes, with their names."""
        left = round(BOXES[source][0] + BOXES[source][1], 2)
        right, y = BOXES[target][0], height(row)
        if source == "x":
            yield from self._arrows(left, right, y, "input", back=self.back("x") is not None)
        else:
            yield from self._arrows(left, right, y, "activation", back=True)
            yield from self._names(source, round(left + 0.5, 2), y)

    def _names(self, name: str, x: float, y: float) -> Iterator[Shape]:
        tensor = str(self.place.names[label(name)])
        up, down = round(y + SIDE + 0.12, 2), round(y - SIDE - 0.16, 2)
        yield Label((x, up), Formula(Symbol(tensor)), "south", "activation", small=True)
        back = self.back(name)
        if back is not None:
            yield Label((x, down), Formula(Symbol(back)), "north", "error", small=True)

    def _arrows(
        self, left: float, right: float, y: float, role: str, *, back: bool
    ) -> Iterator[Shape]:
        up, down = round(y + SIDE, 2), round(y - SIDE, 2)
        yield Stroke(((left, up), (round(right - 0.02, 2), up)), role, arrow=True)
        if back:
            yield Stroke(((right, down), (round(left + 0.02, 2), down)), "error", arrow=True)

    def _out(self) -> Iterator[Shape]:
        left = round(BOXES["a"][0] + BOXES["a"][1], 2)
        yield from self._arrows(left, WIDE, height("o"), "activation", back=True)
        yield from self._names("a", round(left + 0.4, 2), height("o"))
