"""The list of a TOML document, or of a Python call, as raw items.

In: a sequence of numbers, texts and tables. Out: `Raw` items; what is wrong is noted with its
number. Must not know: layers, SymPy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bpderive.checks import Findings, Path
from bpderive.errors import quoted
from bpderive.grammar import text
from bpderive.grammar.raw import Given, Raw

DEEPEST = text.DEEPEST
_ITEM = 'a width, a text such as "conv(4,3):relu", or a table: {layer = "maxpool", kernel = 2}'
_HEADS = ("layer", "input", "width")
_FIXED = ("args", "items", "activation", "repeat")


def read(items: Sequence[object], found: Findings, path: Path, depth: int = 1) -> list[Raw]:
    """The items of a list; their numbers go into their places."""
    if depth > DEEPEST:
        found.add(path, "items are nested too deeply", f"at most {DEEPEST}")
        return []
    raws = (one(item, found, (*path, number), depth) for number, item in enumerate(items, 1))
    return [raw for raw in raws if raw is not None]


def one(item: object, found: Findings, path: Path, depth: int) -> Raw | None:
    """One item, or None where it cannot be read."""
    if isinstance(item, Mapping):
        return _table(item, found, path, depth)
    if isinstance(item, str):
        return text.read_one(item, found, path)
    if isinstance(item, int) and not isinstance(item, bool):
        return Raw(str(item), path) if abs(item) < 10**30 else Raw("9" * 30, path)
    found.add(path, f"{quoted(item)} is not an item", _ITEM)
    return None


def _table(item: Mapping[Any, Any], found: Findings, path: Path, depth: int) -> Raw | None:
    """`{layer = "conv", out = 4, kernel = 3, activation = "relu"}`."""
    heads = [head for head in _HEADS if head in item]
    if not heads or heads[:2] == ["layer", "input"]:
        found.add(path, "a table tells a layer, a width or an input", _ITEM)
        return None
    head = item[heads[0]]
    raw = one(head, found, (*path, heads[0]), depth) if isinstance(head, str | int) else None
    if raw is None:
        if not isinstance(head, str | int):
            found.add((*path, heads[0]), f"{quoted(head)} is not a name", _ITEM)
        return None
    name = f"input {raw.name}" if heads[0] == "input" else raw.name
    rest = {key: value for key, value in item.items() if key != heads[0]}
    args = (*raw.args, *_args(rest, found, path, depth))
    return replace(
        raw,
        name=name,
        place=path,
        args=args,
        activation=item.get("activation", raw.activation),
        repeat=item.get("repeat", raw.repeat),
        bare=raw.bare and not args,
    )


def _args(item: Mapping[Any, Any], found: Findings, path: Path, depth: int) -> tuple[Given, ...]:
    """What the table holds besides: positional arguments, items of a block, and names."""
    lists = {key: item.get(key, []) for key in ("args", "items")}
    for key, value in lists.items():
        if not isinstance(value, list | tuple):
            found.add((*path, key), f"{quoted(value)} is not a list", "a list in brackets")
            return ()
    raws = read(lists["items"], found, (*path, "items"), depth + 1)
    given = [Given(one, None, (*path, "args", at)) for at, one in enumerate(lists["args"], 1)]
    inner = [Given(None, None, raw.place, raw, block=True) for raw in raws]
    named = [
        Given(value, str(key), (*path, str(key)))
        for key, value in item.items()
        if key not in _FIXED
    ]
    return (*given, *inner, *named)
