"""A model out of a Python file: the file is run.

In: `FILE.py:NAME`. Out: what NAME is there, called where it is a class or a function. Whatever the
file raises is told with its line. Must not know: what a model is.
"""

import inspect
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any

from bpderive import sources
from bpderive.errors import SpecError, quoted, suggest

SHAPE = "FILE.py:NAME, such as net.py:Net"
MAX_BYTES = 5_000_000
_MODULE = "__bpderive_model__"


def load(reference: str) -> Any:
    """What a reference means; a class, or a function, is called without arguments.

    Raises:
        SpecError: there is no such file or name, or the file raises something.
    """
    path, _, name = reference.rpartition(":")
    if not path.endswith(".py") or not name.isidentifier():
        raise SpecError.single(f"{quoted(reference, 100)} is no FILE.py:NAME", accepted=SHAPE)
    source, _ = sources.read(path, "a Python file", MAX_BYTES)
    with _running(path):
        module = _module(source, path)
        if not hasattr(module, name):
            names = [key for key in vars(module) if not key.startswith("_")]
            raise SpecError.single(f"no {quoted(name)} in it{suggest(name, names)}", path)
        return _called(getattr(module, name), name, path)


def _module(source: str, path: str) -> ModuleType:
    """The file as a module; those beside it can be imported."""
    module = ModuleType(_MODULE)
    module.__file__ = path
    sys.modules[_MODULE] = module  # dataclasses and pickles look there
    exec(compile(source, path, "exec", dont_inherit=True), vars(module))  # noqa: S102 - it is asked for
    return module


def _called(found: Any, name: str, path: str) -> Any:
    if not (inspect.isclass(found) or inspect.isfunction(found)):
        return found
    try:
        inspect.signature(found).bind()
    except TypeError as error:
        message = f"{name} needs arguments: {error}"
        accepted = "a model, or a class or function without arguments that gives one"
        raise SpecError.single(message, path, accepted) from None
    return found()


@contextmanager
def _running(path: str) -> Iterator[None]:
    """Run somebody's code: what it prints goes to stderr, what it raises is told."""
    folder = str(Path(path).resolve().parent)
    sys.path.insert(0, folder)
    try:
        with redirect_stdout(sys.stderr):
            yield
    except (SpecError, KeyboardInterrupt):
        raise
    except BaseException as error:  # SystemExit too: the file is somebody's script
        raise SpecError.single(f"running it raised {told(error)}", _where(error, path)) from error
    finally:
        sys.path.remove(folder)
        sys.modules.pop(_MODULE, None)


def told(error: BaseException) -> str:
    """`ZeroDivisionError: division by zero`, on one line."""
    first = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {quoted(first, 300)[1:-1]}" if first else type(error).__name__


def _where(error: BaseException, path: str) -> str:
    """The file, with the last line of it that ran."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == path]
    if isinstance(error, SyntaxError) and error.filename == path:
        lines.append(error.lineno)
    return f"{path}, line {lines[-1]}" if lines else path
