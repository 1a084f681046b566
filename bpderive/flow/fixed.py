"""Very deep networks of wide equal layers: where variances settle, and what that does to gradients.

In: an activation, σ_w (the root of n Var(w)) and σ_b. Out: the fixed point q of
`q → σ_w² E f(√q u)² + σ_b²`, the factor `χ = σ_w² E f'(√q u)²` of deltas there, the depth over
which gradients change by e, the line where χ = 1. Must not know: networks, letters, words.

Source: B. Poole et al., Exponential expressivity in deep neural networks through transient chaos,
NIPS 2016; S. S. Schoenholz et al., Deep information propagation, ICLR 2017.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from mpmath import findroot

from bpderive.catalog import Activation
from bpderive.flow.behaviour import Behaviour, behaviour
from bpderive.flow.kinds import added, logarithm, raised

Order = Literal["ordered", "critical", "chaotic"]

LOW, HIGH = -16.0, 60.0
"""Fixed points are looked for between these decimal logarithms; below is 0, above none."""
SMALL = -9.0
"""Below is 0: there, variances settle no faster than by powers of the depth."""
STRIDE = 0.25
SETTLED = 1e-12
"""A variance that changes by no larger part is settled."""
EDGE = 1e-6
"""What is no farther from 1 is critical."""
LARGEST = 8.0
"""For larger variances, critical lines are not looked for: differences lose their digits."""
HALVINGS = 60


@dataclass(frozen=True)
class Phase:
    """`q` is the fixed point that is reached from inputs of variance 1, None where there is none.

    `chi` is the factor there, or the one that it tends to where the variance grows without end;
    `depth` is `1/|log χ|` with the natural logarithm, infinite where χ is 1; `order` says whether
    gradients shrink on their way down, stay or grow. All None where χ is not established.
    """

    q: float | None
    chi: float | None
    depth: float | None
    order: Order | None


@lru_cache(maxsize=256)
def phase(row: Activation, sigma_w: float, sigma_b: float) -> Phase:
    """The fixed point of an activation, elementwise, at some variances, and the factor there."""
    own, gains = behaviour(row), (2 * logarithm(sigma_w), 2 * logarithm(sigma_b))
    if sigma_w == 0:
        return Phase(sigma_b**2, 0.0, 0.0, "ordered")
    power = _fixed(own, *gains)
    if math.isnan(power):
        return Phase(None, None, None, None)
    steep = own.steepness(max(min(power, HIGH), LOW))
    chi = raised(gains[0] + steep)
    q = None if power > HIGH else raised(power) * (power > SMALL)
    if math.isnan(chi) or chi == math.inf:
        return Phase(q, None, None, None)
    return Phase(q, chi, _depth(chi), _order(chi))


def _depth(chi: float) -> float:
    if abs(chi - 1) < EDGE:
        return math.inf
    return 1 / abs(math.log(chi)) if chi > 0 else 0.0


def _order(chi: float) -> Order:
    if abs(chi - 1) < EDGE:
        return "critical"
    return "ordered" if chi < 1 else "chaotic"


def _mapped(own: Behaviour, weights: float, biases: float, power: float) -> float:
    """The next layer's variance; all are logarithms."""
    return added((weights + own.square(power), biases))


def _fixed(own: Behaviour, weights: float, biases: float) -> float:
    """The logarithm of the first fixed point on the way from that of the first layer; nan: unknown.

    The map grows with the variance for all activations whose size grows with that of their
    argument, so that the variances go one way, up to the fixed point that is nearest there.
    """
    start = added((weights, biases))
    sign = _moves(own, weights, biases, start)
    if sign == 0 or math.isnan(sign):
        return start if sign == 0 else math.nan
    here = start
    while LOW < here < HIGH:
        ahead = here + sign * STRIDE
        moves = _moves(own, weights, biases, ahead)
        if math.isnan(moves):
            return math.inf
        if moves != sign:
            return _between(lambda p: sign * _moves(own, weights, biases, p), here, ahead)
        here = ahead
    return -math.inf if sign < 0 else math.inf


