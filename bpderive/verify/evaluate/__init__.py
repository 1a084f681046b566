"""SymPy expressions worked out in numbers: scalars, indexed sums and matrices.

In: an expression of a derivation, and `Numbers` for what stands in it. Out: a number, or the rows
of a matrix. An expression is turned into nested functions once, by a table of one line a node; what
is not in the table raises. Must not know: how an expression came about.
"""

from functools import lru_cache
from typing import Any

from sympy import Expr, Indexed

from bpderive.errors import DerivationError
from bpderive.verify.evaluate.matrices import MATRICES
from bpderive.verify.evaluate.numbers import At, Code, Given, Rows, reference
from bpderive.verify.evaluate.scalars import SCALARS

__all__ = ["Code", "Numbers", "Rows", "compiled", "reference"]

TABLE = {**SCALARS, **MATRICES}
"""What each node is in numbers; the nearest of a node's classes counts."""


class Numbers(Given):
    """What stands in an expression, and the value of any expression of it."""

    def __call__(self, expr: Expr, at: At | None = None) -> Any:
        """The value, at the given indices.

        Raises:
            DerivationError: at a node that has no numbers.
        """
        return compiled(expr)(self, at or {})


@lru_cache(maxsize=20_000)
def compiled(expr: Expr) -> Code:
    """A function of numbers and indices for an expression.

    Raises:
        DerivationError: at a node that has no numbers.
    """
    for kind in type(expr).__mro__:
        if kind in TABLE:
            return _once(expr, TABLE[kind](expr, compiled))
    raise DerivationError(f"no numbers for {type(expr).__name__}: {expr}")


def _once(expr: Expr, code: Code) -> Code:
    """Without indices, a value is worked out once: unrolled expressions share many parts."""
    if not expr.args or isinstance(expr, Indexed):
        return code

    def run(numbers: Given, at: At) -> Any:
        if at:
            return code(numbers, at)
        if expr not in numbers.known:
            numbers.known[expr] = code(numbers, at)
        return numbers.known[expr]

    return run
