"""Every gradient of a network of any layers, against oracles that know nothing of derivations.

In: a `StackSubject`. Out: a `Check` for each quantity of the forward pass, and for each parameter,
the input, and what lies between, against each row of `ORACLES`. To add an oracle, add its row.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from random import Random
from typing import Any

from bpderive.errors import UnsupportedError
from bpderive.modules.labels import delta, label
from bpderive.proof import Check, Skip
from bpderive.verify import peers
from bpderive.verify.arithmetic import MP, digits
from bpderive.verify.evaluate import Numbers
from bpderive.verify.formulas import SCALARS
from bpderive.verify.layered.oracle import Element, Tensor, Watch, elements
from bpderive.verify.layered.subject import StackSubject

Gradient = Mapping[str, Tensor]
FLAT, WRITTEN = 20, 2500
"""A flat loss of so many parameters and operations at most is differentiated by SymPy."""


@dataclass(frozen=True)
class Row:
    """One oracle: what finds the derivatives of the summed loss, and how far it can be trusted.

    `gradients` raises `UnsupportedError` where it is not installed, or the network is not for it.
    """

    id: str
    gradients: Callable[[StackSubject], Gradient]
    wanted: int
    quick: bool = False


def complex_step(subject: StackSubject) -> Gradient:
    """By the imaginary part of the loss after a small imaginary step."""
    return subject.expected


def differences(subject: StackSubject) -> Gradient:
    """By central differences, extrapolated; of a quick proof at one element of each tensor."""
    point, watch, random = _point(subject), subject.watch, Random(subject.seed)
    found: dict[str, Tensor] = {}
    for name, slopes in subject.expected.items():
        for at in [random.choice(list(slopes))] if subject.quick else slopes:
            found.setdefault(name, {})[at] = subject.oracle.differences(point, (name, at), watch)
    return found


class Written(Watch):
    """Of symbols: what is held constant is a symbol of its own; the largest stand where they do."""

    def __init__(self, numbers: Watch) -> None:
        super().__init__({}, numbers.picked, open=False)
        self.numbers, self.names = numbers, dict[str, Any]()

    def hold(self, key: Any, found: Any) -> Any:
        """A symbol, whose number is that of the pass in numbers."""
        from sympy import Symbol

        name = f"held{len(self.names)}"
        self.names[name] = self.numbers.held[key]
        return Symbol(name, real=True)


def sympy_diff(subject: StackSubject) -> Gradient:
    """By SymPy's own derivative of the loss, written out in the input, y and the parameters."""
    from sympy import Symbol

    point, oracle = _point(subject), subject.oracle
    count = sum(math.prod(shape) for shape in oracle.parameters().values())
    if count > FLAT:
        raise UnsupportedError(f"for at most {FLAT} parameters, and here are {count}")
    shapes = {k: max(v) for k, v in point.items() if k in _ends(subject)}
    symbols: dict[str, Tensor] = {
        k: {at: Symbol(f"{k}[{','.join(map(str, at))}]", real=True) for _, at in elements({k: s})}
        for k, s in shapes.items()
    }
    symbols |= {label: point[label] for label in oracle.tokens}
    watch = Written(subject.watch)
    loss = oracle.forward(symbols, SCALARS, watch=watch)["S"][()]
    if loss.count_ops() > WRITTEN:
        raise UnsupportedError("the loss, written out, is too long for SymPy")
    held: dict[str, Tensor] = {name: {(): value} for name, value in watch.names.items()}
    numbers = Numbers({k: point[k] for k in shapes} | held)
    return {
        k: {at: numbers(loss.diff(symbols[k][at])) for _, at in elements({k: s})}
        for k, s in oracle.parameters().items()
    }


def _ends(subject: StackSubject) -> set[str]:
    """The labels of what no equation defines."""
    oracle = subject.oracle
    return {*oracle.parameters(), *oracle.data(), oracle.input, oracle.target}


