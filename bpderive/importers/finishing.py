"""What a reader found as an `Imported`: items in order, options, notes; or all that is wrong.

In: a graph, what it gives, the input. Out: an `Imported`, or a `SpecError`. Must not know: any
library of models.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice

from bpderive.catalog import CATALOG
from bpderive.errors import Problem, SpecError
from bpderive.grammar.layers import LAYERS
from bpderive.grammar.model import Input, Item
from bpderive.importers.assembling import Assembling
from bpderive.importers.graph import Graph, Value, standard
from bpderive.importers.model import Array, Imported, Original

MOST = 50
"""So many problems are told; the rest are counted."""
_LOGGED = "log_softmax"


@dataclass(frozen=True)
class Found:
    """What was read of a model."""

    graph: Graph
    output: Value
    input: Input
    loss: str
    arrays: Mapping[str, Array]


def finished(found: Found, original: Original) -> Imported:
    """The model as a spec, which is built to see that it holds together.

    Raises:
        SpecError: with everything that cannot be read.
    """
    graph, output = found.graph, found.output
    _check(graph.problems)
    if set(standard(output.kind)) - set(output.axes) - {"c"} or _exchanged(output):
        _check([Problem("its axes are exchanged", "the output", "the samples first, then ours")])
    if len(output.axes) < len(standard(output.kind)):
        graph.note("the output: the axis of its only number is left out there, and kept here")
    assembling = Assembling(graph.layers)
    items = assembling.items(output.layer)
    _check(assembling.problems)
    items, loss, logged = _ended(items, found.loss)
    if not items:
        _check([Problem("holds no layer", "the model", "a model with at least one layer")])
    places = assembling.placed[: len(assembling.placed) - logged]
    items, bias = _biased(items)
    read = Imported(
        found.input,
        items,
        tuple(places),
        bias,
        loss,
        found.arrays,
        original,
        tuple(graph.notes),
        logged,
    )
    _build(read)
    return read


def _check(problems: list[Problem]) -> None:
    if problems:
        more = len(problems) - MOST
        told = [*islice(problems, MOST), *([Problem(f"and {more} more")] if more > 0 else [])]
        raise SpecError(told)


def _exchanged(output: Value) -> bool:
    wanted = [letter for letter in standard(output.kind) if letter in output.axes]
    return wanted != [letter for letter in output.axes if letter != "1"]


def _ended(items: tuple[Item, ...], loss: str) -> tuple[tuple[Item, ...], str, bool]:
    """Without a last log_softmax, which is part of a loss of ours; it stands nowhere else."""
    every = list(_deep(items))
    logged = bool(items) and items[-1].activation == _LOGGED
    if sum(one.activation == _LOGGED for one in every) > logged:
        _check([Problem("log_softmax before other layers", "the model", "log_softmax at the end")])
    if not logged:
        return items, loss or "half_squared_error", False
    if loss not in {"", "softmax_cross_entropy"}:
        message = f"the model ends in log_softmax, and the loss is {loss}"
        _check([Problem(message, "--loss", "softmax_cross_entropy, which holds that logarithm")])
    return items[:-1], "softmax_cross_entropy", True


def _deep(items: tuple[Item, ...]) -> list[Item]:
    return [one for item in items for one in (item, *_deep(item.inner))]


def _biased(items: tuple[Item, ...]) -> tuple[tuple[Item, ...], bool]:
    """The bias that most layers have as an option; hidden plain widths say that they are linear."""
    told = [one.bias for one in _deep(items) if one.bias is not None]
    bias = sum(told) * 2 >= len(told) > 0
    items = tuple(_unbiased(one, bias=bias) for one in items)
    plain = all(one.name == "dense" and one.bias is None and one.tie is None for one in items)
    if plain:  # such a list has another default
        inner = (replace(one, activation=one.activation or "linear") for one in items[:-1])
        items = (*inner, items[-1])
    return items, bias


def _unbiased(item: Item, *, bias: bool) -> Item:
    inner = tuple(_unbiased(one, bias=bias) for one in item.inner)
    fixed = item.name not in LAYERS or not LAYERS[item.name].biased
    return replace(item, inner=inner, bias=None if fixed or item.bias == bias else item.bias)


def _build(read: Imported) -> None:
    """Refuse what our own layers refuse."""
    from bpderive.network import build as lay_out
    from bpderive.stack import build

    spec = read.spec
    if spec.stacked:
        build(spec, CATALOG)
    else:
        lay_out(spec, CATALOG)
