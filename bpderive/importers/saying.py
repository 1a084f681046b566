"""What nodes of any model mean as layers of ours: windows, axes, sums, recurrences.

In: a `Call` and a node's settings as plain numbers. Out: a `Value`, or `Unread` with the reason.
Must not know: any library of models.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod

from bpderive.grammar.model import Value as Argument
from bpderive.importers.graph import LOST, Call, Unread, Value, item, require
from bpderive.importers.model import Array, Weight

Sides = int | Sequence[int]
DEFAULT_EPS = Fraction("1e-5")


def sides(value: Sides, rank: int) -> tuple[int, ...]:
    """One number for each direction."""
    return (int(value),) * rank if isinstance(value, int) else tuple(map(int, value))


def one(value: Sides, rank: int, what: str) -> int:
    """A setting that must be equal in all directions."""
    found = set(sides(value, rank))
    require(
        len(found) == 1,
        f"a {what} of {'x'.join(map(str, sides(value, rank)))}",
        f"an equal {what} in both directions",
    )
    return found.pop()


def window(value: Sides, rank: int) -> Argument:
    """`3`, or `3x5`."""
    found = sides(value, rank)
    return found[0] if len(set(found)) == 1 else (found[0], found[1])


def given(**args: tuple[Argument, Argument]) -> dict[str, Argument]:
    """The arguments that are not their defaults: pairs of both."""
    return {name: value for name, (value, default) in args.items() if value != default}


def eps(value: float) -> dict[str, Argument]:
    """That of a norm."""
    return given(eps=(Fraction(repr(float(value))), DEFAULT_EPS))


# --- Windows ---


@dataclass(frozen=True)
class Sliding:
    """A window's settings, as a model has them."""

    kernel: Sides
    stride: Sides
    padding: Sides = 0
    dilation: Sides = 1
    rank: int = 2
    groups: int = 1


def dense(call: Call, width: int, weights: Sequence[Weight]) -> Value:
    """A width; what stands before the features may stand in any order."""
    biased = len(weights) > 1
    axes = call.source.axes if call.source.axes[-1:] == ("c",) else None
    return call.layer(item("dense", {"width": width}, bias=biased), weights, axes=axes)


def convolution(call: Call, how: Sliding, channels: int, weight: str, bias: str | None) -> Value:
    """`conv(out,kernel,…)`; the weights of groups have an axis for the group."""
    rank, groups = how.rank, how.groups
    args = given(
        stride=(one(how.stride, rank, "stride"), 1),
        padding=(one(how.padding, rank, "padding"), 0),
        dilation=(one(how.dilation, rank, "dilation"), 1),
        groups=(groups, 1),
    )

    def lay(array: Array) -> Array:
        return array if groups == 1 else array.reshape(groups, -1, *array.shape[1:])

    weights = [Weight("w", (weight,), lay)]
    weights += [] if bias is None else [Weight("b", (bias,), lay)]
    shown = {"out": channels, "kernel": window(how.kernel, rank), **args}
    conv = item("conv", shown, bias=bias is not None)
    return call.layer(conv, weights)


def pooling(call: Call, name: str, how: Sliding) -> Value:
    """`maxpool(kernel,stride=…)`."""
    rank = how.rank
    require(not any(sides(how.padding, rank)), "padding at a pool's border", "padding 0")
    require(set(sides(how.dilation, rank)) == {1}, "a dilated pool", "dilation 1")
    kernel, stride = sides(how.kernel, rank), one(how.stride, rank, "stride")
    args = given(stride=(stride, kernel[0]))
    return call.layer(item(name, {"kernel": window(kernel, rank), **args}))


