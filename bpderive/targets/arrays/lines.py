"""The lines of a function, one for each equation.

In: lines of a computation. Out: the `Block` filled. Must not know: the module's template.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sympy import Expr, Indexed, Mul, log
from sympy.core.function import AppliedUndef

from bpderive.functions import xlogy
from bpderive.functions.conditions import first_largest, merged
from bpderive.index import Equation, indices_of, label_of, parts_of
from bpderive.schedule.model import Line
from bpderive.targets.arrays.block import Block
from bpderive.targets.arrays.functions import Functions
from bpderive.targets.arrays.lowering import Lowering
from bpderive.targets.arrays.model import Array, reshaped
from bpderive.targets.arrays.sizes import whole
from bpderive.targets.arrays.softmax import normal, softmax_argument
from bpderive.targets.layout import MULTIPLY, Code, Invoke, Text, bracketed, chain

Outputs = Mapping[tuple[str, str], str]


def sizes_of(equation: Equation) -> tuple[Expr, ...]:
    """The size of each axis of what it defines; an axis that several indices share counts once."""
    ranges = dict(zip(equation.indices, equation.sizes, strict=True))
    return tuple(Mul(*(ranges[p] for p in parts_of(i))) for i in indices_of(equation.lhs))


def outputs_of(lines: Iterable[Line]) -> Outputs:
    """The tensors that are a function of another, element by element, or its softmax."""
    found: dict[tuple[str, str], str] = {}
    for line in lines:
        rhs, lhs = line.equation.rhs, line.equation.lhs
        name, argument = _function(rhs)
        if isinstance(argument, Indexed) and indices_of(argument) == indices_of(lhs):
            found.setdefault((name, label_of(argument)), line.equation.label)
    return found


def chosen_of(lines: Iterable[Line]) -> Mapping[str, Equation]:
    """The tensors that are 1 at the first largest of others, and their equations."""
    equations = (line.equation for line in lines)
    return {e.label: e for e in equations if isinstance(e.rhs, first_largest)}


def logarithms_of(lines: Iterable[Line], outputs: Outputs) -> frozenset[str]:
    """The tensors whose logarithm is asked for, and is computed by itself."""
    nodes = (node for line in lines for node in line.equation.rhs.atoms(log, xlogy))
    found = (normal(node, outputs) for node in nodes)
    atoms = (atom for value in found if value is not None for atom in value.atoms(Indexed))
    return frozenset(label_of(a)[4:] for a in atoms if label_of(a).startswith("log_"))


def _function(rhs: Expr) -> tuple[str, Expr | None]:
    """A function and what it is of; a softmax without condition is one."""
    if isinstance(rhs, AppliedUndef):
        return str(rhs.func), rhs.args[0]
    found = softmax_argument(rhs)
    plain = found is not None and found[1] is None and found[3] == 1
    return "softmax", found[0] if found is not None and plain else None


@dataclass
class Writer:
    """Writes equations into a block; `divided` are the labels that are divided by `divisor`."""

    block: Block
    functions: Functions
    outputs: Outputs
    logarithms: frozenset[str] = frozenset()
    divided: frozenset[str] = frozenset()
    divisor: str = "N"
    chosen: Mapping[str, Equation] = field(default_factory=dict)

    def line(self, line: Line) -> None:
        """One equation at all values of its free indices."""
        equation, label = line.equation, line.equation.label
        if label in self.logarithms:
            self.with_logarithm(line)
            return
        comment = self.block.number(label, line.number) + _shape(sizes_of(equation))
        code = self.code(equation, comment)
        if label in self.divided:
            code = chain(MULTIPLY, bracketed(code, MULTIPLY), ("/", Text(self.divisor)))
        self.block.assign(self.block.name(label), code, comment)

    def with_logarithm(self, line: Line) -> None:
        """`log_p = log_softmax(a)`, then `p = exp(log_p)`."""
        equation, label = line.equation, line.equation.label
        found = softmax_argument(equation.rhs)
        if found is None:  # `outputs_of` saw it
            raise AssertionError(label)
        name = self.block.name(f"log_{label}")
        place = equation.indices.index(found[2])
        last = place == len(equation.indices) - 1
        source = self.lowering(equation, "").value(found[0]).at(equation.indices).code
        self.block.helpers.add("log_softmax")
        args = (source,) if last else (source, Text(f"axis={place}"))
        comment = self.block.number(label, line.number) + _shape(sizes_of(equation))
        self.block.assign(name, Invoke("log_softmax", args), comment)
        self.block.assign(self.block.name(label), Invoke("np.exp", (Text(name),)), comment)

    def lowering(self, equation: Equation, comment: str) -> Lowering:
        ranges = dict(zip(equation.indices, equation.sizes, strict=True))
        own, order = (self.block, self.functions), equation.indices
        return Lowering(*own, ranges, order, comment, self.outputs, chosen=self.chosen)

    def code(self, equation: Equation, comment: str) -> Code:
        """The right-hand side, in the axes of the left."""
        found = self.lowering(equation, comment).value(equation.rhs)
        return self.filled(found, equation)

    def filled(self, found: Array, equation: Equation) -> Code:
        """An array that lacks axes is repeated along them; shared axes become one."""
        axes, sizes = equation.indices, equation.sizes
        code = found.at(axes).code
        if set(found.axes) != set(axes):
            code = Invoke("np.broadcast_to", (code, Text(tuple_of(sizes))))
        if any(isinstance(index, merged) for index in indices_of(equation.lhs)):
            code = reshaped(code, [whole(size).flat for size in sizes_of(equation)])
        return code


def tuple_of(sizes: Iterable[Expr]) -> str:
    """`(N, 3)`, `(3,)`."""
    texts = [whole(size).flat for size in sizes]
    return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"


def _shape(sizes: tuple[Expr, ...]) -> str:
    """The shape in a comment."""
    return f" {tuple_of(sizes)}" if sizes else ""
