"""What a module is: some forward equations with their inputs, parameters and sizes.

In: nothing. Out: frozen data. A row of the catalogue of layers and a stranger's file of equations
are the same thing here. Must not know: how the text was written, networks, gradients.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from sympy import Expr, Rational

from bpderive.catalog import Activation
from bpderive.index import Axis, Equation

Role = Literal["input", "parameter", "data", "defined"]


@dataclass(frozen=True)
class Declared:
    """A tensor of a module; its axes have the letters and sizes of its declaration.

    An axis whose name has a comma (`c,u,v`) is several read as one.
    """

    name: str
    role: Role
    axes: tuple[Axis, ...]


@dataclass(frozen=True)
class Module:
    """Forward equations in order, written for a general layer: labels end in `{l}`.

    Bound and free indices are symbols `_100017c`: a number of their own, then the letter that the
    text gave them. Sizes are symbols (`T`); `sizes` defines those that follow from others, or have
    a default. `numbers` are constants by name. `eliminate` names the tensors whose derivatives are
    to be written out where they are used. `recurrent` are the letters of axes along which an
    equation refers to an earlier step.
    """

    title: str
    tensors: tuple[Declared, ...]
    equations: tuple[Equation, ...]
    output: str
    sizes: Mapping[str, Expr]
    numbers: Mapping[str, Rational]
    eliminate: frozenset[str]
    recurrent: tuple[str, ...]
    ranges: Mapping[str, Expr]
    activations: Mapping[str, Activation] = field(default_factory=dict)

    @cached_property
    def by_name(self) -> Mapping[str, Declared]:
        """Each tensor by its name."""
        return {tensor.name: tensor for tensor in self.tensors}

    def range_of(self, letter: str) -> Expr:
        """The size of an index's axis."""
        return self.ranges[letter]

    def of_role(self, role: Role) -> tuple[Declared, ...]:
        """The tensors of one role, as declared."""
        return tuple(tensor for tensor in self.tensors if tensor.role == role)
