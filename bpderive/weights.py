"""Which index of a weight comes first: its neuron's (`w_ij a_j`), or its input's (`x_j w_ji`).

In: the name of an order, and something for each of the two: indices, sizes, letters. Out: the two
in that order, or back from it. Must not know: what they are.
"""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

ORDERS = ("neuron_first", "input_first")


def in_order(order: str, neuron: T, source: T) -> tuple[T, T]:
    """What belongs to the neuron and what to its input, as the weight's own axes are."""
    return (neuron, source) if order == ORDERS[0] else (source, neuron)


def by_role(order: str, axes: Sequence[T]) -> tuple[T, T]:
    """What belongs to the neuron, then what to its input, from what is in the weight's order."""
    first, second = axes
    return in_order(order, first, second)
