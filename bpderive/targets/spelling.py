"""Array expressions rewritten with the functions that array libraries have.

In: a tree of `arrays`. Out: an equal tree: `maximum` for a choice of the larger, `expm1` and
`log1p` where a difference would cancel, and no branch of a `select` that overflows where it is
not taken. Must not know: any target's syntax.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import reduce

from sympy import Add, Expr, Integer, Mul, S

from bpderive.forms.arrays import Apply, Node, Power, Product, Scalar, Terms
from bpderive.forms.trees import labels, transform, walk
from bpderive.functions import number

RISKY = frozenset({"exp", "expm1", "log", "log1p", "sinh", "cosh", "power", "xlogy"})
"""Functions that overflow or have no value somewhere; so have roots and reciprocals."""


def spell(node: Node) -> Node:
    """The same array, spelled for a library."""
    return transform(node, lambda part: reduce(lambda found, rule: rule(found), RULES, part))


@dataclass(frozen=True)
class Comparison:
    """`left > right`, or `left < right` where `less` holds."""

    left: Node
    less: bool
    right: Node


def comparison(u: Node) -> Comparison:
    """`u > 0`, with what is subtracted on the other side: `1 - z > 0 → z < 1`."""
    terms = u.terms if isinstance(u, Terms) else (u,)
    constant = Add(*(term.value for term in terms if isinstance(term, Scalar)))
    rest = [term for term in terms if not isinstance(term, Scalar)]
    plus = [term for term in rest if negated(term) is None]
    less = [new for term in rest if (new := negated(term)) is not None]
    if not plus:
        return Comparison(_sum(less), True, Scalar((), constant))
    if not less:
        return Comparison(_sum(plus), False, Scalar((), -constant))
    side, value = (less, -constant) if number(constant) < 0 else (plus, constant)
    side += [Scalar((), value)] if value != 0 else []
    return Comparison(_sum(plus), False, _sum(less))


def negated(node: Node) -> Node | None:
    """A term with a minus sign, without it; None for others."""
    if isinstance(node, Scalar) and is_negative(node):
        return Scalar((), -node.value)
    if not isinstance(node, Product) or not is_negative(node.factors[0]):
        return None
    first, *rest = node.factors
    constant = -first.value if isinstance(first, Scalar) else S.One
    if constant == 1 and len(rest) == 1:
        return rest[0]
    return replace(node, factors=(*([Scalar((), constant)] if constant != 1 else []), *rest))


def is_negative(node: Node) -> bool:
    """Whether it is a negative number."""
    return isinstance(node, Scalar) and node.value.is_number and bool(number(node.value) < 0)


def is_number(node: Node, value: int) -> bool:
    """Whether it is this number."""
    return isinstance(node, Scalar) and node.value == value


def _sum(terms: list[Node]) -> Node:
    if len(terms) == 1:
        return terms[0]
    return Terms(max((term.axes for term in terms), key=len), tuple(terms))


def is_mask(node: Node) -> bool:
    """Whether it is 1 where a condition holds and 0 elsewhere, or the other way round."""
    if not isinstance(node, Apply) or node.name != "select":
        return False
    _, p, q = node.args
    if is_number(q, 0):
        return is_number(p, 1) or is_mask(p)
    return is_number(p, 0) and is_number(q, 1)


# --- Products ---


@dataclass(frozen=True)
class Parts:
    """A product as `constant * above * masks / below`, the factors in the textbook's order."""

    constant: Expr
    above: tuple[Node, ...]
    masks: tuple[Node, ...]
    below: tuple[Node, ...]

    @classmethod
    def of(cls, node: Node) -> "Parts":
        """The parts of a product, or of a node that stands for itself."""
        factors = tuple(_factors(node))
        numbers = [f.value for f in factors if isinstance(f, Scalar) and f.value.is_number]
        rest = [f for f in factors if not _is_constant(f)]
        below = [f for f in rest if isinstance(f, Power) and f.exponent.is_negative]
        masks = [f for f in rest if is_mask(f)]
        above = [f for f in rest if f not in below and f not in masks]
        above.sort(key=_rank)
        return cls(Mul(*numbers), tuple(above), tuple(masks), tuple(map(_reciprocal, below)))


def _factors(node: Node) -> Iterable[Node]:
    """The factors, those of factors that are products among them."""
    for factor in node.factors if isinstance(node, Product) else ():
        yield from _factors(factor)
    if not isinstance(node, Product):
        yield node


def _is_constant(node: Node) -> bool:
    return isinstance(node, Scalar) and bool(node.value.is_number)


def _reciprocal(node: Power) -> Node:
    return node.base if node.exponent == -1 else replace(node, exponent=-node.exponent)


def _rank(node: Node) -> int:
    """The textbook's order: the error, tensors, functions, sums of terms."""
    found = labels(node)
    if any(label.startswith(("delta", "g")) for label in found):
        return 0
    if "y" in found:
        return 1
    return {Apply: 3, Terms: 4}.get(type(node), 2)


# --- Rules ---


def extreme(node: Node) -> Node:
    """`select(u - v, u, v) → maximum(u, v)`, and `minimum` likewise."""
    if not isinstance(node, Apply) or node.name != "select":
        return node
    u, p, q = node.args
    test = comparison(u)
    if p == u and is_number(q, 0):
        return Apply(node.axes, "maximum", (p, q))
    for larger, smaller in (("maximum", "minimum"), ("minimum", "maximum")):
        if (p, q) == (test.left, test.right):
            return Apply(node.axes, smaller if test.less else larger, (p, q))
        p, q = q, p
    return node


def accurate(node: Node) -> Node:
    """`exp(u) - 1 → expm1(u)`, `1 - exp(u) → -expm1(u)`, `log(1 + u) → log1p(u)`."""
    if isinstance(node, Apply) and node.name == "log" and isinstance(node.args[0], Terms):
        rest = [term for term in node.args[0].terms if not is_number(term, 1)]
        one_less = len(rest) + 1 == len(node.args[0].terms)
        return Apply(node.axes, "log1p", (_sum(rest),)) if one_less else node
    if not isinstance(node, Terms) or len(node.terms) != 2:
        return node
    first, last = node.terms
    if is_number(last, -1) and isinstance(first, Apply) and first.name == "exp":
        return Apply(first.axes, "expm1", first.args)
    minus = negated(last)
    if is_number(first, 1) and isinstance(minus, Apply) and minus.name == "exp":
        return Product(node.axes, (Scalar((), Integer(-1)), replace(minus, name="expm1")))
    return node


def clamped(node: Node) -> Node:
    """`select(z, z, exp(z)) → select(z, z, exp(minimum(z, 0)))`: the same where it is taken."""
    if not isinstance(node, Apply) or node.name != "select":
        return node
    u, p, q = node.args
    test = comparison(u)
    if not isinstance(test.right, Scalar):
        return node
    taken, other = ("minimum", "maximum") if test.less else ("maximum", "minimum")
    return replace(node, args=(u, _within(p, taken, test), _within(q, other, test)))


def _within(branch: Node, bound: str, test: Comparison) -> Node:
    inside = Apply(test.left.axes, bound, (test.left, test.right))

    def one(node: Node) -> Node:
        risky = isinstance(node, Apply) and node.name in RISKY
        if isinstance(node, Power):
            risky = not (node.exponent.is_Integer and node.exponent > 0)
        if not risky or any(part == inside for part in walk(node)):
            return node
        return transform(node, lambda part: inside if part == test.left else part)

    return transform(branch, one)


RULES: tuple[Callable[[Node], Node], ...] = (extreme, accurate, clamped)
