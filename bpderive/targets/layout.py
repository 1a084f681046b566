"""Python expressions as trees, printed with the fewest parentheses and in lines of 88 columns.

In: trees of `Text`, `Chain`, `Invoke` …. Out: text, laid out as `ruff format` leaves it; an
expression too long for its line goes into parentheses that begin with a comment, which keeps them
there. Must not know: NumPy, networks.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

WIDTH = 88
COMPARE, AND, ADD, MULTIPLY, SIGN, POWER, ATOM = range(7)


@dataclass(frozen=True, eq=False, repr=False)
class Code(ABC):
    """An expression; `level` tells how tightly it binds."""

    @property
    def level(self) -> int:
        """One of COMPARE to ATOM."""
        return ATOM

    @cached_property
    @abstractmethod
    def flat(self) -> str:
        """The expression on one line."""

    @abstractmethod
    def broken(self, indent: int, column: int, tail: int) -> str:
        """The expression from a column on, on several lines; `tail` columns follow the last."""

    def lines(self, indent: int, column: int, tail: int = 0) -> str:
        """The expression on one line where it fits, else on several."""
        fits = column + len(self.flat) + tail <= WIDTH
        return self.flat if fits else self.broken(indent, column, tail)

    def block(self, indent: int) -> str:
        """A line break, the expression four columns further in, and a line break."""
        inner = indent + 4
        return f"\n{' ' * inner}{self.lines(inner, inner)}\n{' ' * indent}"


@dataclass(frozen=True, eq=False, repr=False)
class Text(Code):
    """A name, a number, or anything else that is never broken."""

    text: str

    @cached_property
    def flat(self) -> str:
        return self.text

    def broken(self, indent: int, column: int, tail: int) -> str:
        return self.text


@dataclass(frozen=True, eq=False, repr=False)
class Brackets(Code):
    """An expression in parentheses."""

    inner: Code

    @cached_property
    def flat(self) -> str:
        return f"({self.inner.flat})"

    def broken(self, indent: int, column: int, tail: int) -> str:
        return f"({self.inner.block(indent)})"


@dataclass(frozen=True, eq=False, repr=False)
class Chain(Code):
    """`first op operand op operand …`, all the operators of one level."""

    binds: int
    first: Code
    rest: tuple[tuple[str, Code], ...]

    @property
    def level(self) -> int:
        return self.binds

    @cached_property
    def flat(self) -> str:
        tight = self.binds == POWER and _simple(self.first) and _simple(self.rest[0][1])
        space = "" if tight else " "
        return self.first.flat + "".join(f"{space}{op}{space}{part.flat}" for op, part in self.rest)

    def broken(self, indent: int, column: int, tail: int) -> str:
        text = self.first.lines(indent, column)
        for k, (op, part) in enumerate(self.rest, 1):
            room = tail if k == len(self.rest) else 0
            start = indent + len(op) + 1
            text += f"\n{' ' * indent}{op} {part.lines(indent, start, room)}"
        return text


@dataclass(frozen=True, eq=False, repr=False)
class Minus(Code):
    """`-operand`."""

    operand: Code

    @property
    def level(self) -> int:
        return SIGN

    @cached_property
    def flat(self) -> str:
        return f"-{self.operand.flat}"

    def broken(self, indent: int, column: int, tail: int) -> str:
        return f"-{self.operand.lines(indent, column + 1, tail)}"


@dataclass(frozen=True, eq=False, repr=False)
class Invoke(Code):
    """`function(argument, …)`."""

    function: str
    args: tuple[Code, ...]

    @cached_property
    def flat(self) -> str:
        return f"{self.function}({', '.join(arg.flat for arg in self.args)})"

    def broken(self, indent: int, column: int, tail: int) -> str:
        """All arguments on the next line, or each on its own."""
        margin, together = " " * (indent + 4), ", ".join(arg.flat for arg in self.args)
        if len(self.args) == 1:
            return f"{self.function}({self.args[0].block(indent)})"
        if len(margin + together) <= WIDTH:
            return f"{self.function}(\n{margin}{together}\n{' ' * indent})"
        args = (arg.lines(indent + 4, indent + 4, 1) for arg in self.args)
        inner = "".join(f"\n{margin}{arg}," for arg in args)
        return f"{self.function}({inner}\n{' ' * indent})"


@dataclass(frozen=True, eq=False, repr=False)
class Member(Code):
    """`owner.member`, such as `.T`, or with arguments: `owner.member(argument)`."""

    owner: Code
    member: str
    argument: str | None = None

    @cached_property
    def flat(self) -> str:
        return self.owner.flat + self.end

    @property
    def end(self) -> str:
        """What follows the owner."""
        return f".{self.member}" + ("" if self.argument is None else f"({self.argument})")

    def broken(self, indent: int, column: int, tail: int) -> str:
        """The argument on a line of its own where that is enough, else the owner broken."""
        head = f"{self.owner.flat}.{self.member}("
        if self.argument is None or column + len(head) > WIDTH:
            return self.owner.lines(indent, column, tail + len(self.end)) + self.end
        margin = " " * indent
        return f"{head}\n{margin}    {self.argument}\n{margin})"


def chain(level: int, first: Code, *rest: tuple[str, Code]) -> Code:
    """A chain with the parentheses that it needs; `first` itself where nothing follows.

    A chain that comes first goes on: `a + b` and `+ c` are one chain.
    """
    if not rest:
        return first
    if isinstance(first, Chain) and first.binds == level and level in (ADD, MULTIPLY):
        rest = (*first.rest, *rest)
        first = first.first
    head = bracketed(first, level + (level in (COMPARE, POWER)))
    return Chain(level, head, tuple((op, bracketed(part, level + 1)) for op, part in rest))


def bracketed(code: Code, level: int) -> Code:
    """The expression, in parentheses where it binds less tightly than `level`."""
    return code if code.level >= level else Brackets(code)


def minus(code: Code) -> Code:
    """`-code`; a product takes the sign at its first factor, and a power stands in brackets."""
    if isinstance(code, Chain) and code.binds == MULTIPLY:
        return Chain(MULTIPLY, minus(code.first), code.rest)
    return Minus(bracketed(code, ATOM))


def _simple(code: Code) -> bool:
    """Whether `**` has no spaces beside it: at names and numbers."""
    operand = code.operand if isinstance(code, Minus) else code
    return isinstance(operand, Text) and operand.text.replace(".", "").isalnum()


def statement(head: str, code: Code, comment: str, indent: int = 4, *, bare: bool = False) -> str:
    """`head code  # comment`; in parentheses after the comment where one line is too short.

    Args:
        head: `name =` or `return`.
        code: the expression.
        comment: what the comment says.
        indent: the columns before the statement.
        bare: whether one line goes without the comment.
    """
    margin = " " * indent
    line = f"{margin}{head} {code.flat}" + ("" if bare else f"  # {comment}")
    return line if len(line) <= WIDTH else f"{margin}{head} (  # {comment}{code.block(indent)})"


def collection(
    head: str, items: Iterable[str], tail: str = "", brackets: str = "", indent: int = 4
) -> str:
    """`head(item, item)tail` on one line, or one item a line; no brackets means: at need only."""
    items, margin = tuple(items), " " * indent
    line = f"{margin}{head}{brackets[:1]}{', '.join(items)}{brackets[1:]}{tail}"
    if len(line) <= WIDTH:
        return line
    brackets = brackets or "()"
    inner = "".join(f"\n{margin}    {item}," for item in items)
    return f"{margin}{head}{brackets[0]}{inner}\n{margin}{brackets[1]}{tail}"


def run_lengths(head: str, items: Iterable[str]) -> str:
    """`head(2, *(4,) * 1000, 1)`: a tuple whose long runs of equal items are told in short."""
    parts: list[str] = []
    for item, run in groupby(items):
        count = len(list(run))
        parts += [f"*({item},) * {count}"] if count > 4 else [item] * count
    if len(parts) == 1:  # a tuple of one run needs its comma
        return f"{head}({parts[0]},)"
    return collection(head, parts, "", "()", indent=0)
