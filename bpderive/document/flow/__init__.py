"""Section 10: the gradient problem, for this very network.

In: a `Derivation` and the chosen weight. Out: the bounds of its gradients, what is left of an error
layer by layer, when a layer keeps a gradient, what vanishing and exploding mean here; the remedies.
Every number comes from the maximal slopes (`slopes.extrema`). Must not know: letters, words.
"""

from bpderive.derive import Derivation
from bpderive.document.blocks import Paragraph, Section, Words
from bpderive.document.flow.both_ways import both_ways
from bpderive.document.flow.bounding import bounding
from bpderive.document.flow.bounds import bending
from bpderive.document.flow.keeping import keeping
from bpderive.document.flow.passing import passing
from bpderive.document.flow.remedies import clipping, remedies
from bpderive.document.request import Request


def flow(derivation: Derivation, request: Request) -> Section:
    """Section 10: bounds, conditions, remedies."""
    rows = tuple(row for row in bending(derivation) if row.elementwise)
    blocks = (
        Paragraph(Words("flow.intro")),
        *bounding(derivation, request),
        *passing(derivation),
        *keeping(rows),
        *both_ways(rows),
        *remedies(),
        *clipping(),
    )
    return Section("flow", blocks)
