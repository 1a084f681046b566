"""Array expressions as NumPy expressions.

In: a spelled tree of `arrays`, and the names of its labels and functions. Out: `Code`. Every
result has the floating type of the arrays: constants are Python numbers, and a mask is multiplied
by an array or cast. Must not know: layers, statements.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from sympy import Expr, Integer, Rational

from bpderive.errors import UnsupportedError
from bpderive.forms.arrays import (
    Apply,
    Axes,
    Leaf,
    MatMul,
    Node,
    Outer,
    Power,
    Product,
    Reduce,
    Scalar,
    Terms,
    Transpose,
)
from bpderive.forms.trees import walk
from bpderive.program import Call
from bpderive.targets.layout import (
    ADD,
    AND,
    COMPARE,
    MULTIPLY,
    POWER,
    Brackets,
    Code,
    Invoke,
    Member,
    Text,
    bracketed,
    chain,
    minus,
)
from bpderive.targets.spelling import Parts, comparison, is_mask, is_negative, is_number

FUNCTIONS = {
    **{name: name for name in ("erf", "log_softmax", "sigmoid", "softmax", "softplus", "xlogy")},
    **{name: f"np.{name}" for name in ("cos", "cosh", "exp", "expm1", "log", "log1p")},
    **{name: f"np.{name}" for name in ("maximum", "minimum", "sign", "sin", "sinh", "tanh")},
    "Abs": "np.abs",
}
NEGATED = {">": "<=", "<": ">="}


@dataclass(frozen=True)
class Printer:
    """Prints with the given names; functions that NumPy lacks gather in `helpers`."""

    names: Mapping[str, str]
    functions: Mapping[str, str] = field(default_factory=dict)
    helpers: set[str] = field(default_factory=set)
    table: ClassVar[Mapping[str, str]] = FUNCTIONS

    def code(self, node: Node) -> Code:
        """The expression of a node."""
        method = METHODS.get(type(node))
        if method is None:
            raise UnsupportedError(f"no NumPy form for {type(node).__name__}")
        code: Code = getattr(self, method)(node)
        return code

    def along(self, node: Node, axes: Axes) -> Code:
        """The expression of a node in a place where arrays have the given axes.

        One that lacks a last axis keeps it with length one; only a sum can.
        """
        if node.axes == axes[len(axes) - len(node.axes) :]:
            return self.code(node)
        if isinstance(node, Reduce) and _fits(node, axes):
            return self.sum(node, "keepdims=True")
        if isinstance(node, Product | Terms | Power | Apply):
            return self.code(replace(node, axes=axes))
        raise UnsupportedError(f"no NumPy form for {type(node).__name__} along another axis")

    def many(self, nodes: Iterable[Node], axes: Axes) -> list[Code]:
        """Operands that combine to an array of the given axes."""
        return [self.along(node, axes) for node in nodes]

    def leaf(self, node: Leaf) -> Code:
        return Text(self.names.get(node.label, node.label))

    def scalar(self, node: Scalar) -> Code:
        if not node.value.is_number:
            return self.size(node.value)
        return minus(number(-node.value)) if is_negative(node) else number(node.value)

    def size(self, value: Expr) -> Code:
        """A symbolic size."""
        if str(value) not in self.names:
            raise UnsupportedError(f"no NumPy form for the index {value} as a number")
        return Text(self.names[str(value)])

    def transpose(self, node: Transpose) -> Code:
        return Member(self.operand(node.arg), "T")

    def outer(self, node: Outer) -> Code:
        return Invoke("np.outer", (self.code(node.left), self.code(node.right)))

    def power(self, node: Power) -> Code:
        if node.exponent.is_negative:
            return self.quotient(node, node.axes)[1]
        base = self.along(node.base, node.axes)
        if node.exponent == Rational(1, 2):
            return Invoke("np.sqrt", (base,))
        return chain(POWER, base, ("**", number(node.exponent)))

    def product(self, node: Product) -> Code:
        negative, code = self.quotient(node, node.axes)
        return minus(code) if negative else code

    def terms(self, node: Terms) -> Code:
        (negative, first), *rest = (self.quotient(term, node.axes) for term in node.terms)
        head = minus(first) if negative else first
        return chain(ADD, head, *(("-" if less else "+", code) for less, code in rest))

    def apply(self, node: Apply) -> Code:
        if node.name == "select":
            return self.select(node)
        args = self.many(node.args, node.axes)
        if node.name == "power":
            return chain(POWER, args[0], ("**", args[1]))
        function = self.table.get(node.name)
        if function is None:
            raise UnsupportedError(f"no NumPy function for {node.name}")
        if "." not in function:
            self.helpers.add(function)
        return Invoke(function, tuple(args))

    def call(self, node: Call) -> Code:
        return Invoke(self.functions[node.definition.name], tuple(map(self.code, node.args)))

    def matmul(self, node: MatMul, divisor: Code | None = None) -> Code:
        """`left @ right`; with a divisor, `left / divisor @ right`, or the error's last."""
        left, right = self.operand(node.left), self.operand(node.right)
        if divisor is None:
            return chain(MULTIPLY, left, ("@", right))
        if _is_error(node.right) and not _is_error(node.left):
            return chain(MULTIPLY, left, ("@", Brackets(chain(MULTIPLY, right, ("/", divisor)))))
        return chain(MULTIPLY, left, ("/", divisor), ("@", right))

    def operand(self, node: Node) -> Code:
        """A side of a matrix product, or what is transposed."""
        code = self.code(node)
        return code if isinstance(code, Text | Member | Invoke) else Brackets(code)

    def sum(self, node: Reduce, *options: str) -> Code:
        """`np.sum(…)` or `delta1.sum(…)`, along an axis unless it is over all."""
        axes = [node.arg.axes.index(axis) for axis in node.summed]
        if node.axes and len(axes) > 1:
            raise UnsupportedError("no NumPy form for a sum along some of several axes")
        where = map(Text, (f"axis={axes[0]}", *options) if node.axes else options)
        if isinstance(node.arg, Leaf):
            return Invoke(f"{self.code(node.arg).flat}.sum", tuple(where))
        return Invoke("np.sum", (self.code(node.arg), *where))

    # --- Products and quotients ---

    def quotient(self, node: Node, axes: Axes) -> tuple[bool, Code]:
        """Whether a term is negative, and the term without its sign."""
        parts = Parts.of(node)
        above, below = number_parts(abs(parts.constant))
        if len(parts.above) == 1 and not (above or below or parts.masks or parts.below):
            return bool(parts.constant < 0), self.along(parts.above[0], axes)
        above += [self.factor(part, axes) for part in parts.above]
        above += self.masks(parts, axes)
        below = [self.factor(part, axes) for part in parts.below] + below
        code = chain(MULTIPLY, *_times(above or [Text("1")]))
        if below:
            code = chain(MULTIPLY, code, ("/", chain(MULTIPLY, *_times(below))))
        return bool(parts.constant < 0), code

    def factor(self, node: Node, axes: Axes) -> Code:
        """A factor; a matrix product among others stands in parentheses."""
        code = self.along(node, axes)
        return Brackets(code) if isinstance(node, MatMul) else bracketed(code, MULTIPLY + 1)

    def masks(self, parts: "Parts", axes: Axes) -> list[Code]:
        """The masks of a product; without an array before it, the first is cast."""
        cast = all(isinstance(part, Scalar) for part in (*parts.above, *parts.below))
        first = [self.along(mask, axes) for mask in parts.masks[:cast]]
        return first + [Brackets(self.mask(mask, axes)) for mask in parts.masks[cast:]]

    # --- Cases ---

    def select(self, node: Apply) -> Code:
        """`np.where(u > 0, p, q)`; where both are numbers, cast to the type of the arrays."""
        u, *branches = node.args
        if not is_mask(node):
            args = (self.test(u, node.axes), *self.many(branches, node.axes))
            code: Code = Invoke("np.where", args)
            if not all(isinstance(branch, Scalar) for branch in branches):
                return code
        else:
            code = Brackets(self.mask(node, node.axes))
        leaf = next(part for part in walk(u) if isinstance(part, Leaf))
        return Member(code, "astype", f"{self.code(leaf).flat}.dtype")

    def mask(self, node: Node, axes: Axes) -> Code:
        """The condition under which a mask is 1: `z > 0`, or `(z > -1) & (z < 1)`."""
        u, p, q = node.args if isinstance(node, Apply) else ()
        test = self.test(u, axes, negate=is_number(q, 1))
        if isinstance(p, Scalar):
            return test
        return chain(AND, Brackets(test), ("&", Brackets(self.mask(p, axes))))

    def test(self, u: Node, axes: Axes, *, negate: bool = False) -> Code:
        """`u > 0`, with what is subtracted on the other side."""
        found = comparison(u)
        op = "<" if found.less else ">"
        left, right = self.many((found.left, found.right), axes)
        return chain(COMPARE, left, (NEGATED[op] if negate else op, right))


