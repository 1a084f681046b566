"""Exactly at a kink, every form and every target gives the slope that the catalogue states.

In: a `Subject`. Out: the checks of its forms, program and code at networks of one neuron a layer
whose weighted sum, or whose output, lies on a kink. The derivatives there are the stated ones: no
difference finds them. Must not know: how a form is written.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from sympy import Integer

from bpderive.catalog import Kink
from bpderive.derive import Derivation
from bpderive.grammar.widths import LayerSpec
from bpderive.network import Layer
from bpderive.proof import Check, Skip
from bpderive.verify import forms, programs, targets
from bpderive.verify.arithmetic import MP, is_real
from bpderive.verify.formulas import REAL, read
from bpderive.verify.model import oracle_of
from bpderive.verify.oracle import Indices, Oracle, Point, Tensor
from bpderive.verify.points import Points
from bpderive.verify.subject import Subject

ONE: Tensor = {(1,): MP.mpf(1)}
SHIFT = MP.mpf(11) / 16  # no whole number: formulas have their poles there
WEIGHT, LABEL, APART = MP.mpf(3) / 4, MP.mpf(5) / 16, MP.mpf(3) / 8


def check(subject: Subject) -> Iterator[Check | Skip]:
    """Every kink of every activation and of the loss."""
    for name, at, found in _subjects(subject):
        place = f"{name} at {at}"
        if found is None:
            yield Skip("kink", place, "no_point")
            continue
        exact = (*forms.check(found), *programs.check(found))
        yield from (_placed(one, "kink", place) for one in exact)
        if not subject.quick:
            yield from (_placed(one, "kink_code", place) for one in targets.check(found))


def _placed(one: Check | Skip, kind: str, place: str) -> Check | Skip:
    if isinstance(one, Skip):
        return replace(one, kind=kind, against=place, reason=f"{one.against}: {one.reason}")
    return replace(one, kind=kind, subject=f"{one.subject} ({one.against})", against=place)


def _subjects(subject: Subject) -> Iterator[tuple[str, str, Subject | None]]:
    """Each kink: the name of its row, its place, and the small network that lies on it."""
    *hidden, last = subject.derivation.network.layers
    for layer in {layer.activation.name: layer for layer in hidden}.values():
        for kink in layer.activation.kinks:
            yield layer.activation.name, kink.at, _at_activation(subject, (layer, last), kink)
    for kink in last.activation.kinks:
        yield last.activation.name, kink.at, _at_activation(subject, (last,), kink)
    for kink in subject.derivation.network.loss.kinks:
        yield subject.derivation.network.loss.name, kink.at, _at_loss(subject, last, kink)


def _at_activation(subject: Subject, layers: tuple[Layer, ...], kink: Kink) -> Subject | None:
    """The first layer's weighted sum on the kink, where what follows lets it through if it can."""
    at, slope = (read(text, REAL)({}, ()) for text in (kink.at, kink.slope))
    small = _thin(subject.derivation, layers)
    oracle = oracle_of(small.network)

    def stated(slopes: dict[str, Tensor]) -> dict[str, Tensor]:
        return slopes | _below(oracle, slopes, slope * slopes["a1"][1,])

    givens = (_given(oracle, at, LABEL, weight) for weight in (WEIGHT, -WEIGHT))
    found = filter(None, (_on(small, subject, given, stated) for given in givens))
    return max(found, key=_shows, default=None)


def _shows(subject: Subject) -> bool:
    """Whether the loss depends on the output of the neuron that lies on the kink."""
    return subject.points is not None and subject.points.slopes[0]["a1"][1,] != 0


def _at_loss(subject: Subject, last: Layer, kink: Kink) -> Subject | None:
    """The output on the kink: the label is the one whose kink it is."""
    small = _thin(subject.derivation, (last,))
    oracle = oracle_of(small.network)
    z, label = next(_labelled(oracle, kink), (None, None))
    if z is None:
        return None
    slope = read(kink.slope, REAL)({"y": label}, ())
    given = _given(oracle, z, label)

    def stated(slopes: dict[str, Tensor]) -> dict[str, Tensor]:
        """The loss's slope, times those of the outputs: derivatives within the forward pass."""
        outputs = {**slopes["a1"], (1,): slope}
        found = {"a1": outputs}
        for at in slopes["z1"]:
            inner = (
                oracle.inner_slope(given, ("z1", at), ("a1", i)) * u for i, u in outputs.items()
            )
            found |= _below(oracle, slopes | found, sum(inner), at)
        return slopes | found

    return _on(small, subject, given, stated)


