"""The same results as a Parquet file.

In: networks, or a path. Out: a file, or networks. Must not know: how anything is measured.
"""

import csv
import os
from importlib import import_module
from pathlib import Path
from typing import Any

from bpderive.errors import OutputError, UnsupportedError, quoted
from bpderive.sweep.files import COLUMNS, Key, Networks, lines, parsed, told
from bpderive.sweep.model import Row

_WHOLE = ("depth", "width", "network", "layer", "layers")
_WORDS = ("sweep", "activation", "scheme", "remedy", "parameter")


def library() -> Any:
    """PyArrow.

    Raises:
        UnsupportedError: it is not installed.
    """
    try:
        import_module("pyarrow.parquet")
        return import_module("pyarrow")
    except ImportError as error:
        raise UnsupportedError(
            "a file of results that ends in .parquet needs pyarrow: "
            "pip install 'bpderive[parquet]', or take one that ends in .csv"
        ) from error


def read(path: Path, sweep: str) -> dict[Key, tuple[Row, ...]]:
    """The networks of a file; nothing where there is none.

    Raises:
        OutputError: it is no file of ours, or holds another sweep.
    """
    arrow = library()
    if not path.exists():
        return {}
    foreign = OutputError(f"{quoted(path, 200)}: no results of bpderive flow: kept as it is")
    with told(path):
        try:
            table = arrow.parquet.read_table(path)
        except arrow.ArrowException as error:
            raise foreign from error
    if tuple(table.column_names) != COLUMNS:
        raise foreign
    columns = [table.column(name).to_pylist() for name in COLUMNS]
    every = ([_text(value) for value in row] for row in zip(*columns, strict=True))
    return parsed([list(COLUMNS), *every], path, sweep)


def _text(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else repr(value)


def write(path: Path, sweep: str, networks: Networks) -> None:
    """The whole file, put into its place when it is on the disk.

    Raises:
        OutputError: it cannot be written.
    """
    arrow = library()
    table = list(
        csv.reader(chunk for text in lines(sweep, networks) for chunk in text.splitlines())
    )
    columns = dict(zip(COLUMNS, zip(*table, strict=True), strict=True))
    arrays = {name: _column(arrow, name, values) for name, values in columns.items()}
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    with told(path):
        try:
            arrow.parquet.write_table(arrow.table(arrays), draft)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


def _column(arrow: Any, name: str, values: tuple[str, ...]) -> Any:
    if name in _WORDS:
        return arrow.array(values, arrow.string())
    if name in _WHOLE:
        return arrow.array(map(int, values), arrow.int64())
    return arrow.array([float(v) if v else None for v in values], arrow.float64())
