"""Which inputs and outputs one weight of a convolution of images connects.

In: `Windows`. Out: a `Drawing`: the grids of the input, the weights and the output, a number for
each pair of cells that the weight connects. Padding is dashed. Must not know: letters, colours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from sympy import Integer

from bpderive.document.drawing import Box, Drawing, Label, Point, Shape, Stroke, dots
from bpderive.document.figures.receptive_line import line_figure, named
from bpderive.document.figures.windows import Cut, Windows
from bpderive.document.mathematics import Plain
from bpderive.document.mathematics import Shape as Sizes

CELL, WIDE = 0.56, 14.7
"""The most width of a cell, and of the picture."""

MOST = 6
"""So many inputs of an axis are drawn, and so many outputs."""

EDGE, GAP, DOTS = 0.2, 1.3, 0.5
FOOT = 1.25
"""The room under the grids, for their names."""


def receptive_figure(windows: Windows) -> Drawing:
    """What one weight connects."""
    if len(windows.lines) == 1:
        return line_figure(windows)
    return _Grids(windows).drawing()


@dataclass(frozen=True)
class _Grid:
    """A grid's upper left corner, the positions of its rows and columns, what is left out."""

    at: Point
    rows: range
    columns: range
    more: tuple[bool, bool]
    cell: float

    def corner(self, row: int, column: int) -> Point:
        """The lower left corner of a cell."""
        x = self.at[0] + (column - self.columns[0]) * self.cell
        y = self.at[1] - (row - self.rows[0] + 1) * self.cell
        return (round(x, 2), round(y, 2))

    def middle(self, row: int, column: int) -> Point:
        x, y = self.corner(row, column)
        return (round(x + self.cell / 2, 2), round(y + self.cell / 2, 2))

    @property
    def right(self) -> float:
        return round(self.at[0] + len(self.columns) * self.cell, 2)

    @property
    def foot(self) -> float:
        return round(self.at[1] - len(self.rows) * self.cell, 2)

    @property
    def centre(self) -> float:
        return round((self.at[0] + self.right) / 2, 2)


