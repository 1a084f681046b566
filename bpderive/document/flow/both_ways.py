"""The same factor again and again: gradients vanish or explode with the depth.

In: activations. Out: blocks. Must not know: letters, words.
"""

from collections.abc import Iterator

from sympy import Expr, Integer, Symbol

from bpderive.catalog import Activation
from bpderive.document.blocks import (
    Block,
    Cell,
    Heading,
    Paragraph,
    Remark,
    Table,
    Words,
)
from bpderive.document.flow.keeping import slope_cell
from bpderive.document.flow.passing import short
from bpderive.document.mathematics import Formula, Value
from bpderive.flow.largest import bound_of

DEPTHS = (1, 2, 5, 10, 20)


def both_ways(rows: tuple[Activation, ...]) -> Iterator[Block]:
    """The same factor again and again: it vanishes or explodes with the depth."""
    yield Heading(Words("flow.both_title"))
    yield Paragraph(Words("flow.both", {"n": Formula(Symbol("n"))}))
    row, most = next(((r, m) for r in rows if (m := bound_of(r))), (None, Integer(1)))
    weights = (1 / (2 * most), 1 / most, 2 / most)
    powers: tuple[tuple[Cell, ...], ...] = tuple(
        (Formula(Integer(depth)), *(_power(most * weight, depth) for weight in weights))
        for depth in DEPTHS
    )
    if row is not None:
        found = {"slope": slope_cell(row), "largest": short(most)}
        yield Paragraph(Words("flow.powers", found | {"weight": _weights(weights)}))
    else:
        yield Paragraph(Words("flow.powers_linear", {"weight": _weights(weights)}))
    yield Table(("depth", "half", "equal", "double"), powers)
    yield Remark(Words("flow.claim_initial"))
    yield Remark(Words("flow.claim_exploding"))


def _weights(weights: tuple[Expr, ...]) -> Words:
    cells = dict(zip(("first", "second", "third"), map(short, weights), strict=True))
    return Words("flow.three", cells)


def _power(factor: Expr, depth: int) -> Value:
    power = factor**depth
    return Value(power if power.is_Integer else power.evalf(8), 3)
