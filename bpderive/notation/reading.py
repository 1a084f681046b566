"""Reads the TOML of a notation, and tells everything that is wrong with it.

In: a path, and where to find the notation that it builds upon. Out: a `Notation`. What a user may
write is letters: nothing else of a file reaches a document but its title, which is escaped there.
Must not know: formats, words, networks.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from bpderive import sources
from bpderive.catalog import CATALOG
from bpderive.checks import Findings, one_of, place, text, truth
from bpderive.checks import Path as Keys
from bpderive.errors import SpecError, quoted
from bpderive.notation.alphabet import function, index, layer, letter
from bpderive.notation.clashes import clashes
from bpderive.notation.model import Notation
from bpderive.notation.spares import settled
from bpderive.spec import OPTIONS
from bpderive.toml_lines import dots

MOST_BYTES = 100_000
MOST_DOTS = 4
"""In a key: more of them would make tomllib slow."""

QUANTITIES = (*"xwbzay", "output", "p", "delta", *"ghLSNn", "eta")
ARRAYS = (*"xwzay", "output", "p", "delta", "g", "h")
SHIFTED = ("w", "b")
SPEC = ("orientation", "weights", "loss", "reduction")
MARKS = ("{layer}", "({layer})", "[{layer}]")
NAMES = tuple(field.name for field in fields(Notation) if field.name not in ("name", "setting"))
FEWEST = {"samples": 1, "indices": 6}
"""Letters that an equation may need at once, with some for sizes of the same name."""

Ours = Callable[[str], Notation]
Reader = Callable[[object], Any]


def is_path(name: str) -> bool:
    """Whether a file is meant."""
    return name.endswith(".toml") or "/" in name or "\\" in name


def read(path: str, ours: Ours) -> Notation:
    """The notation in a file; `ours` gives the one that it names as its base.

    Raises:
        SpecError: with everything that is wrong, each with its line and key.
    """
    import tomllib  # for a notation of the user's

    document = _text(path)
    try:
        table = tomllib.loads(document)
    except (ValueError, RecursionError) as error:
        raise SpecError.single(f"not TOML: {error}", path) from error
    return made(path, table, ours, document)


def made(path: str, table: Mapping[str, Any], ours: Ours, document: str = "") -> Notation:
    """The notation of a file's table; lines are told where the document is given.

    Raises:
        SpecError: with everything that is wrong, each with its line and key.
    """
    found = Findings()

    def check() -> None:
        found.check(lambda keys: f"{path}, line {_line(document, keys)}, {place(keys)}")

    base, given = _base(table, found, ours), _values(table, found)
    _complete(table, found)
    check()
    stem = Path(path).stem
    notation = Notation(name=stem, **{"title": stem, **_merged(base, given)})
    notation = settled(notation, given) if base is not None else notation
    for keys, message, accepted in clashes(notation):
        found.add(keys, message, accepted)
    check()
    return notation


def _text(path: str) -> str:
    document, _ = sources.read(path, "a notation", MOST_BYTES)
    if dots(document) > MOST_DOTS:
        raise SpecError.single("nested too deeply", path)
    return document


def _base(table: Mapping[str, Any], found: Findings, ours: Ours) -> Notation | None:
    """What the file builds upon; nothing where it has everything itself."""
    if "base" not in table:
        return None
    return found.take(("base",), lambda name: ours(text(name)), table["base"], None)


def _complete(table: Mapping[str, Any], found: Findings) -> None:
    """One without a base has everything; with a base, the file's name is title enough."""
    if "title" not in table and "base" not in table:
        found.add(("title",), "the key is missing", "the name of the book, in quotes")
    missing = [name for name in NAMES if name not in table and name != "title"]
    if "base" not in table and missing:
        message = f"these keys are missing too: {', '.join(missing)}"
        found.add(("base",), message, 'all of them, or base = "article"')


