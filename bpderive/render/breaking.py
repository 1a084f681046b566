"""How wide printed mathematics is, and where a textbook breaks it.

In: text in LaTeX or in Unicode, told apart by its backslashes and braces. Out: a width in
characters, lines. Must not know: SymPy, what anything means.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)
_ARGUMENTS = r"\mathrm \mathsf \mathit \hat \tilde \bar \text"
_SKIPPED = frozenset([r"\displaystyle", r"\!", " ", "\n"])
_SIGNS = r"+ - = < > \le \ge \ne \odot \oslash \cdot \times \to \leftarrow"
_BRACKETS = r"( ) [ ] | , \lbrack \rbrack \lvert \rvert"
_NAMED = r"\log \ln \exp \tanh \sin \cos \sinh \cosh \max \min"
_WIDE: Mapping[str, float] = {
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
_SCRIPT = 0.75
"""The size of scripts against that of the text."""


@lru_cache(8192)
def width(text: str) -> int:
    """The rough width in characters as set on paper; of Unicode, the number of characters."""
    if "\\" not in text and "{" not in text:
        return len(text)
    return round(_Measure(_TOKEN.findall(text)).row())


class _Measure:
    """Reads tokens of LaTeX from the first to the last and adds their widths up."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.at = 0

    def row(self, end: str = "") -> float:
        """Everything up to the closing token; of several lines, the widest."""
        widest = total = 0.0
        while self.at < len(self.tokens) and self.tokens[self.at] != end:
            if self.tokens[self.at] == r"\\":
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
            scripts = max(scripts, _SCRIPT * self.item())
        return max(size, scripts) if sign == r"\sum" else size + scripts

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def item(self) -> float:
        token = self.peek()
        self.at += 1
        known = _ITEMS.get(token)
        if known is not None:
            return known(self)
        if token in _SKIPPED or token == r"\\":
            return 0.0
        return _WIDE.get(token, 1.0)

    def group(self) -> float:
        return self.row("}")

    def argument(self) -> float:
        return self.item()

    def bold(self) -> float:
        return 1.3 * self.item()

    def fraction(self) -> float:
        return max(self.item(), self.item()) + 1.0

    def small_fraction(self) -> float:
        return _SCRIPT * self.fraction()

    def root(self) -> float:
        return self.item() + 1.4

    def environment(self) -> float:
        self.item()
        return 1.5


_ITEMS: Mapping[str, Callable[[_Measure], float]] = {
    "{": _Measure.group,
    r"\frac": _Measure.fraction,
    r"\tfrac": _Measure.small_fraction,
    r"\sqrt": _Measure.root,
    r"\mathbf": _Measure.bold,
    r"\boldsymbol": _Measure.bold,
    r"\begin": _Measure.environment,
    r"\end": _Measure.environment,
    r"\sum": lambda _: 3.2,
    **dict.fromkeys(_ARGUMENTS.split(), _Measure.argument),
}


def break_lines(terms: Sequence[str], limit: int) -> list[str]:
    """Terms packed into lines; a term that is too long alone breaks inside, at its factors.

    Args:
        terms: with their signs, as `Printer.terms` gives them.
        limit: the width of a line, in characters.
    """
    lines: list[str] = []
    for term in terms:
        whole = f"{lines[-1]} {term}" if lines else term
        if lines and width(whole) <= limit:
            lines[-1] = whole
        else:
            lines.extend(_split(term, limit))
    return lines


def _split(text: str, limit: int) -> list[str]:
    """The text in lines, broken at the outermost places that there are."""
    if width(text) <= limit:
        return [text]
    points = list(_points(text))
    if not points:
        return [text]
    outermost = min(rank for rank, _, _ in points)
    gaps = [(0, 0), *((start, end) for rank, start, end in points if rank == outermost)]
    ends = [*(start for start, _ in gaps[1:]), len(text)]
    chunks = [
        (text[start:end], text[end:stop]) for (start, end), stop in zip(gaps, ends, strict=True)
    ]
    return [line for packed in _packed(chunks, limit) for line in _split(packed, limit)]


def _packed(chunks: list[tuple[str, str]], limit: int) -> Iterator[str]:
    """Chunks, each with what stands before it on the same line, joined while they fit."""
    line = chunks[0][1]
    for gap, chunk in chunks[1:]:
        if width(line + gap + chunk) <= limit:
            line += gap + chunk
        else:
            yield line
            sign = "" if chunk[0] in "+-−·" else _TIMES["\\" in chunk or "{" in chunk]
            line = sign + chunk
    yield line


_TIMES = ("· ", r"\cdot ")
_OPEN = frozenset(("{", r"\left", r"\begin"))
_CLOSE = frozenset(("}", r"\right", r"\end"))
_PLUS = ("+ ", "- ", "− ")
_RELATIONS = frozenset("−=<>≤≥·⊙")
_PREFIXES = ("Σ", r"\sum", r"\log")


def _points(text: str) -> Iterator[tuple[int, int, int]]:
    """Where it may break: its rank (outer first, terms before factors), the gap's start and end."""
    hard = soft = 0
    for match in _TOKEN.finditer(text):
        token, start, end = match.group(), match.start(), match.end()
        hard += (token in _OPEN) - (token in _CLOSE)
        soft += (token in "([") - (token in ")]")
        if hard or token not in (" ", r"\,"):
            continue
        if token == " " and text.startswith(_PLUS, end):
            yield 2 * soft, start, end
        elif token == r"\," or _ends_factor(text, start):
            yield 2 * soft + 1, start, end


def _ends_factor(text: str, at: int) -> bool:
    """Whether the space at this place stands between two factors."""
    before = text[:at].rpartition(" ")[2]
    return before not in _WIDE and before not in _RELATIONS and not before.startswith(_PREFIXES)
