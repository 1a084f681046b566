"""What is expected of this very network: the factor of its activations, and the table by layer.

In: a network, a scheme. Out: blocks. Must not know: letters, words, how anything is worked out.
"""

from collections.abc import Iterator
from math import inf, sqrt

from sympy import Integer

from bpderive.catalog import Activation
from bpderive.document.blocks import Block, Cell, Listed, Paragraph, Table, Words
from bpderive.document.flow.cells import called, place, places, power, size, some
from bpderive.document.flow.quantities import CHI, GAIN, SCALE, Q, letters
from bpderive.document.mathematics import Formula, Named, Plain
from bpderive.flow.fixed import critical, phase
from bpderive.flow.model import Expectation, Expected
from bpderive.flow.schemes import Scheme
from bpderive.modules.rows import ROWS

SQUARE = 64
"""A layer of so many inputs and outputs: what a scheme gives to a layer as wide as the next."""


def phases(rows: tuple[Activation, ...], scheme: Scheme) -> Iterator[Block]:
    """Where each activation is critical, and what the scheme makes of it."""
    if not rows:
        return
    slots: dict[str, Cell] = {
        "scheme": Plain(scheme.name),
        **letters(gain=GAIN, q=Q, chi=CHI, xi=SCALE),
    }
    yield Paragraph(Words("flow.phases", slots))
    yield Table(
        ("activation", "critical_gain", "gain_here", "fixed_point", "factor_chi", "depth_scale"),
        tuple(_phase(row, scheme) for row in dict.fromkeys(rows)),
    )


def _phase(row: Activation, scheme: Scheme) -> tuple[Cell, ...]:
    gain = SQUARE * scheme.variance(SQUARE, SQUARE)
    found = phase(row, sqrt(gain), sqrt(scheme.bias))
    edge = critical(row, sqrt(scheme.bias))
    return (
        called(row),
        size(None if edge is None else edge**2),
        size(gain),
        size(found.q),
        size(found.chi),
        Words("flow.endless") if found.depth == inf else size(found.depth),
    )


def levels(expectation: Expectation, scheme: Scheme, batch: int = 1) -> Iterator[Block]:
    """What is expected of the gradients of each layer of this network, as far as it is known."""
    if expectation.stopped:
        kinds = Listed(tuple(map(_kind, expectation.stopped)))
        yield Paragraph(Words("flow.stopped", {"kinds": kinds}))
    if all(one.gradient is None for one in expectation.levels):
        return
    slots: dict[str, Cell] = {"scheme": Plain(scheme.name)}
    if batch > 1:
        slots["batch"] = Formula(Integer(batch))
    yield Paragraph(Words("flow.levels_batch" if batch > 1 else "flow.levels", slots))
    columns = (*places(expectation.levels), "variance_sum", "factor_back", "expected_rms")
    several = len(columns) > len(LEVEL)
    yield Table(columns, tuple(_level(one, several=several) for one in some(expectation.levels)))
    if expectation.relative:
        yield Paragraph(Words("flow.relative"))
    yield Paragraph(Words("flow.rough"))


def _kind(kind: str) -> Cell:
    """The name of a kind of layer."""
    return Words(f"layer.{kind}") if kind in ROWS else Named(kind)


LEVEL = ("layer", "variance_sum", "factor_back", "expected_rms")


def _level(found: Expected, *, several: bool) -> tuple[Cell, ...]:
    numbers = size(found.variance), size(found.factor), power(found.gradient)
    return (*place(found, several=several), *numbers)
