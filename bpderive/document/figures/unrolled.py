"""A recurrent layer unrolled in time, with the paths of one of its weights.

In: a `Recurrence`. Out: a `Drawing`: a cell for each step, of many the first and the last; under
the cells what comes in, between them what is handed on, over them what follows. Must not know:
letters, colours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from sympy import Expr, Integer, Symbol

from bpderive.document.blocks import Words
from bpderive.document.drawing import Box, Drawing, Label, Point, Shape, Stroke, bent, dots
from bpderive.document.figures.through_time import Recurrence
from bpderive.document.mathematics import Formula
from bpderive.index import element

WIDE = 14.7
CELL, GAP, HOLE = 1.7, 1.25, 0.7
"""The most width of a cell; that of the gap between two, of the dots between two gaps."""

EDGE = 0.2
BUS, INPUT, FOOT = 0.35, 0.98, 1.75
"""The heights of the weight, of what comes in, of the cells' lower edges."""

APART = 0.64
"""Between the lines that lead from cell to cell."""

UP, ABOVE = 0.85, 0.66
"""From the cells to what follows them; its height."""

CUT, JOINT = 0.1, 0.86
"""How far along the way to the next cell it is cut, and the weight comes in."""

MOST = 5


def unrolled_figure(recurrence: Recurrence) -> Drawing:
    """The layer in time."""
    return _Unrolled(recurrence).drawing()


def shown(recurrence: Recurrence) -> tuple[Expr, ...]:
    """The steps that are drawn; about a cut, where there is one."""
    steps, cut = recurrence.steps, recurrence.last_cut
    if steps.is_Integer and steps <= MOST:
        return tuple(Integer(k) for k in range(1, int(steps) + 1))
    wanted = [Integer(1), Integer(2), steps - 1, steps]
    if cut is not None:
        wanted = [Integer(1), Integer(cut - 1), Integer(cut), steps]
    found = list(dict.fromkeys(wanted))
    between = (one + 1 for one, other in pairwise(found) if other - one == 2)
    return tuple(sorted({*found, *between}, key=lambda k: (not k.is_Integer, k - steps)))


