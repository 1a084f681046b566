"""Elementwise expressions without what adds nothing.

In: a tree. Out: an equal one: no term 0, no sum within a sum. Must not know where it came from.
"""

from sympy import Integer

from bpderive.forms.arrays import Node, Product, Scalar, Terms
from bpderive.forms.trees import transform
from bpderive.targets.spelling import is_number


def tidy(node: Node) -> Node:
    """`1 + 0·a → 1`, `(u + v) + w → u + v + w`."""
    return transform(node, _tidied)


def _tidied(node: Node) -> Node:
    if isinstance(node, Product):
        return Scalar((), Integer(0)) if any(is_number(f, 0) for f in node.factors) else node
    if not isinstance(node, Terms):
        return node
    flat = [part for t in node.terms for part in (t.terms if isinstance(t, Terms) else (t,))]
    terms = tuple(term for term in flat if not is_number(term, 0))
    if len(terms) > 1:
        return Terms(node.axes, terms)
    return terms[0] if terms else Scalar((), Integer(0))
