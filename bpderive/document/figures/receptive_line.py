"""Which inputs and outputs one weight of a convolution along one axis connects.

In: `Windows`. Out: a `Drawing`: outputs over inputs, a line for each weight; those of one are
strong. Padding is dashed. Must not know: letters, colours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from bpderive.document.drawing import Box, Drawing, Label, Point, Shape, Stroke, dots
from bpderive.document.figures.windows import Cut, Windows
from bpderive.document.mathematics import Formula, Plain
from bpderive.index import indices_of

CELL, EDGE, DOTS = 0.56, 0.2, 0.5
WIDER, RAISED = 0.95, 2.1
"""How wide a cell's place is, and how far the outputs lie over the inputs."""

LONG = 9
"""So many inputs are drawn."""


def line_figure(windows: Windows) -> Drawing:
    """What one weight connects."""
    return _Rows(windows).drawing()


def named(windows: Windows, which: int, letters: str) -> Formula:
    """A tensor with letters for its positions."""
    expr = windows.named(which, letters)
    return Formula(expr, tuple(index for index in indices_of(expr) if not index.is_Integer))


@dataclass(frozen=True)
class _Rows:
    windows: Windows

    @cached_property
    def cut(self) -> Cut:
        """What is drawn."""
        return Cut(self.windows.lines[0], LONG, self.windows.weight[0])

    @cached_property
    def left(self) -> float:
        """Where the first input begins, right of the rows' names."""
        return EDGE + 1.5

    def input(self, position: int) -> Point:
        """The middle of an input's cell."""
        x = self.left + (position - self.cut.inputs[0] + 0.5) * WIDER
        return (round(x, 2), 0.5)

    def output(self, number: int) -> Point:
        """The middle of an output's cell: over the middle of what it sees."""
        line = self.windows.lines[0]
        first, last = line.read(number, 1), line.read(number, line.weights)
        x = self.left + ((first + last) / 2 - self.cut.inputs[0] + 0.5) * WIDER
        return (round(x, 2), round(0.5 + RAISED, 2))

    def drawing(self) -> Drawing:
        """All shapes, text last."""
        shapes = [*self._lines(), *self._cells(), *self._names()]
        shapes.sort(key=lambda shape: isinstance(shape, Label))
        wide = self.input(self.cut.inputs[-1])[0] + WIDER / 2 + DOTS + EDGE
        return Drawing(round(wide, 2), round(RAISED + 1.0, 2), tuple(shapes))

    @property
    def outputs(self) -> tuple[int, ...]:
        """Those that stand over the inputs drawn."""
        right = self.input(self.cut.inputs[-1])[0] + WIDER / 2
        return tuple(o for o in self.cut.outputs if self.output(o)[0] <= right)

    def _lines(self) -> Iterator[Shape]:
        """From every input under a weight to its output; those of the weight are strong."""
        line, chosen = self.windows.lines[0], self.windows.weight[0]
        found = [
            (weight == chosen, output, weight)
            for output in self.outputs
            for weight in range(1, line.weights + 1)
            if line.read(output, weight) in self.cut.inputs
        ]
        for on, output, weight in sorted(found):
            (x, y), (u, v) = self.input(line.read(output, weight)), self.output(output)
            way = ((x, round(y + CELL / 2, 2)), (u, round(v - CELL / 2 - 0.02, 2)))
            yield Stroke(way, "weight", "strong" if on else "faint", arrow=on)

    def _cells(self) -> Iterator[Shape]:
        line = self.windows.lines[0]
        for position in self.cut.inputs:
            padding = not 1 <= position <= line.inputs
            yield _cell(self.input(position), "input", dashed=padding)
            text = Plain("0" if padding else str(position))
            yield Label(self.input(position), text, role="axis" if padding else "ink", small=True)
        for output in self.outputs:
            yield _cell(self.output(output), "activation", dashed=False)
            yield Label(self.output(output), Plain(str(output)), small=True)
        more = (self.cut.left_out[0], line.outputs != self.outputs[-1])
        ends = (self.input(self.cut.inputs[-1]), self.output(self.outputs[-1]))
        for on, (x, y) in zip(more, ends, strict=True):
            if on:
                yield from dots((round(x + WIDER / 2 + 0.3, 2), y), down=False)

    def _names(self) -> Iterator[Shape]:
        y = self.input(self.cut.inputs[0])[1]
        for which, letter, role, at in ((0, "t", "input", y), (2, "i", "sum", y + RAISED)):
            text = named(self.windows, which, letter)
            yield Label((EDGE, round(at, 2)), text, "west", role)
        weight = Formula(self.windows.element)
        yield Label((EDGE, round(y + RAISED / 2, 2)), weight, "west", "weight")


def _cell(middle: Point, role: str, *, dashed: bool) -> Box:
    at = (round(middle[0] - CELL / 2, 2), round(middle[1] - CELL / 2, 2))
    return Box(at, (CELL, CELL), role, filled=not dashed, dashed=dashed)