def _is_error(node: Node) -> bool:
    """Whether an array is the derivative by weighted sums: it is smaller than an input may be."""
    return any(isinstance(part, Leaf) and part.label.startswith("delta") for part in walk(node))


def _fits(node: Reduce, axes: Axes) -> bool:
    """Whether the sum's argument has the given axes, but for those that are summed."""
    pairs = zip(node.arg.axes, axes, strict=False)
    same = all(own == other or own in node.summed for own, other in pairs)
    return same and len(node.arg.axes) == len(axes)


def _times(factors: list[Code]) -> Iterable[Any]:
    """The arguments of `chain` for a product."""
    return (factors[0], *(("*", factor) for factor in factors[1:]))


def number(value: Expr) -> Text:
    """A positive number as Python writes it."""
    if value.is_Integer and value < 2**53:
        return Text(str(value))
    return Text(repr(value.p / value.q if value.is_Rational else float(value.evalf(20))))


def number_parts(value: Expr) -> tuple[list[Code], list[Code]]:
    """A positive factor as what stands in front and what divides: `0.5`, or `2` and `3`."""
    if value == 1:
        return [], []
    shown = number(value)
    exact = not value.is_Rational or Rational(shown.text) == value
    if exact or max(value.p, value.q) >= 2**53:
        return [shown], []
    return [number(Integer(value.p))] if value.p != 1 else [], [number(Integer(value.q))]


METHODS: Mapping[type[Node], str] = {
    Leaf: "leaf",
    Scalar: "scalar",
    Transpose: "transpose",
    MatMul: "matmul",
    Outer: "outer",
    Reduce: "sum",
    Power: "power",
    Product: "product",
    Terms: "terms",
    Apply: "apply",
    Call: "call",
}
"""By kind of node, the method of `Printer` that prints it; a target may override it."""
