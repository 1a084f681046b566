"""Indices that are only ever read as one, made one: then no axis has to be parted.

In: an equation. Out: an equal one, `a[n,(g,c)] = f(z[n,(g,c)])` with a single index for `(g,c)`.
Must not know: NumPy.
"""

from dataclasses import dataclass

from sympy import Expr, Mul, Sum, Symbol

from bpderive.functions.conditions import merged
from bpderive.index import Equation, indices_of, parts_of
from bpderive.targets.arrays.sizes import ranges_of

FUSED = "_8000{}m"


@dataclass
class Fusing:
    """Hands out the new indices."""

    count: int = 0

    def index(self) -> Symbol:
        self.count += 1
        return Symbol(FUSED.format(self.count), integer=True)

    def sums(self, expr: Expr) -> Expr:
        """The expression with such indices of its sums as one."""
        if not expr.has(merged):
            return expr
        args = [self.sums(arg) for arg in expr.args]
        expr = expr.func(*args) if args else expr
        return self.sum(expr) if isinstance(expr, Sum) else expr

    def sum(self, expr: Sum) -> Expr:
        """One sum."""
        bound = {index: size for index, _, size in expr.limits}
        for node in sorted(expr.function.atoms(merged), key=str):
            if not all(part in bound for part in node.parts):
                continue
            new = self.index()
            body = expr.function.xreplace({node: new})
            if not body.free_symbols & set(node.parts):
                size = Mul(*(bound[part] for part in node.parts))
                limits = [limit for limit in expr.limits if limit[0] not in node.parts]
                return self.sum(Sum(body, *limits, (new, 1, size)))
        return expr

    def equation(self, equation: Equation) -> Equation:
        """The equation with such indices as one, on both sides."""
        lhs, rhs = equation.lhs, self.sums(equation.rhs)
        for node in indices_of(lhs):
            if isinstance(node, merged):
                new = self.index()
                other = rhs.xreplace({node: new})
                if not other.free_symbols & set(node.parts):
                    lhs, rhs = lhs.xreplace({node: new}), other
        return Equation(lhs, rhs, _sizes(lhs, equation))


def _sizes(lhs: Expr, equation: Equation) -> tuple[Expr, ...]:
    """The ranges of the indices that are left."""
    ranges = ranges_of(equation)
    sizes: list[Expr] = []
    for old, new in zip(indices_of(equation.lhs), indices_of(lhs), strict=True):
        own = [ranges[part] for part in parts_of(old)]
        sizes += own if new == old else [Mul(*own)]
    return tuple(sizes)