def peer(name: str, subject: StackSubject) -> Gradient:
    """By the automatic differentiation of another library."""
    row, oracle, point = peers.PEERS[name], subject.oracle, _point(subject)
    if find_spec(name) is None:
        raise UnsupportedError(f"{row.title} is not installed: pip install {name}")
    domain, every = row.domain(), list(elements(subject.differentiable))
    plain = {k: {at: _plain(v) for at, v in point[k].items()} for k in _ends(subject)}
    held = {key: float(value) for key, value in subject.watch.held.items()}

    def loss(values: Any) -> Any:
        given = {k: dict(tensor) for k, tensor in plain.items()}
        for (k, at), value in zip(every, values, strict=True):
            given[k][at] = value
        watch = Watch(held, subject.watch.picked, open=False)
        return oracle.forward(given, domain, watch=watch)["S"][()] + 0 * sum(values)

    slopes = [float(v) for v in row.gradient(loss, [plain[k][at] for k, at in every])]
    if not all(map(math.isfinite, slopes)):
        raise UnsupportedError(f"float64 does not hold the derivatives that {row.title} needs")
    found: dict[str, Tensor] = {}
    for (k, at), slope in zip(every, slopes, strict=True):
        found.setdefault(k, {})[at] = MP.mpf(slope)
    return found


def _plain(value: Any) -> Any:
    return value if isinstance(value, int) else float(value)


def _point(subject: StackSubject) -> dict[str, Tensor]:
    assert subject.point is not None  # noqa: S101 - `check` has looked
    return subject.point


ORACLES = (
    Row("complex_step", complex_step, wanted=40, quick=True),
    Row("differences", differences, wanted=30, quick=True),
    Row("sympy", sympy_diff, wanted=40),
    *(Row(name, partial(peer, name), peers.WANTED) for name in peers.PEERS),
)


def check(subject: StackSubject) -> Iterator[Check | Skip]:
    """The quantities and the derived gradients, against every oracle."""
    if subject.point is None:
        yield Skip("gradient", "oracles", "no_point")
        return
    yield from _forward(subject)
    for row in ORACLES:
        if row.quick or not subject.quick:
            yield from compared(subject, row)
    yield from _between(subject)
    zero = [k for k, v in subject.expected.items() if not any(v.values())]
    if zero:
        yield Skip("gradient", ", ".join(zero), "zero")


def compared(subject: StackSubject, row: Row = ORACLES[0]) -> Iterator[Check | Skip]:
    """The gradients of all parameters and of the input, against one oracle."""
    try:
        expected = row.gradients(subject)
    except UnsupportedError as error:
        yield Skip("gradient", row.id, str(error))
        return
    for name, slopes in expected.items():
        yield _compared(subject, row, name, slopes)


def _forward(subject: StackSubject) -> Iterator[Check]:
    """Every quantity that both have, by the derivation's equations and by the texts."""
    found, point = subject.derived.tensors, _point(subject)
    for name in (*subject.oracle.inner(), subject.small.root):
        if name in found:
            expected = subject.seen(name, point[name])
            pairs = [(found[name][at], value) for at, value in expected.items()]
            yield Check("forward", name, "texts", len(pairs), digits(pairs), 40)


def _compared(subject: StackSubject, row: Row, name: str, slopes: Tensor) -> Check:
    label = f"d{name}" if name in subject.oracle.parameters() else f"delta_{name}"
    found = subject.derived.tensors[label]
    expected = subject.seen(name, slopes)
    pairs = [(found[at], value) for at, value in expected.items()]
    scale = subject.rough(name) if row.id in peers.PEERS else subject.scale(name)
    return Check("gradient", label, row.id, len(pairs), digits(pairs, scale), row.wanted)


def _between(subject: StackSubject) -> Iterator[Check]:
    """The named derivatives by inner quantities, at some elements of each."""
    found, point = subject.derived.tensors, _point(subject)
    groups: dict[str, list[Element]] = {}
    for element in subject.inner:
        groups.setdefault(element[0], []).append(element)
    names = _names(subject)
    for own, chosen in groups.items():
        name = names.get(own, "")
        if name in found:
            slopes = {e[1]: subject.oracle.complex_step(point, e) for e in chosen}
            expected = subject.seen(own, slopes)
            pairs = [(found[name][at], value) for at, value in expected.items()]
            agreed = digits(pairs, subject.scale(""))
            yield Check("gradient", name, "complex_step", len(pairs), agreed, 40)


def _names(subject: StackSubject) -> dict[str, str]:
    """By the label of an inner quantity, that of its derivative."""
    return {
        str(place.names[label(t.name)]): str(place.names[delta(t.name)])
        for place in subject.small.places
        for t in place.module.tensors
        if t.role == "defined"
    }
