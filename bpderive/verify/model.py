"""The network at which scalars are compared: the derived one, or one of its kinds and small layers.

In: a `Derivation`. Out: the same results over a network that is small enough for every form, and
its `Oracle`. What was derived holds for a kind of layer at any size, so a small network of the same
kinds tries all of it. Must not know: how anything is compared.
"""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from sympy import Expr, Integer

from bpderive.derive import Derivation
from bpderive.grammar.widths import LayerSpec
from bpderive.network import Layer, Network
from bpderive.verify.oracle import Oracle

PARAMETERS = 40
"""A network of at most so many parameters is taken as it is."""
DEPTH = 6
SMALL = (2, 3)
"""The widths of small layers; those of one neuron stay so."""


def model(derivation: Derivation, seed: int) -> Derivation:
    """The derivation itself where its network is small, else its results over a small network."""
    network = derivation.network
    if is_small(network):
        return derivation
    small = _small(network, Random(seed))
    return Derivation(small, derivation._sweeps)  # noqa: SLF001 - the same results


def is_small(network: Network) -> bool:
    """Whether a network is compared at its own sizes."""
    if network.symbolic or network.depth > DEPTH:
        return False
    return parameters(network) <= PARAMETERS


def parameters(network: Network) -> int:
    """The number of weights and biases."""
    bias = int(network.spec.bias)
    return int(sum(layer.width * (layer.inputs + bias) for layer in network.layers))


def _small(network: Network, random: Random) -> Network:
    chosen = _layers(network)
    widths = [_width(network.inputs, random, ())]
    for layer in chosen:
        widths.append(_width(layer.width, random, widths[-1:]))
    layers = tuple(
        Layer(index, Integer(widths[index]), Integer(widths[index - 1]), layer.activation)
        for index, layer in enumerate(chosen, 1)
    )
    spec = replace(network.spec, layers=tuple(LayerSpec(width) for width in widths))
    return replace(network, spec=spec, layers=layers, _names={})


def _layers(network: Network) -> list[Layer]:
    """Two layers of each kind, the last layer at the end."""
    found: list[Layer] = []
    for layer in network.layers[:-1]:
        same = [other for other in found if other.activation == layer.activation]
        if len(same) < 2 or len(network.layers) <= DEPTH:
            found.append(layer)
    return [*found, network.layers[-1]]


def _width(size: Expr, random: Random, below: Sequence[int]) -> int:
    """A small width, not that of the layer below: where all are equal, a transpose may hide."""
    if size == 1:
        return 1
    return random.choice([width for width in SMALL if width not in below])


def oracle_of(network: Network) -> Oracle:
    """The oracle of a network, from its texts alone.

    A row's name may be a formula's; its text is what counts.
    """
    loss = network.loss
    return Oracle(
        widths=(int(network.inputs), *(int(layer.width) for layer in network.layers)),
        activations=tuple(layer.activation.formula for layer in network.layers),
        loss=loss.formula,
        stage=network.stage.formula if network.stage is not None else "",
        mean_of_outputs=loss.combine == "mean",
        bias=network.spec.bias,
        input_first=network.spec.weights == "input_first",
    )
