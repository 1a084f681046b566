"""The rules of derivation: an ordered table of (id, function).

In: an index expression and a `Context`. Out: a new expression, or None where the rule does not
apply. No rule knows a layer, a letter or a word; what a rule says to a reader stands in
`templates/locale/` under its id, with the slots that `Rule.slots` names.

Sources: the chain rule over all consumers of a quantity is reverse accumulation (Griewank and
Walther, Evaluating Derivatives, 2nd ed., ch. 3); `collapse` is the sifting property of δ.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sympy import (
    Add,
    Expr,
    Function,
    Indexed,
    Integer,
    KroneckerDelta,
    Mul,
    Pow,
    Sum,
    Symbol,
    expand_mul,
)
from sympy.core.function import AppliedUndef

from bpderive.functions import scalar_symbol
from bpderive.index import (
    Equation,
    Fresh,
    Partial,
    canonical,
    differentiate,
    element,
    indices_of,
    instantiate,
    label_of,
    peel,
    rebuild,
    sum_over,
)
from bpderive.network import Graph


@dataclass(frozen=True)
class Context:
    """What a rule may look at: the equations, what is derived already, and fresh indices.

    `known` maps the label of a tensor to the equation of its derivative (lhs: the derivative's
    name where it has one, else the `Partial`).
    """

    graph: Graph
    known: Mapping[str, Equation]
    fresh: Fresh

    def consumers(self, label: str) -> tuple[Equation, ...]:
        """The equations whose right-hand side holds the tensor."""
        return tuple(e for e in self.graph.equations if label in _labels(e.rhs))


Apply = Callable[[Expr, Context], Expr | None]


@dataclass(frozen=True)
class Rule:
    """One rule: its id, its function, and the kind of node without which it cannot apply."""

    id: str
    apply: Apply
    about: type


def _labels(expr: Expr) -> set[str]:
    return {label_of(atom) for atom in expr.atoms(Indexed, Symbol)}


def rewrite(expr: Expr, rule: Callable[[Expr], Expr | None]) -> Expr:
    """Apply a rule of one node everywhere, leaves first."""
    if not expr.args or isinstance(expr, Indexed | Partial):
        return rule(expr) or expr
    if isinstance(expr, Sum):
        body, index, size = peel(expr)
        inner = rewrite(body, rule)
        new = expr if inner is body else sum_over(inner, index, size)
    else:
        new = rebuild(expr, [rewrite(arg, rule) for arg in expr.args])
    changed = rule(new)
    return new if changed is None else changed


def _where(expr: Expr, rule: Callable[[Expr], Expr | None]) -> Expr | None:
    """`rewrite`, or None where it changed nothing."""
    new = rewrite(expr, rule)
    return None if new == expr else new


def tidy(expr: Expr) -> Expr:
    """`½ (2a − 2y) u → (a − y) u`: numbers common to a sum's terms move to the product's front."""
    return rewrite(expr, _tidy_one)


def _tidy_one(node: Expr) -> Expr | None:
    if not isinstance(node, Mul):
        return None
    parts = [_whole_content(f) for f in node.args]
    content = Mul(*(number for number, _ in parts))
    return None if content == 1 else content * Mul(*(factor for _, factor in parts))


def _whole_content(factor: Expr) -> tuple[Expr, Expr]:
    """`2a − 2y` as 2 and `a − y`; anything without a common integer as 1 and itself."""
    if isinstance(factor, Add):
        content, primitive = factor.primitive()
        if content.is_Integer:
            return content, primitive
    return Integer(1), factor


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

    return _where(expr, one)


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
        if equation is None or known or label not in _labels(equation.rhs):
            return None
        rhs = instantiate(equation, indices_of(node.numerator), context.fresh)
        return differentiate(rhs, node.denominator)

    return _where(expr, one)


def collapse(expr: Expr, _context: Context) -> Expr | None:
    """`Σ_k f(k) δ_kp → f(p)`."""
    return _where(expr, _collapse_one)


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

    return _where(expr, one)


def pull(expr: Expr, _context: Context) -> Expr | None:
    """`Σ_k c f(k) → c Σ_k f(k)`, for what does not depend on k; a sum of terms is split first."""
    return _where(expr, _pull_one)


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

    return _where(expr, one) if forward else None


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


def fact(expr: Expr, context: Context) -> Expr | None:
    """`Σ_k y_k → 1`, for a tensor that is declared to sum to one."""

    def one(node: Expr) -> Expr | None:
        if not isinstance(node, Sum) or not isinstance(node.function, Indexed):
            return None
        last = node.function.indices[-1] == node.limits[0][0] and len(node.limits) == 1
        return Integer(1) if last and label_of(node.function) in context.graph.unit_sums else None

    return _where(expr, one)


def fold(expr: Expr, context: Context) -> Expr | None:
    """`f'(z) → its closed form in a and z`, where the catalogue's row has one."""
    return _where(expr, lambda node: _fold_one(node, context))


def _fold_one(node: Expr, context: Context) -> Expr | None:
    if not isinstance(node, AppliedUndef) or not node.func.__name__.endswith("'"):
        return None
    row = context.graph.activations.get(node.func.__name__[:-1])
    argument = node.args[0]
    if row is None or not isinstance(argument, Indexed):
        return None
    value = element(label_of(argument).replace("z", "a", 1), tuple(argument.indices))
    return row.slope_expr.xreplace({scalar_symbol("z"): argument, scalar_symbol("a"): value})


def cancel(expr: Expr, context: Context) -> Expr | None:
    """`a(1−a)·(−y/a + (1−y)/(1−a)) → a − y`: a factor cancels the quotients beside it."""
    slopes = {n: f for n in expr.atoms(AppliedUndef) if (f := _fold_one(n, context)) is not None}
    return _where(expr.xreplace(slopes), _cancel_one)


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


def node_types(expr: Expr) -> set[type]:
    """The kinds of nodes in an expression: what tells at once that a rule does not apply."""
    kinds: set[type] = set()
    waiting = [expr]
    while waiting:
        node = waiting.pop()
        kinds.add(AppliedUndef if isinstance(node, AppliedUndef) else type(node))
        waiting.extend(node.args)
    return kinds


RULES: tuple[Rule, ...] = (
    Rule("chain", chain, Partial),
    Rule("differentiate", direct, Partial),
    Rule("collapse", collapse, KroneckerDelta),
    Rule("recognise", recognise, Mul),
    Rule("adjoint", adjoint, Partial),
    Rule("pull", pull, Sum),
    Rule("cancel", cancel, Mul),
    Rule("fact", fact, Sum),
    Rule("factor", factor, Add),
    Rule("fold", fold, AppliedUndef),
)
