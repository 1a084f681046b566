"""An index equation written out: sums as terms, elements as scalars by their reference text.

In: an expression over indices, with numbers for its free ones. Out: a SymPy expression of symbols
such as `w1[1,2]`. Small sizes only. Must not know: networks.
"""

from collections.abc import Callable, Mapping
from functools import reduce
from itertools import product
from typing import Any

from sympy import Add, Expr, Indexed, Integer, Mul, Sum, Symbol

from bpderive.errors import UnsupportedError
from bpderive.functions.conditions import first_largest, fixed, merged
from bpderive.index import Equation, indices_of, label_of

MAX_TERMS = 20_000


def element_symbol(label: str, at: tuple[int, ...]) -> Symbol:
    """The scalar of an element: `w1[1,2]`, `L`."""
    return Symbol(f"{label}[{','.join(map(str, at))}]" if at else label)


def unrolled(
    equation: Equation, at: tuple[int, ...], ranges: Mapping[str, tuple[int, ...]]
) -> Expr:
    """The right-hand side at these values of the free indices.

    Args:
        equation: whose sizes are numbers.
        at: a position on each axis of what is defined.
        ranges: the shape of every tensor by its label: an index out of it reads as zero.

    Raises:
        UnsupportedError: it would be too long.
    """
    axes = indices_of(equation.lhs)
    parts = [p for axis, k in zip(axes, at, strict=True) for p in split(axis, k)]
    table = dict(zip(equation.indices, parts, strict=True))
    return written(equation.rhs.xreplace(table), ranges)


def split(axis: Expr, position: int) -> tuple[Integer, ...]:
    """The index at a position, or those that are read as one there."""
    if not isinstance(axis, merged):
        return (Integer(position),)
    found: tuple[Integer, ...] = ()
    rest = position - 1
    for size in reversed(axis.sizes):
        rest, own = divmod(rest, int(size))
        found = (Integer(own + 1), *found)
    return found


def written(expr: Expr, ranges: Mapping[str, tuple[int, ...]]) -> Expr:
    """An expression without free indices, written out.

    Where the largest stands is a choice that is made already, and stays as it is.
    """
    for kind, rule in WRITTEN:
        if isinstance(expr, kind):
            return rule(expr, ranges)
    args = [written(arg, ranges) for arg in expr.args]
    return expr.func(*args) if args else expr


def _product(expr: Mul, ranges: Mapping[str, tuple[int, ...]]) -> Expr:
    """A product, given up at the first factor that is zero."""
    factors = []
    for arg in sorted(expr.args, key=lambda a: a.has(Sum)):
        factor = written(arg, ranges)
        if factor == 0:
            return Integer(0)
        factors.append(factor)
    return Mul(*factors)


def _terms(expr: Sum, ranges: Mapping[str, tuple[int, ...]]) -> Expr:
    spans = [range(1, int(limit[2]) + 1) for limit in expr.limits]
    if reduce(lambda total, span: total * len(span), spans, 1) > MAX_TERMS:
        raise UnsupportedError(f"a sum of more than {MAX_TERMS} terms is too long to write out")
    names = [limit[0] for limit in expr.limits]
    values = (dict(zip(names, map(Integer, at), strict=True)) for at in product(*spans))
    return Add(*(written(expr.function.xreplace(table), ranges) for table in values))


def _element(expr: Indexed, ranges: Mapping[str, tuple[int, ...]]) -> Expr:
    label, at = label_of(expr), expr.indices
    shape = ranges[label]
    inside = all(i.is_Integer and 1 <= i <= size for i, size in zip(at, shape, strict=True))
    known = all(i.is_number for i in at)
    if known and not inside:
        return Integer(0)
    return element_symbol(label, tuple(int(i) for i in at)) if known else expr


WRITTEN: tuple[tuple[type[Any], Callable[..., Expr]], ...] = (
    (Sum, _terms),
    (Indexed, _element),
    (Mul, _product),
    (fixed, lambda expr, ranges: written(expr.args[0], ranges)),
    (first_largest, lambda expr, _ranges: expr),
)
