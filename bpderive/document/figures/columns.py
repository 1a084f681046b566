"""Which layers a picture of blocks has: equal blocks once, of very many layers the first and last.

In: a `Stack`. Out: `Columns`: what stands from left to right, what leads where, which blocks are
repeated. Must not know: where anything stands, letters, words.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from bpderive.stack.model import Place, Stack

LEAST = 3
"""So many equal blocks in a row are drawn once."""

MOST = 16
"""A picture has at most so many columns; then the middle is left out."""

LONGEST = 60
"""A block of more layers is not looked for."""

LINE, LINES = 12, 4
"""Characters in a line of a box, and lines."""

PIECE = re.compile(r":?[^,(:]*[,(]|:?[^,(:]+")

Kind = Literal["input", "layer", "sum", "dots", "loss"]


@dataclass(frozen=True)
class Column:
    """A box, a sum, or dots; `number` is that of the layer whose output leaves it."""

    kind: Kind
    number: int
    first: int


@dataclass(frozen=True)
class Repeat:
    """A block of layers from `first` on that stands `count` times in a row."""

    first: int
    period: int
    count: int

    @property
    def end(self) -> int:
        """The last layer of the last block."""
        return self.first + self.period * self.count - 1


@dataclass(frozen=True)
class Columns:
    """What stands from left to right."""

    stack: Stack

    @cached_property
    def repeats(self) -> tuple[Repeat, ...]:
        """The blocks that are drawn once."""
        return tuple(repeats(self.stack))

    @cached_property
    def all(self) -> tuple[Column, ...]:
        """The columns in order."""
        found = [*self._every()]
        if len(found) <= MOST:
            return tuple(found)
        head, tail = found[: MOST // 2], found[-MOST // 2 + 1 :]
        dots = Column("dots", tail[0].first - 1, head[-1].number + 1)
        return (*head, dots, *tail)

    def _every(self) -> Iterator[Column]:
        yield Column("input", 0, 0)
        for place in self.stack.places:
            over = next((r for r in self.repeats if r.first <= place.number <= r.end), None)
            if over is None or place.number < over.first + over.period:
                kind: Kind = "sum" if place.row == "add" else "layer"
                yield Column(kind, place.number, place.number)
            elif place.number == over.end:
                yield Column("dots", over.end, over.first + over.period)
        yield Column("loss", self.stack.depth + 1, self.stack.depth + 1)

    def at(self, number: int) -> int:
        """The column of a layer, or of the dots that stand for it."""
        return next(k for k, one in enumerate(self.all) if one.first <= number <= one.number)

    @cached_property
    def links(self) -> tuple[tuple[int, int], ...]:
        """From which column to which something leads, without repetition."""
        found = [(s, p.number) for p in self.stack.places for s in p.sources]
        found.append((self.stack.depth, self.stack.depth + 1))
        pairs = ((self.at(source), self.at(target)) for source, target in found)
        return tuple(dict.fromkeys(pair for pair in pairs if pair[0] != pair[1]))

    @cached_property
    def arcs(self) -> tuple[tuple[int, int], ...]:
        """What leads past other columns."""
        return tuple(pair for pair in self.links if pair[1] != pair[0] + 1)

    def straight(self, column: int) -> bool:
        """Whether a column leads to the next one."""
        return (column, column + 1) in self.links

    def branches(self, column: int) -> bool:
        """Whether a column leads past others too."""
        return any(source == column for source, _ in self.arcs)

    @cached_property
    def frames(self) -> tuple[tuple[int, int, int], ...]:
        """The first and the last column of every block drawn once, and how many it stands for."""
        kept = {c.number: k for k, c in enumerate(self.all) if c.kind != "dots"}
        found = ((r.first, r.first + r.period - 1, r.count) for r in self.repeats)
        return tuple((kept[a], kept[b], n) for a, b, n in found if a in kept and b in kept)


def repeats(stack: Stack) -> Iterator[Repeat]:
    """Equal blocks that stand in a row often enough, from left to right."""
    at = 1
    while at <= stack.depth:
        tried = (_repeat(stack, at, p) for p in range(1, min(LONGEST, stack.depth - at) + 1))
        found = [r for r in tried if r.count >= LEAST and _closed(stack, r)]
        best = max(found, key=lambda r: (r.period * (r.count - 1), -r.period), default=None)
        if best:
            yield best
        at = best.end + 1 if best else at + 1


def _repeat(stack: Stack, first: int, period: int) -> Repeat:
    count = 1
    while _same(stack, first, first + count * period, period):
        count += 1
    return Repeat(first, period, count)


def _same(stack: Stack, first: int, other: int, period: int) -> bool:
    if other + period - 1 > stack.depth:
        return False
    pairs = ((stack.place(first + k), stack.place(other + k)) for k in range(period))
    return all(_sign(one) == _sign(two) for one, two in pairs)


def _sign(place: Place) -> tuple[object, ...]:
    """What two layers that look alike have in common."""
    back = tuple(place.number - source for source in place.sources)
    return place.row, place.text, place.tied, place.output.sizes, back


def _closed(stack: Stack, repeat: Repeat) -> bool:
    """Whether each block takes nothing but the output of the one before, and the rest no more."""
    for place in stack.places:
        into = repeat.first <= place.number <= repeat.end
        block = (place.number - repeat.first) // repeat.period
        start = repeat.first + block * repeat.period - 1
        if into and any(source < start for source in place.sources):
            return False
        inside = range(repeat.first, repeat.end)
        if place.number > repeat.end and any(source in inside for source in place.sources):
            return False
    return True


def lines(text: str) -> tuple[str, ...]:
    """A layer as written on lines of a box: `conv(4,3,`, `padding=1)`, `:relu`."""
    found = [""]
    for piece in PIECE.findall(text):
        for part in (piece[k : k + LINE] for k in range(0, len(piece), LINE)):
            if len(found[-1]) + len(part) <= LINE:
                found[-1] += part
            else:
                found.append(part)
    if len(found) > LINES:
        found = [*found[: LINES - 1], found[LINES - 1][: LINE - 1] + "…"]
    return tuple(line for line in found if line)
