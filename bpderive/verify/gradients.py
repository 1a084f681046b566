"""Every gradient against oracles that know nothing of how it was derived.

In: a `Subject`. Out: a `Check` for each parameter, and for each quantity between, against each row
of `ORACLES`. To add an oracle, add its row.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bpderive.errors import UnsupportedError
from bpderive.proof import Check, Skip
from bpderive.verify import peers
from bpderive.verify.arithmetic import digits
from bpderive.verify.evaluate import Numbers, compiled
from bpderive.verify.formulas import SCALARS
from bpderive.verify.guard import refusing
from bpderive.verify.oracle import Element, Oracle, Point, Tensor
from bpderive.verify.subject import Subject, name_of

Gradient = Mapping[str, Tensor]
FLAT = 20
"""A flat loss of at most so many parameters is differentiated by SymPy."""


@dataclass(frozen=True)
class Row:
    """One oracle: what finds the derivatives of each sample's loss, and how far it can be trusted.

    `gradients` raises `UnsupportedError` where it is not installed, or the network is not for it.
    """

    id: str
    gradients: Callable[[Subject], Sequence[Gradient]]
    wanted: int
    quick: bool = False


def complex_step(subject: Subject) -> Sequence[Gradient]:
    """By the imaginary part of the loss after a small imaginary step; also what lies between."""
    assert subject.points is not None  # noqa: S101 - `check` has looked
    return subject.points.slopes


def differences(subject: Subject) -> Sequence[Gradient]:
    """By central differences, extrapolated."""
    assert subject.points is not None  # noqa: S101 - `check` has looked
    return subject.points.differences


def sympy_diff(subject: Subject) -> Sequence[Gradient]:
    """By SymPy's own derivative of the loss, written out in x, y and the parameters."""
    count = sum(1 for _ in subject.oracle.parameters())
    if count > FLAT:
        raise UnsupportedError(f"for at most {FLAT} parameters, and here are {count}")
    slopes = flat_slopes(subject.oracle)
    assert subject.points is not None  # noqa: S101 - `check` has looked
    numbers = {id(s): Numbers(given(s)) for s in subject.points.samples}
    return _by_element(subject, lambda sample, e: numbers[id(sample)](slopes[e]))


def peer(name: str, subject: Subject) -> Sequence[Gradient]:
    """By the automatic differentiation of another library."""
    assert subject.points is not None  # noqa: S101 - `check` has looked
    return peers.gradients(name, subject.oracle, subject.points.samples)


def given(sample: Point) -> dict[str, Tensor]:
    """The inputs, labels and parameters of a sample: what a flat loss is made of."""
    return {label: tensor for label, tensor in sample.items() if label[0] in "xywb"}


def flat_slopes(oracle: Oracle) -> Mapping[Element, Any]:
    """The derivatives of the flat loss by every parameter."""
    from sympy import Symbol

    sizes = {"x": oracle.widths[0], "y": oracle.widths[-1]}
    ends = [(label, (i,)) for label, size in sizes.items() for i in range(1, size + 1)]
    point: dict[str, Tensor] = {}
    for element in (*ends, *oracle.parameters()):
        point.setdefault(element[0], {})[element[1]] = Symbol(name_of(element), real=True)
    loss = oracle.forward(point, SCALARS)["L"][()]
    return {e: loss.diff(point[e[0]][e[1]]) for e in oracle.parameters()}


def _by_element(subject: Subject, slope: Callable[[Point, Element], Any]) -> Sequence[Gradient]:
    """The derivatives by all parameters, one by one."""
    assert subject.points is not None  # noqa: S101 - `check` has looked
    found: list[Gradient] = []
    for sample in subject.points.samples:
        tensors: dict[str, Tensor] = {}
        for element in subject.oracle.parameters():
            tensors.setdefault(element[0], {})[element[1]] = slope(sample, element)
        found.append(tensors)
    return found


ORACLES = (
    Row("complex_step", complex_step, wanted=40, quick=True),
    Row("differences", differences, wanted=30, quick=True),
    Row("sympy", sympy_diff, wanted=40),
    *(Row(name, partial(peer, name), peers.WANTED) for name in peers.PEERS),
)


@refusing("gradient", "complex_step")
def check(subject: Subject) -> Iterator[Check | Skip]:
    """The derived gradients, by their index equations, against every oracle."""
    if subject.points is None:
        yield Skip("gradient", "oracles", "no_point")
        return
    derived = [_derived(subject, sample) for sample in subject.points.complete]
    for row in ORACLES:
        if subject.quick and not row.quick:
            continue
        try:
            expected = row.gradients(subject)
        except UnsupportedError as error:
            yield Skip("gradient", row.id, str(error))
            continue
        for label in expected[0]:
            yield from _compared(subject, row, label, derived, expected)
    if zero := ", ".join(_zero(subject)):
        yield Skip("gradient", zero, "zero")


def _zero(subject: Subject) -> Iterator[str]:
    """The parameters whose derivatives are all 0 at every sample, so that agreeing shows little."""
    assert subject.points is not None  # noqa: S101 - `check` has looked
    for label in subject.parameters:
        if all(value == 0 for slopes in subject.points.slopes for value in slopes[label].values()):
            yield label


def _compared(
    subject: Subject,
    row: Row,
    label: str,
    derived: Sequence[Gradient],
    expected: Sequence[Gradient],
) -> Iterator[Check]:
    for element in subject.elements[label]:
        at = element[1]
        pairs = [(d[label][at], e[label][at]) for d, e in zip(derived, expected, strict=True)]
        scale = subject.rough(label) if row.id in peers.PEERS else subject.scales[label]
        agreed = digits(pairs, scale)
        yield Check("gradient", name_of(element), row.id, len(pairs), agreed, row.wanted)


def _derived(subject: Subject, sample: Point) -> Gradient:
    """What was derived for every element, the derivatives above it as the oracle has them."""
    numbers = Numbers(sample, named=None)
    found: dict[str, Tensor] = {}
    for label, elements in subject.elements.items():
        layer = int(label[1:] or subject.network.depth)
        equation = subject.model.equation(label[0], layer)
        code = compiled(equation.rhs)
        found[label] = {
            at: code(numbers, dict(zip(equation.indices, at, strict=True))) for _, at in elements
        }
    return found
