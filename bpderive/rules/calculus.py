"""The rules that differentiate: the chain rule, one equation's derivative, and what deltas select.

Sources: the chain rule over all consumers of a quantity is reverse accumulation (Griewank and
Walther, Evaluating Derivatives, 2nd ed., ch. 3); `collapse` is the sifting property of δ.
"""

from sympy import Add, Expr, KroneckerDelta, Mul, Sum, Symbol

from bpderive.differentiation import differentiate
from bpderive.index import (
    Equation,
    Partial,
    element,
    indices_of,
    instantiate,
    label_of,
    peel,
    sum_over,
)
from bpderive.rules.rewriting import Context, labels, where


def chain(expr: Expr, context: Context) -> Expr | None:
    """`∂L/∂T_p → Σ_consumers Σ_i ∂L/∂out_i · ∂out_i/∂T_p`."""

    def one(node: Expr) -> Expr | None:
        if not isinstance(node, Partial) or node.numerator != context.graph.root:
            return None
        label = label_of(node.denominator)
        if label in context.known or label in context.graph.adjoints:
            return None
        if any(e.lhs == context.graph.root for e in context.consumers(label)):
            return None
        return Add(*(_through(e, node, context) for e in context.consumers(label)))

    return where(expr, one)


def _through(consumer: Equation, node: Expr, context: Context) -> Expr:
    """`Σ_i ∂L/∂out_i · ∂out_i/∂T_p` for one consumer."""
    indices = context.fresh.many(len(consumer.indices))
    out = element(consumer.label, indices)
    body = Partial(node.numerator, out) * Partial(out, node.denominator)
    for index, size in reversed(list(zip(indices, consumer.sizes, strict=True))):
        body = sum_over(body, index, size)
    return body


def direct(expr: Expr, context: Context) -> Expr | None:
    """`∂out_i/∂T_p → the derivative of out's right-hand side`."""

    def one(node: Expr) -> Expr | None:
        if not isinstance(node, Partial):
            return None
        equation = context.graph.by_label.get(label_of(node.numerator))
        label = label_of(node.denominator)
        known = node.numerator == context.graph.root and label in context.known
        if equation is None or known or label not in labels(equation.rhs):
            return None
        rhs = instantiate(equation, indices_of(node.numerator), context.fresh)
        return differentiate(rhs, node.denominator)

    return where(expr, one)


def collapse(expr: Expr, _context: Context) -> Expr | None:
    """`Σ_k f(k) δ_kp → f(p)`."""
    return where(expr, _collapse_one)


def _collapse_one(node: Expr) -> Expr | None:
    if not isinstance(node, Sum) or not node.function.has(KroneckerDelta):
        return None
    return _collapse(*peel(node))


def _collapse(body: Expr, index: Symbol, size: Expr) -> Expr:
    """The sum of a body that holds deltas, term by term."""
    body = _expand_deltas(body)
    if isinstance(body, Add):
        return Add(*(_collapse(term, index, size) for term in body.args))
    for factor in Mul.make_args(body):
        if isinstance(factor, KroneckerDelta) and factor.has(index):
            solution = _solve(factor, index)
            if solution is not None:
                return (body / factor).xreplace({index: solution})
    return sum_over(body, index, size)


def _expand_deltas(body: Expr) -> Expr:
    """A product multiplied out over those sums of terms that hold a delta."""
    factors = Mul.make_args(body)
    for k, factor in enumerate(factors):
        if isinstance(factor, Add) and factor.has(KroneckerDelta):
            rest = Mul(*factors[:k], *factors[k + 1 :])
            return Add(*(_expand_deltas(rest * term) for term in factor.args))
    return body


def _solve(delta: Expr, index: Symbol) -> Expr | None:
    """The value of the index at which the delta is one, where its coefficient is ±1."""
    difference = delta.args[0] - delta.args[1]
    coefficient = difference.coeff(index)
    rest = difference - coefficient * index
    if coefficient not in (1, -1) or rest.has(index):
        return None
    return -rest / coefficient


def adjoint(expr: Expr, context: Context) -> Expr | None:
    """`∂L/∂out_i → its name (δ_i), or what was found for it`."""

    def one(node: Expr) -> Expr | None:
        if not isinstance(node, Partial) or node.numerator != context.graph.root:
            return None
        label, indices = label_of(node.denominator), indices_of(node.denominator)
        if label in context.graph.adjoints:
            return element(context.graph.adjoints[label], indices)
        found = context.known.get(label)
        if found is None:
            return None
        if not isinstance(found.lhs, Partial):
            return element(found.label, indices)
        return instantiate(Equation(found.lhs.denominator, found.rhs), indices, context.fresh)

    return where(expr, one)
