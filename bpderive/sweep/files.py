"""The file of a sweep's results: CSV, one line for each layer of each network.

In: a path, the fingerprint of a sweep. Out: the networks that the file holds; it is written to as
others are measured, and brought into order at the end. A file is one of ours by its header, and one
of this sweep by the fingerprint in each line; any other is kept as it is. Must not know: how
anything is measured.
"""

import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from bpderive.errors import OutputError, quoted
from bpderive.sweep.model import Cell, Numbers, Row

COLUMNS = (
    *("sweep", "depth", "width", "activation", "scheme", "remedy", "network"),
    *("layer", "layers", "parameter", "mean", "rms", "q05", "q25", "q50", "q75", "q95"),
    *("dead", "bound"),
)
"""`layers` is how many lines a network has: one with fewer was torn."""
HEADER = ",".join(COLUMNS) + "\n"
Key = tuple[Cell, int]
Networks = Mapping[Key, tuple[Row, ...]]


def lines(sweep: str, networks: Networks) -> Iterator[str]:
    """The lines of some networks, in order."""
    for cell, index in sorted(networks):
        yield text(sweep, cell, index, networks[cell, index])


def text(sweep: str, cell: Cell, index: int, rows: tuple[Row, ...]) -> str:
    """The lines of one network."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    own = (sweep, cell.depth, cell.width, cell.activation, cell.scheme, cell.remedy, index)
    for row in rows:
        mean, rms, quantiles, dead, bound = row.numbers
        figures = (mean, rms, *quantiles, dead)
        last = "" if bound is None else repr(bound)
        write((*own, row.layer, len(rows), row.parameter, *map(repr, figures), last))
    return out.getvalue()


def read(path: Path, sweep: str) -> dict[Key, tuple[Row, ...]]:
    """The whole networks of a file; nothing where there is none, or it is empty.

    Raises:
        OutputError: it is no file of ours, it is damaged, or it holds another sweep.
    """
    with told(path):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return {}
    header = HEADER.encode()
    if not data.startswith(header):
        if header.startswith(data):
            return {}
        raise OutputError(f"{_name(path)}: no results of bpderive flow: kept as it is")
    whole = data[: data.rfind(b"\n") + 1]  # a last line that was torn is measured again
    try:
        return parsed(csv.reader(io.StringIO(whole.decode(), newline="")), path, sweep)
    except (UnicodeDecodeError, csv.Error) as error:
        raise OutputError(f"{_name(path)}: damaged ({error}): kept as it is") from error


def parsed(table: Iterable[list[str]], path: Path, sweep: str) -> dict[Key, tuple[Row, ...]]:
    """The whole networks of a table, whose first line is the header.

    Raises:
        OutputError: a line is damaged, or of another sweep.
    """
    found: dict[Key, list[Row]] = {}
    counts: dict[Key, int] = {}
    for number, line in enumerate(table, 1):
        if number == 1:
            continue
        if len(line) == len(COLUMNS) and line[0] != sweep:
            raise OutputError(
                f"{_name(path)}: holds the results of another sweep: kept as it is. It began with "
                "other layers, another loss, seed or number of inputs; give another file"
            )
        try:
            key, count, row = _line(line)
        except (ValueError, IndexError) as error:
            message = f"{_name(path)}, line {number}: damaged: kept as it is"
            raise OutputError(message) from error
        counts[key] = count
        found.setdefault(key, []).append(row)
    whole = (key for key, rows in found.items() if len(rows) == counts[key])
    return {key: tuple(found[key]) for key in whole}


def _line(line: list[str]) -> tuple[Key, int, Row]:
    _, depth, width, activation, scheme, remedy, index, layer, layers, parameter, *figures = line
    mean, rms, q05, q25, q50, q75, q95, dead = map(float, figures[:-1])
    bound = float(figures[-1]) if figures[-1] else None
    numbers = Numbers(mean, rms, (q05, q25, q50, q75, q95), dead, bound)
    cell = Cell(int(depth), int(width), activation, scheme, remedy)
    return (cell, int(index)), int(layers), Row(int(layer), parameter, numbers)


def replace(path: Path, chunks: Iterable[str]) -> None:
    """Write a whole file beside its place, and put it there.

    Raises:
        OutputError: it cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    with told(path):
        try:
            with draft.open("w", encoding="utf-8", newline="") as file:
                file.writelines(chunks)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


def append(file: IO[str], path: Path, chunk: str) -> None:
    """Add lines to an open file, for good.

    Raises:
        OutputError: it cannot be written.
    """
    with told(path):
        file.write(chunk)
        file.flush()


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Tell a failure of the file system with the name of the file."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{_name(path)}: {reason}") from error
    except ValueError as error:  # a null byte
        raise OutputError(f"{_name(path)}: no file name") from error


def _name(path: Path) -> str:
    return quoted(path, 200)
