"""Code from a program: one row of `TARGETS` for each language or library.

In: a `Program`. Out: the text of a file. To add a target, add a module with a function from a
`Program` to text, and its row here. Must not know how anything was derived.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bpderive.errors import SpecError, quoted, suggest
from bpderive.program import Program
from bpderive.targets import numpy


@dataclass(frozen=True)
class Target:
    """One target: its file, what it is in words for `--help`, and what prints a program."""

    name: str
    file: str
    description: str
    generate: Callable[[Program], str]


_ROWS = (Target("numpy", "network.py", "a Python module on NumPy alone", numpy.generate),)
TARGETS: Mapping[str, Target] = {row.name: row for row in _ROWS}


def generate(program: Program, target: str = "numpy") -> str:
    """The code of a program.

    Args:
        program: what to compute.
        target: a name in `TARGETS`.

    Raises:
        SpecError: an unknown target.
    """
    if target not in TARGETS:
        message = f"unknown target {quoted(target)}{suggest(target, TARGETS)}"
        raise SpecError.single(message, accepted=", ".join(TARGETS))
    return TARGETS[target].generate(program)
