"""From the text of a formula to a bounded tree, and how its errors are told.

In: a text and the names that may stand in it. Out: a tree of Python's `ast`, never executed; or a
`SpecError` with a column. Must not know SymPy's expressions.
"""

import ast
import re
import warnings
from dataclasses import dataclass

from bpderive.errors import SpecError, quoted
from bpderive.formula.limits import MAX_DEPTH, MAX_LENGTH, MAX_NODES

_STRANGE = re.compile(r"[^A-Za-z0-9_+\-*/().,<>= ]")
SPACE = str.maketrans("\t\r\n", "   ")


@dataclass(frozen=True)
class Source:
    """The text of a formula (stripped), the names it may hold, and what is accepted in words."""

    text: str
    names: tuple[str, ...]
    accepted: str

    def error(self, column: int, message: str, accepted: str = "") -> SpecError:
        where = f"formula {quoted(self.text, 60)}, column {column}"
        return SpecError.single(message, where, accepted or self.accepted)

    def at(self, node: ast.expr, message: str, accepted: str = "") -> SpecError:
        return self.error(node.col_offset + 1, message, accepted)

    def stranger(self, node: ast.expr, accepted: str = "") -> SpecError:
        text = quoted(self.text[node.col_offset : node.end_col_offset])
        return self.at(node, f"{text} does not belong in a formula", accepted)

    @property
    def tree(self) -> ast.expr:
        """The bounded tree.

        Raises:
            SpecError: there is none.
        """
        _check_text(self)
        tree = _tree(self)
        _check_size(tree, self)
        return tree


def _check_text(source: Source) -> None:
    text = source.text
    if not text:
        raise source.error(1, "the formula is empty")
    if len(text) > MAX_LENGTH:
        short = f"at most {MAX_LENGTH} characters"
        raise source.error(MAX_LENGTH + 1, f"the formula has {len(text)} characters", short)
    strange = _STRANGE.search(text)
    if strange is not None:
        hint = " (a power is written **)" if strange.group() == "^" else ""
        column = strange.start() + 1
        raise source.error(column, f"unexpected character {strange.group()!a}{hint}")


def _tree(source: Source) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source.text, mode="eval").body
    except SyntaxError as error:
        raise source.error(error.offset or 1, f"not a formula: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError):
        raise source.error(1, "not a formula, or too deeply nested") from None


def _check_size(tree: ast.expr, source: Source) -> None:
    level, count, depth = [tree], 0, 0
    while level:
        count, depth = count + len(level), depth + 1
        if count > MAX_NODES or depth > MAX_DEPTH:
            limit = f"at most {MAX_NODES} numbers, names and operations, {MAX_DEPTH} deep"
            raise source.at(level[0], "the formula is too large or too deeply nested", limit)
        level = [c for n in level for c in ast.iter_child_nodes(n) if isinstance(c, ast.expr)]
