"""The networks of a sweep: what is expected of each kind beside what was measured.

In: `Results` of a sweep.  Out: a `Swept` for each kind of network.  Must not know: how anything was
measured.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bpderive.catalog import CATALOG
from bpderive.findings.plain import power_of
from bpderive.flow.dangers import warned
from bpderive.flow.expectation import expected
from bpderive.flow.model import Expectation, Measurement, Warned
from bpderive.flow.remedies import built
from bpderive.flow.schemes import scheme

if TYPE_CHECKING:
    from bpderive.sweep import Cell, Results


@dataclass(frozen=True)
class Swept:
    """One kind of network of a sweep: what is expected of it beside what was measured."""

    title: str
    cell: "Cell"
    expectation: Expectation
    measurement: Measurement
    warnings: tuple[Warned, ...]

    @property
    def expected_power(self) -> float | None:
        """The decimal logarithm of the first layer's gradient by the last's, as expected."""
        return power_of(self.expectation)


def swept(results: "Results") -> tuple[Swept, ...]:
    """The cells of a sweep in their order."""
    from bpderive.sweep.cells import base, specified

    spec = base(results.grid, CATALOG)
    found = []
    for one in results.summary():
        own, drawn = specified(results.grid, spec, one.cell) or (spec, scheme(one.cell.scheme))
        hoped = expected(built(own), drawn)
        wrong = warned(hoped, one.measurement, own, drawn)
        found.append(Swept(_title(one.cell), one.cell, hoped, one.measurement, wrong))
    return tuple(found)


def _title(cell: "Cell") -> str:
    """`10 x 64 tanh, he, batchnorm`: what tells the cell from others."""
    size = f"{cell.depth} x {cell.width}" if cell.width else ""
    parts = (f"{size} {cell.activation}".strip(), cell.scheme, cell.remedy)
    return ", ".join(part for part in parts if part)
