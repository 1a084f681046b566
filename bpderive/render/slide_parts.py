"""What a block is cut into for slides, and how tall each piece is.

In: a block. Out: pieces that a slide has room for, and heights in lines of text. Must not know:
which pieces share a slide.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby
from math import ceil
from typing import Any, TypeVar

from bpderive.document.blocks import (
    Algorithm,
    Beside,
    Calculation,
    Chain,
    Code,
    Equations,
    Figure,
    Items,
    Link,
    Listing,
    NotebookCell,
    Paragraph,
    Remark,
    Table,
    Words,
)
from bpderive.document.mathematics import Math
from bpderive.render.slide_math import row, working
from bpderive.render.tex_blocks import columns_of
from bpderive.render.writer import Writer

ROOM = 14.0
"""Lines of text that a slide has room for."""

COLUMNS = 80
"""Letters in a line of text."""

CELLS = 78
"""Letters in a line of a table, which is set smaller."""

CODE = 0.72
"""The height of a line of code."""

DISPLAYED = 2.5
"""The height of a table's row that is set as large as a display."""

TALL = (r"\frac", r"\sum", r"\begin", r"\left")
"""What makes a line of mathematics taller."""

T = TypeVar("T")


@dataclass(frozen=True)
class Step:
    """One step of a chain, the one before it above."""

    lhs: Math
    before: Link | None
    link: Link
    number: int
    count: int
    kind: str = "step"


@dataclass(frozen=True)
class Lines:
    """Some lines of an algorithm or a listing; `first` were on the slides before."""

    lines: tuple[Any, ...]
    first: int
    kind: str


Piece = (
    Paragraph
    | Items
    | Equations
    | Table
    | Remark
    | Figure
    | Beside
    | Calculation
    | Code
    | Step
    | Lines
)


def cut(writer: Writer, block: Any) -> Iterable[Piece]:
    """The pieces of a block."""
    found = CUTS.get(type(block))
    return found(writer, block) if found else (block,)


def height(writer: Writer, piece: Piece) -> float:
    """About how many lines of text it is tall."""
    measure = HEIGHTS.get(type(piece))
    return measure(writer, piece) if measure else ROOM - 3


def _chunks(parts: Sequence[T], tall: Callable[[T], float]) -> Iterator[tuple[T, ...]]:
    """The parts in groups about equally tall, each with room for a sentence above it."""
    heights = [tall(part) for part in parts]
    most = sum(heights) / ceil(sum(heights) / (ROOM - 2.5))
    middles = (end - own / 2 for end, own in zip(accumulate(heights), heights, strict=True))
    placed = zip(middles, parts, strict=True)
    for _, group in groupby(placed, key=lambda pair: pair[0] // most):
        yield tuple(part for _, part in group)


def _steps(_writer: Writer, block: Chain) -> Iterator[Piece]:
    before: Link | None = None
    for number, link in enumerate(block.links, 1):
        yield Step(block.lhs, before, link, number, len(block.links))
        before = link


def _parts(field: str, tall: Callable[[Writer, Any, Any], float]) -> Callable[..., Iterator[Piece]]:
    """Cuts a block between the parts in this field of it."""

    def cut_up(writer: Writer, block: Any) -> Iterator[Piece]:
        for group in _chunks(getattr(block, field), lambda part: tall(writer, block, part)):
            yield replace(block, **{field: group})

    return cut_up


def _algorithm(writer: Writer, block: Algorithm) -> Iterator[Piece]:
    first = 0
    for lines in _chunks(block.lines, lambda line: _said(writer, line)):
        yield Lines(lines, first, "algorithm")
        first += len(lines)


def _listing(writer: Writer, block: Listing) -> Iterator[Piece]:
    lines = writer.printer.lines(block.lhs, block.rhs, block.indices, block.sizes)
    for chunk in _chunks(tuple(lines), lambda line: _tall(line) + 0.6):
        yield Lines(chunk, 0, "listing")


def _code(_writer: Writer, block: Code) -> Iterator[Piece]:
    for lines in _chunks(tuple(block.text.rstrip("\n").split("\n")), lambda _: CODE):
        yield replace(block, text="\n".join(lines))


def _said(writer: Writer, words: Words) -> float:
    """The height of a sentence."""
    return ceil(columns_of(writer.words(words)) / COLUMNS) + 0.4


def _tall(text: str) -> float:
    """The height of a row of mathematics."""
    return sum(2.2 if any(mark in line for mark in TALL) else 1.4 for line in text.split("\\\\\n"))


def _cells(writer: Writer, table: Table, cells: Sequence[Any]) -> float:
    """The height of a table's row."""
    if table.displayed:
        return DISPLAYED
    widest = max(columns_of(writer.slot(cell)) for cell in cells)
    return 1.15 * max(1, ceil(widest / (CELLS / 2)))


def _row(writer: Writer, _block: Any, value: Any) -> float:
    return _tall(row(writer, value))


def _working(writer: Writer, _block: Any, value: Any) -> float:
    return _tall(working(writer, value))


CUTS: Mapping[type, Callable[[Writer, Any], Iterable[Piece]]] = {
    Chain: _steps,
    Equations: _parts("rows", _row),
    Calculation: _parts("rows", _working),
    Table: _parts("rows", _cells),
    Items: _parts("items", lambda writer, _, item: _said(writer, item)),
    Algorithm: _algorithm,
    Listing: _listing,
    Code: _code,
    NotebookCell: lambda _writer, _block: (),
}


def _lines(writer: Writer, piece: Lines) -> float:
    listed = piece.kind == "listing"
    return sum(_tall(one) + 0.6 if listed else _said(writer, one) for one in piece.lines)


HEIGHTS: Mapping[type, Callable[[Writer, Any], float]] = {
    Paragraph: lambda writer, piece: _said(writer, piece.words),
    Remark: lambda writer, piece: _said(writer, piece.words) + 1.2,
    Items: lambda writer, piece: sum(_said(writer, item) for item in piece.items),
    Equations: lambda writer, piece: 0.8 + sum(_row(writer, piece, one) for one in piece.rows),
    Calculation: lambda writer, piece: 0.8 + sum(_working(writer, piece, r) for r in piece.rows),
    Table: lambda writer, piece: 2 + sum(_cells(writer, piece, cells) for cells in piece.rows),
    Code: lambda _writer, piece: 0.5 + CODE * (piece.text.count("\n") + 1),
    Lines: _lines,
}
