"""The pytest file for a generated Python module: it checks the gradient against differences.

In: a `Program`, the name of the module's file, and the target it is of. Out: the text of a pytest
file, from `templates/code/test_python.py.j2`, that finds the module beside it and trusts none of
its code. Must not know any mathematics.
"""

from itertools import pairwise

from bpderive.program import Program
from bpderive.targets import describe
from bpderive.targets.layout import Member, Text, run_lengths
from bpderive.targets.python import DRAWS
from bpderive.targets.shapes import shapes, spelled
from bpderive.templating import fill

NEEDS = {
    "numpy": "It needs NumPy, and the module.",
    "numpy-inplace": "It needs NumPy, and the module.",
    "python": "It needs nothing but the module.",
    "array-api": "It needs NumPy, whose arrays stand for those of any library, and the module.",
}
"""What the file needs, by the target of its module."""
MOST, LEAST, WORK = 100, 12, 1_000_000
"""How many elements are compared at each point; the more parameters, the fewer."""


def generate(program: Program, name: str, *, target: str) -> str:
    """The text of `test_<name>.py`; symbolic sizes are numbers in it.

    Args:
        program: what the module computes.
        name: the name of the module's file, without suffix.
        target: that of the module, a key of `NEEDS`.
    """
    network, sizes = program.network, _sizes(program)
    parameters = sum(m * n for m, n in pairwise(sizes))
    path = Member(Text("Path(__file__)"), "with_name", _string(f"{name}.py"))
    return fill(
        "code/test_python.py.j2",
        needs=NEEDS[target],
        path=path.lines(0, len("CODE = ")),
        layers=run_lengths("LAYERS = ", map(str, sizes)),
        shapes=shapes(network),
        **spelled(network),
        places=max(LEAST, min(MOST, WORK // parameters)),
        plain=target == "python",
        inplace=target == "numpy-inplace",
        bias=network.spec.bias,
        mean=program.mean,
        partial=describe.is_partial(program),
        distribution=network.loss.label == "distribution",
        draw=DRAWS[network.loss.label],
    )


def _sizes(program: Program) -> list[int]:
    """The sizes of the layers; each symbolic one is a number that no other has."""
    known = {int(size) for size in program.widths if size.is_Integer}
    names = [size for size in dict.fromkeys(program.widths) if not size.is_Integer]
    free = (number for number in range(2, len(known) + len(names) + 2) if number not in known)
    chosen = dict(zip(names, free, strict=False))
    return [int(chosen.get(size, size)) for size in program.widths]


def _string(text: str) -> str:
    """A literal in the quotes that `ruff format` prefers; what cannot be printed is escaped."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    plain = (
        c if c.isprintable() and c != "\\" else c.encode("unicode_escape").decode() for c in text
    )
    return quote + "".join(plain).replace(quote, f"\\{quote}") + quote
