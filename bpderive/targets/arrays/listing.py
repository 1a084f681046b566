"""The lines of the NumPy code that compute the loss and its gradients, by themselves.

In: a `Computation`. Out: Python text: three functions of the generated module. Must not know:
documents.
"""

import ast

from bpderive.schedule import Computation
from bpderive.targets.arrays import generate

SHOWN = ("_forward", "_loss", "_backward")


def listing(computation: Computation) -> str:
    """The functions of the module in which the equations are computed.

    Raises:
        UnsupportedError: the target cannot carry the network.
    """
    source = generate(computation)
    found = {
        node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)
    }
    texts = (ast.get_source_segment(source, found[name]) for name in SHOWN)
    return "\n\n\n".join(text for text in texts if text)
