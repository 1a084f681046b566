"""Reads a locale's TOML, and tells everything that is wrong with it.

In: a path, and the English sentences, which every language must have, with the same slots. Out:
sentences by dotted id, and a `Language`. Must not know: which languages there are.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter
from typing import Any

from bpderive import sources
from bpderive.checks import Findings, place
from bpderive.checks import Path as Keys
from bpderive.errors import SpecError, quoted
from bpderive.kept import table
from bpderive.toml_lines import dots
from bpderive.wording.language import Language, language

MOST_BYTES = 1_000_000
NAMES = "names"
"""The table of names of the catalogue; no language must have it, or any key of it."""
MOST_DOTS = 4
"""In a key: more of them would make tomllib slow."""


def read(path: str, model: Mapping[str, str] | None) -> tuple[dict[str, str], Language]:
    """The sentences of a file and how its language is set; `model` has what each must have.

    Raises:
        SpecError: the file cannot be read; keys or slots are wrong, each with its line.
    """
    import tomllib  # for a language of the user's

    document = _text(path)
    try:
        found_table = tomllib.loads(document)
    except (ValueError, RecursionError) as error:
        raise SpecError.single(f"not TOML: {error}", path) from error
    found, setting = Findings(), found_table.pop("language", {})
    sentences = dict(_flat(found_table, found))
    if model is not None:
        _compare(sentences, model, found)
    told = language(setting if isinstance(setting, dict) else {}, found)
    found.check(lambda keys: f"{path}, line {_line(document, keys)}, {place(keys)}")
    assert told is not None  # noqa: S101 - else `check` has raised
    return sentences, told


def ours(path: Path) -> tuple[dict[str, str], Language]:
    """One of ours, which the tests check."""
    found, own = Findings(), table(path)
    told = language(own.pop("language"), found)
    sentences = dict(_flat(own, found))
    found.check(lambda keys: f"{path}, {place(keys)}")
    assert told is not None  # noqa: S101 - else `check` has raised
    return sentences, told


def _text(path: str) -> str:
    document, _ = sources.read(path, "a language", MOST_BYTES)
    if dots(document) > MOST_DOTS:
        raise SpecError.single("nested too deeply", path)
    return document


def _flat(table: Mapping[str, Any], found: Findings) -> Iterator[tuple[str, str]]:
    """`section.notation` and its sentence; what is no sentence in a table is noted."""
    for name, sentences in table.items():
        if not isinstance(sentences, dict):
            found.add((name,), "a sentence stands outside a table", f"[{name}] and keys in it")
            continue
        for key, sentence in sentences.items():
            if isinstance(sentence, str):
                if name == NAMES and not sentence.strip(" {}"):
                    found.add((name, key), "the name is empty", "a name")
                yield f"{name}.{key}", sentence
            else:
                found.add((name, key), f"{quoted(sentence)} is not a text", "a sentence in quotes")


def _compare(sentences: Mapping[str, str], model: Mapping[str, str], found: Findings) -> None:
    """Note every key and every slot that is missing, or that English has not."""
    for key in sorted(model.keys() - sentences.keys()):
        found.add(_keys(key), "the sentence is missing", f"words for {quoted(model[key], 200)}")
    for key in sorted(sentences.keys() - model.keys()):
        if not key.startswith(f"{NAMES}."):
            found.add(_keys(key), "English has no such sentence")
    for key in sorted(sentences.keys() & model.keys()):
        wanted = slots(model[key])
        if slots(sentences[key]) != wanted:
            message = f"the slots of {quoted(sentences[key], 80)} are wrong"
            told = " ".join(f"{{{slot}}}" for slot in sorted(wanted or ())) or "no slots"
            found.add(_keys(key), message, told)


def slots(sentence: str) -> frozenset[str] | None:
    """The names in braces; None where the braces are not in order."""
    try:
        pieces = list(Formatter().parse(sentence))
    except ValueError:
        return None
    named = [(slot, form or turned) for _, slot, form, turned in pieces if slot is not None]
    if any(extra or not slot.isidentifier() for slot, extra in named):
        return None
    return frozenset(slot for slot, _ in named)


def _keys(key: str) -> Keys:
    return tuple(key.split("."))


def _line(document: str, keys: Keys) -> int:
    """The line of a key in its table; that of the table, or the first, where it is not there."""
    line, inside = 1, False
    for number, row in enumerate(document.split("\n"), 1):
        if head := re.match(r"\s*\[\s*([^\]\s]+)", row):
            inside = head[1] == keys[0]
            line = number if inside else line
        elif inside and len(keys) > 1 and re.match(rf"\s*{re.escape(str(keys[1]))}\s*=", row):
            return number
    return line
