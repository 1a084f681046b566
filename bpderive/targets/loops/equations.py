"""A computation as statements: every equation a nest of loops, recurrences a loop over time.

In: a `Computation`. Out: the statements of its forward pass, its loss and its gradients. Must not
know: any syntax.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from sympy import Expr, Indexed, Integer, Mul, Symbol

from bpderive.index import Equation, element, indices_of, label_of, parts_of
from bpderive.schedule.model import Computation, Line, Loop
from bpderive.targets.arrays.lines import logarithms_of, outputs_of
from bpderive.targets.loops.model import For, Let, Make, Scope
from bpderive.targets.loops.naming import Naming
from bpderive.targets.loops.nests import Nests, Place, Statements
from bpderive.targets.loops.rewriting import Ready, cancelled, staged, token_labels
from bpderive.targets.loops.written import Written


def sizes_of(equation: Equation) -> tuple[Expr, ...]:
    """The size of each axis of what it defines; an axis that several indices share counts once."""
    ranges = dict(zip(equation.indices, equation.sizes, strict=True))
    return tuple(Mul(*(ranges[p] for p in parts_of(i))) for i in indices_of(equation.lhs))


@dataclass(frozen=True)
class Writer:
    """Writes the equations of a computation; `taken` are names that no variable may have."""

    computation: Computation
    taken: frozenset[str]

    # --- What there is ---

    @cached_property
    def source(self) -> tuple[Line, ...]:
        """Every equation, as it was derived."""
        items = (*self.computation.forward, self.computation.loss, *self.computation.backward)
        return tuple(
            one for item in items for one in (item.lines if isinstance(item, Loop) else (item,))
        )

    @cached_property
    def tokens(self) -> dict[str, tuple[str, int]]:
        """The tensors whose elements are indices."""
        return dict(token_labels(self.source))

    @cached_property
    def token_counts(self) -> dict[str, int]:
        """How many values each of them may have."""
        return {label: int(self.shapes[of][axis]) for label, (of, axis) in self.tokens.items()}

    def source_lines(self, number: int) -> list[Line]:
        """The lines of one part, a logarithm's label beside that of what it is of."""
        found = list[Line]()
        for item in self.items[number]:
            for line in item.lines if isinstance(item, Loop) else (item,):
                found.append(line)
                if line.equation.label in self.logarithms:
                    lhs = element(f"log_{line.equation.label}", line.equation.indices)
                    found.append(replace(line, equation=replace(line.equation, lhs=lhs)))
        return found

    @cached_property
    def ready(self) -> Ready:
        outputs = outputs_of(self.source)
        return Ready(self.computation.numbers, frozenset(self.tokens), outputs)

    @cached_property
    def logarithms(self) -> frozenset[str]:
        """The probabilities whose logarithms are computed beside them."""
        return logarithms_of(self.source, self.ready.outputs)

    @cached_property
    def items(self) -> tuple[tuple[Line | Loop, ...], ...]:
        """The forward pass, the loss, the gradients: made ready."""
        parts = (self.computation.forward, (self.computation.loss,), self.computation.backward)
        forward, loss, backward = (
            tuple(new for item in part for new in self.prepared(item)) for part in parts
        )
        alone = [item for item in backward if isinstance(item, Line)]
        changed = dict(zip(alone, cancelled(alone, self.ready.outputs), strict=True))
        backward = tuple(changed[i] if isinstance(i, Line) else i for i in backward)
        return forward, loss, needed(backward, (label for _, label in self.computation.gradients))

    def prepared(self, item: Line | Loop) -> Iterable[Line | Loop]:
        """A line after what is a line of its own; so in a loop."""
        if isinstance(item, Line):
            yield from staged(self.ready.line(item))
            return
        pairs = [
            (new, index)
            for line, index in zip(item.lines, item.indices, strict=True)
            for new in staged(self.ready.line(line))
        ]
        lines, indices = zip(*pairs, strict=True)
        yield replace(item, lines=lines, indices=indices)

    @cached_property
    def shapes(self) -> dict[str, tuple[Expr, ...]]:
        """The sizes of all tensors."""
        found = {given.label: given.sizes for given in self.computation.given}
        for line in self.lines:
            found[line.equation.label] = sizes_of(line.equation)
        return found | {f"log_{label}": found[label] for label in self.logarithms}

    @property
    def lines(self) -> Iterable[Line]:
        """Every line that is written."""
        for part in self.items:
            for item in part:
                yield from item.lines if isinstance(item, Loop) else (item,)

    @cached_property
    def nests(self) -> Nests:
        return Nests(self.shapes, Naming(self.taken))

    @cached_property
    def divided(self) -> frozenset[str]:
        """The loss and the gradients, if they are means."""
        gradients = (label for _, label in self.computation.gradients)
        found = frozenset({self.computation.loss.equation.label, *gradients})
        return found if self.computation.mean else frozenset()

    # --- Statements ---

    def part(self, number: int) -> Statements:
        """The forward pass (0), the loss (1), or the gradients (2)."""
        statements: Statements = []
        for item in self.items[number]:
            statements += self.over_time(item) if isinstance(item, Loop) else self.line(item)
        return statements

    def over_time(self, loop: Loop) -> Statements:
        """Tensors, then a loop over the steps with all lines in it."""
        variable = self.nests.naming.loop(loop.indices[0], frozenset())
        inner = Place().inside(variable, loop.size)
        makes: Statements = []
        body: Statements = []
        for line, index in zip(loop.lines, loop.indices, strict=True):
            for one in self.line(line, inner, {index: variable + 1}):
                (makes if isinstance(one, Make) else body).append(one)
        steps = For(variable, (Integer(0),), (loop.size,), tuple(body), down=not loop.upward)
        return [*makes, steps]

    def line(
        self, line: Line, place: Place | None = None, at: dict[Expr, Expr] | None = None
    ) -> Statements:
        """One equation: what it defines, and its loops."""
        label = line.equation.label
        one = Written(self.nests, line, at or {}, label in self.divided, label in self.logarithms)
        body, zero = one.statements(place or Place())
        sizes = self.shapes[label]
        made = [Make(label, sizes, zero)] if sizes else []
        if label in self.logarithms:
            made.append(Make(f"log_{label}", sizes, zero))
        if any(isinstance(s, Let) for s in body):
            body = [Scope(tuple(body))]
        return [*made, *body]


def needed(items: Sequence[Line | Loop], labels: Iterable[str]) -> tuple[Line | Loop, ...]:
    """Those items on which some tensors depend; the derivative by the input may be left over."""
    wanted, kept = set(labels), list[Line | Loop]()
    for item in reversed(items):
        lines = item.lines if isinstance(item, Loop) else (item,)
        if wanted & {line.equation.label for line in lines}:
            kept.append(item)
            atoms = (a for line in lines for a in line.equation.rhs.atoms(Indexed, Symbol))
            wanted |= {label_of(atom) for atom in atoms}
    return tuple(reversed(kept))
