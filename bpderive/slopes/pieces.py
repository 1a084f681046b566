"""A slope with cases, cut at its kinks into smooth pieces.

In: an expression in one variable. Out: `Piece`s from left to right, in each of which no case is
left to decide; or None where a condition cannot be solved. Must not know: bounds, networks.
"""

from dataclasses import dataclass
from itertools import pairwise

from sympy import Expr, Integer, Symbol, oo, preorder_traversal, sqrt

from bpderive.functions import Abs, number, select, sign

MOST = 24
"""More pieces are not looked at."""


@dataclass(frozen=True)
class Piece:
    """`expr` from `lo` to `hi`, numbers or infinities."""

    lo: Expr
    hi: Expr
    expr: Expr

    @property
    def inside(self) -> Expr:
        """A number of the piece."""
        if self.lo == -oo:
            return Integer(0) if self.hi == oo else self.hi - 1
        return self.lo + 1 if self.hi == oo else (self.lo + self.hi) / 2


def pieces(expr: Expr, x: Symbol) -> tuple[Piece, ...] | None:
    """The smooth pieces over the whole line."""
    waiting, done = [Piece(-oo, oo, expr)], []
    while waiting:
        piece = waiting.pop()
        condition = _condition(piece.expr, x)
        if condition is None:
            done.append(piece)
            continue
        roots = _roots(condition, x)
        if roots is None or len(waiting) + len(done) > MOST:
            return None
        inner = [root for root in roots if _less(piece.lo, root) and _less(root, piece.hi)]
        ends = [piece.lo, *inner, piece.hi]
        parts = [Piece(lo, hi, piece.expr) for lo, hi in pairwise(ends)]
        waiting += [_resolved(part, condition, x) for part in reversed(parts)]
    return tuple(done)


def _less(a: Expr, b: Expr) -> bool:
    return bool(a == -oo or b == oo or number(b - a) > 0)


def _condition(expr: Expr, x: Symbol) -> Expr | None:
    """What an innermost case asks the sign of."""
    for node in preorder_traversal(expr):
        asks = isinstance(node, select | Abs | sign) and x in node.args[0].free_symbols
        if asks and not node.args[0].has(select, Abs, sign):
            return node.args[0]
    return None


def _roots(u: Expr, x: Symbol) -> list[Expr] | None:
    """Where a polynomial of degree 1 or 2 is 0, in order; None for anything else."""
    poly = u.as_poly(x) if u.is_polynomial(x) and _degree(u, x) <= 2 else None
    if poly is None or not all(c.is_number for c in poly.all_coeffs()):
        return None
    *_, c = coefficients = poly.all_coeffs()
    if len(coefficients) == 2:
        return [-c / coefficients[0]]
    a, b = coefficients[:2]
    inside = b**2 - 4 * a * c
    if number(inside) <= 0:
        return [-b / (2 * a)] if number(inside) == 0 else []
    found = [(-b - sqrt(inside)) / (2 * a), (-b + sqrt(inside)) / (2 * a)]
    return found if number(a) > 0 else found[::-1]


def _degree(u: Expr, x: Symbol) -> int:
    """The degree of a polynomial, at most; no product is multiplied out."""
    if u == x:
        return 1
    if u.is_Pow:
        return _degree(u.base, x) * abs(int(u.exp)) if u.exp.is_Integer else 99
    degrees = [_degree(arg, x) for arg in u.args] or [0]
    return sum(degrees) if u.is_Mul else max(degrees)


def _resolved(piece: Piece, condition: Expr, x: Symbol) -> Piece:
    """The piece with every case that asks this condition decided."""
    positive = bool(number(condition.xreplace({x: piece.inside})) > 0)
    decided = {}
    for node in preorder_traversal(piece.expr):
        if isinstance(node, select | Abs | sign) and node.args[0] == condition:
            decided[node] = _chosen(node, positive)
    return Piece(piece.lo, piece.hi, piece.expr.xreplace(decided))


def _chosen(node: Expr, positive: bool) -> Expr:
    if isinstance(node, select):
        return node.args[1] if positive else node.args[2]
    if isinstance(node, Abs):
        return node.args[0] if positive else -node.args[0]
    return Integer(1 if positive else -1)
