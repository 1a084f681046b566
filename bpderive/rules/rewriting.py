"""How a rule of one node is applied to a whole expression, and what a rule may look at.

In: an expression, and a function from a node to a new node or None. Out: a new expression.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from sympy import Add, Expr, Indexed, Integer, Mul, Sum, Symbol
from sympy.core.function import AppliedUndef

from bpderive.equations import Graph
from bpderive.index import Equation, Fresh, Partial, label_of, peel, rebuild, sum_over


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
        found = (e for e in self.graph.equations if label in labels(e.rhs))
        return tuple(e for e in found if e.label not in self.graph.constant)


@lru_cache(maxsize=4096)
def labels(expr: Expr) -> frozenset[str]:
    """The labels of all tensors and scalars in an expression."""
    return frozenset(label_of(atom) for atom in expr.atoms(Indexed, Symbol))


def rewrite(expr: Expr, rule: Callable[[Expr], Expr | None]) -> Expr:
    """Apply a rule of one node everywhere, leaves first."""
    if not expr.args or isinstance(expr, Indexed | Partial):
        new = expr
    elif isinstance(expr, Sum):
        body, index, size = peel(expr)
        inner = rewrite(body, rule)
        new = expr if inner is body else sum_over(inner, index, size)
    else:
        new = rebuild(expr, [rewrite(arg, rule) for arg in expr.args])
    changed = rule(new)
    return new if changed is None else changed


def where(expr: Expr, rule: Callable[[Expr], Expr | None]) -> Expr | None:
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


def node_types(expr: Expr) -> set[type]:
    """The kinds of nodes in an expression: what tells at once that a rule does not apply."""
    kinds: set[type] = set()
    waiting = [expr]
    while waiting:
        node = waiting.pop()
        kinds.add(AppliedUndef if isinstance(node, AppliedUndef) else type(node))
        waiting.extend(node.args)
    return kinds
