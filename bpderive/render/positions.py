"""Indices that are computed: `S(i−1)+k`, `(p−k)/S`, `(c, t)`, `x_nt` where a token counts.

In: an index expression, the letters in scope, a `Printer`. Out: text in one line. Terms stand in
the order of their indices, sizes and numbers after them. Must not know: any format.
"""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sympy import Add, Expr, Integer, Mod, Mul, Symbol, floor

from bpderive.functions.conditions import merged
from bpderive.render.letters import Scope
from bpderive.render.pieces import ATOM, PRODUCT, SUM, Piece, Place

if TYPE_CHECKING:
    from bpderive.render.printer import Printer


def position(printer: "Printer", expr: Expr, scope: Scope) -> str:
    """An index as it stands among others, or in a condition."""
    return printer.signed(_terms(printer, expr, scope))


def modulo(printer: "Printer", expr: Mod, scope: Scope) -> Piece:
    """`(t−1) mod B`, in brackets where it is a part of something."""
    return printer.enclosed(_modulo(printer, expr, scope))


def floored(printer: "Printer", expr: floor, scope: Scope) -> Piece:
    """`⌊(T−K)/S⌋`."""
    inside = Piece(position(printer, expr.args[0], scope), SUM)
    return Piece(printer.floored(inside), place=Place(plain=True))


def several(printer: "Printer", expr: merged, scope: Scope) -> Piece:
    """`(c, t)`: the indices that are read as one."""
    return Piece(printer.several([position(printer, part, scope) for part in expr.parts]))


def _terms(printer: "Printer", expr: Expr, scope: Scope) -> list[Piece]:
    if isinstance(expr, Add) and all(term.as_coeff_Mul()[0].is_Integer for term in expr.args):
        found = [(_letters(term, scope), _piece(printer, term, scope)) for term in expr.args]
        found.sort(key=lambda f: (f[1].negative, not f[0], f[0], f[1].text))
        return [piece for _, piece in found]
    return [_whole(printer, expr, scope)]


def _whole(printer: "Printer", expr: Expr, scope: Scope) -> Piece:
    """A single term; what stands alone needs no brackets."""
    if isinstance(expr, Mod):
        return _modulo(printer, expr, scope)
    return _piece(printer, expr, scope)


def _piece(printer: "Printer", expr: Expr, scope: Scope) -> Piece:
    for kind in type(expr).__mro__:
        if kind in METHODS:
            return METHODS[kind](printer, expr, scope)
    return printer.piece(expr, scope)


def _sum(printer: "Printer", expr: Add, scope: Scope) -> Piece:
    """A sum; a common denominator of its terms stands under all of them."""
    top, bottom = expr.as_numer_denom() if _broken(expr) else (expr, Integer(1))
    if bottom != 1:
        return _quotient(printer, top, bottom, scope)
    terms = _terms(printer, expr, scope)
    return Piece(printer.signed(terms), SUM)


def _broken(expr: Add) -> bool:
    return any(not term.as_coeff_Mul()[0].is_Integer for term in expr.args)


def _product(printer: "Printer", expr: Mul, scope: Scope) -> Piece:
    top, bottom = expr.as_numer_denom()
    if bottom != 1:
        return _quotient(printer, top, bottom, scope)
    number, rest = expr.as_coeff_Mul()
    found = [
        (isinstance(factor, Add), bool(_letters(factor, scope)), _operand(printer, factor, scope))
        for factor in Mul.make_args(rest)
    ]
    found.sort(key=lambda f: (*f[:2], f[2].text))
    shown = [Piece(str(abs(number)), kind="number")] if abs(number) != 1 else []
    shown += [piece for *_, piece in found]
    text = shown[0].text
    for left, right in pairwise(shown):
        text += printer.between(left._replace(place=Place(plain=True)), right) + right.text
    return Piece(text, PRODUCT, negative=bool(number < 0))


def _quotient(printer: "Printer", top: Expr, bottom: Expr, scope: Scope) -> Piece:
    number = top.as_coeff_Mul()[0]
    negative = bool(number < 0)
    over = _operand(printer, -top if negative else top, scope)
    under = _operand(printer, bottom, scope)
    return Piece(printer.over(over.text, under.text), PRODUCT, negative=negative)


def _operand(printer: "Printer", expr: Expr, scope: Scope) -> Piece:
    """A factor, in brackets where it is a sum, a quotient or negative."""
    piece = _piece(printer, expr, scope)
    if piece.level < PRODUCT or piece.negative or (piece.level < ATOM and not expr.is_Mul):
        return printer.enclosed(piece)
    return piece


def _modulo(printer: "Printer", expr: Mod, scope: Scope) -> Piece:
    whole, size = expr.args
    rest = whole.as_coeff_Add()[0]
    if size in Add.make_args(whole) or (size.is_Integer and 2 * rest > size):
        whole = whole - size  # SymPy makes t + B - 1 of t - 1
    left, right = (_operand(printer, arg, scope) for arg in (whole, size))
    return Piece(f"{left.text}{printer.modulo}{right.text}", SUM)


def _number(_printer: "Printer", expr: Integer, _scope: Scope) -> Piece:
    return Piece(str(abs(expr)), kind="number", negative=bool(expr < 0))


def _letters(expr: Expr, scope: Scope) -> tuple[str, ...]:
    """The letters of the indices in a term."""
    symbols = expr.atoms(Symbol)
    return tuple(sorted(scope[s] for s in symbols if s in scope))


METHODS: Mapping[type, Callable[["Printer", Any, Scope], Piece]] = {
    Add: _sum,
    Mul: _product,
    Integer: _number,
    floor: floored,
    Mod: modulo,
    merged: several,
}
