"""The rule that finds a forward equation's right-hand side, and puts its name in place.

A softmax is the reason: `exp(z_p)/Σ_k exp(z_k)` is `a_p`, wherever it comes up in a product.
"""

from sympy import Expr, Function, Indexed, Integer, Mul, Pow, Sum

from bpderive.index import Equation, canonical, element, instantiate
from bpderive.rules.rewriting import Context, where


def recognise(expr: Expr, context: Context) -> Expr | None:
    """`the right-hand side of a forward equation → its name`: `exp(z_p)/Σ_k exp(z_k) → a_p`."""
    forward = [e for e in context.graph.equations if isinstance(e.rhs, Mul) and e.rhs.has(Sum)]
    forward = [e for e in forward if any(isinstance(f, Pow) for f in e.rhs.args)]

    def one(node: Expr) -> Expr | None:
        if not isinstance(node, Mul):
            return None
        for equation in forward:
            found = _divide(node, equation, context)
            if found is not None:
                return found
        return None

    return where(expr, one) if forward else None


def _divide(product: Expr, equation: Equation, context: Context) -> Expr | None:
    """The product with one occurrence of the equation's right-hand side replaced by its name."""
    powers = _powers(product)
    for anchor in equation.rhs.args:
        if not isinstance(anchor, Function):
            continue
        for candidate in list(powers):
            indices = _match(anchor, candidate, equation)
            if indices is None:
                continue
            wanted = _powers(instantiate(equation, indices, context.fresh))
            if all(_enough(powers.get(b), e) for b, e in wanted.items()):
                rest = {b: powers[b] - wanted.get(b, 0) for b in powers}
                name = element(equation.label, indices)
                new = Mul(name, *(_original(product, b) ** e for b, e in rest.items()))
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
    ours, theirs = list(anchor.atoms(Indexed)), list(candidate.atoms(Indexed))
    if len(ours) != 1 or len(theirs) != 1 or ours[0].base != theirs[0].base:
        return None
    table = dict(zip(ours[0].indices, theirs[0].indices, strict=True))
    if anchor.xreplace(table) != candidate or not set(equation.indices) <= set(table):
        return None
    return tuple(table[index] for index in equation.indices)
