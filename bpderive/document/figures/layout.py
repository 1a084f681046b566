"""Where the neurons of a network stand: columns of layers, wide and deep ones shortened by dots.

In: a `Network`, a `Scale`, and what has to be seen. Out: a `Plan` of columns and places, in
centimetres. Must not know: what is drawn there.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from sympy import Expr, Integer

from bpderive.document.drawing import Point
from bpderive.network import Network

Seen = Mapping[int, frozenset[int]]
"""By layer (the input is 0), the neurons that must not be left out."""


@dataclass(frozen=True)
class Scale:
    """How large a figure's parts are.

    A neuron is `2 half` long and `2 radius` high. Rows are `row` apart, or less where that makes
    a column higher than `tall`; columns leave up to `gap` between them. `left`, `right`, `top`
    and `bottom` are the margins beyond the outermost neurons; above them, biases take another
    `stub` and the sizes of shortened layers another `line`.
    """

    width: float
    half: float
    radius: float
    row: float
    gap: float
    tall: float
    top: float
    bottom: float
    left: float = 0.1
    right: float = 0.1
    disc: float = 0.36
    loss: float = 0.42
    stub: float = 0.75
    line: float = 0.4
    to_loss: float = 1.0
    layers: int = 4
    neurons: int = 5


@dataclass(frozen=True)
class Column:
    """One layer: its neurons by index, and where dots stand for those left out."""

    layer: int
    x: float
    neurons: Mapping[Expr, float]
    dots: tuple[float, ...] = ()

    def place(self, index: Expr) -> Point:
        """Where a neuron stands."""
        return (self.x, self.neurons[index])


@dataclass(frozen=True)
class Plan:
    """All places of a figure. `gaps` are the middles of runs of layers that dots stand for."""

    scale: Scale
    columns: tuple[Column, ...]
    gaps: tuple[float, ...]
    loss: Point
    labels: Mapping[Expr, Point]
    width: float
    height: float
    middle: float
    shown: Mapping[int, Column] = field(default_factory=dict)

    @cached_property
    def neighbours(self) -> tuple[tuple[Column, Column], ...]:
        """Columns with all weights between them."""
        return tuple((a, b) for a, b in pairwise(self.columns) if b.layer == a.layer + 1)

    @property
    def top(self) -> float:
        """The height of the highest neuron's middle."""
        return max(y for column in self.columns for y in column.neurons.values())

    @property
    def foot(self) -> float:
        """The height of the lowest neuron's middle."""
        return min(y for column in self.columns for y in column.neurons.values())


def layout(network: Network, scale: Scale, seen: Seen | None = None, at: int = 0) -> Plan:
    """The plan of a network.

    Args:
        network: any dense network.
        scale: the sizes of its parts.
        seen: neurons that must be shown.
        at: the layer whose weights must be shown, where not all layers are.
    """
    kept = kept_layers(network.depth, scale.layers, at)
    rows = {
        layer: slots(_size(network, layer), scale.neurons, (seen or {}).get(layer, ()))
        for layer in kept
    }
    xs, gaps, end = _across(kept, scale, beyond=network.outputs != 1)
    tallest = max(_span(found) for found in rows.values())
    row = min(scale.row, scale.tall / tallest) if tallest else scale.row
    reach = tallest * row / 2 + scale.radius
    middle = max(scale.bottom + reach, _under(network, scale))
    columns = tuple(_column(layer, xs[layer], rows[layer], row, middle) for layer in kept)
    loss = (end + scale.to_loss + scale.loss, middle)
    labels = _labels(columns[-1], loss, scale)
    right = max(x for x, _ in (loss, *labels.values())) + scale.loss + scale.right
    elided = any(column.dots for column in columns) * scale.line
    height = middle + reach + scale.top + elided + scale.stub * network.spec.bias
    shown = {column.layer: column for column in columns}
    return Plan(scale, columns, gaps, loss, labels, right, height, middle, shown)


def kept_layers(depth: int, most: int, at: int) -> tuple[int, ...]:
    """Which layers are drawn: all, or the first, those around a weight's, and the last."""
    if depth <= most:
        return tuple(range(depth + 1))
    wanted = {0, 1, depth - 1, depth} if at <= 1 else {0, at - 1, at, depth}
    return tuple(sorted(wanted))


def slots(size: Expr, most: int, wanted: Iterable[int]) -> tuple[Expr, ...]:
    """Which neurons are drawn: all, or the first two (or those wanted) and the last."""
    if size.is_Integer and size <= most:
        return tuple(map(Integer, range(1, int(size) + 1)))
    inner = {Integer(at) for at in wanted if Integer(at) != size} - {Integer(1)}
    heads = sorted({Integer(1), *(inner or {Integer(2)})})
    return (*heads, size)


def _size(network: Network, layer: int) -> Expr:
    return network.layer(layer).width if layer else network.inputs


APART = 1.5
"""The distance between neurons with dots between them, in rows."""

UNDER = 0.5
"""The distance of a single output's label from the loss above it."""


def _steps(found: tuple[Expr, ...]) -> Iterator[float]:
    """The distance of each neuron from the one above it, in rows."""
    for upper, lower in pairwise(found):
        yield 1.0 if lower == upper + 1 else APART


def _span(found: tuple[Expr, ...]) -> float:
    return sum(_steps(found))


def _under(network: Network, scale: Scale) -> float:
    """A single output has its label under the loss, which needs room."""
    single = scale.disc and network.outputs == 1
    return scale.loss + 0.05 + (UNDER + 2 * scale.disc if single else 0.0)


def _column(layer: int, x: float, found: tuple[Expr, ...], row: float, middle: float) -> Column:
    y = middle + _span(found) * row / 2
    neurons, dots = {found[0]: y}, []
    for index, step in zip(found[1:], _steps(found), strict=True):
        if step == APART:
            dots.append(y - step * row / 2)
        y -= step * row
        neurons[index] = y
    return Column(layer, x, neurons, tuple(dots))


def _across(
    kept: tuple[int, ...], scale: Scale, *, beyond: bool
) -> tuple[dict[int, float], tuple[float, ...], float]:
    """The middles of the columns, those of the dots between them, and where the last one ends."""
    holes = sum(b != a + 1 for a, b in pairwise(kept))
    halves = {layer: scale.half if layer else scale.disc or scale.half for layer in kept}
    fixed = 2 * sum(halves.values()) + scale.left + scale.right
    fixed += scale.to_loss + 2 * scale.loss
    fixed += scale.to_loss + 2 * scale.disc if beyond and scale.disc else 0
    gap = min(scale.gap, (scale.width - fixed) / (len(kept) - 1 + 0.3 * holes))
    xs, dots, x = {}, [], scale.left
    for before, layer in zip((None, *kept), kept, strict=False):
        if before is not None:
            wide = gap * (1.3 if layer != before + 1 else 1)
            if layer != before + 1:
                dots.append(x + wide / 2)
            x += wide
        xs[layer] = x + halves[layer]
        x += 2 * halves[layer]
    return xs, tuple(dots), x


def _labels(last: Column, loss: Point, scale: Scale) -> Mapping[Expr, Point]:
    """The labels y: of one output under the loss, of several beyond it, level with them."""
    if not scale.disc:
        return {}
    if len(last.neurons) == 1:
        (only,) = last.neurons
        return {only: (loss[0], loss[1] - scale.loss - UNDER - scale.disc)}
    x = loss[0] + scale.loss + scale.to_loss + scale.disc
    return {index: (x, y) for index, y in last.neurons.items()}
