"""Numbers of gradients as cells of tables: sizes, powers of ten, what is not established.

In: floats, decimal logarithms. Out: cells; a number out of the range of floats is written too.
Must not know: what is measured, letters, words.
"""

from collections.abc import Sequence
from math import floor, inf, isfinite
from typing import TypeVar

from sympy import Float, Integer

from bpderive.catalog import Activation
from bpderive.document.blocks import Cell, Words
from bpderive.document.mathematics import Formula, Layer, Named, Plain, Value
from bpderive.flow.model import Expected, Spread

DIGITS = 3
CARRIED = 15
MOST = 12
"""So many layers have room in a table; of more, some are shown."""
NONE = Plain("–")
T = TypeVar("T")


def size(number: float | None) -> Cell:
    """A number to a few digits; a dash where there is none."""
    if number is None or not isfinite(number):
        return NONE
    return Value(Float(number, CARRIED), DIGITS) if number else Formula(Integer(0))


def power(exponent: float | None) -> Cell:
    """A number by its decimal logarithm, however large or small it is."""
    if exponent is None or exponent == inf:
        return NONE
    if exponent == -inf:
        return Formula(Integer(0))
    whole = floor(exponent)
    front = Float(10 ** (exponent - whole), CARRIED)
    return Value(front * Float(10, CARRIED) ** whole, DIGITS)


def share(part: float) -> Cell:
    """A share in percent."""
    return Words(
        "flow.screen_percent", {"share": Value(Float(100 * part, CARRIED), 2) if part else size(0)}
    )


def band(low: float, high: float) -> Cell:
    """From a number to another."""
    return Words("flow.screen_band", {"low": size(low), "high": size(high)})


def places(found: Sequence[Expected | Spread]) -> tuple[str, ...]:
    """The columns that say which weights a row is about: a layer's, or one of its arrays."""
    numbers = {one.number for one in found}
    return ("layer",) if len(numbers) == len(found) else ("layer", "weights")


def place(found: Expected | Spread, *, several: bool) -> tuple[Cell, ...]:
    """The cells of these columns."""
    number = Layer(Integer(found.number))
    return (number, Plain(found.parameter)) if several else (number,)


def some(rows: Sequence[T], most: int = MOST) -> tuple[T, ...]:
    """Those that there is room for: the first, some between, the last."""
    if len(rows) <= most:
        return tuple(rows)
    last = len(rows) - 1
    return tuple(rows[round(at * last / (most - 1))] for at in range(most))


def called(row: Activation) -> Cell:
    """A row's name, or the formula that a user gave."""
    return Plain(row.formula) if row.given else Named(row.name)
