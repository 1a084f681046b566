"""What `bpderive flow` says and writes of what was found out.

In: `Findings` and options.  Out: a text for stdout, files, warnings.  Must not know: how anything
is found out.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bpderive.cli import console
from bpderive.cli.notes_options import language
from bpderive.cli.outputs import save
from bpderive.document.blocks import Document
from bpderive.document.flow.screen import Found, Told, dangers, screen
from bpderive.findings import Findings
from bpderive.findings.plain import first_by_last
from bpderive.render import Made
from bpderive.render import screen as shown

if TYPE_CHECKING:  # a dense network does without
    from bpderive.backprop import AnyDerivation

WIDE = 1000
"""Columns enough for a sentence in one line."""
ITEM = "- "


def text(found: Findings, given: Mapping[str, Any], at: Callable[[str], None]) -> str:
    """What stdout is given: JSON, one screen, the dangers alone, or nothing."""
    if given["as_json"]:
        return found.json()
    if given["quiet"]:
        return ""
    at("writing")
    if given["check"]:
        return _shown(dangers, found, given) + "\n"
    return "\n".join((_shown(screen, found, given), *_bars(found, given))) + "\n"


def _bars(found: Findings, given: Mapping[str, Any]) -> Iterator[str]:
    """The gradients by layer as bars of plain text."""
    from bpderive.plots import Case, chart

    levels = found.expectation.levels if found.expectation else ()
    if found.measurement is not None or any(level.gradient is not None for level in levels):
        case = Case("", found.expectation, found.measurement)
        encoding = getattr(sys.stdout, "encoding", None) or "ascii"
        yield ""
        yield chart(case, console.width(), language(given), encoding).rstrip("\n")


def _shown(
    build: Callable[["AnyDerivation", Found], Document],
    found: Findings,
    given: Mapping[str, Any],
    width: int | None = None,
) -> str:
    document = build(found.derivation, _found(found))
    setting = {"notation": given["notation"], "language": language(given)}
    return shown(document, width or console.width(), **setting)


def _found(found: Findings) -> Found:
    remedies = tuple(
        Told(
            one.remedy,
            one.layers,
            one.scheme,
            one.power,
            first_by_last(one.measurement) if one.measurement else None,
        )
        for one in found.remedies
    )
    return Found(found.scheme, found.expectation, found.measurement, remedies, found.warnings)


def warn(found: Findings, given: Mapping[str, Any]) -> None:
    """The dangers on stderr, where stdout has nothing of them."""
    if given["quiet"] and found.warnings:
        lines = _shown(dangers, found, given, WIDE).splitlines()
        for line in (line.strip() for line in lines):
            if line.startswith(ITEM):
                console.warn(line.removeprefix(ITEM))


def files(found: Findings, given: Mapping[str, Any], at: Callable[[str], None]) -> str:
    """Write the files asked for; which they are.

    Raises:
        OutputError: if a file must be kept, or cannot be written.
        UnsupportedError: a picture needs matplotlib, which is not installed.
    """
    wanted = [Path(path) for path in given["outputs"]]
    made = [(path, _made(path.suffix, found, given, at)) for path in wanted]
    if not made:
        return ""
    told = save(made, force=given["force"])
    return "" if given["quiet"] or given["as_json"] else f"\n{told}"


def _made(
    suffix: str, found: Findings, given: Mapping[str, Any], at: Callable[[str], None]
) -> Made:
    if suffix == ".json":
        return stamped(found.json())
    at("drawing")
    from bpderive.cli import pictures

    return pictures.drawn(given["picture"], suffix.removeprefix("."), found, language(given))


def stamped(text: str) -> str:
    """JSON as a file's text: its stamp follows as the last key."""
    return text.removesuffix("\n}\n") + ",\n"
