"""Items as a part of a file's name.

In: an input and items. Out: words of letters, digits, `_`, `.`, which a hyphen joins. Must not
know SymPy.
"""

import re
from collections.abc import Callable, Iterator

from bpderive.grammar.layers import LAYERS
from bpderive.grammar.model import Input, Item, Value, written


def words(given: Input | None, items: tuple[Item, ...], name: Callable[[str], str]) -> list[str]:
    """`1x8x8`, `conv4-3-padding1.relu`, `maxpool2`, `10.softmax`; `name` makes a name of a text."""
    first = [] if given is None else [_safe(given.text.replace("(", "").replace(")", "_"))]
    return [*first, *(word for item in items for word in _item(item, name))]


def _item(item: Item, name: Callable[[str], str]) -> Iterator[str]:
    act = f".{name(item.activation)}" if item.activation and item.name != "activation" else ""
    marks = act + (f".x{item.repeat}" if item.repeat > 1 else "")
    if LAYERS[item.name].block and item.name != "transformer":
        end = "add" if item.name == "residual" else "end"
        yield item.name
        yield from (word for one in item.inner for word in _item(one, name))
        yield ("project_" if item.get("project") else "") + end + marks
        return
    yield _head(item, name) + marks


def _head(item: Item, name: Callable[[str], str]) -> str:
    if item.name == "activation":
        head = name(item.activation or item.name)
    elif item.file is not None:
        head = _safe(re.split(r"[/\\]", item.file)[-1].removesuffix(".eq")) or "equations"
    else:
        head = "" if item.name == "dense" else item.name
    told = "-".join(_args(item))
    return head + ("-" if head and told[:1].isalpha() else "") + told


def _args(item: Item) -> Iterator[str]:
    """`4`, `3`, `padding1`, `causal`, `no_project`."""
    required = LAYERS[item.name].required
    for key, value in item.args:
        if key != "file":
            yield _safe(written(value)) if key in required else _told(key, value)
    if item.bias is not None:
        yield _told("bias", item.bias)
    if item.tie is not None:
        yield _told("tie", item.tie)


def _told(key: str, value: Value) -> str:
    if isinstance(value, bool):
        return key if value else f"no_{key}"
    return f"{key}{_safe(written(value))}"


def _safe(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.]+", "_", text).strip("._")
