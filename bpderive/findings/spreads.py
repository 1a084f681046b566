"""What course notes tell of measured gradients.

In: a derivation, a scheme.  Out: `Measurement`s, by scheme and by remedy.  Must not know: how they
are told.
"""

from typing import TYPE_CHECKING

from bpderive.document.flow.side_by_side import deep
from bpderive.errors import UnsupportedError
from bpderive.findings.making import INPUTS, NETWORKS, SEED, remedied
from bpderive.flow.model import Measurement
from bpderive.flow.schemes import XAVIER, scheme
from bpderive.spec import Spec

if TYPE_CHECKING:  # a dense network does without
    from bpderive.backprop import AnyDerivation

USUAL = ("normal", "uniform", "truncated_normal", "xavier", "he", "orthogonal")
"""The schemes that course notes compare."""


def spreads(
    derivation: "AnyDerivation", init: str = XAVIER, *, large: bool = False
) -> tuple[Measurement, ...]:
    """What was measured under each of the usual schemes, and under the one that is chosen.

    Small networks run through the generated plain Python code, which gives the same numbers
    everywhere; of others, nothing is measured unless the `large` are wanted too.

    Raises:
        SpecError: no such scheme.
        UnsupportedError: a large network needs NumPy.
    """
    from bpderive import sweep

    chosen = scheme(init)
    names = dict.fromkeys((*USUAL, chosen.name))
    every = [chosen if name == chosen.name else scheme(name) for name in names]
    try:
        return sweep.measured_each(
            derivation, every, networks=NETWORKS, inputs=INPUTS, seed=SEED, large=large
        )
    except UnsupportedError:
        if large:
            raise
        return ()  # sizes that are symbols, or a loss without a value at random outputs


def compared(spec: Spec, init: str = XAVIER) -> dict[str, Measurement]:
    """What was measured of the deep network that remedies are compared on, by remedy.

    Raises:
        SpecError: no such scheme.
        UnsupportedError: NumPy is not installed.
    """
    found = remedied(deep(spec), scheme(init), NETWORKS, INPUTS, SEED)
    return {one.remedy: one.measurement for one in found if one.measurement is not None}
