"""Keeps a sweep's results: in a file as they come, in order at the end.

In: a path or None, a fingerprint. Out: a `Store`. Must not know: what the numbers mean, how they
are measured.
"""

from pathlib import Path
from typing import IO, Self

from bpderive.errors import SpecError, quoted
from bpderive.sweep import files
from bpderive.sweep.files import HEADER, Key
from bpderive.sweep.model import Cell, Row

SUFFIXES = (".csv", ".parquet")


class Store:
    """The networks measured so far; a context, in which the file is open."""

    def __init__(self, path: Path | str | None, sweep: str) -> None:
        self.path = None if path is None else Path(path)
        self.sweep = sweep
        self.networks: dict[Key, tuple[Row, ...]] = {}
        self.new: set[Key] = set()
        self.file: IO[str] | None = None
        self.open_path: Path | None = self._checked()

    def _checked(self) -> Path | None:
        """Where the lines go while the sweep runs; read what is there.

        Raises:
            SpecError: a suffix that no file of results has.
            OutputError: the file is not one of this sweep.
            UnsupportedError: pyarrow is not installed.
        """
        if self.path is None:
            return None
        if self.path.suffix not in SUFFIXES:
            message = f"{quoted(self.path, 200)} is no name for a file of results"
            raise SpecError.single(message, accepted=f"one that ends in {' or '.join(SUFFIXES)}")
        own = self.path
        if self.path.suffix == ".parquet":
            from bpderive.sweep import parquet

            self.networks |= parquet.read(self.path, self.sweep)
            own = self.path.with_suffix(".part.csv")
        self.networks |= files.read(own, self.sweep)
        return own

    def __enter__(self) -> Self:
        if self.open_path is not None:
            self._order(self.open_path)
            with files.told(self.open_path):
                self.file = self.open_path.open("a", encoding="utf-8", newline="")
        return self

    def __exit__(self, *_: object) -> None:
        if self.file is not None:
            self.file.close()

    def add(self, cell: Cell, index: int, rows: tuple[Row, ...]) -> None:
        """Keep a network.

        Raises:
            OutputError: the file cannot be written.
        """
        if self.file is not None and self.open_path is not None:
            files.append(self.file, self.open_path, files.text(self.sweep, cell, index, rows))
        self.networks[cell, index] = rows
        self.new.add((cell, index))

    def finish(self) -> None:
        """Bring the file into order.

        Raises:
            OutputError: it cannot be written.
        """
        if self.open_path is None or self.path is None:
            return
        if self.open_path == self.path:
            self._order(self.path)
            return
        from bpderive.sweep import parquet

        parquet.write(self.path, self.sweep, self.networks)
        with files.told(self.open_path):
            self.open_path.unlink(missing_ok=True)

    def _order(self, path: Path) -> None:
        files.replace(path, [HEADER, *files.lines(self.sweep, self.networks)])
