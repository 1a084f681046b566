"""What `bpderive notes` does: course notes in the formats asked for.

In: a `Derivation` and options.  Out: the files.  Must not know: what is in the notes.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bpderive.cli.console import warn
from bpderive.cli.copying import unused
from bpderive.cli.notes_options import language
from bpderive.cli.options import listed
from bpderive.cli.outputs import folder, save
from bpderive.document import NOTES
from bpderive.errors import quoted
from bpderive.example import Example
from bpderive.notes import Notes, example, notes
from bpderive.proof import Proof
from bpderive.render import FORMATS, Format, Made, found

if TYPE_CHECKING:  # a dense network does without
    from bpderive.backprop import AnyDerivation

Job = tuple[Format, Path | None]
"""A format and the file for it; None where it goes to its usual place."""


def jobs(given: Mapping[str, Any]) -> tuple[Job, ...]:
    """Which formats are wanted, and where.

    Raises:
        SpecError: an unknown format.
        click.UsageError: a file whose suffix no format has, or another format's.
    """
    names, outputs = listed(given["formats"]), given["outputs"]
    rows = [found(name, {}) for name in names]
    if outputs and given["out"]:
        raise click.UsageError("-o names each file: leave --out away.")
    if not outputs:
        return tuple((row, None) for row in rows or [FORMATS["html"]])
    if "-" in outputs and (len(outputs) > 1 or len(rows) != 1):
        raise click.UsageError("-o - prints one format: choose it with --format.")
    return tuple((_format(output, rows), Path(output)) for output in outputs)


def _format(output: str, rows: Sequence[Format]) -> Format:
    """The format of a file, by its suffix; among those named, where some are."""
    suffix = Path(output).suffix
    fitting = [row for row in rows or FORMATS.values() if row.suffix == suffix]
    if output == "-":
        return rows[0]
    if not fitting:
        suffixes = dict.fromkeys(row.suffix for row in rows or FORMATS.values())
        raise click.UsageError(
            f"{quoted(output)}: the suffix tells the format, and is one of {', '.join(suffixes)}."
        )
    return fitting[0]


def options_of(row: Format, given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given of a format's options."""
    named = {**given, "inline": given["figures"] == "inline"}
    return {name: named[name] for name in (*row.options, *row.making) if named.get(name)}


FLOW = ("all_weights", "init", "measure")
OPTIONS = ("fragment", "flavor", "figures", "engine")


def check(wanted: Sequence[Job], given: Mapping[str, Any]) -> None:
    """Refuse options that none of the formats has.

    Raises:
        click.UsageError: with the formats that have it.
    """
    for option in OPTIONS:
        name = {"figures": "inline"}.get(option, option)
        owners = [row.name for row in FORMATS.values() if name in (*row.options, *row.making)]
        if given[option] and not set(owners).intersection(row.name for row, _ in wanted):
            raise click.UsageError(f"--{option} is for the format {' or '.join(owners)}.")


def written(derivation: "AnyDerivation", given: Mapping[str, Any], proof: Proof | None) -> Notes:
    """The notes, not yet in any format.

    Raises:
        SpecError: an unknown section, weight, notation, language; wrong values.
    """
    for warning in unused(Path(given["templates"])) if given["templates"] else ():
        warn(warning)
    fields = ("weight", "level", "notation", "translate", "title", "by", "templates", *FLOW)
    chosen = {name: given[name] for name in fields if given[name] is not None}
    return notes(
        derivation,
        sections=listed(given["sections"]) or NOTES,
        language=language(given),
        example=_example(derivation, given),
        proof=proof,
        **chosen,
    )


def _example(derivation: "AnyDerivation", given: Mapping[str, Any]) -> Example | None:
    if given["values"] is not None and given["seed"] is not None:
        raise click.UsageError("--values gives the numbers: leave --seed away.")
    names = ("values", "seed", "eta", "digits")
    return example(derivation, **{n: given[n] for n in names if given[n] is not None})


def files(
    made: Notes, wanted: Sequence[Job], given: Mapping[str, Any], place: Path
) -> Iterator[tuple[Path, Made]]:
    """Every file with its bytes."""
    for row, path in wanted:
        target = path or place / f"{row.stem}{row.suffix}"
        for name, text in made.files(row.name, target.stem, **options_of(row, given)).items():
            yield target.with_name(name), text


def told(
    derivation: "AnyDerivation", made: Notes, wanted: Sequence[Job], given: Mapping[str, Any]
) -> Made:
    """What goes to standard output: the notes themselves, or which files were written."""
    if given["outputs"] == ("-",):
        row, _ = wanted[0]
        return made.render(row.name, **options_of(row, given))
    place = Path(given["out"]) if given["out"] else folder(derivation)
    told = save(list(files(made, wanted, given, place)), force=given["force"])
    return "" if given["quiet"] else told
