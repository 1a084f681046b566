"""Exploding over time: a recurrent neuron multiplies by the same weight at every step.

In: activations. Out: blocks. Must not know: letters, words.
"""

from collections.abc import Iterator

from sympy import Expr, Function, Integer, Rational, Symbol

from bpderive.catalog import Activation
from bpderive.document.blocks import Block, Cell, Equations, Heading, Paragraph, Row, Table, Words
from bpderive.document.flow.keeping import slope_cell
from bpderive.document.flow.passing import short
from bpderive.document.mathematics import Formula, Value
from bpderive.flow.largest import bound_of
from bpderive.functions import Abs
from bpderive.slopes.nodes import at_most

STEPS = (1, 10, 100)
FACTORS = (Rational(9, 10), Integer(1), Rational(11, 10))
"""A little below 1, 1, a little above."""
H, S, T, U, X = (Symbol(letter) for letter in "hsTux")
STEP = U * Function("f'")(U * H + X)
"""The derivative of `f(u h + x)`, one step of time, by h."""


def recurrence(rows: tuple[Activation, ...]) -> Iterator[Block]:
    """One weight and one slope for each step of time."""
    row, most = next(((r, m) for r in rows if (m := bound_of(r))), (None, Integer(1)))
    step = Formula(Function("f")(U * H + X))
    yield Heading(Words("flow.exploding_title"))
    yield Paragraph(Words("flow.recurrent", {"h": Formula(H), "step": step, "s": Formula(S)}))
    yield Equations((Row(None, Formula(at_most(Abs(STEP), Abs(U * S)))),))
    power = {"power": Formula(Abs(U * S) ** T), "t": Formula(T)}
    yield Paragraph(Words("flow.recurrent_steps", power))
    weights = tuple(factor / most for factor in FACTORS)
    told = dict(zip(("first", "second", "third"), map(short, weights), strict=True))
    cells: dict[str, Cell] = {"u": Formula(U), "weight": Words("flow.three", told)}
    if row is not None:
        found = {"slope": slope_cell(row), "largest": short(most)}
        yield Paragraph(Words("flow.recurrent_powers", cells | found))
    else:
        yield Paragraph(Words("flow.recurrent_linear", cells))
    yield Table(("steps", "half", "equal", "double"), tuple(map(_powers, STEPS)))
    yield Paragraph(Words("flow.recurrent_sum", {"u": Formula(U)}))


def _powers(steps: int) -> tuple[Cell, ...]:
    return (Formula(Integer(steps)), *(_power(factor, steps) for factor in FACTORS))


def _power(factor: Expr, steps: int) -> Value:
    power = factor**steps
    return Value(power if power.is_Integer else power.evalf(8), 3)
