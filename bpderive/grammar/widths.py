"""A list of plain widths, as a dense network has it: 2,2,2,1.

In: the text of `--layers`, or a list. Out: `LayerSpec`s; what is wrong is noted. Must not know:
layers of other kinds, SymPy.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from bpderive.checks import Findings, Path, integer, text
from bpderive.errors import SpecError, quoted
from bpderive.grammar.values import MAX_SIZE, NAME, SIZE, SIZES

MAX_LAYERS = 100_000
MAX_ACTIVATIONS = 20  # different ones: each is derived by itself

_RUN = 5  # equal layers from which a slug writes 4x5 instead of 4-4-4-4-4
_NAMES = "a name such as relu; a formula goes with --activation or into a --spec file"
_EXAMPLE = "widths from the input to the output, for example 2,2,2,1"


@dataclass(frozen=True)
class LayerSpec:
    """One layer: its width (a number, or a symbolic size such as "n1") and its own activation."""

    width: int | str
    activation: str | None = None


def look_up_all(found: Findings, own: Sequence[str | None], find: Callable[..., object]) -> None:
    """Note what is wrong with the activation of each layer; too many different ones are counted."""
    if (count := len(set(filter(None, own)))) <= MAX_ACTIVATIONS:
        found.take_each(("layers",), find, own)
        return
    told = f"{count} different activations are too many", f"at most {MAX_ACTIVATIONS}"
    found.add(("layers",), *told)


def read(
    value: object, found: Findings, known: Callable[[str], object] | None = None
) -> tuple[LayerSpec, ...]:
    """The layers, the input first; `known` looks the names of activations up."""
    items: Sequence[object] = found.take(("layers",), _items, value, [])
    runs = [_run(item, number, found) for number, item in enumerate(items, 1)]
    if known is not None:
        look_up_all(found, [layer.activation for layer, _ in runs], known)
    if found.about("layers"):
        return ()
    total = sum(count for _, count in runs)
    if runs[0][0].activation:
        found.add(("layers", 1), "the input layer has no activation", "its width alone")
    if total < 2:
        found.add(("layers",), "an input and at least one layer after it are needed", _EXAMPLE)
    if total > MAX_LAYERS:
        found.add(("layers",), f"{total} layers are too many", f"at most {MAX_LAYERS}")
        return ()
    return tuple(layer for layer, count in runs for _ in range(count))


def _items(value: object) -> Sequence[object]:
    """The items of a `--layers` text, or of an array."""
    if isinstance(value, str) and "(" in value:
        raise SpecError.single(f"a formula cannot stand here: {quoted(value)}", accepted=_NAMES)
    items = value.split(",") if isinstance(value, str) and value.strip() else value
    if items is None or isinstance(items, str) or items == []:
        raise SpecError.single("no layers are given", accepted=_EXAMPLE)
    if not isinstance(items, list | tuple):
        raise SpecError.single(f"{quoted(value)} is neither a text nor a list", accepted=_EXAMPLE)
    if len(items) > MAX_LAYERS:
        raise SpecError.single(f"{len(items)} items are too many", accepted=f"at most {MAX_LAYERS}")
    return items


def _run(item: object, number: int, found: Findings) -> tuple[LayerSpec, int]:
    """One item as a layer and its count; what is wrong with it is noted."""
    path: Path = ("layers", number)
    fields: Mapping[str, object] = {"width": item}
    if isinstance(item, dict):
        fields = item
        found.unknown(path, item, tuple(_TABLE))
        if "width" not in item:
            found.add(path, "the width is missing", SIZES)
    elif isinstance(item, str):
        path = (*path, quoted(item)) if ":" in item or "*" in item else path
        fields = found.take(path, _fields, item, {})
    read: dict[str, Any] = {
        key: found.take((*path, key) if isinstance(item, dict) else path, reader, fields[key], None)
        for key, reader in (_ITEM if isinstance(item, str) else _TABLE).items()
        if key in fields
    }
    return LayerSpec(read.get("width", 1), read.get("activation")), read.get("repeat", 1)


def _fields(item: object) -> dict[str, object]:
    """`4:relu*3` as its fields."""
    width, *marks = re.split("([:*])", str(item))
    if not marks and not width.strip():
        raise SpecError.single("the item is empty", accepted=SIZES)
    named = [{":": "activation", "*": "repeat"}[mark] for mark in marks[::2]]
    if len(set(named)) < len(named):
        message = "more than one activation or count"
        raise SpecError.single(message, accepted="WIDTH, WIDTH:ACTIVATION, WIDTH:ACTIVATION*COUNT")
    return {"width": width.strip(), **dict(zip(named, map(str.strip, marks[1::2]), strict=True))}


def _width(value: object) -> int | str:
    if isinstance(value, str) and SIZE.fullmatch(value):
        return value
    return integer(value, "a width", MAX_SIZE, SIZES)


def _name(value: object) -> str:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise SpecError.single(f"{quoted(value)} is not a name", accepted=_NAMES)
    return value


def _count(value: object) -> int:
    return integer(value, "a count", MAX_LAYERS)


_TABLE: dict[str, Callable[[object], object]] = {
    "width": _width,
    "activation": text,
    "repeat": _count,
}
_ITEM = {**_TABLE, "activation": _name}


def marked(widths: Iterable[int | str], marks: Iterable[str]) -> Iterator[str]:
    """`784`, `128.relu`, and `4x1000.relu` for a long run of equal layers."""
    for (width, mark), run in groupby(zip(widths, marks, strict=True)):
        count = len(tuple(run))
        same = [f"{width}{mark}"] * count
        yield from same if count < _RUN else [f"{width}x{count}{mark}"]
