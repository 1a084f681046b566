"""The steps of a derivation: each is true at random tensors, and leads to the next.

In: a `Derivation`. Out: a `Check` for every step, at several random sizes of the general layer, and
one for every chain of steps. Must not know: what any rule does.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from random import Random
from typing import Any

from sympy import Symbol

from bpderive.derive import Derived
from bpderive.equations import Kind
from bpderive.network import Network
from bpderive.proof import Check, Skip
from bpderive.verify.arithmetic import FLOOR, PRECISION, digits
from bpderive.verify.evaluate import Numbers, compiled
from bpderive.verify.guard import refusing
from bpderive.verify.subject import Subject, labels_of
from bpderive.verify.surroundings import Surroundings

WANTED = 40
COUNT = 2
NARROW = {"n{l-1}": 3, "n{l}": 2, "n{l+1}": 4, "N": 2}
"""Sizes for a loss that takes few outputs, where random ones find none that all suit."""
SIZES = ("n{l-1}", "n{l}", "n{l+1}", "N")


def random_sizes(seed: int) -> tuple[Mapping[str, int], ...]:
    """Sizes of the general layer and of the batch, no two alike, and others each time."""
    random = Random(seed)
    layers = random.sample((2, 3, 4), 3)
    turned = (layers[k:] + layers[:k] for k in range(COUNT))
    return tuple(dict(zip(SIZES, (*n, random.choice((2, 3))), strict=True)) for n in turned)


def kinds(network: Network) -> Mapping[Kind, int]:
    """Every kind of layer, for a sample and for a batch, and the first layer that is of it."""
    found: dict[Kind, int] = {}
    for batch in (False, True):
        for layer in network.layers:
            found.setdefault(network.kind(layer.index, batch=batch), layer.index)
    return found


@refusing("step", "before")
def check(subject: Subject) -> Iterator[Check | Skip]:
    """Every step of every kind of layer."""
    derivation, seed = subject.derivation, subject.seed
    for kind, layer in kinds(derivation.network).items():
        place = place_of(kind, layer)
        found = derivation.kind(kind).values()
        yield from (chain(derived, place) for derived in found)
        points = tried(derivation.network, kind, seed)
        if not points:
            yield Skip("step", place, "no_point")
        for derived in found if points else ():
            yield from checks(derived, points, place, seed)


def place_of(kind: Kind, layer: int) -> str:
    """A kind of layer, by the first layer that is of it."""
    return f"layer {layer}{', batch' if kind.batch else ''}"


def tried(network: Network, kind: Kind, seed: int) -> list[Numbers]:
    """Numbers around a layer of some kind, at several sizes; none where its loss has no value."""
    graph, labels = network.graph(kind), labels_of(network)
    random = Random(f"{seed}{place_of(kind, kinds(network)[kind])}")
    points = []
    for sizes in random_sizes(seed):
        tries = (Surroundings(graph, labels, at).numbers(random) for at in (sizes, NARROW))
        points.append(next((numbers for numbers in tries if numbers is not None), None))
    return [numbers for numbers in points if numbers is not None]


def checks(
    derived: Derived, points: list[Numbers], place: str, seed: int
) -> Iterator[Check | Skip]:
    """Every step of one derivative; what is worked out of one step is not for the next."""
    places = [_places(derived, numbers, seed) for numbers in points]
    values = _Values(list(zip(points, places, strict=True)))
    for step in derived.steps:
        pairs = list(zip(values(step.after), values(step.before), strict=True))
        subject = f"{derived.tensor.label}: {step.rule}"
        yield Check("step", subject, "before", len(pairs), digits(pairs, FLOOR), WANTED, place)


def _places(derived: Derived, numbers: Numbers, seed: int) -> list[dict[Symbol, int]]:
    """Two places of the free indices: one where all are alike, and one where no two are.

    Where all are alike, two that are swapped would not show; elsewhere, what a delta selects.
    """
    indices, random = derived.result.indices, Random(seed)
    if not indices:
        return [{}]
    apart: list[int] = []
    for size in derived.tensor.sizes:
        values = range(1 if apart else 2, numbers.sizes[str(size)] + 1)
        apart.append(random.choice([value for value in values if value not in apart]))
    return [dict(zip(indices, at, strict=True)) for at in ([1] * len(apart), apart)]


class _Values:
    """An expression at every place, each worked out once: a step starts where the last ended."""

    def __init__(self, places: list[tuple[Numbers, list[dict[Symbol, int]]]]) -> None:
        self.places = places
        self.done: dict[Any, list[Any]] = {}

    def __call__(self, expr: Any) -> list[Any]:
        if expr not in self.done:
            code = compiled(expr)
            self.done[expr] = [code(numbers, at) for numbers, ats in self.places for at in ats]
        return self.done[expr]


def chain(derived: Derived, place: str) -> Check:
    """Each step starts where the last one ended; the last one is the result."""
    steps = derived.steps
    joined = (
        steps[0].before == derived.partial
        and all(one.after == other.before for one, other in pairwise(steps))
        and steps[-1].after == derived.result.rhs
    )
    whole = PRECISION if joined else 0
    return Check("chain", derived.tensor.label, "next", len(steps), whole, PRECISION, place)
