"""A program as groups of operations, and which of their results share a variable.

In: a `Program`. Out: a `Plan`: for each assignment its operations, for each value the variable that
holds it, and for each variable its shape and the steps between which it lives. A value may be
written over one that nobody reads again. Must not know: the module's template.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from sympy import Expr

from bpderive.forms.arrays import Leaf, Node, Power, Product, Reduce
from bpderive.forms.trees import labels, transform
from bpderive.program import Assignment, Program
from bpderive.targets import describe
from bpderive.targets.definitions import Definitions
from bpderive.targets.inplace.lowering import Lowering
from bpderive.targets.inplace.operations import BATCH, ROWS, Group, Operand, Operation, Shape
from bpderive.targets.layout import MULTIPLY, Code, Text, chain
from bpderive.targets.printer import Printer, number
from bpderive.weights import in_order

SCALE = Operand("scale", (), given=True)
"""One over the number of samples."""


@dataclass(frozen=True)
class Variable:
    """An array of the workspace, with the first step that writes it and the last that reads it."""

    name: str
    shape: Shape
    mask: bool
    first: int
    last: int


@dataclass(frozen=True)
class Plan:
    """The operations of a program, group by group; `names` tells each value's variable."""

    groups: tuple[Group, ...]
    constants: Mapping[str, str]
    ones: tuple[Operand, ...]
    names: Mapping[str, str]
    variables: tuple[Variable, ...]


def plan(program: Program, definitions: Definitions, inline: Printer) -> Plan:
    """The plan of a program.

    Args:
        program: what to compute.
        definitions: its activations and slopes; all of them are written in place.
        inline: prints the formula of each group.

    Raises:
        UnsupportedError: sizes without numbers, or an expression that has no operations.
    """
    describe.need_numbers(program)
    planner = _Planner(program, definitions, inline)
    groups = tuple(planner.groups())
    ones = {arg.name: arg for group in groups for step in group.operations for arg in step.args}
    variables = _Variables(groups, planner.results)
    return Plan(
        groups=groups,
        constants={o.name: _number(v) for v, o in planner.lowering.constants.items()},
        ones=tuple(ones[name] for name in sorted(ones) if "ones" in name),
        names=variables.names,
        variables=tuple(variables.variables()),
    )


@dataclass
class _Planner:
    """Lowers assignments in order; `results` are the gradients that are given back."""

    program: Program
    definitions: Definitions
    inline: Printer

    @cached_property
    def lowering(self) -> Lowering:
        network, widths = self.program.network, [str(width) for width in self.program.widths]
        arrays = {
            "x": Operand("x", (BATCH, widths[0]), given=True),
            "y": Operand("y", (BATCH, widths[-1]), given=True),
        }
        for k, (m, n) in enumerate(pairwise(widths), 1):
            arrays[f"w{k}"] = Operand(f"W{k}", in_order(network.spec.weights, n, m), given=True)
            if network.spec.bias:
                arrays[f"b{k}"] = Operand(f"b{k}", (n,), given=True)
        return Lowering(arrays)

    @property
    def results(self) -> frozenset[str]:
        """The gradients, which live to the end."""
        return frozenset(t.target for t in self.program.backward if t.target[:2] in ("dW", "db"))

    def groups(self) -> Iterator[Group]:
        """Forward, loss, backward; what the loss is made of may serve the first error."""
        program = self.program
        for row in program.forward:
            yield self.group(row)
        yield self.loss(program.loss)
        errors = {row.target for row in program.backward}
        for row in program.backward:
            first = not errors.intersection(name(label, row) for label in labels(row.value))
            yield self.group(row, first=first)

    def group(self, row: Assignment, *, first: bool = False) -> Group:
        """The operations of an assignment; the first error is divided by the number of samples."""
        low, value = self.lowering, self.definitions.inlined(row.value)
        low.begin(value, lambda label: name(label, row), fresh=not first)
        result = low.value(value)
        formula = self.formula(row)
        if first and self.program.mean:
            result = low.emit("multiply", (result, SCALE), result.shape)
            formula = chain(MULTIPLY, formula, ("/", Text("N")))
        if result.given or row.target in self.results:
            result = self.own(result, row)
        low.arrays[row.target] = result
        return Group(row.target, row.number, formula.flat, tuple(low.operations), result)

    def own(self, result: Operand, row: Assignment) -> Operand:
        """A copy, where a result is an array that was given."""
        low = self.lowering
        known = {operation.out.name for operation in low.operations}
        if result.name in known and not result.transposed:
            return result
        return low.emit("copy", (result,), result.shape)

    def formula(self, row: Assignment) -> Code:
        """The right-hand side as NumPy would have it."""
        value = self.definitions.expand(row.value)
        names = {label: _shown(name(label, row)) for label in labels(value)}
        return replace(self.inline, names={**self.inline.names, **names}).code(value)

    def loss(self, row: Assignment) -> Group:
        """The loss, whose sums become Python's numbers."""
        low, value = self.lowering, self.definitions.inlined(row.value)
        low.begin(value, lambda label: name(label, row))
        sums: dict[str, str] = {}

        def total(node: Node) -> Node:
            if not isinstance(node, Reduce):
                return node
            label = self.total(node.arg).name
            sums[label] = label
            return Leaf((), label)

        value = transform(value, total)
        code = replace(self.inline, names={**self.inline.names, **sums}).code(value)
        formula = self.formula(row)
        if self.program.mean:
            code = chain(MULTIPLY, code, ("/", Text("batch")))
            formula = chain(MULTIPLY, formula, ("/", Text("N")))
        return Group(row.target, row.number, formula.flat, tuple(low.operations), code.flat)

    def total(self, arg: Node) -> Operand:
        """The sum of all elements; that of a product is a product of vectors."""
        low = self.lowering
        sides = [part for part in _factors(arg) if part.axes == arg.axes]
        if len(sides) == 2 == len(_factors(arg)):
            one, two = map(low.value, sides)
            if not (one.mask or two.mask):
                return low.total("vdot", (one, two))
        return low.total("sum", (low.value(arg),))


