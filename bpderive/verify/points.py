"""Random numbers at which a network is tried: parameters, samples and labels that its loss takes.

In: an `Oracle`, and what its loss asks of outputs and labels. Out: `Points`, each sample with all
of its quantities and every derivative by a complex step. Must not know: the engine.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, islice
from random import Random
from typing import Any

from bpderive.verify.arithmetic import MP, is_real
from bpderive.verify.formulas import FLOAT, Domain, read
from bpderive.verify.liveliness import liveliness, most
from bpderive.verify.oracle import Element, Oracle, Point, Tensor

SAMPLES = 3
TRIES = 2000
LIVELY = 20
"""So many points are looked at for one at which every gradient shows."""
LARGEST = 8
"""Outputs are drawn no larger: where exponentials run away, digits are lost."""
EDGE = 1e-6
"""Outputs keep so far from where the loss has none: a step has an error of its square there."""
BACKWARD = {"z": "delta", "a": "g", "p": "h"}
"""The names of the derivatives by the inner quantities."""


@dataclass(frozen=True)
class Labels:
    """What a loss asks of its outputs and labels: kinds of the catalogue's rows, and its kinks."""

    label: str = "real"
    domain: str = "real"
    kinks: tuple[str, ...] = ()


def number(random: Random) -> Any:
    """A random number of moderate size, with a dozen digits."""
    return MP.mpf(random.randint(-(10**12), 10**12)) / (65 * 10**10)


def _distribution(random: Random, n: int) -> list[Any]:
    parts = [MP.mpf(random.randint(10**6, 10**7)) for _ in range(n)]
    return [part / sum(parts) for part in parts]


DRAWS: Mapping[str, Callable[[Random, int], list[Any]]] = {
    "real": lambda random, n: [number(random) for _ in range(n)],
    "binary": lambda random, n: [MP.mpf(random.randint(1, 99)) / 100 for _ in range(n)],
    "sign": lambda random, n: [MP.mpf(random.choice((-1, 1))) for _ in range(n)],
    "count": lambda random, n: [MP.mpf(random.randint(1, 5)) for _ in range(n)],
    "distribution": _distribution,
}
"""Labels of each kind; a probability where they are 0 or 1, so that no term is lost."""
DOMAINS: Mapping[str, Callable[[Any], bool]] = {
    "real": lambda _a: True,
    "unit": lambda a: EDGE < a < 1 - EDGE,
    "positive": lambda a: bool(a > EDGE),
}


class Decided(float):
    """A number that is never compared with its equal: there, a formula may have a kink.

    A layer without bias has weighted sums of exactly 0, where all neurons below it are 0.
    """

    def __gt__(self, other: float) -> bool:
        return _apart(self, other) > 0

    def __lt__(self, other: float) -> bool:
        return _apart(self, other) < 0

    __ge__, __le__ = __gt__, __lt__


def _apart(u: float, v: float) -> float:
    difference = float(u) - float(v)
    if difference == 0:
        raise ArithmeticError("on a kink")
    return difference


DECIDED = replace(FLOAT, real=Decided)


@dataclass(frozen=True)
class Points:
    """Some samples with the same parameters: their quantities, and the derivatives of their loss.

    `stated` are the derivatives where no step finds them: at a kink.
    """

    oracle: Oracle
    samples: tuple[dict[str, Tensor], ...]
    stated: tuple[dict[str, Tensor], ...] = ()

    @cached_property
    def slopes(self) -> tuple[dict[str, Tensor], ...]:
        """By sample: the derivative by every element of the parameters and inner quantities."""
        return self.stated or tuple(self.gradient(sample) for sample in self.samples)

    def gradient(self, sample: Point) -> dict[str, Tensor]:
        """All derivatives of one sample's loss, by complex steps."""
        found: dict[str, Tensor] = {}
        for label, indices in (*self.oracle.parameters(), *self.oracle.inner()):
            value = self.oracle.complex_step(sample, (label, indices))
            found.setdefault(label, {})[indices] = value
        return found

    @cached_property
    def differences(self) -> tuple[dict[str, Tensor], ...]:
        """By sample: the derivative by every parameter, by extrapolated differences."""
        found: list[dict[str, Tensor]] = []
        for sample in self.samples:
            tensors: dict[str, Tensor] = {}
            for label, indices in self.oracle.parameters():
                value = self.oracle.differences(sample, (label, indices))
                tensors.setdefault(label, {})[indices] = value
            found.append(tensors)
        return tuple(found)

    @cached_property
    def complete(self) -> tuple[dict[str, Tensor], ...]:
        """By sample: all quantities, and the derivatives by the inner ones under their names."""
        return tuple(
            {**sample, **{backward(label): slopes[label] for label, _ in self.oracle.inner()}}
            for sample, slopes in zip(self.samples, self.slopes, strict=True)
        )


def backward(label: str) -> str:
    """The name of the derivative by a quantity: `z1` → `delta1`."""
    return BACKWARD[label[0]] + label[1:]


