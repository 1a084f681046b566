"""A network as stages in forward order, each of a kind that mean squares have a rule for.

In: a `Network` or a `Stack`. Out: `Stage`s: a layer with weights and an activation is two of them.
Must not know: rules, how weights are drawn. A kind of layer that is not in `READERS` becomes a
stage of its own name, for which there is no rule.
"""

from collections.abc import Callable, Iterator, Mapping
from math import prod
from typing import NamedTuple

from sympy import Expr

from bpderive.catalog import Activation
from bpderive.modules.labels import label
from bpderive.network import Network
from bpderive.stack import for_one
from bpderive.stack.model import Place, Stack
from bpderive.stack.placing import size_of

INPUT = -1
"""The source of what takes the network's input."""


class Weights(NamedTuple):
    """The weights of a stage: their key in the generated code, and how they are connected.

    `inputs` and `outputs` are what a scheme takes as the sizes of the layer. `taken` is how many
    inputs a neuron really has and `sent` how many neurons an input really goes to, on average (at
    the edges of an image, fewer); `uses` is how many neurons a weight stands in.
    """

    key: str
    inputs: int
    outputs: int
    taken: float
    sent: float
    uses: float
    bias: bool


class Stage(NamedTuple):
    """`number` is that of the layer, `sources` are the places of other stages in the list."""

    number: int
    kind: str
    sources: tuple[int, ...]
    row: Activation | None = None
    weights: Weights | None = None
    numbers: tuple[tuple[str, float], ...] = ()
    keys: tuple[str, ...] = ()
    size: int = 1

    def constant(self, name: str) -> float:
        """A constant of the layer, such as its eps."""
        return dict(self.numbers)[name]


def stages(network: Network | Stack) -> tuple[Stage, ...]:
    """The stages of a network; none where a size is a symbol."""
    if isinstance(network, Network):
        return () if network.symbolic else tuple(_dense(network))
    return () if _symbolic(network) else tuple(_stacked(network))


def mixing(network: Network | Stack) -> bool:
    """Whether a layer mixes samples, so that there is no gradient of a single one."""
    return isinstance(network, Stack) and for_one(network).samples


def _dense(network: Network) -> Iterator[Stage]:
    at, bias = INPUT, network.spec.bias
    for layer in network.layers:
        inputs, outputs = int(layer.inputs), int(layer.width)
        weights = Weights(f"W{layer.index}", inputs, outputs, inputs, outputs, 1, bias)
        yield Stage(layer.index, "weights", (at,), weights=weights, size=outputs)
        at += 1
        if layer.activation.name != "linear":
            yield Stage(layer.index, "activation", (at,), layer.activation, size=outputs)
            at += 1
    if network.stage is not None:
        yield Stage(network.depth, "activation", (at,), network.stage, size=int(network.outputs))


# --- Stacks ---


def _symbolic(stack: Stack) -> bool:
    every = [stack.input.axes, *(place.output.axes for place in stack.places)]
    return any(not axis.size.is_Integer for axes in every for axis in axes if axis.name != "n")


def _stacked(stack: Stack) -> Iterator[Stage]:
    ends, at = {0: INPUT}, INPUT
    tied = {place.tied for place in stack.places if place.tied}
    for place in stack.places:
        sources = tuple(ends[source] for source in place.sources)
        for stage in _read(place, sources, at + 1, shared=place.number in tied):
            yield stage
            at += 1
        ends[place.number] = at


def _read(place: Place, sources: tuple[int, ...], at: int, *, shared: bool) -> tuple[Stage, ...]:
    """The stages of one layer, the first of which stands at `at`."""
    if place.tied or shared or place.row not in READERS:
        return (_unknown(place, sources, "tie" if place.tied or shared else place.row),)
    return READERS[place.row](place, sources, at)


def _unknown(place: Place, sources: tuple[int, ...], kind: str) -> Stage:
    keys = () if place.tied else tuple(str(place.names[label(t)]) for t in _matrices(place))
    return Stage(place.number, kind, sources, keys=keys, size=_size(place))


def _matrices(place: Place) -> list[str]:
    """The names of a layer's weights: parameters of two axes or more that are no biases."""
    tensors = place.module.of_role("parameter")
    return [t.name for t in tensors if len(t.axes) > 1 and t.name.partition("_")[0] != "b"]


