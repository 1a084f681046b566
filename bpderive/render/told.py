"""A document without the steps that say nothing in a notation.

In: a `Document`, a `Notation` in which derivatives may have no letters. Out: the document to print:
`∂L/∂z = δ` reads `∂L/∂z = ∂L/∂z` there, and is left out. Must not know: formats, rules.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from bpderive.document.blocks import Beside, Block, Chain, Document, Link
from bpderive.document.mathematics import Math
from bpderive.notation import Notation
from bpderive.render.unicode_math import UnicodeMath
from bpderive.render.writer import Style, Writer
from bpderive.wording import Wording

Write = Callable[[Math], str]


def told(document: Document, notation: Notation, wording: Wording) -> Document:
    """The document as it is to be printed in a notation."""
    if notation.derivatives != "partial":
        return document
    style = Style(str, str, str, str, 88)
    write = Writer(UnicodeMath(notation), wording, style).math
    sections = (
        replace(section, blocks=tuple(_block(block, write) for block in section.blocks))
        for section in document.sections
    )
    return replace(document, sections=tuple(sections))


def _block(block: Block, write: Write) -> Block:
    if isinstance(block, Beside):
        return replace(block, blocks=tuple(_block(inner, write) for inner in block.blocks))
    if not isinstance(block, Chain):
        return block
    return replace(block, links=tuple(_links(block, write)))


def _links(chain: Chain, write: Write) -> Iterator[Link]:
    """The links that read otherwise than what they begin with and what stands before them."""
    first = last = write(chain.lhs)
    for link in chain.links:
        text = write(link.rhs)
        if text not in (last, first):
            yield link
        last = text
