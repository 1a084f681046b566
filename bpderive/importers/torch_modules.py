"""PyTorch's modules, one row each: what they mean as layers of ours.

In: a module's `Seen`. Out: a `Value`, or what it gives besides, or `Unread` with the reason. To
read another module, add a row to `MODULES`. Must not know: how the graph was found.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from bpderive.importers import saying
from bpderive.importers.graph import Unread, Value, item, require
from bpderive.importers.model import Weight
from bpderive.importers.torch_activations import FORMULAS, activation
from bpderive.importers.torch_attention import attention
from bpderive.importers.torch_recurrent import recurrent
from bpderive.importers.torch_seen import Seen

# --- Sums of weights ---


def _linear(seen: Seen) -> Value:
    return saying.dense(seen.call, seen.module.out_features, seen.affine())


def _bilinear(seen: Seen) -> Value:
    two = [one for one in (*seen.args, *seen.named.values()) if isinstance(one, Value)]
    require(len(two) == 2 and two[0] == two[1], "of two different inputs", "an input with itself")
    bilinear = item(
        "bilinear", {"out": seen.module.out_features}, bias=seen.module.bias is not None
    )
    return seen.call.layer(bilinear, seen.affine())


def _conv(seen: Seen) -> Value:
    module, rank = seen.module, len(seen.module.kernel_size)
    require(module.padding_mode == "zeros", f"padding by {module.padding_mode}", "padding by zeros")
    padding = module.padding
    if padding == "same":
        total = [d * (k - 1) for d, k in zip(module.dilation, module.kernel_size, strict=True)]
        require(all(t % 2 == 0 for t in total), "'same' pads one side more", "a kernel of odd size")
        padding = [t // 2 for t in total]
    how = saying.Sliding(
        module.kernel_size,
        module.stride,
        0 if padding == "valid" else padding,
        module.dilation,
        rank,
        module.groups,
    )
    bias = None if module.bias is None else seen.name(module.bias)
    weight = seen.name(module.weight)
    return saying.convolution(seen.call, how, module.out_channels, weight, bias)


def _embedding(seen: Seen) -> Value:
    module = seen.module
    require(module.padding_idx is None, "padding_idx: its row is not learned", "padding_idx=None")
    require(module.max_norm is None, "max_norm changes its rows", "max_norm=None")
    require(not module.scale_grad_by_freq, "scale_grad_by_freq", "scale_grad_by_freq=False")
    args = {"vocab": module.num_embeddings, "dim": module.embedding_dim}
    bag = type(module).__name__ == "EmbeddingBag"
    if bag:
        seen.alone()
        require(module.mode == "mean", f"mode={module.mode!r}", "mode='mean'")
    name, kind = ("embeddingbag", "vector") if bag else ("embedding", "sequence")
    return seen.call.layer(item(name, args), [seen.weight("E", "weight")], kind=kind)


# --- Pools ---


def _pool(name: str) -> Callable[[Seen], Value]:
    def read(seen: Seen) -> Value:
        module, rank = seen.module, _rank(seen.module)
        require(not module.ceil_mode, "ceil_mode=True", "ceil_mode=False")
        require(not getattr(module, "return_indices", False), "return_indices=True", "values alone")
        divisor = getattr(module, "divisor_override", None)
        require(divisor is None, "divisor_override", "the mean of the window")
        stride = module.kernel_size if module.stride is None else module.stride
        dilation = getattr(module, "dilation", 1)
        how = saying.Sliding(module.kernel_size, stride, module.padding, dilation, rank)
        return saying.pooling(seen.call, name, how)

    return read


def _adaptive(name: str) -> Callable[[Seen], Value]:
    def read(seen: Seen) -> Value:
        wanted, rank = seen.module.output_size, _rank(seen.module)
        sizes = wanted if isinstance(wanted, tuple | list) else (wanted,) * rank
        require(None not in sizes, "an output size that is None", "whole numbers")
        return saying.pooled_to(seen.call, name, sizes, rank)

    return read


def _rank(module: Any) -> int:
    return int(type(module).__name__[-2])


# --- Norms ---


def _scaled(seen: Seen, size: int, *, shift: bool = True) -> list[Weight]:
    """Two scales, gamma and beta; where the module has none, they are 1 and 0."""
    found = []
    for ours, theirs, plain in (("gamma", "weight", 1.0), ("beta", "bias", 0.0))[: 1 + shift]:
        if getattr(seen.module, theirs, None) is not None:
            found.append(seen.weight(ours, theirs))
            continue
        found.append(Weight(ours, (), shape=(size,), constant=plain))
        seen.call.graph.note(f"{seen.call.name}: it has no {ours}, which is {plain:.0f} here")
    return found


def _batchnorm(seen: Seen) -> Value:
    module = seen.module
    given = not module.training and module.running_mean is not None
    weights = _scaled(seen, module.num_features)
    if given:
        weights += [
            Weight(ours, (seen.name(getattr(module, theirs)),), data=True)
            for ours, theirs in (("mu", "running_mean"), ("var", "running_var"))
        ]
    args = saying.eps(module.eps) | saying.given(inference=(given, False))
    return seen.call.layer(item("batchnorm", args), weights)


def _featurewise(name: str) -> Callable[[Seen], Value]:
    """Norms over the last axis."""

    def read(seen: Seen) -> Value:
        shape = tuple(seen.module.normalized_shape)
        require(len(shape) == 1, f"over {len(shape)} axes", "the features alone")
        weights = _scaled(seen, shape[0], shift=name == "layernorm")
        axes = seen.call.source.axes
        own = axes if axes[-1:] == ("c",) else None
        return seen.call.layer(item(name, saying.eps(seen.module.eps)), weights, axes=own)

    return read


# --- The rest ---


def _same(seen: Seen) -> Value:
    return seen.call.source


def _flatten(seen: Seen) -> Value:
    return saying.flattened(seen.call)


def _dropout(seen: Seen) -> Value:
    return saying.dropped(seen.call, seen.module.p, active=seen.module.training)


def _softmax(name: str) -> Callable[[Seen], Value]:
    return lambda seen: saying.distributed(seen.call, seen.module.dim, name)


def _activation(seen: Seen) -> Value:
    return saying.activated(seen.call, activation(seen.call.what, vars(seen.module)))


MODULES: Mapping[str, Callable[[Seen], Any]] = MappingProxyType(
    {
        "Linear": _linear,
        "Bilinear": _bilinear,
        "Conv1d": _conv,
        "Conv2d": _conv,
        "Embedding": _embedding,
        "EmbeddingBag": _embedding,
        "MaxPool1d": _pool("maxpool"),
        "MaxPool2d": _pool("maxpool"),
        "AvgPool1d": _pool("avgpool"),
        "AvgPool2d": _pool("avgpool"),
        "AdaptiveAvgPool1d": _adaptive("avgpool"),
        "AdaptiveAvgPool2d": _adaptive("avgpool"),
        "AdaptiveMaxPool1d": _adaptive("maxpool"),
        "AdaptiveMaxPool2d": _adaptive("maxpool"),
        "BatchNorm1d": _batchnorm,
        "BatchNorm2d": _batchnorm,
        "LayerNorm": _featurewise("layernorm"),
        "RMSNorm": _featurewise("rmsnorm"),
        "MultiheadAttention": attention,
        "RNN": recurrent,
        "LSTM": recurrent,
        "GRU": recurrent,
        "Flatten": _flatten,
        "Unflatten": _flatten,
        "Identity": _same,
        "Dropout": _dropout,
        "Softmax": _softmax("softmax"),
        "LogSoftmax": _softmax("log_softmax"),
        **dict.fromkeys(FORMULAS, _activation),
    }
)
"""By the name of the class in torch.nn."""


def read(seen: Seen) -> Any:
    """What a module gives.

    Raises:
        Unread: it cannot be said in layers of ours.
    """
    from bpderive.importers.torch_transformer import TRANSFORMERS

    reader = MODULES.get(seen.call.what) or TRANSFORMERS.get(seen.call.what)
    if reader is None:
        raise Unread("no layer here is this module")
    return reader(seen)
