"""The words of a language: sentences by id, with named places for mathematics.

In: a language's name. Out: a `Wording`, which cuts a sentence into literal text and slots, so that
a renderer escapes the one and prints the other. Must not know: mathematics, formats.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from string import Formatter

from bpderive.errors import DerivationError, SpecError, quoted, suggest
from bpderive.locate import templates


@dataclass(frozen=True)
class Wording:
    """All sentences of one language, by dotted id."""

    language: str
    sentences: Mapping[str, str]

    def __contains__(self, key: str) -> bool:
        return key in self.sentences

    def pieces(self, key: str) -> Iterator[tuple[str, str | None]]:
        """Literal text, and the slot that follows it (or None).

        Raises:
            DerivationError: if the language lacks the sentence.
        """
        if key not in self.sentences:
            raise DerivationError(f"the language {self.language} has no words for {key!r}")
        for literal, slot, _, _ in Formatter().parse(self.sentences[key]):
            yield literal, slot


@cache
def load(language: str = "en") -> Wording:
    """Read a language from `templates/locale`.

    Raises:
        SpecError: an unknown language.
    """
    folder = templates() / "locale"
    path = folder / f"{language}.toml"
    names = sorted(p.stem for p in folder.glob("*.toml"))
    if language not in names:
        raise SpecError.single(
            f"unknown language {quoted(language)}{suggest(language, names)}",
            accepted=", ".join(names),
        )
    return Wording(language, dict(_flat(tomllib.loads(path.read_text("utf-8")))))


def _flat(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)
