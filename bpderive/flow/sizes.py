"""How large the gradients of one network can be, in numbers: its weights and one input are given.

In: a `Network`, its parameters under their names in the generated code, a sample, the sizes of the
deltas of its last layer. Out: for each layer a number that no gradient of its weights exceeds.
Must not know: the true values of anything between the input and the last deltas.

Forward, |z| <= |W| |a| + |b|, and |a| from |z| by the largest value and the largest slope of the
activation. Backward, |delta| <= s |W|ᵀ |delta|, which is the sum over all paths.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import inf, isfinite
from typing import Any

from sympy import Expr

from bpderive.catalog import Activation
from bpderive.errors import UnsupportedError
from bpderive.flow.largest import largest
from bpderive.functions import number, scalar_symbol
from bpderive.network import Layer, Network
from bpderive.slopes.extrema import maximum_of
from bpderive.slopes.intervals import Program, absolute, program
from bpderive.weights import by_role

WIDER = 1 + 1e-9
"""What a bound is multiplied with, for the rounding of all sums and products before it."""
RANGES: Mapping[str, float] = {"unit": 1.0, "signed_unit": 1.0}
"""The largest size of an output by the range that its row declares."""

Vector = Any
"""A list of numbers, or a NumPy array of one axis."""


@dataclass(frozen=True)
class Ops:
    """What is asked of vectors and matrices, whatever they are made of.

    `through(W, v, first)` is |W| v where the rows of W belong to the result (`first`), else |W|ᵀ v.
    """

    sizes: Callable[[Any], Vector]
    through: Callable[[Any, Vector, bool], Vector]
    sum: Callable[[Vector, Vector], Vector]
    line: Callable[[Vector, float, float, float], Vector]
    """`min(top, start + slope v)` of each element."""
    most: Callable[[Vector], float]


def _through(matrix: Sequence[Sequence[float]], vector: Vector, first: bool) -> Vector:
    rows = matrix if first else list(zip(*matrix, strict=True))
    return [sum(abs(w) * v for w, v in zip(row, vector, strict=True)) for row in rows]


LISTS = Ops(
    sizes=lambda v: [abs(float(part)) for part in v],
    through=_through,
    sum=lambda u, v: [a + b for a, b in zip(u, v, strict=True)],
    line=lambda v, top, start, slope: [min(top, start + slope * part) for part in v],
    most=lambda v: max(v) if all(map(isfinite, v)) else inf,
)
"""Nested lists."""

ARRAYS = Ops(
    sizes=lambda v: abs(v).astype(float),
    through=lambda w, v, first: (abs(w) if first else abs(w).T) @ v,
    sum=lambda u, v: u + v,
    line=lambda v, top, start, slope: (start + slope * v).clip(None, top),
    most=lambda v: float(v.max()),
)
"""NumPy arrays, by their own methods: nothing is imported."""


@dataclass(frozen=True)
class Reach:
    """How far an activation goes: `|f(z)| <= min(top, start + slope |z|)`, `|f'(z)| <= steep`.

    Where it has no such line or no largest slope, `values` and `slopes` enclose it over an
    interval of z; None where that is not known either.
    """

    top: float
    start: float
    steep: float | None
    values: Program | None
    slopes: Program | None


def gradient_bounds(
    network: Network,
    params: Mapping[str, Any],
    x: Vector,
    error: Vector,
    ops: Ops | None = None,
) -> tuple[float | None, ...]:
    """What no |∂L/∂w| of a layer exceeds, from the first layer to the last; None: no bound.

    Args:
        network: of dense layers, its widths numbers.
        params: `W1` (shape as in the generated code), `b1`, … ; NumPy arrays or nested lists.
        x: the sample, of as many numbers as the network has inputs.
        error: the sizes of ∂L/∂z of the last layer's neurons, of this one sample.
        ops: how vectors are handled; by default as `params` are made.
    """
    used = ops or (ARRAYS if hasattr(params["W1"], "dtype") else LISTS)
    taken, reached = _forward(network, params, used.sizes(x), used)
    found = list(_backward(network, params, used.sizes(error), reached, used))
    pairs = zip(taken, reversed(found), strict=True)
    return tuple(
        _finite(used.most(a) * used.most(d) * WIDER) if d is not None else None for a, d in pairs
    )


def _finite(bound: float) -> float | None:
    return float(bound) if isfinite(bound) else None


def _forward(
    network: Network, params: Mapping[str, Any], sizes: Vector, ops: Ops
) -> tuple[list[Vector], list[float]]:
    """What each layer takes, in size; and how large its weighted sums can be."""
    taken, reached = [], []
    for layer in network.layers:
        taken.append(sizes)
        z = ops.through(params[f"W{layer.index}"], sizes, _neurons_first(network))
        if (bias := params.get(f"b{layer.index}")) is not None:
            z = ops.sum(z, ops.sizes(bias))
        reached.append(float(ops.most(z)))
        sizes = _values(reach(layer.activation), z, reached[-1], ops)
    return taken, reached


def _values(found: Reach, z: Vector, most: float, ops: Ops) -> Vector:
    """How large the outputs can be."""
    if found.steep is not None:
        return ops.line(z, found.top, found.start, found.steep)
    top = min(found.top, _over(found.values, most))
    return ops.line(z, top, top, 0.0)


def _backward(
    network: Network, params: Mapping[str, Any], sizes: Vector, reached: list[float], ops: Ops
) -> Iterator[Vector | None]:
    """The sizes of deltas, from the last layer to the first."""
    yield sizes
    found: Vector | None = sizes
    for layer in reversed(network.layers[:-1]):
        if found is not None:
            above = params[f"W{layer.index + 1}"]
            sent = ops.through(above, found, not _neurons_first(network))
            found = _sent(layer, sent, reached[layer.index - 1], ops)
        yield found


def _sent(layer: Layer, sent: Vector, most: float, ops: Ops) -> Vector | None:
    """What comes through an activation."""
    row = layer.activation
    if not row.elementwise:
        bound = largest(row)
        every = None if bound is None else float(bound) * float(sum(sent))
        return None if every is None else ops.line(sent, every, every, 0.0)
    found = reach(row)
    steep = _over(found.slopes, most) if found.steep is None else found.steep
    return ops.line(sent, inf, 0.0, steep) if isfinite(steep) else None


def _over(code: Program | None, most: float) -> float:
    """The largest size over all z of this size."""
    return inf if code is None or not isfinite(most) else absolute(code((-most, most)))[1]


def _neurons_first(network: Network) -> bool:
    return by_role(network.spec.weights, (True, False))[0]


# --- What is known of an activation ---


@cache
def reach(row: Activation) -> Reach:
    """How far an activation goes, by its formula alone."""
    if not row.elementwise:
        return Reach(RANGES.get(row.range, inf), 0.0, None, None, None)
    z, a = scalar_symbol("z"), scalar_symbol("a")
    value, slope = row.definition, row.slope_expr.xreplace({a: row.definition})
    steep, top = largest(row), _top(row, value)
    start = number(abs(value.xreplace({z: z * 0})))
    line = steep is not None and start.is_finite
    return Reach(
        top,
        _above(start) if line else 0.0,
        _above(steep) if line and steep is not None else None,
        _program(value),
        _program(slope),
    )


def _top(row: Activation, value: Expr) -> float:
    """The largest size of its values: proved as that of a slope is, else by its declared range."""
    found = maximum_of(value, scalar_symbol("z")).value
    return RANGES.get(row.range, inf) if found is None else _above(found)


def _above(value: Expr) -> float:
    """A double that is not smaller."""
    return float(value.evalf(20)) * (1 + 1e-15) if not value.is_Integer else float(value)


def _program(expr: Expr) -> Program | None:
    try:
        return program(expr, scalar_symbol("z"))
    except (KeyError, UnsupportedError):
        return None
