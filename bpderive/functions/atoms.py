"""The stable atoms: what overflows, in the functions that do not.

In: an expression as a formula gives it. Out: an equal one; each rule is an identity.
"""

from collections.abc import Callable, Mapping

import sympy
from sympy import Add, Expr, Integer, Mul, Pow, exp, log

from bpderive.functions.nodes import Abs, sigmoid, softplus, tanh


def stable(expr: Expr) -> Expr:
    """The same function without overflow: `log(1+exp(u))`, `1/(1+exp(-u))` and their like."""
    if not expr.args:
        return expr
    args = [stable(arg) for arg in expr.args]
    if any(new is not old for new, old in zip(args, expr.args, strict=True)):
        expr = expr.func(*args)
    return STABLE[expr.func](expr) if expr.func in STABLE else expr


def _one_and(expr: Expr) -> Expr | None:
    """`1 + t → t`, for a sum of two terms."""
    if not isinstance(expr, Add) or len(expr.args) != 2 or expr.args[0] != 1:
        return None
    return expr.args[1]


def _stable_log(expr: Expr) -> Expr:
    """`log(1+exp(u)) → softplus(u)`; `log(σ(u)) → -softplus(-u)`; `log(1-σ(u)) → -softplus(u)`."""
    inner = expr.args[0]
    term = _one_and(inner)
    if isinstance(inner, sigmoid):
        return -softplus(-inner.args[0])
    if isinstance(term, exp):
        return softplus(term.args[0])
    if term is not None and isinstance(-term, sigmoid):
        return -softplus((-term).args[0])
    return expr


def _stable_power(expr: Expr) -> Expr:
    """`(1+exp(u))^-n → σ(-u)^n`."""
    term = _one_and(expr.base)
    if isinstance(term, exp) and expr.exp.is_Rational and expr.exp < 0:
        return sigmoid(-term.args[0]) ** -expr.exp
    return expr


def _stable_product(expr: Expr) -> Expr:
    """A product with the first of its unstable quotients replaced, and so on to the last."""
    for rule in (_sigmoid_quotient, _tanh_quotient, _tanh_from_sigmoid):
        new = rule(expr)
        if new is not None:
            return _stable_product(new) if isinstance(new, Mul) else new
    return expr


def _sigmoid_quotient(expr: Expr) -> Expr | None:
    """`exp(-m u) σ(u)^n → exp((k-m) u) σ(u)^(n-k) σ(-u)^k`, with k the smaller of m and n."""
    for factor in expr.args:
        base, n = factor.as_base_exp()
        for other in expr.args if isinstance(base, sigmoid) else ():
            u = base.args[0]
            m = -other.args[0] / u if isinstance(other, exp) else Integer(0)
            if m.is_Integer and n.is_Integer and m > 0 and n > 0:
                k = min(m, n)
                rest = [arg for arg in expr.args if arg not in (factor, other)]
                return Mul(*rest, exp(other.args[0] + k * u), base ** (n - k), sigmoid(-u) ** k)
    return None


def _tanh_quotient(expr: Expr) -> Expr | None:
    """`(exp(u) - exp(-u))/(exp(u) + exp(-u)) → tanh(u)`."""
    for factor in expr.args:
        base, exponent = factor.as_base_exp()
        if exponent != -1 or not isinstance(base, Add) or len(base.args) != 2:
            continue
        for first, second in (base.args, base.args[::-1]):
            if isinstance(first, exp) and 1 / first == second and first - second in expr.args:
                return expr / (first - second) * base * tanh(first.args[0])
    return None


def _tanh_from_sigmoid(expr: Expr) -> Expr | None:
    """`(1 - exp(-u)) σ(u) → tanh(u/2)`, of either sign."""
    for factor in (f for f in expr.args if isinstance(f, sigmoid)):
        u = factor.args[0]
        for factor_sign, numerator in ((1, 1 - exp(-u)), (-1, exp(-u) - 1)):
            if numerator in expr.args:
                return expr / numerator / factor * factor_sign * tanh(u / 2)
    return None


STABLE: Mapping[type[Expr], Callable[[Expr], Expr]] = {
    log: _stable_log,
    Pow: _stable_power,
    Mul: _stable_product,
    sympy.Abs: lambda expr: Abs(expr.args[0]),  # of a root of a square
}
