"""What is found out about the gradients of a network, layer by layer.

In: nothing. Out: frozen data. Must not know: how anything is found, letters, words.
"""

from dataclasses import dataclass
from typing import Literal

Danger = Literal["vanishing", "exploding", "overflow", "dead"]
Source = Literal["expected", "measured"]


@dataclass(frozen=True)
class Expected:
    """What is expected of a layer with weights at initialisation, where layers are wide.

    `number` is the layer's, `parameter` the key of its weights in the generated code (`W1`, `w3`).
    `taken` is the mean square of what it takes, `variance` that of its weighted sums. `factor` is
    the mean square of its deltas divided by that of the next layer with weights (None for the
    last). `gradient` is the decimal logarithm of the root mean square of the gradient of its
    weights, for one sample: `-inf` where that is exactly 0, None where nothing is established.
    """

    number: int
    parameter: str
    taken: float | None
    variance: float | None
    factor: float | None
    gradient: float | None


@dataclass(frozen=True)
class Expectation:
    """The layers with weights, from the first to the last.

    `relative`: gradients are relative to those of the last layer, because how large the error at
    the output is was not established. `stopped` are the kinds of layers for which there is no rule;
    below the last of them nothing is established.
    """

    levels: tuple[Expected, ...]
    relative: bool = False
    stopped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Spread:
    """What was measured of the gradients of a layer's weights, each for one sample.

    Each number is first taken over the weights of one network and its inputs: the mean of
    |gradient|, its root mean square, its quantiles (5, 25, 50, 75, 95 %), the share of gradients
    that are exactly 0. `mean`, `rms`, `quantiles` and `dead` are then averages over the networks
    (of squares for `rms`); `low` and `high` are the 5 and 95 % quantiles over the networks of their
    means; `error` is the standard error of `rms`. `bound` is the largest value, over the networks
    that were bounded, of the bound of the gradient (None: there is none).
    """

    number: int
    parameter: str
    mean: float
    rms: float
    error: float
    low: float
    high: float
    quantiles: tuple[float, float, float, float, float]
    dead: float
    bound: float | None = None


@dataclass(frozen=True)
class Measurement:
    """What was measured, layer by layer; `networks` were drawn, each was given `inputs` samples.

    `batch` is 1 unless a layer mixes samples: the gradients are then those of the mean over it.
    `scheme` is "as given" where the weights are those of somebody's model.
    """

    spreads: tuple[Spread, ...]
    scheme: str
    networks: int
    inputs: int
    seed: int
    batch: int = 1


@dataclass(frozen=True)
class Warned:
    """What is wrong: the gradients of a layer against those of another, or (0) by themselves.

    `power` is the decimal logarithm of the one by the other (of the share, for `dead`); `remedies`
    are ids of `flow.remedies.REMEDIES`, the first to be tried first.
    """

    kind: Danger
    layer: int
    against: int
    power: float
    source: Source
    remedies: tuple[str, ...] = ()
