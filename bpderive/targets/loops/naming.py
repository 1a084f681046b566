"""Names of variables: loops take the letters of indices, numbers say what they are.

In: an index, and the names that mean something already. Out: symbols. Must not know: equations.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from sympy import Symbol

from bpderive.index import letter_of

SPARE = "ijklmpqr"


@dataclass(frozen=True)
class Naming:
    """Hands out names; `taken` are those of tensors, functions and the language."""

    taken: frozenset[str]

    def loop(self, index: Symbol, used: frozenset[str]) -> Symbol:
        """The variable of an index: its letter, doubled where the letter is in use (`s`, `ss`)."""
        letters = [letter_of(index)] if letter_of(index) else list(SPARE)
        names = (letter * length for length in range(1, 9) for letter in letters)
        return Symbol(next(n for n in names if self.free(n, used)), integer=True, nonnegative=True)

    def local(self, base: str, used: frozenset[str], *, whole: bool = False) -> Symbol:
        """A number's variable: `total`, then `total2` and so on."""
        name = next(n for n in _numbered(base) if self.free(n, used))
        return Symbol(name, integer=True, nonnegative=True) if whole else Symbol(name)

    def free(self, name: str, used: frozenset[str]) -> bool:
        """Whether a name means nothing yet."""
        return name not in self.taken and name not in used


def _numbered(base: str) -> Iterator[str]:
    yield base
    yield from (f"{base}{k}" for k in count(2))
