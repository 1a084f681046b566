"""The figures of gradients by layer: this network's, and the remedies side by side.

In: expectations, measurements, curves. Out: `Figure` blocks, with words for who cannot see them.
Must not know: letters, formats, how anything was found.
"""

from collections.abc import Iterator, Sequence
from math import inf, isfinite, log10

from sympy import Integer, Symbol

from bpderive.document.blocks import Cell, Figure, Listed, Words
from bpderive.document.figures.layers_chart import Axes, Series, layers_chart, numbered, steps
from bpderive.document.flow.cells import power
from bpderive.document.mathematics import Formula, Layer
from bpderive.flow.model import Expectation, Measurement
from bpderive.functions import Abs
from bpderive.index import Partial

Powers = tuple[float | None, ...]
SIZE = Formula(Abs(Partial(Symbol("L"), Symbol("w"))))


def gradients_block(
    expectation: Expectation | None, measurement: Measurement | None
) -> Figure | None:
    """Bound, expectation and measurement of every layer; None where there is nothing to show."""
    series = tuple(one for one in _series(expectation, measurement) if one.points)
    if not series:
        return None
    places = sorted({place for one in series for place, _ in one.points})
    layers = [Layer(Integer(int(place))) for place in places]
    axes = Axes(Words("plot.layer"), SIZE, numbered(places, layers))
    slots: dict[str, Cell] = {"marks": Listed(tuple(_meaning(one) for one in series))}
    return Figure(
        "gradients",
        layers_chart(series, axes),
        Words("figure.gradients", slots),
        Words("alternative.gradients", {"series": _told(series)}),
    )


def _series(expectation: Expectation | None, measurement: Measurement | None) -> Iterator[Series]:
    spreads = measurement.spreads if measurement else ()
    bound = tuple((s.number, _log(s.bound)) for s in spreads if _shown(s.bound))
    yield Series(Words("plot.bound"), bound, "", "error", dashed=True)
    levels = expectation.levels if expectation and not expectation.relative else ()
    known = tuple(
        (one.number, one.gradient)
        for one in levels
        if one.gradient is not None and isfinite(one.gradient)
    )
    yield Series(Words("table.expected_rms"), known, "ring", "weight", line=False)
    rms = tuple((s.number, _log(s.rms)) for s in spreads if _shown(s.rms))
    bars = tuple(
        (s.number, _log(s.low), _log(s.high)) for s in spreads if _shown(s.low) and _shown(s.high)
    )
    yield Series(Words("table.measured_rms"), rms, "dot", "activation", line=False, bars=bars)


def _shown(size: float | None) -> bool:
    return size is not None and 0 < size < inf


def _log(size: float | None) -> float:
    return log10(size or 1.0)


MEANING = {"": "dashes", "ring": "rings", "dot": "dots"}


def _meaning(series: Series) -> Words:
    """`rings: expected`."""
    return Words(f"figure.{MEANING[series.mark]}", {"what": series.name})


STYLES = (
    ("dot", False, "ink"),
    ("ring", False, "weight"),
    ("square", False, "error"),
    ("diamond", False, "activation"),
    ("cross", False, "slope"),
    ("ring", True, "sum"),
    ("square", True, "weight"),
    ("diamond", True, "error"),
    ("cross", True, "activation"),
    ("dot", True, "slope"),
    ("ring", False, "ink"),
)
"""Mark, dashes and role of each curve."""


def remedies_block(curves: Sequence[tuple[str, Powers]]) -> Figure:
    """The gradients of one network under each remedy, from the last layer back to the first."""
    series = tuple(
        Series(Words(f"remedy.{name}"), _back(powers), mark, role, dashed=dashed)
        for (name, powers), (mark, dashed, role) in zip(curves, STYLES, strict=False)
    )
    longest = max(len(powers) for _, powers in curves)
    axes = Axes(Words("figure.back"), Words("plot.relative"), steps(longest))
    return Figure(
        "remedies",
        layers_chart(series, axes),
        Words("figure.remedies"),
        Words("alternative.remedies", {"series": _told(series)}),
    )


def _back(powers: Powers) -> tuple[tuple[float, float], ...]:
    """By steps from the last layer back; what is 0 or not established is left out."""
    return tuple(
        (step, one)
        for step, one in enumerate(reversed(powers))
        if one is not None and isfinite(one)
    )


def _told(series: Sequence[Series]) -> Cell:
    """Each series in words: its name, where it begins and where it ends."""
    return Listed(
        tuple(
            Words(
                "alternative.series",
                {
                    "name": one.name,
                    "first": power(one.points[0][1]),
                    "last": power(one.points[-1][1]),
                },
            )
            for one in series
        )
    )
