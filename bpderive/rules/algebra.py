"""The rules that rearrange: what leaves a sum, what cancels, what is known to be one."""

from sympy import Add, Expr, Function, Indexed, Integer, Mul, Pow, Sum, expand_mul
from sympy.core.function import AppliedUndef

from bpderive.functions import scalar_symbol
from bpderive.index import label_of, peel, sum_over
from bpderive.rules.rewriting import Context, where


def pull(expr: Expr, _context: Context) -> Expr | None:
    """`Σ_k c f(k) → c Σ_k f(k)`, for what does not depend on k; a sum of terms is split first."""
    return where(expr, _pull_one)


def _pull_one(node: Expr) -> Expr | None:
    if not isinstance(node, Sum):
        return None
    body, index, size = peel(node)
    if isinstance(body, Add):
        return None
    outside, inside = body.as_independent(index, as_Add=False)
    if outside == 1:
        return None
    return outside * (size if inside == 1 else sum_over(inside, index, size))


def fact(expr: Expr, context: Context) -> Expr | None:
    """`Σ_k y_k → 1`, for a tensor that is declared to sum to one."""

    def one(node: Expr) -> Expr | None:
        if not isinstance(node, Sum) or not isinstance(node.function, Indexed):
            return None
        last = node.function.indices[-1] == node.limits[0][0] and len(node.limits) == 1
        return Integer(1) if last and label_of(node.function) in context.graph.unit_sums else None

    return where(expr, one)


def fold(expr: Expr, context: Context) -> Expr | None:
    """`f'(z) → its closed form in a and z`, where the catalogue's row has one."""
    return where(expr, lambda node: fold_one(node, context))


def fold_one(node: Expr, context: Context) -> Expr | None:
    """One slope's closed form, or None."""
    if not isinstance(node, AppliedUndef) or not node.func.__name__.endswith("'"):
        return None
    row = context.graph.activations.get(node.func.__name__[:-1])
    argument = node.args[0]
    if row is None:
        return None
    value = _value(row.name, argument, context)
    return row.slope_expr.xreplace({scalar_symbol("z"): argument, scalar_symbol("a"): value})


def _value(name: str, argument: Expr, context: Context) -> Expr:
    """`f(z)` by its name in the network, where it has one."""
    if isinstance(argument, Indexed):
        for equation in context.graph.equations:
            rhs = equation.rhs
            plain = isinstance(rhs, AppliedUndef) and rhs.func.__name__ == name
            if plain and isinstance(rhs.args[0], Indexed) and rhs.args[0].base == argument.base:
                table = dict(zip(rhs.args[0].indices, argument.indices, strict=True))
                return equation.lhs.xreplace(table)
    return Function(name)(argument)


def cancel(expr: Expr, context: Context) -> Expr | None:
    """`a(1−a)·(−y/a + (1−y)/(1−a)) → a − y`: a factor cancels the quotients beside it."""
    slopes = {n: f for n in expr.atoms(AppliedUndef) if (f := fold_one(n, context)) is not None}
    return where(expr.xreplace(slopes), _cancel_one)


def _cancel_one(node: Expr) -> Expr | None:
    if not isinstance(node, Mul):
        return None
    for quotients in node.args:
        if isinstance(quotients, Add):
            below = {p.base for p in quotients.atoms(Pow) if p.exp.is_negative}
            common = Mul(*(f for f in node.args if f in below))
            if common != 1:
                product = Add(*(term * common for term in quotients.args))
                shorter = min(product, expand_mul(product), key=_length)
                return node / common / quotients * shorter
    return None


def _length(expr: Expr) -> int:
    return int(expr.count_ops())


def factor(expr: Expr, _context: Context) -> Expr | None:
    """`a u − a v → a (u − v)`: a factor common to every term stands once."""
    if not isinstance(expr, Add):
        return None
    common = set(Mul.make_args(expr.args[0]))
    for term in expr.args[1:]:
        common &= set(Mul.make_args(term))
    common = {c for c in common if not c.is_Number}
    if not common:
        return None
    outside = Mul(*sorted(common, key=str))
    return outside * Add(*(term / outside for term in expr.args))
