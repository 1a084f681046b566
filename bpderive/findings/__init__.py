"""What is found out about the gradients of a network: bounds, expectation, measurement, dangers.

In: a derivation, or somebody's model, and how the weights are drawn.  Out: `Findings`, which a
document, JSON and pictures are made of.  Must not know: the command line, words.
"""

from bpderive.findings.making import flow, model
from bpderive.findings.model import Findings, Remedied

__all__ = ["Findings", "Remedied", "flow", "model"]
