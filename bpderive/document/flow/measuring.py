"""What was measured: the gradients of drawn networks, by initialisation and layer.

In: `Measurement`s, an `Expectation`. Out: blocks; nothing where nothing was measured. Must not
know: letters, words, how anything was measured.
"""

from collections.abc import Iterator, Sequence

from sympy import Integer

from bpderive.document.blocks import Block, Cell, Heading, Paragraph, Table, Words
from bpderive.document.flow.cells import band, place, places, power, share, size, some
from bpderive.document.mathematics import Formula, Plain
from bpderive.flow.model import Expectation, Measurement, Spread

FEW = 5
"""So many layers of each initialisation are shown."""


def measuring(
    measured: Sequence[Measurement], expectation: Expectation | None, scheme: str
) -> Iterator[Block]:
    """How the gradients are spread, and beside it what was expected and what is possible."""
    if not measured:
        return
    yield Heading(Words("flow.measure_title"))
    yield Paragraph(_how(measured[0]))
    columns = ("scheme", *places(measured[0].spreads), "measured_rms", "from_to", "zero_share")
    yield Table(columns, tuple(row for one in measured for row in _rows(one)))
    yield Paragraph(Words("flow.measure_read"))
    chosen = _chosen(measured, scheme)
    if chosen is not None:
        yield from _beside(chosen, expectation)


def figures(
    expectation: Expectation | None, measured: Sequence[Measurement], scheme: str
) -> Iterator[Block]:
    """Bound, expectation and measurement by layer, for the scheme that was chosen."""
    from bpderive.document.figures.gradients import gradients_block  # most have no figures

    figure = gradients_block(expectation, _chosen(measured, scheme))
    if figure is not None:
        yield figure


def _chosen(measured: Sequence[Measurement], scheme: str) -> Measurement | None:
    return next((one for one in measured if one.scheme == scheme), None)


def _how(measurement: Measurement) -> Words:
    kind = "measure_batch" if measurement.batch > 1 else "measure_how"
    names = ("networks", "inputs", "seed", "batch")
    slots: dict[str, Cell] = {n: Formula(Integer(getattr(measurement, n))) for n in names}
    if measurement.batch == 1:
        del slots["batch"]
    return Words(f"flow.{kind}", slots)


def _rows(measurement: Measurement) -> Iterator[tuple[Cell, ...]]:
    """The scheme is named once, beside its first layer."""
    name, several = measurement.scheme, len(places(measurement.spreads)) > 1
    for spread in some(measurement.spreads, FEW):
        yield (
            Plain(name),
            *place(spread, several=several),
            size(spread.rms),
            band(spread.low, spread.high),
            share(spread.dead),
        )
        name = ""


def _beside(measurement: Measurement, expectation: Expectation | None) -> Iterator[Block]:
    """Expected, measured, possible: for the scheme that was chosen."""
    levels = expectation.levels if expectation else ()
    expected = {(one.number, one.parameter): one.gradient for one in levels}
    yield Paragraph(Words("flow.beside", {"scheme": Plain(measurement.scheme)}))
    first = places(measurement.spreads)
    columns = (*first, "expected_rms", "measured_rms", "sampling_error", "largest_possible")
    rows = (
        _compared(one, expected.get((one.number, one.parameter)), several=len(first) > 1)
        for one in some(measurement.spreads)
    )
    yield Table(columns, tuple(rows))


def _compared(spread: Spread, expected: float | None, *, several: bool) -> tuple[Cell, ...]:
    return (
        *place(spread, several=several),
        power(expected),
        size(spread.rms),
        size(spread.error),
        size(spread.bound),
    )
