"""The words of a language: sentences by id, with named places for mathematics.

In: a language's name, or the path of one's own TOML. Out: a `Wording`, which cuts a sentence into
literal text and slots, so that a renderer escapes the one and prints the other, and which tells how
the language is set (`Language`). Must not know: mathematics, formats.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from string import Formatter

from bpderive.errors import DerivationError, SpecError, quoted, suggest
from bpderive.locate import templates
from bpderive.wording.language import Language
from bpderive.wording.reading import NAMES, ours, read

__all__ = ["Language", "Wording", "default_language", "languages", "load"]

DEFAULT = "en"
PLAIN = frozenset(["C", "POSIX"])
"""Locales of no language."""


@dataclass(frozen=True)
class Wording:
    """All sentences of one language, by dotted id, and how the language is set."""

    language: str
    sentences: Mapping[str, str]
    setting: Language

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

    def called(self, name: str) -> str:
        """A name of the catalogue in this language; as it is, with spaces, where it has none."""
        return self.sentences.get(f"{NAMES}.{name}", name.replace("_", " "))


def languages() -> tuple[str, ...]:
    """The names of all languages that bpderive has."""
    return tuple(sorted(path.stem for path in (templates() / "locale").glob("*.toml")))


def load(language: str = DEFAULT) -> Wording:
    """A language by its name, or by the path of a TOML file.

    Raises:
        SpecError: an unknown language; a file that cannot be read, or with something wrong in it.
    """
    if language.endswith(".toml"):
        return Wording(language, *read(language, load().sentences))
    return _own(language)


@cache
def _own(name: str) -> Wording:
    """One of ours, whose sentences the tests compare."""
    if name not in (names := languages()):
        raise SpecError.single(
            f"unknown language {quoted(name)}{suggest(name, names)}",
            accepted=f"{', '.join(names)}, or the path of a TOML file",
        )
    return Wording(name, *ours(templates() / "locale" / f"{name}.toml"))


def default_language(environ: Mapping[str, str]) -> str:
    """The language of the user's locale; English where bpderive has no words in theirs.

    As everywhere else, LC_ALL goes before LC_MESSAGES, and that before LANG; LANGUAGE, a list,
    goes before them all, unless they say that no language is wanted (`C`, `POSIX`).
    """
    names = (environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    locale = next(filter(None, names), "")
    if _bare(locale) in PLAIN:
        return DEFAULT
    wanted = [*environ.get("LANGUAGE", "").split(":"), locale]
    return next((name for one in wanted if one for name in _speaking(_bare(one))), DEFAULT)


def _bare(locale: str) -> str:
    """`zh_TW` of `zh_TW.UTF-8@radical`."""
    return locale.partition(".")[0].partition("@")[0].replace("-", "_")


def _speaking(locale: str) -> Iterator[str]:
    """The languages for people of this locale; `zh_Hant` is also for `zh_Hant_TW`."""
    for name in languages():
        if f"{locale}_".startswith(tuple(f"{one}_" for one in _own(name).setting.locales)):
            yield name
