"""Softmax and logarithms of probabilities, recognised where their textbook form overflows.

In: index expressions. Out: what they are of, or None. Must not know: NumPy.
"""

from collections.abc import Mapping

from sympy import Expr, Indexed, Mul, Pow, Sum, Symbol, exp, log

from bpderive.functions import softplus
from bpderive.functions.conditions import bracket
from bpderive.index import element, label_of

Found = tuple[Expr, Expr | None, Symbol, Expr]


def softmax_argument(expr: Expr) -> Found | None:
    """Of `exp(u) [c] r / Σ_k exp(u) [c]`: u, the condition c, the index, and r."""
    if not isinstance(expr, Mul):
        return None
    for below in expr.args:
        if not (isinstance(below, Pow) and below.exp == -1 and isinstance(below.base, Sum)):
            continue
        if len(below.base.limits) != 1:
            continue
        (inner, _, _), body = below.base.limits[0], below.base.function
        rest = [f for f in expr.args if f is not below]
        for top in rest:
            index = _index(top, body, inner)
            if index is not None:
                return _parts(top, index, [f for f in rest if f is not top], body, inner)
    return None


def _index(top: Expr, body: Expr, inner: Symbol) -> Symbol | None:
    """The index of `exp(u)` that the sum has in its stead."""
    exponential = next((f for f in Mul.make_args(body) if isinstance(f, exp)), None)
    if not isinstance(top, exp) or exponential is None:
        return None
    for symbol in sorted(top.free_symbols - body.free_symbols, key=str):
        if exponential.xreplace({inner: symbol}) == top:
            return symbol
    return None


def _parts(top: Expr, index: Symbol, rest: list[Expr], body: Expr, inner: Symbol) -> Found | None:
    """The condition must be the same above and below."""
    wanted = [f.xreplace({inner: index}) for f in Mul.make_args(body) if not isinstance(f, exp)]
    if any(f not in rest or not f.has(bracket) for f in wanted):
        return None
    others = Mul(*(f for f in rest if f not in wanted))
    return top.args[0], Mul(*wanted) if wanted else None, index, others


def normal(expr: Expr, outputs: Mapping[tuple[str, str], str]) -> Expr | None:
    """`log(σ(z)) → -softplus(-z)` and the like, where the argument is the output of a function."""
    value, factor = (expr.args[0], 1) if isinstance(expr, log) else (expr.args[1], expr.args[0])
    for atom in value.atoms(Indexed):
        for (name, source), label in outputs.items():
            if label != label_of(atom) or value not in (atom, 1 - atom):
                continue
            z = element(source, atom.indices)
            if name == "softmax" and value == atom:
                return factor * element(f"log_{label}", atom.indices)
            if name == "sigmoid":
                return -factor * softplus(-z if value == atom else z)
            if name == "exp" and value == atom:
                return factor * z
    return None
