"""PyTorch's transformer encoders, from the modules that they hold.

In: a `Seen`. Out: a `Value`. Must not know: how the graph was found.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from bpderive.importers import saying
from bpderive.importers.graph import Value, require
from bpderive.importers.torch_activations import FUNCTIONS, activation
from bpderive.importers.torch_attention import attended, is_causal
from bpderive.importers.torch_modules import MODULES
from bpderive.importers.torch_seen import Seen


def _inside(seen: Seen, name: str, source: Value, shape: tuple[int, ...] | None = None) -> Seen:
    """A module that the encoder holds."""
    module = getattr(seen.module, name)
    call = replace(
        seen.call.of(source),
        name=f"{seen.call.name}.{name}",
        what=type(module).__name__,
        shape=seen.call.source.shape if shape is None else shape,
    )
    return replace(seen, module=module, call=call, args=(source,), named={})


def _read(seen: Seen, name: str, source: Value, shape: tuple[int, ...] | None = None) -> Value:
    inside = _inside(seen, name, source, shape)
    found = MODULES[inside.call.what](inside)
    assert isinstance(found, Value)  # noqa: S101 - norms, sums and dropouts give one
    return found


def _layer(seen: Seen) -> Value:
    """Attention and two dense layers, each added to what it takes; norms before or after."""
    module, x = seen.module, seen.call.source
    causal = _causal(seen)
    require(not x.lost or module.self_attn.batch_first, "batch_first=False", "batch_first=True")

    def attention(source: Value) -> Value:
        found = attended(_inside(seen, "self_attn", source), causal=causal)
        return _read(seen, "dropout1", found)

    def dense(source: Value) -> Value:
        wide = (*source.shape[:-1], module.linear1.out_features)
        up = _read(seen, "linear1", source, wide)
        if up.lost:
            return up
        act = replace(seen.call.of(up), shape=wide, name=f"{seen.call.name}.activation")
        up = saying.activated(act, _activation(module.activation))
        return _read(seen, "dropout2", _read(seen, "linear2", _read(seen, "dropout", up, wide)))

    for norm, block in (("norm1", attention), ("norm2", dense)):
        inside = block(_read(seen, norm, x)) if module.norm_first else block(x)
        sum_ = replace(seen.call, name=f"{seen.call.name}, sum", shape=x.shape)
        x = saying.added(sum_, x, inside)
        x = x if module.norm_first else _read(seen, norm, x)
    return x


def _activation(found: Any) -> str:
    """That of an encoder, a function or a module."""
    name = getattr(found, "__name__", type(found).__name__)
    require(name in FUNCTIONS or name in MODULES, f"the activation {name}", "relu, gelu")
    if name in FUNCTIONS:
        return activation(FUNCTIONS[name][0], {})
    return activation(name, vars(found))


def _causal(seen: Seen) -> bool:
    """Whether the mask is the causal one; there must be no other."""
    names = ("mask", "src_key_padding_mask", "is_causal")
    told = dict(zip(names, seen.args[1:], strict=False)) | dict(seen.named)
    require(
        told.get("src_key_padding_mask") is None,
        "src_key_padding_mask",
        "no mask, or the causal one",
    )
    mask = told.get("mask", told.get("src_mask"))
    require(
        not isinstance(mask, Value),
        "a mask that depends on the input",
        "no mask, or the causal one",
    )
    if mask is None or seen.call.source.lost:
        return False
    return is_causal(mask, seen.call.source.shape[1])


def _encoder(seen: Seen) -> Value:
    """The layers one after another, then a norm."""
    x = seen.call.source
    for number, layer in enumerate(seen.module.layers):
        call = replace(seen.call.of(x), name=f"{seen.call.name}.layers.{number}")
        x = _layer(replace(seen, module=layer, call=call, args=(x, *seen.args[1:])))
    return x if seen.module.norm is None else _read(seen, "norm", x)


TRANSFORMERS: Mapping[str, Callable[[Seen], Any]] = MappingProxyType(
    {"TransformerEncoderLayer": _layer, "TransformerEncoder": _encoder}
)
"""By the name of the class in torch.nn."""
