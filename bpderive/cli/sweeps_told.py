"""What `bpderive flow` says and writes of a sweep.

In: `Results` and options.  Out: a text for stdout, pictures.  Must not know: how anything was
measured.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bpderive.cli import console
from bpderive.cli.findings_told import stamped
from bpderive.cli.flow_options import TABLES
from bpderive.cli.notes_options import language
from bpderive.cli.outputs import save
from bpderive.document.flow.sweeps import Kind, sweep
from bpderive.findings.plain import finite, first_by_last, plain
from bpderive.findings.sweeps import Swept
from bpderive.render import Made
from bpderive.render import screen as shown

NAMED = 2
"""So many remedies have room in a table."""


def text(cells: Sequence[Swept], given: Mapping[str, Any]) -> str:
    """What stdout is given: JSON, one table, or nothing."""
    if given["as_json"]:
        return _json(cells)
    if given["quiet"]:
        return ""
    document = sweep(tuple(map(_kind, cells)), given["samples"], check=given["check"])
    setting = {"notation": given["notation"], "language": language(given)}
    return shown(document, console.width(), **setting) + "\n"


def _kind(one: Swept) -> Kind:
    cell = one.cell
    dangers = tuple(dict.fromkeys(warning.kind for warning in one.warnings))
    remedies = one.warnings[0].remedies[:NAMED] if one.warnings else ()
    return Kind(
        cell.depth,
        cell.width,
        cell.activation,
        cell.scheme,
        cell.remedy,
        one.expected_power,
        first_by_last(one.measurement),
        max(spread.dead for spread in one.measurement.spreads),
        dangers,
        remedies,
    )


def _json(cells: Sequence[Swept]) -> str:
    found = {"cells": [dict(_plain(one)) for one in cells]}
    return json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(one: Swept) -> Iterator[tuple[str, Any]]:
    yield from asdict(one.cell).items()
    yield "log10_first_by_last_expected", finite(one.expected_power)
    yield "log10_first_by_last_measured", finite(first_by_last(one.measurement))
    yield "expected", [plain(level) for level in one.expectation.levels]
    yield "measured", [plain(spread) for spread in one.measurement.spreads]
    yield "warnings", [plain(warning) for warning in one.warnings]


def files(cells: Sequence[Swept], given: Mapping[str, Any]) -> str:
    """Write the pictures; which files there are.

    Raises:
        OutputError: if a file must be kept, or cannot be written.
        UnsupportedError: matplotlib is not installed, or there are too many panels.
    """
    wanted = [Path(path) for path in given["outputs"]]
    made = [(path, _made(path, cells, given)) for path in wanted if path.suffix not in TABLES]
    told = save(made, force=given["force"]) if made else ""
    tables = [f"  {path}\n" for path in given["outputs"] if path.endswith(TABLES)]
    told = (told or "Files\n") + "".join(tables) if made or tables else ""
    return "" if given["quiet"] or given["as_json"] or not told else f"\n{told}"


def _made(path: Path, cells: Sequence[Swept], given: Mapping[str, Any]) -> Made:
    if path.suffix == ".json":
        return stamped(_json(cells))
    from bpderive.cli import pictures

    return pictures.of_sweep(path.suffix.removeprefix("."), cells, language(given))
