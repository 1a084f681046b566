"""The nest of one equation: at all values of its indices, or one of the shapes that need care.

In: a line of a computation, made ready. Out: statements. A softmax subtracts the largest, the place
of a largest is found in one pass, a sum that data scatter is added where it belongs. Must not know:
any syntax.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Expr, Integer, Symbol, Tuple, exp, log, oo

from bpderive.functions.conditions import first_largest
from bpderive.index import Equation, element, indices_of
from bpderive.schedule.model import Line
from bpderive.targets.arrays.softmax import softmax_argument
from bpderive.targets.loops.model import Assign, If, Let, larger
from bpderive.targets.loops.nests import (
    Final,
    Job,
    Nests,
    Pending,
    Place,
    Statements,
    adding,
    ranges_of,
)
from bpderive.targets.loops.rewriting import scattered


@dataclass(frozen=True)
class Written:
    """One line; `at` has the step of a loop over time.

    `mean` says that its value is divided by the number of samples, `logarithm` that the logarithm
    of the softmax that it is is computed beside it.
    """

    nests: Nests
    line: Line
    at: Mapping[Expr, Expr]
    mean: bool = False
    logarithm: bool = False

    @property
    def equation(self) -> Equation:
        return self.line.equation

    @property
    def target(self) -> Expr:
        return self.equation.lhs.xreplace(self.at)

    @property
    def pending(self) -> Pending:
        """The free indices, but for that of a loop over time."""
        pairs = zip(self.equation.indices, self.equation.sizes, strict=True)
        return tuple((index, size) for index, size in pairs if index not in self.at)

    def statements(self, place: Place) -> tuple[Statements, bool]:
        """The loops, and whether they leave elements out, which are zeros."""
        rhs = self.equation.rhs.xreplace(self.at)
        if isinstance(rhs, first_largest):
            return self.largest(rhs, place), True
        found = softmax_argument(rhs)
        if found is not None and found[3] == 1 and found[2] in dict(self.pending):
            return self.softmax(found[0], found[1], found[2], place), found[1] is not None
        if scattered(self.equation) is not None and not self.at:
            return self.scattered(place), True
        job = Job(self.target, rhs, self.pending, self.assigned)
        zero = bool(self.nests.factored(rhs, {**place.ranges, **ranges_of(self.pending)})[0])
        return self.nests.write(job, place), zero

    def assigned(self, target: Expr, value: Expr, _: Place) -> Statements:
        return [Assign(target, self.divided(value), number=self.line.number)]

    def divided(self, value: Expr) -> Expr:
        """The value, divided by the number of samples where that is asked for."""
        if not self.mean:
            return value
        return value / Symbol("N", integer=True, positive=True)

    # --- A sum whose terms belong to places that data tell ---

    def scattered(self, place: Place) -> Statements:
        """`dE[x[n,t], d] += …`, for all that is summed."""
        found = scattered(self.equation)
        assert found is not None  # noqa: S101 - the caller has looked
        factor, node, delta = found
        index, value = delta.args if delta.args[0] in self.equation.indices else delta.args[::-1]
        limits = tuple((limit[0], limit[2]) for limit in reversed(node.limits))
        pending = (*limits, *(pair for pair in self.pending if pair[0] != index))
        target = self.target.xreplace({index: value})
        job = Job(target, self.divided(factor * node.function), pending, self.added)
        return self.nests.write(job, place)

    def added(self, target: Expr, value: Expr, _: Place) -> Statements:
        return [Assign(target, value, "+", self.line.number)]

    # --- Where the largest stands ---

    def largest(self, rhs: Expr, place: Place) -> Statements:
        """One pass over the elements keeps the place of the first largest, which gets a 1."""
        *own, node = rhs.args
        outer = tuple(pair for pair in self.pending if pair[0] not in own)
        inner = tuple((limit[0], limit[2]) for limit in reversed(node.limits))
        lengths = tuple(size for _, size in inner)

        def search(target: Expr, value: Expr, here: Place) -> Statements:
            return self.search(target, value, tuple(own), lengths, here)

        bound = Tuple(node.function, *(index for index, _ in inner))
        return self.nests.write(Job(self.target, bound, outer, search), place)

    def search(
        self,
        target: Expr,
        value: Expr,
        own: tuple[Symbol, ...],
        sizes: tuple[Expr, ...],
        place: Place,
    ) -> Statements:
        body, *indices = value.args
        names = self.nests.naming
        top = names.local("top", place.used)
        statements: Statements = [Let(top, -oo)]
        best: dict[Expr, Symbol] = {}
        for index in own:
            here = place.after(statements)
            best[index] = names.local(
                f"{names.loop(index, frozenset())}_top", here.used, whole=True
            )
            statements.append(Let(best[index], Integer(0), whole=True))

        def keep(_: Expr, found: Expr, inner: Place) -> Statements:
            *at, value = found.args
            value = self.nests.resolved(value, inner.ranges, frozenset())
            moved = (Assign(b, a - 1, whole=True) for b, a in zip(best.values(), at, strict=True))
            return [If((larger(value, top),), (Assign(top, value), *moved))]

        pending = tuple(zip(indices, sizes, strict=True))
        job = Job(top, Tuple(*indices, body), pending, keep)
        statements += self.nests.write(job, place.after(statements))
        at = {index: name + 1 for index, name in best.items()}
        return [*statements, Assign(target.xreplace(at), Integer(1), number=self.line.number)]

    # --- Softmax ---

    def softmax(self, u: Expr, condition: Expr | None, index: Symbol, place: Place) -> Statements:
        """The largest is subtracted, so that nothing overflows."""
        outer = tuple(pair for pair in self.pending if pair[0] != index)
        bound = Tuple(u, Integer(1) if condition is None else condition)
        along = (index, dict(self.pending)[index])

        def row(target: Expr, value: Expr, here: Place) -> Statements:
            return self.row(target, value, along, here)

        return self.nests.write(Job(self.target, bound, outer, row), place)

    def row(
        self, target: Expr, value: Expr, along: tuple[Symbol, Expr], place: Place
    ) -> Statements:
        u, condition = value.args
        top = self.nests.naming.local("top", place.used)
        total = self.nests.naming.local("total", place.used)
        statements: Statements = [Let(top, -oo)]

        def each(target: Expr, value: Expr, final: Final) -> None:
            job = Job(target, value * condition, (along,), final)
            statements.extend(self.nests.write(job, place.after(statements)))

        def keep(_: Expr, found: Expr, __: Place) -> Statements:
            return [If((larger(found, top),), (Assign(top, found),))]

        each(top, u, keep)
        statements.append(Let(total, Integer(0)))
        if self.logarithm:
            each(total, exp(u - top), adding("+"))
            statements.append(Assign(total, log(total)))
            each(target, u - top - total, self.with_logarithm)
            return statements
        each(target, exp(u - top), self.exponential(total))
        each(target, total, self.shared)
        return statements

    def exponential(self, total: Symbol) -> Final:
        """`p = exp(u - top)`, which is added to the total."""

        def final(target: Expr, value: Expr, _: Place) -> Statements:
            return [Assign(target, value), Assign(total, target, "+")]

        return final

    def shared(self, target: Expr, value: Expr, _: Place) -> Statements:
        return [Assign(target, value, "/", self.line.number)]

    def with_logarithm(self, target: Expr, value: Expr, _: Place) -> Statements:
        """`log_p = u - top - total`, and `p` is its exponential."""
        logarithm = element(f"log_{self.equation.label}", indices_of(target))
        return [Assign(logarithm, value), Assign(target, exp(logarithm), number=self.line.number)]
