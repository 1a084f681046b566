"""Residual branches of a stack, and what schemes such as Fixup do to the weights in them.

In: a `Stack`, a `Scheme`. Out: factors of standard deviations by parameter. Must not know: how
anything is drawn.

Source: H. Zhang, Y. N. Dauphin, T. Ma, Fixup initialization, ICLR 2019, section 3.1.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bpderive.flow.schemes import Scheme
from bpderive.modules.labels import label
from bpderive.stack.model import Place, Stack

ATTENTION = "W_o"
"""Of several weights of one layer, these give what it adds to the sum."""


@dataclass(frozen=True)
class Branch:
    """The layers with weights of a residual branch, in order."""

    places: tuple[Place, ...]


def branches(stack: Stack) -> tuple[Branch, ...]:
    """Every branch with weights whose output is added to what goes past it."""
    sums = [place for place in stack.places if place.row == "add" and len(place.sources) == 2]
    found = (_branch(stack, *place.sources) for place in sums)
    return tuple(branch for branch in found if branch.places)


def _branch(stack: Stack, inside: int, past: int) -> Branch:
    own = _below(stack, inside) - _below(stack, past)
    return Branch(tuple(stack.place(number) for number in sorted(own) if _weights(stack, number)))


def _below(stack: Stack, number: int) -> frozenset[int]:
    """A layer and all that it depends on; 0 is the network's input."""
    found, open_ = {number}, [number]
    while open_:
        at = open_.pop()
        new = set(stack.place(at).sources if at else ()) - found
        found |= new
        open_ += new
    return frozenset(found)


def _weights(stack: Stack, number: int) -> tuple[str, ...]:
    """The keys of a layer's weights: parameters of two axes or more that are no biases."""
    if not number or stack.place(number).tied:
        return ()
    place = stack.place(number)
    named = [t.name for t in place.module.of_role("parameter") if len(t.axes) > 1]
    return tuple(str(place.names[label(n)]) for n in named if n.partition("_")[0] != "b")


def scales(stack: Stack, scheme: Scheme) -> Mapping[str, float]:
    """By parameter, what a scheme multiplies its standard deviation with.

    The last layer of a branch has the factor `branch`. With Fixup, the others of B branches with m
    layers each have `B^(-1/(2m-2))`.
    """
    if scheme.branch == 1 and not scheme.fixup:
        return {}
    every, found = branches(stack), dict[str, float]()
    for branch in every:
        for key, factor in _factors(stack, branch, scheme, len(every)):
            found[key] = found.get(key, 1.0) * factor
    return found


def _factors(
    stack: Stack, branch: Branch, scheme: Scheme, count: int
) -> Iterator[tuple[str, float]]:
    *others, last = branch.places
    for place in others if scheme.fixup else ():
        for key in _weights(stack, place.number):
            yield key, count ** (-1 / (2 * len(others)))
    for key in _last(_weights(stack, last.number)):
        yield key, scheme.branch


def _last(keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(key for key in keys if key.startswith(ATTENTION) and len(keys) == 4) or keys
