"""Statements of loops as lines of Python, on lists of floats.

In: statements. Out: lines. Must not know: equations, the module around them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sympy import Expr

from bpderive.forms.arrays import Leaf, Node, Power
from bpderive.targets.layout import (
    COMPARE,
    MULTIPLY,
    Code,
    Text,
    bracketed,
    chain,
    collection,
    statement,
)
from bpderive.targets.loops.model import Assign, For, If, Let, Make, Scope, Statement
from bpderive.targets.loops.values import Values
from bpderive.targets.python.printer import ScalarPrinter, _product, decimal_parts
from bpderive.targets.spelling import Parts


@dataclass(frozen=True)
class LeafPrinter(ScalarPrinter):
    """Prints a tree whose leaves have texts; what is in `above_zero` is divided by without fear."""

    texts: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    above_zero: frozenset[str] = field(default=frozenset(), kw_only=True)

    def leaf(self, node: Leaf) -> Text:
        return Text(self.texts[node.label])

    def divided(self, parts: Parts) -> Code:
        """A plain quotient where what is below is known not to be 0."""
        if not parts.below or not all(map(self.safe, parts.below)):
            return super().divided(parts)
        numerator, denominator = decimal_parts(abs(parts.constant))
        above = numerator + [self.factor(part) for part in parts.above]
        below = [self.factor(part) for part in parts.below] + denominator
        return chain(MULTIPLY, _product(above or [Text("1.0")]), ("/", _product(below)))

    def safe(self, node: Node) -> bool:
        node = node.base if isinstance(node, Power) and node.exponent.is_positive else node
        return isinstance(node, Leaf) and node.label.partition("#")[0] in self.above_zero


@dataclass(frozen=True)
class PythonValues(Values):
    """Expressions in Python."""

    above_zero: frozenset[str] = frozenset()
    divide: ClassVar[str] = "//"
    both: ClassVar[str] = " and "

    def element(self, label: str, positions: tuple[Expr, ...]) -> str:
        items = "".join(f"[{self.whole(position).flat}]" for position in positions)
        return f"{self.names.get(label, label)}{items}"

    def printed(self, node: Node, texts: Mapping[str, str]) -> Code:
        names = self.functions.definitions.names
        printer = LeafPrinter({}, names, self.helpers, texts=texts, above_zero=self.above_zero)
        return printer.code(node)

    def choice(self, value: Code, test: str) -> str:
        return f"({bracketed(value, COMPARE).flat} if {test} else 0.0)"

    def number_of_samples(self) -> str:
        return "N"

    def infinity(self, *, negative: bool) -> Code:
        return Text("-math.inf" if negative else "math.inf")

    def between(self, low: Expr, index: Expr, high: Expr) -> str:
        text = super().between(low, index, high)
        left, _, right = text.partition(" and ")
        if not right or ">=" not in left:
            return text
        value, _, least = left.partition(" >= ")
        return f"{least} <= {right}" if right.startswith(value) else text


@dataclass(frozen=True)
class PythonLines:
    """Prints statements."""

    values: PythonValues

    def lines(self, statements: Iterable[Statement], indent: int = 4) -> Iterator[str]:
        """All of them."""
        for one in statements:
            yield from WRITERS[type(one)](self, one, indent)

    def loop(self, one: For, indent: int) -> Iterator[str]:
        low, high = self.bound("max", one.low), self.bound("min", one.high)
        ends = high if low == "0" else f"{low}, {high}"
        ends = f"reversed(range({ends}))" if one.down else f"range({ends})"
        yield f"{' ' * indent}for {one.variable} in {ends}:"
        yield from self.lines(one.body, indent + 4)

    def bound(self, function: str, values: tuple[Expr, ...]) -> str:
        texts = [self.values.whole(value).flat for value in values]
        return texts[0] if len(texts) == 1 else f"{function}({', '.join(texts)})"

    def test(self, one: If, indent: int) -> Iterator[str]:
        yield f"{' ' * indent}if {self.values.test(one.conditions)}:"
        yield from self.lines(one.body, indent + 4)

    def let(self, one: Let, indent: int) -> Iterator[str]:
        yield from self.assigned(Assign(one.name, one.value, whole=one.whole), indent)

    def assigned(self, one: Assign, indent: int) -> Iterator[str]:
        code = self.values.whole(one.value) if one.whole else self.values.value(one.value)
        head = f"{self.values.leaf(one.target)} {one.operator}="
        comment = "" if one.number is None else f"({one.number})"
        text = statement(head, code, comment, indent, bare=one.number is None)
        yield text.replace("(  # \n", "(\n", 1)

    def scope(self, one: Scope, indent: int) -> Iterator[str]:
        yield from self.lines(one.body, indent)

    def made(self, one: Make, indent: int) -> Iterator[str]:
        sizes = [self.values.whole(size).flat for size in one.sizes]
        self.values.helpers.add("zeros")
        name = self.values.names.get(one.label, one.label)
        yield collection(f"{name} = zeros", sizes, brackets="()", indent=indent)


WRITERS: Mapping[type, Callable[[PythonLines, Any, int], Iterator[str]]] = {
    For: PythonLines.loop,
    If: PythonLines.test,
    Let: PythonLines.let,
    Assign: PythonLines.assigned,
    Make: PythonLines.made,
    Scope: PythonLines.scope,
}
