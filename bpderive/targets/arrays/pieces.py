"""Pieces of the module that are those of the dense target: optimisers, checks, functions.

In: nothing, or the text that uses functions. Out: texts. Must not know: equations.
"""

from collections.abc import Iterator, Mapping
from functools import cache

from bpderive.targets.arrays.block import words
from bpderive.targets.arrays.functions import Functions
from bpderive.targets.numpy import functions_of
from bpderive.templating import fill

OWN = "stack_functions.py"
NAMES = {"adam", "check", "clip_by_norm", "clip_by_value", "forward", "init", "input_grad"}
NAMES |= {"l2_decay", "loss", "loss_and_grad", "main", "max", "momentum", "step", "train", "sum"}
NAMES |= {"isinstance", "prod", "as_strided", "windows", "dilated", "picked", "softmax"}
NAMES |= {"log_softmax", "first_largest", "folded", "spread", "scattered", "sigmoid"}
NAMES |= {"softplus", "erf", "xlogy"}
NAMES |= {
    "Any",
    "Callable",
    "Mapping",
    "NDArray",
    "Optimizer",
    "Params",
    "SHAPES",
    "GIVEN",
    "State",
}
NAMES |= {"TOKENS", "Shape", "OPTIMIZERS", "SCHEMES", "zip", "sorted", "map", "list", "str"}
"""What the module calls its own functions and tables: no tensor may take these names."""


@cache
def _blocks(template: str) -> Mapping[str, str]:
    """The functions and tables of a template of the dense target, by name."""
    made = fill(
        template,
        symbolic=False,
        bias=False,
        inplace=False,
        mean=False,
        distribution=False,
        fan_in="m",
        signature="def init() -> Params:",
        drawn="",
        samples="",
        weighted="",
        averaged="",
        like="",
        loose="",
        inputs="1",
        outputs="1",
        first="n",
        second="m",
        sizes="1",
        draw="1",
        of_rows=1,
        of_columns=0,
        partial=False,
    )
    pieces = [piece.strip("\n") for piece in made.split("\n\n\n")]
    names = (piece.removeprefix("def ").partition("(")[0].partition(":")[0] for piece in pieces)
    return dict(zip(names, pieces, strict=True))


def training() -> Mapping[str, str]:
    """The ways to draw parameters, the steps of optimisers, and their table."""
    found = _blocks("code/numpy_training.py.j2")
    steps = ("step", "momentum", "adam", "clip_by_value", "clip_by_norm")
    return {
        "schemes": "\n\n\n".join(found[name] for name in ("_truncated", "_orthogonal", "SCHEMES")),
        "steps": "\n\n\n".join(found[name] for name in steps),
        "optimizers": found["OPTIMIZERS"],
        "main": _blocks("code/numpy_check.py.j2")["main"],
    }


def checks() -> str:
    """The checks of values that do not depend on the network."""
    found = _blocks("code/numpy_inputs.py.j2")
    names = ("_real", "_check_step", "_check_state", "_rate", "_count")
    return "\n\n\n".join(found[name] for name in names)


def helpers(functions: Functions, body: str, wanted: set[str]) -> Iterator[str]:
    """The texts of the functions that are used: activations first, then what NumPy lacks."""
    own, dense = functions_of(OWN), functions_of()
    activations = list(functions.texts())
    used = [t for t in activations if t.removeprefix("def ").partition("(")[0] in words(body)]
    while len(used) < (more := len(_used(activations, body + "".join(used)))):
        used = _used(activations, body + "".join(used))
        if len(used) == more:
            break
    yield from used
    texts = {**dense, **own}
    names = words(body + "\n".join(used)) & ({*own, *dense} | wanted)
    while further := {n for name in names for n in words(texts[name]) & own.keys()} - names:
        names |= further
    for name in sorted(names):
        yield texts[name]


def _used(texts: list[str], body: str) -> list[str]:
    return [t for t in texts if t.removeprefix("def ").partition("(")[0] in words(body)]
