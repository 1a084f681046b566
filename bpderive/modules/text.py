"""From the text of a file of equations to its statements, and how its errors are told.

In: a text. Out: `Statement`s with their place. Must not know: what tensors are, SymPy.
"""

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from bpderive.errors import SpecError, quoted

MAX_BYTES = 100_000
MAX_STATEMENTS = 300
MAX_NODES = 600
MAX_DEPTH = 40
LIMIT = f"at most {MAX_NODES} names, numbers and signs, {MAX_DEPTH} brackets deep"
KEYWORDS = ("input", "param", "data", "index", "size", "number", "eliminate", "output")
STRANGE = re.compile(r"[^A-Za-z0-9_+\-*/().,<>=\[\]%:? \t]")
STAR = re.compile(r"\[\s*\*(?=\s*[,\]])")
HINTS = {
    "^": " (a power is written **)",
    "²": " (a square is written **2)",
    "!": " (there is [i == j] and [i <= j])",
    ";": " (one statement a line)",
}
SIGNS = "English letters, digits, + - * / ** % = < > ( ) [ ] , . : ? # and _"
LEADING = "_"
"""What `*` becomes in a tensor's brackets: one sign too, so that columns stay."""


@dataclass(frozen=True)
class Statement:
    """One statement: its keyword (empty for an equation), its text after that, and its place."""

    keyword: str
    text: str
    where: str
    line: int
    column: int

    def error(self, column: int, message: str, accepted: str = "") -> SpecError:
        """An error at a column of the statement's text, counted from 0."""
        line, last = self.line, 0
        for match in re.finditer("\n", self.text[:column]):
            line, last = line + 1, match.end()
        shown = column - last + (self.column if line == self.line else 1)
        return SpecError.single(message, f"{self.where}, line {line}, column {shown}", accepted)

    def at(self, node: ast.AST, message: str, accepted: str = "") -> SpecError:
        """An error at a node of its tree."""
        return self.error(node.col_offset, message, accepted)  # type: ignore[attr-defined]

    def tree(self, text: str, offset: int) -> ast.expr:
        """The bounded tree of a part of the text, its columns those of the whole.

        Raises:
            SpecError: it is no expression.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)
                found = ast.parse(f"({_one_line(text)}\n)", mode="eval").body
        except SyntaxError as error:
            column = min(max((error.offset or 1) - 2, 0), len(text))
            raise self.error(
                offset + column, f"this is no expression: {quoted(text.strip())}"
            ) from None
        except (RecursionError, MemoryError, ValueError):
            raise self.error(
                offset, "the expression is too long or too deeply nested", LIMIT
            ) from None
        nodes = list(ast.walk(found))
        if len(nodes) > MAX_NODES or _deeper(found, MAX_DEPTH):
            raise self.error(offset, "the expression is too long or too deeply nested", LIMIT)
        for node in nodes:
            if hasattr(node, "col_offset"):
                node.col_offset += offset - 1
        return found


def _one_line(text: str) -> str:
    return text.replace("\n", " ")


def _deeper(node: ast.AST, depth: int) -> bool:
    return depth == 0 or any(_deeper(child, depth - 1) for child in ast.iter_child_nodes(node))


def statements(text: str, where: str) -> tuple[str, tuple[Statement, ...]]:
    """The title (the first comment) and the statements of a file.

    Raises:
        SpecError: it holds what does not belong there, or no statement.
    """
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise SpecError.single("the file is too large", where, f"at most {MAX_BYTES} bytes")
    found = tuple(_statements(text.replace("\r\n", "\n").replace("\r", "\n"), where))
    if not found:
        raise SpecError.single("there is no equation", where, "such as output y[n,i] = x[n,i]")
    if len(found) > MAX_STATEMENTS:
        raise SpecError.single(
            "the file is too long", where, f"at most {MAX_STATEMENTS} statements"
        )
    title = re.search(r"^\s*#\s*(.*?)\s*$", text, re.MULTILINE)
    return (title.group(1) if title else ""), found


def _statements(text: str, where: str) -> Iterator[Statement]:
    waiting: list[str] = []
    first = 0
    for number, line in enumerate(text.split("\n"), 1):
        code = line.partition("#")[0].rstrip()
        if not code.strip() and not waiting:
            continue
        first = first if waiting else number
        waiting.append(code)
        joined = "\n".join(waiting)
        if _open(joined) > 0:
            continue
        waiting = []
        yield _statement(joined, where, first)
    if waiting:
        column = _first_open("\n".join(waiting))
        place = f"{where}, line {first}, column {column + 1}"
        raise SpecError.single("a bracket is never closed", place, "its partner, ) or ]")


def _open(text: str) -> int:
    return sum(text.count(sign) for sign in "([") - sum(text.count(sign) for sign in ")]")


def _first_open(text: str) -> int:
    """The place of the first bracket that nothing closes."""
    places: list[int] = []
    for place, sign in enumerate(text):
        if sign in "([":
            places.append(place)
        elif sign in ")]" and places:
            places.pop()
    return places[0] if places else 0


def _statement(text: str, where: str, line: int) -> Statement:
    strange = STRANGE.search(text.replace("\n", " "))
    body = text.lstrip()
    start = len(text) - len(body)
    word = re.match(r"[A-Za-z]+(?=[ \t])", body)
    keyword = word.group() if word and word.group() in KEYWORDS else ""
    rest = body[len(keyword) :]
    skipped = start + len(keyword) + len(rest) - len(rest.lstrip())
    statement = Statement(keyword, STAR.sub(_starred, rest.lstrip()), where, line, skipped + 1)
    if strange is not None:
        hint = HINTS.get(strange.group(), "")
        message = f"{quoted(strange.group())} does not belong here{hint}"
        raise statement.error(strange.start() - skipped, message, SIGNS)
    return statement


def _starred(match: re.Match[str]) -> str:
    return match.group().replace("*", LEADING)


def split(statement: Statement) -> Iterator[tuple[str, int]]:
    """The parts of a statement between commas that stand in no bracket, with their offsets."""
    depth, start = 0, 0
    for place, sign in enumerate(statement.text):
        depth += (sign in "([") - (sign in ")]")
        if sign == "," and depth == 0:
            yield statement.text[start:place], start
            start = place + 1
    yield statement.text[start:], start
