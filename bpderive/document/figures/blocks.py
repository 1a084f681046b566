"""A network of any layers as boxes: the way forward, under it the way back, past it the branches.

In: a `StackDerivation`. Out: a `Drawing`: boxes in rows, from the input to the loss; what leads
past a box bends over it, and under it on the way back. Must not know: letters, colours, words.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sympy import Symbol

from bpderive.backprop import StackDerivation
from bpderive.document.blocks import Words
from bpderive.document.drawing import (
    Box,
    Disc,
    Drawing,
    Label,
    Point,
    Shape,
    Stroke,
    bent,
    dots,
)
from bpderive.document.figures.boxes import ARC, BRANCH, EDGE, LINE, SUM, Boxes
from bpderive.document.figures.columns import Columns
from bpderive.document.mathematics import Formula, Plain
from bpderive.document.mathematics import Shape as Sizes
from bpderive.document.runs import numbered

LABEL = 0.5
"""How far right of a column a quantity's name stands."""

SIDE = 0.22
"""How far from the middle the way forward lies above it, and the way back below."""


def blocks_figure(derivation: StackDerivation) -> Drawing:
    """The network as blocks."""
    return _Blocks(derivation, Columns(derivation.stack)).drawing()


@dataclass(frozen=True)
class _Blocks(Boxes):
    def drawing(self) -> Drawing:
        """All shapes, text last."""
        shapes: list[Shape] = []
        for n, frame in enumerate(self.columns.frames):
            shapes += self._frame(frame, self.columns.frames[n][2])
        for k, column in enumerate(self.columns.all):
            shapes += DRAWN[column.kind](self, k)
            if column.kind != "loss":
                shapes += self._gap(k)
        for arc in self.columns.arcs:
            shapes += self._arc(arc)
        shapes.sort(key=lambda shape: isinstance(shape, Label))
        wide = max(row.end for row in self.rows) + EDGE
        return Drawing(round(wide, 2), self.height, tuple(shapes))

    # --- Columns ---

    def _box(self, k: int, role: str) -> Box:
        x, y = self.left(k), self.centre(k)[1] - self.high / 2
        return Box((x, round(y, 2)), (round(self.width(k), 2), self.high), role, rounding=0.1)

    def layer(self, k: int) -> Iterator[Shape]:
        yield self._box(k, "axis")
        (x, y), text = self.centre(k), self.texts[k]
        found: list[tuple[object, str]] = [(Plain(line), "ink") for line in text]
        if (tied := self.tied(k)) is not None:
            found.append((Words("figure.tied", {"layer": numbered(tied)}), "weight"))
        found.append((Sizes(self.sizes(self.columns.all[k])), "axis"))
        for n, (one, role) in enumerate(found):
            at = y + ((len(found) - 1) / 2 - n) * LINE
            yield Label((x, round(at, 2)), one, role=role, small=True)

    def input(self, k: int) -> Iterator[Shape]:
        yield self._box(k, "input")
        x, y = self.centre(k)
        label = Formula(Symbol(self.derivation.stack.input.label))
        yield Label((x, round(y + LINE / 2, 2)), label, role="input")
        sizes = Sizes(self.sizes(self.columns.all[k]))
        yield Label((x, round(y - LINE / 2, 2)), sizes, role="axis", small=True)

    def sum(self, k: int) -> Iterator[Shape]:
        x, y = self.centre(k)
        yield Disc((x, y), SUM, "axis")
        for dx, dy in ((SUM, 0.0), (0.0, SUM)):
            yield Stroke(((x - dx * 0.55, y - dy * 0.55), (x + dx * 0.55, y + dy * 0.55)), "ink")

    def left_out(self, k: int) -> Iterator[Shape]:
        x, y = self.centre(k)
        for height in (y + SIDE, y - SIDE):
            yield from dots((x, round(height, 2)), down=False)

    def loss(self, k: int) -> Iterator[Shape]:
        yield self._box(k, "loss")
        x, y = self.centre(k)
        stack, top = self.derivation.stack, round(y + self.high / 2, 2)
        yield Label((x, y), Formula(Symbol(stack.root)))
        yield Stroke(((x, round(top + 0.42, 2)), (x, round(top + 0.02, 2))), "input", arrow=True)
        target = Formula(Symbol(stack.target.label))
        yield Label((x, round(top + 0.5, 2)), target, "south", "input")

    # --- Between columns ---

    def _gap(self, k: int) -> Iterator[Shape]:
        """What leaves a column, and what comes back to it; at the end of a row, on both rows."""
        starts = [(self.right(k), self.middle(self.row_of(k)))]
        if k == self.rows[self.row_of(k)].last:
            starts.append((EDGE, self.middle(self.row_of(k) + 1)))
        for n, (x, y) in enumerate(starts):
            end = round(x + self.gap(k), 2)
            own = n == len(starts) - 1
            if self.columns.straight(k) or not own:
                yield from self._pair(k, (x, y), end, last=own, first=not n)
            yield from self._names(k, (x, y))
        x, y = starts[-1]
        if self.columns.branches(k):
            at = round(x + BRANCH, 2)
            if self.columns.straight(k):
                for side, role in ((SIDE, "activation"), (-SIDE, "error")):
                    yield Disc((at, round(y + side, 2)), 0.06, role)

    def _pair(self, k: int, at: Point, end: float, *, first: bool, last: bool) -> Iterator[Shape]:
        """The arrows forward and back."""
        (x, y), role = at, "activation" if self.columns.all[k].number else "input"
        inset = self._inset(k) if first else 0.0
        outset = self._inset(k + 1) if last else 0.0
        top, foot = round(y + SIDE, 2), round(y - SIDE, 2)
        ends = (round(x - inset, 2), round(end + outset - 0.02, 2))
        yield Stroke(((ends[0], top), (ends[1], top)), role, arrow=True)
        if self.returned(k) is not None:
            ends = (round(end + outset, 2), round(x - inset + 0.02, 2))
            yield Stroke(((ends[0], foot), (ends[1], foot)), "error", arrow=True)

    def _inset(self, k: int) -> float:
        """How much farther a line goes to meet a circle."""
        return SUM - (SUM**2 - SIDE**2) ** 0.5 if self.columns.all[k].kind == "sum" else 0.0

    def _names(self, k: int, at: Point) -> Iterator[Shape]:
        """The names of what leaves and of what comes back."""
        column, stack = self.columns.all[k], self.derivation.stack
        x = round(at[0] + LABEL, 2)
        if column.number:
            label = Formula(Symbol(stack.place(column.number).output.label))
            yield Label((x, round(at[1] + SIDE + 0.1, 2)), label, "south", "activation", small=True)
        elif at[0] == EDGE:
            label = Formula(Symbol(stack.input.label))
            yield Label((x, round(at[1] + SIDE + 0.1, 2)), label, "south", "input", small=True)
        back = self.returned(k)
        if back is not None:
            place = (x, round(at[1] - SIDE - 0.16, 2))
            yield Label(place, Formula(Symbol(back)), "north", "error", small=True)

    def returned(self, k: int) -> str | None:
        """The name of what comes back to a column."""
        number = self.columns.all[k].number
        stack = self.derivation.stack
        name = self.derivation.outer(stack.place(number)) if number else stack.sent
        return name if name in self.labels else None

    def _arc(self, arc: tuple[int, int]) -> Iterator[Shape]:
        """Over the boxes forward, and under them back."""
        role = "activation" if self.columns.all[arc[0]].number else "input"
        for side, colour in ((1, role), (-1, "error")):
            if side == 1 or self.returned(arc[0]) is not None:
                yield from self._half_arc(arc, side, colour)

    def _half_arc(self, arc: tuple[int, int], side: int, role: str) -> Iterator[Shape]:
        source, target = arc
        at = self.row_of(source)
        start = at + 1 if source == self.rows[at].last else at
        x = (EDGE if start != at else self.right(source)) + BRANCH
        end = self.centre(target)[0] + self._aside(arc)
        for row in range(start, self.row_of(target) + 1):
            y = self.middle(row)
            level = y + side * (self.high / 2 + self.levels[arc] * ARC - 0.12)
            points: list[Point] = [(0.02, level)]
            if row == start:
                points = [(x, y + side * SIDE), (x, level)]
                if not self.columns.straight(source):
                    points.insert(0, (x - BRANCH, y + side * SIDE))
            if row == self.row_of(target):
                points += [(end, level), (end, y + side * (self.half(target) + 0.02))]
            else:
                points.append((self.rows[row].end + EDGE, level))
            rounded = tuple((round(u, 2), round(v, 2)) for u, v in points)
            yield from _led(
                rounded, role, side, first=row == start, last=row == self.row_of(target)
            )

    def _aside(self, arc: tuple[int, int]) -> float:
        """How far from the middle an arc arrives, where several do."""
        several = sorted(other for other in self.columns.arcs if other[1] == arc[1])
        return round((several.index(arc) - (len(several) - 1) / 2) * -0.24, 2)

    def _frame(self, frame: tuple[int, int, int], count: int) -> Iterator[Shape]:
        """A dashed frame about a block, open where it goes on in another row."""
        first, last, _ = frame
        for n in range(self.row_of(first), self.row_of(last) + 1):
            row, y = self.rows[n], self.middle(n)
            reach = self.high / 2 + self.over(row) * ARC + 0.08
            top, foot = round(y + reach, 2), round(y - reach, 2)
            left = round(self._frame_left(first, n), 2)
            right = round(self.right(last) + 0.14 if last in row else row.end + EDGE, 2)
            points = [(right, top), (left, top), (left, foot), (right, foot)]
            if first not in row:
                points = [(left, top), (right, top), (right, foot), (left, foot)]
            if last in row and first in row:
                points.append((right, top))
            yield Stroke(tuple(points), "axis", dashed=True)
            if last in row:
                text = Words("figure.times", {"count": Plain(str(count))})
                yield Label((round(right - 0.35, 2), round(top + 0.13, 2)), text, "south")

    def _frame_left(self, first: int, row: int) -> float:
        if first not in self.rows[row]:
            return 0.02
        branched = self.columns.branches(first - 1)
        return self.left(first) - (self.gap(first - 1) - BRANCH + 0.18 if branched else 0.14)


def _led(
    points: tuple[Point, ...], role: str, side: int, *, first: bool, last: bool
) -> Iterator[Shape]:
    """A piece of an arc, with a head where it ends: forward at the target, back at the source."""
    way = bent(points)
    yield Stroke(way if side == 1 else way[::-1], role, arrow=last if side == 1 else first)


DRAWN: Mapping[str, Callable[[_Blocks, int], Iterator[Shape]]] = {
    "layer": _Blocks.layer,
    "input": _Blocks.input,
    "sum": _Blocks.sum,
    "dots": _Blocks.left_out,
    "loss": _Blocks.loss,
}
