"""The slope of every activation, near and far: what was derived holds on every branch of a formula.

In: a `Subject`. Out: a `Check` for each elementwise activation: its derived slope, at numbers of
every size and beside every constant of its text, against a complex step. The points of a network
lie near zero, and never see a branch far away. Must not know: how a slope was written out.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import product
from typing import Any

from bpderive.catalog import Activation
from bpderive.derive import Derived
from bpderive.equations import Kind
from bpderive.proof import Check, Skip
from bpderive.verify.arithmetic import FLOOR, MP, STEP, digits, is_real
from bpderive.verify.evaluate import Numbers, compiled
from bpderive.verify.formulas import COMPLEX, read
from bpderive.verify.guard import refusing
from bpderive.verify.oracle import Tensor
from bpderive.verify.steps import kinds, place_of
from bpderive.verify.subject import Subject

WANTED = 40
SIZES = {"n{l-1}": 1, "n{l}": 1, "n{l+1}": 1, "N": 1}
GRID = ("0.1", "0.9", "1.1", "3.3", "7.7", "21.3", "101.3", "1003.7")
BESIDE = MP.mpf(1) / 8
CONSTANTS = 10
"""At most so many constants of a text are looked at."""


@refusing("slope", "complex_step")
def check(subject: Subject) -> Iterator[Check | Skip]:
    """Every hidden kind of layer whose activation bends."""
    network = subject.derivation.network
    for kind, layer in kinds(network).items():
        row = network.layer(layer).activation
        if kind.last or not row.elementwise or row.formula == "z":
            continue
        pairs = list(_pairs(row, subject.derivation.kind(kind)["z"], kind))
        if pairs:
            agreed = min(digits([pair], FLOOR) for pair in pairs)
            place = place_of(kind, layer)
            yield Check("slope", row.name, "complex_step", len(pairs), agreed, WANTED, place)


def _pairs(row: Activation, derived: Derived, kind: Kind) -> Iterator[tuple[Any, Any]]:
    """The derived slope and the complex step's, wherever the activation is real."""
    function = read(row.formula, COMPLEX)
    for z in _numbers(row.formula):
        with suppress(ArithmeticError, ValueError, TypeError):
            a, ahead = (function({"z": z + by}, ()) for by in (0, MP.mpc(0, STEP)))
            if is_real(a):
                yield _derived(derived, kind, z, a), MP.mpc(ahead).imag / STEP


def _derived(derived: Derived, kind: Kind, z: Any, a: Any) -> Any:
    """The derivative by the weighted sum of the only neuron, where that by its output is 1."""
    at = (1, 1) if kind.batch else (1,)
    one = MP.mpf(1)
    tensors: dict[str, Tensor] = {"z{l}": {at: z}, "a{l}": {at: a}}
    tensors |= {"w{l+1}": {(1, 1): one}, "delta{l+1}": {at: one}}
    code, indices = compiled(derived.result.rhs), derived.result.indices
    return code(Numbers(tensors, SIZES), dict(zip(indices, at, strict=True)))


def _numbers(text: str) -> Iterator[Any]:
    """Numbers of both signs and of every size, and beside the constants of a text."""
    grid = [MP.mpf(number) for number in GRID]
    found = dict.fromkeys(re.findall(r"\d+(?:\.\d*)?(?:e[+-]?\d+)?", text))
    constants = [MP.mpf(number) for number in list(found)[:CONSTANTS]]
    for size, sign in product((*grid, *_beside(constants)), (1, -1)):
        yield sign * size


def _beside(constants: list[Any]) -> Iterator[Any]:
    for c in constants:
        if c != 0:
            yield from (c - BESIDE, c + BESIDE, MP.mpf(1) / (2 * c), MP.mpf(3) / (2 * c))