def _values(table: Mapping[str, Any], found: Findings) -> dict[str, Any]:
    """Every key that is given, checked."""
    found.unknown((), table, ("base", *READERS, *TABLES))
    given: dict[str, Any] = {
        key: found.take((key,), reader, table[key], None)
        for key, reader in READERS.items()
        if key in table
    }
    for key, readers in TABLES.items():
        if key in table:
            given[key] = _table(key, table[key], readers, found)
    return given


def _table(
    key: str, value: object, readers: Mapping[str, Reader], found: Findings
) -> dict[str, Any]:
    """A table, each of its values checked by its own reader."""
    if not isinstance(value, dict):
        found.add((key,), f"{quoted(value)} is not a table", f"[{key}] and keys in it")
        return {}
    found.unknown((key,), value, tuple(readers))
    return {
        name: found.take((key, name), readers[name], value[name], None)
        for name in value
        if name in readers
    }


def _merged(base: Notation | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """The base's values under the given ones; tables key by key."""
    if base is None:
        return {name: given[name] for name in NAMES}
    own = {name: getattr(base, name) for name in NAMES if name != "title"} | {"source": ""}
    return {**own, **given, **{key: {**own[key], **given.get(key, {})} for key in TABLES}}


def _line(document: str, keys: Keys) -> int:
    """The line of a key in its table; that of the table, or the first, where it is not there."""
    line, inside = 1, len(keys) == 1
    for number, row in enumerate(document.split("\n"), 1):
        if head := re.match(r"\s*\[\s*([^\]\s]+)", row):
            if head[1] == keys[0]:
                line, inside = number, True
            elif inside and len(keys) > 1:
                break
        elif inside and re.match(rf"\s*[\"']?{re.escape(str(keys[-1]))}[\"']?\s*=", row):
            return number
    return line


# --- Readers of one value each ---


def _optional(reader: Reader) -> Reader:
    """The same, but an empty text stands for nothing."""
    return lambda value: "" if value == "" else reader(value)


def _letters(key: str) -> Reader:
    def read_them(value: object) -> tuple[str, ...]:
        fewest = FEWEST[key]
        if not isinstance(value, list) or len(value) < fewest:
            raise SpecError.single(
                f"{quoted(value)} is no list of letters", accepted=f"{fewest} letters or more"
            )
        return tuple(index(item) for item in value)

    return read_them


def _number(*accepted: int) -> Reader:
    def read_it(value: object) -> int:
        if isinstance(value, bool) or value not in accepted:
            told = ", ".join(map(str, accepted))
            raise SpecError.single(f"{quoted(value)} is out of place", accepted=told)
        return int(str(value))

    return read_it


def _anything(value: object) -> str:
    if not isinstance(value, str):
        raise SpecError.single(f"{quoted(value)} is not a text", accepted="a text in quotes")
    return value.strip()


def _loss(value: object) -> str:
    """The name of a loss, or a formula."""
    CATALOG.loss(name := text(value))
    return name


READERS: Mapping[str, Reader] = {
    "title": text,
    "source": _anything,
    "general_layer": layer,
    "layer_mark": one_of(MARKS),
    "layer_place": one_of(("above", "below")),
    "input_layer": _number(0, 1),
    "input_as_activation": truth,
    "kronecker": letter,
    "bold": truth,
    "commas": truth,
    "derivatives": one_of(("letter", "d", "partial")),
    "activation": _optional(function),
    "samples": _letters("samples"),
    "indices": _letters("indices"),
    "above": index,
}
TABLES: Mapping[str, Mapping[str, Reader]] = {
    "layer_shift": dict.fromkeys(SHIFTED, _number(-1, 0, 1)),
    "letters": dict.fromkeys(QUANTITIES, letter),
    "matrices": dict.fromkeys(ARRAYS, letter),
    "functions": {row.name: function for row in CATALOG.activations},
    "spec": {key: OPTIONS[key] for key in SPEC} | {"loss": _loss},
}
