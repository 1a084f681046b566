"""The first item of a list: what goes into the network.

In: a raw item. Out: an `Input`; what is wrong is noted. Must not know: layers, SymPy.
"""

from collections.abc import Mapping
from types import MappingProxyType

from bpderive.checks import Findings, Path
from bpderive.errors import quoted, suggest
from bpderive.grammar.model import Input, Shapes
from bpderive.grammar.raw import Given, Raw
from bpderive.grammar.values import NAME, SIZE, size, sizes_of

EXAMPLES = (
    "8 (numbers), 8x16 (channels and positions), 1x8x8 (channels, rows, columns), "
    "seq(5)x3 (steps of features) or seq(5) (tokens)"
)
_TABLES: Mapping[str, tuple[Shapes, tuple[str, ...]]] = MappingProxyType(
    {
        "vector": ("vector", ("features",)),
        "signal": ("signal", ("channels", "positions")),
        "image": ("image", ("channels", "rows", "columns")),
        "seq": ("sequence", ("steps", "features")),
        "tokens": ("tokens", ("steps",)),
    }
)
"""`{input = "seq", steps = 5, features = 3}` in TOML: the sizes of each kind, by name."""
_ONE: int | str = 1  # stands in for a wrong size until that is told
_BY_RANK: Mapping[int, Shapes] = MappingProxyType({1: "vector", 2: "signal", 3: "image"})


def looks_like_input(name: str) -> bool:
    """Whether an item of this name can be nothing but an input."""
    return name == "seq" or name.startswith("input ") or sizes_of(name) is not None


def read(raw: Raw, found: Findings) -> Input | None:
    """The input, or None where it cannot be read."""
    if raw.activation is not None:
        found.add(raw.place, "the input layer has no activation", "its size alone")
    if raw.repeat not in {1, "1"}:
        found.add(raw.place, "the input cannot be repeated", "its size alone")
    if raw.name.startswith("input "):
        return _table(raw, raw.name.removeprefix("input "), found)
    if raw.name == "seq":
        return _sequence(raw, found)
    parts = sizes_of(raw.name) or [raw.name]
    named = NAME.fullmatch(raw.name) and not SIZE.fullmatch(raw.name)
    if not raw.bare or named or raw.name in {"", "["} or raw.name.endswith(".eq"):
        found.add(raw.place, f"the first item is the input, not {quoted(_told(raw))}", EXAMPLES)
        return None
    return _of_sizes(raw.place, parts, found)


def _told(raw: Raw) -> str:
    return "[…]" if raw.name == "[" else raw.name


def _of_sizes(place: Path, parts: list[str], found: Findings) -> Input | None:
    if len(parts) not in _BY_RANK:
        found.add(place, f"an input of {len(parts)} sizes", EXAMPLES)
        return None
    return Input(_BY_RANK[len(parts)], tuple(found.take(place, size, part, _ONE) for part in parts))


def _sequence(raw: Raw, found: Findings) -> Input | None:
    """`seq(5)x3`, or `seq(5)` of tokens; also with the names steps and features."""
    names = [one.name or "steps" for one in raw.args]
    after = [Given(raw.after, "features", raw.place)] if raw.after else []
    given = {**dict(zip(names, raw.args, strict=True)), **{str(one.name): one for one in after}}
    wrong = len(given) < len(raw.args) + len(after) or set(given) - {"steps", "features"}
    if wrong or "steps" not in given:
        found.add(raw.place, "a sequence has its number of steps in brackets", "seq(5)x3, seq(5)")
        return None
    order = [name for name in ("steps", "features") if name in given]
    sizes = tuple(found.take(raw.place, size, given[name].value, _ONE) for name in order)
    return Input("sequence" if len(sizes) == 2 else "tokens", sizes)


def _table(raw: Raw, name: str, found: Findings) -> Input | None:
    """`{input = "image", channels = 1, rows = 8, columns = 8}`, or a text as its only value."""
    if name == "seq":
        return _sequence(raw, found)
    if name not in _TABLES:
        if raw.bare or sizes_of(name):
            return _of_sizes(raw.place, sizes_of(name) or [name], found)
        message = f"unknown input {quoted(name)}{suggest(name, _TABLES)}"
        found.add(raw.place, message, ", ".join(_TABLES))
        return None
    kind, names = _TABLES[name]
    given = {one.name or "": one for one in raw.args}
    found.unknown(raw.place, given, names)
    for key in (key for key in names if key not in given):
        found.add(raw.place, f"{key} is missing", ", ".join(names))
    read = {key: one for key, one in given.items() if key in names}
    sizes = {key: found.take(one.place, size, one.value, _ONE) for key, one in read.items()}
    return Input(kind, tuple(sizes.get(key, 1) for key in names))
