"""What each kind of stage does to mean squares, forwards and backwards: one row each.

In: what is known of what comes in, or of the derivatives from above. Out: the same of what goes
out, None where nothing is established. To add a kind, add a row here and a reader in `stages`.
Must not know: the order of stages.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from bpderive.catalog import Activation
from bpderive.flow.behaviour import Behaviour, behaviour
from bpderive.flow.schemes import Scheme
from bpderive.flow.stages import Stage

NOTHING = -math.inf
"""The logarithm of 0."""


class Signal(NamedTuple):
    """What comes out of a stage, over random weights and inputs.

    `power` is the decimal logarithm of its mean square. `mean` is its mean over the neurons, by
    the root of that; `alike` the mean product of two samples' values, by the mean square. `normal`
    says that its values are normal numbers, where layers are wide.
    """

    power: float
    mean: float = 0.0
    alike: float = 0.0
    normal: bool = True


class Pull(NamedTuple):
    """The derivatives by what a stage gives: their mean square and the likeness of two samples."""

    power: float
    alike: float = 0.0


@dataclass(frozen=True)
class Setting:
    """How the weights are drawn, the factors of some, and how many samples a batch has.

    `means` says whether a stage asks for the mean over the neurons.
    """

    scheme: Scheme
    factors: Mapping[str, float]
    batch: int = 1
    means: bool = False
    _known: dict[int, Behaviour] = field(default_factory=dict, repr=False, compare=False)

    def behaviour(self, row: Activation) -> Behaviour:
        """That of a row, looked up once: a thousand layers have the same one."""
        key = id(row)  # the network keeps its rows alive
        if key not in self._known:
            self._known[key] = behaviour(row)
        return self._known[key]

    def variance(self, stage: Stage) -> float:
        """Of one weight of the stage."""
        weights = stage.weights
        if weights is None:
            return 0.0
        scale = self.factors.get(weights.key, 1.0) ** 2
        return scale * self.scheme.variance(weights.inputs, weights.outputs)

    def bias(self, stage: Stage) -> float:
        """The variance of a bias."""
        return self.scheme.bias if stage.weights is not None and stage.weights.bias else 0.0


def logarithm(value: float) -> float:
    """The decimal logarithm, also of 0."""
    return math.log10(value) if value > 0 else NOTHING


def raised(power: float) -> float:
    """`10^power`, infinite where no float is as large."""
    return 10.0**power if power < 308 else math.inf


def added(powers: tuple[float, ...]) -> float:
    """The logarithm of a sum of powers."""
    top = max(powers)
    if min(powers) == NOTHING and len(powers) == 2:
        return top
    return top if math.isinf(top) else top + math.log10(sum(10 ** (p - top) for p in powers))


Forward = Callable[[Stage, tuple[Signal, ...], Setting], Signal | None]
Backward = Callable[[Stage, Pull, tuple[Signal, ...], Setting], tuple[Pull, ...] | None]


# --- Weighted sums: n_in Var(w) E a² + σ_b², and n_out Var(w) E δ² ---


def _weigh(stage: Stage, taken: tuple[Signal, ...], setting: Setting) -> Signal:
    (source,), bias = taken, logarithm(setting.bias(stage))
    gain = stage.weights.taken * setting.variance(stage)  # type: ignore[union-attr] # it has some
    own = logarithm(gain) + source.power
    power = added((own, bias))
    if power == NOTHING or not setting.batch > 1:
        return Signal(power)
    return Signal(power, alike=raised(own - power) * source.alike + raised(bias - power))


def _unweigh(stage: Stage, pull: Pull, _: tuple[Signal, ...], setting: Setting) -> tuple[Pull, ...]:
    gain = stage.weights.sent * setting.variance(stage)  # type: ignore[union-attr] # it has some
    return (Pull(pull.power + logarithm(gain), pull.alike),)


# --- Activations: E f(√q u)², and E f'(√q u)² ---


def _activate(stage: Stage, taken: tuple[Signal, ...], setting: Setting) -> Signal | None:
    (source,), row = taken, stage.row
    if row is None:
        return source
    if not row.elementwise or not source.normal:
        return None
    own = setting.behaviour(row)
    power = own.square(source.power)
    if math.isnan(power) or power == math.inf:
        return None
    alike = own.alike(source.power, source.alike)[0] if setting.batch > 1 else 0.0
    mean = own.average(source.power) if setting.means else 0.0
    return Signal(power, mean, alike, normal=False)


def _deactivate(
    stage: Stage, pull: Pull, taken: tuple[Signal, ...], setting: Setting
) -> tuple[Pull, ...] | None:
    (source,), row = taken, stage.row
    if row is None:
        return (pull,)
    if not row.elementwise or not source.normal:
        return None
    own = setting.behaviour(row)
    steep = own.steepness(source.power)
    if math.isnan(steep) or steep == math.inf:
        return None
    alike = own.alike(source.power, source.alike)[1] if setting.batch > 1 else 0.0
    return (Pull(pull.power + steep, pull.alike * alike),)


# --- What passes, and what is added ---


def _same(_: Stage, taken: tuple[Signal, ...], _setting: Setting) -> Signal:
    return taken[0]


def _passed(_: Stage, pull: Pull, taken: tuple[Signal, ...], _setting: Setting) -> tuple[Pull, ...]:
    return (pull,) * len(taken)


def _add(_: Stage, taken: tuple[Signal, ...], _setting: Setting) -> Signal | None:
    """`E(x + y)² = E x² + E y² + 2 E x E y`: the weights of the branch are independent of x."""
    first, second = taken
    top = max(first.power, second.power)
    if math.isinf(top):
        return first if first.power == top else second
    sizes = [10 ** (one.power - top) for one in taken]
    shares = [one.mean * math.sqrt(size) for one, size in zip(taken, sizes, strict=True)]
    cross = 2 * shares[0] * shares[1]
    whole = sum(sizes) + cross
    alike = sum(one.alike * size for one, size in zip(taken, sizes, strict=True)) + cross
    normal = all(one.normal for one in taken)
    power = top + math.log10(whole)
    return Signal(power, sum(shares) / math.sqrt(whole), min(alike / whole, 1.0), normal)


# --- Normalisation: what leaves has the variance 1; derivatives are divided by the variance ---


def _batch_rest(source: Signal) -> float:
    """The share of the mean square that is a variance over the batch."""
    return 1 - source.alike


def _batch(stage: Stage, taken: tuple[Signal, ...], _: Setting) -> Signal:
    (source,) = taken
    variance = raised(source.power) * _batch_rest(source)
    return Signal(_out(variance, stage), normal=source.normal)


def _out(variance: float, stage: Stage) -> float:
    """`V/(V + eps)`, logarithmically."""
    if math.isinf(variance):
        return 0.0
    return logarithm(variance) - logarithm(variance + stage.constant("eps"))


def _divided(variance: float, stage: Stage) -> float:
    """`1/(V + eps)`, logarithmically."""
    whole = variance + stage.constant("eps")
    return NOTHING if math.isinf(whole) else -logarithm(whole)


def _unbatch(
    stage: Stage, pull: Pull, taken: tuple[Signal, ...], setting: Setting
) -> tuple[Pull, ...]:
    (source,) = taken
    over = raised(source.power) * _batch_rest(source)
    rest = logarithm(1 - pull.alike)
    return (Pull(pull.power + rest + _divided(over, stage), -1 / max(setting.batch - 1, 1)),)


def _layer(stage: Stage, taken: tuple[Signal, ...], _: Setting) -> Signal:
    (source,) = taken
    rest = 1 - source.mean**2
    alike = (source.alike - source.mean**2) / rest if rest > 0 else 0.0
    return Signal(_out(raised(source.power) * rest, stage), 0.0, alike, source.normal)


def _unlayer(stage: Stage, pull: Pull, taken: tuple[Signal, ...], _: Setting) -> tuple[Pull, ...]:
    (source,) = taken
    over = raised(source.power) * (1 - source.mean**2)
    return (Pull(pull.power + _divided(over, stage), pull.alike),)


def _root(stage: Stage, taken: tuple[Signal, ...], _: Setting) -> Signal:
    return taken[0]._replace(power=_out(raised(taken[0].power), stage))


def _unroot(stage: Stage, pull: Pull, taken: tuple[Signal, ...], _: Setting) -> tuple[Pull, ...]:
    return (Pull(pull.power + _divided(raised(taken[0].power), stage), pull.alike),)


RULES: Mapping[str, tuple[Forward, Backward]] = {
    "weights": (_weigh, _unweigh),
    "activation": (_activate, _deactivate),
    "same": (_same, _passed),
    "add": (_add, _passed),
    "batchnorm": (_batch, _unbatch),
    "layernorm": (_layer, _unlayer),
    "rmsnorm": (_root, _unroot),
}
"""By kind of stage. Batch normalisation is that of a large batch; after an activation its factor is
`E f'²/Var f`, for relu π/(π - 1).

Source: G. Yang et al., A mean field theory of batch normalization, ICLR 2019; S. S. Schoenholz et
al., Deep information propagation, ICLR 2017.
"""
