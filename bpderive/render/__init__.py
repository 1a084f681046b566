"""Documents as text: one row of `FORMATS` and one folder of templates for each format.

In: a `Document`, the names of a notation and of a language. Out: its text, or a file's bytes.
Must not know how anything was derived.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from bpderive.document.blocks import Document
from bpderive.errors import SpecError, quoted, suggest
from bpderive.notation import load as load_notation
from bpderive.render.told import told
from bpderive.templating import fill
from bpderive.wording import load as load_wording

Made = str | bytes
Helpers = Callable[..., Mapping[str, Any]]


@dataclass(frozen=True)
class Format:
    """One format: its file's suffix and usual stem, its options, and what its templates call.

    `source` names the format whose templates it fills, where these are not its own; `finish` makes
    a file of the filled template (with the options named in `making`); `beside` gives the files
    that stand beside it, by what follows the stem of its name.
    """

    name: str
    suffix: str
    description: str
    options: tuple[str, ...]
    helpers: Helpers
    source: str = ""
    finish: Callable[..., Made] | None = None
    making: tuple[str, ...] = ()
    beside: Callable[..., Mapping[str, str]] | None = None
    stem: str = "notes"

    @property
    def binary(self) -> bool:
        """Whether it is made of bytes rather than of text."""
        return self.suffix == ".pdf"

    @property
    def template(self) -> str:
        """The template that includes those of the blocks."""
        row = FORMATS.get(self.source, self)
        return f"document/{row.name}/main{row.suffix}.j2"


ENGINE = "typst"
"""What makes a PDF where no other engine is asked for."""


def _in(module: str, function: str = "helpers") -> Callable[..., Any]:
    """A function of a format's module, which is imported when it is wanted."""

    def call(*arguments: Any, **options: Any) -> Any:
        found = import_module(f"bpderive.render.{module}")
        return getattr(found, function)(*arguments, **options)

    return call


_ROWS = (
    Format("latex", ".tex", "a LaTeX article, or a fragment", ("fragment",), _in("latex")),
    Format("slides", ".tex", "slides in Beamer", (), _in("slides"), stem="slides"),
    Format(
        "markdown",
        ".md",
        "Markdown for GitHub, Pandoc or MyST",
        ("flavor", "inline", "stem"),
        _in("markdown"),
        beside=_in("markdown", "pictures"),
    ),
    Format(
        "notebook",
        ".ipynb",
        "a Jupyter notebook whose cells run",
        (),
        _in("notebook"),
        finish=_in("notebook", "made"),
    ),
    Format("html", ".html", "one web page that needs nothing else", (), _in("html")),
    Format("typst", ".typ", "Typst, with each formula in words", (), _in("typst")),
    Format(
        "pdf",
        ".pdf",
        "PDF that can be read aloud, by typst or an installed TeX",
        (),
        _in("typst"),
        source="typst",
        finish=_in("pdf", "finish"),
        making=("engine",),
    ),
    Format(
        "slides-pdf",
        ".pdf",
        "the slides, set by an installed TeX",
        (),
        _in("slides"),
        source="slides",
        finish=_in("tex", "finish"),
        making=("engine",),
        stem="slides",
    ),
    Format("text", ".txt", "Unicode text for the terminal", ("width",), _in("text")),
)
FORMATS: Mapping[str, Format] = {row.name: row for row in _ROWS}
TEX = Format(
    "pdf",
    ".pdf",
    "PDF by TeX",
    (),
    _in("latex"),
    "latex",
    finish=_in("tex", "finish"),
    making=("engine",),
)
"""How a PDF is made where another engine than typst is asked for."""


def render(
    document: Document,
    format: str,  # noqa: A002 - the API's word
    *,
    notation: str = "article",
    language: str = "en",
    folders: Sequence[Path] = (),
    **options: Any,
) -> Made:
    """A document in a format.

    Args:
        document: what to print.
        format: a name in `FORMATS`.
        notation: the name of a notation, or the path of one's TOML file.
        language: the name of a language, or the path of one's TOML file.
        folders: of templates that replace ours, file by file.
        options: `fragment` (latex), `flavor` (markdown: github, pandoc, myst), `width` (text).

    Raises:
        SpecError: an unknown format, option, flavor, notation or language; a template that fails.
        UnsupportedError: a package that the format needs is not installed.
    """
    row = found(format, options)
    if options.get("engine", ENGINE) == ENGINE:
        options.pop("engine", None)
    elif row is FORMATS["pdf"]:
        row = TEX
    letters, words = load_notation(notation).fitted(document.setting), load_wording(language)
    making = {name: value for name, value in options.items() if name in row.making}
    filling = {name: value for name, value in options.items() if name not in row.making}
    helpers = row.helpers(letters, words, **filling)
    document = told(document, letters, words)
    page = fill(row.template, folders, document=document, **helpers).lstrip("\n")
    return page if row.finish is None else row.finish(page, words, **making)


def screen(
    document: Document, width: int, *, notation: str = "article", language: str = "en"
) -> str:
    """A document for a terminal of so many columns."""
    page = render(document, "text", notation=notation, language=language, width=width)
    return str(page).rstrip("\n")


def files_beside(
    document: Document,
    format: str,  # noqa: A002 - the API's word
    *,
    notation: str = "article",
    language: str = "en",
    **options: Any,
) -> Mapping[str, str]:
    """The files that belong beside a document's own, by their names: its figures.

    Raises:
        SpecError: as `render`.
    """
    row = found(format, options)
    if row.beside is None:
        return {}
    letters, words = load_notation(notation).fitted(document.setting), load_wording(language)
    return row.beside(document, letters, words, **options)


def found(name: str, options: Mapping[str, Any]) -> Format:
    """The format of that name, which has these options.

    Raises:
        SpecError: there is none, or it lacks one of them.
    """
    row = FORMATS.get(name)
    if row is None:
        raise SpecError.single(
            f"unknown format {quoted(name)}{suggest(name, FORMATS)}",
            accepted=", ".join(FORMATS),
        )
    accepted = (*row.options, *row.making)
    for option in options:
        if option not in accepted:
            raise SpecError.single(
                f"{name} has no option {quoted(option)}{suggest(option, accepted)}",
                accepted=", ".join(accepted),
            )
    return row