@dataclass(frozen=True)
class _Grids:
    windows: Windows

    @cached_property
    def cuts(self) -> tuple[Cut, Cut]:
        """What of the rows and of the columns is drawn."""
        (rows, columns), weight = self.windows.lines, self.windows.weight
        return Cut(rows, MOST, weight[0]), Cut(columns, MOST, weight[1])

    @cached_property
    def cell(self) -> float:
        """How large a cell is."""
        columns = self.cuts[1]
        count = len(columns.inputs) + len(columns.weights) + len(columns.outputs)
        room = WIDE - 2 * EDGE - 2 * GAP - DOTS * sum(columns.left_out)
        return min(CELL, round(room / count - 0.005, 2))

    @cached_property
    def high(self) -> float:
        """How high the grids are."""
        rows = self.cuts[0]
        most = max(len(rows.inputs), len(rows.weights), len(rows.outputs))
        return round(most * self.cell + DOTS * any(rows.left_out), 2)

    @cached_property
    def grids(self) -> tuple[_Grid, _Grid, _Grid]:
        """The input, the weights, the output, each at half the height."""
        found, x = [], EDGE
        names = ("inputs", "weights", "outputs")
        for n, name in enumerate(names):
            rows, columns = (getattr(cut, name) for cut in self.cuts)
            more = (self.cuts[0].left_out[n], self.cuts[1].left_out[n])
            top = FOOT + (self.high + len(rows) * self.cell + DOTS * more[0]) / 2
            found.append(_Grid((round(x, 2), round(top, 2)), rows, columns, more, self.cell))
            x += max(len(columns) * self.cell + DOTS * more[1], 1.1) + GAP
        return (found[0], found[1], found[2])

    @cached_property
    def output(self) -> tuple[int, int]:
        """The output whose window is marked: the second, where there is one."""
        return tuple(cut.outputs[-1 if len(cut.outputs) < 2 else 1] for cut in self.cuts)  # type: ignore[return-value]

    def drawing(self) -> Drawing:
        """All shapes, text last."""
        shapes = [*self._cells(), *self._marked(), *self._numbers(), *self._names()]
        shapes.sort(key=lambda shape: isinstance(shape, Label))
        last = self.grids[2]
        wide = max(last.right + DOTS * last.more[1], last.centre + 0.9) + EDGE
        return Drawing(round(wide, 2), round(FOOT + self.high + 0.15, 2), tuple(shapes))

    def _padding(self, row: int, column: int) -> bool:
        lines = self.windows.lines
        return not (1 <= row <= lines[0].inputs and 1 <= column <= lines[1].inputs)

    def _cells(self) -> Iterator[Shape]:
        roles = ("input", "weight", "activation")
        for n, (grid, role) in enumerate(zip(self.grids, roles, strict=True)):
            cells = [(row, column) for row in grid.rows for column in grid.columns]
            cells.sort(key=lambda cell: not (n == 0 and self._padding(*cell)))
            for cell in cells:
                padding = n == 0 and self._padding(*cell)
                on = self._connected(n, cell)
                yield Box(
                    grid.corner(*cell),
                    (self.cell, self.cell),
                    "weight" if on else role if n == 0 else "axis",
                    "strong" if on and n == 1 else "normal",
                    filled=on,
                    dashed=padding,
                )
            yield from _more(grid)

    @cached_property
    def pairs(self) -> tuple[tuple[tuple[int, int], tuple[int, int]], ...]:
        """The pairs of an input and an output that the weight connects."""
        (rows, columns), weight = self.windows.lines, self.windows.weight
        return tuple(
            ((rows.read(i, weight[0]), columns.read(j, weight[1])), (i, j))
            for i in self.cuts[0].outputs
            for j in self.cuts[1].outputs
        )

    def _connected(self, which: int, cell: tuple[int, int]) -> bool:
        if which == 1:
            return cell == self.windows.weight
        return any(cell == pair[which // 2] for pair in self.pairs)

    def _numbers(self) -> Iterator[Shape]:
        """Each pair has the number of its output."""
        wide = self.windows.lines[1].outputs
        for source, target in self.pairs:
            text = Plain(str((target[0] - 1) * wide + target[1]))
            role = "axis" if self._padding(*source) else "weight"
            yield Label(self.grids[0].middle(*source), text, role=role, small=True)
            yield Label(self.grids[2].middle(*target), text, role=role, small=True)

    def _marked(self) -> Iterator[Shape]:
        """A window, and the output that it makes, by way of the weights."""
        (rows, columns), grids = self.windows.lines, self.grids
        i, j = self.output
        first = (rows.read(i, 1), columns.read(j, 1))
        last = (rows.read(i, rows.weights), columns.read(j, columns.weights))
        shown = (min(last[0], grids[0].rows[-1]), min(last[1], grids[0].columns[-1]))
        left, foot = grids[0].corner(shown[0], first[1])
        right, top = (round(at + self.cell, 2) for at in grids[0].corner(first[0], shown[1]))
        size = (round(right - left, 2), round(top - foot, 2))
        yield Box((left, foot), size, "activation", "strong", filled=False)
        corner = grids[2].corner(i, j)
        yield Box(corner, (self.cell, self.cell), "activation", "strong", filled=False)
        kernel = grids[1]
        upper, lower = (corner[0], round(corner[1] + self.cell, 2)), corner
        ends = (
            ((right, top), (kernel.at[0], kernel.at[1])),
            ((right, foot), (kernel.at[0], kernel.foot)),
        )
        out = ((kernel.right, kernel.at[1]), upper), ((kernel.right, kernel.foot), lower)
        for way in (*ends, *out):
            yield Stroke(way, "activation", "faint")

    def _names(self) -> Iterator[Shape]:
        roles, letters = ("input", "weight", "sum"), ("uv", "kl", "ij")
        sizes = zip(*((a.inputs, a.weights, a.outputs) for a in self.windows.lines), strict=True)
        for n, (grid, size) in enumerate(zip(self.grids, sizes, strict=True)):
            foot = round(grid.foot - 0.2 - DOTS * grid.more[0], 2)
            text = named(self.windows, n, letters[n])
            yield Label((grid.centre, foot), text, "north", roles[n])
            place = (grid.centre, round(foot - 0.5, 2))
            yield Label(place, Sizes(tuple(map(Integer, size))), "north", "axis", small=True)


def _more(grid: _Grid) -> Iterator[Shape]:
    """Dots where a grid goes on."""
    if grid.more[0]:
        yield from dots((grid.centre, round(grid.foot - DOTS / 2, 2)), down=True)
    if grid.more[1]:
        y = round((grid.at[1] + grid.foot) / 2, 2)
        yield from dots((round(grid.right + DOTS / 2, 2), y), down=False)
