"""Slides: a document cut into pieces that a slide has room for, one step of a chain on each.

In: a section's blocks, and what LaTeX prints of them. Out: what the templates of `slides` call;
kinds of blocks that have no template there are set by LaTeX's. Must not know: TikZ, themes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

from bpderive.document.blocks import Beside, Figure, Heading, Paragraph, Remark, Section, Words
from bpderive.notation import Notation
from bpderive.render import latex
from bpderive.render.slide_math import row, side, working
from bpderive.render.slide_parts import CELLS, ROOM, Piece, Step, cut, height
from bpderive.render.tex_blocks import columns
from bpderive.render.writer import Style, Writer
from bpderive.wording import Wording

LIMIT = 62
"""Characters in a line of mathematics."""

ALONE = (Step, Figure, Beside)
"""What is the last of its slide, with nothing but a few words above it."""

STYLE: Style = replace(latex.STYLE, limit=LIMIT)


@dataclass(frozen=True)
class Slide:
    """What stands on one slide; `beside` stands beside its title."""

    blocks: tuple[Piece, ...]
    beside: str = ""


def helpers(notation: Notation, wording: Wording) -> Mapping[str, Any]:
    """What the templates call."""
    writer = Writer(latex.math(notation), wording, STYLE)
    return {
        **latex.shared(writer),
        "equations": lambda rows: " \\\\\n".join(row(writer, one) for one in rows),
        "calculation": lambda rows: " \\\\\n".join(working(writer, one) for one in rows),
        "side": lambda value: side(writer, value),
        "marks": lambda table: columns(writer, table, CELLS),
        "slides": lambda section: tuple(slides(writer, section)),
    }


def slides(writer: Writer, section: Section) -> Iterator[Slide]:
    """The slides of a section."""
    for words, blocks in _headed(section.blocks):
        heading = writer.words(words) if words else ""
        pieces = [piece for block in blocks for piece in cut(writer, block)]
        for packed in _packed(writer, pieces):
            steps = [f"{one.number}/{one.count}" for one in packed if isinstance(one, Step)]
            yield Slide(tuple(packed), r"\quad ".join(filter(None, (heading, *steps))))


def _headed(blocks: Iterable[Any]) -> Iterator[tuple[Words | None, list[Any]]]:
    """The blocks under each heading."""
    words: Words | None = None
    under: list[Any] = []
    for block in blocks:
        if isinstance(block, Heading):
            yield words, under
            words, under = block.words, []
        else:
            under.append(block)
    yield words, under


def _packed(writer: Writer, pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """As many pieces as a slide has room for."""
    slide: list[Piece] = []
    for piece in pieces:
        if slide and not _fits(writer, slide, piece):
            at = len(slide) - _leading(writer, slide, piece)
            yield from filter(None, (slide[:at],))
            slide = slide[at:]
        slide.append(piece)
        if isinstance(piece, ALONE):
            yield slide
            slide = []
    yield from filter(None, (slide,))


def _fits(writer: Writer, slide: Sequence[Piece], piece: Piece) -> bool:
    """Whether the slide has room for one more piece."""
    if isinstance(piece, ALONE) and not all(isinstance(one, Paragraph) for one in slide):
        return False
    return sum(height(writer, one) for one in (*slide, piece)) <= ROOM


def _leading(writer: Writer, slide: Sequence[Piece], piece: Piece) -> int:
    """How many sentences at a slide's end go with the piece that comes next.

    They lead to it: they have no full stop. More than one go with it where there is room.
    """
    leads = list(takewhile(lambda one: _leads(writer, one), reversed(slide)))
    while len(leads) > 1 and not _fits(writer, leads, piece):
        leads.pop()
    return len(leads)


def _leads(writer: Writer, piece: Piece) -> bool:
    """Whether it is a sentence that leads to what comes next."""
    if not isinstance(piece, Paragraph | Remark):
        return False
    return not writer.words(piece.words).endswith(writer.wording.setting.stop)
