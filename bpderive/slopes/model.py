"""How steep a function is at most: what was found, and by which argument.

In: nothing. Out: `Part` and `MaximalSlope`, plain data. Must not know: how anything is found.
"""

from dataclasses import dataclass
from typing import Literal

from sympy import Expr

from bpderive.slopes.pieces import Piece

Argument = Literal[
    "constant",
    "range",
    "square",
    "stationary",
    "end",
    "search",
    "limit",
    "grows",
    "unbounded",
    "open",
]


@dataclass(frozen=True)
class Part:
    """The largest size of the slope on one smooth piece.

    `value` is None where there is none, or none was found. `at` is where it is taken or, where
    `attained` is false, come near to. `argument` names the proof, `shown` holds its mathematics:
    what the slope is a polynomial in, the range of that, the completed square.
    """

    piece: Piece
    value: Expr | None
    at: Expr | None
    attained: bool
    argument: Argument
    shown: tuple[Expr, ...] = ()


@dataclass(frozen=True)
class MaximalSlope:
    """The largest size of a slope over the whole line.

    Of kind "proved" it is never exceeded, and `value` is exact, or right in all its digits. Of kind
    "unbounded" there is none; of kind "open" none was established.
    """

    value: Expr | None
    at: Expr | None
    exact: bool
    kind: Literal["proved", "unbounded", "open"]
    argument: Argument
    attained: bool = True
    parts: tuple[Part, ...] = ()
