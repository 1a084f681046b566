"""The derivative of an index expression by an element of a tensor: a table from nodes to rules.

In: an index expression and an `Indexed`. Out: its derivative, with Kronecker deltas that the rules
of derivation collapse. Must not know: networks.
"""

from typing import Any

from sympy import Add, Expr, Indexed, Integer, KroneckerDelta, Mul, Pow, Sum, log
from sympy.core.function import AppliedUndef, Function

from bpderive.errors import DerivationError
from bpderive.functions import select
from bpderive.functions.conditions import Constant, merged
from bpderive.index import peel, sum_over


def slope_of(function: AppliedUndef) -> Expr:
    """`f(u)` → `f'(u)`: the slope of a named activation stays a named function."""
    return Function(f"{function.func.__name__}'")(*function.args)


def differentiate(expr: Expr, target: Expr) -> Expr:
    """`∂expr/∂target` for an index expression; Kronecker deltas are left for a rule to collapse.

    Raises:
        DerivationError: at a node that has no differentiation rule.
    """
    for kind, rule in DIFFERENTIATE:
        if isinstance(expr, kind):
            return rule(expr, target)
    if not expr.args:
        return Integer(expr == target)
    raise DerivationError(f"no differentiation rule for {type(expr).__name__} in {expr}")


def _indexed(expr: Expr, target: Expr) -> Expr:
    """`∂T[i,j]/∂T[p,q] → δ_ip δ_jq`."""
    if not isinstance(target, Indexed) or expr.base != target.base:
        return Integer(0)
    return Mul(*(_same(i, p) for i, p in zip(expr.indices, target.indices, strict=True)))


def _same(i: Expr, p: Expr) -> Expr:
    """`δ_ip`; several indices read as one are the same where each of them is."""
    if isinstance(i, merged) and isinstance(p, merged) and i.sizes == p.sizes:
        return Mul(*(KroneckerDelta(j, q) for j, q in zip(i.parts, p.parts, strict=True)))
    return KroneckerDelta(i, p)


def _mul(expr: Expr, target: Expr) -> Expr:
    """`(uv)' → u'v + uv'`."""
    factors = expr.args
    slopes = [differentiate(factor, target) for factor in factors]
    return Add(*(Mul(*factors[:k], s, *factors[k + 1 :]) for k, s in enumerate(slopes) if s != 0))


def _pow(expr: Expr, target: Expr) -> Expr:
    """`(u^v)' → v u^(v-1) u' + u^v log(u) v'`."""
    base, exponent = differentiate(expr.base, target), differentiate(expr.exp, target)
    by_base = expr.exp * Pow(expr.base, expr.exp - 1) * base if base != 0 else base
    return by_base + expr * log(expr.base) * exponent if exponent != 0 else by_base


def _function(expr: Expr, target: Expr) -> Expr:
    """`f(u)' → f'(u) u'`, over every argument."""
    slopes = [differentiate(arg, target) for arg in expr.args]
    outer = slope_of if isinstance(expr, AppliedUndef) else None
    return Add(
        *((outer(expr) if outer else expr.fdiff(k + 1)) * s for k, s in enumerate(slopes) if s != 0)
    )


def _sum(expr: Expr, target: Expr) -> Expr:
    """`(Σ_i u_i)' → Σ_i u_i'`."""
    body, index, size = peel(expr)
    return sum_over(differentiate(body, target), index, size)


def _select(expr: Expr, target: Expr) -> Expr:
    """`select(u, p, q)' → select(u, p', q')`, deltas that both sides share in front.

    Where they share none, `[u > 0] p' + [u ≤ 0] q'`, so that no delta stands inside.
    """
    condition, *branches = expr.args
    slopes = [differentiate(branch, target) for branch in branches]
    shared = [_deltas(slope) for slope in slopes if slope != 0]
    common = Mul(*sorted(set.intersection(*shared), key=str)) if shared else Integer(1)
    parts = [Add(*(term / common for term in Add.make_args(slope))) for slope in slopes]
    if not any(part.has(KroneckerDelta) for part in parts):
        return common * select(condition, *parts)
    sides = (select(condition, 1, 0), select(condition, 0, 1))
    return Add(*(side * slope for side, slope in zip(sides, slopes, strict=True)))


def _deltas(expr: Expr) -> set[Expr]:
    """The Kronecker deltas that stand in every term."""
    terms = (set(Mul.make_args(term)) for term in Add.make_args(expr))
    return {f for f in set.intersection(*terms) if isinstance(f, KroneckerDelta)}


DIFFERENTIATE: tuple[tuple[type[Any], Any], ...] = (
    (Indexed, _indexed),
    (Add, lambda expr, target: Add(*(differentiate(arg, target) for arg in expr.args))),
    (Mul, _mul),
    (Pow, _pow),
    (Sum, _sum),
    (KroneckerDelta, lambda _expr, _target: Integer(0)),
    (Constant, lambda _expr, _target: Integer(0)),
    (select, _select),
    (Function, _function),
)
