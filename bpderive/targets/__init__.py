"""Code from a program: one row of `TARGETS` for each language or library.

In: a `Program` of dense layers, or a `Computation` of any. Out: the texts of files. To add a
target, add a module with functions from a `Program` to text, and its row here; others that carry a
`Computation` are in `LAYERED`. Must not know how anything was derived.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeAlias

from bpderive.errors import SpecError, UnsupportedError, quoted, suggest
from bpderive.program import Program
from bpderive.schedule.model import Computation

Work: TypeAlias = Program | Computation
"""What is computed."""
Printer = Callable[[Any, str], str]
"""From what is computed, and the name of its file without suffix, to a text."""


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

    def printer(program: Work, name: str) -> str:
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


def _layered(test: Printer, **parts: Printer) -> tuple[Mapping[str, Printer], Printer]:
    return {f".{suffix}": printer for suffix, printer in parts.items()}, test


_TEST = "loops.test_file"
LAYERED: Mapping[str, tuple[Mapping[str, Printer], Printer]] = {
    "numpy": _layered(_printer(_TEST, "python", arrays="numpy"), py=_printer("arrays", "generate")),
    "python": _layered(_printer(_TEST, "python"), py=_printer("loops.module", "generate")),
    "c": _layered(
        _printer(_TEST, "c"), c=_printer("loops.file", "source"), h=_printer("loops.file", "header")
    ),
}
"""What prints a `Computation`, and a pytest file for it, for the targets that can carry one."""


def _printers(work: Work, row: Target) -> tuple[Mapping[str, Printer], Printer]:
    """What prints the files, and the test.

    Raises:
        UnsupportedError: the target cannot carry these layers.
    """
    if isinstance(work, Program):
        return row.parts, row.test
    if row.name not in LAYERED:
        raise UnsupportedError(
            f"the target {row.name} has dense layers only; "
            f"for these layers there are {', '.join(LAYERED)}"
        )
    return LAYERED[row.name]


def generate(program: Work, target: str = "numpy") -> str:
    """The code of a program; of a target with several files, the first.

    Args:
        program: what to compute.
        target: a name in `TARGETS`.

    Raises:
        SpecError: an unknown target.
        UnsupportedError: the target cannot carry the program.
    """
    row = found(target)
    parts, _ = _printers(program, row)
    return parts[row.suffix](program, row.stem)


def files(
    program: Work, target: str = "numpy", stem: str | None = None, *, test: bool = False
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
    parts, test_of = _printers(program, row)
    stem = stem or row.stem
    if set(stem) & {"/", "\0"}:
        raise SpecError.single(
            f"{quoted(stem)} is no name of a file", accepted="one without folders"
        )
    texts = {stem + suffix: printer(program, stem) for suffix, printer in parts.items()}
    return texts | ({_test_name(stem): test_of(program, stem)} if test else {})


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
