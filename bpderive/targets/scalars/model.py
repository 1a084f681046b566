"""What a program is for one sample: elements, functions of numbers, and where parameters lie.

In: nothing. Out: the dataclasses that `lowering` builds and `unrolling` writes out. Must not
know any syntax, nor how the elements came about.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product
from math import prod

from sympy import Integer, Symbol

from bpderive.forms.arrays import Axes, Leaf, Node
from bpderive.forms.trees import labels
from bpderive.program import Program
from bpderive.weights import in_order


@dataclass(frozen=True)
class Element:
    """`target[axes] = value`, for every value of the indices, in one sample.

    Where it is `accumulated`, the target is the sum of that over the samples; a mean divides by
    their number at the end. With a `row`, `softmax` or `log_softmax`, the target is this function
    of a whole row, and `value` a leaf: the element of the row which it is taken of.
    """

    target: str
    axes: Axes
    value: Node
    number: int
    sizes: Mapping[Symbol, int]
    """The sizes of its own indices and of those that are summed."""
    accumulated: bool = False
    row: str | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the target."""
        return tuple(self.sizes[axis] for axis in self.axes)


@dataclass(frozen=True)
class Function:
    """A function of numbers: `parts` in order, each with a name, and the `value` made of them.

    It stands for the definition `of`: an activation (`gelu`), or a slope (`gelu'`).
    """

    name: str
    of: str
    parameters: tuple[str, ...]
    parts: tuple[tuple[str, Node], ...]
    value: Node


@dataclass(frozen=True)
class Scalars:
    """A program for one sample. `mean`: the accumulated are divided by the number of samples."""

    program: Program
    forward: tuple[Element, ...]
    loss: tuple[Element, ...]
    backward: tuple[Element, ...]
    functions: tuple[Function, ...]
    names: Mapping[str, str]
    """The function's name of each definition."""
    mean: bool

    @property
    def elements(self) -> tuple[Element, ...]:
        """All, in order of computation."""
        return (*self.forward, *self.loss, *self.backward)

    @property
    def widths(self) -> tuple[int, ...]:
        """The sizes of the input and of every layer."""
        return tuple(map(int, self.program.widths))

    @cached_property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The sizes of every tensor."""
        given = {"x": self.widths[:1], "y": self.widths[-1:]}
        params = {block.label: block.shape for block in blocks(self.program)}
        return given | params | {element.target: element.shape for element in self.elements}

    def leaves(self, label: str) -> tuple[Leaf, ...]:
        """The elements of a tensor, row by row, counted from 1."""
        ranges = (range(1, size + 1) for size in self.shapes[label])
        return tuple(Leaf(tuple(map(Integer, at)), label) for at in product(*ranges))


@dataclass(frozen=True)
class Block:
    """A parameter's place in the flat sequence of all: row by row, from `start` on."""

    label: str
    shape: tuple[int, ...]
    start: int

    @property
    def key(self) -> str:
        """The parameter's name in the code: `w1` → `W1`."""
        return self.label.replace("w", "W")

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return prod(self.shape)


def blocks(program: Program) -> tuple[Block, ...]:
    """The parameters in their order: `W1`, `b1`, `W2`, and so on."""
    found: list[Block] = []
    start, sizes = 0, tuple(map(int, program.widths))
    spec = program.network.spec
    for layer, (m, n) in enumerate(pairwise(sizes), 1):
        shapes: dict[str, tuple[int, ...]] = {f"w{layer}": in_order(spec.weights, n, m)}
        shapes |= {f"b{layer}": (n,)} if spec.bias else {}
        for label, shape in shapes.items():
            found.append(Block(label, shape, start))
            start += found[-1].size
    return tuple(found)


def needed(elements: Iterable[Element], wanted: Iterable[str]) -> tuple[Element, ...]:
    """Those elements that the wanted targets depend on, themselves among them."""
    used, kept = set(wanted), list[Element]()
    for element in reversed(tuple(elements)):
        if element.target in used:
            kept.append(element)
            used.update(labels(element.value))
    return tuple(reversed(kept))
