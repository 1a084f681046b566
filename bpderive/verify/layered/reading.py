"""Reads the text of a file of equations for the oracle: a reader apart from the one of modules.

In: the text, and how many axes a `*` stands for. Out: a `File`: declarations, and Python's syntax
trees of expressions, which nothing executes. Must not know: the engine; an import contract keeps it
apart.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

STAR = re.compile(r"\[\s*\*\s*(,?)\s*")
HEAD = re.compile(r"(input|param|data|index|size|number|eliminate|output)\s+(.*)", re.DOTALL)
DECLARING = ("input", "param", "data")
Axes = tuple[tuple[str, ...], ...]
"""The letters of each axis; several where one axis is read as several."""


@dataclass(frozen=True)
class Named:
    """A tensor: what it is, and the letters of its axes; `optional` with the option `bias`."""

    name: str
    role: str
    axes: Axes
    optional: bool = False


@dataclass(frozen=True)
class Defined:
    """An equation: what it defines, and the tree of its right-hand side."""

    name: str
    axes: Axes
    body: ast.expr


@dataclass
class File:
    """What a text says, in its order."""

    tensors: dict[str, Named] = field(default_factory=dict)
    equations: list[Defined] = field(default_factory=list)
    sizes: dict[str, ast.expr] = field(default_factory=dict)
    letters: dict[str, ast.expr] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    output: str = ""

    def of_role(self, role: str) -> list[Named]:
        """The tensors of one role."""
        return [tensor for tensor in self.tensors.values() if tensor.role == role]

    @property
    def entries(self) -> list[Named]:
        """What other layers, or the network's input, are put into: tokens are data."""
        return self.of_role("input") or self.of_role("data")[:1]


def stars(text: str) -> int:
    """How many axes the first entry has besides its `*`, counted below zero; none: -1.

    `input x[*,c]` has one.
    """
    for statement in _statements(text):
        match = HEAD.fullmatch(statement)
        if match and match[1] in DECLARING and STAR.search(match[2]):
            inner = match[2].split("[", 1)[1].split("]", 1)[0]
            return len(_items(inner)) - 1
    return -1


@lru_cache(maxsize=256)
def read(text: str, leading: int = 0) -> File:
    """What a text says, a `*` being so many axes.

    Raises:
        ValueError: a line is none that the language has.
        SyntaxError: an expression is none.
    """
    found = File()
    for statement in _statements(_unstarred(text, leading)):
        match = HEAD.fullmatch(statement)
        if match is None:
            _define(found, statement)
        else:
            STATEMENTS[match[1]](found, match[2])
    return found


def _unstarred(text: str, leading: int) -> str:
    letters = ",".join(f"lead{k}" for k in range(1, leading + 1))
    if leading:
        return STAR.sub(lambda match: f"[{letters}{match[1]}", text)
    return re.sub(r"\[\s*\*\s*\]", "", STAR.sub(lambda m: "[" if m[1] else m[0], text))


def _statements(text: str) -> Iterator[str]:
    """The statements; one whose brackets are open goes on in the next line."""
    waiting = ""
    for line in text.splitlines():
        waiting = f"{waiting} {line.split('#', 1)[0].strip()}".strip()
        if waiting and sum(map(waiting.count, "([")) == sum(map(waiting.count, ")]")):
            yield waiting
            waiting = ""
    if waiting:
        raise ValueError(f"a bracket is not closed: {waiting}")


def _items(text: str) -> list[str]:
    """What stands between commas outside of brackets."""
    found, depth = [""], 0
    for sign in text:
        depth += (sign in "([") - (sign in ")]")
        if sign == "," and not depth:
            found.append("")
        else:
            found[-1] += sign
    return [item.strip() for item in found]


def _tree(text: str) -> ast.expr:
    return ast.parse(text.strip(), mode="eval").body


def _quantity(text: str) -> tuple[str, Axes]:
    """`z[n,(g,o),i]` as a name and the letters of its axes."""
    tree = _tree(text)
    if isinstance(tree, ast.Name):
        return tree.id, ()
    if not isinstance(tree, ast.Subscript) or not isinstance(tree.value, ast.Name):
        raise ValueError(f"not a tensor: {text}")  # noqa: TRY004 - the text is at fault
    return tree.value.id, tuple(_letters(index) for index in indices_of(tree))


def indices_of(node: ast.Subscript) -> list[ast.expr]:
    """The indices; a parenthesis of several is one, also where it stands alone: `a[(c,t)]`."""
    found = node.slice
    if isinstance(found, ast.Tuple) and found.col_offset == found.elts[0].col_offset:
        return found.elts
    return [found]


def _letters(index: ast.expr) -> tuple[str, ...]:
    parts = index.elts if isinstance(index, ast.Tuple) else [index]
    if not all(isinstance(part, ast.Name) for part in parts):
        raise ValueError(f"not an index: {ast.unparse(index)}")
    return tuple(part.id for part in parts if isinstance(part, ast.Name))


def _define(found: File, text: str, *, output: bool = False) -> None:
    left, body = text.split("=", 1)
    name, axes = _quantity(left)
    found.tensors[name] = Named(name, "defined", axes)
    found.equations.append(Defined(name, axes, _tree(body)))
    if output:
        found.output = name


def _declare(role: str, found: File, text: str) -> None:
    for item in _items(text):
        name, axes = _quantity(item.rstrip("?"))
        found.tensors[name] = Named(name, role, axes, item.endswith("?"))


def _pairs(text: str, sign: str) -> Iterator[tuple[str, str]]:
    for item in _items(text) if text else ():
        name, value = item.split(sign, 1)
        yield name.strip(), value.strip()


def _sizes(found: File, text: str) -> None:
    """`I = T - 1` defines a size, `B` alone declares one that is given."""
    defined = ",".join(item for item in _items(text) if "=" in item)
    found.sizes.update((name, _tree(value)) for name, value in _pairs(defined, "="))


def _indices(found: File, text: str) -> None:
    found.letters.update((name, _tree(value)) for name, value in _pairs(text, ":"))


STATEMENTS: Mapping[str, Callable[[File, str], None]] = {
    "input": lambda found, text: _declare("input", found, text),
    "param": lambda found, text: _declare("param", found, text),
    "data": lambda found, text: _declare("data", found, text),
    "index": _indices,
    "size": _sizes,
    "number": lambda found, text: found.numbers.update(_pairs(text, "=")),
    "eliminate": lambda _found, _text: None,  # what is derived when does not change any value
    "output": lambda found, text: _define(found, text, output=True),
}
