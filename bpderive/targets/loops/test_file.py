"""The pytest files for code of any network: they check its gradient against differences.

In: a `Computation`, and the name of the code's file. Out: the text of a pytest file that finds the
code beside it and trusts none of it. Must not know any mathematics.
"""

from collections.abc import Mapping
from typing import Any

from sympy import Expr, Symbol, log

from bpderive.errors import UnsupportedError
from bpderive.functions import xlogy
from bpderive.functions.conditions import fixed
from bpderive.schedule.model import Computation
from bpderive.targets.layout import Member, Text, collection
from bpderive.targets.loops.equations import Writer
from bpderive.targets.loops.file import File
from bpderive.targets.test_file import _string
from bpderive.templating import fill

SAMPLES, MOST = 3, 400
CANDIDATES = (4, 3, 5, 2, 6)
"""Sizes for those that are no numbers."""


def python(computation: Computation, name: str, *, arrays: str = "") -> str:
    """The test of a Python module, of lists or of arrays."""
    return fill(
        "code/test_loops_python.py.j2",
        needs="NumPy" if arrays else "nothing",
        arrays=bool(arrays),
        **_common(computation, f"{name}.py"),
    )


def c(computation: Computation, name: str) -> str:
    """The test of a C file."""
    file = File(computation, name)
    work = file.places[1].xreplace({Symbol("N", integer=True, positive=True): SAMPLES})
    samples = f"[ctypes.c_size_t({SAMPLES})]" if file.sampled else "[]"
    told = _common(computation, f"{name}.c")
    return fill("code/test_loops_c.py.j2", work=str(work), samples=samples, **told)


def _common(computation: Computation, file: str) -> dict[str, Any]:
    """The constants of a test.

    Raises:
        UnsupportedError: the gradient is not that of the loss, as a part of it is left out.
    """
    writer = Writer(computation, frozenset())
    if any(line.equation.rhs.has(fixed) for line in writer.source):
        raise UnsupportedError(
            "the gradient leaves out what goes through stop(...), as truncation in time does: "
            "it differs from that of the loss, and there is no test against differences"
        )
    given = sorted(computation.given, key=lambda g: g.role == "target")
    values = _symbols(computation)
    params = {g.label: _shape(g.sizes, values) for g in given if g.role == "parameter"}
    rest = {g.label: _shape(g.sizes, values) for g in given if g.role != "parameter"}
    positive = [g.label for g in given if g.role == "data" and g.label not in writer.tokens]
    if computation.loss.equation.rhs.has(log, xlogy):
        positive += [g.label for g in given if g.role == "target"]
    counts = {
        label: _shape((writer.shapes[of][axis],), values)[0]
        for label, (of, axis) in writer.tokens.items()
    }
    path = Member(Text("Path(__file__)"), "with_name", _string(file))
    constants = [
        collection("SHAPES = ", _items(params), "", "{}", indent=0),
        collection("GIVEN = ", _items(rest), "", "{}", indent=0),
        collection("TOKENS: dict[str, int] = ", _items(counts), "", "{}", indent=0),
        f"POSITIVE: tuple[str, ...] = ({_list(positive)})",
        f"PLACES = {max(1, min(MOST // max(1, len(params)), 20))}",
    ]
    return {"path": path.lines(0, len("CODE = ")), "constants": "\n".join(constants)}


def _symbols(computation: Computation) -> Mapping[Expr, int]:
    """Numbers for the sizes that are none."""
    found = {s for g in computation.given for size in g.sizes for s in size.free_symbols}
    names = sorted((s for s in found if str(s) != "N"), key=str)
    return dict(zip(names, CANDIDATES * len(names), strict=False))


def _shape(sizes: tuple[Expr, ...], values: Mapping[Expr, int]) -> tuple[int, ...]:
    samples = {s: SAMPLES for size in sizes for s in size.free_symbols if str(s) == "N"}
    return tuple(int(size.xreplace({**values, **samples})) for size in sizes)


def _items(table: Mapping[str, object]) -> list[str]:
    return [f'"{key}": {value}' for key, value in table.items()]


def _list(labels: list[str]) -> str:
    return ", ".join(f'"{label}"' for label in labels) + "," * (len(labels) == 1)
