"""Scalar expressions in plain Python, right where `math` raises and NumPy does not.

In: expressions of `scalars`, spelled. Out: `Code`. Numbers are floats, which Python multiplies
faster than ints; an exponential, a logarithm or a quotient that may be out of range is a function
of `python_functions.py`, else one of `math`. Must not know: layers, statements.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar

from sympy import Expr, Rational

from bpderive.errors import UnsupportedError
from bpderive.forms.arrays import Apply, Axes, Leaf, Node, Power, Reduce, Scalar
from bpderive.forms.trees import walk
from bpderive.program import Call
from bpderive.targets.layout import (
    COMPARE,
    MULTIPLY,
    Chain,
    Code,
    Invoke,
    Text,
    bracketed,
    chain,
    minus,
)
from bpderive.targets.printer import Printer
from bpderive.targets.python.ranges import always_above_zero, never_above_zero, never_below_zero
from bpderive.targets.spelling import Parts, comparison, is_mask, is_negative, is_number

CHOICE = COMPARE - 1
REPEATED = 24
"""The longest expression, in characters, that is multiplied by itself in place."""
FUNCTIONS = {
    **{name: name for name in ("cos", "cosh", "exp", "expm1", "log", "log1p", "power", "sigmoid")},
    **{name: name for name in ("sign", "sin", "sinh", "softplus", "sqrt", "xlogy")},
    "Abs": "abs",
    "erf": "math.erf",
    "maximum": "max",
    "minimum": "min",
    "tanh": "math.tanh",
}
BUILT_IN = frozenset({"abs", "max", "min"})
SAFE: Mapping[str, Callable[[Node], bool]] = {
    "exp": never_above_zero,
    "expm1": never_above_zero,
    "log": always_above_zero,
    "log1p": never_below_zero,
    "sqrt": never_below_zero,
}
"""Arguments at which the function of `math` of the same name cannot raise."""


@dataclass(frozen=True, eq=False, repr=False)
class Choice(Code):
    """`then if test else other`."""

    then: Code
    test: Code
    other: Code

    @property
    def level(self) -> int:
        return CHOICE

    @cached_property
    def flat(self) -> str:
        return f"{self.then.flat} if {self.test.flat} else {self.other.flat}"

    def broken(self, indent: int, column: int, tail: int) -> str:
        margin = " " * indent
        return (
            f"{self.then.lines(indent, column)}\n"
            f"{margin}if {self.test.lines(indent, indent + 3)}\n"
            f"{margin}else {self.other.lines(indent, indent + 5, tail)}"
        )


def choice(then: Code, test: Code, other: Code) -> Code:
    """A choice, with choices among its branches in parentheses; `u if u > v else v → max(u, v)`."""
    if isinstance(test, Chain) and test.binds == COMPARE:
        ((op, right),) = test.rest
        if {then.flat, other.flat} == {test.first.flat, right.flat}:
            larger = (then.flat == test.first.flat) == op.startswith(">")
            return Invoke("max" if larger else "min", (then, other))
    return Choice(bracketed(then, COMPARE), test, bracketed(other, COMPARE))


@dataclass(frozen=True)
class ScalarPrinter(Printer):
    """Prints `w1[1, 2]` as `w1_1_2`; `held` is what a branch need not bound: it is within."""

    held: Node | None = field(default=None, kw_only=True)
    table: ClassVar[Mapping[str, str]] = FUNCTIONS

    def along(self, node: Node, axes: Axes) -> Code:
        return self.code(node)

    def leaf(self, node: Leaf) -> Text:
        return Text("_".join((node.label, *map(str, node.axes))))

    def scalar(self, node: Scalar) -> Code:
        return minus(decimal(-node.value)) if is_negative(node) else decimal(node.value)

    def call(self, node: Call) -> Code:
        return Invoke(self.functions[node.definition.name], tuple(map(self.code, node.args)))

    def sum(self, node: Reduce, *options: str) -> Code:
        raise UnsupportedError("a sum over an index, in an expression of numbers")

    def whole(self, node: Node) -> Code:
        """The right-hand side of an assignment: a sigmoid is written out."""
        if isinstance(node, Apply) and node.name == "sigmoid" and isinstance(node.args[0], Leaf):
            z = self.code(node.args[0]).flat
            value = Text(f"1.0 / (1.0 + math.exp(-{z}))")
            return Choice(Text("0.0"), Text(f"{z} < -709.0"), value)
        return self.code(node)

    # --- Functions ---

    def apply(self, node: Apply) -> Code:
        if node.name == "select":
            return self.select(node)
        if node == self.held:
            return self.code(node.args[0])
        return self.function(node.name, *node.args)

    def function(self, name: str, *args: Node) -> Code:
        """A call of a built-in function, of one of `math`, or of our own."""
        found = self.table.get(name)
        if found is None:
            raise UnsupportedError(f"no Python function for {name}")
        if name in SAFE and SAFE[name](args[0]):
            found = f"math.{name}"
        if "." not in found and found not in BUILT_IN:
            self.helpers.add(found)
        return Invoke(found, tuple(map(self.code, args)))

    def power(self, node: Power) -> Code:
        """`u * u` for a square; `**` would raise where it overflows."""
        if node.exponent.is_negative:
            return self.quotient(node, node.axes)[1]
        if node.exponent == Rational(1, 2):
            return self.function("sqrt", node.base)
        base = self.code(node.base)
        simple = not any(isinstance(part, Apply | Call) for part in walk(node.base))
        if node.exponent in (2, 3) and simple and len(base.flat) <= REPEATED:
            return chain(MULTIPLY, base, *[("*", base)] * (int(node.exponent) - 1))
        return self.function("power", node.base, Scalar((), node.exponent))

    # --- Products and quotients ---

    def quotient(self, node: Node, axes: Axes) -> tuple[bool, Code]:
        """Whether a term is negative, and the term without its sign; a mask chooses it or 0."""
        parts = Parts.of(node)
        negative, alone = bool(parts.constant < 0), not (parts.masks or parts.below)
        if alone and abs(parts.constant) == 1 and len(parts.above) == 1:
            return negative, self.code(parts.above[0])
        code = self.divided(parts)
        if not parts.masks:
            return negative, code
        tests = [self.mask(mask, axes) for mask in parts.masks]
        return False, choice(minus(code) if negative else code, _and(tests), Text("0.0"))

    def divided(self, parts: Parts) -> Code:
        """The product of what is above, over that of what is below."""
        numerator, denominator = decimal_parts(abs(parts.constant))
        above = numerator + [self.factor(part) for part in parts.above]
        below = [self.factor(part) for part in parts.below] + denominator
        code = _product(above or [Text("1.0")])
        if all(map(always_above_zero, parts.below)):
            return chain(MULTIPLY, code, ("/", _product(below))) if below else code
        self.helpers.add("divide")
        return Invoke("divide", (code, _product(below)))

    def factor(self, node: Node, axes: Axes = ()) -> Code:
        return bracketed(self.code(node), MULTIPLY)

    # --- Cases ---

    def select(self, node: Apply) -> Code:
        """`p if u > v else q`."""
        u, p, q = node.args
        if is_mask(node):
            return Choice(Text("1.0"), self.mask(node, node.axes), Text("0.0"))
        test = comparison(u)
        names = ("minimum", "maximum") if test.less else ("maximum", "minimum")
        branches = (
            replace(self, held=Apply(test.left.axes, name, (test.left, test.right))).code(branch)
            for name, branch in zip(names, (p, q), strict=True)
        )
        then, other = branches
        return choice(then, self.test(u, node.axes), other)

    def mask(self, node: Node, axes: Axes) -> Code:
        """The condition under which a mask is 1: `z > 0.0`, or `z < 1.0 and z > -1.0`."""
        u, p, q = node.args if isinstance(node, Apply) else ()
        test = self.test(u, axes, negate=is_number(q, 1))
        return test if isinstance(p, Scalar) else _and([test, self.mask(p, axes)])


def _and(tests: list[Code]) -> Code:
    """`test and test`."""
    first, *rest = tests
    return Chain(CHOICE, first, tuple(("and", test) for test in rest)) if rest else first


def _product(factors: list[Code]) -> Code:
    first, *rest = factors
    return chain(MULTIPLY, first, *(("*", factor) for factor in rest))


# --- Numbers ---


def decimal(value: Expr) -> Text:
    """A positive number as a float."""
    return Text(repr(value.p / value.q if value.is_Rational else float(value.evalf(20))))


def decimal_parts(value: Expr) -> tuple[list[Code], list[Code]]:
    """A positive factor as what stands in front and what divides: `0.5`, or `2.0` and `3.0`."""
    if value == 1:
        return [], []
    shown = decimal(value)
    exact = not value.is_Rational or Rational(shown.text) == value
    if exact or max(value.p, value.q) >= 2**53:
        return [shown], []
    return [decimal(Rational(value.p))] if value.p != 1 else [], [decimal(Rational(value.q))]
