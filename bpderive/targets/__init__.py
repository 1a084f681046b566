"""Code from a program: one row of `TARGETS` for each language or library.

In: a `Program`. Out: the text of a file. To add a target, add a module with a function from a
`Program` to text, and its row here. Must not know how anything was derived.
"""

from collections.abc import Callable, Mapping

from bpderive.errors import SpecError, quoted, suggest
from bpderive.program import Program
from bpderive.targets import numpy

TARGETS: Mapping[str, Callable[[Program], str]] = {"numpy": numpy.generate}


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
    return TARGETS[target](program)
