"""Equations of a loop that are alike, computed as one: their tensors lie side by side.

The gates of a recurrent layer become one product. In: a `Computation`. Out: the same with fewer
lines, and which tensors lie where. Must not know: NumPy.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sympy import Add, Expr, Indexed, Integer, Sum, Symbol
from sympy.core.function import AppliedUndef

from bpderive.index import Equation, element, indices_of, label_of
from bpderive.schedule.model import Computation, Line, Loop
from bpderive.targets.arrays.matching import alike, defined_in, labels, labels_in, read_now
from bpderive.targets.arrays.stacks import Stack, common_name, recurring, with_axis

GATE = "_9000{}g"


@dataclass
class Stacking:
    """Finds what lies side by side; `numbers` are those of the equations in a line."""

    computation: Computation
    stacks: dict[str, Stack] = field(default_factory=dict)
    numbers: dict[str, tuple[int, ...]] = field(default_factory=dict)
    count: int = 0
    steps: Mapping[str, tuple[Expr, ...]] = field(default_factory=dict)
    """The tensors that the loop at hand writes step by step, and their sizes."""

    def run(self) -> Computation:
        """The computation with lines that are alike as one."""
        forward = tuple(self.item(item) for item in self.computation.forward)
        backward = tuple(self.item(item) for item in self.computation.backward)
        backward = tuple(self.merged(backward)) if self.stacks else backward
        return replace(self.computation, forward=forward, backward=backward)

    @property
    def where(self) -> Mapping[str, tuple[str, int, int]]:
        """Of each tensor that lies beside others: the whole, the axis, and its place there."""
        return {
            member: (stack.label, stack.place, k)
            for stack in self.stacks.values()
            if not stack.given
            for k, member in enumerate(stack.members)
        }

    def item(self, item: Line | Loop) -> Line | Loop:
        """A loop with its lines that are alike as one, and sums of products that are alike."""
        if not isinstance(item, Loop):
            return item
        pairs = list(zip(item.lines, item.indices, strict=True))
        pairs = self.families(pairs, self.order(item))
        equations = [line.equation for line in recurring([line for line, _ in pairs])]
        self.steps = {e.label: e.sizes for e in equations if e.label != self.computation.output}
        pairs = [
            (replace(line, equation=self.sums(line.equation, index)), index)
            for line, index in pairs
        ]
        lines, indices = zip(*pairs, strict=True)
        return replace(item, lines=lines, indices=indices)

    # --- Lines that are alike ---

    def order(self, loop: Loop) -> Mapping[str, str]:
        """The function that each tensor goes into: those of the same lie together."""
        calls = (line.equation.rhs for line in loop.lines)
        return {
            label_of(c.args[0]): str(c.func)
            for c in calls
            if isinstance(c, AppliedUndef) and isinstance(c.args[0], Indexed)
        }

    def families(
        self, pairs: list[tuple[Line, Symbol]], order: Mapping[str, str]
    ) -> list[tuple[Line, Symbol]]:
        """The lines of a loop, those that are alike as one."""
        found: list[tuple[Line, Symbol]] = []
        left = list(pairs)
        while left:
            line, index = left[0]
            waiting = {other.equation.label for other, _ in left}
            group = [
                (other, at)
                for other, at in left
                if alike(line.equation, other.equation)
                and not read_now(other.equation.rhs, at) & waiting
            ]
            group.sort(key=lambda pair: self.rank(pair[0], order))
            made = self.together(
                [pair[0] for pair in group], indices_of(line.equation.lhs).index(index) + 1
            )
            if made is None:
                found.append(left.pop(0))
                continue
            place = indices_of(group[0][0].equation.lhs).index(group[0][1])
            found.append((made, indices_of(made.equation.lhs)[place]))
            done = {id(pair[0]) for pair in group}
            left = [pair for pair in left if id(pair[0]) not in done]
        return found

    def rank(self, line: Line, order: Mapping[str, str]) -> tuple[int, str, int]:
        """Lines follow the place of what they are of, then the function that they go into."""
        places = [self.where[a][2] for a in labels_in(line.equation.rhs) if a in self.where]
        return min(places, default=0), order.get(line.equation.label, "~"), line.number

    def together(self, lines: Sequence[Line], place: int) -> Line | None:
        """One line for several that are alike, or None where they cannot be one."""
        first = lines[0].equation
        if len(lines) < 2 or any(line.equation.label == self.computation.output for line in lines):
            return None
        tables = [alike(first, line.equation) for line in lines]
        rows = {label: [str((table or {})[label]) for table in tables] for label in tables[0] or {}}
        varied = {label: row for label, row in rows.items() if len(set(row)) > 1}
        if any(len(set(row)) < len(lines) for row in varied.values()):
            return None
        others = {label: row for label, row in varied.items() if label != first.label}
        if not all(self.may(row) for row in others.values()):
            return None
        self.numbers[first.label] = tuple(line.number for line in lines)
        gate = self.gate()
        starts = {label: self.begin(row) for label, row in others.items()}
        new = self.add(varied[first.label], place)
        lhs = element(new.label, with_axis(indices_of(first.lhs), place, gate))
        sizes = (*first.sizes[:place], Integer(len(lines)), *first.sizes[place:])
        self.numbers[new.label] = tuple(sorted(self.numbers.pop(first.label)))
        rhs = self.replaced(first.rhs, starts, gate)
        return replace(lines[0], equation=Equation(lhs, rhs, sizes))

    def may(self, row: Sequence[str]) -> bool:
        """Whether tensors are parameters of one shape, or lie side by side in this order."""
        given = {g.label: g.sizes for g in self.computation.given if g.role == "parameter"}
        if all(label in given for label in row):
            return len({given[label] for label in row}) == 1
        places = [self.where.get(label) for label in row]
        known = [place for place in places if place is not None]
        if len(known) < len(row) or len({place[0] for place in known}) > 1:
            return False
        return [place[2] for place in known] == list(range(known[0][2], known[0][2] + len(row)))

    def begin(self, row: Sequence[str]) -> tuple[Stack, int]:
        """The tensors side by side that some are, and which is the first."""
        for stack in self.stacks.values():
            for k in range(len(stack.members) - len(row) + 1):
                if stack.members[k : k + len(row)] == tuple(row):
                    return stack, k
        return self.add(row, 0, given=True), 0

    def add(self, row: Sequence[str], place: int, *, given: bool = False) -> Stack:
        label = self.label(row)
        self.stacks[label] = Stack(label, tuple(row), place, given)
        return self.stacks[label]

    def label(self, row: Sequence[str]) -> str:
        """A name that nothing has yet."""
        name = common_name(row)
        taken = {g.label for g in self.computation.given} | self.labels | set(self.stacks)
        while name in taken:
            name += "s"
        return name

    @property
    def labels(self) -> set[str]:
        """Those of all equations."""
        items = (*self.computation.forward, self.computation.loss, *self.computation.backward)
        lines = (
            line for item in items for line in (item.lines if isinstance(item, Loop) else (item,))
        )
        return {line.equation.label for line in lines}

    def gate(self) -> Symbol:
        self.count += 1
        return Symbol(GATE.format(self.count), integer=True)

    def replaced(self, expr: Expr, starts: Mapping[str, tuple[Stack, int]], gate: Symbol) -> Expr:
        """The expression with what lies side by side in the stead of its members."""
        table = {}
        for tensor in expr.atoms(Indexed):
            if label_of(tensor) in starts:
                stack, start = starts[label_of(tensor)]
                table[tensor] = element(
                    stack.label, with_axis(tensor.indices, stack.place, gate + start)
                )
        return expr.xreplace(table)

    # --- Sums of products that are alike, in one line ---

    def sums(self, equation: Equation, index: Symbol) -> Equation:
        """`Σ_k U_i δ_i + Σ_k U_f δ_f → Σ_g Σ_k U_g δ_g`."""
        if not isinstance(equation.rhs, Add):
            return equation
        terms = [t for t in equation.rhs.args if isinstance(t, Sum) and len(t.limits) == 1]
        for term in sorted(terms, key=str):
            start = {i: i for i in equation.indices}
            tables = [(other, labels(term, other, start)) for other in sorted(terms, key=str)]
            found = [(other, table) for other, table in tables if table is not None]
            new = self.summed(term, [t for _, t in found], index)
            if new is not None:
                return replace(
                    equation,
                    rhs=Add(new, *(t for t in equation.rhs.args if t not in [o for o, _ in found])),
                )
        return equation

    def summed(self, term: Sum, tables: Sequence[Mapping[str, str]], index: Symbol) -> Expr | None:
        """One sum for several of parameters and of tensors that steps of the loop write."""
        given = {g.label for g in self.computation.given if g.role == "parameter"}
        members = sorted(tables[0], key=lambda label: label in given)
        if len(tables) < 2 or [label in given for label in members] != [False, True]:
            return None
        tensor, parameter = members
        rows = ({t[parameter] for t in tables} == set(s.members) for s in self.stacks.values())
        stack = next((s for s, same in zip(self.stacks.values(), rows, strict=True) if same), None)
        pairs = sorted(tables, key=lambda t: stack.members.index(t[parameter]) if stack else 0)
        own = [t[tensor] for t in pairs]
        if not self.beside(own) or not self.may([t[parameter] for t in pairs]):
            return None
        read = next(t for t in term.atoms(Indexed) if label_of(t) == tensor)
        place = next(k for k, i in enumerate(read.indices, 1) if index in i.free_symbols)
        starts = {
            parameter: self.begin([t[parameter] for t in pairs]),
            tensor: (self.add(own, place), 0),
        }
        gate = self.gate()
        body = self.replaced(term.function, starts, gate)
        return Sum(body, *term.limits, (gate, 1, Integer(len(own))))

    def beside(self, labels: Sequence[str]) -> bool:
        """Whether tensors can lie side by side: each step writes every one of them, and alone."""
        sizes = {self.steps.get(label) for label in labels}
        free = not any(label in self.where for label in labels)
        distinct = len(set(labels)) == len(labels)
        return free and distinct and len(sizes) == 1 and None not in sizes

    # --- Lines after a loop ---

    def merged(self, items: Iterable[Line | Loop]) -> Iterable[Line | Loop]:
        """Lines of tensors that lie side by side, as one."""
        left = list(items)
        while left:
            item = left.pop(0)
            if isinstance(item, Loop) or not labels_in(item.equation.rhs) & set(self.where):
                yield item
                continue
            waiting = {label for other in left for label in defined_in(other)}
            group = [
                item,
                *(
                    o
                    for o in left
                    if isinstance(o, Line)
                    and alike(item.equation, o.equation)
                    and not labels_in(o.equation.rhs) & waiting
                ),
            ]
            group.sort(key=lambda line: self.rank(line, {}))
            made = self.together(group, 0)
            if made is None:
                yield item
                continue
            left = [other for other in left if other not in group]
            yield made
