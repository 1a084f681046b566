"""What is computed in which order: a derivation as a program for any target.

In: a `StackDerivation`. Out: a `Computation`. Must not know: any target's syntax.
"""

from typing import TYPE_CHECKING

from bpderive.schedule.model import Computation, Given, Line, Loop

if TYPE_CHECKING:
    from bpderive.backprop import StackDerivation

__all__ = ["Computation", "Given", "Line", "Loop", "build"]


def build(derivation: "StackDerivation") -> Computation:
    """The computation of a network's loss and of all its gradients."""
    from bpderive.schedule.building import build as built  # a dense network does without

    return built(derivation)
