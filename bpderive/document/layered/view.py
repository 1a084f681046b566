"""What every section of a network of any layers asks of its derivation: names, numbers, rows.

In: a `StackDerivation`. Out: a `View`: labels at their places, the numbers of equations, which are
those of the generated code, and rows of equations. Must not know: words, letters, formats.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from sympy import Expr, Mul, Symbol

from bpderive.backprop import StackDerivation
from bpderive.document.blocks import Number, Row
from bpderive.document.mathematics import Formula
from bpderive.functions.conditions import merged
from bpderive.index import Axis, Equation, Names, element, parts_of, rename
from bpderive.modules.labels import label
from bpderive.modules.model import Declared
from bpderive.stack.model import Place, Stack


@dataclass(frozen=True)
class View:
    """A derivation, with what the sections look up in it."""

    derivation: StackDerivation

    @property
    def stack(self) -> Stack:
        """The network."""
        return self.derivation.stack

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """The number of each equation by its label: forward, the loss, backward."""
        every = (*self.derivation.forward, *self.derivation.backward)
        return {equation.label: k for k, equation in enumerate(every, 1)}

    @cached_property
    def equations(self) -> Mapping[str, Equation]:
        """Every equation by its label."""
        every = (*self.derivation.forward, *self.derivation.backward)
        return {equation.label: equation for equation in every}

    @cached_property
    def consumers(self) -> Mapping[int, tuple[int, ...]]:
        """Which layers take the output of a layer; 0 is the input."""
        found: dict[int, tuple[int, ...]] = {}
        for place in self.stack.places:
            for source in place.sources:
                found[source] = (*found.get(source, ()), place.number)
        return found

    @cached_property
    def _names(self) -> Mapping[int, Names]:
        return {place.number: self._kept(place) for place in self.stack.places}

    def _kept(self, place: Place) -> Names:
        """The names of a place, of which a size may be called as the loss is."""
        names, root = Names(place.names), Symbol(self.stack.root)
        names.done[root] = root
        return names

    def names(self, place: Place) -> Names:
        """How general labels and sizes read at a place."""
        return self._names[place.number]

    def label(self, place: Place, name: str) -> str:
        """The label of a tensor of a place."""
        return str(place.names[label(name)])

    def sent(self, source: int) -> str:
        """The label of what is sent back to a layer, or to the input."""
        return self.derivation.outer(self.stack.place(source)) if source else self.stack.sent

    def outer(self, number: int) -> str:
        """The label under which something reaches a layer from above; empty where nothing does."""
        return self.sent(number) if number != self.stack.depth else ""

    def sizes(self, place: Place, tensor: Declared) -> tuple[Expr, ...]:
        """The shape of a tensor at its place."""
        names = self.names(place)
        return tuple(_size(axis, place, names) for axis in tensor.axes)

    def parameters(self) -> Iterator[tuple[Place, Declared]]:
        """Every parameter, at the place that it belongs to."""
        for place in self.stack.places:
            if place.tied is None:
                yield from ((place, tensor) for tensor in place.module.of_role("parameter"))

    def row(self, equation: Equation) -> Row:
        """An equation with its number."""
        number = self.numbers.get(equation.label)
        lhs, rhs = (Formula(side, equation.indices) for side in (equation.lhs, equation.rhs))
        return Row(lhs, rhs, None if number is None else Number(number))


def _size(axis: Axis, place: Place, names: Names) -> Expr:
    """The size of an axis; of several read as one, the product."""
    if "," not in axis.name:
        return rename(axis.size, names)
    return Mul(*(rename(place.module.range_of(k), names) for k in axis.name.split(",")))


def shown(tensor: Declared, place: Place, name: str) -> Formula:
    """A tensor with the letters of its axes: `w1[o,c,k]`."""
    indices = tuple(_index(axis, place, k) for k, axis in enumerate(tensor.axes, 1))
    free = tuple(part for index in indices for part in parts_of(index))
    return Formula(element(name, indices), free)


def _index(axis: Axis, place: Place, at: int) -> Expr:
    letters = axis.name.split(",")
    symbols = [Symbol(f"_{at}{k}{letter}", integer=True) for k, letter in enumerate(letters, 1)]
    if len(symbols) == 1:
        return symbols[0]
    sizes = [place.module.range_of(letter) for letter in letters]
    return merged(*(part for pair in zip(symbols, sizes, strict=True) for part in pair))
