"""Many networks at once: what `bpderive flow` does with several depths, widths, activations.

In: options.  Out: a file of results, one table on stdout.  Must not know: how a network is drawn
or measured.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bpderive.cli import console
from bpderive.cli.flow_options import TABLES, split
from bpderive.cli.options import read_spec
from bpderive.errors import SpecError, quoted

if TYPE_CHECKING:
    from bpderive.sweep import Grid, Results


def swept(given: Mapping[str, Any]) -> int:
    """Draw and measure every network; the exit code is 1 where one is to be checked and fails.

    Raises:
        SpecError: with every problem of what is asked for.
        UnsupportedError: a package is not installed, or a scheduler does not answer.
    """
    _refuse(given)
    with console.no_garbage():
        from bpderive import sweep
    grid = _grid(given)
    with _bar(given) as tell:
        results = sweep.run(
            grid,
            _table(given),
            engine=given["engine"],
            workers=given["workers"],
            scheduler=given["scheduler"],
            tell=tell,
        )
    return _told(results, given)


def _refuse(given: Mapping[str, Any]) -> None:
    """What one network has, and a sweep has not.

    Raises:
        click.UsageError: with what to leave away.
    """
    if given["picture"] != "layers":
        raise click.UsageError("a sweep draws gradients by layer: leave --picture away.")
    if given["no_measure"]:
        raise click.UsageError("a sweep measures: leave --no-measure away.")
    tables = [path for path in given["outputs"] if path.endswith(TABLES)]
    if len(tables) > 1:
        raise click.UsageError("the results go to one file: leave the others away.")


def _grid(given: Mapping[str, Any]) -> "Grid":
    from bpderive.flow.remedies import REMEDIES
    from bpderive.sweep import Grid

    spec, changes = read_spec(given, "bpderive flow --layers 2,2,1 --depths 2,5,10")
    if changes:
        from dataclasses import replace

        spec = replace(spec, **changes)
    return Grid(
        spec,
        depths=_numbers("--depths", given["depths"]),
        widths=_numbers("--widths", given["widths"]),
        activations=split(given["activations"]),
        schemes=split(given["inits"]) or (given["init"],),
        remedies=tuple(REMEDIES) if given["remedies"] else (),
        networks=given["samples"],
        inputs=given["inputs"],
        seed=given["seed"],
    )


def _numbers(option: str, texts: tuple[str, ...]) -> tuple[int, ...]:
    """The whole numbers of a list.

    Raises:
        SpecError: one is none.
    """
    for text in (found := split(texts)):
        if not text.isascii() or not text.isdigit():
            raise SpecError.single(f"{quoted(text)} is no whole number", option, "such as 2,5,10")
    return tuple(map(int, found))


def _table(given: Mapping[str, Any]) -> Path | None:
    return next((Path(path) for path in given["outputs"] if path.endswith(TABLES)), None)


@contextmanager
def _bar(given: Mapping[str, Any]) -> Iterator[Callable[[int, int], None]]:
    """Give a function that is told how many networks are done, and shows it on a terminal."""
    stream = sys.stderr
    if given["quiet"] or stream is None or not stream.isatty():
        yield lambda _done, _total: None
        return
    shown = click.progressbar(length=1, label="networks", file=stream, show_pos=True)
    with shown as bar:

        def tell(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield tell


# --- What is told ---


def _told(results: "Results", given: Mapping[str, Any]) -> int:
    from bpderive.cli import sweeps_told
    from bpderive.findings.sweeps import swept as expected

    cells = expected(results)
    files = sweeps_told.files(cells, given)
    console.put(sweeps_told.text(cells, given) + files, exactly=given["as_json"])
    return 1 if given["check"] and any(cell.warnings for cell in cells) else 0
