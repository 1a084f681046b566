"""Conditions and choices among indices: `[s ≤ t]`, `δ_kp`, `[k = arg max …]`, what is constant.

In: a node of `functions.conditions`, or Kronecker's delta. Out: a piece. Must not know: any format.
"""

from typing import TYPE_CHECKING

from sympy import Expr, Indexed, KroneckerDelta, Symbol, oo

from bpderive.functions.conditions import bracket, first_largest, fixed
from bpderive.render.calls import named
from bpderive.render.letters import Scope, bound_letter
from bpderive.render.pieces import PRODUCT, Piece, Place
from bpderive.render.positions import position
from bpderive.render.roles import CONDITION

if TYPE_CHECKING:
    from bpderive.render.printer import Printer

STOP = "stop"
"""The function whose value is taken as a constant."""


def bounded(printer: "Printer", expr: bracket, scope: Scope) -> Piece:
    """`[low ≤ e ≤ high]`; `[e = low]` where the bounds are the same."""
    low, e, high = expr.args
    if low == high:
        return held(printer, (e, "=", low), scope)
    if low == -oo:
        return held(printer, (e, "<=", high), scope)
    if high == oo:
        return held(printer, (e, ">=", low), scope)
    return held(printer, (low, "<=", e, "<=", high), scope)


def kronecker(printer: "Printer", expr: KroneckerDelta, scope: Scope) -> Piece:
    """`δ_kp`, the indices in the order of their letters; `[t = T]` of anything else."""
    if all(_is_plain(index, printer) for index in expr.args):
        indices = sorted(printer.index(index, scope) for index in expr.args)
        text = printer.letter(printer.notation.kronecker) + printer.subscript(indices)
        place = Place(CONDITION) if printer.notation.general else Place()
        return Piece(text, place=place, key="~delta")
    left, right = sorted(expr.args, key=_side)
    return held(printer, (left, "=", right), scope)


def _is_plain(index: Expr, printer: "Printer") -> bool:
    """Whether it is an index by itself; a number is one in a dense network."""
    if not isinstance(index, Symbol):
        return bool(index.is_Integer) and not printer.notation.general
    return str(index.name)[0] == "_"


def _side(index: Expr) -> tuple[int, str]:
    """A tensor's element stands left of an index, then what is computed, then a number."""
    text = str(index)
    ranks = (isinstance(index, Indexed) or text[-1] == "]", text[0] == "_", not index.is_Integer)
    return ranks.index(True) if True in ranks else len(ranks), text


def held(printer: "Printer", parts: tuple[Expr | str, ...], scope: Scope) -> Piece:
    """A condition in square brackets, from sides and relations in turn."""
    texts = [
        printer.relations[part] if isinstance(part, str) else position(printer, part, scope)
        for part in parts
    ]
    text = printer.iverson(" ".join(texts))
    return Piece(text, place=Place(CONDITION), key=f"~{text}")


def chosen(printer: "Printer", expr: first_largest, scope: Scope) -> Piece:
    """`[k = arg max_k' x_k']`: 1 at the first largest element."""
    *indices, sought = expr.args
    body, *limits = sought.args
    for index, _, size in reversed(limits):
        letter = bound_letter(index, body, scope, printer.notation, size)
        scope = {**scope, index: letter}
    left = [printer.index(index, scope) for index in indices]
    below = [printer.counter(scope[limit.args[0]]) for limit in limits]
    inside = printer.whole(body, scope)
    shown = inside.text if inside.level >= PRODUCT else printer.bracketed(inside)
    where = printer.arg_max(below[::-1], shown)
    text = (
        f"{left[0] if len(left) == 1 else printer.several(left)} {printer.relations['=']} {where}"
    )
    return Piece(printer.iverson(text), place=Place(CONDITION), key="~", tall=inside.tall)


def constant(printer: "Printer", expr: fixed, scope: Scope) -> Piece:
    """`stop(u)`: u, taken as a constant."""
    return named(printer, STOP, [printer.whole(expr.args[0], scope)])
