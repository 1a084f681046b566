"""The rules that differentiate: the chain rule, one equation's derivative, and what deltas select.

Sources: the chain rule over all consumers of a quantity is reverse accumulation (Griewank and
Walther, Evaluating Derivatives, 2nd ed., ch. 3); `collapse` is the sifting property of δ.
"""

from sympy import Add, Expr, Integer, KroneckerDelta, Mul, Sum, Symbol

from bpderive.differentiation import differentiate
from bpderive.functions.conditions import bracket
from bpderive.index import (
    Equation,
    Partial,
    element,
    indices_of,
    instantiate,
    label_of,
    parts_of,
    peel,
    sum_all,
    sum_over,
)
from bpderive.rules.deltas import exchanged, read_at, solve
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
        through = (_through(e, node, context) for e in context.consumers(label))
        direct = context.graph.direct.get(label)
        above = () if direct is None else (element(direct, indices_of(node.denominator)),)
        return Add(*above, *through)

    return where(expr, one)


def _through(consumer: Equation, node: Expr, context: Context) -> Expr:
    """`Σ_i ∂L/∂out_i · ∂out_i/∂T_p` for one consumer."""
    indices = tuple(context.fresh.like(index) for index in consumer.indices)
    out = consumer.at(indices)
    body = Partial(node.numerator, out) * Partial(out, node.denominator)
    return sum_all(body, indices, consumer.sizes)


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
        indices = tuple(p for index in indices_of(node.numerator) for p in parts_of(index))
        rhs = instantiate(equation, indices, context.fresh)
        return differentiate(rhs, node.denominator)

    return where(expr, one)


def collapse(expr: Expr, _context: Context) -> Expr | None:
    """`Σ_k f(k) δ_kp → f(p)`."""
    return where(exchanged(expr), _collapse_one)


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
            rest = body / factor
            solution = solve(factor, index, rest)
            if solution is not None:
                return rest.xreplace({index: solution}) * _within(solution, index, size, rest)
    return sum_over(body, index, size)


def _within(solution: Expr, index: Symbol, size: Expr, body: Expr) -> Expr:
    """`[1 ≤ solution ≤ size]`, where the solution may leave the range and nothing reads as zero."""
    if isinstance(solution, Symbol) or solution.is_Integer or solution == size:
        return Integer(1)
    return Integer(1) if read_at(body, index) else bracket(Integer(1), solution, size)


def _expand_deltas(body: Expr) -> Expr:
    """A product multiplied out over those sums of terms that hold a delta."""
    factors = Mul.make_args(body)
    for k, factor in enumerate(factors):
        if isinstance(factor, Add) and factor.has(KroneckerDelta):
            rest = Mul(*factors[:k], *factors[k + 1 :])
            return Add(*(_expand_deltas(rest * term) for term in factor.args))
    return body


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
        whole = Equation(found.lhs.denominator, found.rhs)
        if tuple(indices_of(whole.lhs)) != whole.indices:
            indices = tuple(part for index in indices for part in parts_of(index))
        return instantiate(whole, indices, context.fresh)

    return where(expr, one)
