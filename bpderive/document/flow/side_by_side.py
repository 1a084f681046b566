"""The remedies side by side: what each makes of the gradients of one deep network.

In: a network, a scheme, measurements of remedies where there are any. Out: blocks: a table of
first by last gradients, a figure of all layers. Must not know: letters, words.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import inf, log10
from typing import TYPE_CHECKING

from sympy import Integer

from bpderive.catalog import CATALOG
from bpderive.document.blocks import Block, Cell, Heading, Paragraph, Table, Words
from bpderive.document.flow.cells import NONE, called, power
from bpderive.document.mathematics import Formula, Plain
from bpderive.flow.expectation import expected
from bpderive.flow.model import Expectation, Measurement
from bpderive.flow.remedies import REMEDIES, built
from bpderive.flow.schemes import Scheme
from bpderive.grammar.widths import LayerSpec
from bpderive.spec import Spec

if TYPE_CHECKING:  # a dense network does without
    pass

HIDDEN, WIDTH = 10, 64
"""What stands for a network of too few hidden layers to show anything, or too many."""
FEWEST, MOST = 5, 40
"""From so many hidden layers to so many, the network itself is shown."""
AS_IT_IS = "as_given"


@dataclass(frozen=True)
class Curve:
    """The gradients of a network, from the first layer with weights to the last.

    `powers` are decimal logarithms, relative to the last layer; None where nothing is established.
    """

    id: str
    scheme: str
    powers: tuple[float | None, ...]

    @property
    def first(self) -> float | None:
        """The first layer's."""
        return self.powers[0] if self.powers else None


def side_by_side(
    spec: Spec, scheme: Scheme, measured: Mapping[str, Measurement], *, figures: bool
) -> Iterator[Block]:
    """What is expected under each remedy, as numbers and as curves."""
    found = curves(deep(spec), scheme)
    if not any(curve.powers for curve in found):
        return
    yield Heading(Words("flow.side_title"))
    yield Paragraph(_of_what(spec, scheme))
    yield _table(found, measured)
    yield Paragraph(Words("flow.side_read"))
    if figures:
        from bpderive.document.figures.gradients import remedies_block  # most documents have none

        yield remedies_block(tuple((one.id, one.powers) for one in found if one.powers))


def deep(spec: Spec) -> Spec:
    """The network itself where it is deep, and not too deep for a figure; else a deep one like it.

    That has ten hidden layers of the network's first activation, all as wide as its ends.
    """
    if spec.stacked or (FEWEST <= len(spec.layers) - 2 <= MOST and _is_known(spec)):
        return spec
    hidden, last = LayerSpec(WIDTH, spec.activations[0]), spec.layers[-1]
    layers = (LayerSpec(WIDTH), *([hidden] * HIDDEN), replace(last, width=WIDTH))
    return replace(spec, layers=layers)


def _is_known(spec: Spec) -> bool:
    return all(isinstance(layer.width, int) for layer in spec.layers)


@lru_cache(maxsize=16)
def curves(spec: Spec, scheme: Scheme) -> tuple[Curve, ...]:
    """The network as it is, then under every remedy that can be applied to it."""
    found = [(AS_IT_IS, spec, scheme)]
    for remedy in REMEDIES.values():
        changed = remedy.applied(spec, scheme)
        if changed is not None:
            found.append((remedy.id, *changed))
    return tuple(_curve(*one) for one in found)


def _curve(name: str, spec: Spec, scheme: Scheme) -> Curve:
    return Curve(name, scheme.name, _relative(expected(built(spec), scheme)))


def _relative(expectation: Expectation) -> tuple[float | None, ...]:
    """Logarithms, less that of the last layer."""
    powers = [level.gradient for level in expectation.levels]
    last = powers[-1] if powers else None
    if last is None or last == -inf:
        return ()
    return tuple(None if one is None else one - last for one in powers)


def ratio(measurement: Measurement) -> float | None:
    """The logarithm of the first layer's gradient by the last's, as measured."""
    first, *_, last = (spread.rms for spread in (*measurement.spreads[:1], *measurement.spreads))
    if not last:
        return None
    return log10(first / last) if first else -inf


def _of_what(spec: Spec, scheme: Scheme) -> Words:
    """Of this network, or of a deep one like it."""
    if deep(spec) == spec:
        return Words("flow.side_own", {"scheme": Plain(scheme.name)})
    slots: dict[str, Cell] = {
        "scheme": Plain(scheme.name),
        "hidden": Formula(Integer(HIDDEN)),
        "width": Formula(Integer(WIDTH)),
        "activation": called(CATALOG.activation(spec.activations[0])),
    }
    return Words("flow.side_like", slots)


def _table(found: Sequence[Curve], measured: Mapping[str, Measurement]) -> Table:
    """What each leaves of the gradient on its way to the first layer."""
    columns = ("remedy", "scheme", "weighted", "expected_ratio")
    more = ("measured_ratio",) if measured else ()
    return Table((*columns, *more), tuple(_row(one, measured) for one in found))


def _row(curve: Curve, measured: Mapping[str, Measurement]) -> tuple[Cell, ...]:
    count: Cell = Formula(Integer(len(curve.powers))) if curve.powers else NONE
    cells = (
        Words(f"remedy.{curve.id}"),
        Plain(curve.scheme),
        count,
        power(curve.first),
    )
    own = measured.get(curve.id)
    return (*cells, power(ratio(own)) if own else NONE) if measured else cells
