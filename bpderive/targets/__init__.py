"""Code from a program: one row of `TARGETS` for each language or library.

In: a `Program`. Out: the texts of files. To add a target, add a module with functions from a
`Program` to text, and its row here. Must not know how anything was derived.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

from bpderive.errors import SpecError, quoted, suggest
from bpderive.program import Program

Printer = Callable[[Program, str], str]
"""From a program, and the name of its file without suffix, to a text."""


@dataclass(frozen=True)
class Target:
    """One target: its files, what it is in words for `--help`, and what prints a program.

    `stem` is the usual name of its files, without suffix; `parts` are their suffixes, the code
    first, with what prints each; `test` prints a pytest file for the code.
    """

    name: str
    stem: str
    description: str
    parts: Mapping[str, Printer]
    test: Printer

    @property
    def suffix(self) -> str:
        """That of the code."""
        return next(iter(self.parts))

    @property
    def file(self) -> str:
        """The usual name of the code."""
        return self.stem + self.suffix


def _printer(module: str, function: str, **options: str) -> Printer:
    """A printer whose module is imported when it is first asked: five would take long to load."""

    def printer(program: Program, name: str) -> str:
        found = import_module(f"bpderive.targets.{module}")
        text: str = getattr(found, function)(program, name, **options)
        return text

    return printer


def _python(name: str, module: str, stem: str, description: str) -> Target:
    test = _printer("test_file", "generate", target=name)
    return Target(name, stem, description, {".py": _printer(module, "generate")}, test)


_ROWS = (
    _python("numpy", "numpy", "network", "a Python module on NumPy alone, to read"),
    _python(
        "numpy-inplace",
        "inplace",
        "network_inplace",
        "the same, fast: one workspace, filled in place",
    ),
    _python(
        "python",
        "python",
        "network_plain",
        "a Python module on the standard library alone, for small networks",
    ),
    _python(
        "array-api",
        "array_api",
        "network_xp",
        "a Python module for PyTorch, JAX, CuPy, Dask and NumPy arrays",
    ),
    Target(
        "c",
        "network",
        "one C99 file and its header, without malloc",
        {".c": _printer("c", "source"), ".h": _printer("c", "header")},
        _printer("c", "test"),
    ),
)
TARGETS: Mapping[str, Target] = {row.name: row for row in _ROWS}


def generate(program: Program, target: str = "numpy") -> str:
    """The code of a program; of a target with several files, the first.

    Args:
        program: what to compute.
        target: a name in `TARGETS`.

    Raises:
        SpecError: an unknown target.
        UnsupportedError: the target cannot carry the program.
    """
    row = found(target)
    return row.parts[row.suffix](program, row.stem)


def files(
    program: Program, target: str = "numpy", stem: str | None = None, *, test: bool = False
) -> dict[str, str]:
    """Every file of a program's code by its name, the code first.

    Args:
        program: what to compute.
        target: a name in `TARGETS`.
        stem: the name of the files without suffix; the target's own where none is given.
        test: whether a pytest file for the code is among them.

    Raises:
        SpecError: an unknown target.
        UnsupportedError: the target cannot carry the program.
    """
    row = found(target)
    stem = stem or row.stem
    if set(stem) & {"/", "\0"}:
        raise SpecError.single(
            f"{quoted(stem)} is no name of a file", accepted="one without folders"
        )
    texts = {stem + suffix: printer(program, stem) for suffix, printer in row.parts.items()}
    return texts | ({_test_name(stem): row.test(program, stem)} if test else {})


def _test_name(stem: str) -> str:
    """The name of the pytest file; pytest reads a dot as that of a package."""
    return f"test_{stem.replace('.', '_')}.py"


def found(target: str) -> Target:
    """The row of a target.

    Raises:
        SpecError: an unknown target.
    """
    if target not in TARGETS:
        message = f"unknown target {quoted(target)}{suggest(target, TARGETS)}"
        raise SpecError.single(message, accepted=", ".join(TARGETS))
    return TARGETS[target]
