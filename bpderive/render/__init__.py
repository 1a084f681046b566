"""Documents as text: one template and one row of `FORMATS` for each format.

In: a `Document`. Out: its text. Must not know how anything was derived.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from bpderive.document.blocks import Document
from bpderive.errors import SpecError, quoted, suggest
from bpderive.locate import templates
from bpderive.notation import load as load_notation
from bpderive.render import latex, markdown, text
from bpderive.wording import load as load_wording

if TYPE_CHECKING:
    from jinja2 import Environment


@dataclass(frozen=True)
class Format:
    """One format: its template, its file's suffix, and what makes its writer and helpers."""

    name: str
    suffix: str
    template: str
    description: str
    helpers: Callable[..., Mapping[str, Any]]


FORMATS: Mapping[str, Format] = {
    format_.name: format_
    for format_ in (
        Format("latex", ".tex", "latex.tex.j2", "a LaTeX article, or a fragment", latex.helpers),
        Format(
            "markdown",
            ".md",
            "markdown.md.j2",
            "Markdown for GitHub, Pandoc or MyST",
            markdown.helpers,
        ),
        Format("text", ".txt", "text.txt.j2", "Unicode text for the terminal", text.helpers),
    )
}


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
    printed = Writing(row, options).text(document)
    return printed.lstrip("\n")


@dataclass(frozen=True)
class Writing:
    """One format at work."""

    format: Format
    options: Mapping[str, Any]

    def text(self, document: Document) -> str:
        """The document's text."""
        notation = load_notation().without(document.sizes)
        helpers = self.format.helpers(notation, load_wording(), **self.options)
        template = _environment().get_template(self.format.template)
        return str(template.render(document=document, **helpers))


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(templates() / "document"),
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - LaTeX and Markdown: the writer escapes
    )

