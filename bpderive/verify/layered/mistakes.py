"""The mistakes that people make in derivatives of layers by indices: an ordered table.

In: the right-hand side of a derivative. Out: every wrong one that the mistake makes of it. To add a
mistake, add a row. Must not know: how anything is proved.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sympy import Add, Expr, Function, Indexed, Integer, KroneckerDelta, Mul, Sum

from bpderive.functions.conditions import bracket, merged
from bpderive.index import peel

Plant = Callable[[Expr], Iterator[Expr]]


@dataclass(frozen=True)
class Mistake:
    """One mistake: `plant` makes it at every place where it can be made."""

    id: str
    plant: Plant


def everywhere(expr: Expr, change: Callable[[Expr], Iterator[Expr]]) -> Iterator[Expr]:
    """The expression with one of its nodes changed, for each node and each change of it."""
    yield from change(expr)
    if isinstance(expr, Sum):
        for new in everywhere(expr.function, change):
            yield Sum(new, *expr.limits)
        return
    if isinstance(expr, Indexed):
        return
    for place, arg in enumerate(expr.args):
        for new in everywhere(arg, change):
            yield expr.func(*expr.args[:place], new, *expr.args[place + 1 :])


def sign(expr: Expr) -> Iterator[Expr]:
    """`u → −u`."""
    yield -expr


def doubled(expr: Expr) -> Iterator[Expr]:
    """`u → 2u`."""
    yield 2 * expr


def term_dropped(expr: Expr) -> Iterator[Expr]:
    """`u + v → u`, in any sum of terms that is no index."""

    def change(node: Expr) -> Iterator[Expr]:
        if isinstance(node, Add):
            yield from (node - term for term in node.args)

    return everywhere(expr, change)


def factor_dropped(expr: Expr) -> Iterator[Expr]:
    """`u v → u`, numbers aside."""

    def change(node: Expr) -> Iterator[Expr]:
        if isinstance(node, Mul):
            yield from (node / f for f in node.args if not f.is_Number and not _test(f))

    return everywhere(expr, change)


def _test(factor: Expr) -> bool:
    """Whether it is a condition: division by it has no meaning."""
    return isinstance(factor, (bracket, KroneckerDelta))


def condition_dropped(expr: Expr) -> Iterator[Expr]:
    """`[i ≤ j] u → u`."""

    def change(node: Expr) -> Iterator[Expr]:
        if _test(node):
            yield Integer(1)

    return everywhere(expr, change)


def transposed(expr: Expr) -> Iterator[Expr]:
    """`w[i,j] → w[j,i]`, for any two neighbours among the indices of a tensor."""

    def change(node: Expr) -> Iterator[Expr]:
        indices = list(node.indices) if isinstance(node, Indexed) else []
        for k in range(len(indices) - 1):
            swapped = [*indices[:k], indices[k + 1], indices[k], *indices[k + 2 :]]
            yield Indexed(node.base, *swapped)

    return everywhere(expr, change)


def shifted(expr: Expr) -> Iterator[Expr]:
    """`δ[t+1] → δ[t]`, for any index that is a sum."""

    def change(node: Expr) -> Iterator[Expr]:
        for k, index in enumerate(node.indices if isinstance(node, Indexed) else ()):
            constant, _ = index.as_coeff_Add()
            if constant != 0 and isinstance(index, Add):
                indices = list(node.indices)
                indices[k] = index - constant
                yield Indexed(node.base, *indices)

    return everywhere(expr, change)


def slipped(expr: Expr) -> Iterator[Expr]:
    """`x[n, t] → x[n, t−1]`: an index that is a letter slips by one."""

    def change(node: Expr) -> Iterator[Expr]:
        for k, index in enumerate(node.indices if isinstance(node, Indexed) else ()):
            if index.is_Symbol or isinstance(index, merged):
                indices = list(node.indices)
                indices[k] = index - 1
                yield Indexed(node.base, *indices)

    return everywhere(expr, change)


def sum_dropped(expr: Expr) -> Iterator[Expr]:
    """`Σ_k u_k → u_1`, for any sum."""

    def change(node: Expr) -> Iterator[Expr]:
        if isinstance(node, Sum):
            body, index, _ = peel(node)
            yield body.xreplace({index: Integer(1)})

    return everywhere(expr, change)


def function_dropped(expr: Expr) -> Iterator[Expr]:
    """`f(u) → 1`, for any function that is no condition."""

    def change(node: Expr) -> Iterator[Expr]:
        if isinstance(node, Function) and not _test(node) and not isinstance(node, merged):
            yield Integer(1)

    return everywhere(expr, change)


MISTAKES = (
    Mistake("sign", sign),
    Mistake("doubled", doubled),
    Mistake("term_dropped", term_dropped),
    Mistake("factor_dropped", factor_dropped),
    Mistake("condition_dropped", condition_dropped),
    Mistake("indices_swapped", transposed),
    Mistake("shift_forgotten", shifted),
    Mistake("index_slipped", slipped),
    Mistake("sum_dropped", sum_dropped),
    Mistake("function_dropped", function_dropped),
)
"""In the order in which they are told."""
