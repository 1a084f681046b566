"""How wide printed mathematics is, and where a textbook breaks it.

In: text in LaTeX or in Unicode, told apart by its backslashes and braces; in any other format,
with that format's `Marks`. Out: a width in characters, lines. Must not know: SymPy, what anything
means.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)
_ARGUMENTS = r"\mathrm \mathsf \mathit \hat \tilde \bar \text"
_SKIPPED = frozenset([r"\displaystyle", r"\!", " ", "\n"])
_SIGNS = r"+ - = < > \le \ge \ne \approx \odot \oslash \cdot \times \to \leftarrow"
_BRACKETS = r"( ) [ ] | , \lbrack \rbrack \lfloor \rfloor \lvert \rvert"
_NAMED = r"\log \ln \exp \tanh \sin \cos \sinh \cosh \max \min \arg"
WIDE: Mapping[str, float] = {
    **dict.fromkeys(_SIGNS.split(), 2.5),
    **dict.fromkeys(_BRACKETS.split(), 0.8),
    **dict.fromkeys("wmABCDEFGHJKLMNOPQRSTUVWXYZ", 1.4),
    **{name: len(name) - 1.0 for name in _NAMED.split()},
    **dict.fromkeys(("'", ".", r"\prime"), 0.5),
    r"\Delta": 1.6,
    "&": 2.0,
    r"\left": 0.7,
    r"\right": 0.7,
    r"\,": 0.3,
    r"\;": 0.5,
    r"\quad": 1.8,
    r"\qquad": 3.6,
    r"\{": 0.9,
    r"\}": 0.9,
    r"\ldots": 2.0,
}
SCRIPT = 0.75
"""The size of scripts against that of the text."""
SUMS = frozenset((r"\sum", "sum"))


@lru_cache(8192)
def width(text: str) -> int:
    """The rough width in characters as set on paper; of Unicode, the number of characters."""
    if "\\" not in text and "{" not in text:
        return len(text)
    return round(Measure(_TOKEN.findall(text)).row())


class Measure:
    """Reads tokens of LaTeX from the first to the last and adds their widths up."""

    newline: ClassVar[str] = r"\\"
    wide: ClassVar[Mapping[str, float]] = WIDE

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.at = 0

    def row(self, *ends: str) -> float:
        """Everything up to a closing token; of several lines, the widest."""
        widest = total = 0.0
        while self.at < len(self.tokens) and self.tokens[self.at] not in ends:
            if self.tokens[self.at] == self.newline:
                widest, total = max(widest, total), -self.item()
            total += self.scripted()
        self.at += 1
        return max(widest, total)

    def scripted(self) -> float:
        """One item with its sub- and superscript, which stand one over the other."""
        sign = self.peek()
        size, scripts = self.item(), 0.0
        while self.peek() in ("^", "_"):
            self.at += 1
            scripts = max(scripts, SCRIPT * self.script())
        return max(size, scripts) if sign in SUMS else size + scripts

    def script(self) -> float:
        """What is raised or lowered."""
        return self.item()

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def item(self) -> float:
        token = self.peek()
        self.at += 1
        known = self.known(token)
        if known is not None:
            return known(self)
        if token in _SKIPPED or token == self.newline:
            return 0.0
        return self.wide.get(token, 1.0)

    def known(self, token: str) -> Callable[[Any], float] | None:
        """How to measure what begins with this token; None for a single sign."""
        return _ITEMS.get(token)

    def group(self) -> float:
        return self.row("}")

    def argument(self) -> float:
        return self.item()

    def bold(self) -> float:
        return 1.3 * self.item()

    def coloured(self) -> float:
        """What follows the colour's name."""
        self.item()
        return self.item()

    def fraction(self) -> float:
        return max(self.item(), self.item()) + 1.0

    def small_fraction(self) -> float:
        return SCRIPT * self.fraction()

    def root(self) -> float:
        return self.item() + 1.4

    def environment(self) -> float:
        self.item()
        return 1.5


_ITEMS: Mapping[str, Callable[[Measure], float]] = {
    "{": Measure.group,
    r"\frac": Measure.fraction,
    r"\tfrac": Measure.small_fraction,
    r"\sqrt": Measure.root,
    r"\textcolor": Measure.coloured,
    r"\mathbf": Measure.bold,
    r"\boldsymbol": Measure.bold,
    r"\begin": Measure.environment,
    r"\end": Measure.environment,
    r"\sum": lambda _: 3.2,
    **dict.fromkeys(_ARGUMENTS.split(), Measure.argument),
}


