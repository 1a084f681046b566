"""Walking and rewriting trees of array expressions.

In: a `Node` of `arrays`. Out: its parts, or the tree rebuilt. Must not know what any node means.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from bpderive.forms.arrays import Leaf, Node


def walk(node: Node) -> Iterator[Node]:
    """The node and all that it is made of, from the outside in."""
    yield node
    for parts in _parts(node).values():
        for part in parts if isinstance(parts, tuple) else (parts,):
            yield from walk(part)


def labels(node: Node) -> list[str]:
    """The labels of the tensors in it, in alphabetical order."""
    return sorted({part.label for part in walk(node) if isinstance(part, Leaf)})


def transform(node: Node, change: Callable[[Node], Node]) -> Node:
    """The node with every part changed, from the inside out."""
    new: dict[str, Any] = {
        name: tuple(transform(part, change) for part in parts)
        if isinstance(parts, tuple)
        else transform(parts, change)
        for name, parts in _parts(node).items()
    }
    return change(replace(node, **new) if new else node)


def _parts(node: Node) -> dict[str, Node | tuple[Node, ...]]:
    """The fields that hold nodes."""
    values = ((name, getattr(node, name)) for name in node.__match_args__)
    return {
        name: value
        for name, value in values
        if isinstance(value, Node)
        or (isinstance(value, tuple) and value and isinstance(value[0], Node))
    }
