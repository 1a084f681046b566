"""The form of C text: statements in lines of 100 columns, loops, comments, identifiers.

In: pieces of text, some of them the user's own words. Out: lines that are C whatever those words
were. Must not know: networks, expressions.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from textwrap import fill

WIDTH = 100
BREAKS = tuple(map(re.compile, (r" (?=[-+?:] )", r" (?=[*/<>] )", r"(?<=,) ")))
"""Where a line may break; where it may too if that is not enough; and at last."""


@dataclass(frozen=True)
class Statement:
    """`head code;` with the number of its equation, if it has one."""

    text: str
    number: int | None = None

    def lines(self, indent: int) -> Iterator[str]:
        """One line where that is enough; else the comment goes first, and the rest follows."""
        margin, mark = " " * indent, "" if self.number is None else f" /* ({self.number}) */"
        line = f"{margin}{self.text};{mark}"
        if len(line) <= WIDTH:
            yield line
            return
        head, equals, code = self.text.partition("= ")
        if equals:
            yield f"{margin}{head}={mark}"
            yield from filled(f"{code};", indent + 4)
            return
        if mark:
            yield margin + mark.strip()
        yield from filled(f"{self.text};", indent)


def filled(code: str, indent: int) -> Iterator[str]:
    """An expression in as many lines as it takes; those that follow stand four columns in."""
    line, margin = "", " " * indent
    for piece in _pieces(code, WIDTH - indent - 4):
        if line and len(line) + 1 + len(piece) > WIDTH:
            yield line
            line, margin = "", " " * (indent + 4)
        line = f"{line} {piece}" if line else margin + piece
    yield line


def _pieces(code: str, most: int, breaks: tuple[re.Pattern[str], ...] = BREAKS) -> Iterator[str]:
    """What stays together."""
    if not breaks or len(code) <= most:
        yield code
        return
    first, *rest = breaks
    for piece in first.split(code):
        yield from _pieces(piece, most, tuple(rest))


def block(size: int, statements: Iterable[Statement], indent: int = 4) -> Iterator[str]:
    """The statements for each index `i` below a size; no loop where there is one index."""
    inner = indent + 4 * (size != 1)
    body = [line for statement in statements for line in statement.lines(inner)]
    if size == 1 or not body:
        yield from body
        return
    braces = len(body) > 1
    yield f"{' ' * indent}for (size_t i = 0; i < {size}; i++){' {' * braces}"
    yield from body
    if braces:
        yield f"{' ' * indent}}}"


def prose(text: str) -> str:
    """Words for a comment: printable ASCII, that neither ends it nor makes a trigraph."""
    plain = re.sub(r"[^ -~\n]", "_", text)
    for mark in ("*/", "/*", "??"):
        while mark in plain:
            plain = plain.replace(mark, f"{mark[0]} {mark[1]}")
    return plain.replace("\\", "/ ")


def remark(text: str) -> str:
    """Paragraphs as the inner lines of a comment."""
    lines = (
        fill(paragraph, WIDTH, initial_indent=" * ", subsequent_indent=" * ") if paragraph else " *"
        for paragraph in prose(text).split("\n")
    )
    return "\n".join(lines)


def identifier(text: str) -> str:
    """Words as a C identifier; it may begin with a digit."""
    return re.sub(r"[^A-Za-z0-9_]", "_", text)
