"""How steep an activation is at most, with the proof in words and formulas.

In: a row of the catalogue. Out: blocks. Must not know: words, how a
maximum was found.
"""

from collections.abc import Iterator

from sympy import Expr, Function, oo

from bpderive.catalog import Activation
from bpderive.document.blocks import Block, Cell, Equations, Items, Listed, Paragraph, Row, Words
from bpderive.document.mathematics import Formula, Value
from bpderive.flow.largest import DIGITS, bound_of
from bpderive.flow.rounding import upward
from bpderive.functions import Abs, scalar_symbol
from bpderive.slopes.extrema import maximal_slope
from bpderive.slopes.model import MaximalSlope, Part
from bpderive.slopes.nodes import at_most

GROWING = ("grows", "unbounded")
Z = scalar_symbol("z")


def slope_of(row: Activation) -> Expr:
    """`f'(z)`, by its name."""
    return Function(f"{row.name}'")(Z)


def maximum(row: Activation) -> Iterator[Block]:
    """The largest size of a slope: the statement, and why."""
    found = maximal_slope(row)
    slope = {"slope": Formula(slope_of(row))}
    if found.value is None:
        yield Paragraph(_without(found, slope))
        return
    yield Paragraph(Words("maximum.intro", slope))
    yield from _reasons(found, row)
    bound = bound_of(row)
    assert bound is not None  # noqa: S101
    yield Paragraph(Words("maximum.result"))
    yield Equations((Row(None, Formula(at_most(Abs(slope_of(row)), bound))),))


def _without(found: MaximalSlope, slope: dict[str, Formula]) -> Words:
    """What is said of a slope without a bound."""
    growing = next((part for part in found.parts if part.argument in GROWING), None)
    if found.kind == "open" or growing is None:
        return Words("maximum.open", slope)
    return Words("maximum.unbounded", {**slope, "part": Formula(growing.piece.expr)})


def _reasons(found: MaximalSlope, row: Activation) -> Iterator[Block]:
    if all(part.argument == "constant" for part in found.parts) and len(found.parts) > 1:
        yield Paragraph(Words("maximum.constants", {"values": _listed(found.parts)}))
        return
    if len(found.parts) == 1:
        yield from _alone(found.parts[0], row)
        return
    items = (
        Words("maximum.piece", {"where": _range(part), "why": _why(part, row)})
        for part in found.parts
    )
    yield Items(tuple(items))


def _listed(parts: tuple[Part, ...]) -> Cell:
    values = sorted({part.piece.expr for part in parts})
    return Listed(tuple(Formula(value) for value in values))


def _alone(part: Part, row: Activation) -> Iterator[Block]:
    """The argument of a slope without cases; a completed square stands by itself."""
    if part.argument == "square":
        yield from _squared(part, row)
    elif part.argument == "constant" and part.value is not None:
        yield Paragraph(Words("maximum.constant_alone", {"value": _number(part.value)}))
    else:
        yield Paragraph(_why(part, row))


def _squared(part: Part, row: Activation) -> Iterator[Block]:
    assert part.value is not None  # noqa: S101
    left = slope_of(row) if part.piece.expr == part.shown[1] else part.piece.expr
    yield Equations((Row(Formula(left), Formula(part.shown[1])),))
    slots: dict[str, Cell] = {"value": _number(part.value), "where": _place(part)}
    yield Paragraph(_completed("square", part, slots))


def _range(part: Part) -> Words:
    lo, hi = part.piece.lo, part.piece.hi
    slots = {"z": Formula(Z)}
    if lo == -oo:
        return Words("maximum.below", {**slots, "high": Formula(hi)})
    if hi == oo:
        return Words("maximum.above", {**slots, "low": Formula(lo)})
    return Words("maximum.between", {**slots, "low": Formula(lo), "high": Formula(hi)})


def _why(part: Part, row: Activation) -> Words:
    """The sentence of an argument, with what it names."""
    slots: dict[str, Cell] = {"z": Formula(Z)}
    if part.value is not None:
        slots["value"] = _number(part.value)
    return WHY[part.argument](part, slots, row)


def _number(value: Expr) -> Cell:
    if value.is_Rational:
        return Formula(value)
    return Value(upward(value, DIGITS), DIGITS)


def _place(part: Part) -> Cell:
    """Where the maximum is, or is come near to: a number, or an end of the line."""
    at = part.at
    if at in (oo, -oo):
        return Words("maximum.right" if at == oo else "maximum.left", {"z": Formula(Z)})
    assert at is not None  # noqa: S101
    number: Cell = Value(at, 6) if at.is_Float else Formula(at)
    return Words(
        "maximum.at" if part.attained else "maximum.towards", {"z": Formula(Z), "at": number}
    )


def _plain(part: Part, slots: dict[str, Cell], _row: Activation) -> Words:
    return Words(f"maximum.{part.argument}", slots)


def _square(part: Part, slots: dict[str, Cell], _row: Activation) -> Words:
    found = {**slots, "square": Formula(part.shown[1]), "where": _place(part)}
    return _completed("square_of", part, found)


def _completed(key: str, part: Part, slots: dict[str, Cell]) -> Words:
    """What a completed square says: it lies below a number, or above a negative one."""
    assert part.value is not None  # noqa: S101
    top = part.shown[1].as_independent(part.shown[0], as_Add=True)[0]
    if top == part.value:
        return Words(f"maximum.{key}", slots)
    return Words(f"maximum.{key}_negative", {**slots, "lowest": _minus(part.value)})


def _minus(value: Expr) -> Cell:
    return Formula(-value) if value.is_Rational else Value(-upward(value, DIGITS), DIGITS)


def _between(part: Part, slots: dict[str, Cell], _row: Activation) -> Words:
    atom, low, high = (Formula(expr) for expr in part.shown)
    found = {**slots, "slope": Formula(part.piece.expr), "where": _place(part)}
    found |= {"atom": atom, "low": low, "high": high}
    return Words("maximum.range" if part.attained else "maximum.approached", found)


def _stationary(part: Part, slots: dict[str, Cell], row: Activation) -> Words:
    exact = Formula(part.value) if part.value is not None else slots["value"]
    found = {**slots, "slope": Formula(slope_of(row)), "where": _place(part), "exact": exact}
    if part.value is not None and not part.value.is_Rational:
        found["value"] = Value(part.value.evalf(DIGITS), DIGITS)
    short = part.value is not None and part.value.is_Rational
    return Words(f"maximum.stationary{'_number' if short else ''}", found)


def _search(part: Part, slots: dict[str, Cell], row: Activation) -> Words:
    found = {**slots, "slope": Formula(slope_of(row)), "where": _place(part)}
    if part.value is not None and part.argument == "search":
        found["value"] = Value(part.value.evalf(DIGITS), DIGITS)
    return Words(f"maximum.{part.argument}", found)


def _end(part: Part, slots: dict[str, Cell], row: Activation) -> Words:
    found = {**slots, "slope": Formula(slope_of(row)), "where": _place(part)}
    return Words("maximum.end" if part.attained else "maximum.end_approached", found)


WHY = {
    "constant": _plain,
    "range": _between,
    "square": _square,
    "stationary": _stationary,
    "end": _end,
    "search": _search,
    "limit": _search,
}
