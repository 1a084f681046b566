"""The bound in norms, for networks too wide for sums over paths.

In: a `Network`. Out: statements of `norm`s of whole tensors, layer by layer and, for the first
layer of a network that is not deep, along all of it. Of a matrix the norm is its largest singular
value, of a vector its length. The same statements hold with the largest size of an element for a
vector, and the largest sum of the sizes of the weights that leave one neuron for a matrix of
weights. Must not know: words, letters.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Expr, Integer, Mul, Rational, Symbol

from bpderive.catalog import Activation
from bpderive.flow.largest import bound_of
from bpderive.flow.runs import Run, runs
from bpderive.network import Network
from bpderive.slopes.nodes import at_most, norm

DEEP = 6
"""The bound of the first layer is written out for at most so many layers."""

JACOBIAN: Mapping[str, Expr] = {"softmax": Rational(1, 2)}
"""The largest norm of a Jacobian: the sizes in a row of that of softmax add up to `2a(1 - a)`."""


@dataclass(frozen=True)
class NormBound:
    """`left <= right` for a run of layers; `exact` where they are equal."""

    run: Run
    left: Expr
    right: Expr
    exact: bool = False

    @property
    def statement(self) -> Expr:
        """The inequality."""
        return at_most(self.left, self.right)


def steepest(row: Activation) -> Expr | None:
    """The largest factor by which an activation makes a vector of derivatives longer."""
    return bound_of(row) if row.elementwise else JACOBIAN.get(row.name)


def delta_bounds(network: Network) -> tuple[NormBound, ...]:
    """`‖δ^l‖ <= s ‖W^(l+1)‖ ‖δ^(l+1)‖`, from the last hidden layer down to where a bound ends."""
    found = []
    for run in reversed(runs(network)[:-1]):
        slope = steepest(network.layer(run.first).activation)
        if slope is None:
            break
        above = Mul(_norm(network, run, "w{l+1}", 2), _norm(network, run, "delta{l+1}", 1))
        found.append(NormBound(run, _norm(network, run, "delta{l}", 1), slope * above))
    return tuple(found)


def weight_bounds(network: Network) -> tuple[NormBound, ...]:
    """`‖∂L/∂W^l‖ = ‖δ^l‖ ‖a^(l-1)‖`: the norm of an outer product, of one sample."""
    return tuple(_outer(network, run) for run in reversed(runs(network)))


def _outer(network: Network, run: Run) -> NormBound:
    right = Mul(_norm(network, run, "delta{l}", 1), _norm(network, run, "a{l-1}", 1))
    return NormBound(run, _norm(network, run, "dw{l}", 2), right, exact=True)


def first_layer(network: Network) -> Expr | None:
    """`‖∂L/∂W¹‖ <= (Π s_k ‖W^(k+1)‖) ‖δ^L‖ ‖x‖`; None: too long, or a slope without a bound."""
    if not 1 < network.depth <= DEEP:
        return None
    slopes = [steepest(layer.activation) for layer in network.layers[:-1]]
    if None in slopes:
        return None
    weights = [_whole(f"w{k}", 2) for k in range(network.depth, 1, -1)]
    ends = (_whole(f"delta{network.depth}", 1), _whole("x", 1))
    return at_most(_whole("dw1", 2), Mul(*(s for s in slopes if s is not None), *weights, *ends))


def _norm(network: Network, run: Run, label: str, axes: int) -> Expr:
    """The norm of a tensor of the general layer, in the labels of a run."""
    return _whole(_named(run.names(network), label), axes)


def _named(names: Mapping[str, Expr | str], label: str) -> str:
    inner = label.removeprefix("d") if label.startswith("dw") else label
    found = str(names.get(inner, inner))
    return f"d{found}" if inner != label else found


def _whole(label: str, axes: int) -> Expr:
    return norm(Symbol(label), Integer(axes))
