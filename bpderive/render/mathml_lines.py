"""Many formulas that differ in their numbers only: read once, then filled in.

In: LaTeX of our own printers. Out: the same MathML as `mathml` gives. Must not know: what it means.
"""

import re
from functools import lru_cache
from itertools import count

from bpderive.render.mathml import mathml
from bpderive.render.mathml_tables import BLANK

_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_NUMBER = "\ue1ff"
"""Stands for any number."""
_BLANKS = re.compile("[\ue200-\ue2ff]")


def mathml_of(line: str) -> str:
    """The elements of a formula, without `<math>` around them."""
    numbers = _DIGITS.findall(line)
    pattern, order = _pattern(_DIGITS.sub(_NUMBER, line))
    return pattern % tuple([numbers[at] for at in order])


@lru_cache(4096)
def _pattern(line: str) -> tuple[str, tuple[int, ...]]:
    """The elements of a formula with a place for each number, and which number stands where."""
    blanks = count(BLANK)
    found = mathml(re.sub(_NUMBER, lambda _: chr(next(blanks)), line)).replace("%", "%%")
    order = tuple(ord(blank) - BLANK for blank in _BLANKS.findall(found))
    return _BLANKS.sub("%s", found), order
