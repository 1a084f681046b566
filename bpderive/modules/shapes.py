"""What goes from layer to layer: which axes, and how long they are.

In: nothing. Out: frozen data. Must not know: layers, equations.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sympy import Expr, Integer, sympify

from bpderive.grammar.model import Input
from bpderive.index import size_symbol

LETTERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "vector": ("c",),
        "signal": ("c", "t"),
        "image": ("c", "u", "v"),
        "sequence": ("t", "c"),
        "tokens": ("t",),
    }
)
"""The letters of the axes of each kind, after the samples."""

_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "vector": "{} numbers",
        "signal": "{} channels of {} positions",
        "image": "{} channels of {} x {} positions",
        "sequence": "{} steps of {} features",
        "tokens": "{} tokens",
    }
)


@dataclass(frozen=True)
class Shape:
    """A kind (`other`: no layer of ours takes it) and the sizes of its axes, without samples."""

    kind: str
    sizes: tuple[Expr, ...]

    @classmethod
    def of_input(cls, given: Input) -> "Shape":
        """The shape of the network's input."""
        return cls(given.kind, tuple(map(size, given.sizes)))

    @property
    def features(self) -> Expr:
        """The channels of an image or signal, the features of a vector or a sequence."""
        return self.sizes[LETTERS[self.kind].index("c") if "c" in LETTERS[self.kind] else 0]

    @property
    def positions(self) -> tuple[Expr, ...]:
        """The sizes of a signal or image besides its channels."""
        return self.sizes[1:]

    @property
    def leading(self) -> tuple[str, ...]:
        """The letters that `*` stands for: the samples, and every axis but the last."""
        return ("n", *LETTERS.get(self.kind, ())[:-1])

    def __str__(self) -> str:
        if self.kind not in _WORDS:
            return f"{len(self.sizes)} axes"
        told = _WORDS[self.kind].format(*self.sizes)
        return re.sub(r"^1 (\w+)s\b", r"1 \1", told)


def size(value: object) -> Expr:
    """A number, or the symbol of its name."""
    return size_symbol(value) if isinstance(value, str) else sympify(value)


def after(kind: str, sizes: Iterable[Expr]) -> Shape:
    """What a file of equations gives whose output has these sizes; `kind` went in."""
    given = tuple(map(sympify, sizes))
    steps = kind in {"sequence", "tokens"}
    kinds = {1: "vector", 2: "sequence" if steps else "signal", 3: "image"}
    return Shape(kinds.get(len(given), "other"), given)


ONE = Integer(1)
