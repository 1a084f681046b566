"""The nodes in SymPy's own functions, for the oracle and for whoever asks for SymPy expressions.

In: an expression of `nodes`. Out: an equal one that holds none of them.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import sympy
from sympy import Expr, Function, Gt, Heaviside, Piecewise, exp, log

from bpderive.functions.nodes import Abs, cosh, select, sigmoid, sign, sinh, softplus, tanh, xlogy


def _choice(u: Expr, p: Expr, q: Expr) -> Expr:
    """`p if u > 0 else q`, by a Heaviside step where SymPy would combine nested conditions.

    Unevaluated, as is all that follows: SymPy asks what is known of the argument, in a time that
    is exponential in its depth.
    """
    if not u.has(Piecewise):
        return Piecewise((p, Gt(u, 0, evaluate=False)), (q, True), evaluate=False)
    return q + (p - q) * Heaviside(u, 0, evaluate=False)


STANDARD: Mapping[type[Function], Callable[..., Expr]] = {
    sigmoid: lambda u: 1 / (1 + exp(-u)),
    softplus: lambda u: log(1 + exp(u)),
    select: _choice,
    xlogy: lambda x, y: x * log(y),
    tanh: lambda u: sympy.tanh(u, evaluate=False),
    sinh: lambda u: sympy.sinh(u, evaluate=False),
    cosh: lambda u: sympy.cosh(u, evaluate=False),
    Abs: lambda u: sympy.Abs(u, evaluate=False),
    sign: lambda u: sympy.sign(u, evaluate=False),
}


def to_sympy(expr: Expr, values: Mapping[Expr, Expr] = MappingProxyType({})) -> Expr:
    """The same expression in SymPy's own functions, symbols replaced by values that already are.

    Only `total` has no such form and stays.
    """
    done = dict(values)  # what is shared is rewritten once

    def visit(node: Expr) -> Expr:
        if node not in done:
            args = [visit(arg) for arg in node.args]
            done[node] = STANDARD.get(node.func, node.func)(*args) if args else node
        return done[node]

    return visit(expr)
