r"""PDF by a TeX that is installed.

In: a document in LaTeX, its language, the name of an engine. Out: the bytes of a PDF, the same
every time. TeX runs in a folder of its own, which is removed; it may run no other program. What it
lacks (a package, a font) is told by the name of what to install. Must not know: what is in the
document.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bpderive.errors import DerivationError, SpecError, UnsupportedError, quoted, suggest
from bpderive.wording import Wording

COMMON = ("-no-shell-escape", "-halt-on-error", "-interaction=nonstopmode")
RUNS = 4
"""Tables over several pages and bookmarks settle in three runs; a fourth changes nothing."""
SECONDS = 240
AGAIN = ("Rerun to get", "Rerun LaTeX", "(re)run LaTeX", "rerunfilecheck Warning")


@dataclass(frozen=True)
class Engine:
    """One way to run TeX: its command, the Debian package that has it, and how it is made exact.

    `head` goes before the document, so that no time and no folder is in the PDF; `settles` says
    that the command runs TeX as often as it needs.
    """

    command: tuple[str, ...]
    package: str
    head: str = ""
    settles: bool = False


_PDFTEX, _XETEX = r"\pdftrailerid{}", r"\special{pdf:trailerid [<00> <00>]}"
_LUATEX = r"\pdfvariable suppressoptionalinfo 512\relax"
_HANDED = tuple(f"-latexoption={mark}" for mark in COMMON)

ENGINES: Mapping[str, Engine] = {
    "latexmk": Engine(("latexmk", "-norc", "-pdf", *_HANDED), "latexmk", _PDFTEX, settles=True),
    "lualatex": Engine(("lualatex", *COMMON), "texlive-luatex", _LUATEX),
    "xelatex": Engine(("xelatex", *COMMON), "texlive-xetex", _XETEX),
    "pdflatex": Engine(("pdflatex", *COMMON), "texlive-latex-base", _PDFTEX),
}
WITH_FONTS: Mapping[str, Engine] = {
    "latexmk": Engine(("latexmk", "-norc", "-pdfxe", *_HANDED), "latexmk", _XETEX, settles=True),
}
"""The same for a language with fonts of its own, which pdfTeX cannot use."""

PACKAGES: Mapping[str, str] = {
    "tikz.sty": "texlive-pictures",
    "pgf.sty": "texlive-pictures",
    "booktabs.sty": "texlive-latex-recommended",
    "fontspec.sty": "texlive-latex-recommended",
    "beamer.cls": "texlive-latex-recommended",
    "xeCJK.sty": "texlive-lang-cjk",
    "lmodern.sty": "lmodern",
    "iftex.sty": "texlive-latex-base",
}
"""The Debian package of a file; of any other, TeX Live's largest collection is named."""
LARGEST = "texlive-latex-extra"


def finish(page: str, wording: Wording, engine: str = "lualatex") -> bytes:
    """The PDF of a document in LaTeX.

    Raises:
        SpecError: an unknown engine.
        UnsupportedError: the engine, a package or a font is not installed, or it ran too long.
        DerivationError: TeX refuses the document.
    """
    fonted = WITH_FONTS if wording.setting.serif else {}
    row = fonted.get(engine) or ENGINES.get(engine)
    if row is None:
        raise SpecError.single(
            f"unknown engine {quoted(engine)}{suggest(engine, ENGINES)}",
            accepted=", ".join(("typst", *ENGINES)),
        )
    if shutil.which(row.command[0]) is None:
        raise UnsupportedError(
            f"{engine} is not installed: install {row.package}, or leave --engine out"
        )
    with TemporaryDirectory(prefix="bpderive-") as folder:
        source = Path(folder, "notes.tex")
        source.write_text(f"{row.head}%\n{page}", "utf-8")
        _run(row, Path(folder), wording)
        return source.with_suffix(".pdf").read_bytes()


def _run(engine: Engine, folder: Path, wording: Wording) -> None:
    """Run the engine until nothing changes any more."""
    command = [*engine.command, "notes.tex"]
    for _ in range(1 if engine.settles else RUNS):
        code = _once(command, folder)
        log = folder / "notes.log"
        text = log.read_text("utf-8", errors="replace") if log.exists() else ""
        _refuse(code, text, wording)
        if not any(sign in text for sign in AGAIN):
            return


def _once(command: Sequence[str], folder: Path) -> int:
    exact = {"SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1", "max_print_line": "1000"}
    try:
        done = subprocess.run(  # noqa: S603 - a command of the table above
            command,
            cwd=folder,
            env={**os.environ, **exact},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise UnsupportedError(f"{command[0]} ran for more than {SECONDS} seconds") from error
    return done.returncode


_MISSING = re.compile(r"! LaTeX Error: File [`'\"]([^`'\"]+)' not found")
_OURS = re.compile(r"^! bpderive: (.*?)\.?$", re.MULTILINE)
_FONT = re.compile(r"(?:The font|Font) [`\"]([^`'\"]+)[`'\"] (?:cannot be|not) found")
_LETTER = re.compile(r"! LaTeX Error: Unicode character (\S+)")
_FAULT = re.compile(r"^! (.+)(?:\n(?!l\.\d).*){0,20}(?:\nl\.\d+ (.+))?", re.MULTILINE)
_GLYPH = re.compile(r"Missing character: There is no (\S+)")


def _refuse(code: int, log: str, wording: Wording) -> None:
    """Raise what the log of a failed run tells, and also where characters are missing."""
    if found := _OURS.search(log):
        raise UnsupportedError(found[1])
    if found := _MISSING.search(log):
        package = PACKAGES.get(found[1], LARGEST)
        raise UnsupportedError(f"TeX lacks {found[1]}: install {package}")
    if found := _FONT.search(log):
        package = wording.setting.package or "lmodern"
        raise UnsupportedError(f"TeX lacks the font {found[1] or found[2]}: install {package}")
    if found := _LETTER.search(log):
        raise UnsupportedError(
            f"pdflatex has no letter {found[1]}: use the engine typst, lualatex or xelatex"
        )
    if code:
        fault = _FAULT.search(log)
        told = ": ".join(filter(None, fault.groups())) if fault else "it wrote no log"
        raise DerivationError(f"TeX refuses the document: {told}")
    if found := _GLYPH.search(log):
        raise UnsupportedError(
            f"no font of this document has the character {found[1]}: use the engine typst"
        )
