"""PDF by the `typst` package: nothing else need be installed, nothing is fetched.

In: a document in Typst, its language. Out: the bytes of a PDF/UA-1 file, the same every time. What
Typst warns of is an error here. Must not know: what is in the document.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bpderive.errors import DerivationError, UnsupportedError
from bpderive.render.guests import with_characters
from bpderive.wording import Wording

INSTALL = "pip install 'bpderive[pdf]'"
STANDARD = "ua-1"
"""PDF/UA-1: every formula and figure has words, and the order of reading is told."""
FOREIGN = re.compile(r'^\s*#?(?:import|include)\b[^"\n]*"@', re.MULTILINE)
"""A package of Typst's, which would have to be fetched."""
LACKING = "could not be displayed with font"


def finish(page: str, wording: Wording) -> bytes:
    """The PDF of a document in Typst.

    Raises:
        UnsupportedError: the package, or a font of the language, is not installed; a character is
            in no font; a template wants a package of Typst's.
        DerivationError: Typst refuses the document, or warns of something.
    """
    typst = _typst()
    if FOREIGN.search(page):
        raise UnsupportedError("a template imports a Typst package: packages are not fetched")
    if wording.setting.serif:
        fonts = typst.Fonts()
        return _made(typst, page, fonts, {"serif": _font(fonts.families(), wording)})
    try:
        return _made(typst, page, typst.Fonts(include_system_fonts=False), {"serif": ""})
    except UnsupportedError:  # a name in a script that Typst's own fonts have not
        fonts = typst.Fonts()
        return _made(typst, page, fonts, {"serif": _borrowed(fonts.families())})


def _made(typst: Any, page: str, fonts: Any, inputs: Mapping[str, str]) -> bytes:
    """The PDF, set in these fonts."""
    try:
        data, warnings = typst.compile_with_warnings(
            page.encode(),
            format="pdf",
            font_paths=fonts,
            sys_inputs=dict(inputs),
            pdf_standards=[STANDARD],
            timestamp=0,
        )
    except typst.TypstError as error:
        if LACKING in error.message:
            raise UnsupportedError(f"no installed font has a character: {error.message}") from error
        raise DerivationError(f"Typst refuses the document: {_told(error)}") from error
    if warnings:
        told = "; ".join(sorted({_told(warning) for warning in warnings}))
        raise DerivationError(f"Typst warns: {told}")
    return bytes(data)


def _typst() -> Any:
    """The package, which only this format needs."""
    try:
        import typst
    except ImportError as error:
        raise UnsupportedError(
            f"a PDF needs the package typst: {INSTALL}; or --engine lualatex where TeX is installed"
        ) from error
    return typst


def _font(installed: Sequence[str], wording: Wording) -> str:
    """The first font of the language that is installed.

    Raises:
        UnsupportedError: none is; pages of boxes are not printed.
    """
    for family in wording.setting.serif:
        if family in installed:
            return family
    package = wording.setting.package
    remedy = f": install the package {package}" if package else ""
    wanted = ", ".join(wording.setting.serif)
    raise UnsupportedError(f"no font for {wording.setting.name} is installed ({wanted}){remedy}")


def _borrowed(installed: Sequence[str]) -> str:
    """A font with Chinese characters, for a text of the user's; none is as well."""
    language = with_characters()
    families = language.serif if language else ()
    return next((family for family in families if family in installed), "")


def _told(fault: Any) -> str:
    """A warning or an error of Typst in one line, with its hints."""
    hints = getattr(fault, "hints", None) or ()
    return " ".join([str(fault.message), *(f"({hint})" for hint in hints)])
