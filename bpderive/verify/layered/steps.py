"""The steps of a derivation by kinds of layers: each is true in numbers, and leads to the next.

In: `Surroundings`. Out: a `Check` for every step at several random sizes, and one for every chain.
Must not know: what any rule does.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

from sympy import Symbol

from bpderive.derive import Derived
from bpderive.proof import Check, Skip
from bpderive.verify.arithmetic import FLOOR, digits
from bpderive.verify.evaluate import compiled
from bpderive.verify.layered.lazily import Quantities
from bpderive.verify.layered.surroundings import Surroundings
from bpderive.verify.steps import chain

WANTED = 40
PLACES = 4
"""So many places of the free indices; the first is where all are 1, the last where all are last."""


def check(
    surroundings: Surroundings, points: list[Quantities], place: str, seed: int
) -> Iterator[Check | Skip]:
    """Every step of one kind of layer."""
    yield from (chain(one, place) for one in surroundings.derived if one.steps)
    if not points:
        yield Skip("step", place, "no_point")
    for derived in surroundings.derived if points else ():
        yield from checks(derived, points, place, seed)


def checks(
    derived: Derived, points: list[Quantities], place: str, seed: int
) -> Iterator[Check | Skip]:
    """Every step of one derivative; what is worked out of one step is not for the next."""
    random = Random(seed)
    places = [(numbers, at) for numbers in points for at in _places(derived, numbers, random)]
    done: dict[Any, list[Any]] = {}

    def values(expr: Any) -> list[Any]:
        if expr not in done:
            code = compiled(expr)
            done[expr] = [code(numbers, at) for numbers, at in places]
        return done[expr]

    for step in derived.steps:
        pairs = list(zip(values(step.after), values(step.before), strict=True))
        subject = f"{derived.tensor.label}: {step.rule}"
        yield Check("step", subject, "before", len(pairs), digits(pairs, FLOOR), WANTED, place)


def _places(derived: Derived, numbers: Quantities, random: Random) -> Iterator[dict[Symbol, int]]:
    """Places of the free indices: the first, the last, and such where no two are alike."""
    indices = derived.result.indices
    sizes = [_size(size, numbers) for size in derived.result.sizes]
    yield dict.fromkeys(indices, 1)
    for _ in range(PLACES - 2):
        apart: list[int] = []
        for size in sizes:
            pool = [value for value in range(1, size + 1) if value not in apart]
            apart.append(random.choice(pool or [random.randint(1, size)]))
        yield dict(zip(indices, apart, strict=True))
    yield dict(zip(indices, sizes, strict=True))


def _size(size: Any, numbers: Quantities) -> int:
    return int(size.xreplace({s: numbers.sizes[s.name] for s in size.free_symbols}))
