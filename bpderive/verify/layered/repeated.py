"""A network whose equal layers stand twice instead of a hundred times.

In: a derivation. Out: one of fewer layers that has the same kinds of them, and so the same results:
nothing is derived anew. Must not know: checks.
"""

from dataclasses import replace
from itertools import groupby

from bpderive.backprop import StackDerivation
from bpderive.errors import SpecError
from bpderive.grammar.model import Item
from bpderive.stack import build

MOST = 12
"""A network of so many layers is proved as it is."""
TWICE = 2


def shortened(derivation: StackDerivation) -> StackDerivation:
    """The same derivation over fewer equal layers; itself where it is short, or none can go.

    Tied layers count by their numbers, so that a network that has any stays whole.
    """
    stack = derivation.stack
    if stack.depth <= MOST or any(place.tied for place in stack.places):
        return derivation
    items = _twice(stack.spec.items)
    try:
        fewer = build(replace(stack.spec, items=items), stack.catalog, samples=stack.samples)
    except SpecError:
        return derivation
    found = StackDerivation(fewer, derivation._sweeps)  # noqa: SLF001 - the same results
    every = {derivation.kind(place.number) for place in stack.places}
    return found if every == {found.kind(place.number) for place in fewer.places} else derivation


def _twice(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The items, none more than twice in a row."""
    short = (replace(i, inner=_twice(i.inner), repeat=min(i.repeat, TWICE)) for i in items)
    return tuple(one for _, run in groupby(short) for one in list(run)[:TWICE])
