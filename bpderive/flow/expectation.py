"""What is expected of every layer with weights, at initialisation, where layers are wide.

In: a `Network` or a `Stack`, a `Scheme`. Out: an `Expectation`. Must not know: kinds of layers,
letters, words.

Mean field: weighted sums of many independent weights are normal numbers, and the weights that take
derivatives back are taken to be independent of those that brought values forwards. That is right
where layers are wide and outputs few: a deep network of widths n with m outputs, whose error holds
what its weights gave, has larger gradients, by a part of the order of depth times m/n. Inputs are
standard normal numbers. The mean square of a gradient is then that of a delta by that of what the
layer takes, for every place where the weight stands.

Source: S. S. Schoenholz, J. Gilmer, S. Ganguli, J. Sohl-Dickstein, Deep information propagation,
ICLR 2017, sections 3 and 4.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bpderive.catalog import Loss
from bpderive.flow.branches import scales
from bpderive.flow.kinds import NOTHING, RULES, Pull, Setting, Signal, added, logarithm, raised
from bpderive.flow.model import Expectation, Expected
from bpderive.flow.output_error import error
from bpderive.flow.schemes import Scheme
from bpderive.flow.stages import INPUT, Stage, mixing, stages
from bpderive.network import Network
from bpderive.stack.model import Stack

BATCH = 32
"""The samples whose mean loss is taken, where a layer mixes them."""
MEANS = ("add", "layernorm")
"""The kinds that ask for the mean over the neurons."""
START = Signal(0.0)
"""The input: standard normal numbers, independent from sample to sample."""


Taken = tuple[Signal, ...] | None
"""What comes into a stage, None where any of it is unknown."""


@dataclass(frozen=True)
class _Passes:
    """What is known in front of each stage and behind it, and of the derivatives by its output.

    `relative`: the derivatives begin with 1 at the output.
    """

    every: tuple[Stage, ...]
    taken: tuple[Taken, ...]
    signals: tuple[Signal | None, ...]
    pulls: tuple[Pull | None, ...]
    setting: Setting
    relative: bool


def expected(network: Network | Stack, scheme: Scheme) -> Expectation:
    """What is expected of each layer with weights; all None where a size is a symbol."""
    every = stages(network)
    if not every:
        return Expectation(tuple(_symbolic(network)))
    setting = _setting(network, every, scheme)
    passes = _passes(every, setting, network.loss)
    found = _relative(_levels(passes)) if passes.relative else tuple(_levels(passes))
    stopped = dict.fromkeys(_kind(stage) for at, stage in enumerate(every) if _stops(passes, at))
    return Expectation(found, passes.relative, tuple(stopped))


def _symbolic(network: Network | Stack) -> Iterator[Expected]:
    if isinstance(network, Network):
        for layer in network.layers:
            yield Expected(layer.index, f"W{layer.index}", None, None, None, None)


def _setting(network: Network | Stack, every: tuple[Stage, ...], scheme: Scheme) -> Setting:
    if isinstance(network, Network):
        return Setting(scheme, {})
    means = any(stage.kind in MEANS for stage in every)
    return Setting(scheme, scales(network, scheme), BATCH if mixing(network) else 1, means)


def _passes(every: tuple[Stage, ...], setting: Setting, loss: Loss) -> _Passes:
    taken, signals = _forward(every, setting)
    first = _first(every, signals, setting, loss)
    known = first if first is not None else (_output(every), Pull(0.0))
    pulls = _backward(every, taken, setting, known)
    return _Passes(every, taken, signals, pulls, setting, relative=first is None)


def _forward(
    every: tuple[Stage, ...], setting: Setting
) -> tuple[tuple[Taken, ...], tuple[Signal | None, ...]]:
    """What comes into each stage, and what comes out of it."""
    inputs: list[Taken] = []
    outputs: list[Signal | None] = []
    for stage in every:
        found = [START if at == INPUT else outputs[at] for at in stage.sources]
        known = tuple(one for one in found if one is not None)
        taken = known if len(known) == len(found) else None
        rule = RULES.get(stage.kind)
        inputs.append(taken)
        outputs.append(None if rule is None or taken is None else rule[0](stage, taken, setting))
    return tuple(inputs), tuple(outputs)


def _output(every: tuple[Stage, ...]) -> int:
    """The stage by whose output the loss is differentiated: that in front of a last activation."""
    last = len(every) - 1
    while last > 0 and every[last].kind == "activation":
        last = every[last].sources[0]
    return last


def _first(
    every: tuple[Stage, ...], signals: tuple[Signal | None, ...], setting: Setting, loss: Loss
) -> tuple[int, Pull] | None:
    """The derivative at the output, where it is established."""
    last, at = every[-1], _output(every)
    steps = len(every) - 1 - at
    source = signals[at]
    if steps > 1 or source is None or not source.normal:
        return None
    row = last.row if steps else None
    alike = source.alike if setting.batch > 1 else None
    found = error(loss, row, source.power, last.size, alike)
    return None if found is None else (at, Pull(*found))


def _backward(
    every: tuple[Stage, ...],
    taken: tuple[Taken, ...],
    setting: Setting,
    first: tuple[int, Pull],
) -> tuple[Pull | None, ...]:
    """The derivatives by the output of each stage: the sum of what its consumers send."""
    sent: list[list[Pull | None]] = [[] for _ in every]
    found: list[Pull | None] = [None] * len(every)
    sent[first[0]].append(first[1])
    for at in range(first[0], -1, -1):
        found[at] = own = _sum(sent[at])
        stage, known = every[at], taken[at]
        rule = RULES.get(stage.kind)
        unknown = own is None or known is None or rule is None
        back = None if unknown else rule[1](stage, own, known, setting)  # type: ignore[index,arg-type] # all are known
        for place, source in enumerate(stage.sources):
            if source != INPUT:
                sent[source].append(None if back is None else back[place])
    return tuple(found)


def _sum(sent: list[Pull | None]) -> Pull | None:
    if len(sent) == 1:
        return sent[0]
    known = [one for one in sent if one is not None]
    if not known or len(known) < len(sent):
        return None
    power = added(tuple(one.power for one in known))
    if power == NOTHING:
        return known[0]
    return Pull(power, sum(one.alike * 10 ** (one.power - power) for one in known))


# --- Layers with weights ---


def _levels(passes: _Passes) -> Iterator[Expected]:
    """The layers with weights, in order; those of which nothing is known too."""
    weighted = [at for at, stage in enumerate(passes.every) if stage.weights or stage.keys]
    for place, at in enumerate(weighted):
        above = weighted[place + 1] if place + 1 < len(weighted) else None
        yield from _level(passes, at, above)


def _level(passes: _Passes, at: int, above: int | None) -> Iterator[Expected]:
    stage, inputs = passes.every[at], passes.taken[at]
    taken = inputs[0] if inputs else None
    for key in stage.keys:
        yield Expected(stage.number, key, None, None, None, None)
    if stage.weights is None:
        return
    signal, pull = passes.signals[at], passes.pulls[at]
    yield Expected(
        stage.number,
        stage.weights.key,
        None if taken is None else raised(taken.power),
        None if signal is None else raised(signal.power),
        _factor(pull, passes.pulls[above] if above is not None else None),
        None if taken is None or pull is None else _gradient(stage, taken, pull, passes.setting),
    )


def _factor(own: Pull | None, above: Pull | None) -> float | None:
    if own is None or above is None or above.power == NOTHING:
        return None
    return raised(own.power - above.power)


def _gradient(stage: Stage, taken: Signal, pull: Pull, setting: Setting) -> float:
    """`½ log10 E g²`: of each place a part, of a batch the mean, whose samples have parts alike."""
    uses = logarithm(stage.weights.uses if stage.weights else 1)
    alike = (1 + (setting.batch - 1) * pull.alike * taken.alike) / setting.batch
    power = pull.power + taken.power + uses
    return NOTHING if power == NOTHING else (power + logarithm(alike)) / 2


def _relative(levels: Iterator[Expected]) -> tuple[Expected, ...]:
    """The gradients by that of the last layer."""
    found = tuple(levels)
    last = found[-1].gradient if found else None
    if last is None or math.isinf(last):
        return tuple(replace(level, gradient=None) for level in found)
    known = (None if one.gradient is None else one.gradient - last for one in found)
    return tuple(replace(one, gradient=own) for one, own in zip(found, known, strict=True))


# --- What has no rule ---


def _stops(passes: _Passes, at: int) -> bool:
    """Whether nothing is known behind a stage, though it is known in front of it.

    An activation that is the output has a rule of its own, or makes the gradients relative.
    """
    if passes.signals[at] is not None:
        return False
    if passes.every[at].kind not in RULES:
        return True
    return passes.taken[at] is not None and at <= _output(passes.every)


def _kind(stage: Stage) -> str:
    if stage.kind == "activation" and stage.row is not None:
        return stage.row.formula if stage.row.given else stage.row.name
    return stage.kind
