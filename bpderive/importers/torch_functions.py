"""PyTorch's functions and methods, one row each: what they mean as layers of ours.

In: an `Applied`. Out: a `Value`, or `Unread` with the reason. To read another function, add a row
to `FUNCTIONS`. Must not know: how the graph was found.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from bpderive.importers import saying
from bpderive.importers.graph import LOST, Unread, Value, item, require
from bpderive.importers.model import Weight
from bpderive.importers.torch_attention import is_causal
from bpderive.importers.torch_elements import LAZY, Applied
from bpderive.importers.torch_recurrent import Hidden, State, hidden


def _several(value: Any, rest: Sequence[Any] = ()) -> list[int]:
    """Axes, given as one number, as several, or in a row."""
    found = value if isinstance(value, tuple | list) else (value, *rest)
    return [int(one) for one in found]


# --- Sums ---


def _linear(of: Applied) -> Value:
    told = of.told("weight", "bias", bias=None)
    weight, bias = told["weight"], told["bias"]
    names = [of.name(one) for one in (weight, bias) if one is not None]
    weights = [Weight(k, (n,)) for k, n in zip("wb", names, strict=False)]
    return saying.dense(of.call, weight.shape[0], weights)


def _convolved(of: Applied) -> Value:
    names = ("weight", "bias", "stride", "padding", "dilation", "groups")
    told = of.told(*names, bias=None, stride=1, padding=0, dilation=1, groups=1)
    weight, bias = told["weight"], told["bias"]
    require(not isinstance(told["padding"], str), f"padding={told['padding']!r}", "a number")
    rank = int(of.call.what[-2])
    how = saying.Sliding(
        weight.shape[2:], told["stride"], told["padding"], told["dilation"], rank, told["groups"]
    )
    named = None if bias is None else of.name(bias)
    return saying.convolution(of.call, how, weight.shape[0], of.name(weight), named)


# --- Pools ---


def _pool(name: str) -> Callable[[Applied], Value]:
    more = ("padding", "dilation") if name == "maxpool" else ("padding",)

    def read(of: Applied) -> Value:
        names = ("kernel_size", "stride", *more, "ceil_mode")
        told = of.told(*names, stride=None, padding=0, dilation=1, ceil_mode=False)
        require(not told["ceil_mode"], "ceil_mode=True", "ceil_mode=False")
        require(told.get("divisor_override") is None, "divisor_override", "the mean of the window")
        stride = told["kernel_size"] if told["stride"] in {None, ()} else told["stride"]
        rank = int(of.call.what[-2])
        how = saying.Sliding(told["kernel_size"], stride, told["padding"], told["dilation"], rank)
        return saying.pooling(of.call, name, how)

    return read


def _adaptive(name: str) -> Callable[[Applied], Value]:
    def read(of: Applied) -> Value:
        wanted, rank = of.told("output_size")["output_size"], int(of.call.what[-2])
        sizes = wanted if isinstance(wanted, tuple | list) else (wanted,) * rank
        require(None not in sizes, "an output size that is None", "whole numbers")
        return saying.pooled_to(of.call, name, sizes, rank)

    return read


def _reduced(name: str) -> Callable[[Applied], Value]:
    def read(of: Applied) -> Value:
        told = of.told("dim", "keepdim", dim=None, keepdim=False)
        require(told["dim"] is not None, "over all axes, the samples too", "dim=(2, 3)")
        return saying.reduced(of.call, name, _several(told["dim"]), kept=told["keepdim"])

    return read


# --- Axes ---


def _flattened(of: Applied) -> Value:
    return saying.flattened(of.call)


def _squeezed(of: Applied) -> Value:
    dims = of.told("dim").get("dim")
    return saying.squeezed(of.call, None if dims is None else _several(dims))


def _transposed(of: Applied) -> Value:
    told = of.told("dim0", "dim1")
    order = list(range(len(of.call.source.axes)))
    if of.call.source.lost:
        return LOST
    one, two = told["dim0"], told["dim1"]
    order[one], order[two] = order[two], order[one]
    return saying.exchanged(of.call, order)


def _permuted(of: Applied) -> Value:
    given = of.named.get("dims", of.args[1:])
    return saying.exchanged(of.call, _several(given[0], given[1:]))


def _got(of: Applied) -> Any:
    """`x[:, -1]`, or one of the things that a recurrent module gives."""
    source, index = of.args
    if isinstance(source, tuple):
        return source[index]
    if isinstance(source, State):
        require(
            isinstance(index, int), f"takes {index} of the last states", "the last layer: h[-1]"
        )
        return source.last(of.call, index)
    if isinstance(source, Hidden):
        raise hidden(source)
    if source.lost:
        return LOST
    return _element(of, index if isinstance(index, tuple) else (index,))


def _element(of: Applied, index: tuple[Any, ...]) -> Value:
    rank = len(of.call.source.axes)
    if Ellipsis in index:
        at = index.index(Ellipsis)
        index = (*index[:at], *[slice(None)] * (rank - len(index) + 1), *index[at + 1 :])
    whole = [k for k, one in enumerate(index) if one == slice(None)]
    numbers = [k for k, one in enumerate(index) if isinstance(one, int)]
    right = len(numbers) == 1 and len(whole) == len(index) - 1
    require(right, f"takes the part {_slices(index)}", "the last step of a sequence: x[:, -1]")
    return saying.picked(of.call, numbers[0], index[numbers[0]])


def _slices(index: tuple[Any, ...]) -> str:
    """`[:, 0:2]`."""

    def one(part: Any) -> str:
        if not isinstance(part, slice):
            return str(part)
        ends = ["" if end is None else str(end) for end in (part.start, part.stop)]
        return ":".join([*ends, *([] if part.step is None else [str(part.step)])])

    return f"[{', '.join(map(one, index))}]"


def _state(of: Applied) -> Value:
    """`h.squeeze(0)` of one layer."""
    source = of.args[0]
    require(len(source.outputs) == 1, "the last states of several layers at once", "one: h[-1]")
    require(of.told("dim", dim=0)["dim"] == 0, "another axis than that of the layers", "h[-1]")
    return source.last(of.call, 0)  # type: ignore[no-any-return] # a State's


# --- The rest ---


def _dropped(of: Applied) -> Value:
    told = of.told("p", "training", "inplace", p=0.5, training=True)
    return saying.dropped(of.call, told["p"], active=told["training"])


def _distributed(name: str) -> Callable[[Applied], Value]:
    def read(of: Applied) -> Value:
        told = of.told("dim", dim=None)
        require(told.get("dtype") is None, "another type of numbers", "no dtype")
        return saying.distributed(of.call, told["dim"], name)

    return read


def _attention(of: Applied) -> Value:
    """Attention without weights, of a sequence to itself."""
    told = of.told(
        "key", "value", "attn_mask", "dropout_p", "is_causal", attn_mask=None, dropout_p=0
    )
    same = {of.args[0], told["key"], told["value"]}
    require(len(same) == 1, "of different inputs", "a sequence to itself")
    require(not told["dropout_p"] and told.get("scale") is None, "dropout_p or scale", "neither")
    causal, mask = bool(told.get("is_causal")), told["attn_mask"]
    if mask is not None and not of.call.source.lost:
        require(not isinstance(mask, Value), "a mask that depends on the input", "is_causal")
        causal = is_causal(mask, of.call.source.shape[1])
    args = saying.given(causal=(causal, False))
    return of.call.layer(item("attention", {**args, "project": False}))


def _same(of: Applied) -> Value:
    return of.call.source


FUNCTIONS: Mapping[str, Callable[[Applied], Any]] = MappingProxyType(
    {
        **LAZY,
        "linear": _linear,
        "conv1d": _convolved,
        "conv2d": _convolved,
        "max_pool1d": _pool("maxpool"),
        "max_pool2d": _pool("maxpool"),
        "avg_pool1d": _pool("avgpool"),
        "avg_pool2d": _pool("avgpool"),
        "adaptive_avg_pool1d": _adaptive("avgpool"),
        "adaptive_avg_pool2d": _adaptive("avgpool"),
        "adaptive_max_pool1d": _adaptive("maxpool"),
        "adaptive_max_pool2d": _adaptive("maxpool"),
        "mean": _reduced("globalpool"),
        "amax": _reduced("globalmaxpool"),
        "flatten": _flattened,
        "view": _flattened,
        "reshape": _flattened,
        "squeeze": _squeezed,
        "transpose": _transposed,
        "swapaxes": _transposed,
        "permute": _permuted,
        "contiguous": _same,
        "getitem": _got,
        "dropout": _dropped,
        "softmax": _distributed("softmax"),
        "log_softmax": _distributed("log_softmax"),
        "scaled_dot_product_attention": _attention,
    }
)
"""By the name of the function or method."""


def read(of: Applied) -> Any:
    """What a function gives.

    Raises:
        Unread: it cannot be said in layers of ours.
    """
    first = of.args[0] if of.args else None
    if isinstance(first, State) and of.call.what == "squeeze":
        return _state(of)
    if isinstance(first, State | tuple | Hidden) and of.call.what != "getitem":
        raise Unread("of the states of a recurrent layer", "its outputs, or the last state: h[-1]")
    if of.call.what not in FUNCTIONS:
        raise Unread("no layer here is this function")
    return FUNCTIONS[of.call.what](of)
