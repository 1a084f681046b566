"""Statistics of gradients, in plain Python: of one layer, and over networks.

In: numbers. Out: `Numbers`, `Spread`s. Gradients that are no numbers any more count as infinite.
Must not know: NumPy, where the numbers come from.
"""

import math
from collections.abc import Sequence

from bpderive.flow.model import Measurement, Spread
from bpderive.sweep.model import QUANTILES, Asked, Numbers, Row


def numbers(gradients: Sequence[float], bound: float | None = None) -> Numbers:
    """The mean, the root mean square, the quantiles and the share of zeros of |gradient|."""
    sizes = sorted(math.inf if g != g else abs(g) for g in gradients)  # noqa: PLR0124 - not a number
    quantiles = tuple(quantile(sizes, share) for share in QUANTILES)
    dead = sizes.count(0.0) / len(sizes)
    return Numbers(mean(sizes), rms(sizes), quantiles, dead, bound)  # type: ignore[arg-type] # five


def mean(values: Sequence[float]) -> float:
    """Their mean, the same in every version of Python."""
    largest = max(values)
    if not 0 < largest < math.inf:
        return largest
    return math.fsum(value / largest for value in values) / len(values) * largest


def rms(values: Sequence[float]) -> float:
    """The root of the mean square, where squares may leave the range of floats."""
    largest = max(values)
    if not 0 < largest < math.inf:
        return largest
    return largest * math.sqrt(math.fsum((v / largest) ** 2 for v in values) / len(values))


def quantile(ordered: Sequence[float], share: float) -> float:
    """Between two values as far as the share says."""
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    below, above = ordered[low], ordered[min(low + 1, len(ordered) - 1)]
    if below == above or place == low:
        return below
    return below + (above - below) * (place - low)


def measurement(networks: Sequence[Sequence[Row]], asked: Asked) -> Measurement:
    """What was measured of some networks of one kind."""
    spreads = tuple(map(spread, zip(*networks, strict=True)))
    return Measurement(spreads, asked.scheme, len(networks), asked.inputs, asked.seed, asked.batch)


def spread(rows: Sequence[Row]) -> Spread:
    """One layer, over all networks."""
    found = [row.numbers for row in rows]
    means = sorted(one.mean for one in found)
    whole = rms([one.rms for one in found])
    quantiles = tuple(
        mean(column) for column in zip(*(one.quantiles for one in found), strict=True)
    )
    return Spread(
        number=rows[0].layer,
        parameter=rows[0].parameter,
        mean=mean(means),
        rms=whole,
        error=error([one.rms for one in found], whole),
        low=quantile(means, 0.05),
        high=quantile(means, 0.95),
        quantiles=quantiles,  # type: ignore[arg-type] # five
        dead=math.fsum(one.dead for one in found) / len(found),
        bound=_largest([one.bound for one in found]),
    )


def error(values: Sequence[float], whole: float) -> float:
    """The standard error of the root mean square: that of the mean square over twice the root.

    It is infinite where there is a single network.
    """
    if len(values) < 2 or whole == math.inf:
        return math.inf
    if whole == 0:
        return 0.0
    squares = [(value / whole) ** 2 for value in values]
    variance = math.fsum((square - 1) ** 2 for square in squares) / (len(squares) - 1)
    return whole * math.sqrt(variance / len(squares)) / 2


def _largest(bounds: Sequence[float | None]) -> float | None:
    return max((bound for bound in bounds if bound is not None), default=None)
