"""What an expression of a file of equations may refer to.

In: what is declared. Out: a `Scope`. Must not know: trees, statements' order.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from sympy import Expr, Rational, Symbol

from bpderive.catalog import Activation
from bpderive.index import Fresh
from bpderive.modules.model import Declared
from bpderive.modules.text import Statement


class Stages(Protocol):
    """What adds an equation of its own for a part of an expression."""

    def __call__(self, value: Expr, letter: str, extra: Mapping[str, Symbol]) -> Expr: ...


@dataclass(frozen=True)
class Scope:
    """What an expression may refer to.

    `letters` maps an index's letter to the symbol that stands for it here, `ranges` to its size;
    `leading` are the letters of `*`. `tensors` are all that is declared. `names` gives a tensor's
    general label, `absent` are optional parameters that read as zero.
    """

    statement: Statement
    letters: Mapping[str, Symbol]
    ranges: dict[str, Expr]
    leading: tuple[str, ...]
    tensors: Mapping[str, Declared]
    absent: frozenset[str]
    numbers: Mapping[str, Rational]
    sizes: set[str]
    activations: Mapping[str, Activation]
    activation: Activation | None
    fresh: Fresh
    stage: Stages
    reads: Callable[[ast.expr, "Scope"], Expr]
    used: set[str] = field(default_factory=set)
    chosen: dict[str, Activation] = field(default_factory=dict)

    def binding(self, letters: Sequence[str]) -> "Scope":
        """The same scope with new symbols for these letters."""
        new = {letter: self.fresh(letter) for letter in letters}
        return replace(self, letters={**self.letters, **new})

    def limits(self, letters: Sequence[str]) -> tuple[tuple[Symbol, int, Expr], ...]:
        """The limits of a sum over these letters."""
        return tuple((self.letters[k], 1, self.ranges[k]) for k in letters)


def declared(tensor: Declared) -> str:
    """A tensor as it was declared: `x[n,(c,t)]`."""
    letters = (f"({axis.name})" if "," in axis.name else axis.name for axis in tensor.axes)
    return f"{tensor.name}[{','.join(letters)}]"
