"""The rules that find a forward equation's right-hand side, and put its name in place.

A softmax is the reason: `exp(z_p)/Σ_k exp(z_k)` is `a_p`, wherever it comes up in a product. So is
`(x_n - μ)/σ` the normalised `x̂_n`, and `(v + ε)^(1/2)` the deviation `σ`; what is divided by may
stand outside a sum. And where a mean is subtracted, the deviations sum to zero.
"""

from itertools import product

from sympy import Add, Expr, Function, Indexed, Integer, Mul, Pow, Rational, Sum

from bpderive.index import Equation, canonical, instantiate, parts_of, peel, sum_over
from bpderive.rules.rewriting import Context, where


def recognise(expr: Expr, context: Context) -> Expr | None:
    """`the right-hand side of a forward equation → its name`: `exp(z_p)/Σ_k exp(z_k) → a_p`."""
    forward = [e for e in context.graph.equations if _is_quotient(e.rhs)]
    roots = [e for e in context.graph.equations if _is_root(e.rhs)]

    def one(node: Expr) -> Expr | None:
        if isinstance(node, Pow):
            return next((f for e in roots if (f := _root(node, e)) is not None), None)
        if not isinstance(node, Mul):
            return None
        for equation in forward:
            found = _divide(node, equation, context) or _divide_inside(node, equation, context)
            if found is not None:
                return found
        return None

    return where(expr, one) if forward or roots else None


def _is_quotient(rhs: Expr) -> bool:
    """`exp(z)/Σ exp(z)`, `(x - μ)/σ`, `x/ρ`: a product over what is worth a name."""
    if not isinstance(rhs, Mul) or not any(isinstance(f, Pow) for f in rhs.args):
        return False
    over = [f.base for f in rhs.args if isinstance(f, Pow) and f.exp == -1]
    return rhs.has(Sum) or (len(rhs.args) == 2 and any(isinstance(b, Indexed) for b in over))


def _is_root(rhs: Expr) -> bool:
    return isinstance(rhs, Pow) and rhs.exp == Rational(1, 2) and isinstance(rhs.base, Add)


def _root(power: Expr, equation: Equation) -> Expr | None:
    """`(v + ε)^(-1/2) → 1/σ`, where `σ = (v + ε)^(1/2)`."""
    if not (power.exp * 2).is_Integer or power.exp.is_Integer:
        return None
    indices = _match(equation.rhs.base, power.base, equation)
    return None if indices is None else equation.at(indices) ** (2 * power.exp)


def _divide_inside(factors: Expr, equation: Equation, context: Context) -> Expr | None:
    """`1/σ Σ_n u (x_n - μ) → Σ_n u x̂_n`: what is divided by may stand outside the sum."""
    outside = [f for f in factors.args if isinstance(f, Pow) and not f.has(Sum)]
    for total in (f for f in factors.args if isinstance(f, Sum) and outside):
        body, index, size = peel(total)
        whole = Mul(body, *outside)
        found = _divide(whole, equation, context) if isinstance(whole, Mul) else None
        if found is None and isinstance(body, Sum):
            found = _divide_inside(whole, equation, context)
        if found is not None:
            return factors / total / Mul(*outside) * sum_over(found, index, size)
    return None


def centred(expr: Expr, context: Context) -> Expr | None:
    """`Σ_n (x_n - μ) → 0`, where μ is the mean of the x."""
    means = [e for e in context.graph.equations if _mean_of(e.rhs) is not None]

    def one(node: Expr) -> Expr | None:
        if not isinstance(node, Sum):
            return None
        return Integer(0) if any(_deviations(node, e) for e in means) else None

    return where(expr, one) if means else None


def _mean_of(rhs: Expr) -> Sum | None:
    """The sum in `1/N Σ_n x_n`."""
    totals = [
        f for f in Mul.make_args(rhs) if isinstance(f, Sum) and isinstance(f.function, Indexed)
    ]
    count = Mul(*(limit[2] for total in totals[:1] for limit in total.limits))
    return totals[0] if len(totals) == 1 and rhs == totals[0] / count else None