def pooled_to(call: Call, name: str, sizes: Sequence[int], rank: int) -> Value:
    """A pool that is told what size to give."""
    whole = {"maxpool": "globalmaxpool", "avgpool": "globalpool"}[name]
    wanted = sides(sizes, rank)
    if set(wanted) == {1}:
        return overall(call, whole)
    if call.source.lost:
        return LOST
    have = call.source.shape[2:]
    require(
        all(a % b == 0 for a, b in zip(have, wanted, strict=True)),
        f"{'x'.join(map(str, have))} pooled to {'x'.join(map(str, wanted))}: unlike windows",
        "an output size of 1, or one that divides the input's",
    )
    kernel = [a // b for a, b in zip(have, wanted, strict=True)]
    return pooling(call, name, Sliding(kernel, kernel, rank=rank))


def overall(call: Call, name: str, *, kept: bool = True) -> Value:
    """`globalpool`; the model may keep the axes, with one element each."""
    ones = ("1",) * (len(call.source.axes) - 2) if kept else ()
    if call.source.lost:
        return LOST
    require(call.source.plain, "axes are exchanged before it, which no layer here says")
    return call.layer(item(name), kind="vector", axes=("n", "c", *ones))


# --- Axes ---


def flattened(call: Call) -> Value:
    """All axes of a sample as one; axes of one element that we have not fall away."""
    source = call.source
    if source.lost:
        return LOST
    bare = without_ones(source)
    if bare.shape == tuple(call.shape):
        return bare
    wanted = (source.shape[0], prod(source.shape[1:]))
    require(
        tuple(call.shape) in {wanted, tuple(source.shape)},
        f"gives the shape {_told(call.shape)} of {_told(source.shape)}",
        "all axes of a sample as one: (N, -1)",
    )
    if tuple(call.shape) == tuple(source.shape):
        return source
    if source.kind == "vector":
        return replace(source, axes=("n", "c"), shape=wanted)
    return call.layer(item("flatten"), kind="vector")


def _told(shape: Sequence[int]) -> str:
    return f"({', '.join(['N', *map(str, shape[1:])])})"


def exchanged(call: Call, order: Sequence[int]) -> Value:
    """The same value with its axes in another order."""
    source = call.source
    if source.lost:
        return LOST
    order = [k % len(source.axes) for k in order]
    return replace(
        source,
        axes=tuple(source.axes[k] for k in order),
        shape=tuple(source.shape[k] for k in order),
    )


def squeezed(call: Call, dims: Sequence[int] | None) -> Value:
    """Without axes of one element; where none is told, without all of them."""
    source = call.source
    if source.lost:
        return LOST
    every = range(len(source.axes)) if dims is None else [k % len(source.axes) for k in dims]
    gone = {k for k in every if source.shape[k] == 1}
    own = {source.axes[k] for k in gone} - {"1"}
    require(own <= {"c"} and (not own or source.kind == "vector"), "takes away an axis of ours")
    kept = [k for k in range(len(source.axes)) if k not in gone]
    return replace(
        source,
        axes=tuple(source.axes[k] for k in kept),
        shape=tuple(source.shape[k] for k in kept),
    )


def without_ones(source: Value) -> Value:
    """Without the axes of one element that ours has not."""
    own = [k for k, letter in enumerate(source.axes) if letter != "1"]
    axes = tuple(source.axes[k] for k in own)
    return replace(source, axes=axes, shape=tuple(source.shape[k] for k in own))


def picked(call: Call, axis: int, index: int, *, letter: str = "") -> Value:
    """`x[:, -1]`: the last step of a sequence; the axis by its place, or by its letter."""
    source = call.source
    if source.lost:
        return LOST
    axis = source.axes.index(letter) if letter in source.axes else axis % len(source.axes)
    letter = source.axes[axis]
    if letter == "1":
        return squeezed(call, [axis])
    require(
        letter == "t" and source.kind == "sequence",
        f"takes one of the axis {axis} alone",
        "the last step of a sequence: x[:, -1]",
    )
    require(
        index in {-1, source.shape[axis] - 1},
        f"takes step {index} alone",
        "the last step: x[:, -1]",
    )
    rest = tuple(letter for k, letter in enumerate(source.axes) if k != axis)
    return call.layer(item("last"), kind="vector", axes=rest)


def reduced(call: Call, name: str, dims: Sequence[int], *, kept: bool) -> Value:
    """The mean, or the largest, over all positions; over the steps of an embedding."""
    source = call.source
    if source.lost:
        return LOST
    letters = {source.axes[k % len(source.axes)] for k in dims}
    if source.kind in {"signal", "image"} and letters == set(source.axes) - {"n", "c"}:
        return overall(call, name, kept=kept)
    before = call.graph.layers[source.layer - 1] if source.layer else None
    bag = name == "globalpool" and before is not None and before.item.name == "embedding"
    if bag and letters == {"t"} and not kept and source.plain and before is not None:
        call.graph.layers[source.layer - 1] = replace(
            before, item=replace(before.item, name="embeddingbag"), gives=call.shape[1:]
        )
        return Value(source.layer, "vector", ("n", "c"), tuple(call.shape))
    over = ", ".join(str(k) for k in dims)
    raise Unread(f"over the axes {over} of {source.told}", "over all positions of channels")


# --- The rest ---


def activated(call: Call, name: str) -> Value:
    """An activation of each element; however its axes stand."""
    if call.source.lost:
        return LOST
    source = call.source
    return call.layer(item("activation", activation=name), axes=source.axes, kind=source.kind)


def distributed(call: Call, dim: int | None, name: str = "softmax") -> Value:
    """Softmax over the last axis."""
    source = call.source
    if source.lost:
        return LOST
    require(
        dim is not None and dim % len(source.axes) == len(source.axes) - 1,
        f"over the axis {dim}",
        "over the last axis: dim=-1",
    )
    require(source.plain, "axes are exchanged before it, which no layer here says")
    return call.layer(item("activation", activation=name))


def dropped(call: Call, rate: float, *, active: bool) -> Value:
    """Dropout, of which nothing is left outside training."""
    if rate == 0:
        return call.source
    if not active:
        call.graph.note(f"{call.name}: dropout does nothing in evaluation, and is left out")
        return call.source
    require(rate < 1, f"a rate of {rate} drops everything", "a rate below 1")
    args = given(rate=(Fraction(repr(float(rate))), Fraction(1, 2)))
    if call.source.lost:
        return LOST
    return call.layer(item("dropout", args), axes=call.source.axes)


def added(call: Call, first: Value, second: Value) -> Value:
    """The sum of two layers' outputs."""
    if first.lost or second.lost:
        return LOST
    require(
        first.shape == second.shape,
        f"shapes {_told(first.shape)} and {_told(second.shape)} are added",
        "equal shapes",
    )
    require(first.layer != second.layer, "adds a value to itself", "the outputs of two layers")
    require(
        first.axes == second.axes and first.kind == second.kind, "adds values whose axes differ"
    )
    return call.layer(item("add"), sources=(first, second))
