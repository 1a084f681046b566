"""From a derivation to a plan: its code, and how each of its parameters is drawn.

In: a derivation, a `Scheme`. Out: a `Plan`, which needs no SymPy any more. Must not know: random
numbers, how networks are run.
"""

import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod, sqrt

from bpderive.backprop import AnyDerivation, StackDerivation
from bpderive.derive import derive
from bpderive.errors import UnsupportedError
from bpderive.flow.branches import scales
from bpderive.flow.expectation import BATCH
from bpderive.flow.schemes import Scheme
from bpderive.flow.stages import mixing
from bpderive.modules.labels import label
from bpderive.modules.model import Declared
from bpderive.network import Network
from bpderive.stack.model import Place, Stack
from bpderive.stack.placing import size_of
from bpderive.sweep.bounding import GradientBounds
from bpderive.sweep.model import ELEMENTS, VALUES, Drawn, Kind, Plan
from bpderive.targets import generate
from bpderive.weights import in_order

SMALL = 2000
"""Networks of at most so many parameters run through plain Python code."""
WORK = 20_000
"""And where weights are used several times, of at most so many products for all samples."""
PARAMETERS = 50_000_000
"""Of larger networks nothing is measured."""
Fans = tuple[int, int]


@dataclass(frozen=True)
class Parameter:
    """The layer that it is of, its key in the code, its name in the layer, its axes."""

    number: int
    key: str
    name: str
    letters: tuple[str, ...]
    shape: tuple[int, ...]

    @property
    def weights(self) -> bool:
        """Whether it is no bias and no gain."""
        return len(self.shape) > 1 and self.name.partition("_")[0] != "b"


@dataclass(frozen=True)
class Code:
    """The code of a derivation and what is known of it; with a scheme it makes a plan."""

    source: str
    target: str
    batch: int
    parameters: tuple[Parameter, ...]
    network: Network | Stack
    bounds: bytes | None = None

    @property
    def size(self) -> int:
        """How many numbers all parameters have."""
        return sum(prod(one.shape) for one in self.parameters)


def drawn_by(seed: int, slug: str, scheme: str) -> str:
    """The text that, with a number behind it, all random numbers of a network come from."""
    return f"{seed}/{slug}/{scheme}"


