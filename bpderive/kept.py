"""TOML files of ours, read once: kept as Python keeps its modules, in `__pycache__` beside them.

In: a path below `templates/`. Out: its table. What is kept belongs to one size and time of the
file; where it cannot be read or written, or `PYTHONDONTWRITEBYTECODE` forbids it, the file is read.
Must not know what the tables say.
"""

import marshal
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from bpderive.locate import templates


def table(path: Path) -> dict[str, Any]:
    """The table of a file, read anew where it has changed."""
    state = path.stat()
    mark = (state.st_mtime_ns, state.st_size, sys.version_info[:2])
    place = templates() / "__pycache__" / f"{path.parent.name}-{path.stem}.toml"
    with suppress(OSError, ValueError, EOFError, TypeError):
        found, kept = marshal.loads(place.read_bytes())  # noqa: S302 - our own, as a module's code
        if found == mark and isinstance(kept, dict):
            return kept
    return _written(path, place, mark)


def _written(path: Path, place: Path, mark: tuple[Any, ...]) -> dict[str, Any]:
    import tomllib

    found = tomllib.loads(path.read_text("utf-8"))
    if not sys.dont_write_bytecode:
        part = place.with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            place.parent.mkdir(exist_ok=True)
            part.write_bytes(marshal.dumps((mark, found)))
            part.replace(place)
    return found
