"""A scalar definition differentiated in recorded steps, as a textbook would write them.

In: an expression and its variable, or a row of the catalogue. Out: `Step`s: what stood before, what
after, the rule's id, and what it was applied to. Simple parts are worked out together, so that a
derivation has a handful of steps. Must not know: networks, letters, words.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from sympy import Add, Expr, Function, Mul, Pow, Symbol, preorder_traversal

from bpderive.catalog import Activation, Loss
from bpderive.errors import DerivationError
from bpderive.functions import Abs, scalar_symbol, sign, xlogy
from bpderive.slopes.known import KNOWN
from bpderive.slopes.nodes import primed
from bpderive.slopes.rules import CHAIN, RULES, left

FEW = 10
"""After so many steps, what is left is differentiated at once."""


@dataclass(frozen=True)
class Step:
    """One equality; `factors` are those of `after`, where their order is to be kept."""

    rule: str
    before: Expr
    after: Expr
    at: tuple[Expr, ...] = ()
    factors: tuple[Expr, ...] = ()


@cache
def activation_steps(row: Activation) -> tuple[Step, ...]:
    """The slope of an elementwise activation, from its definition to its closed form."""
    z, a = scalar_symbol("z"), scalar_symbol("a")
    definition = row.definition
    found = definition_steps(definition, z)
    plain = isinstance(definition, Function) and definition.args == (z,)
    if row.slope is None or plain or not row.slope_expr.has(a):
        return found
    closed = row.slope_expr.xreplace({a: Function(row.name)(z)})
    return (*found, Step("closed", found[-1].after, closed, (definition,)))


def loss_steps(row: Loss) -> tuple[Step, ...]:
    """The derivative of the loss of one output by that output."""
    return definition_steps(row.definition, scalar_symbol(row.argument))


def definition_steps(definition: Expr, x: Symbol) -> tuple[Step, ...]:
    """From `(definition)'` to its derivative; of a named function, to its closed form."""
    return tuple(_definition_steps(definition, x))


def _definition_steps(definition: Expr, x: Symbol) -> Iterator[Step]:
    known = KNOWN.get(definition.func) if definition.args == (x,) else None
    expr = primed(known.definition(x) if known else definition, x)
    for step in _differentiated(expr, x):
        yield step
        expr = step.after
    for form in known.forms(x) if known else ():
        at = () if form.at is None else (form.at,)
        yield Step(form.rule, expr, form.expr, at, form.factors)
        expr = form.expr


def needed(steps: tuple[Step, ...]) -> tuple[type[Expr], ...]:
    """The named functions whose slopes a derivation takes as known, in order of use."""
    used = (node.func for step in steps if step.rule == "chain" for node in step.at)
    return tuple(dict.fromkeys(function for function in used if function in KNOWN))


def _differentiated(expr: Expr, x: Symbol) -> Iterator[Step]:
    """One rule after the other, then what is simple, all at once."""
    for count in range(FEW + 1):
        waiting = [node for node in preorder_traversal(expr) if isinstance(node, primed)]
        hard = [node for node in waiting if _hard(node.expr, x, whole=node == expr)]
        if not waiting:
            break
        step = _one(expr, hard[0], x) if hard and count < FEW else _all(expr, waiting, x)
        yield step
        expr = step.after
        if step.factors:
            yield Step("multiply", expr, expr)
    new = _tidied(expr)
    if new != expr:
        yield Step("absolute", expr, new)


def _one(expr: Expr, node: primed, x: Symbol) -> Step:
    """The first rule that applies to one derivative."""
    changing = node.expr.as_independent(x, as_Add=True)[1]
    inner = changing if isinstance(node.expr, Add) else node.expr
    rule, new = _applied(inner, x)
    after = expr.xreplace({node: new})
    factors = _numbers(expr, node, new) if rule == "power" else ()
    at = (inner,) if rule != "chain" else (inner.func(U),)
    return Step(rule, expr, after, at, factors)


def _numbers(expr: Expr, node: primed, new: Expr) -> tuple[Expr, ...]:
    """`1/2 · 2u`: numbers that would be multiplied unseen."""
    number, rest = expr.as_coeff_Mul()
    seen = rest == node and number != 1 and new.as_content_primitive()[0] != 1
    return (number, new) if seen else ()


def _applied(u: Expr, x: Symbol) -> tuple[str, Expr]:
    for rule in RULES:
        new = rule.apply(u, x)
        if new is not None:
            return rule.id, new
    raise DerivationError(f"no rule differentiates {u}")


def _all(expr: Expr, waiting: list[primed], x: Symbol) -> Step:
    """Everything that waits, worked out."""
    functions = {
        inner.func(U)
        for node in waiting
        for inner in preorder_traversal(node.expr)
        if inner.func in CHAIN and x in inner.free_symbols
    }
    after = expr.xreplace({node: derivative(node.expr, x) for node in waiting})
    single = len(functions) == 1 and not any(node.has(xlogy) for node in waiting)
    if single:
        return Step("chain", expr, after, tuple(functions))
    if len(waiting) == 1 and isinstance(waiting[0].expr, Pow) and not functions:
        return Step("power", expr, after, (waiting[0].expr,))
    return Step("terms", expr, after, tuple(dict.fromkeys(node.expr for node in waiting)))


def derivative(u: Expr, x: Symbol) -> Expr:
    """`u'`, by the same rules, without a record."""
    expr = left(u, x)
    while expr.has(primed):
        waiting = {node for node in preorder_traversal(expr) if isinstance(node, primed)}
        expr = expr.xreplace({node: _applied(node.expr, x)[1] for node in waiting})
    return expr


U = Symbol("u", real=True)


def _hard(u: Expr, x: Symbol, *, whole: bool = False) -> bool:
    """Whether a derivative deserves a step of its own."""
    if isinstance(u, Add):
        return not all(_easy(term, x) for term in u.args)
    return not _easy(u, x) or (whole and isinstance(u, Mul))


def _easy(u: Expr, x: Symbol) -> bool:
    """A constant times a power, or times a function, of something linear."""
    if x not in u.free_symbols:
        return True
    inner = u.as_independent(x, as_Add=False)[1]
    if isinstance(inner, Add):
        return all(_monomial(term, x) for term in inner.args if x in term.free_symbols)
    if inner.func in CHAIN:
        return _monomial(inner.args[0], x)
    if isinstance(inner, xlogy):
        return x not in inner.args[0].free_symbols and _monomial(inner.args[1], x)
    return _monomial(inner, x) or (isinstance(inner, Pow) and inner.base == x)


def _monomial(u: Expr, x: Symbol) -> bool:
    """`c x^n + d`."""
    inner = u.as_independent(x, as_Add=True)[1].as_independent(x, as_Add=False)[1]
    base, exponent = inner.as_base_exp() if isinstance(inner, Pow) else (inner, U)
    return bool(base == x and x not in exponent.free_symbols)


def _tidied(expr: Expr) -> Expr:
    """`u sign(u) → |u|`."""
    found = {
        node: node / (s * s.args[0]) * Abs(s.args[0])
        for node in expr.atoms(Mul)
        for s in node.args
        if isinstance(s, sign) and s.args[0] in node.args
    }
    return expr.xreplace(found)
