"""Statements of a program of loops: what Python and C print alike.

In: nothing. Out: frozen data. Positions, conditions and values are SymPy expressions in the loops'
variables, which count from 0; so do the indices of elements. Must not know: any syntax, how
equations become statements.
"""

from dataclasses import dataclass
from typing import TypeAlias

from sympy import Expr, Function, Integer, Symbol

from bpderive.functions.conditions import Constant


class divisible(Constant):
    """`divisible(e, d)`: 1 where the whole number d divides e, else 0."""

    nargs = 2

    @classmethod
    def eval(cls, e: Expr, d: Expr) -> Expr | None:
        """Fold a constant."""
        return Integer(e % d == 0) if e.is_Integer else None


class larger(Constant):
    """`larger(u, v)`: 1 where u > v, else 0."""

    nargs = 2


class guarded(Function):  # type: ignore[misc] # SymPy has no types
    """`guarded(u, c, …)`: u where all conditions hold, else 0; u is not looked at elsewhere."""

    is_real = True


@dataclass(frozen=True)
class For:
    """The body for each value of a variable, from the largest `low` to below the least `high`."""

    variable: Symbol
    low: tuple[Expr, ...]
    high: tuple[Expr, ...]
    body: tuple["Statement", ...]
    down: bool = False


@dataclass(frozen=True)
class If:
    """The body where all conditions hold."""

    conditions: tuple[Expr, ...]
    body: tuple["Statement", ...]


@dataclass(frozen=True)
class Let:
    """A new number, or a whole one."""

    name: Symbol
    value: Expr
    whole: bool = False


@dataclass(frozen=True)
class Assign:
    """`target = value`; with an operator, `target += value` and the like.

    `number` is that of the equation, where the statement completes it.
    """

    target: Expr
    value: Expr
    operator: str = ""
    number: int | None = None
    whole: bool = False


@dataclass(frozen=True)
class Make:
    """A tensor of some sizes; `zero` says that what is not assigned must be 0."""

    label: str
    sizes: tuple[Expr, ...]
    zero: bool


@dataclass(frozen=True)
class Scope:
    """Statements whose new numbers are known to them alone."""

    body: tuple["Statement", ...]


Statement: TypeAlias = For | If | Let | Assign | Make | Scope
