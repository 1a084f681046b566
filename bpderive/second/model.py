"""A derivation as two plain lists of equations, whatever network it is of.

In: nothing. Out: frozen data. Must not know: layers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Expr

from bpderive.catalog import Activation
from bpderive.index import Equation

Shape = tuple[Expr, ...]


@dataclass(frozen=True)
class Equations:
    """The forward equations in order, the loss the last of them, and the backward ones.

    `parameters` maps each parameter's label to its sizes, `gradients` to the label of its gradient.
    `constant` are the labels of what does not change with what it is made of. `shapes` has the
    sizes of every tensor.
    """

    forward: tuple[Equation, ...]
    backward: tuple[Equation, ...]
    parameters: Mapping[str, Shape]
    gradients: Mapping[str, str]
    inputs: Mapping[str, Shape]
    output: str
    activations: Mapping[str, Activation]
    constant: frozenset[str]
    shapes: Mapping[str, Shape]
