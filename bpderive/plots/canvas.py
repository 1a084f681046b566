"""The paper: matplotlib through its objects, with nothing left of what was set.

In: a function that fills a figure; a format; a language. Out: bytes, without dates and versions.
Must not know: what is drawn.
"""

import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

from bpderive.errors import UnsupportedError
from bpderive.render.colours import COLOURS
from bpderive.wording import Wording

INSTALL = "pip install 'bpderive[plot]'"
INCH = 2.54
WIDE = 16.0
"""The width of every picture in centimetres: that of the text of a page."""
DOTS = 200

Making = Callable[[Any], None]
"""Fills an empty figure of matplotlib."""

FORMATS: Mapping[str, Mapping[str, object]] = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}
"""What is left out of a file, so that its bytes do not change."""

INK, PALE = COLOURS["ink"].light, COLOURS["pale"].light
GRID = "#E3E6E9"
LATIN = "DejaVu Sans"
"""Comes with matplotlib."""
FIRST_FACES = ("Noto Sans CJK JP", "Noto Serif CJK JP")
"""All that matplotlib before 3.11 sees of a collection of fonts; other letters are in them too."""

STYLE: Mapping[str, object] = {
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.labelsize": 8.5,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "legend.handlelength": 2.2,
    "axes.linewidth": 0.6,
    "axes.edgecolor": PALE,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "text.color": INK,
    "xtick.color": PALE,
    "ytick.color": PALE,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "grid.color": GRID,
    "grid.linewidth": 0.5,
    "text.parse_math": False,  # a user's text is never mathematics
    "mathtext.fontset": "dejavusans",
    "svg.fonttype": "path",
    "svg.hashsalt": "bpderive",
    "pdf.fonttype": 3,
    "pdf.compression": 6,
    "path.simplify": True,
}


def drawn(making: Making, form: str, wording: Wording) -> bytes:
    """The bytes of a figure.

    Raises:
        UnsupportedError: matplotlib is not installed, or no font has a character.
    """
    matplotlib = library("matplotlib")
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("error", "Glyph .* missing", UserWarning)
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({**STYLE, "font.family": _fonts(wording)})
        figure, buffer = library("matplotlib.figure").Figure(layout="constrained"), BytesIO()
        try:
            making(figure)
            figure.savefig(buffer, format=form, dpi=DOTS, metadata=dict(FORMATS[form]))
        except UserWarning as warning:
            raise UnsupportedError(f"no installed font has a character: {warning}") from warning
    return buffer.getvalue()


def sized(figure: Any, tall: float, wide: float = WIDE) -> None:
    """Set a figure's size, in centimetres."""
    figure.set_size_inches(wide / INCH, tall / INCH)


def library(name: str) -> Any:
    """A module of matplotlib.

    Raises:
        UnsupportedError: it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise UnsupportedError(f"a picture needs matplotlib: {INSTALL}") from error


def said(wording: Wording, key: str, **slots: str) -> str:
    """A sentence of the language, with texts in its slots."""
    return "".join(
        literal + (slots[slot] if slot else "") for literal, slot in wording.pieces(f"plot.{key}")
    )


def _fonts(wording: Wording) -> list[str]:
    """The families of a language, the first that is installed before that of matplotlib.

    Raises:
        UnsupportedError: none is; boxes are not drawn.
    """
    setting = wording.setting
    wanted = [*setting.sans, *setting.serif]
    if not wanted:
        return [LATIN]
    known = [*wanted, *(FIRST_FACES if setting.cjk else ())]
    manager = library("matplotlib.font_manager")
    found = _installed(manager, known) or _added(manager, known)
    if found:
        return [found, LATIN]
    remedy = f": install the package {setting.package}" if setting.package else ""
    names = ", ".join(wanted)
    raise UnsupportedError(f"no font for {setting.name} is installed ({names}){remedy}")


def _installed(manager: Any, families: list[str]) -> str:
    names = {entry.name for entry in manager.fontManager.ttflist}
    return next((family for family in families if family in names), "")


def _added(manager: Any, families: list[str]) -> str:
    """The same, once matplotlib's list has what was installed since it was written."""
    starts = tuple("".join(family.split()[:3]).lower() for family in families)
    for path in sorted(manager.findSystemFonts()):
        if Path(path).stem.replace("-", "").lower().startswith(starts):
            manager.fontManager.addfont(path)
    return _installed(manager, families)