@dataclass(frozen=True)
class _Unrolled:
    recurrence: Recurrence

    @cached_property
    def steps(self) -> tuple[Expr, ...]:
        return shown(self.recurrence)

    @cached_property
    def lefts(self) -> tuple[float, ...]:
        """The left edge of each cell."""
        found = [EDGE]
        for gap in self.gaps:
            found.append(round(found[-1] + self.cell + gap, 2))
        return tuple(found)

    @cached_property
    def gaps(self) -> tuple[float, ...]:
        """The room between the cells, with dots or without."""
        pairs = pairwise(self.steps)
        return tuple(GAP if two - one == 1 else 1.8 * GAP + HOLE for one, two in pairs)

    @cached_property
    def cell(self) -> float:
        """How wide a cell is."""
        room = WIDE - 2 * EDGE - sum(self.gaps)
        return round(min(CELL, room / len(self.steps)), 2)

    @cached_property
    def lines(self) -> tuple[float, ...]:
        """The heights of what is handed on, the output the lowest."""
        count = len(self.recurrence.carried)
        middle = FOOT + self.high / 2
        return tuple(round(middle + ((count - 1) / 2 - k) * APART, 2) for k in range(count))

    @property
    def high(self) -> float:
        """How high a cell is."""
        return (
            1.0
            if len(self.recurrence.carried) == 1
            else 0.55 + APART * len(self.recurrence.carried)
        )

    @property
    def top(self) -> float:
        return round(FOOT + self.high, 2)

    @cached_property
    def reaches(self) -> dict[Expr, bool]:
        """Whether a change within a step reaches the loss."""
        found: dict[Expr, bool] = {}
        later = False
        for step, after in zip(self.steps[::-1], (None, *self.steps[:0:-1]), strict=True):
            onward = later and after is not None and not self._cut_between(step, after)
            later = found[step] = self.recurrence.heard(step) or onward
        return found

    def _cut_between(self, step: Expr, after: Expr) -> bool:
        return self.recurrence.cut(step + 1) or self.recurrence.cut(after)

    def middle(self, k: int) -> float:
        return round(self.lefts[k] + self.cell / 2, 2)

    def drawing(self) -> Drawing:
        """All shapes, text last."""
        shapes: list[Shape] = [*self._weight(), *self._above()]
        for k in range(len(self.steps)):
            shapes += self._cell(k)
            if k:
                shapes += self._between(k - 1, k)
        shapes.sort(key=lambda shape: isinstance(shape, Label))
        wide, high = self.lefts[-1] + self.cell + EDGE, self.top + UP + ABOVE + 0.1
        return Drawing(round(wide, 2), round(high, 2), tuple(shapes))

    def element(self, name: str, step: Expr) -> Formula:
        """What a tensor is at a step."""
        return Formula(element(name, (step,)))

    # --- Cells ---

    def _cell(self, k: int) -> Iterator[Shape]:
        recurrence, step, x = self.recurrence, self.steps[k], self.middle(k)
        role = "path1" if self._carries(k) else "axis"
        box = Box((self.lefts[k], FOOT), (self.cell, round(self.high, 2)), role, rounding=0.12)
        yield Box(box.at, box.size, role, self._look(on=self._carries(k)), rounding=0.12)
        text = Words("figure.step", {"step": Formula(step)})
        yield Label((x, round(FOOT + self.high / 2, 2)), text)
        yield Stroke(((x, INPUT + 0.22), (x, FOOT - 0.03)), "input", arrow=True)
        source = recurrence.place.sources[0]
        stack = recurrence.derivation.stack
        name = stack.place(source).output.label if source else stack.input.label
        yield Label((x, INPUT), self.element(name, step), role="activation" if source else "input")
        if recurrence.heard(step):
            way = ((x, self.top), (x, round(self.top + UP - 0.03, 2)))
            yield Stroke(way, *self._role(on=self._carries(k)), arrow=True)
            label = self.element(recurrence.place.output.label, step)
            place = (round(x + 0.12, 2), round(self.top + UP / 2, 2))
            yield Label(place, label, "west", "activation")

    def _carries(self, k: int) -> bool:
        """Whether a path of the weight leads through a cell: at the first step nothing comes in."""
        return k > 0 and self.reaches[self.steps[k]]

    def _look(self, *, on: bool) -> str:
        return "strong" if on else "normal"

    def _role(self, *, on: bool) -> tuple[str, str]:
        return ("path1", "strong") if on else ("activation", "normal")

    def _above(self) -> Iterator[Shape]:
        """What follows: the layers above, and the loss."""
        recurrence, y = self.recurrence, round(self.top + UP, 2)
        wide = round(self.lefts[-1] + self.cell - EDGE, 2)
        yield Box((EDGE, y), (wide, ABOVE), "loss", rounding=0.12)
        stack = recurrence.derivation.stack
        last = recurrence.place.number == stack.depth
        text = Formula(Symbol(stack.root)) if last else Words("figure.above")
        yield Label((round(EDGE + wide / 2, 2), round(y + ABOVE / 2, 2)), text)

    # --- From step to step ---

    def _between(self, k: int, n: int) -> Iterator[Shape]:
        step, after = self.steps[k], self.steps[n]
        left, right = round(self.lefts[k] + self.cell, 2), self.lefts[n]
        carries = self._carries(k) and not self.recurrence.cut(step + 1)
        if after - step == 1:
            yield from self._edges(left, right, step, into=n, from_before=carries)
        else:
            hole = round(left + 0.8 * GAP, 2)
            onward = carries and self.reaches[after] and not self._cut_between(step, after)
            yield from self._edges(left, hole, step, into=None, from_before=onward)
            for y in self.lines:
                yield from dots((round(hole + HOLE / 2, 2), y), down=False)
            start = round(hole + HOLE, 2)
            before = self.reaches[after] and not self.recurrence.cut(after)
            yield from self._edges(start, right, after - 1, into=n, from_before=before)
        if self.recurrence.cut(after):
            yield from self._cut(right)

    def _edges(
        self, left: float, right: float, step: Expr, *, into: int | None, from_before: bool
    ) -> Iterator[Shape]:
        """What is handed on; from where the weight comes in, the output's line is its path."""
        carried, end = self.recurrence.carried, round(right - 0.03, 2)
        strong = from_before and (into is None or self.reaches[self.steps[into]])
        for name, y in zip(carried, self.lines, strict=True):
            role = self._role(on=strong)
            if y != self.lines[-1] or into is None:
                yield Stroke(((left, y), (end, y)), *role, arrow=True)
            else:
                joint = round(right - GAP + JOINT, 2)
                after = self._role(on=self._carries(into))
                yield Stroke(((left, y), (joint, y)), *role)
                yield Stroke(((joint, y), (end, y)), *after, arrow=True)
            at = (
                round(right - GAP + 0.52 if into is not None else left + 0.52, 2),
                round(y + 0.14, 2),
            )
            label = self.element(self.recurrence.label(name), step)
            yield Label(at, label, "south", "activation", small=True)

    def _cut(self, right: float) -> Iterator[Shape]:
        """Where no derivative goes back."""
        x = round(right - GAP + CUT, 2)
        top = round(self.top + 0.1, 2)
        yield Stroke(((x, round(FOOT - 0.1, 2)), (x, top)), "error", "strong", dashed=True)
        yield Label(
            (round(x + 0.3, 2), round(top + 0.06, 2)),
            Words("figure.cut"),
            "south",
            "error",
            small=True,
        )

    def _weight(self) -> Iterator[Shape]:
        """The weight, which comes in on the way into every cell but the first."""
        x = self.middle(0)
        yield Label((x, BUS), Formula(self.recurrence.element_of_weight()), role="weight")
        y = round(self.lines[-1] - 0.03, 2)
        for k, left in enumerate(self.lefts):
            if k:
                joint = round(left - GAP + JOINT, 2)
                way: tuple[Point, ...] = ((round(x + 0.45, 2), BUS), (joint, BUS), (joint, y))
                look = self._look(on=self._carries(k))
                yield Stroke(bent(way), "weight", look, arrow=True)
