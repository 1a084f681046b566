"""How a language is set: its fonts, its signs, its names in other programs.

In: the table `[language]` of a locale. Out: a frozen `Language`, every field of it checked, because
some go into the heads of LaTeX and Typst files as they stand. Must not know: sentences, formats.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bpderive.checks import Findings, text, truth
from bpderive.errors import SpecError, quoted


@dataclass(frozen=True)
class Language:
    """What a writer must know of a language beside its sentences.

    `name` is the language's own; `tag` is for web pages and PDF; `lang` and `region` are Typst's
    parts of it; `babel` is LaTeX's name; `locales` say whose it is; `package` is the Debian package
    with the fonts; `cjk` says that lines break between any two characters.
    """

    name: str
    tag: str
    lang: str
    region: str
    babel: str
    locales: tuple[str, ...]
    serif: tuple[str, ...]
    sans: tuple[str, ...]
    mono: tuple[str, ...]
    package: str
    cjk: bool
    separator: str
    colon: str
    stop: str
    decimal: str
    quotes: tuple[str, ...]


def language(table: Mapping[str, object], found: Findings) -> Language | None:
    """The language that a table describes; what is wrong with the table is noted."""
    found.unknown(("language",), table, tuple(READERS))
    values: dict[str, Any] = {}
    for key, reader in READERS.items():
        if key not in table:
            found.add(("language", key), "the key is missing")
            continue
        values[key] = found.take(("language", key), reader, table[key], None)
    return None if found.about("language") else Language(**values)


def _matching(pattern: str, accepted: str) -> Callable[[object], str]:
    """A reader of texts of a form."""

    def read(value: object) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise SpecError.single(f"{quoted(value)} does not do", accepted=accepted)
        return value

    return read


def _several(one: Callable[[object], str], least: int = 0) -> Callable[[object], tuple[str, ...]]:
    """A reader of lists."""

    def read(value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or len(value) < least:
            raise SpecError.single(
                f"{quoted(value)} is not a list of {least} texts or more",
                accepted='texts in brackets, such as ["one", "two"]',
            )
        return tuple(map(one, value))

    return read


_LETTERS = _matching("[A-Za-z][A-Za-z-]{0,39}", "letters and hyphens")
_FONTS = _several(_matching("[A-Za-z0-9][A-Za-z0-9 -]{0,59}", "a font's name in ASCII letters"))
_SIGN = _matching("[^A-Za-z0-9\n{}]{1,5}", "one sign, perhaps with a space")

READERS: Mapping[str, Callable[[object], object]] = {
    "name": text,
    "tag": _matching("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}", "a tag such as en or zh-Hant-TW"),
    "lang": _matching("[a-z]{2,3}", "two or three small letters, such as en"),
    "region": _matching("([a-z]{2})?", "two small letters, such as tw, or nothing"),
    "babel": _LETTERS,
    "locales": _several(_matching("[A-Za-z]{2,8}(_[A-Za-z0-9]{1,8}){0,3}", "such as zh_TW")),
    "serif": _FONTS,
    "sans": _FONTS,
    "mono": _FONTS,
    "package": _matching("([a-z0-9][a-z0-9.+-]{1,59})?", "a Debian package, or nothing"),
    "cjk": truth,
    "separator": _SIGN,
    "colon": _SIGN,
    "stop": _SIGN,
    "decimal": _SIGN,
    "quotes": _several(_SIGN, 2),
}
