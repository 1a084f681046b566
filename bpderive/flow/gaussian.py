"""Means over normal numbers: `E f(√variance u)`, where u is standard normal.

In: a function of floats, a variance, where the function has kinks. Out: a float. Must not know:
activations, networks.

Where the function is smooth, by Gauss-Hermite quadrature with NODES nodes, if the rule of half as
many agrees. Else, and where it has kinks, by Gauss-Legendre quadrature between the kinks, on panels
that are short where the function may change fast (near 0) and where most numbers lie. Functions
that are polynomials or exponentials between their kinks (relu, hardtanh, elu, selu) have errors
near 1e-14.

Source of the nodes: Newton's method on orthonormal polynomials by their recurrence, as in W. H.
Press et al., Numerical Recipes, section 4.6.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import pairwise

Real = Callable[[float], float]
Rule = tuple[tuple[float, float], ...]
"""Nodes, each with its weight."""

NODES = 64
PANEL = 20
"""The nodes on a panel."""
AGREE = 1e-13
SMOOTH = 10.0
"""For larger variances a bounded function is a step, which few nodes would miss."""
REACH = 38.0
"""Beyond so many standard deviations, the density is no float any more."""
TURNS = 100
ENDS = (0.0, *(0.75 * k for k in range(1, 17)), 14.0, 17.0, 21.0, 26.0, 32.0, REACH)
"""Panels in standard deviations, to either side."""
STEEP = 0.5
"""The first panel in the function's own argument; each further one is twice as long."""


@lru_cache(maxsize=8)
def hermite(count: int) -> Rule:
    """The rule that is exact for polynomials below degree 2·count, under the normal density."""
    found = [x and _newton(x, count) for x in _near(count)]
    half = [(x * math.sqrt(2), _share(x, count)) for x in found]
    return tuple(sorted((*half, *((-x, w) for x, w in half if x))))


def _share(x: float, count: int) -> float:
    """The weight of a root."""
    return 1 / (math.sqrt(math.pi) * count * _hermite(x, count)[1] ** 2)


def _hermite(x: float, count: int) -> tuple[float, float]:
    """The orthonormal Hermite polynomials of degree count and count - 1."""
    before, here = 0.0, math.pi**-0.25
    for j in range(1, count + 1):
        before, here = here, x * math.sqrt(2 / j) * here - math.sqrt((j - 1) / j) * before
    return here, before


def _newton(x: float, count: int) -> float:
    for _ in range(TURNS):
        here, before = _hermite(x, count)
        step = here / (math.sqrt(2 * count) * before)
        x -= step
        if abs(step) < 1e-15 * max(1.0, abs(x)):
            break
    return x


def _near(count: int) -> Iterator[float]:
    """Between which two points a root lies: their distance is a fifth of that of two roots."""
    if count % 2:
        yield 0.0
    step = math.pi / (5 * math.sqrt(2 * count + 1))
    steps = math.ceil(math.sqrt(2 * count + 1) / step) + 1
    ends = [(k + 0.5) * step for k in range(steps)]
    values = [_hermite(end, count)[0] for end in ends]
    for k in range(steps - 1):
        if values[k] * values[k + 1] < 0:
            yield (ends[k] + ends[k + 1]) / 2


@lru_cache(maxsize=8)
def legendre(count: int) -> Rule:
    """The rule that is exact for polynomials below degree 2·count, from -1 to 1."""
    rule = []
    for k in range(count):
        x = math.cos(math.pi * (k + 0.75) / (count + 0.5))
        for _ in range(TURNS):
            here, before = _legendre(x, count)
            slope = count * (x * here - before) / (x * x - 1)
            x, last = x - here / slope, x
            if abs(x - last) < 1e-16:
                break
        slope = count * (x * _legendre(x, count)[0] - _legendre(x, count)[1]) / (x * x - 1)
        rule.append((x, 2 / ((1 - x * x) * slope * slope)))
    return tuple(sorted(rule))


def _legendre(x: float, count: int) -> tuple[float, float]:
    before, here = 0.0, 1.0
    for j in range(1, count + 1):
        before, here = here, ((2 * j - 1) * x * here - (j - 1) * before) / j
    return here, before


def mean(function: Real, variance: float, cuts: Iterable[float] = ()) -> float:
    """`E f(√variance u)`; infinite where it is too large for a float.

    Args:
        function: of a float; where it has no value, it may be nan.
        variance: not negative; 0 gives `f(0)`.
        cuts: the arguments at which the function or its slope jumps.
    """
    if variance == 0:
        return function(0.0)
    inner = tuple(cuts)
    smooth = None if inner or variance > SMOOTH else _smooth(function, math.sqrt(variance))
    return _on_panels(function, math.sqrt(variance), inner) if smooth is None else smooth


def _smooth(function: Real, deviation: float) -> float | None:
    """By Gauss-Hermite quadrature, where the rule of half as many nodes agrees."""
    fine, coarse = (
        math.fsum(w * function(deviation * x) for x, w in hermite(count))
        for count in (NODES, NODES // 2)
    )
    return fine if abs(fine - coarse) <= AGREE * abs(fine) else None


def _on_panels(function: Real, deviation: float, cuts: tuple[float, ...]) -> float:
    return math.fsum(w * function(deviation * x) for x, w in panels(deviation, cuts))


@lru_cache(maxsize=16)
def panels(deviation: float, cuts: tuple[float, ...]) -> Rule:
    """A rule in standard deviations, its panels ending at the kinks."""
    ends = {end * side for end in ENDS for side in (-1, 1)}
    ends |= {cut / deviation for cut in cuts} | set(_steep(deviation))
    inner = sorted(end for end in ends if abs(end) <= REACH)
    return tuple(node for lo, hi in pairwise(inner) for node in _panel(lo, hi))


def _steep(deviation: float) -> Iterator[float]:
    """Ends of panels that grow with the function's own argument, where those are the shorter."""
    end = STEEP / deviation
    while end < 2:
        yield from (-end, end)
        end *= 2


def _panel(lo: float, hi: float) -> Iterator[tuple[float, float]]:
    half, middle = (hi - lo) / 2, (hi + lo) / 2
    for x, w in legendre(PANEL):
        u = middle + half * x
        yield u, half * w * math.exp(-u * u / 2) / math.sqrt(2 * math.pi)
