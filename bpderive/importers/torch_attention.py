"""PyTorch's MultiheadAttention, of a sequence to itself, and which masks are causal.

In: a `Seen`. Out: a `Value`, or `Unread` with the reason. Must not know: how the graph was found.
"""

from collections.abc import Callable, Mapping
from typing import Any

from bpderive.importers import saying
from bpderive.importers.graph import Value, item, require
from bpderive.importers.model import Weight
from bpderive.importers.torch_seen import Seen


def attention(seen: Seen) -> tuple[Value, None]:
    """Its output; the weights of the steps are not given."""
    inputs = [*seen.args[:3], *(seen.named.get(k) for k in ("query", "key", "value"))]
    three = [one for one in inputs if isinstance(one, Value)]
    require(len(three) == 3 and len(set(three)) == 1, "of different inputs", "a sequence to itself")
    names = ("key_padding_mask", "need_weights", "attn_mask", "average_attn_weights", "is_causal")
    told = dict(zip(names, seen.args[3:], strict=False)) | dict(seen.named)
    require(told.get("key_padding_mask") is None, "key_padding_mask", "no mask, or the causal one")
    return attended(seen, causal=_causal(told, three[0])), None


def attended(seen: Seen, *, causal: bool) -> Value:
    """`attention(heads=…)` of a MultiheadAttention."""
    module, heads = seen.module, seen.module.num_heads
    require(module.batch_first, "batch_first=False", "batch_first=True")
    require(module._qkv_same_embed_dim, "kdim or vdim", "equal sizes")  # noqa: SLF001 - no other way
    require(
        module.bias_k is None and not module.add_zero_attn, "bias_kv or add_zero_attn", "neither"
    )
    dropped = module.dropout and module.training
    require(
        not dropped, f"drops attention at a rate of {module.dropout}", "dropout=0, or model.eval()"
    )
    biased = module.in_proj_bias is not None
    args = saying.given(heads=(heads, 1), causal=(causal, False))
    weights = list(_projections(seen, "W", "in_proj_weight", "weight", heads))
    weights += _projections(seen, "b", "in_proj_bias", "bias", heads) if biased else []
    return seen.call.layer(item("attention", args, bias=biased), weights)


def _projections(seen: Seen, letter: str, joined: str, out: str, heads: int) -> list[Weight]:
    """`W_q[h,d,c]` and so on: the model has one above the other, and the heads in each."""
    size = seen.module.embed_dim

    def part(k: int) -> Callable[[Any], Any]:
        def lay(array: Any) -> Any:
            own = array[k * size : (k + 1) * size]
            return own.reshape(heads, -1, *own.shape[1:]) if heads > 1 else own

        return lay

    def last(array: Any) -> Any:
        return array.reshape(size, heads, -1) if heads > 1 and letter == "W" else array

    name = seen.name(getattr(seen.module, joined))
    end = seen.name(getattr(seen.module.out_proj, out))
    return [
        *(Weight(f"{letter}_{kind}", (name,), part(k)) for k, kind in enumerate("qkv")),
        Weight(f"{letter}_o", (end,), last),
    ]


def _causal(told: Mapping[str, Any], source: Value) -> bool:
    """Whether a mask is the causal one; there must be no other.

    Raises:
        Unread: there is.
    """
    mask = told.get("attn_mask", told.get("src_mask", told.get("mask")))
    if mask is None:
        require(
            not told.get("is_causal"), "is_causal=True without a mask", "attn_mask, the causal one"
        )
        return False
    require(
        not isinstance(mask, Value) and not source.lost,
        "a mask that depends on the input",
        "no mask, or the causal one",
    )
    return is_causal(mask, source.shape[1])


def is_causal(mask: Any, steps: int) -> bool:
    """Whether a mask lets each step see itself and those before it; False where it lets all.

    Raises:
        Unread: it does neither.
    """
    import torch

    require(tuple(mask.shape) == (steps, steps), "a mask of another shape", "steps x steps")
    later = torch.ones(steps, steps).triu(1).bool()
    hidden = mask if mask.dtype == torch.bool else mask == -torch.inf
    plain = mask.dtype == torch.bool or bool((mask[~hidden] == 0).all())
    if plain and bool((hidden == later).all()):
        return True
    require(
        plain and not hidden.any(),
        "a mask that is not the causal one",
        "no mask, or the causal one",
    )
    return False
