"""Whether two equations are the same but for the names of their tensors.

In: two expressions. Out: which tensor of the one stands for which of the other, or None. Must not
know: what is done with it.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import permutations

from sympy import Add, Expr, Indexed, Mul, Sum, Symbol

from bpderive.index import Equation, label_of
from bpderive.schedule.model import Line, Loop

Table = Mapping[object, object]
MOST = 6
"""A sum or product of more parts is not compared: its orders are too many."""


def defined_in(item: Line | Loop) -> set[str]:
    """The tensors that a line or a loop defines."""
    lines = item.lines if isinstance(item, Loop) else (item,)
    return {line.equation.label for line in lines}


def read_now(expr: Expr, index: Symbol) -> set[str]:
    """The tensors that are read at the step of a loop that is being computed."""
    return {label_of(tensor) for tensor in expr.atoms(Indexed) if index in tensor.indices}


def labels_in(expr: Expr) -> set[str]:
    """The tensors in an expression."""
    return {label_of(tensor) for tensor in expr.atoms(Indexed)}


def alike(one: Equation, two: Equation) -> Mapping[str, str] | None:
    """The labels of `one` and what they are in `two`."""
    if one.sizes != two.sizes or len(one.indices) != len(two.indices):
        return None
    start: Table = dict(zip(one.indices, two.indices, strict=True)) | {one.label: two.label}
    return labels(one.rhs, two.rhs, start)


def labels(one: Expr, two: Expr, start: Table) -> Mapping[str, str] | None:
    """The labels of an expression and what they are in another."""
    found = next(_match(one, two, start), None)
    if found is None:
        return None
    return {str(a): str(b) for a, b in found.items() if isinstance(a, str)}


def _match(one: Expr, two: Expr, table: Table) -> Iterator[Table]:
    """All ways to name the parts of one so that it becomes the other."""
    if isinstance(one, Symbol) and one.name.startswith("_"):
        yield from _paired(one, two, table)
        return
    if one.func != two.func:
        return
    method = METHODS.get(one.func)
    if method is not None:
        yield from method(one, two, table)
    elif not one.args or not two.args:
        yield from [table] * (one == two)
    else:
        yield from _all(one.args, two.args, table)


def _tensors(one: Indexed, two: Indexed, table: Table) -> Iterator[Table]:
    for found in _paired(label_of(one), label_of(two), table):
        yield from _all(one.indices, two.indices, found)


def _in_any_order(one: Expr, two: Expr, table: Table) -> Iterator[Table]:
    if len(one.args) == len(two.args) <= MOST:
        for order in permutations(two.args):
            yield from _all(one.args, order, table)


def _sums(one: Sum, two: Sum, table: Table) -> Iterator[Table]:
    if [limit[2] for limit in one.limits] == [limit[2] for limit in two.limits]:
        bound = dict(zip((a[0] for a in one.limits), (b[0] for b in two.limits), strict=True))
        yield from _match(one.function, two.function, {**table, **bound})


def _paired(one: object, two: object, table: Table) -> Iterator[Table]:
    if one in table:
        yield from [table] * (table[one] == two)
    elif two not in table.values():
        yield {**table, one: two}


def _all(one: tuple[Expr, ...], two: tuple[Expr, ...], table: Table) -> Iterator[Table]:
    """Every part of one with the part of the other at its place."""
    if len(one) != len(two):
        return
    if not one:
        yield table
        return
    for found in _match(one[0], two[0], table):
        yield from _all(one[1:], two[1:], found)


METHODS: Mapping[type[Expr], Callable[[Expr, Expr, Table], Iterator[Table]]] = {
    Indexed: _tensors,
    Add: _in_any_order,
    Mul: _in_any_order,
    Sum: _sums,
}
