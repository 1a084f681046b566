"""Expressions of one element as C expressions.

In: a value of `targets.scalars`, and the index of each axis: a number or a loop's variable. Out:
`Code`. Tensors and sums are spelled by the caller, who knows where they lie, and whether a sum is
a loop. Must not know: layers, statements.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sympy import Expr, Integer, Rational, Symbol

from bpderive.errors import UnsupportedError
from bpderive.forms.arrays import Apply, Leaf, Node, Power, Product, Reduce, Scalar, Terms
from bpderive.forms.trees import transform
from bpderive.program import Call
from bpderive.targets.layout import (
    ADD,
    COMPARE,
    MULTIPLY,
    Code,
    Invoke,
    Text,
    bracketed,
    chain,
    minus,
)
from bpderive.targets.spelling import Comparison, Parts, comparison, is_negative

At = Mapping[Symbol, str]
"""The index of each axis."""
LIBRARY = ("maximum", "minimum", "sigmoid", "sign", "softplus", "xlogy")
MATHS = ("cos", "cosh", "erf", "exp", "expm1", "log", "log1p", "sin", "sinh", "tanh")
FUNCTIONS: Mapping[str, str] = {
    **{name: f"bp_{name}" for name in LIBRARY},
    **{name: f"BP_M({name})" for name in MATHS},
    "Abs": "BP_M(fabs)",
    "power": "BP_M(pow)",
}
EXACT = 2**24
"""Whole numbers below are written without a decimal point: `float` holds them exactly."""


class Choice(Text):
    """`u > 0 ? p : q`, which binds less tightly than everything else."""

    @property
    def level(self) -> int:
        return COMPARE - 1


@dataclass(frozen=True)
class Printer:
    """Prints elements.

    `leaf` spells an element of a tensor, `total` a sum; `functions` has the definitions' names;
    those of the library that are used gather in `helpers`.
    """

    leaf: Callable[[Leaf, At], str]
    total: Callable[[Reduce, At], Code]
    functions: Mapping[str, str]
    helpers: set[str]

    def code(self, node: Node, at: At) -> Code:
        """The expression of an element."""
        method = METHODS.get(type(node))
        if method is None:
            raise UnsupportedError(f"no C form for {type(node).__name__}")
        return method(self, node, at)

    def element(self, node: Leaf, at: At) -> Code:
        return Text(self.leaf(node, at))

    def scalar(self, node: Scalar, at: At) -> Code:
        return minus(number(-node.value)) if is_negative(node) else number(node.value)

    def sum(self, node: Reduce, at: At) -> Code:
        return self.total(node, at)

    def power(self, node: Power, at: At) -> Code:
        if node.exponent.is_negative:
            return self.quotient(node, at)[1]
        base = self.code(node.base, at)
        if node.exponent == Rational(1, 2):
            return Invoke("BP_M(sqrt)", (base,))
        if node.exponent in (2, 3) and isinstance(node.base, Leaf):
            return multiply([base] * int(node.exponent))
        if node.exponent == 2:
            return self.invoke("bp_square", base)
        return Invoke("BP_M(pow)", (base, number(node.exponent)))

    def product(self, node: Product, at: At) -> Code:
        negative, code = self.quotient(node, at)
        return minus(code) if negative else code

    def terms(self, node: Terms, at: At) -> Code:
        return add(self.quotient(term, at) for term in node.terms)

    def quotient(self, node: Node, at: At) -> tuple[bool, Code]:
        """Whether a term is negative, and the term without its sign."""
        parts = Parts.of(node)
        if not (parts.above or parts.masks or parts.below):  # `1 / 3` would be 0
            return bool(parts.constant < 0), number(abs(parts.constant))
        over, under = number_parts(abs(parts.constant))
        above = [*over, *(self.code(part, at) for part in (*parts.above, *parts.masks))]
        below = [*(self.code(part, at) for part in parts.below), *under]
        code = multiply(above or [number(Integer(1))])
        if below:
            code = chain(MULTIPLY, code, ("/", multiply(below)))
        return bool(parts.constant < 0), code

    def apply(self, node: Apply, at: At) -> Code:
        if node.name == "select":
            return self.select(node, at)
        function = FUNCTIONS.get(node.name)
        if function is None:
            raise UnsupportedError(f"no C function for {node.name}")
        return self.invoke(function, *(self.code(arg, at) for arg in node.args))

    def call(self, node: Call, at: At) -> Code:
        args = tuple(self.code(arg, at) for arg in node.args)
        return Invoke(self.functions[node.definition.name], args)

    def invoke(self, function: str, *args: Code) -> Code:
        """A call of a function, which is noted if the library has it."""
        if function.startswith("bp_"):
            self.helpers.add(function)
        return Invoke(function, args)

    def select(self, node: Apply, at: At) -> Code:
        """`u > 0 ? p : q`, with what is subtracted on the other side."""
        found = comparison(node.args[0])
        left, right = (self.code(side, at) for side in (found.left, found.right))
        test = chain(COMPARE, left, ("<" if found.less else ">", right))
        taken, other = ("minimum", "maximum") if found.less else ("maximum", "minimum")
        yes = self.branch(unclamped(node.args[1], taken, found), at)
        no = self.branch(unclamped(node.args[2], other, found), at)
        return Choice(f"{test.flat} ? {yes} : {no}")

    def branch(self, node: Node, at: At) -> str:
        """A case; numbers have the type of the others, lest two of them make an int."""
        if isinstance(node, Scalar):
            text = real(abs(node.value)).flat
            return f"-{text}" if is_negative(node) else text
        return bracketed(self.code(node, at), COMPARE).flat


def unclamped(branch: Node, bound: str, test: Comparison) -> Node:
    """`z > 0 ? z : exp(minimum(z, 0)) → exp(z)`: C works out only the case that holds."""
    inside = Apply(test.left.axes, bound, (test.left, test.right))
    return transform(branch, lambda part: test.left if part == inside else part)


def multiply(factors: list[Code]) -> Code:
    """The product of factors."""
    return chain(MULTIPLY, factors[0], *(("*", factor) for factor in factors[1:]))


def add(terms: Any) -> Code:
    """The sum of terms, each with whether it is negative."""
    (negative, first), *rest = terms
    head = minus(first) if negative else first
    return chain(ADD, head, *(("-" if less else "+", code) for less, code in rest))


def number(value: Expr) -> Text:
    """A number that is not negative, as it stands among others."""
    whole = value.is_Integer and value < EXACT
    return Text(str(value)) if whole else real(value)


def real(value: Expr) -> Text:
    """A number that is not negative, in the type of all."""
    exact = value.p / value.q if value.is_Rational else float(value.evalf(20))
    return Text(f"BP_C({exact!r})")


def number_parts(value: Expr) -> tuple[list[Code], list[Code]]:
    """A factor as what stands in front and what divides: `0.5`, or `2` and `3`."""
    if value == 1:
        return [], []
    if value.is_Rational and value.q & (value.q - 1) and max(value.p, value.q) < EXACT:
        return [number(Integer(value.p))] if value.p != 1 else [], [number(Integer(value.q))]
    return [number(value)], []


METHODS: Mapping[type[Node], Callable[[Printer, Any, At], Code]] = {
    Leaf: Printer.element,
    Scalar: Printer.scalar,
    Reduce: Printer.sum,
    Power: Printer.power,
    Product: Printer.product,
    Terms: Printer.terms,
    Apply: Printer.apply,
    Call: Printer.call,
}
