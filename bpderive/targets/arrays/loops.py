"""Loops along an axis: before them what does not depend on their own tensors, then step by step.

In: a `Loop` of a computation. Out: lines in a `Writer`'s block. Must not know: the template.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from sympy import Add, Expr, Indexed, Mul, Sum, Symbol

from bpderive.index import Equation, element, indices_of, label_of
from bpderive.schedule.model import Line, Loop
from bpderive.targets.arrays.block import Block, Shape, Step
from bpderive.targets.arrays.lines import Writer, tuple_of
from bpderive.targets.arrays.sizes import whole
from bpderive.targets.layout import Code, Invoke, Member, Text


@dataclass(frozen=True)
class Turn:
    """A line of a loop, with the index of the loop's axis and its place on the left."""

    line: Line
    index: Symbol
    begun: bool = False
    """Whether a part of it is there before the loop, and the steps add the rest."""

    @property
    def equation(self) -> Equation:
        return self.line.equation

    @property
    def label(self) -> str:
        return self.equation.label

    @property
    def place(self) -> int:
        """Which axis the loop goes along."""
        return indices_of(self.equation.lhs).index(self.index)


def write(loop: Loop, writer: Writer) -> None:
    """All lines of a loop."""
    turns = [Turn(line, index) for line, index in zip(loop.lines, loop.indices, strict=True)]
    turns = before(turns, writer)
    if not turns:
        return
    inside = everything({turn.label for turn in turns}, writer)
    hoisting = Hoisting(writer, inside)
    turns = [hoisting.turn(turn) for turn in turns]
    made: set[str] = set()
    for turn in turns:
        allocate(turn, writer, made)
    steps(loop, turns, inside, writer)


def before(turns: list[Turn], writer: Writer) -> list[Turn]:
    """Write the lines that depend on nothing of the loop; the others remain."""
    while True:
        inside = everything({turn.label for turn in turns}, writer)
        free = [turn for turn in turns if not depends(turn.equation.rhs, inside)]
        if not free:
            return turns
        for turn in free:
            writer.line(turn.line)
        turns = [turn for turn in turns if turn not in free]


def _now(expr: Expr, index: Symbol) -> bool:
    """Whether a factor is of the step itself; at another step it has a name there already."""
    shifts = [s for t in expr.atoms(Indexed) for s in _shifts(t, index)]
    return index in expr.free_symbols and not shifts


def _first(known: Expr, equation: Equation) -> tuple[Expr, ...]:
    """A sum over all indices, and what is added to it in place; or all at once."""
    whole = set(equation.indices)
    sums = [t for t in Add.make_args(known) if isinstance(t, Sum) and whole <= t.free_symbols]
    return (sums[0], known - sums[0]) if sums and known != sums[0] else (known,)


def everything(labels: set[str], writer: Writer) -> frozenset[str]:
    """Tensors, with those that they lie beside, as parts and as a whole."""
    where = writer.block.where
    wholes = labels | {where[label][0] for label in labels if label in where}
    return frozenset(wholes | {label for label, place in where.items() if place[0] in wholes})


def depends(expr: Expr, inside: frozenset[str] | set[str]) -> bool:
    """Whether a tensor of the loop stands in it."""
    return any(label_of(tensor) in inside for tensor in expr.atoms(Indexed))


@dataclass
class Hoisting:
    """Moves what does not depend on the loop's tensors before it, as tensors of their own."""

    writer: Writer
    inside: frozenset[str]
    done: dict[Expr, Expr] = field(default_factory=dict)

    def turn(self, turn: Turn) -> Turn:
        """The line with names for what is computed before."""
        equation = turn.equation
        ranges = dict(zip(equation.indices, equation.sizes, strict=True))
        rest = self.begun(turn, ranges)
        rhs = self.visit(equation.rhs if rest is None else rest, turn, ranges)
        line = replace(turn.line, equation=replace(equation, rhs=rhs))
        return Turn(line, turn.index, begun=rest is not None)

    def begun(self, turn: Turn, ranges: Mapping[Symbol, Expr]) -> Expr | None:
        """Write the terms that depend on nothing of the loop into the tensor; return the others."""
        equation, block = turn.equation, self.writer.block
        if not isinstance(equation.rhs, Add) or turn.label in block.where:
            return None
        known = Add(*(t for t in equation.rhs.args if not depends(t, self.inside)))
        new = isinstance(known, Add | Mul | Sum)  # else it may be a view of another tensor
        if not new or not set(equation.indices) <= known.free_symbols:
            return None
        number = block.number(turn.label, turn.line.number)
        told = f"part of {number} {tuple_of(equation.sizes)}"
        for sign, part in zip(("=", "+="), _first(known, equation), strict=False):
            lowering = self.writer.lowering(equation, number)
            if isinstance(part, Sum):  # a product may as well have the steps first in memory
                rest = tuple(i for i in equation.indices if i != turn.index)
                lowering.order = (turn.index, *rest)
            code = lowering.value(part).at(equation.indices).code
            block.assign(block.name(turn.label), code, told, sign)
        return equation.rhs - known

    def visit(self, expr: Expr, turn: Turn, ranges: Mapping[Symbol, Expr]) -> Expr:
        """The expression with its independent parts named."""
        if not expr.args or isinstance(expr, Indexed):
            return expr
        if isinstance(expr, Sum):
            new = {**ranges, **{i: size for i, _, size in expr.limits}}
            factors = Mul.make_args(expr.function)
            parts = [
                self.visit(f, turn, new) if depends(f, self.inside) else self.named(f, turn, new)
                for f in factors
            ]
            return Sum(Mul(*parts), *expr.limits)
        if not isinstance(expr, Add | Mul):
            args = [self.visit(a, turn, ranges) for a in expr.args]
            return expr.func(*args)
        free = [a for a in expr.args if not depends(a, self.inside)]
        bound = [self.visit(a, turn, ranges) for a in expr.args if a not in free]
        timed = [a for a in free if _now(a, turn.index)] if isinstance(expr, Mul) else free
        fixed = [a for a in free if a not in timed]
        named = self.named(expr.func(*timed), turn, ranges) if timed else None
        return expr.func(*fixed, *([named] if named is not None else []), *bound)

    def named(self, expr: Expr, turn: Turn, ranges: Mapping[Symbol, Expr]) -> Expr:
        """A tensor for an expression that is more than one already."""
        if not expr.args or isinstance(expr, Indexed) or expr.is_number:
            return expr
        axes = tuple(i for i in ranges if i in expr.free_symbols)
        if turn.index not in axes:
            return expr
        block = self.writer.block
        key = expr.xreplace({axis: Symbol(f"_{k}") for k, axis in enumerate(axes)})
        if key not in self.done:
            label = block.fresh(f"{turn.label}_known")
            block.names[label] = label
            sizes = tuple(ranges[axis] for axis in axes)
            equation = Equation(element(label, axes), expr, sizes)
            block.shapes[label] = Shape(sizes)  # type: ignore[index]
            number = block.number(turn.label, turn.line.number)
            code = self.writer.code(equation, number)
            block.assign(label, code, f"part of {number} {tuple_of(sizes)}")
            self.done[key] = Symbol(label)
        return element(str(self.done[key]), axes)


