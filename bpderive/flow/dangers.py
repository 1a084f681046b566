"""What is wrong with the gradients of a network, and which remedies help this very network.

In: an `Expectation`, a `Measurement`, or both; for remedies, the spec and the scheme. Out:
`Warned`s, at most one of each kind. Must not know: letters, words.

What was measured goes before what is expected.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from bpderive.catalog import CATALOG, Catalog
from bpderive.errors import BpderiveError
from bpderive.flow.expectation import expected
from bpderive.flow.model import Danger, Expectation, Measurement, Source, Warned
from bpderive.flow.remedies import REMEDIES, Remedy, built, shortened
from bpderive.flow.schemes import Scheme
from bpderive.spec import Spec

if TYPE_CHECKING:  # a dense network does without
    pass

VANISHING = -3.0
"""A gradient that is smaller than the last layer's by so many powers of ten has vanished."""
EXPLODING = 3.0
"""One that is larger by so many has exploded."""
VANISHED, EXPLODED = -6.0, 3.0
"""Where the gradients of all layers are as small, or those of some so large, for inputs and labels
of the size of 1, the network is in danger whatever their ratios."""
SMALLEST, TINY = -290.0, 1e-290
"""Floats end near here."""
DEAD = 0.99
"""A layer of whose gradients such a share is exactly 0 is dead."""
NAMED = 5
"""So many remedies are named."""
FAVOURED: Mapping[Danger, tuple[str, ...]] = {
    "vanishing": ("relu_he", "batchnorm", "residual", "tanh_xavier", "selu_lecun", "shallower"),
    "exploding": ("relu_he", "batchnorm", "layernorm", "tanh_xavier", "selu_lecun", "shallower"),
    "overflow": ("relu_he", "batchnorm", "tanh_xavier"),
    "dead": ("leaky_relu_he", "batchnorm", "selu_lecun"),
}
"""What is tried where the network itself is not given, and nothing more is known."""


def warned(
    expectation: Expectation | None,
    measurement: Measurement | None,
    spec: Spec | None = None,
    scheme: Scheme | None = None,
    catalog: Catalog = CATALOG,
) -> tuple[Warned, ...]:
    """What is wrong, worst layer of each kind.

    Args:
        expectation: of the network.
        measurement: of the network.
        spec: the network, so that remedies are tried on it, as expected, and ordered by what is
            left of the danger.
        scheme: how its weights are drawn.
        catalog: its activations and losses.
    """
    powers, source = _powers(expectation, measurement)
    absolute = measurement is not None or (expectation is not None and not expectation.relative)
    found = [*_ends(powers, source), *(_sizes(powers, source) if absolute else ())]
    found = list(_first_of_each(found))
    if measurement is not None:
        found += [*_overflow(measurement), *_dead(measurement, expectation, scheme)]
    if spec is None or scheme is None:
        return tuple(replace(one, remedies=FAVOURED[one.kind]) for one in found)
    return tuple(replace(one, remedies=_helping(one, spec, scheme, catalog)) for one in found)


Powers = list[tuple[int, float]]
"""By layer, the decimal logarithm of the root mean square of its gradients."""


def _powers(
    expectation: Expectation | None, measurement: Measurement | None
) -> tuple[Powers, Source]:
    known = _known(expectation)
    if measurement is None or _underflow(measurement, known):
        return list(known.items()), "expected"
    spreads = [one for one in measurement.spreads if one.rms > 0 and math.isfinite(one.rms)]
    return [(one.number, math.log10(one.rms)) for one in spreads], "measured"


def _known(expectation: Expectation | None) -> dict[int, float]:
    """By layer, what is expected as a finite logarithm."""
    levels = expectation.levels if expectation is not None else ()
    powers = ((one.number, one.gradient) for one in levels)
    return {at: power for at, power in powers if power is not None and math.isfinite(power)}


def _underflow(measurement: Measurement, known: Mapping[int, float]) -> bool:
    """Whether gradients are expected to be too small for floats, which measure them as 0."""
    small = {at for at, power in known.items() if power < SMALLEST}
    return any(one.number in small and one.rms < TINY for one in measurement.spreads)


