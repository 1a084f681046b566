"""How wide mathematics in Typst is, in the same characters as LaTeX's.

In: what `TypstMath` printed: scripts in round brackets, commas of a text behind a backslash, those
between arguments bare. Out: a width, and `TYPST`, how such text breaks. Must not know: SymPy.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, ClassVar

from bpderive.render.breaking import SCRIPT, WIDE, Marks, Measure

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\\.| thin |[A-Za-z][A-Za-z.]+|.', re.DOTALL)
_NAMED = "log ln exp tanh sin cos sinh cosh max min arg"
_SIGNS = "+ - = < > ≤ ≥ ⊙ ⊘ ⋅ × → ← ≈"


class TypstMeasure(Measure):
    """Reads tokens of Typst's mathematics and adds their widths up."""

    newline = "\\ "
    wide: ClassVar[Mapping[str, float]] = {
        **WIDE,
        **dict.fromkeys(_SIGNS.split(), 2.5),
        **{rf"\{bracket}": 0.8 for bracket in "()[],"},
        **{name: float(len(name)) for name in _NAMED.split()},
        " thin ": 0.3,
        "thick": 0.5,
        "quad": 1.8,
        "sum": 3.2,
        "…": 2.0,
        "Δ": 1.6,
    }

    def script(self) -> float:
        """A script; the brackets around it are not printed."""
        return self.argument() if self.peek() == "(" else self.item()

    def argument(self) -> float:
        """What stands between round brackets."""
        self.at += 1
        return self.row(")")

    def known(self, token: str) -> Callable[[Any], float] | None:
        if token[0] == '"':
            return lambda _: len(token) - 2.0
        return _ITEMS.get(token)

    def brackets(self) -> float:
        return 1.6 + self.row(")")

    def bars(self) -> float:
        return 1.6 + self.argument()

    def bold(self) -> float:
        return 1.3 * self.argument()

    def fraction(self) -> float:
        self.at += 1
        return max(self.row(","), self.row(")")) + 1.0

    def small(self) -> float:
        return SCRIPT * self.argument()

    def root(self) -> float:
        return self.argument() + 1.4

    def cases(self) -> float:
        self.at += 1
        widest = 0.0
        while self.at < len(self.tokens) and self.tokens[self.at - 1] != ")":
            widest = max(widest, self.row(",", ")"))
        return widest + 1.5

    def grid(self) -> float:
        """As wide as the widest row; a column's width stands for that of all."""
        self.row(",")
        widest, columns, most = 0.0, 0, 1
        while self.at < len(self.tokens) and self.tokens[self.at - 1] != ")":
            widest = max(widest, self.row(",", ";", ")"))
            columns += 1
            most = max(most, columns)
            columns = columns if self.tokens[self.at - 1] == "," else 0
        return most * (widest + 1.5) + 1.0

    def coloured(self) -> float:
        """What follows the colour, which is the first argument."""
        self.at += 1
        self.row(",")
        return self.row(")")


_ITEMS: Mapping[str, Callable[[TypstMeasure], float]] = {
    "(": TypstMeasure.brackets,
    "frac": TypstMeasure.fraction,
    "inline": TypstMeasure.small,
    "sqrt": TypstMeasure.root,
    "abs": TypstMeasure.bars,
    "norm": TypstMeasure.bars,
    "floor": TypstMeasure.bars,
    "bold": TypstMeasure.bold,
    "cases": TypstMeasure.cases,
    "mat": TypstMeasure.grid,
    "text": TypstMeasure.coloured,
    **dict.fromkeys(["lr", "hat", "tilde", "macron", "upright", "sans"], TypstMeasure.argument),
}


@lru_cache(8192)
def width(text: str) -> int:
    """The rough width in characters as set on paper."""
    return round(TypstMeasure(_TOKEN.findall(text)).row())


TYPST = Marks(
    width,
    _TOKEN,
    frozenset("("),
    frozenset(")"),
    (frozenset((r"\(", r"\[")), frozenset((r"\)", r"\]"))),
    " thin ",
    lambda _: "⋅ ",
)
