"""How steep an activation is at most, found and proved.

In: a row of the catalogue. Out: a `MaximalSlope`: exact where an exact argument holds, else
enclosed by interval arithmetic, else "open". Must not know: networks, letters, words.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Literal

from sympy import Expr, Symbol, oo

from bpderive.catalog import Activation
from bpderive.functions import number, scalar_symbol, total
from bpderive.slopes.exact import exact
from bpderive.slopes.model import MaximalSlope, Part
from bpderive.slopes.pieces import Piece, pieces
from bpderive.slopes.search import search

OPEN = MaximalSlope(None, None, exact=False, kind="open", argument="open", attained=False)

SLACK = 1e-9

BAD: tuple[Literal["unbounded", "open"], ...] = ("unbounded", "open")


def maximal_slope(row: Activation) -> MaximalSlope:
    """The largest size of the slope of an elementwise activation."""
    return _maximal(row.formula, row)


@lru_cache(maxsize=256)
def _maximal(_formula: str, row: Activation) -> MaximalSlope:
    z, a = scalar_symbol("z"), scalar_symbol("a")
    return maximum_of(row.slope_expr.xreplace({a: row.definition}), z)


def maximum_of(slope: Expr, x: Symbol) -> MaximalSlope:
    """The largest size of an expression in one variable."""
    if slope.has(total):
        return OPEN
    found = pieces(slope, x)
    if found is None:
        return OPEN
    parts = tuple(_convened(_part(piece, x), slope, x) for piece in found)
    for kind in BAD:
        bad = next((part for part in parts if _kind(part) == kind), None)
        if bad is not None:
            return replace(OPEN, kind=kind, argument=bad.argument, at=bad.at, parts=parts)
    best = max(parts, key=lambda part: number(part.value))
    if any(_exceeds(slope.xreplace({x: p.hi}), best.value) for p in found if p.hi != oo):
        return OPEN
    isolated = best.argument not in ("search", "limit")
    return MaximalSlope(
        best.value, best.at, isolated, "proved", best.argument, best.attained, parts
    )


def _convened(part: Part, slope: Expr, x: Symbol) -> Part:
    """A part whose maximum is at a kink takes it only where convention does."""
    if part.value is None or part.at is None or part.at not in (part.piece.lo, part.piece.hi):
        return part
    size = abs(slope.xreplace({x: part.at}))
    taken = size == part.value or _near(number(size), number(part.value))
    return replace(part, attained=part.attained and taken)


def _near(size: Expr, value: Expr) -> bool:
    known = size.is_Number and size.is_finite
    return known and bool(abs(size - value) <= SLACK * value)


def _exceeds(value: Expr, bound: Expr | None) -> bool:
    """Whether the value that convention takes at a kink is larger than on either side."""
    size = abs(number(value))
    known = size.is_Number and size.is_finite
    return not known or bool(size > number(bound) * (1 + SLACK))


def _kind(part: Part) -> str:
    if part.value is not None:
        return "proved"
    return "unbounded" if part.argument in ("unbounded", "grows") else "open"


def _part(piece: Piece, x: Symbol) -> Part:
    found = exact(piece, x) or search(piece, x)
    return found or Part(piece, None, None, attained=False, argument="open")
