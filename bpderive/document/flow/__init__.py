"""Section 10: the gradient problem, for this very network.

In: a `Derivation`, a `Request`. Out: how large its gradients can be, what is left of an error layer
by layer, when a layer keeps a gradient; what is expected and what was measured; the remedies side
by side; exploding gradients and clipping. Must not know: letters, words, how anything is found.
"""

from collections.abc import Iterator

from bpderive.derive import Derivation
from bpderive.document.blocks import Block, Paragraph, Section, Words
from bpderive.document.flow.both_ways import both_ways
from bpderive.document.flow.bounding import bounding
from bpderive.document.flow.clipping import clipping
from bpderive.document.flow.expecting import expecting
from bpderive.document.flow.keeping import keeping
from bpderive.document.flow.measuring import figures, measuring
from bpderive.document.flow.passing import passing
from bpderive.document.flow.predicted import levels, phases
from bpderive.document.flow.recurrence import recurrence
from bpderive.document.flow.remedies import remedies
from bpderive.document.flow.side_by_side import side_by_side
from bpderive.document.flow.special import special
from bpderive.document.request import Request
from bpderive.flow.expectation import expected
from bpderive.flow.passing import bending
from bpderive.flow.schemes import scheme


def flow(derivation: Derivation, request: Request) -> Section:
    """Section 10: bounds, conditions, expectation, measurement, remedies."""
    rows = tuple(row for row in bending(derivation) if row.elementwise)
    blocks = (
        Paragraph(Words("flow.intro")),
        *bounding(derivation, request),
        *passing(derivation),
        *keeping(rows),
        *both_ways(rows),
        *_at_initialisation(derivation, request),
        *remedies(),
        *_side_by_side(derivation, request),
        *recurrence(rows),
        *clipping(),
    )
    return Section("flow", blocks)


def _at_initialisation(derivation: Derivation, request: Request) -> Iterator[Block]:
    """What is expected of drawn weights, and what was measured."""
    network, drawn = derivation.network, scheme(request.scheme)
    found = None if network.symbolic else expected(network, drawn)
    yield from expecting(network.spec.weights, bias=network.spec.bias)
    yield from special()
    yield from phases(tuple(row for row in bending(derivation) if row.elementwise), drawn)
    if found is not None:
        yield from levels(found, drawn)
    yield from measuring(request.measured, found, request.scheme)
    if request.figures:
        yield from figures(found, request.measured, request.scheme)


def _side_by_side(derivation: Derivation, request: Request) -> Iterator[Block]:
    spec, drawn = derivation.network.spec, scheme(request.scheme)
    return side_by_side(spec, drawn, request.remedied, figures=request.figures)