def draw(oracle: Oracle, labels: Labels, seed: int) -> Points | None:
    """Points at which as many gradients show as can be; None where none suits the loss."""
    random, wanted = Random(seed), most(oracle)
    best, found = (-1, -1), None
    for drawn, plain in islice(_suitable(oracle, labels, random), LIVELY):
        shows = liveliness(oracle, plain)
        if shows > best and (samples := _exact(oracle, drawn)):
            best, found = shows, Points(oracle, samples)
        if best >= wanted:
            break
    return found


Drawn = tuple[list[Point], list[Point]]
"""Parameters and samples, and all quantities at them in the machine's numbers."""


def _suitable(oracle: Oracle, labels: Labels, random: Random) -> Iterator[Drawn]:
    """What the loss takes, away from kinks if it can be.

    Of one neuron, `max(sum(z), z)` always has two equal arguments.
    """
    apart = _drawn(oracle, labels, random, DECIDED)
    first = next(apart, None)
    yield from chain([first], apart) if first else _drawn(oracle, labels, random, FLOAT)


def _drawn(oracle: Oracle, labels: Labels, random: Random, domain: Domain) -> Iterator[Drawn]:
    """Suitable draws; an output that the loss refuses is drawn again, and the others stay."""
    drawn: list[Point] = []
    refused: set[int] = set()
    for _ in range(TRIES):
        shared = _tensors(oracle.parameters(), random)
        if refused:
            drawn = [_again(oracle, point, shared, refused) for point in drawn]
        else:
            drawn = [shared | _sample(oracle, labels, random) for _ in range(SAMPLES)]
        tried = (_plain(oracle, point, domain) for point in drawn)
        plain: list[Point] = [found for found in tried if found is not None]
        refused = {i for found in plain for i in _refused(oracle, labels, found)}
        if len(plain) < SAMPLES:
            refused = set()
        elif not refused:
            yield drawn, plain


def _again(oracle: Oracle, point: Point, fresh: Point, rows: set[int]) -> Point:
    """A draw with new weights of some outputs."""
    w, b = f"w{oracle.depth}", f"b{oracle.depth}"
    again = {w: {oracle.weight(i, j) for i in rows for j in range(1, oracle.widths[-2] + 1)}}
    again |= {b: {(i,) for i in rows}} if oracle.bias else {}
    changed = {
        label: {at: (fresh if at in taken else point)[label][at] for at in point[label]}
        for label, taken in again.items()
    }
    return {**point, **changed}


def _exact(oracle: Oracle, drawn: Sequence[Point]) -> tuple[dict[str, Tensor], ...]:
    """All quantities in many digits; none where one is not real."""
    with suppress(ArithmeticError, ValueError, TypeError):
        found = tuple(oracle.forward(point) for point in drawn)
        if all(_real(point) for point in found):
            return found
    return ()


def _tensors(elements: Iterator[Element], random: Random) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for label, indices in elements:
        found.setdefault(label, {})[indices] = number(random)
    return found


def _sample(oracle: Oracle, labels: Labels, random: Random) -> dict[str, Tensor]:
    x = [number(random) for _ in range(oracle.widths[0])]
    return {"x": vector(x), "y": vector(DRAWS[labels.label](random, oracle.widths[-1]))}


def vector(values: Sequence[Any]) -> Tensor:
    """A tensor of one index."""
    return {(i,): value for i, value in enumerate(values, 1)}


def _plain(oracle: Oracle, point: Point, domain: Domain) -> dict[str, Tensor] | None:
    """All quantities in the machine's numbers, up to the output where the loss has no value."""
    plain = {label: {i: float(v) for i, v in tensor.items()} for label, tensor in point.items()}
    with suppress(ArithmeticError, ValueError, TypeError):
        found = oracle.forward(plain, domain)
        return found if _moderate(found) else None
    with suppress(ArithmeticError, ValueError, TypeError):
        found = oracle.outputs(plain, domain)
        return found if _moderate(found) else None
    return None


def _refused(oracle: Oracle, labels: Labels, found: Point) -> Iterator[int]:
    """The outputs that the loss cannot take, or of which it has no value."""
    for (i,), a in found[f"a{oracle.depth}"].items():
        y = found["y"][i,]
        if not takes(labels, a, y) or ("L" not in found and not _has_value(oracle, a, y)):
            yield i


def _has_value(oracle: Oracle, a: float, y: float) -> bool:
    """Whether the loss of one output is a real number; with a stage, no output has its own."""
    with suppress(ArithmeticError, ValueError, TypeError):
        return not oracle.stage and math.isfinite(read(oracle.loss, FLOAT)({"a": a, "y": y}, ()))
    return False


def _moderate(point: Point) -> bool:
    """Whether all numbers are real and finite, and none so large that digits are lost."""
    values = [value for tensor in point.values() for value in tensor.values()]
    return all(isinstance(v, float | int) and math.isfinite(v) and abs(v) < 1e6 for v in values)


def takes(labels: Labels, a: Any, y: Any) -> bool:
    """Whether a loss takes an output, away from its kinks."""
    near = any(abs(a - read(at, FLOAT)({"y": y}, ())) < 1e-6 for at in labels.kinks)
    return DOMAINS[labels.domain](a) and abs(a) < LARGEST and not near


def _real(point: Point) -> bool:
    return all(is_real(value) for tensor in point.values() for value in tensor.values())
