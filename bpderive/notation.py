"""Letters and marks of a textbook: what each quantity is called on paper.

In: a name, such as "article". Out: a frozen `Notation`, read from `templates/notation/`, all of it
in Unicode. Must not know: the syntax of any format, words, networks.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

from bpderive.errors import DerivationError, SpecError, quoted, suggest
from bpderive.locate import templates


@dataclass(frozen=True, eq=False)
class Notation:
    """The letters of one textbook; keys are the names of reference text (`w`, `delta`, `L`)."""

    name: str
    general_layer: str
    layer_mark: str
    kronecker: str
    samples: tuple[str, ...]
    indices: tuple[str, ...]
    letters: Mapping[str, str]
    matrices: Mapping[str, str]
    functions: Mapping[str, str]

    def letters_for(self, indices: Sequence[Any], *, samples: bool = False) -> dict[Any, str]:
        """A letter for each free index, in order; with `samples`, the first counts the samples.

        Raises:
            DerivationError: there are more indices than letters.
        """
        heads = [self.samples[0]] if samples and indices else []
        pool = [*heads, *self.indices]
        if len(indices) > len(pool):
            raise DerivationError(f"the notation {self.name} has too few letters for {indices}")
        return dict(zip(indices, pool, strict=False))

    def without(self, names: Iterable[str]) -> "Notation":
        """The same notation, its indices clear of letters that name something else (a size)."""
        taken = frozenset(names)
        if not taken:
            return self
        return replace(
            self,
            samples=tuple(letter for letter in self.samples if letter not in taken),
            indices=tuple(letter for letter in self.indices if letter not in taken),
        )


@cache
def load(name: str = "article") -> Notation:
    """The notation of that name.

    Raises:
        SpecError: there is none.
    """
    folder = templates() / "notation"
    names = sorted(path.stem for path in folder.glob("*.toml"))
    if name not in names:
        message = f"unknown notation {quoted(name)}{suggest(name, names)}"
        raise SpecError.single(message, accepted=", ".join(names))
    table = tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))
    return _checked(table, name)


def _checked(table: dict[str, Any], name: str) -> Notation:
    wanted = {field.name for field in fields(Notation)}
    if set(table) != wanted:
        wrong = ", ".join(sorted(set(table) ^ wanted))
        raise DerivationError(f"the notation {name} lacks these keys, or should not have: {wrong}")
    listed = {key: tuple(table[key]) for key in ("samples", "indices")}
    return Notation(**{**table, **listed})
