"""Which numbers an expression can be: where a function of `math` raises, and NumPy does not.

In: a scalar expression. Out: whether its sign is known. Must not know any syntax.
"""

from bpderive.forms.arrays import Apply, Leaf, Node, Power, Product, Scalar, Terms
from bpderive.functions import number

NEVER_BELOW = frozenset({"Abs", "cosh", "exp", "sigmoid", "softplus"})
"""Functions that are never below 0; an exponential may underflow to 0."""


def never_below_zero(node: Node) -> bool:
    """Whether it is 0 or above."""
    if isinstance(node, Scalar):
        return bool(number(node.value) >= 0)
    if isinstance(node, Apply):
        bounded = node.name == "maximum" and any(map(never_below_zero, node.args))
        return bounded or node.name in NEVER_BELOW
    if isinstance(node, Power):
        return bool(node.exponent.is_even) or never_below_zero(node.base)
    parts = node.factors if isinstance(node, Product) else _terms(node)
    return bool(parts) and all(map(never_below_zero, parts))


def always_above_zero(node: Node) -> bool:
    """Whether it is above 0, and cannot underflow: `1 + exp(z)`."""
    if isinstance(node, Scalar):
        return bool(number(node.value) > 0)
    if isinstance(node, Apply):
        return node.name == "cosh"
    if isinstance(node, Power):
        return bool(node.exponent > 0) and always_above_zero(node.base)
    if isinstance(node, Product):
        return all(map(always_above_zero, node.factors))
    terms = _terms(node)
    return any(map(always_above_zero, terms)) and all(map(never_below_zero, terms))


def never_above_zero(node: Node) -> bool:
    """Whether it is 0 or below: a logarithm of a softmax, `minimum(z, 0)`, `-z**2`."""
    if isinstance(node, Scalar):
        return bool(number(node.value) <= 0)
    if isinstance(node, Leaf):
        return node.label.startswith("log_")
    if isinstance(node, Apply):
        return node.name == "minimum" and any(map(never_above_zero, node.args))
    if not isinstance(node, Product):
        return False
    first, *rest = node.factors
    negative = isinstance(first, Scalar) and never_above_zero(first)
    return negative and all(map(never_below_zero, rest))


def _terms(node: Node) -> tuple[Node, ...]:
    return node.terms if isinstance(node, Terms) else ()