def _moves(own: Behaviour, weights: float, biases: float, power: float) -> float:
    """Whether the variance grows (1), falls (-1) or stays; nan where it is not known."""
    change = _mapped(own, weights, biases, power) - power
    if math.isnan(change) or change == math.inf:
        return math.nan
    return 0.0 if abs(change) < SETTLED else math.copysign(1.0, change)


def _between(sign: Callable[[float], float], start: float, end: float) -> float:
    """Where a sign changes from positive, by halving."""
    for _ in range(HALVINGS):
        middle = (start + end) / 2
        if sign(middle) > 0:
            start = middle
        else:
            end = middle
    return (start + end) / 2


def _root(function: Callable[[float], float], start: float, end: float) -> float:
    """Where a function is 0, between two places at which it has different signs."""
    ends = (start, end)
    return float(findroot(lambda p: function(float(p)), ends, solver="anderson", verify=False))


@lru_cache(maxsize=64)
def critical(row: Activation, sigma_b: float) -> float | None:
    """The σ_w at which χ is 1 for this σ_b; None where there is none.

    At a fixed point q with χ = 1, `σ_w² = 1/E f'²` and `σ_b² = q - E f²/E f'²`: for that equation
    the smallest q is looked for. It counts only where variances come to it from that of the first
    layer: those of silu and gelu grow without end before χ is 1.
    """
    own, bias = behaviour(row), sigma_b**2
    near = own.straight is not None or (bias == 0 and own.value(0.0) == 0)
    at = LOW if near else _crossing(own, bias)
    edge = None if at is None else _gain(own, at)
    if edge is None or phase(row, edge, sigma_b).order != "critical":
        return None
    return edge


def _gain(own: Behaviour, power: float) -> float | None:
    steep = own.steepness(power)
    return 10 ** (-steep / 2) if math.isfinite(steep) else None


def _excess(own: Behaviour, bias: float, power: float) -> float:
    """`q - E f²/E f'² - σ_b²`."""
    return raised(power) - raised(own.square(power) - own.steepness(power)) - bias


def _crossing(own: Behaviour, bias: float) -> float | None:
    """The smallest variance at which the excess changes its sign."""
    here, before = -8.0, _excess(own, bias, -8.0)
    while here < LARGEST:
        ahead = here + STRIDE
        value = _excess(own, bias, ahead)
        if math.isnan(value) or math.isinf(value):
            return None
        if before < 0 <= value:
            return _root(lambda p: _excess(own, bias, p), here, ahead)
        here, before = ahead, value
    return None


def grid(
    row: Activation, depths: Sequence[int], sigmas: Sequence[float], sigma_b: float
) -> tuple[tuple[float, ...], ...]:
    """The decimal logarithm of the first layer's delta by the last's, by [σ_w][depth].

    Deltas are root mean squares, in a network of so many layers, all wide and alike; nan where
    nothing is established. The gradients of weights hold what the layers take besides, which grows
    or shrinks on the way forward.
    """
    every = tuple(depths)
    return tuple(tuple(_ratios(behaviour(row), every, sigma, sigma_b)) for sigma in sigmas)


def _ratios(
    own: Behaviour, depths: tuple[int, ...], sigma_w: float, sigma_b: float
) -> Iterator[float]:
    weights, biases = 2 * logarithm(sigma_w), 2 * logarithm(sigma_b)
    found, factor = {1: 0.0}, 0.0
    power = added((weights, biases))
    for depth in range(2, max(depths, default=1) + 1):
        factor += weights + own.steepness(power)
        found[depth] = factor / 2
        power = _mapped(own, weights, biases, power)
    for depth in depths:
        value = found[depth]
        yield value if math.isfinite(value) else math.nan
