"""ONNX's operators that learn: products with stored arrays, windows, norms; and pools.

In: an `Operation`. Out: a `Value`, or `Unread` with the reason. Must not know: graphs.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from bpderive.importers import saying
from bpderive.importers.graph import Value, item, require
from bpderive.importers.model import Array, Weight, same
from bpderive.importers.onnx_operation import Operation, Parameter, parameter, single


def gemm(of: Operation) -> Value:
    """A width, with its bias."""
    told = {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0, **of.settings}
    require((told["alpha"], told["transA"]) == (1, 0), "alpha or transA", "neither")
    weight, bias = parameter(of.input(1), "weight"), of.input(2)
    require(bias is None or told["beta"] == 1, "beta", "beta=1")
    turned = bool(told["transB"])
    width = weight.array.shape[0 if turned else 1]
    weights = [weight.weight("w", same if turned else _turned)]
    weights += [] if bias is None else [bias_of(parameter(bias, "bias"), width)]
    return saying.dense(of.call, width, weights)


def _turned(array: Array) -> Array:
    return array.T


def bias_of(bias: Parameter, width: int) -> Weight:
    """A bias, one number for each neuron."""
    require(bias.array.size == width, "a bias that is not one number for each neuron", "a vector")
    return bias.weight("b", lambda array: array.reshape(-1))


def matmul(of: Operation) -> Value:
    """A width without bias."""
    flows = [isinstance(one, Value) for one in of.inputs]
    require(
        flows == [True, False], "multiplies two things that flow", "an output by a stored array"
    )
    weight = parameter(of.input(1), "weight")
    require(weight.array.ndim == 2, "a weight that is no matrix", "a matrix")
    return saying.dense(of.call, weight.array.shape[1], [weight.weight("w", _turned)])


def convolution(of: Operation) -> Value:
    """`conv(out,kernel,…)`."""
    weight, bias = parameter(of.input(1), "weight"), of.input(2)
    rank = weight.array.ndim - 2
    how = _sliding(of, weight.array.shape[2:], rank)
    how = replace(how, groups=of.settings.get("group", 1))
    named = None if bias is None else parameter(bias, "bias").name
    require(not weight.order, "a weight that is transposed", "a stored array")
    return saying.convolution(of.call, how, weight.array.shape[0], weight.name, named)


def _sliding(of: Operation, kernel: Sequence[int], rank: int) -> saying.Sliding:
    told = of.settings
    auto = told.get("auto_pad", "NOTSET")
    require(auto in {"NOTSET", "VALID"}, f"auto_pad={auto}", "pads in numbers")
    pads = list(told.get("pads", [0] * (2 * rank)))
    require(pads[:rank] == pads[rank:], f"pads {pads}", "as much before as behind")
    ones = [1] * rank
    strides, dilations = told.get("strides", ones), told.get("dilations", ones)
    return saying.Sliding(list(kernel), list(strides), pads[:rank], list(dilations), rank)


def pool(name: str) -> Callable[[Operation], Value]:
    """`maxpool(kernel)`, `avgpool(kernel)`."""

    def read(of: Operation) -> Value:
        kernel = of.settings["kernel_shape"]
        require(not of.settings.get("ceil_mode"), "ceil_mode=1", "ceil_mode=0")
        return saying.pooling(of.call, name, _sliding(of, kernel, len(kernel)))

    return read


def overall(name: str) -> Callable[[Operation], Value]:
    """A pool over all positions."""
    return lambda of: saying.overall(of.call, name)


def reduced(name: str) -> Callable[[Operation], Value]:
    """A mean, or a maximum, over all positions."""

    def read(of: Operation) -> Value:
        axes = of.numbers("axes", 1)
        require(axes is not None, "over all axes, the samples too", "axes")
        kept = bool(of.settings.get("keepdims", 1))
        return saying.reduced(of.call, name, axes or (), kept=kept)

    return read


def batchnorm(of: Operation) -> Value:
    """With the statistics of the file."""
    require(not of.settings.get("training_mode"), "training_mode=1", "a model for inference")
    names = ("gamma", "beta", "mu", "var")
    weights = [
        parameter(one, name).weight(name, data=name in {"mu", "var"})
        for name, one in zip(names, of.inputs[1:5], strict=True)
    ]
    args = saying.eps(single(of.settings.get("epsilon", 1e-5)))
    return of.call.layer(item("batchnorm", {**args, "inference": True}), weights)


def featurewise(name: str) -> Callable[[Operation], Value]:
    """Norms over the last axis."""

    def read(of: Operation) -> Value:
        axis = of.settings.get("axis", -1)
        axes = of.call.source.axes
        require(of.call.source.lost or axis in {-1, len(axes) - 1}, f"axis={axis}", "the last axis")
        gamma = parameter(of.input(1), "scale")
        weights = [gamma.weight("gamma")]
        if name == "layernorm" and of.input(2) is not None:
            weights.append(parameter(of.input(2), "bias").weight("beta"))
        elif name == "layernorm":
            weights.append(Weight("beta", (), shape=gamma.array.shape))
            of.call.graph.note(f"{of.call.name}: it has no beta, which is 0 here")
        args = saying.eps(single(of.settings.get("epsilon", 1e-5)))
        own = axes if axes[-1:] == ("c",) else None
        return of.call.layer(item(name, args), weights, axes=own)

    return read
