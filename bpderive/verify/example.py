"""A worked example against the generated code.

In: a `Derivation` and an `Example` of it. Out: nothing, or an error: the plain Python code, run at
the same numbers, must give the same loss, the same gradients and the same parameters after a step.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sympy import Expr

from bpderive.derive import Derivation
from bpderive.errors import DerivationError
from bpderive.example import Example
from bpderive.example.model import Shape, names, shapes
from bpderive.program import build
from bpderive.targets import generate
from bpderive.targets.modules import module

CLOSE = 1e-9
"""Of the machine's 15 digits, what sums that nearly cancel may lose."""


def check(derivation: Derivation, example: Example) -> None:
    """Compare the example with the code.

    Raises:
        DerivationError: they do not agree.
    """
    code = module(generate(build(derivation), "python"), "example")
    tensors = {label: shape for label, shape in shapes(derivation).items() if label[0] in "wb"}
    given = example.given.numbers
    params = {_key(label): _nested(given, label, shape) for label, shape in tensors.items()}
    x, y = (_nested(given, label, shapes(derivation)[label]) for label in "xy")
    loss, grads = code.loss_and_grad(params, x, y)
    updated = code.step(params, grads, float(example.given.eta))
    _compare("L", [(loss, example.loss)])
    for label, shape in tensors.items():
        for values, wanted in ((grads, example.slopes), (updated, example.updated)):
            found = _flat(values[_key(label)])
            pairs = zip(found, (wanted[name] for name in names(label, shape)), strict=True)
            _compare(label, list(pairs))


def _key(label: str) -> str:
    """A parameter's name in the code."""
    return label.replace("w", "W")


def _nested(numbers: Mapping[str, Expr], label: str, shape: Shape) -> list[Any]:
    """A tensor as lists of floats, in the order of its own indices."""
    found = [float(numbers[name]) for name in names(label, shape)]
    if len(shape) == 1:
        return found
    return [found[k : k + shape[1]] for k in range(0, len(found), shape[1])]


def _flat(value: Any) -> Iterator[float]:
    for item in value:
        if isinstance(item, list):
            yield from _flat(item)
        else:
            yield item


def _compare(label: str, pairs: list[tuple[float, Expr]]) -> None:
    """Refuse two numbers that differ, against the largest of their tensor."""
    scale = max(1e-3, *(abs(float(wanted)) for _, wanted in pairs))
    for found, wanted in pairs:
        if not abs(found - float(wanted)) <= CLOSE * scale:
            raise DerivationError(
                f"the worked example and the generated code do not agree in {label}: "
                f"{float(wanted):.12g} and {found:.12g}; please report it"
            )