def _factors(node: Node) -> tuple[Node, ...]:
    """The factors of a product, or of a square."""
    if isinstance(node, Power) and node.exponent == 2:
        return node.base, node.base
    return node.factors if isinstance(node, Product) else (node,)


def name(label: str, row: Assignment) -> str:
    """A label of the general layer, as it reads here: `log_a{l}` → `log_a3`."""
    prefix, label = ("log_", label[4:]) if label.startswith("log_") else ("", label)
    return prefix + str(row.names.get(label, label))


def _shown(label: str) -> str:
    return label.upper() if label[0] == "w" and label[1:].isdigit() else label


def _number(value: Expr) -> str:
    if value.is_infinite:
        return "np.inf"
    return f"{'-' * bool(value < 0)}{number(abs(value)).text}"


@dataclass
class _Variables:
    """Which values share a variable, and how long each variable lives."""

    groups: tuple[Group, ...]
    results: frozenset[str]

    @cached_property
    def steps(self) -> list[Operation]:
        return [operation for group in self.groups for operation in group.operations]

    @cached_property
    def titles(self) -> dict[str, str]:
        """The name in the network of a value that has one; the last where it has several."""
        pairs = [(g.result.name, g.target) for g in self.groups if isinstance(g.result, Operand)]
        return {value: target for value, target in pairs if value.startswith("t")}

    @cached_property
    def last(self) -> dict[str, int]:
        """The last step that reads a value; gradients are read at the end."""
        found: dict[str, int] = {}
        for step, operation in enumerate(self.steps):
            found |= {one.name: step for one in (*operation.args, operation.out)}
        ends = {value for value, title in self.titles.items() if title in self.results}
        return found | dict.fromkeys(ends, len(self.steps))

    @cached_property
    def chains(self) -> list[list[tuple[int, Operand]]]:
        """Values that are written over one another, each with the step that gives it."""
        chains: dict[str, list[tuple[int, Operand]]] = {}
        order: list[list[tuple[int, Operand]]] = []
        for step, operation in enumerate(self.steps):
            order += [[(step, one)] for one in operation.scratch]
            if operation.out.given:  # a sum, in Python's numbers
                continue
            life = self.free(step, operation, chains)
            if life is None:
                life = []
                order.append(life)
            life.append((step, operation.out))
            chains[operation.out.name] = life
        return order

    def free(
        self, step: int, operation: Operation, chains: Mapping[str, list[tuple[int, Operand]]]
    ) -> list[tuple[int, Operand]] | None:
        """The variable of an argument that is not read again and fits the result."""
        out = operation.out
        if out.shape[-1] in ("1", BATCH):  # for a single number, NumPy is slower in place
            return None
        for k in ROWS[operation.function].over:
            arg = operation.args[k] if k < len(operation.args) else None
            if arg is None or arg.given or arg.transposed or self.last[arg.name] != step:
                continue
            if (arg.shape, arg.mask) == (out.shape, out.mask) and self.same(
                chains[arg.name], out.name
            ):
                return chains[arg.name]
        return None

    def same(self, chain: list[tuple[int, Operand]], value: str) -> bool:
        """Whether a variable keeps its sense: `z1` may become `a1`, but `a1` not `delta1`."""
        held = [self.titles[one.name] for _, one in chain if one.name in self.titles]
        title = self.titles.get(value)
        if not held or title is None:
            return True
        number = held[-1].lstrip("z")
        return held[-1] == f"z{number}" and title in (f"a{number}", f"log_a{number}")

    @cached_property
    def names(self) -> dict[str, str]:
        """By value its variable: the network's name of the last value in it, or `t1`, `mask1`."""
        found: dict[str, str] = {}
        counts = {"t": 0, "mask": 0}
        for life in self.chains:
            title = [self.titles[v.name] for _, v in life if v.name in self.titles][-1:]
            if not title:
                letter = "mask" if life[0][1].mask else "t"
                counts[letter] += 1
                title = [f"{letter}{counts[letter]}"]
            found |= {value.name: title[0] for _, value in life}
        return found

    def variables(self) -> Iterator[Variable]:
        """Each variable with its life."""
        for life in self.chains:
            first, value = life[0]
            last = max(self.last.get(one.name, step) for step, one in life)
            yield Variable(self.names[value.name], value.shape, value.mask, first, last)
