"""Blocks as the layers that they are made of, and the numbers of those layers.

In: items. Out: items without blocks of their own kind; how many layers there are; ties that cannot
be, noted. Must not know: sizes, SymPy.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from bpderive.checks import Findings
from bpderive.errors import quoted
from bpderive.grammar.layers import LAYERS
from bpderive.grammar.model import Item, Multiple

MAX_LAYERS = 10_000


def transformer(item: Item) -> tuple[Item, Item]:
    """`x + attention(norm(x))`, then `x + dense(act(dense(norm(x))))`: norms come first."""
    heads = tuple((name, value) for name, value in item.args if name in {"heads", "causal"})
    hidden = item.get("hidden") or Multiple(4)
    norm = Item("layernorm", place=item.place)
    attention = Item("attention", heads, bias=item.bias, place=item.place)
    up = dense(item, hidden, item.activation or LAYERS["transformer"].activation)
    down = dense(item, Multiple(1), "linear")
    block = Item("residual", place=item.place)
    return replace(block, inner=(norm, attention)), replace(block, inner=(norm, up, down))


def dense(item: Item, width: object, activation: str) -> Item:
    """A dense layer inside a block."""
    args = (("width", width),)
    return Item("dense", args, activation, item.bias, place=item.place)  # type: ignore[arg-type]


def opened(item: Item) -> tuple[Item, ...]:
    """What stands for one item, repeats aside: a group's items, a transformer's two blocks."""
    if item.name == "group":
        return item.inner
    return transformer(item) if item.name == "transformer" else (item,)


def count(items: Iterable[Item]) -> int:
    """How many layers, without making a list of them."""
    return sum(item.repeat * _one(item) for item in items)


def _one(item: Item) -> int:
    if item.name in {"group", "transformer"}:
        return count(opened(item))
    ends = 1 + (item.get("project") is True) + (item.activation is not None)
    return count(item.inner) + ends if item.name == "residual" else 1


def leaves(items: Iterable[Item]) -> Iterator[Item | None]:
    """Every layer in forward order; None for those that a residual block ends with."""
    for item in items:
        for _ in range(item.repeat):
            if item.name in {"group", "transformer"}:
                yield from leaves(opened(item))
            elif item.name == "residual":
                yield from leaves(item.inner)
                yield from (None for _ in range(_one(item) - count(item.inner)))
            else:
                yield item


def final(items: tuple[Item, ...]) -> Item | None:
    """The last layer, None where it is the end of a block."""
    last = items[-1]
    while last.name == "group":
        last = last.inner[-1]
    return None if LAYERS[last.name].block else last


def check(items: tuple[Item, ...], found: Findings) -> None:
    """Note too many layers, and ties to what is not before, or is of another kind."""
    total = count(items)
    if total > MAX_LAYERS:
        found.add(("layers",), f"{total} layers are too many", f"at most {MAX_LAYERS}")
    elif any(item is not None and item.tie for item in leaves(items)):
        _check_ties(list(leaves(items)), found)


def _check_ties(layers: list[Item | None], found: Findings) -> None:
    wrong: dict[tuple[object, int | None], None] = {}
    for number, item in enumerate(layers, 1):
        if item is None or item.tie is None or (item.place, item.tie) in wrong:
            continue
        other = layers[item.tie - 1] if item.tie <= len(layers) else None
        if problem := _untied(item, number, other, len(layers)):
            wrong[item.place, item.tie] = None
            found.add((*item.place, "tie"), problem, _accepted(layers, item, number))


def _untied(item: Item, number: int, other: Item | None, total: int) -> str:
    """Why a layer cannot have the parameters of another, or nothing."""
    if item.tie is None or item.tie > total:
        return f"there is no layer {item.tie}: the network has {total}"
    if item.tie >= number:
        return f"layer {item.tie} does not come before this one, which is layer {number}"
    if other is None or not _alike(item, other):
        told = "the end of a block" if other is None else quoted(other.text)
        return f"layer {item.tie} is of another kind: {told}"
    return ""


def _alike(item: Item, other: Item) -> bool:
    """Whether their parameters may be the same."""
    return item.name == other.name and item.file == other.file


def _accepted(layers: list[Item | None], item: Item, number: int) -> str:
    """The layers that it could be tied to."""
    before = enumerate(layers[: number - 1], 1)
    fit = (str(at) for at, other in before if other is not None and _alike(item, other))
    told = ", ".join(islice(fit, 5))
    return (
        f"an earlier layer of its kind: {told}"
        if told
        else "a layer without tie: no earlier one is of its kind"
    )
