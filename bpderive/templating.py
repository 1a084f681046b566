"""Templates, compiled once: the one place that knows Jinja.

In: a template's path below `templates/`, and what it may use; folders of a user's own templates,
which go before ours. Out: text. Compiled templates are kept as Python keeps its modules: in
`__pycache__` beside them, where that can be written and `PYTHONDONTWRITEBYTECODE` does not forbid
it. Must not know what the templates say.
"""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import (
    BytecodeCache,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateRuntimeError,
    TemplateSyntaxError,
    Undefined,
)
from jinja2.bccache import Bucket

from bpderive.errors import BpderiveError, SpecError
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
def _environment(folders: tuple[Path, ...]) -> Environment:
    """Jinja with marks of our own: its braces would collide with LaTeX's.

    A stranger's templates reach nothing but what is handed to them, and print nothing but text.
    """
    kind = Environment
    if folders:
        from jinja2.sandbox import SandboxedEnvironment as kind  # noqa: N813 - one of two classes
    own: dict[str, Any] = {"finalize": _text} if folders else {"bytecode_cache": _Kept()}
    return kind(
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        loader=FileSystemLoader([*folders, templates()]),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,  # LaTeX, Markdown and Python: the writers escape
        **own,
    )


def _text(value: object) -> object:
    """What a template prints.

    Raises:
        TemplateRuntimeError: it is an object, which `words` or `math` would print.
    """
    if not isinstance(value, str | int | float | Undefined):
        kind = type(value).__name__
        raise TemplateRuntimeError(f"{kind} is no text: words(…), math(…) and the like print it")
    return value


def fill(template: str, folders: Sequence[Path] = (), **values: Any) -> str:
    """The text of a template, such as `document/latex/main.tex.j2`, with these values.

    Raises:
        SpecError: something is wrong with a template of the user's folders; with its line.
    """
    try:
        return str(_environment(tuple(folders)).get_template(template).render(**values))
    except BpderiveError:
        raise
    except Exception as error:
        place = _place(error, folders) if folders else ""
        if not place:
            raise
        told = str(error).replace("'StrictUndefined'", "a name that is not defined")
        raise SpecError.single(f"the template fails: {told}", place) from error


def _place(error: Exception, folders: Sequence[Path]) -> str:
    """The file and the line where a template of these folders failed; nothing for ours."""
    import traceback

    if isinstance(error, TemplateSyntaxError):
        return f"{error.filename or error.name}, line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if any(Path(f.filename).is_relative_to(at) for at in folders)]
    if own:
        return f"{own[-1].filename}, line {own[-1].lineno}"
    return str(folders[0]) if isinstance(error, TemplateError) else ""
