"""Section 11: the lines of the generated code, each with the number of its equation; cells to run.

In: texts that were made elsewhere, for a `Request`. Out: blocks. Must not know: what prints code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bpderive.derive import Derivation
from bpderive.document.blocks import Code, Command, NotebookCell, Paragraph, Section, Words
from bpderive.document.request import Request
from bpderive.errors import SpecError

COMMAND = "bpderive code --target numpy"


def code(_derivation: Derivation, request: Request) -> Section:
    """Section 11.

    Raises:
        SpecError: no lines are given.
    """
    if request.code is None:
        raise SpecError.single("the section code needs the lines of the code", accepted="code=...")
    return lines_of(request.code)


def lines_of(text: str) -> Section:
    """The lines, and where they come from."""
    return Section(
        "code",
        (
            Paragraph(Words("code.intro")),
            Code("python", text),
            Paragraph(Words("code.file", {"command": Command(COMMAND)})),
        ),
    )


def with_cells(sections: Sequence[Section], cells: Mapping[str, Sequence[str]]) -> list[Section]:
    """The sections with what runs in a notebook at their ends.

    A cell stands in its section; where that is left out, or comes too early, in the next that is
    there, and else in the last: the order of the cells never changes.
    """
    places = [section.id for section in sections]
    found: list[list[str]] = [[] for _ in sections]
    at = 0
    for home, texts in cells.items():
        if home in places:
            at = max(at, places.index(home))
        found[at] += texts
    return [
        replace(section, blocks=(*section.blocks, *map(NotebookCell, own)))
        for section, own in zip(sections, found, strict=True)
    ]
