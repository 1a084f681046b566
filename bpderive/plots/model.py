"""What a picture shows, as numbers and names.

In: nothing. Out: frozen data; gradients as decimal logarithms, `-inf` where one is exactly 0, None
where nothing is known. Must not know: matplotlib, words.
"""

from dataclasses import dataclass

from sympy import Expr

from bpderive.flow.model import Expectation, Measurement
from bpderive.slopes.curves import Curves

Power = float | None


@dataclass(frozen=True)
class Slopes:
    """An activation beside its slope; `given` says that a user wrote the `formula`.

    `largest` is the proved bound of the size of the slope, exact or rounded up; None: there is
    none.
    """

    name: str
    formula: str
    given: bool
    curves: Curves
    largest: Expr | None


@dataclass(frozen=True)
class Case:
    """One network under one scheme or remedy: what was found out about it.

    `bounds` are of |gradient|, one for each layer in their order (None: there is none); where they
    are left out, those of the measurement are taken.
    """

    title: str = ""
    expectation: Expectation | None = None
    measurement: Measurement | None = None
    bounds: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class Level:
    """A layer's gradient: decimal logarithms.

    `quantiles` are those of 5, 50 and 95 %.
    """

    number: int
    expected: Power = None
    rms: Power = None
    bound: Power = None
    quantiles: tuple[Power, Power, Power] = (None, None, None)


@dataclass(frozen=True)
class Panel:
    """A case, layer by layer; `relative`: to the gradient of the last layer."""

    title: str
    levels: tuple[Level, ...]
    relative: bool = False


@dataclass(frozen=True)
class Layers:
    """Several cases beside each other, over the same axes."""

    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class HeatMap:
    """The logarithm of the first layer's gradient by that of the last, by [sigma][depth]."""

    name: str
    depths: tuple[int, ...]
    sigmas: tuple[float, ...]
    values: tuple[tuple[Power, ...], ...]
    critical: float | None = None
