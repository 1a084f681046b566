"""The letters that every format can print.

In: a value of a notation's file. Out: the same, or a `SpecError` that has no place yet. Must not
know: what a letter stands for, how a format writes it.
"""

import re
import unicodedata

from bpderive.errors import SpecError, quoted

GREEK = "αβγδεζηθκλμνξρστφχψωΓΔΘΛΞΦΨΩℓ"
"""Letters beside a to z and A to Z; π is the number, Σ the sign of a sum."""

ACCENTS = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "bar"}
LETTER = re.compile(f"[A-Za-z{GREEK}][{''.join(ACCENTS)}]?|[A-Za-z]{{2,8}}")
INDEX = re.compile("[A-Za-z]")
LAYER = re.compile(f"[A-Za-z{GREEK}]")
FUNCTION = re.compile(rf"[{GREEK}]|[A-Za-z][A-Za-z0-9]{{0,15}}(_[A-Za-z0-9]{{1,15}})?")

RESERVED = "e"
"""The base of exponentials."""


def letter(value: object) -> str:
    """The letter of a quantity: with an accent, Greek, or a short name."""
    told = f"a letter, with ^, ~ or ¯ over it too; one of {GREEK}; a name of 2 to 8 letters"
    return _matching(LETTER, value, told)


def index(value: object) -> str:
    """The letter of an index."""
    return _matching(INDEX, value, "one letter, a to z or A to Z")


def layer(value: object) -> str:
    """The general layer's letter."""
    return _matching(LAYER, value, f"one letter, a to z, A to Z or one of {GREEK}")


def function(value: object) -> str:
    """The symbol of a function."""
    return _matching(FUNCTION, value, f"a name such as ReLU or GELU_tanh, or one of {GREEK}")


def _matching(pattern: re.Pattern[str], value: object, accepted: str) -> str:
    found = unicodedata.normalize("NFC", value) if isinstance(value, str) else ""
    if not pattern.fullmatch(unicodedata.normalize("NFD", found)) or found == RESERVED:
        message = f"no format can print {quoted(value)}"
        if found == RESERVED:
            message = f"{quoted(value)} is the base of exponentials"
        raise SpecError.single(message, accepted=accepted)
    return found