@dataclass(frozen=True)
class Marks:
    """How a format's text is read: its tokens, what holds parts together, what joins factors.

    `opens` and `closes` stand around what is never broken, `soft` around what is broken last;
    `gap` stands between two factors, `times` at the start of a line that begins with a factor.
    """

    width: Callable[[str], int]
    token: re.Pattern[str]
    opens: frozenset[str]
    closes: frozenset[str]
    soft: tuple[frozenset[str], frozenset[str]]
    gap: str
    times: Callable[[str], str]


_PLUS = ("+ ", "- ", "− ")
_RELATIONS = frozenset("−=<>≤≥·⋅⊙⊘×→←≈")
_PREFIXES = ("Σ", r"\sum", r"\log", "sum", "log")

PLAIN = Marks(
    width,
    _TOKEN,
    frozenset(("{", r"\left", r"\begin", r"\lvert", r"\lVert")),
    frozenset(("}", r"\right", r"\end", r"\rvert", r"\rVert")),
    (frozenset("(["), frozenset(")]")),
    r"\,",
    lambda chunk: r"\cdot " if "\\" in chunk or "{" in chunk else "· ",
)
"""LaTeX, and Unicode, which has no braces."""


def break_lines(terms: Sequence[str], limit: int, marks: Marks = PLAIN) -> list[str]:
    """Terms packed into lines; a term that is too long alone breaks inside, at its factors.

    Args:
        terms: with their signs, as `Printer.terms` gives them.
        limit: the width of a line, in characters.
        marks: those of the format.
    """
    lines: list[str] = []
    for term in terms:
        whole = f"{lines[-1]} {term}" if lines else term
        if lines and marks.width(whole) <= limit:
            lines[-1] = whole
        else:
            lines.extend(_split(term, limit, marks))
    return lines


def chunks(text: str, marks: Marks = PLAIN) -> list[str]:
    """The text cut at the outermost places where it may be broken, for what breaks lines itself."""
    points = list(_points(text, marks))
    outermost = min((rank for rank, _, _ in points), default=0)
    gaps = [(start, end) for rank, start, end in points if rank == outermost]
    starts, ends = [0, *(end for _, end in gaps)], [*(start for start, _ in gaps), len(text)]
    return [text[start:end] for start, end in zip(starts, ends, strict=True)]


def _split(text: str, limit: int, marks: Marks) -> list[str]:
    """The text in lines, broken at the outermost places that there are."""
    if marks.width(text) <= limit:
        return [text]
    points = list(_points(text, marks))
    if not points:
        return [text]
    outermost = min(rank for rank, _, _ in points)
    gaps = [(0, 0), *((start, end) for rank, start, end in points if rank == outermost)]
    ends = [*(start for start, _ in gaps[1:]), len(text)]
    chunks = [
        (text[start:end], text[end:stop]) for (start, end), stop in zip(gaps, ends, strict=True)
    ]
    packed = _packed(chunks, limit, marks)
    return [line for part in packed for line in _split(part, limit, marks)]


def _packed(chunks: list[tuple[str, str]], limit: int, marks: Marks) -> Iterator[str]:
    """Chunks, each with what stands before it on the same line, joined while they fit."""
    line = chunks[0][1]
    for gap, chunk in chunks[1:]:
        if marks.width(line + gap + chunk) <= limit:
            line += gap + chunk
        else:
            yield line
            times = marks.times(chunk)
            signed = chunk[0] in "+-−" or chunk.startswith(times.strip())
            line = chunk if signed else times + chunk
    yield line


def _points(text: str, marks: Marks) -> Iterator[tuple[int, int, int]]:
    """Where it may break: its rank (outer first, terms before factors), the gap's start and end."""
    hard = soft = 0
    for match in marks.token.finditer(text):
        token, start, end = match.group(), match.start(), match.end()
        hard += (token in marks.opens) - (token in marks.closes)
        soft += (token in marks.soft[0]) - (token in marks.soft[1])
        if hard or token not in (" ", marks.gap):
            continue
        if token == " " and text.startswith(_PLUS, end):
            yield 2 * soft, start, end
        elif token == marks.gap or _ends_factor(text, start):
            yield 2 * soft + 1, start, end


def _ends_factor(text: str, at: int) -> bool:
    """Whether the space at this place stands between two factors."""
    before = text[:at].rpartition(" ")[2]
    return before not in WIDE and before not in _RELATIONS and not before.startswith(_PREFIXES)