def plan(code: Code, scheme: Scheme, inputs: int) -> Plan:
    """How networks of this code are drawn by a scheme, each with so many inputs."""
    network = code.network
    factors = scales(network, scheme) if isinstance(network, Stack) else {}
    return Plan(
        source=code.source,
        target=code.target,
        tensors=tuple(_drawn(one, scheme, factors.get(one.key, 1.0)) for one in code.parameters),
        layers=tuple((one.number, one.key) for one in code.parameters if one.weights),
        label=network.loss.label,
        inputs=inputs,
        batch=code.batch,
        bounds=code.bounds,
        most=min(ELEMENTS, max(VALUES // inputs, 1)),
    )


def coded(derivation: AnyDerivation) -> Code:
    """The code of a derivation, of the target that its size asks for.

    Raises:
        UnsupportedError: a size is a symbol, or the network has no weights.
    """
    network = derivation.network
    _check(network)
    parameters = tuple(_dense(network) if isinstance(network, Network) else _stacked(network))
    if not any(one.weights for one in parameters):
        raise UnsupportedError("the network has no weights whose gradients could be measured")
    if (size := sum(prod(one.shape) for one in parameters)) > PARAMETERS:
        raise UnsupportedError(
            f"the network has {size} parameters; up to {PARAMETERS} are measured"
        )
    batch = BATCH if mixing(network) else 1
    target = _target(network, parameters, batch)
    bounds = bounded(network, target) if isinstance(network, Network) else None
    return Code(source_of(derivation, target), target, batch, parameters, network, bounds)


def _target(network: Network | Stack, parameters: tuple[Parameter, ...], batch: int) -> str:
    size = sum(prod(one.shape) for one in parameters)
    if isinstance(network, Network):
        return "python" if size <= SMALL else "numpy-inplace"
    return "python" if size <= SMALL and batch * _work(network) <= WORK else "numpy"


def source_of(derivation: AnyDerivation, target: str) -> str:
    """Its code."""
    if isinstance(derivation, StackDerivation):
        from bpderive.schedule import build as schedule

        return generate(schedule(derivation), target)
    from bpderive.program import build

    return generate(build(derivation), target)


def _check(network: Network | Stack) -> None:
    """Refuse sizes that are no numbers."""
    if isinstance(network, Network):
        sizes = [network.inputs, *(layer.width for layer in network.layers)]
    else:
        shapes = [network.input.axes, *(place.output.axes for place in network.places)]
        sizes = [axis.size for axes in shapes for axis in axes if axis.name != "n"]
    symbols = sorted({str(size) for size in sizes if not size.is_Integer})
    if symbols:
        raise UnsupportedError(
            f"measuring needs the sizes as numbers, and here are {', '.join(symbols)}"
        )


# --- Parameters ---


def _dense(network: Network) -> Iterator[Parameter]:
    order = network.spec.weights
    for layer in network.layers:
        at, inputs, outputs = layer.index, int(layer.inputs), int(layer.width)
        letters = in_order(order, "i", "j")
        yield Parameter(at, f"W{at}", "w", letters, in_order(order, outputs, inputs))
        if network.spec.bias:
            yield Parameter(at, f"b{at}", "b", ("i",), (outputs,))


def _stacked(stack: Stack) -> Iterator[Parameter]:
    for place in stack.places:
        for declared in () if place.tied else place.module.of_role("parameter"):
            key = str(place.names[label(declared.name)])
            letters = tuple(axis.name for axis in declared.axes)
            yield Parameter(place.number, key, declared.name, letters, _shape(declared, place))


def _shape(declared: Declared, place: Place) -> tuple[int, ...]:
    sizes = {str(key): value for key, value in place.names.items()}
    return tuple(int(size_of(axis, place.module, sizes)) for axis in declared.axes)


def _work(stack: Stack) -> int:
    """Products of one sample's forward pass, roughly: each output takes what one neuron takes."""
    found = 0
    for place in stack.places:
        outputs = prod(int(axis.size) for axis in place.output.axes if axis.name != "n")
        shapes = [_shape(one, place) for one in place.module.of_role("parameter")]
        found += outputs * (1 + sum(prod(shape[1:]) for shape in shapes if len(shape) > 1))
    return found


def _drawn(parameter: Parameter, scheme: Scheme, factor: float) -> Drawn:
    key, shape = parameter.key, parameter.shape
    if parameter.name in {"gamma", "beta"}:
        return Drawn(key, shape, "constant", float(parameter.name == "gamma"))
    if not parameter.weights:
        return _of(key, shape, "normal", sqrt(scheme.bias))
    if scheme.shape == "zeros":
        return Drawn(key, shape, "constant", 0.0)
    if scheme.shape == "orthogonal":
        inputs, outputs = prod(shape[1:]), shape[0]  # of the matrix that is orthogonal
    else:
        inputs, outputs = fans(parameter.letters, shape)
    return _of(key, shape, scheme.shape, factor * sqrt(scheme.variance(inputs, outputs)))


def _of(key: str, shape: tuple[int, ...], kind: Kind, deviation: float) -> Drawn:
    """Numbers without deviation are no random numbers."""
    return Drawn(key, shape, kind if deviation else "constant", deviation)


def fans(letters: tuple[str, ...], shape: tuple[int, ...]) -> Fans:
    """How many inputs a neuron of these weights has, and how many neurons an input goes to."""
    for first, rule in FANS.items():
        if letters[: len(first)] == first:
            return rule(shape)
    return prod(shape[1:]), shape[0]


def _kernel(shape: tuple[int, ...]) -> Fans:
    out, *rest = shape
    return prod(rest), out * prod(rest[1:])


FANS: Mapping[tuple[str, ...], Callable[[tuple[int, ...]], Fans]] = {
    ("o", "c"): _kernel,
    ("g", "o", "c"): lambda shape: _kernel(shape[1:]),
    ("h", "d"): lambda shape: (prod(shape[2:]), shape[0] * shape[1]),
    ("j", "i"): lambda shape: (shape[0], shape[1]),
}
"""By the letters of the first axes: convolutions, those in groups, heads, input first."""


def bounded(network: Network, target: str) -> bytes:
    """What bounds the gradients of a dense network at given weights, pickled.

    Its code has biases, whose gradients are the deltas of the last layer.
    """
    plain = replace(network, _graphs={}, _names={})
    biased = replace(plain, spec=replace(network.spec, bias=True), _graphs={}, _names={})
    return pickle.dumps(GradientBounds(plain, source_of(derive(biased), target)))