def _labelled(oracle: Oracle, kink: Kink) -> Iterator[tuple[Any, Any]]:
    """Weighted sums, and the labels that put the outputs on the kink.

    Only where the output is a number of few digits: one that is rounded may miss the kink.
    """
    at = read(kink.at, REAL)
    for z in map(MP.mpf, (1, 0)):
        output = oracle.forward(_given(oracle, z, LABEL))["a1"][1,]
        if output != 0 and MP.isint(output * 2**20):
            yield from ((z, y) for y in (output, 1 / output) if at({"y": y}, ()) == output)


def _below(
    oracle: Oracle, slopes: dict[str, Tensor], delta: Any, at: Indices = (1,)
) -> dict[str, Tensor]:
    """The derivatives by what is a neuron's, from that by its weighted sum; its input is 1."""
    weight = oracle.weight(at[0], 1)
    found = {"z1": {**slopes["z1"], at: delta}, "w1": {**slopes["w1"], weight: delta}}
    return found | ({"b1": {**slopes["b1"], at: delta}} if "b1" in slopes else {})


def _on(
    small: Derivation,
    subject: Subject,
    given: Point,
    stated: Callable[[dict[str, Tensor]], dict[str, Tensor]],
) -> Subject | None:
    oracle = oracle_of(small.network)
    try:
        sample = oracle.forward(given)
    except (ArithmeticError, ValueError, TypeError):
        return None
    if not all(is_real(value) for tensor in sample.values() for value in tensor.values()):
        return None
    slopes = Points(oracle, (sample,)).gradient(sample)
    points = Points(oracle, (sample,), (stated(slopes),))
    return Subject(small, subject.quick, subject.seed, points)


def _given(oracle: Oracle, z: Any, label: Any, weight: Any = WEIGHT) -> dict[str, Tensor]:
    """Parameters and a sample that give the first neuron this weighted sum, exactly."""
    shift = SHIFT if oracle.bias else MP.mpf(0)
    labels: Tensor = {(i,): value for i, value in enumerate((label, 1 - label), 1)}
    found: dict[str, Tensor] = {"x": ONE, "y": {at: labels[at] for at in _rows(oracle, -1)}}
    for layer in range(1, oracle.depth + 1):
        first = z - shift if layer == 1 else weight
        rows, columns = _rows(oracle, layer), _rows(oracle, layer - 1)
        found[f"w{layer}"] = {
            oracle.weight(i, j): first + (i - 1) * APART for (i,) in rows for (j,) in columns
        }
        if oracle.bias:
            found[f"b{layer}"] = dict.fromkeys(rows, shift)
    return found


def _rows(oracle: Oracle, layer: int) -> list[tuple[int, ...]]:
    return [(i,) for i in range(1, oracle.widths[layer] + 1)]


def _thin(derivation: Derivation, layers: tuple[Layer, ...]) -> Derivation:
    """The same results over these layers, as narrow as can be.

    A distribution takes two outputs. A hidden layer has a second neuron, off the kink: where the
    output at the kink is 0, the layer above would be on a kink of its own, or dead.
    """
    network = derivation.network
    mixes = not layers[-1].activation.elementwise  # a softmax of one output does not vary
    last = 2 if mixes or network.loss.label == "distribution" else 1
    widths = [Integer(1), *[Integer(2)] * (len(layers) - 1), Integer(last)]
    thin = tuple(
        Layer(k, widths[k], widths[k - 1], layer.activation) for k, layer in enumerate(layers, 1)
    )
    spec = replace(network.spec, layers=tuple(LayerSpec(int(width)) for width in widths))
    small = replace(network, spec=spec, layers=thin, _names={})
    return Derivation(small, derivation._sweeps)  # noqa: SLF001 - the same results