def _sizes(place: Place) -> dict[str, Expr]:
    """The sizes of the layer's letters."""
    return {str(key): value for key, value in place.names.items() if not isinstance(value, str)}


def _shape(place: Place, name: str) -> tuple[int, ...]:
    axes = place.module.by_name[name].axes
    return tuple(int(size_of(axis, place.module, _sizes(place))) for axis in axes)


def _size(place: Place) -> int:
    """How many numbers it gives for a sample."""
    return prod(int(axis.size) for axis in place.output.axes if axis.name != "n")


def _weighted(
    place: Place, sources: tuple[int, ...], at: int, weights: Weights
) -> tuple[Stage, ...]:
    size = _size(place)
    first = Stage(place.number, "weights", sources, weights=weights, size=size)
    if place.activation is None:
        return (first,)
    return first, Stage(place.number, "activation", (at,), place.activation, size=size)


def _fully(place: Place, sources: tuple[int, ...], at: int) -> tuple[Stage, ...]:
    """A dense layer, of a sequence at every step."""
    (name,) = _matrices(place)
    outputs, inputs = _shape(place, name)
    key, uses = str(place.names[label(name)]), _size(place) / outputs
    return _weighted(
        place, sources, at, Weights(key, inputs, outputs, inputs, outputs, uses, place.bias)
    )


def _convolved(place: Place, sources: tuple[int, ...], at: int) -> tuple[Stage, ...]:
    """A convolution; positions outside, which read as zero, are left out of the counts."""
    (name,) = _matrices(place)
    if place.module.by_name[name].axes[0].name != "o":
        return (_unknown(place, sources, "conv(groups)"),)
    sizes = {letter: int(value) for letter, value in _sizes(place).items() if value.is_Integer}
    out, channels, *kernel = _shape(place, name)
    lengths = [int(axis.size) for axis in place.output.axes if axis.name not in ("n", "o")]
    images = [sizes[k] for k in (("T",) if len(kernel) == 1 else ("U", "V"))]
    sides = list(zip(kernel, lengths, images, strict=True))
    inside = prod(_inside(*side, sizes) for side in sides)
    nominal = channels * prod(kernel), out * prod(kernel)
    taken, sent = channels * inside / prod(lengths), out * inside / prod(images)
    key = str(place.names[label(name)])
    weights = Weights(key, *nominal, taken, sent, inside / prod(kernel), place.bias)
    return _weighted(place, sources, at, weights)


def _inside(kernel: int, length: int, image: int, sizes: Mapping[str, int]) -> int:
    """How many pairs of an output and a weight read a position that there is, along one axis."""
    stride, padding, dilation = sizes.get("S", 1), sizes.get("P", 0), sizes.get("D", 1)
    places = (stride * i + dilation * k - padding for i in range(length) for k in range(kernel))
    return sum(0 <= place < image for place in places)


def _single(kind: str) -> "Reader":
    def read(place: Place, sources: tuple[int, ...], _at: int) -> tuple[Stage, ...]:
        numbers = tuple((name, float(value)) for name, value in place.module.numbers.items())
        size, row = _size(place), place.activation
        return (Stage(place.number, kind, sources, row, numbers=numbers, size=size),)

    return read


def _normalised(place: Place, sources: tuple[int, ...], at: int) -> tuple[Stage, ...]:
    """Batch normalisation; with statistics that are given, nothing is known of it."""
    given = not any(str(e.label).startswith("mu") for e in place.module.equations)
    return _single("batchnorm(inference)" if given else "batchnorm")(place, sources, at)


Reader = Callable[[Place, tuple[int, ...], int], tuple[Stage, ...]]

READERS: Mapping[str, Reader] = {
    "dense": _fully,
    "conv": _convolved,
    "activation": _single("activation"),
    "softmax": _single("activation"),
    "copy": _single("same"),
    "flatten": _single("same"),
    "add": _single("add"),
    "batchnorm": _normalised,
    "layernorm": _single("layernorm"),
    "rmsnorm": _single("rmsnorm"),
}
"""How a layer is read, by its row in the catalogue of layers; what is not here has no rule."""
