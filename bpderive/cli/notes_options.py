"""The options of `bpderive notes` and `bpderive templates`.

In: the words after the command.  Out: click's options.  Must not import SymPy: help is answered at
once.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

import click

from bpderive.cli.options import Name, together

LEVELS = ("full", "brief")
ENGINES = ("typst", "latexmk", "lualatex", "xelatex", "pdflatex")


def _from(module: str, attribute: str) -> Callable[[], list[str]]:
    """The names of a table, for completion; it is imported when a shell asks."""

    def names() -> list[str]:
        from importlib import import_module

        found: Any = getattr(import_module(module), attribute)
        return list(found() if callable(found) else found)

    return names


def _sections() -> list[str]:
    """The sections of networks of widths, then those that only other layers have."""
    from bpderive.document import SECTIONS as DENSE
    from bpderive.document.layered import SECTIONS as LAYERED

    return list(dict.fromkeys((*DENSE, *LAYERED)))


FORMATS = Name("NAMES", _from("bpderive.render", "FORMATS"))
SECTIONS = Name("IDS", _sections)
SCHEME = Name("SCHEME", _from("bpderive.flow.schemes", "SCHEMES"))
NOTATION = Name("NAME", _from("bpderive.notation", "notations"))
LANGUAGE = Name("NAME", _from("bpderive.wording", "languages"))

_SETTING = (
    click.option(
        "--lang",
        "language",
        type=LANGUAGE,
        help="en, zh-TW, or a language's TOML file. [default: the locale's]",
    ),
    click.option(
        "--notation",
        type=NOTATION,
        default="article",
        help="A textbook's, or a TOML file; `bpderive list notations` shows all. "
        "[default: article]",
    ),
)

_NOTES = (
    click.option(
        "-o",
        "--output",
        "outputs",
        multiple=True,
        type=click.Path(allow_dash=True, readable=False),
        metavar="FILE",
        help="A file, whose suffix tells the format: .pdf .html .tex .typ .md .ipynb .txt; "
        "may be given again; - prints a single --format. [default: output/NETWORK/notes.…]",
    ),
    click.option(
        "--format",
        "formats",
        type=FORMATS,
        multiple=True,
        help="Formats by name; `bpderive list formats` tells all. [default: html]",
    ),
    click.option(
        "--out",
        type=click.Path(file_okay=False),
        metavar="DIR",
        help="The folder for them. [default: output/NETWORK]",
    ),
    *_SETTING,
    click.option("--translate", type=NOTATION, help="Add a table into another notation."),
    click.option("--weight", metavar="REF", help='Derived in full: "w1[1,1]".'),
    click.option("--all-weights", is_flag=True, help="List the gradient of every weight."),
    click.option(
        "--sections",
        type=SECTIONS,
        multiple=True,
        help="Which, in this order: notation,forward,…, or with layers of other kinds "
        "overview,forward,…; `bpderive list sections` tells all.",
    ),
    click.option(
        "--level",
        type=click.Choice(LEVELS),
        default="full",
        help="brief leaves steps out. [default: full]",
    ),
    click.option(
        "--values",
        type=click.Path(allow_dash=True),
        metavar="FILE",
        help="Numbers of the worked example, TOML or JSON: x, y, w1, …, b1, …, eta.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(min=0),
        metavar="NUMBER",
        help="Of the worked example's numbers, where none are given. [default: 1]",
    ),
    click.option("--eta", metavar="NUMBER", help="The learning rate of the worked example."),
    click.option(
        "--digits",
        type=click.IntRange(2, 15),
        default=4,
        metavar="NUMBER",
        help="Significant digits of the worked example. [default: 4]",
    ),
    click.option(
        "--init",
        type=SCHEME,
        default="xavier",
        help="How weights are drawn, for the section on the gradient problem. [default: xavier]",
    ),
    click.option(
        "--measure",
        is_flag=True,
        help="Measure the gradients of large networks and of every remedy too; needs NumPy.",
    ),
    click.option("--title", metavar="TEXT", help="In place of the usual title."),
    click.option("--by", metavar="TEXT", multiple=True, help="A line under it: author, course."),
    click.option(
        "--templates",
        type=click.Path(exists=True, file_okay=False),
        metavar="DIR",
        help="Templates that replace ours; `bpderive templates DIR` copies ours out.",
    ),
    click.option("--fragment", is_flag=True, help="LaTeX to \\input into a document of your own."),
    click.option(
        "--flavor",
        type=click.Choice(("github", "pandoc", "myst")),
        help="Of the Markdown. [default: github]",
    ),
    click.option(
        "--figures",
        type=click.Choice(("files", "inline")),
        help="Of the Markdown: SVG files beside it, or in the page. [default: files]",
    ),
    click.option(
        "--engine",
        type=click.Choice(ENGINES),
        help="What makes a PDF: typst (pip), or TeX where it is installed. [default: typst]",
    ),
    click.option(
        "--verify/--no-verify",
        default=True,
        help="Check the derivation in numbers, and say so in it. [default: verify]",
    ),
    click.option("--force", is_flag=True, help="Replace files that were edited since."),
    click.option("--quiet", is_flag=True, help="Print nothing but warnings and errors."),
)
notes_options = together(_NOTES)
setting_options = together(_SETTING)


def language(given: Mapping[str, Any]) -> str:
    """The language asked for, or else the locale's."""
    from bpderive.wording import default_language

    return given["language"] or default_language(os.environ)
