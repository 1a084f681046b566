"""The loss of our catalogue for another library's arrays.

In: an `Imported`, a library. Out: a function of outputs and targets. Must not know: the engine.
"""

from collections.abc import Callable
from math import prod
from typing import Any

from bpderive.catalog import CATALOG
from bpderive.importers.model import Imported


def total(read: Imported, library: Any) -> Callable[[Any, Any], Any]:
    """The mean over the samples of their losses, by the loss's formula in NumPy or PyTorch."""
    from sympy import Symbol, lambdify

    from bpderive.functions import to_sympy

    row = CATALOG.loss(read.loss)
    formula = to_sympy(row.definition)
    own = lambdify([Symbol(row.argument), Symbol("y")], formula, modules=library.__name__)

    def loss(a: Any, y: Any) -> Any:
        if read.logged:
            return -(y * a).sum() / a.shape[0]
        value = own(_softmax(a, library) if row.stage else a, y)
        shared = prod(a.shape[1:]) if row.combine == "mean" else 1
        return value.sum() / (a.shape[0] * shared)

    return loss


def _softmax(a: Any, library: Any) -> Any:
    if library.__name__ == "torch":
        return library.softmax(a, -1)
    e = library.exp(a - a.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
