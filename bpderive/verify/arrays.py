"""The forward pass of an `Oracle` in NumPy's arrays, a sample in each row.

In: an `Oracle`, and arrays of real numbers, or of complex ones. Out: the layers' outputs, and the
loss of each sample. Must not know: the engine; an import contract keeps it apart.
"""

import math
from collections.abc import Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np

from bpderive.verify.formulas import NAMES, Domain, Formula, Values, read
from bpderive.verify.oracle import Oracle

Parameters = Mapping[str, Any]
"""Arrays by label: `w1` of shape (outputs, inputs), or the other way round, `b1` (outputs,)."""


@cache
def arrays() -> Domain:
    """NumPy's arrays; a complex one is worked out as a real one with a small imaginary step."""
    names = [name for name in NAMES if name != "erf"]
    functions = SimpleNamespace(**{name: getattr(np, name) for name in names}, erf=erf)
    return Domain(
        float, functions, lambda test, p, q: np.where(test, p(), q()), real=np.real, total=_total
    )


def erf(u: Any) -> Any:
    """The error function, which NumPy lacks; of a complex number to the first order, so but for h².

    `erf(a + ih) = erf(a) + ih·2/√π·exp(−a²)`
    """
    real = np.real(u)
    value = np.vectorize(math.erf, otypes=[float])(real)
    if not np.iscomplexobj(u):
        return value
    return value + 1j * np.imag(u) * (2 / math.sqrt(math.pi)) * np.exp(-(real**2))


def _total(inner: Formula, values: Values, layer: Any) -> Any:
    return np.sum(inner(values, layer) + 0 * layer, axis=-1, keepdims=True)


def outputs(oracle: Oracle, parameters: Parameters, layer: int, below: Any) -> Any:
    """The outputs of one layer, from those of the layer below."""
    w = parameters[f"w{layer}"]
    z = below @ (w if oracle.input_first else w.T)
    if oracle.bias:
        z = z + parameters[f"b{layer}"]
    return _applied(oracle.activations[layer - 1], z)


def losses(oracle: Oracle, a: Any, y: Any) -> Any:
    """The loss of each sample, from the outputs of the last layer and the labels."""
    letter = "p" if oracle.stage else "a"
    value = _applied(oracle.stage, a) if oracle.stage else a
    terms = read(oracle.loss, arrays())({letter: value, "y": y}, ())
    return np.mean(terms, axis=-1) if oracle.mean_of_outputs else np.sum(terms, axis=-1)


def _applied(text: str, z: Any) -> Any:
    return read(text, arrays())({"z": z}, z)
