"""Questions about array expressions that their printer asks: numbers, factors, transposes.

In: a `Node`. Out: nodes and answers. Must not know: text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sympy import Expr, Mul

from bpderive.forms.arrays import (
    Apply,
    Axes,
    Leaf,
    Node,
    Power,
    Product,
    Scalar,
    Terms,
    Transpose,
)
from bpderive.index import rename


def is_number(node: Node) -> bool:
    """A number or a size, or its power."""
    return isinstance(node, Scalar) or (isinstance(node, Power) and is_number(node.base))


def value_of(node: Any, names: Mapping[str, Expr | str]) -> Expr:
    """The value of a number, with a layer's names for the general sizes."""
    if isinstance(node, Power):
        return value_of(node.base, names) ** node.exponent
    return rename(node.value, names)


def divisor(node: Node) -> Node | None:
    """What a factor divides by: `u` of `1/u`; None where it multiplies."""
    if not isinstance(node, Power) or not node.exponent.is_negative:
        return None
    return node.base if node.exponent == -1 else replace(node, exponent=-node.exponent)


def select_args(node: Node) -> Any:
    """Condition and branches of a `select`; None for any other node."""
    return node.args if isinstance(node, Apply) and node.name == "select" else None


def flat(node: Node) -> Sequence[Any]:
    """The factors of nested products; `xlogy(x, y)` is `x log y`."""
    if isinstance(node, Product):
        return [factor for part in node.factors for factor in flat(part)]
    if isinstance(node, Apply) and node.name == "xlogy":
        x, y = node.args
        return [*flat(x), Apply(y.axes, "log", (y,))]
    return [node]


def split_number(node: Node, names: Mapping[str, Expr | str]) -> tuple[Expr, tuple[Node, ...]]:
    """The number in a product, and its other factors."""
    factors = flat(node)
    number = Mul(*(value_of(f, names) for f in factors if is_number(f)))
    return number, tuple(f for f in factors if not is_number(f))


def transposed(node: Node) -> Node | None:
    """The same with its two axes exchanged all through; None where that cannot be said inside."""
    if len(node.axes) < 2:
        return node
    if isinstance(node, Transpose):
        return node.arg
    axes = node.axes[::-1]
    if isinstance(node, Leaf):
        return Transpose(axes, node)
    if isinstance(node, Power):
        base = transposed(node.base)
        return None if base is None else Power(axes, base, node.exponent)
    return _transposed_parts(node, axes)


def _transposed_parts(node: Node, axes: Axes) -> Node | None:
    name = PARTS.get(type(node))
    if name is None:
        return None
    parts = [transposed(part) for part in getattr(node, name)]
    if any(part is None for part in parts):
        return None
    return replace(node, axes=axes, **{name: tuple(parts)})


PARTS: Mapping[type[Node], str] = {Apply: "args", Product: "factors", Terms: "terms"}
"""Where an elementwise node keeps what it is made of."""
