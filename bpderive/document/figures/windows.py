"""What a convolution's window reads, found in its equation.

In: a `Place`. Out: `Windows`: for each axis, which input stands under which weight at which output;
and what of it is drawn. Must not know: where anything stands, letters of a notation.
"""

from dataclasses import dataclass

from sympy import Expr, Indexed, Integer, Mul, Symbol

from bpderive.index import element, label_of, letter_of, rename
from bpderive.modules.labels import label
from bpderive.stack.model import Place

CONVOLUTION = "conv"
PADDED = 3
"""So many cells of padding are drawn besides the inputs."""

LARGEST, FARTHEST = 9, -3
"""A window that reaches over more inputs, or padding that begins farther out, is not drawn."""


@dataclass(frozen=True)
class Line:
    """One axis: how many inputs, weights and outputs it has, and what is read where."""

    sizes: tuple[int, int, int]
    index: Expr
    output: Symbol
    weight: Symbol

    @property
    def inputs(self) -> int:
        """How many inputs there are."""
        return self.sizes[0]

    @property
    def weights(self) -> int:
        """How many weights."""
        return self.sizes[1]

    @property
    def outputs(self) -> int:
        """How many outputs."""
        return self.sizes[2]

    def read(self, output: int, weight: int) -> int:
        """The input that stands under a weight at an output; beyond the inputs is padding."""
        values = {self.output: Integer(output), self.weight: Integer(weight)}
        return int(self.index.xreplace(values))

    @property
    def reach(self) -> int:
        """Over how many inputs a window reaches."""
        return self.read(1, self.weights) - self.read(1, 1) + 1

    @property
    def first(self) -> int:
        """The first input or padding that is read, or 1."""
        return min(1, self.read(1, 1))

    @property
    def last(self) -> int:
        """The last one, or the last input."""
        return max(self.inputs, self.read(self.outputs, self.weights))


@dataclass(frozen=True)
class Windows:
    """A convolution along one or two axes; `before` are the indices that count no positions.

    They stand for the tensors of the input, the weights and the output, in this order.
    """

    place: Place
    lines: tuple[Line, ...]
    labels: tuple[str, str, str]
    before: tuple[tuple[Expr, ...], tuple[Expr, ...], tuple[Expr, ...]]

    @property
    def weight(self) -> tuple[int, ...]:
        """Which weight is followed: the first; in a grid not in the corner."""
        return (1, *(min(2, line.weights) for line in self.lines[1:]))

    @property
    def element(self) -> Expr:
        """The weight itself."""
        return element(self.labels[1], (*self.before[1], *map(Integer, self.weight)))

    def named(self, which: int, letters: str) -> Expr:
        """A tensor with letters for its positions, in its first channel."""
        indices = (Symbol(f"_{n}{k}", integer=True) for n, k in enumerate(letters, 1))
        return element(self.labels[which], (*self.before[which], *indices))

    @property
    def samples(self) -> tuple[Expr, ...]:
        """The index of the samples, where there is one."""
        return tuple(index for index in self.before[0] if not index.is_Integer)


def windows(place: Place) -> Windows | None:
    """The windows of a convolution whose sizes are numbers, and not too large to be drawn."""
    if place.row != CONVOLUTION:
        return None
    equation = place.module.equations[0]
    product = next(p for p in equation.rhs.atoms(Mul) if len(_tensors(p)) > 1)
    names = {label_of(tensor): tensor for tensor in _tensors(product)}
    declared = [place.module.of_role(role)[0] for role in ("input", "parameter")]
    read, weight = (names[label(tensor.name)] for tensor in declared)
    rank = len([axis for axis in declared[0].axes if axis.name not in ("n", "c", "g,c")])
    sizes = [[axis.size for axis in tensor.axes[-rank:]] for tensor in declared]
    every = [rename(size, place.names) for size in (*sizes[0], *sizes[1], *equation.sizes[-rank:])]
    if not all(size.is_Integer for size in every):
        return None
    numbers = [int(size) for size in every]
    lines = tuple(
        Line(
            (numbers[axis], numbers[rank + axis], numbers[2 * rank + axis]),
            rename(read.indices[axis - rank], place.names),
            equation.indices[axis - rank],
            weight.indices[axis - rank],
        )
        for axis in range(rank)
    )
    if any(line.reach > LARGEST or line.first < FARTHEST for line in lines):
        return None
    tensors = (read, weight, equation.lhs)
    labels = tuple(str(place.names[label_of(tensor)]) for tensor in tensors)
    before = tuple(tuple(map(_first, tensor.indices[:-rank])) for tensor in tensors)
    return Windows(place, lines, labels, before)  # type: ignore[arg-type]


def _tensors(product: Expr) -> list[Indexed]:
    return [factor for factor in product.args if isinstance(factor, Indexed)]


def _first(index: Expr) -> Expr:
    """The first channel; the samples keep their index."""
    return index if isinstance(index, Symbol) and letter_of(index) == "n" else Integer(1)


@dataclass(frozen=True)
class Cut:
    """What of an axis is drawn: the inputs and the padding, the weights, the outputs."""

    line: Line
    most: int
    weight: int

    @property
    def inputs(self) -> range:
        """Positions of inputs; those beyond 1 … inputs are padding."""
        first, line = self.line.first, self.line
        last = line.last if line.inputs <= self.most else self.most
        return range(first, min(last, first + self.most + PADDED - 1) + 1)

    @property
    def outputs(self) -> range:
        """The outputs whose input under the weight is drawn."""
        line = self.line
        seen = (o for o in range(1, min(line.outputs, self.most) + 1) if self._drawn(o))
        return range(1, max(seen, default=1) + 1)

    def _drawn(self, output: int) -> bool:
        return self.line.read(output, self.weight) in self.inputs

    @property
    def weights(self) -> range:
        """The weights."""
        return range(1, min(self.line.weights, self.most + 1) + 1)

    @property
    def left_out(self) -> tuple[bool, bool, bool]:
        """Whether there are more inputs, weights, outputs."""
        line = self.line
        return (
            line.last not in self.inputs,
            line.weights not in self.weights,
            line.outputs not in self.outputs,
        )
