"""The rules of differentiation, as a textbook has them: an ordered table.

In: an expression and the variable. Out: its derivative, in which the derivatives of its parts are
left to be worked out (`primed`); or None where the rule does not apply. Must not know: words.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sympy
from sympy import Add, Expr, Integer, Mul, Pow, Symbol, log, pi, sqrt

from bpderive.functions import (
    Abs,
    cosh,
    select,
    sigmoid,
    sign,
    sinh,
    softplus,
    tanh,
    xlogy,
)
from bpderive.slopes.nodes import primed

Apply = Callable[[Expr, Symbol], Expr | None]


@dataclass(frozen=True)
class Rule:
    """`id` names the rule's sentence."""

    id: str
    apply: Apply


def left(u: Expr, x: Symbol) -> Expr:
    """`u'`, to be worked out; at once where it is a constant's, or that of `x + c` or `c - x`."""
    if x not in u.free_symbols:
        return Integer(0)
    for factor in (1, -1):
        if x not in (u - factor * x).free_symbols:
            return Integer(factor)
    return primed(u, x)


def _sum(u: Expr, x: Symbol) -> Expr | None:
    """`(u + v)' → u' + v'`."""
    return Add(*(left(term, x) for term in u.args)) if isinstance(u, Add) else None


def _split(u: Expr, x: Symbol) -> tuple[Expr, Expr, Expr]:
    """Constant factors, factors above the line, and what stands below it."""
    constants, above, below = [], [], []
    for factor in Mul.make_args(u):
        base, exponent = factor.as_base_exp() if isinstance(factor, Pow) else (factor, Integer(1))
        if x not in factor.free_symbols:
            constants.append(factor)
        elif exponent != 1 and exponent.is_Rational and exponent.is_negative:
            below.append(Pow(base, -exponent))
        else:
            above.append(factor)
    return Mul(*constants), Mul(*above), Mul(*below)


def _constant(u: Expr, x: Symbol) -> Expr | None:
    """`(c u)' → c u'`."""
    constants, above, below = _split(u, x)
    return None if constants == 1 else constants * left(above / below, x)


def _reciprocal(u: Expr, x: Symbol) -> Expr | None:
    """`(1/v)' → -v'/v²`, for a sum v."""
    _, above, below = _split(u, x)
    return -left(below, x) / below**2 if above == 1 and isinstance(below, Add) else None


def _quotient(u: Expr, x: Symbol) -> Expr | None:
    """`(u/v)' → (u' v - u v')/v²`."""
    _, above, below = _split(u, x)
    if above == 1 or below == 1:
        return None
    return (left(above, x) * below + Mul(-1, above, left(below, x))) / below**2


def _product(u: Expr, x: Symbol) -> Expr | None:
    """`(u v)' → u' v + u v'`, over all factors."""
    if not isinstance(u, Mul):
        return None
    args = u.args
    return Add(*(Mul(*args[:k], left(f, x), *args[k + 1 :]) for k, f in enumerate(args)))


def _power(u: Expr, x: Symbol) -> Expr | None:
    """`(u^n)' → n u^(n-1) u'`, for a constant n."""
    if not isinstance(u, Pow) or x in u.exp.free_symbols:
        return None
    return u.exp * Pow(u.base, u.exp - 1) * left(u.base, x)


def _exponential(u: Expr, x: Symbol) -> Expr | None:
    """`(c^u)' → log(c) c^u u'`, for a constant c."""
    if not isinstance(u, Pow) or x in u.base.free_symbols:
        return None
    return log(u.base) * u * left(u.exp, x)


def _general_power(u: Expr, x: Symbol) -> Expr | None:
    """`(u^v)' → u^v (v' log(u) + v u'/u)`."""
    if not isinstance(u, Pow):
        return None
    return u * (left(u.exp, x) * log(u.base) + u.exp * left(u.base, x) / u.base)


def _cases(u: Expr, x: Symbol) -> Expr | None:
    """`select(u, p, q)' → select(u, p', q')`."""
    if not isinstance(u, select):
        return None
    condition, *branches = u.args
    return select(condition, *(left(branch, x) for branch in branches))


def _xlogy(u: Expr, x: Symbol) -> Expr | None:
    """`(c log u)' → c u'/u`; a product where c is no constant."""
    if not isinstance(u, xlogy):
        return None
    factor, inner = u.args
    return left(factor, x) * log(inner) + Mul(factor, left(inner, x), 1 / inner)


def _chain(u: Expr, x: Symbol) -> Expr | None:
    """`f(u)' → f'(u) u'`."""
    slope = CHAIN.get(u.func)
    return None if slope is None else slope(u.args[0]) * left(u.args[0], x)


CHAIN: Mapping[type[Expr], Callable[[Expr], Expr]] = {
    sympy.exp: sympy.exp,
    log: lambda u: 1 / u,
    sympy.sin: sympy.cos,
    sympy.cos: lambda u: -sympy.sin(u),
    sympy.erf: lambda u: 2 / sqrt(pi) * sympy.exp(-(u**2)),
    tanh: lambda u: 1 - tanh(u) ** 2,
    sinh: cosh,
    cosh: sinh,
    sigmoid: lambda u: sigmoid(u) * (1 - sigmoid(u)),
    softplus: sigmoid,
    Abs: sign,
    sign: lambda _u: Integer(0),
}
"""The slopes of functions of one argument."""

RULES: tuple[Rule, ...] = (
    Rule("cases", _cases),
    Rule("sum", _sum),
    Rule("constant", _constant),
    Rule("reciprocal", _reciprocal),
    Rule("quotient", _quotient),
    Rule("product", _product),
    Rule("power", _power),
    Rule("exponential", _exponential),
    Rule("general_power", _general_power),
    Rule("log", _xlogy),
    Rule("chain", _chain),
)
"""The first that applies is taken."""
