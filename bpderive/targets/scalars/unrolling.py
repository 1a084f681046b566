"""An element written out: each of the target's numbers by itself.

In: an `Element`. Out: expressions with numbers for indices. Must not know any syntax.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product

from sympy import Expr, Integer, Symbol

from bpderive.forms.arrays import Leaf, Node, Reduce, Terms
from bpderive.forms.trees import transform
from bpderive.targets.scalars.model import Element
from bpderive.targets.scalars.tidying import tidy


def unrolled(element: Element) -> Iterator[tuple[Leaf, Node]]:
    """Each element of the target, in order of its indices, and its expression without sums.

    The indices are numbers from 1 on, as the derivation's are. Of an element with a `row`, the
    expressions are the elements of that row.
    """
    value = transform(element.value, lambda part: _written_out(part, element))
    for at in product(*(range(1, size + 1) for size in element.shape)):
        places = dict(zip(element.axes, map(Integer, at), strict=True))
        yield Leaf(tuple(places.values()), element.target), tidy(_placed(value, places))


def _written_out(node: Node, element: Element) -> Node:
    """`Σ_k f(k) → f(1) + f(2) + …`."""
    if not isinstance(node, Reduce):
        return node
    (index,) = node.summed
    places = range(1, element.sizes[index] + 1)
    return Terms(node.axes, tuple(_placed(node.arg, {index: Integer(at)}) for at in places))


def _placed(node: Node, places: Mapping[Symbol, Expr]) -> Node:
    """The node with numbers for indices."""

    def put(part: Node) -> Node:
        return replace(part, axes=tuple(places.get(axis, axis) for axis in part.axes))

    return transform(node, put)
