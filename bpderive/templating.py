"""Templates, compiled once: the one place that knows Jinja.

In: a template's path below `templates/`, and what it may use. Out: text. Compiled templates are
kept as Python keeps its modules: in `__pycache__` beside them, where that can be written and
`PYTHONDONTWRITEBYTECODE` does not forbid it. Must not know what the templates say.
"""

import os
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket

from bpderive.locate import templates


class _Kept(BytecodeCache):
    """Compiled templates in `__pycache__`; a file that cannot be read or written is no error."""

    def _path(self, bucket: Bucket) -> Path:
        return templates() / "__pycache__" / f"{bucket.key}.jinja"

    def load_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError), self._path(bucket).open("rb") as file:
            bucket.load_bytecode(file)

    def dump_bytecode(self, bucket: Bucket) -> None:
        if sys.dont_write_bytecode:
            return
        path = self._path(bucket)
        part = path.with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            path.parent.mkdir(exist_ok=True)
            part.write_bytes(bucket.bytecode_to_string())
            part.replace(path)


@cache
def _environment() -> Environment:
    """Jinja with marks of our own: its braces would collide with LaTeX's."""
    return Environment(
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        loader=FileSystemLoader(templates()),
        bytecode_cache=_Kept(),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - LaTeX, Markdown and Python: the writers escape
    )


def fill(template: str, **values: Any) -> str:
    """The text of a template, such as `document/latex.tex.j2`, with these values."""
    return str(_environment().get_template(template).render(**values))
