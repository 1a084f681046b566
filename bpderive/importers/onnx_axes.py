"""ONNX's operators that move axes, or take parts of an array.

In: an `Operation`. Out: a `Value`, or `Unread` with the reason. Must not know: graphs.
"""

from dataclasses import replace

from bpderive.importers import saying
from bpderive.importers.graph import LOST, Value, item, require
from bpderive.importers.onnx_operation import Operation, known, parameter
from bpderive.importers.torch_recurrent import State


def flattened(of: Operation) -> Value:
    """Flatten, and Reshape to one axis."""
    axis = of.settings.get("axis", 1) if of.call.what == "Flatten" else 1
    require(axis in {1, 1 - len(of.call.source.axes)}, f"axis={axis}", "axis=1")
    return saying.flattened(of.call)


def transposed(of: Operation) -> Value:
    """Transpose: the same value, seen otherwise."""
    rank = len(of.call.source.axes)
    return saying.exchanged(of.call, of.settings.get("perm", range(rank)[::-1]))


def squeezed(of: Operation) -> Value:
    """Squeeze: axes of one element fall away."""
    axes = of.numbers("axes", 1)
    if isinstance(of.inputs[0], State):
        state = of.inputs[0]
        fits = axes in (None, [state.axis])
        require(fits, "another axis than that of the layers", f"axis {state.axis}")
        return state.last(of.call, 0)
    return saying.squeezed(of.call, axes)


def gathered(of: Operation) -> Value:
    """Gather: the rows of an embedding, or the last step."""
    first, index = of.inputs[0], of.inputs[1]
    axis = of.settings.get("axis", 0)
    if isinstance(index, Value):
        table = parameter(first, "table")
        require(axis == 0, f"axis={axis}", "axis=0")
        vocab, dim = table.array.shape
        embedding = item("embedding", {"vocab": vocab, "dim": dim})
        return of.call.layer(embedding, [table.weight("E")], kind="sequence")
    number_ = known(index)
    require(number_ is not None and number_.size == 1, "takes several places", "the last step")
    place = int(number_.ravel()[0])
    if isinstance(first, State):
        fits = axis == first.axis
        require(fits, "another axis than that of the layers", f"axis {first.axis}")
        return first.last(of.call, place)
    picked = saying.picked(of.call, axis, place)
    return _kept(picked, axis, of) if number_.ndim else picked


def _kept(value: Value, axis: int, of: Operation) -> Value:
    """With the axis that was taken out, of one element."""
    if value.lost:
        return LOST
    at = axis % len(of.call.shape)
    return replace(
        value, axes=(*value.axes[:at], "1", *value.axes[at:]), shape=tuple(of.call.shape)
    )


def sliced(of: Operation) -> Value:
    """The last step alone, its axis kept."""
    source = of.call.source
    if source.lost:
        return LOST
    starts, ends, axes, steps = (
        of.numbers(name, at) for at, name in enumerate(("starts", "ends", "axes", "steps"), 1)
    )
    one = starts is not None and len(starts) == 1 and steps in (None, [1])
    require(one, "a part of an array", "the last step of a sequence")
    assert starts is not None and ends is not None  # noqa: S101, PT018 - it was required
    (axis,) = axes or [0]
    if tuple(of.call.shape) == source.shape:
        return source
    size = source.shape[axis]
    end = min(ends[0], size) if ends[0] >= 0 else ends[0] + size
    right = starts[0] % size == size - 1 and end == size
    require(right, f"takes the places {starts[0]} to {ends[0]}", "the last step of a sequence")
    inner = replace(
        of.call,
        shape=tuple(n for k, n in enumerate(of.call.shape) if k != axis % len(of.call.shape)),
    )
    return _kept(saying.picked(inner, axis, -1), axis, of)
