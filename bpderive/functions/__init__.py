"""The scalar functions of formulas, beside SymPy's own (exp, log, sin, cos, erf).

In: real SymPy expressions. Out: opaque nodes that know their derivative and nothing else; they
stay as they are written, save that a constant folds. `tanh`, `sinh`, `cosh`, `Abs` and `sign` are
SymPy's without its questions: to find out whether `tanh(u**31)` is real it would multiply `u**31`
out. `stable` recognises them where a formula overflows without them; `to_sympy` rewrites them
into standard SymPy, for the oracle. Must not know: networks, indices, letters, words.

No `Piecewise`, `Max` or `Heaviside` stands in the mathematics: SymPy simplifies them wrongly
under a `Sum` of deltas (sympy issue 27359).
"""

from bpderive.functions.atoms import STABLE, stable
from bpderive.functions.nodes import (
    NUMERIC,
    Abs,
    cosh,
    maximum,
    minimum,
    number,
    scalar_symbol,
    select,
    sigmoid,
    sign,
    signum,
    sinh,
    softplus,
    tanh,
    total,
    xlogy,
)
from bpderive.functions.standard import STANDARD, to_sympy

__all__ = [
    "NUMERIC",
    "STABLE",
    "STANDARD",
    "Abs",
    "cosh",
    "maximum",
    "minimum",
    "number",
    "scalar_symbol",
    "select",
    "sigmoid",
    "sign",
    "signum",
    "sinh",
    "softplus",
    "stable",
    "tanh",
    "to_sympy",
    "total",
    "xlogy",
]