def _ends(powers: Powers, source: Source) -> Iterator[Warned]:
    """The smallest and the largest gradient against the last layer's.

    A layer has vanished against the layer with the largest gradient where that lies above it.
    """
    if len(powers) < 2:
        return
    last, base = powers[-1]
    at, least = min(powers[:-1], key=lambda one: one[1])
    place = [number for number, _ in powers].index(at)
    above, most = max(powers[place + 1 :], key=lambda one: one[1])
    if least - most <= VANISHING:
        yield Warned("vanishing", at, above, least - most, source)
    at, largest = max(powers[:-1], key=lambda one: one[1])
    if largest - base >= EXPLODING:
        yield Warned("exploding", at, last, largest - base, source)


def _sizes(powers: Powers, source: Source) -> Iterator[Warned]:
    """The largest gradient by itself."""
    if not powers:
        return
    at, largest = max(powers, key=lambda one: one[1])
    if largest <= VANISHED:
        yield Warned("vanishing", at, 0, largest, source)
    if largest >= EXPLODED:
        yield Warned("exploding", at, 0, largest, source)


def _first_of_each(found: list[Warned]) -> Iterator[Warned]:
    kinds: set[Danger] = set()
    for one in found:
        if one.kind not in kinds:
            kinds.add(one.kind)
            yield one


def _overflow(measurement: Measurement) -> Iterator[Warned]:
    """The first layer whose gradients left the range of floats, or are no numbers."""
    bad = [one.number for one in measurement.spreads if not math.isfinite(one.rms)]
    if bad:
        yield Warned("overflow", bad[0], 0, math.inf, "measured")


def _dead(
    measurement: Measurement, expectation: Expectation | None, scheme: Scheme | None
) -> Iterator[Warned]:
    """A layer of zeros that are neither too small for floats nor what the scheme begins with."""
    if scheme is not None and scheme.branch == 0:
        return
    known = _known(expectation)
    spreads = [one for one in measurement.spreads if known.get(one.number, 0.0) > SMALLEST]
    worst = max(spreads, key=lambda one: one.dead, default=None)
    if worst is not None and worst.dead >= DEAD:
        last = measurement.spreads[-1].number
        yield Warned("dead", worst.number, last, math.log10(worst.dead), "measured")


# --- Remedies ---


def _helping(one: Warned, spec: Spec, scheme: Scheme, catalog: Catalog) -> tuple[str, ...]:
    """The remedies that leave no danger, those that leave least of it first.

    Where none does, those that leave less than half.

    What is dead is not expected by any rule: there, every remedy that can be applied is named.
    """
    if one.kind in ("dead", "overflow"):
        known = [name for name in FAVOURED[one.kind] if REMEDIES[name].applied(spec, scheme)]
        return tuple(known)
    small = shortened(spec)
    measure = _spread if one.against else _largest
    danger = measure(small, scheme, catalog)
    most = abs(one.power) if danger is None or small == spec else danger
    rows = enumerate(REMEDIES.values())
    left = [(_left(row, small, scheme, catalog, measure), at) for at, row in rows]
    helping = sorted((round(value, 2), at) for value, at in left if value < most / 2)
    safe = [one for one in helping if one[0] < EXPLODING]
    names = tuple(REMEDIES)
    return tuple(names[at] for _, at in (safe or helping)[:NAMED])


Measure = Callable[[Spec, Scheme, Catalog], float | None]


def _left(remedy: Remedy, spec: Spec, scheme: Scheme, catalog: Catalog, measure: Measure) -> float:
    """What a remedy leaves of a danger; without end where it cannot be told."""
    changed = remedy.applied(spec, scheme)
    found = None if changed is None else measure(*changed, catalog)
    return math.inf if found is None else abs(found)


def _spread(spec: Spec, scheme: Scheme, catalog: Catalog) -> float | None:
    """How many powers of ten lie between the smallest gradient and the largest, as expected."""
    found = _expected(spec, scheme, catalog)
    return max(found) - min(found) if len(found) > 1 else None


def _largest(spec: Spec, scheme: Scheme, catalog: Catalog) -> float | None:
    """The decimal logarithm of the largest gradient, as expected."""
    found = _expected(spec, scheme, catalog)
    return max(found) if found else None


def _expected(spec: Spec, scheme: Scheme, catalog: Catalog) -> list[float]:
    """The gradients of all layers; none where one of them is not established."""
    try:
        levels = expected(built(spec, catalog), scheme).levels
    except BpderiveError:
        return []
    known = [one.gradient for one in levels if one.gradient is not None]
    finite = [power for power in known if math.isfinite(power)]
    return finite if len(finite) == len(levels) else []
