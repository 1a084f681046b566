"""Documents as text: one template and one row of `FORMATS` for each format.

In: a `Document`. Out: its text. Must not know how anything was derived.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bpderive.document.blocks import Document
from bpderive.errors import SpecError, quoted, suggest
from bpderive.notation import load as load_notation
from bpderive.render import latex, markdown, text
from bpderive.templating import fill
from bpderive.wording import load as load_wording


@dataclass(frozen=True)
class Format:
    """One format: its template, its file's suffix, its options, and what the template calls."""

    name: str
    suffix: str
    template: str
    description: str
    options: tuple[str, ...]
    helpers: Callable[..., Mapping[str, Any]]


_ROWS = (
    Format(
        "latex",
        ".tex",
        "latex.tex.j2",
        "a LaTeX article, or a fragment",
        ("fragment",),
        latex.helpers,
    ),
    Format(
        "markdown",
        ".md",
        "markdown.md.j2",
        "Markdown for GitHub, Pandoc or MyST",
        ("flavor",),
        markdown.helpers,
    ),
    Format(
        "text", ".txt", "text.txt.j2", "Unicode text for the terminal", ("width",), text.helpers
    ),
)
FORMATS: Mapping[str, Format] = {row.name: row for row in _ROWS}


def render(document: Document, format: str, **options: Any) -> str:  # noqa: A002 - the API's word
    """A document in a format.

    Args:
        document: what to print.
        format: a name in `FORMATS`.
        options: `fragment` (latex), `flavor` (markdown: github, pandoc, myst), `width` (text).

    Raises:
        SpecError: an unknown format, option or flavor.
    """
    row = FORMATS.get(format)
    if row is None:
        raise SpecError.single(
            f"unknown format {quoted(format)}{suggest(format, FORMATS)}",
            accepted=", ".join(FORMATS),
        )
    for name in options:
        if name not in row.options:
            raise SpecError.single(
                f"{format} has no option {quoted(name)}{suggest(name, row.options)}",
                accepted=", ".join(row.options),
            )
    notation = load_notation().without(document.sizes)
    helpers = row.helpers(notation, load_wording(), **options)
    return fill(f"document/{row.template}", document=document, **helpers).lstrip("\n")
