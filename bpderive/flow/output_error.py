"""How large the error at the output is: the mean square of the loss's derivative.

In: a loss, the activation of the output, the variance of what that takes. Out: `E δ²` of one
sample, and `E δ₁ δ₂` of two; None where it is not established. Must not know: layers.

Labels are drawn as measurements draw them: standard normal numbers; 0 or 1, and -1 or 1, alike
often; counts from 1 to 5; one of the classes. Where a label is a normal number and the loss has a
kink at it (mae, huber), the mean is good to three digits.
"""

import math
from collections.abc import Callable, Mapping
from functools import lru_cache

from sympy import Expr, Integer, Rational, cancel, oo

from bpderive.catalog import Activation, Loss
from bpderive.differentiation import differentiate
from bpderive.flow.behaviour import ALIKE, FAR, STEP, Z, behaviour, floats
from bpderive.flow.gaussian import Rule, hermite, mean
from bpderive.functions import scalar_symbol
from bpderive.slopes.pieces import pieces

A, Y = scalar_symbol("a"), scalar_symbol("y")
COUNTS = 5
LABELS = 24
"""The nodes of a normal label."""


def _even(*values: float) -> Rule:
    return tuple((value, 1 / len(values)) for value in values)


TARGETS: Mapping[str, Callable[[int], Rule]] = {
    "real": lambda _size: hermite(LABELS),
    "binary": lambda _size: _even(0.0, 1.0),
    "sign": lambda _size: _even(-1.0, 1.0),
    "count": lambda _size: _even(*map(float, range(1, COUNTS + 1))),
    "distribution": lambda size: ((0.0, 1 - 1 / size), (1.0, 1 / size)),
}
"""What a label may be, and how probable that is."""
DOMAINS = {"real": None, "unit": ("unit",), "positive": ("unit", "positive")}
"""The ranges of an output that a loss of that domain takes wherever it is."""


def error(
    loss: Loss, row: Activation | None, power: float, size: int, alike: float | None = None
) -> tuple[float, float] | None:
    """`log10 E δ²`, and what two samples have in common of it, as a part.

    Args:
        loss: of the network.
        row: the activation of the output, None where there is none.
        power: the decimal logarithm of the variance of what the output is made of.
        size: how many outputs there are.
        alike: the correlation of that variable for two samples; None: there is only one sample.
    """
    if not _settled(loss, row):
        return None
    if power > FAR:
        return _beyond(loss, row, power, size, alike)
    found = _square(loss, row, round(power, 14), size)
    if not 0 < found < math.inf:
        return None
    scale = -2 * math.log10(size) if loss.combine == "mean" else 0.0
    both = 0.0 if alike is None else _both(loss, row, power, size, alike) / found
    return math.log10(found) + scale, both


def _beyond(
    loss: Loss, row: Activation | None, power: float, size: int, alike: float | None
) -> tuple[float, float] | None:
    """Continued as the power of the variance that it has become."""
    ends = [error(loss, row, at, size, alike) for at in (FAR, FAR - STEP)]
    if ends[0] is None or ends[1] is None:
        return None
    slope = (ends[0][0] - ends[1][0]) / STEP
    return ends[0][0] + slope * (power - FAR), ends[0][1]


def _settled(loss: Loss, row: Activation | None) -> bool:
    """Whether each output has a loss of its own, which takes whatever the output is."""
    accepted = DOMAINS[loss.domain]
    known = "real" if row is None else row.range
    if loss.stage is not None or (row is not None and not row.elementwise):
        return False
    return accepted is None or known in accepted


@lru_cache(maxsize=64)
def _delta(loss: Loss, row: Activation | None) -> Expr:
    """`∂L/∂a · f'(z)`, as it cancels."""
    slope = Integer(1) if row is None else row.slope_expr
    found = differentiate(loss.definition, A) * slope
    return cancel(found) if found.is_rational_function(A, Y) else found


@lru_cache(maxsize=64)
def _function(delta: Expr, row: Activation | None) -> Callable[[float, float], float]:
    whole = floats(delta, (A, Z, Y))
    if row is None:
        return lambda z, y: whole(z, z, y)
    value = behaviour(row).value
    return lambda z, y: whole(value(z), z, y)


@lru_cache(maxsize=256)
def _square(loss: Loss, row: Activation | None, power: float, size: int) -> float:
    """`E δ²` over z and the label, the label's share of a mean loss aside."""
    delta = _delta(loss, row)
    value, spread = _function(delta, row), 10.0**power
    cuts = () if row is None else behaviour(row).cuts
    return math.fsum(
        share * mean(_squared(value, y), spread, (*cuts, *_cuts(loss, row, y)))
        for y, share in TARGETS[loss.label](size)
    )


def _squared(value: Callable[[float, float], float], y: float) -> Callable[[float], float]:
    return lambda z: value(z, y) ** 2


def _cuts(loss: Loss, row: Activation | None, y: float) -> tuple[float, ...]:
    """Where the loss has kinks at this label; known where the output is linear."""
    if row is not None:
        return ()
    found = pieces(loss.definition.xreplace({Y: Rational(y)}), A) or ()
    return tuple(float(part.hi) for part in found if part.hi != oo)


def _both(loss: Loss, row: Activation | None, power: float, size: int, alike: float) -> float:
    """`E δ₁ δ₂ = E_s (E_t δ(s + t))²`, over what two samples share and what each has."""
    value = _function(_delta(loss, row), row)
    shared, apart = (math.sqrt(10.0**power * max(part, 0.0)) for part in (alike, 1 - alike))
    inner = [(apart * t, y, v * w) for t, v in hermite(ALIKE) for y, w in TARGETS[loss.label](size)]
    return math.fsum(
        w * math.fsum(v * value(shared * s + t, y) for t, y, v in inner) ** 2
        for s, w in hermite(ALIKE)
    )
