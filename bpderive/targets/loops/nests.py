"""Nests of loops from an index expression: each index a loop, each sum a loop that adds.

In: a `Job`: what to compute at all values of some indices. Out: statements. A sum stands before
the loops on which it does not depend; a condition bounds a loop, or stands around what it decides;
an index that a Kronecker delta fixes has no loop. Must not know: equations, any syntax.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from sympy import Add, Expr, Indexed, Integer, KroneckerDelta, Mul, Pow, Sum, Symbol, Tuple
from sympy.core.function import AppliedUndef

from bpderive.functions.conditions import bracket
from bpderive.index import label_of, rebuild
from bpderive.targets.loops.model import Assign, For, If, Let, Statement, guarded
from bpderive.targets.loops.naming import Naming
from bpderive.targets.loops.positions import Bounds, Ranges, bounds, conditions, holds, plain, span

Shapes = Mapping[str, tuple[Expr, ...]]
Pending = tuple[tuple[Symbol, Expr], ...]
"""Indices whose loops are not open yet, with their sizes."""
Statements = list[Statement]


@dataclass(frozen=True)
class Place:
    """Where statements stand: the variables of the loops around them, and all names in use."""

    ranges: Ranges = field(default_factory=dict)
    used: frozenset[str] = frozenset()

    def inside(self, variable: Symbol, size: Expr) -> "Place":
        """Within one more loop."""
        ranges = {**self.ranges, variable: (Integer(0), size - 1)}
        return Place(ranges, self.used | {variable.name})

    def after(self, statements: Iterable[Statement]) -> "Place":
        """After the numbers that statements define."""
        names = {s.name.name for s in statements if isinstance(s, Let)}
        return replace(self, used=self.used | names)


Final = Callable[[Expr, Expr, Place], Statements]
"""From a target and a value that holds no sum to the statements of the innermost loop."""


@dataclass(frozen=True)
class Job:
    """A value to be worked out for a target, at all values of the pending indices.

    `open_conditions` must still be asked for, `known` hold already; `adds` says that the value is
    added to a number, so that a sum is the sum of its terms.
    """

    target: Expr
    value: Expr
    pending: Pending
    final: Final
    open_conditions: tuple[Expr, ...] = ()
    known: frozenset[Expr] = frozenset()
    adds: bool = False

    def replaced(self, table: Mapping[Expr, Expr]) -> "Job":
        """With other expressions for some indices; those are no longer pending."""
        return replace(
            self,
            target=self.target.xreplace(table),
            value=self.value.xreplace(table),
            pending=tuple(
                (index, size.xreplace(table)) for index, size in self.pending if index not in table
            ),
            open_conditions=tuple(plain(c.xreplace(table)) for c in self.open_conditions),
            known=frozenset(plain(c.xreplace(table)) for c in self.known),
        )


@dataclass(frozen=True)
class Nests:
    """Writes nests over tensors of some shapes."""

    shapes: Shapes
    naming: Naming

    def write(self, job: Job, place: Place) -> Statements:
        """All statements of a job; what its value says of its indices becomes conditions."""
        ranges = {**place.ranges, **ranges_of(job.pending)}
        found, value = self.factored(job.value, ranges)
        asked = (*job.open_conditions, *(c for c in found if c not in job.known))
        return self.nest(replace(job, value=value, open_conditions=asked), place)

    def nest(self, job: Job, place: Place) -> Statements:
        """The loops from here on."""
        job = self.fixed(job, place)
        waiting = {index for index, _ in job.pending}
        ready = tuple(c for c in job.open_conditions if not c.free_symbols & waiting)
        rest = tuple(c for c in job.open_conditions if c not in ready)
        job = replace(job, open_conditions=rest, known=job.known | set(ready))
        asked = tuple(c for c in ready if not holds(c, place.ranges))
        if asked:
            return [If(asked, tuple(self.nest(job, place)))]
        if not job.pending:
            return self.last(job, place)
        before, job = self.hoisted(job, place)
        return [*before, self.loop(job, place.after(before))]

    def fixed(self, job: Job, place: Place) -> Job:
        """Without the indices that have one value only."""
        for index, size in job.pending:
            if size == 1:
                return self.fixed(job.replaced({index: Integer(1)}), place)
            value = bounds(job.open_conditions, index).value
            if value is not None:
                new = job.replaced({index: value})
                ranges = {**place.ranges, **ranges_of(new.pending)}
                more = tuple(map(plain, conditions(value, Integer(1), size, ranges)))
                kept = tuple(c for c in new.open_conditions if c != 1)
                return self.fixed(replace(new, open_conditions=(*kept, *more)), place)
        return job

    def hoisted(self, job: Job, place: Place) -> tuple[Statements, Job]:
        """The sums that do not depend on the loops to come, as numbers; and what remains."""
        waiting = {index for index, _ in job.pending}
        found = [s for s in outer_sums(job.value) if not s.free_symbols & waiting]
        return self.summed(found, job, place)

    def summed(self, sums: Iterable[Sum], job: Job, place: Place) -> tuple[Statements, Job]:
        """Some sums as numbers of their own."""
        statements: Statements = []
        table: dict[Expr, Expr] = {}
        for node in sums:
            here = place.after(statements)
            total = self.naming.local("total", here.used)
            statements.append(Let(total, Integer(0)))
            statements += self.gathered(total, "+", node, place.after(statements))
            table[node] = total
        return statements, replace(job, value=job.value.xreplace(table))

    def gathered(self, total: Symbol, sign: str, node: Sum, place: Place) -> Statements:
        """The loops that add to a number."""
        pending = tuple((index, size) for index, _, size in reversed(node.limits))
        job = Job(total, node.function, pending, adding(sign), adds=True)
        return self.write(job, place)

    def loop(self, job: Job, place: Place) -> Statement:
        """One loop, and what is in it."""
        index, size = self.next(job)
        others = {other for other, _ in job.pending} - {index}
        ready = tuple(
            c
            for c in job.open_conditions
            if index in c.free_symbols and not c.free_symbols & others
        )
        limits = bounds(ready, index)
        variable = self.naming.loop(index, place.used)
        done = frozenset(c for c in ready if c not in limits.rest)
        rest = tuple(c for c in job.open_conditions if c not in done)
        inner = replace(job, open_conditions=rest, known=job.known | done)
        body = self.nest(inner.replaced({index: variable + 1}), place.inside(variable, size))
        low, high = ends(limits, size, place.ranges)
        return For(variable, low, high, tuple(body))

    def next(self, job: Job) -> tuple[Symbol, Expr]:
        """The index of the next loop: of those on which the sum of fewest depends."""
        waiting = {index for index, _ in job.pending}
        wanted = [s.free_symbols & waiting for s in outer_sums(job.value)]
        wanted = sorted((w for w in wanted if w and w != waiting), key=len)
        first = wanted[0] if wanted else waiting
        return next(pair for pair in job.pending if pair[0] in first)

    def last(self, job: Job, place: Place) -> Statements:
        """The innermost statements: sums that remain are numbers of their own."""
        if isinstance(job.value, Tuple):
            return job.final(job.target, job.value, place)
        if isinstance(job.value, Sum) and job.adds:
            inner = tuple((index, size) for index, _, size in reversed(job.value.limits))
            return self.write(replace(job, value=job.value.function, pending=inner), place)
        before, job = self.totalled(job, place)
        place = place.after(before)
        value = self.resolved(job.value, place.ranges, job.known)
        return [*before, *job.final(job.target, value, place)]

    def totalled(self, job: Job, place: Place) -> tuple[Statements, Job]:
        """Sums and terms with conditions are added to one number, which begins with the others."""
        terms = Add.make_args(job.value)
        pure = [t for t in terms if self.apart(t, job, place)] if len(terms) > 1 else []
        pure = pure or [t for t in terms if isinstance(t, Sum)]
        rest = replace(job, value=Add(*(t for t in terms if t not in pure)))
        before, rest = self.summed(outer_sums(rest.value), rest, place)
        if not pure:
            return before, rest
        total = self.naming.local("total", place.after(before).used)
        start = self.resolved(rest.value, place.ranges, job.known)
        statements = [*before, Let(total, start)]
        here = place.after(statements)
        for term in sorted(pure, key=lambda t: bool(t.as_coeff_Mul()[0] < 0)):
            negative = bool(term.as_coeff_Mul()[0] < 0)
            final = adding("-" if negative else "+")
            added = Job(total, -term if negative else term, (), final, (), job.known, adds=True)
            statements += self.write(added, here)
        return statements, replace(job, value=total)

    def apart(self, term: Expr, job: Job, place: Place) -> bool:
        """Whether a term is a sum, or zero where a condition does not hold."""
        found, _ = self.factored(term, place.ranges)
        asked = any(c != 1 and c not in job.known for c in found)
        return asked or isinstance(term, Sum) or isinstance(-term, Sum)

    # --- Conditions ---

    def factored(self, expr: Expr, ranges: Ranges) -> tuple[tuple[Expr, ...], Expr]:
        """What must hold for a product not to be zero, and the product where it holds."""
        if isinstance(expr, Tuple):
            return (), expr
        found: dict[Expr, None] = {}
        kept: list[Expr] = []
        for factor in Mul.make_args(expr):
            if isinstance(factor, bracket | KroneckerDelta):
                found[plain(factor)] = None
                continue
            kept.append(factor)
            base = factor.base if isinstance(factor, Pow) and factor.exp.is_positive else factor
            if isinstance(base, Indexed):
                found.update(dict.fromkeys(self.asked(base, ranges)))
        return tuple(found), Mul(*kept)

    def asked(self, tensor: Indexed, ranges: Ranges) -> Iterable[Expr]:
        """What must hold for an element to be there."""
        for index, size in zip(tensor.indices, self.shapes[label_of(tensor)], strict=True):
            yield from map(plain, conditions(index, Integer(1), size, ranges))

    def resolved(self, expr: Expr, ranges: Ranges, known: frozenset[Expr]) -> Expr:
        """An expression without sums, with `guarded` where a condition is not known to hold."""
        if isinstance(expr, Add):
            return Add(*(self.resolved(term, ranges, known) for term in expr.args))
        found, value = self.factored(expr, ranges)
        kept = tuple(c for c in found if c not in known and c != 1)
        value = self.inner(value, ranges, known | set(found))
        return guarded(value, *kept) if kept else value

    def inner(self, expr: Expr, ranges: Ranges, known: frozenset[Expr]) -> Expr:
        """The same within functions, brackets and powers."""
        if isinstance(expr, Indexed) or not expr.args:
            return expr
        if isinstance(expr, Mul):
            return Mul(*(self.inner(arg, ranges, known) for arg in expr.args))
        if isinstance(expr, Pow | AppliedUndef) or expr.is_Function or isinstance(expr, Add):
            return rebuild(expr, [self.resolved(arg, ranges, known) for arg in expr.args])
        return expr


def adding(sign: str) -> Final:
    """`total += value`."""

    def add(target: Expr, value: Expr, _: Place) -> Statements:
        return [Assign(target, value, sign)]

    return add


def ranges_of(pending: Pending) -> Ranges:
    """The values of indices whose loops are not open: they count from 1."""
    return {index: (Integer(1), size) for index, size in pending}


def outer_sums(expr: Expr) -> list[Sum]:
    """The sums that are in no other, in a fixed order."""
    if isinstance(expr, Sum):
        return [expr]
    found: dict[Sum, None] = {}
    for arg in () if isinstance(expr, Indexed) else expr.args:
        found.update(dict.fromkeys(outer_sums(arg)))
    return list(found)


def ends(limits: Bounds, size: Expr, ranges: Ranges) -> tuple[tuple[Expr, ...], tuple[Expr, ...]]:
    """Where a loop begins and before what it ends; what others imply is left out."""
    low = tuple(bound - 1 for bound in limits.low)
    below = any(span(bound, ranges)[0].is_nonnegative for bound in low)
    above = any((size - span(bound, ranges)[1]).is_nonnegative for bound in limits.high)
    return low if below else (Integer(0), *low), limits.high if above else (size, *limits.high)