def allocate(turn: Turn, writer: Writer, made: set[str]) -> None:
    """The tensor of a line, its steps one after another in memory; once for several in one."""
    block = writer.block
    label = block.where[turn.label][0] if turn.label in block.where else turn.label
    if label in made or turn.begun:
        return
    made.add(label)
    sizes = block.shapes[label].sizes
    place = turn.place
    ordered = (sizes[place], *sizes[:place], *sizes[place + 1 :])
    block.steps[label] = place
    code: Code = Invoke("np.empty", (Text(tuple_of(ordered)), Text("dtype")))
    if place == 1:
        code = Member(code, "swapaxes", "0, 1")
    elif place > 1:
        code = Invoke("np.moveaxis", (code, Text("0"), Text(str(place))))
    block.plain(block.name(label), code)


def steps(loop: Loop, turns: list[Turn], inside: frozenset[str], writer: Writer) -> None:
    """The loop itself."""
    block = writer.block
    variable = block.fresh(loop.letter)
    size = whole(loop.size).flat
    turns_of = f"range({size})" if loop.upward else f"reversed(range({size}))"
    block.raw(f"for {variable} in {turns_of}:")
    block.indent += 4
    shifted = Neighbours(writer, variable, loop.size).named(turns)
    for turn in turns:
        block.step = Step(turn.index, variable, inside, loop.upward, shifted)
        equation = turn.equation
        rest = [
            (i, s) for i, s in zip(equation.indices, equation.sizes, strict=True) if i != turn.index
        ]
        now = Equation(
            element("_", tuple(i for i, _ in rest)), equation.rhs, tuple(s for _, s in rest)
        )
        number = block.number(turn.label, turn.line.number)
        code: Code = writer.code(now, number)
        block.assign(
            at_step(turn.label, turn.place, variable, block),
            code,
            number,
            "+=" if turn.begun else "=",
        )
    block.step = None
    block.indent -= 4
    block.taken -= {variable, *shifted.values()}


def at_step(label: str, place: int, step: str, block: Block) -> str:
    """`z[:, t]`, or `z[:, t, 0]` for a part of a whole."""
    if label not in block.where:
        return f"{block.name(label)}[{', '.join([*[':'] * place, step])}]"
    whole_label, axis, turn = block.where[label]
    between = [":"] * (axis - place - 1)
    return f"{block.name(whole_label)}[{', '.join([*[':'] * place, step, *between, str(turn)])}]"


@dataclass(frozen=True)
class Neighbours:
    """Tensors at other steps under names of their own: zero before the first and after the last."""

    writer: Writer
    variable: str
    size: Expr

    def named(self, turns: list[Turn]) -> Mapping[tuple[str, int, int], str]:
        """A name for each tensor, the axis of the loop, and how many steps away it is."""
        found: dict[tuple[str, int, int], str] = {}
        for turn in turns:
            for tensor in sorted(turn.equation.rhs.atoms(Indexed), key=str):
                for place, shift in _shifts(tensor, turn.index):
                    key = (label_of(tensor), place, shift)
                    if key not in found:
                        found[key] = self.name(*key)
        return found

    def name(self, label: str, place: int, shift: int) -> str:
        """The line that gives a tensor at another step its name."""
        block = self.writer.block
        far = str(abs(shift)) if abs(shift) > 1 else ""
        name = block.fresh(f"{label}_{'before' if shift < 0 else 'after'}{far}")
        sign = "-" if shift < 0 else "+"
        test = f"{self.variable} >= {-shift}"
        if shift > 0:
            test = f"{self.variable} < {whole(self.size - shift).flat}"
        sizes = block.shapes[label].sizes
        zeros = f"np.zeros({tuple_of((*sizes[:place], *sizes[place + 1 :]))}, dtype)"
        at = at_step(label, place, f"{self.variable} {sign} {abs(shift)}", block)
        block.choice(name, at, test, zeros)
        return name


def _shifts(tensor: Indexed, index: Symbol) -> Iterator[tuple[int, int]]:
    """The axes along which a tensor is read at another step, and how far away."""
    for place, other in enumerate(tensor.indices):
        shift = other - index
        if index in other.free_symbols and shift.is_Integer and shift != 0:
            yield place, int(shift)
