"""Section 10: the gradient problem; what it is made of is imported only when it is asked for."""

from bpderive.derive import Derivation
from bpderive.document.blocks import Section
from bpderive.document.request import Request


def flow(derivation: Derivation, request: Request) -> Section:
    """Section 10: bounds, conditions, remedies."""
    from bpderive.document.flow_full import flow_section

    return flow_section(derivation, request)
