"""A function of the generated module while it is written: what it knows, and its lines so far.

In: the shapes of all tensors. Out: names, lines, helpers in use. Must not know: how an equation
becomes an expression.
"""

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sympy import Expr, Symbol

from bpderive.targets.layout import WIDTH, Code, statement

TAKEN = {"np", "params", "grads", "range", "len", "float", "int", "tuple", "dict", "Array", "dtype"}
WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*")


def words(text: str) -> set[str]:
    """The names in a piece of code, comments aside."""
    return set(WORD.findall("\n".join(row.partition("#")[0] for row in text.split("\n"))))


@dataclass(frozen=True)
class Shape:
    """A tensor's axes: their sizes, and how many samples; `time` says which axis lies first."""

    sizes: tuple[Expr, ...]
    tokens: bool = False


@dataclass
class Block:
    """The lines of a function; `letters` name the axes of a tensor in comments."""

    shapes: Mapping[str, Shape]
    names: dict[str, str]
    helpers: set[str]
    lines: list[str] = field(default_factory=list)
    indent: int = 4
    views: dict[tuple[object, ...], tuple[str, tuple[int, ...]]] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    step: "Step | None" = None
    where: Mapping[str, tuple[str, int, int]] = field(default_factory=dict)
    numbers: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    steps: dict[str, int] = field(default_factory=dict)
    """The axis that lies first in memory, of tensors that loops write."""

    def part(self, label: str) -> str:
        """A tensor's name, or its part of those that it lies beside."""
        if label not in self.where:
            return self.name(label)
        whole, place, turn = self.where[label]
        return f"{self.name(whole)}[{', '.join([*[':'] * place, str(turn)])}]"

    def number(self, label: str, number: int) -> str:
        """The number of the equation, or of all that a line computes."""
        return f"({', '.join(map(str, self.numbers.get(label, (number,))))})"

    def name(self, label: str) -> str:
        """A tensor's name in Python."""
        return self.names.setdefault(label, self.fresh(label))

    def fresh(self, wanted: str) -> str:
        """A name that nothing has yet."""
        name = wanted
        while name in self.taken or name in TAKEN or keyword.iskeyword(name):
            name += "_"
        self.taken.add(name)
        return name

    def assign(self, name: str, code: Code, comment: str, sign: str = "=") -> None:
        """A line `name = code  # comment`."""
        self.lines.append(statement(f"{name} {sign}", code, comment, self.indent))

    def plain(self, name: str, code: Code) -> None:
        """A line without comment."""
        head = f"{' ' * self.indent}{name} = "
        self.lines.append(head + code.lines(self.indent, len(head)))

    def choice(self, name: str, first: str, test: str, last: str) -> None:
        """A line `name = first if test else last`."""
        margin = " " * self.indent
        line = f"{margin}{name} = {first} if {test} else {last}"
        if len(line) > WIDTH:
            inner = f"{margin}    {first} if {test} else {last}"
            if len(inner) > WIDTH:
                inner = f"\n{margin}    ".join(
                    (f"{margin}    {first}", f"if {test}", f"else {last}")
                )
            line = f"{margin}{name} = (\n{inner}\n{margin})"
        self.lines.append(line)

    def raw(self, text: str) -> None:
        """A line as it is."""
        self.lines.append(" " * self.indent + text)


@dataclass(frozen=True)
class Step:
    """Inside a loop: the index of the axis it goes along, and what is computed in it."""

    index: Symbol
    variable: str
    inside: frozenset[str]
    upward: bool
    shifted: Mapping[tuple[str, int, int], str] = field(default_factory=dict)
