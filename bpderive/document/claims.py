"""Claims of the article that need a definition beside them, for the sections that they belong to.

In: a `Derivation`. Out: a `Remark` where the claim is about this network. Must not know: words.
"""

from collections.abc import Iterator
from fractions import Fraction

from bpderive.derive import Derivation
from bpderive.document.blocks import Cell, Remark, Words
from bpderive.document.mathematics import Formula, Plain
from bpderive.forms.scalar import symbol_of
from bpderive.forms.sharing import layer_sharing
from bpderive.reference import Reference
from bpderive.weights import in_order

CLAIMED = Fraction(7, 8)
"""The article says 87%; it is 14 of 16 factors."""


def alike(derivation: Derivation) -> Iterator[Remark]:
    """How alike the gradients of the first neuron's first two weights are said to be."""
    if derivation.network.inputs == 1 or derivation.network.symbolic:
        return
    factors, single = (layer_sharing(derivation, 1, slopes=way) for way in ("factors", "one"))
    if factors.ratio != CLAIMED:
        return
    order = derivation.network.spec.weights
    one, other = (
        Formula(symbol_of(Reference("w", 1, in_order(order, 1, source)))) for source in (1, 2)
    )
    slots: dict[str, Cell] = {
        "one": one,
        "other": other,
        "shared": Plain(str(factors.shared)),
        "total": Plain(str(factors.total)),
        "fewer": Plain(str(single.shared)),
        "of": Plain(str(single.total)),
    }
    yield Remark(Words("sharing.claim", slots))
