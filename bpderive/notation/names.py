"""What a tensor is called on paper that no textbook's table lists: `W_q`, `xhat`, `gamma`, `var`.

In: a name as a file of equations has it. Out: a `Name`: a letter with an accent, or a word, and the
marks that stand above it. Must not know: notations, layers, formats.
"""

import re
import unicodedata
from dataclasses import dataclass

ALPHABET = {
    **{unicodedata.name(letter).split()[-1].lower(): letter for letter in "αβγδεζηθκμνξρστφχψω"},
    **{unicodedata.name(letter).split()[-1].title(): letter for letter in "ΓΔΘΞΦΨΩ"},
    **dict.fromkeys(("lambda", "lamda"), "λ"),
    **dict.fromkeys(("Lambda", "Lamda"), "Λ"),
    "eps": "ε",
}
"""Greek letters by their names; π is the number, and Σ the sign of a sum."""
HATS = {"hat": "\u0302", "tilde": "\u0303", "bar": "\u0304"}
_DIGITS = re.compile(r"(\D*)(\d*)")


@dataclass(frozen=True)
class Name:
    """A letter or a word, and what stands above it: words, or the name of another quantity."""

    letter: str
    marks: tuple["Name | str", ...] = ()


def natural(name: str) -> Name:
    """A name as a reader would write it: `W_q → W^q`, `xhat → x̂`, `eps → ε`, `W2_ → W^2`."""
    plain = spelled(name)
    head, marks = plain.letter, plain.marks
    if marks and marks[0] in HATS and (base := _single(head)):
        return Name(_accented(base, str(marks[0])), marks[1:])
    for hat in HATS:
        if head.endswith(hat) and (base := _single(head.removesuffix(hat))):
            return Name(_accented(base, hat), marks)
    return Name(ALPHABET.get(head, head), marks)


def spelled(name: str) -> Name:
    """A name as it is written, its parts apart."""
    head, *rest = [part for part in name.split("_") if part]
    match = _DIGITS.fullmatch(head)
    letters, digits = match.groups() if match else (head, "")
    return Name(letters, tuple(part for part in (digits, *rest) if part))


def _single(text: str) -> str:
    """A letter by itself or by its Greek name; empty for a word."""
    return text if len(text) == 1 else ALPHABET.get(text, "")


def _accented(base: str, hat: str) -> str:
    return unicodedata.normalize("NFC", base + HATS[hat])
