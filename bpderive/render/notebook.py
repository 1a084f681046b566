"""A Jupyter notebook: the Markdown of a document, with its cells of code between.

In: the filled template, in which marks stand around what runs. Out: the notebook's JSON, the same
for the same document: cells are numbered, nothing was run. Must not know: what the code computes.
"""

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from bpderive.errors import UnsupportedError
from bpderive.notation import Notation
from bpderive.render import markdown
from bpderive.wording import Wording

BEGIN, END = "<!-- run -->", "<!-- ran -->"
"""Around a cell of code. No text of a user's holds them: Markdown's `<` is escaped."""
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def helpers(notation: Notation, wording: Wording) -> Mapping[str, Any]:
    """What the templates call: Markdown as Jupyter reads it, its figures in the page."""
    found = markdown.helpers(notation, wording, flavor="pandoc", inline=True)
    return {**found, "cell": lambda text: f"{BEGIN}\n{text}\n{END}"}


def made(page: str, _wording: Wording) -> str:
    """The notebook of a page.

    Raises:
        UnsupportedError: nbformat is not installed.
    """
    try:
        import nbformat
    except ModuleNotFoundError as error:
        raise UnsupportedError(
            "the format notebook needs nbformat: pip install 'bpderive[notebook]'"
        ) from error
    numbers = count(1)
    v4: Any = nbformat.v4
    make = {"markdown": v4.new_markdown_cell, "code": v4.new_code_cell}
    cells = [make[kind](text, id=f"{kind}-{next(numbers)}") for kind, text in _cells(page)]
    notebook = v4.new_notebook(cells=cells, metadata=METADATA)
    nbformat.validate(notebook)
    write: Any = nbformat.writes
    return str(write(notebook)) + "\n"


def _cells(page: str) -> Iterator[tuple[str, str]]:
    """The kinds and texts of the cells, a new one at each heading."""
    first, *rest = page.split(f"{BEGIN}\n")
    yield from _sections(first)
    for part in rest:
        code, _, text = part.partition(f"\n{END}")
        yield "code", code
        yield from _sections(text)


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """Markdown in cells that begin with their headings."""
    lines: list[str] = []
    for line in text.strip().split("\n"):
        if line.startswith("## ") and lines:
            yield "markdown", "\n".join(lines).strip()
            lines = []
        lines.append(line)
    if any(lines):
        yield "markdown", "\n".join(lines).strip()
