"""Where the boxes of a network of any layers stand: columns in rows, arcs over one another.

In: a `StackDerivation`. Out: `Boxes`: the places and sizes of all columns, in centimetres. Must not
know: what is drawn there, letters, colours.
"""

from dataclasses import dataclass
from functools import cached_property

from sympy import Expr

from bpderive.backprop import StackDerivation
from bpderive.document.drawing import Point
from bpderive.document.figures.columns import Column, Columns, lines
from bpderive.document.layered.naming import written

WIDE = 14.7
EDGE = 0.15
GAP, WIDER = 1.05, 0.4
"""Between two columns, and how much more where something branches off."""

BRANCH = 1.12
"""How far right of a column something branches off."""

SUM, DOTS, LOSS = 0.3, 0.6, 0.9
LINE, PAD = 0.35, 0.24
LETTER = 0.15
ARC = 0.42
"""How much higher an arc is than the one below it."""

ABOVE, BELOW = 0.65, 0.85
"""Room over and under a row for names of quantities."""

TIED = 3.1
"""A box that says whose parameters it has is so wide."""

TARGET = 1.05
"""The room over the loss, for the target."""


@dataclass(frozen=True)
class Row:
    """Columns `first` to `last`, with their left edges; the middle's height."""

    first: int
    last: int
    lefts: dict[int, float]
    end: float

    def __contains__(self, column: int) -> bool:
        return self.first <= column <= self.last


@dataclass(frozen=True)
class Boxes:
    """The columns with their places."""

    derivation: StackDerivation
    columns: Columns

    # --- Sizes ---

    @cached_property
    def labels(self) -> frozenset[str]:
        """The derivatives that have names."""
        return frozenset(equation.label for equation in self.derivation.backward)

    @cached_property
    def texts(self) -> tuple[tuple[str, ...], ...]:
        """The lines of text in each column's box."""
        stack = self.derivation.stack
        return tuple(
            lines(written(stack.place(c.number))) if c.kind == "layer" else ()
            for c in self.columns.all
        )

    def tied(self, column: int) -> int | None:
        one = self.columns.all[column]
        return self.derivation.stack.place(one.number).tied if one.kind == "layer" else None

    def sizes(self, column: Column) -> tuple[Expr, ...]:
        stack = self.derivation.stack
        return stack.place(column.number).output.sizes if column.number else stack.input.sizes

    def width(self, k: int) -> float:
        """How wide a column is."""
        column = self.columns.all[k]
        fixed = {"sum": 2 * SUM, "dots": DOTS, "loss": LOSS}
        if column.kind in fixed:
            return fixed[column.kind]
        sizes = len(" × ".join(map(str, self.sizes(column))))
        longest = max([sizes, 5, *map(len, self.texts[k])])
        wide = longest * LETTER + PAD
        return wide if self.tied(k) is None else max(wide, TIED)

    @cached_property
    def high(self) -> float:
        """How high the boxes are."""
        most = max(len(t) + (self.tied(k) is not None) for k, t in enumerate(self.texts))
        return round((max(most, 1) + 1) * LINE + PAD, 2)

    def gap(self, k: int) -> float:
        """The room right of a column."""
        return GAP + WIDER * self.columns.branches(k)

    # --- Places ---

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """As few rows as there can be, and then as equal in length."""
        best, limit = self._broken(WIDE), WIDE
        while (tried := self._broken(limit)) and len(tried) == len(best):
            best, limit = tried, limit - 0.2
            if limit < max(row.end for row in best) / 2:
                break
        return best

    def _broken(self, limit: float) -> tuple[Row, ...]:
        rows: list[Row] = []
        first, lefts, x = 0, dict[int, float](), EDGE
        for k in range(len(self.columns.all)):
            wide = self.width(k)
            stub = self.gap(k) if k + 1 < len(self.columns.all) else 0.0
            if lefts and x + wide + stub + EDGE > limit:
                rows.append(Row(first, k - 1, lefts, x))
                first, lefts, x = k, {}, EDGE + self.gap(k - 1)
            lefts[k] = round(x, 2)
            x = round(x + wide + stub, 2)
        rows.append(Row(first, len(self.columns.all) - 1, lefts, x))
        return tuple(rows)

    def row_of(self, column: int) -> int:
        return next(n for n, row in enumerate(self.rows) if column in row)

    @cached_property
    def levels(self) -> dict[tuple[int, int], int]:
        """How many arcs lie under each."""
        found: dict[tuple[int, int], int] = {}
        for arc in sorted(self.columns.arcs, key=lambda arc: (arc[1] - arc[0], arc)):
            under = [n for other, n in found.items() if other[0] < arc[1] and arc[0] < other[1]]
            found[arc] = max(under, default=0) + 1
        return found

    def over(self, row: Row) -> int:
        """The most arcs over one another in a row."""
        reach = (n for (a, b), n in self.levels.items() if a <= row.last and b >= row.first)
        return max(reach, default=0)

    @cached_property
    def middles(self) -> tuple[float, ...]:
        """The height of each row's middle, from the top of the picture."""
        found, y = [], 0.0
        for row in self.rows:
            room = max(ABOVE, self.over(row) * ARC + self.framed(row))
            if len(self.columns.all) - 1 in row:
                room = max(room, TARGET)
            y += room + self.high / 2
            found.append(y)
            y += max(BELOW - self.high / 2 + 0.3, self.over(row) * ARC + self.framed(row) / 2)
            y += self.high / 2 + 0.15
        return tuple(found)

    def framed(self, row: Row) -> float:
        """The room that a frame needs over a row."""
        return 0.55 * any(a <= row.last and b >= row.first for a, b, _ in self.columns.frames)

    @cached_property
    def height(self) -> float:
        row = self.rows[-1]
        below = max(BELOW - self.high / 2 + 0.3, self.over(row) * ARC + self.framed(row) / 2)
        return round(self.middles[-1] + self.high / 2 + below + 0.1, 2)

    def middle(self, row: int) -> float:
        return round(self.height - self.middles[row], 2)

    def left(self, k: int) -> float:
        return self.rows[self.row_of(k)].lefts[k]

    def right(self, k: int) -> float:
        return round(self.left(k) + self.width(k), 2)

    def centre(self, k: int) -> Point:
        return (round(self.left(k) + self.width(k) / 2, 2), self.middle(self.row_of(k)))

    def half(self, k: int) -> float:
        """Half the height of what stands in a column."""
        return SUM if self.columns.all[k].kind == "sum" else self.high / 2
