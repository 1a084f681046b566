"""Where the indices of a quantity are said, and which capitals must be told from small letters.

In: words with marks in them, a `Notation`. Out: words without, letters. Must not know: a language.
"""

from string import ascii_lowercase

from bpderive.notation import Notation
from bpderive.notation.names import ALPHABET

HERE = "\uf100"
"""Where the indices of a quantity are said."""
BELOW, ABOVE = "\uf103", "\uf104"
"""Around indices that are not yet where they are said."""


def placed(text: str) -> str:
    """The indices of a quantity where its layer's mark has them said."""
    while BELOW in text:
        before, _, rest = text.partition(BELOW)
        indices, _, after = rest.partition(ABOVE)
        head, mark, tail = before.rpartition(HERE)
        text = f"{head}{indices}{tail}{after}" if mark else f"{before}{indices}{after}"
    return text.replace(HERE, "")


def small_letters(notation: Notation) -> frozenset[str]:
    """The small letters that a listener could take for capitals of the same notation."""
    sizes = notation.setting.sizes
    pools = (notation.indices, notation.samples, notation.letters.values(), sizes)
    letters = [notation.general_layer, *(letter for pool in pools for letter in pool)]
    if notation.general:
        letters += [*ascii_lowercase, *ALPHABET.values()]
        letters += [name.letter for name in notation.own_names.values()]
    return frozenset(letter for letter in letters if letter == letter.lower())
