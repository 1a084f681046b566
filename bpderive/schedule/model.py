"""What is computed, in which order: equations one after another, and loops over time.

In: nothing. Out: frozen data, which targets print. Must not know: any target's syntax, how the
equations were derived.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sympy import Expr, Rational, Symbol

from bpderive.catalog import Activation
from bpderive.index import Equation


@dataclass(frozen=True)
class Given:
    """A tensor that the caller hands over: its label, the letters and sizes of its axes.

    Tokens are whole numbers counted from 1 in the mathematics.
    """

    label: str
    letters: tuple[str, ...]
    sizes: tuple[Expr, ...]
    role: Literal["input", "tokens", "target", "parameter", "data"]
    layer: int


@dataclass(frozen=True)
class Line:
    """One equation to compute at all values of its free indices, with its number in the document.

    What it refers to is known already, or known to be zero (an index out of range reads as zero).
    """

    equation: Equation
    number: int
    layer: int


@dataclass(frozen=True)
class Loop:
    """Equations that are computed together, step by step along one axis, up or down.

    `indices` are the free index of that axis in each line: a line may refer to the others, and to
    itself, at an earlier step of the loop only.
    """

    letter: str
    size: Expr
    upward: bool
    lines: tuple[Line, ...]
    indices: tuple[Symbol, ...]


@dataclass(frozen=True)
class Computation:
    """The whole: forward, loss, backward.

    `loss` is the sum over the samples; `mean` says that it and the gradients are divided by their
    number, `N`. `gradients` are pairs of a parameter's label and its gradient's, in forward order;
    `output` is the label of the network's output.
    """

    name: str
    layers: tuple[str, ...]
    given: tuple[Given, ...]
    forward: tuple[Line | Loop, ...]
    loss: Line
    backward: tuple[Line | Loop, ...]
    gradients: tuple[tuple[str, str], ...]
    output: str
    numbers: Mapping[str, Rational]
    activations: Mapping[str, Activation]
    mean: bool
    samples: bool
