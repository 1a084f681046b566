"""Pieces of the dense Python target that these modules have too: optimizers and checks of values.

In: nothing. Out: texts of functions. Must not know: equations.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from bpderive.templating import fill

TEXTS = ("drawn", "samples", "draw", "draws", "checked")
FLAGS = ("bias", "mean", "distribution", "partial")
STEPS = ("step", "momentum", "adam", "clip_by_value", "clip_by_norm")
MATRICES = ("_matrix", "_normal", "_truncated", "_orthogonal", "SCHEMES")
CHECKS = ("_check_step", "_check_state", "_rate", "_count")


@cache
def _blocks(template: str) -> Mapping[str, str]:
    """The functions and tables of a template, by name."""
    told: dict[str, Any] = dict.fromkeys(TEXTS, "") | dict.fromkeys(FLAGS, False)
    made = fill(template, fan_in="m", first="n", second="m", **told)
    pieces = [piece.strip("\n") for piece in made.split("\n\n\n")]
    names = (piece.removeprefix("def ").partition("(")[0].partition(":")[0] for piece in pieces)
    return dict(zip(names, pieces, strict=True))


def _joined(template: str, names: tuple[str, ...]) -> str:
    found = _blocks(template)
    return "\n\n\n".join(found[name] for name in names)


def training() -> Mapping[str, str]:
    """The ways to draw parameters, the steps of optimizers, their table, and the checks."""
    source = "code/python_training.py.j2"
    return {
        "schemes": _joined(source, MATRICES),
        "steps": _joined(source, STEPS),
        "optimizers": _joined(source, ("OPTIMIZERS",)),
        "rows": _joined("code/python_inputs.py.j2", ("_shape", "_row")),
        "checks": _joined("code/python_inputs.py.j2", CHECKS),
        "main": _joined("code/python_check.py.j2", ("main",)),
    }
