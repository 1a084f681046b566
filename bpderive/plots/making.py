"""From what was found out to what a picture shows.

In: a row of the catalogue, `Case`s, a grid of numbers. Out: `Slopes`, `Layers`, `HeatMap`. Must not
know: matplotlib, words.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from bpderive.catalog import Activation
from bpderive.errors import SpecError, UnsupportedError, quoted
from bpderive.flow.largest import bound_of
from bpderive.flow.model import Spread
from bpderive.plots.model import Case, HeatMap, Layers, Level, Panel, Power, Slopes
from bpderive.slopes.curves import traced

POINTS = 400
MOST = 24
"""So many panels at most stand in one picture."""


def slopes(row: Activation) -> Slopes:
    """The picture of an elementwise activation and its slope.

    Raises:
        UnsupportedError: it takes a whole layer, as softmax does.
    """
    if not row.elementwise:
        raise UnsupportedError(
            f"{row.name} has no curve: each of its outputs depends on the whole layer"
        )
    return Slopes(row.name, row.formula, row.given, traced(row, POINTS), bound_of(row))


def layers(*cases: Case) -> Layers:
    """The picture of gradients by layer, one panel for each case.

    Raises:
        SpecError: no case, or too many; a case of no layer, or not one bound for each layer.
    """
    if not 1 <= len(cases) <= MOST:
        raise SpecError.single(f"{len(cases)} panels in a picture", accepted=f"1 to {MOST}")
    return Layers(tuple(map(panel, cases)))


def panel(case: Case) -> Panel:
    """The levels of a case, from the first layer to the last.

    Of a layer with several weights, those are shown whose measured gradients are largest.

    Raises:
        SpecError: a case of no layer, or not one bound for each layer.
    """
    every = case.measurement.spreads if case.measurement else ()
    spreads = {one.number: one for one in sorted(every, key=lambda one: one.rms)}
    numbers = sorted({*spreads, *_hoped(case)}) or list(range(1, len(case.bounds) + 1))
    if not numbers or (case.bounds and len(case.bounds) != len(numbers)):
        raise SpecError.single(
            f"{len(case.bounds)} bounds for {len(numbers)} layers", accepted="one for each layer"
        )
    last = spreads.get(numbers[-1])
    hoped, relative = _anchored(case, last)
    bounds = dict(zip(numbers, case.bounds or (None,) * len(numbers), strict=True))
    if not case.bounds:
        bounds |= {number: spread.bound for number, spread in spreads.items()}
    levels = (_level(at, hoped.get(at), spreads.get(at), bounds[at]) for at in numbers)
    return Panel(case.title, tuple(levels), relative)


def _hoped(case: Case) -> dict[int, Power]:
    found = case.expectation.levels if case.expectation else ()
    return {one.number: one.gradient for one in found}


def _anchored(case: Case, last: Spread | None) -> tuple[dict[int, Power], bool]:
    """What is expected, and whether that is relative to the last layer.

    What was measured of the last layer makes it absolute.
    """
    hoped = _hoped(case)
    if case.expectation is None or not case.expectation.relative or last is None:
        return hoped, case.expectation is not None and case.expectation.relative
    by = _power(last.rms)
    lost = by is None or by == -math.inf
    return {at: None if lost or v is None else v + (by or 0.0) for at, v in hoped.items()}, False


def _level(number: int, hoped: Power, spread: Spread | None, bound: float | None) -> Level:
    expected, most = _known(hoped), _power(bound)
    if spread is None:
        return Level(number, expected, bound=most)
    low, middle, high = (_power(spread.quantiles[at]) for at in (0, 2, 4))
    return Level(number, expected, _power(spread.rms), most, (low, middle, high))


def _power(value: float | None) -> Power:
    """The decimal logarithm of a size; None for what is no number."""
    if value is None or not 0 <= value < math.inf:
        return None
    return math.log10(value) if value else -math.inf


def _known(value: Power) -> Power:
    """A logarithm; None for what is no number, or larger than any."""
    return None if value is None or math.isnan(value) or value == math.inf else value


def heat_map(
    row: Activation,
    depths: Sequence[int],
    sigmas: Sequence[float],
    values: Sequence[Sequence[Power]],
    critical: float | None = None,
) -> HeatMap:
    """The picture of how a gradient depends on depth and on the spread of the weights.

    Args:
        row: the activation of the hidden layers.
        depths: numbers of layers, rising, two or more.
        sigmas: values of σ_w, rising, two or more.
        values: by [sigma][depth], as `flow.fixed.grid` gives them.
        critical: the σ_w of the critical line, where there is one.

    Raises:
        SpecError: the axes do not rise, or the values are not one for each pair.
    """
    for axis, name in ((depths, "depths"), (sigmas, "sigmas")):
        if len(axis) < 2 or any(b <= a for a, b in pairwise(axis)):
            raise SpecError.single(
                f"{quoted(tuple(axis))} for an axis", name, "two rising numbers or more"
            )
    if len(values) != len(sigmas) or any(len(line) != len(depths) for line in values):
        shape = f"{len(sigmas)} lines of {len(depths)} values"
        raise SpecError.single("values that do not fit the axes", "values", shape)
    lines = tuple(tuple(map(_known_or_zero, line)) for line in values)
    return HeatMap(
        row.formula if row.given else row.name, tuple(depths), tuple(sigmas), lines, critical
    )


def _known_or_zero(value: Power) -> Power:
    return None if value is None or math.isnan(value) else value