def _deviations(node: Sum, equation: Equation) -> bool:
    """Whether a sum is that of `x - μ` over the indices of the mean."""
    total = _mean_of(equation.rhs)
    bound_here = {limit[0] for limit in node.limits}
    varying = [f for f in Mul.make_args(node.function) if f.free_symbols & bound_here]
    if total is None or len(varying) != 1 or not isinstance(varying[0], Add):
        return False
    terms = varying[0].args
    for x, rest in ((terms[0], Add(*terms[1:])), (terms[-1], Add(*terms[:-1]))):
        if isinstance(x, Indexed) and x.base == total.function.base:
            table = _paired(total.function, x)
            bound = {table.get(limit[0]) for limit in total.limits}
            if bound == bound_here and rest == -equation.lhs.xreplace(table):
                return True
    return False


def _divide(whole: Expr, equation: Equation, context: Context) -> Expr | None:
    """The product with one occurrence of the equation's right-hand side replaced by its name."""
    powers = _powers(whole)
    for anchor in equation.rhs.args:
        mixed = equation.rhs.has(Sum)  # then the function in it tells the place: exp(z_i)
        if isinstance(anchor, Pow | Sum) or anchor.is_number:
            continue
        if mixed and not isinstance(anchor, Function):
            continue
        for candidate in list(powers):
            indices = _match(anchor, candidate, equation)
            if indices is None:
                continue
            wanted = _powers(instantiate(equation, indices, context.fresh))
            if all(_enough(powers.get(b), e) for b, e in wanted.items()):
                rest = {b: powers[b] - wanted.get(b, 0) for b in powers}
                name = equation.at(indices)
                new = Mul(name, *(_original(whole, b) ** e for b, e in rest.items()))
                return _divide(new, equation, context) or new
    return None


def _powers(product: Expr) -> dict[Expr, Expr]:
    """Each factor, bound indices made canonical, and its exponent."""
    table: dict[Expr, Expr] = {}
    for factor in Mul.make_args(product):
        b, e = _base_exponent(factor)
        key = canonical(b)
        table[key] = table.get(key, Integer(0)) + e
    return table


def _base_exponent(factor: Expr) -> tuple[Expr, Expr]:
    """`x**e` as (x, e); an exponential counts as a factor of its own."""
    return (factor.base, factor.exp) if isinstance(factor, Pow) else (factor, Integer(1))


def _original(product: Expr, key: Expr) -> Expr:
    for factor in Mul.make_args(product):
        b, _ = _base_exponent(factor)
        if canonical(b) == key:
            return b
    return key


def _enough(have: Expr | None, want: Expr) -> bool:
    return have is not None and have * want > 0 and abs(have) >= abs(want)


def _match(anchor: Expr, candidate: Expr, equation: Equation) -> tuple[Expr, ...] | None:
    """The indices at which the anchor is the candidate: `exp(z_i)` against `exp(z_p)` → (p,)."""
    if type(anchor) is not type(candidate):
        return None
    ours = [t for t in _tensors(anchor) if set(equation.indices) <= set(_paired(t, t))]
    for mine, other in product(ours[:1], _tensors(candidate)):
        if mine.base == other.base:
            table = _paired(mine, other)
            if anchor.xreplace(table) == candidate:
                return tuple(table[index] for index in equation.indices)
    return None


def _tensors(expr: Expr) -> list[Indexed]:
    return sorted(expr.atoms(Indexed), key=str)


def _paired(mine: Indexed, other: Indexed) -> dict[Expr, Expr]:
    """Each index of one element with that of another; those read as one are taken apart."""
    pairs = zip(mine.indices, other.indices, strict=True)
    return {a: b for i, j in pairs for a, b in zip(parts_of(i), parts_of(j), strict=False)}
