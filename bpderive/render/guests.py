"""What a user wrote in another script than the document's language has.

In: a document, its language. Out: the language of ours whose fonts such a text needs. Must not
know: formats.
"""

from collections.abc import Iterator
from unicodedata import category, east_asian_width, name

from bpderive.document.blocks import Document
from bpderive.document.mathematics import Plain
from bpderive.errors import UnsupportedError
from bpderive.wording import Language, languages, load

WIDE = "WF"
"""How Unicode calls the width of Chinese characters."""


def letters(document: Document) -> Iterator[str]:
    """The letters and characters of its title and of its authors' names that are no Latin ones."""
    for words in (document.title, *document.by):
        texts = (value.text for value in words.slots.values() if isinstance(value, Plain))
        yield from (sign for text in texts for sign in text if not _is_latin(sign))


def _is_latin(sign: str) -> bool:
    if east_asian_width(sign) in WIDE:
        return False
    return category(sign)[0] != "L" or name(sign, "").startswith(("LATIN", "FEMININE", "MASCULINE"))


def guest(document: Document, setting: Language) -> Language | None:
    """A language with Chinese characters, where one without has some in its title."""
    if setting.cjk or not any(east_asian_width(sign) in WIDE for sign in letters(document)):
        return None
    return with_characters()


def with_characters() -> Language | None:
    """The first language of ours whose fonts have Chinese characters."""
    ours = (load(language).setting for language in languages())
    return next((language for language in ours if language.cjk), None)


def lone_guest(document: Document, setting: Language) -> Language | None:
    """The same for TeX, whose fonts have no other letters.

    Raises:
        UnsupportedError: there is a letter that is neither Latin nor Chinese.
    """
    other = (sign for sign in letters(document) if east_asian_width(sign) not in WIDE)
    strange = None if setting.serif else next(other, None)
    if strange is not None:
        what = name(strange, f"U+{ord(strange):04X}")
        raise UnsupportedError(
            f"LaTeX has no font for {strange!r} ({what}) in the title or the author's name: "
            "write it in Latin letters, or make a PDF without TeX (--format pdf)"
        )
    return guest(document, setting)
