"""Array expressions as operations, one after the other.

In: a spelled tree of `arrays`, with the shapes of its tensors. Out: `Operation`s, each of which
gives one value; a value that is already there is not computed again. Must not know: layers, text.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sympy import Expr, Rational, S, Symbol

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
from bpderive.targets.inplace.operations import BATCH, Operand, Operation, Shape
from bpderive.targets.spelling import Parts, comparison, is_mask, is_negative, is_number

ROWWISE: Mapping[str, Callable[[Shape], tuple[Shape, ...]]] = {
    "softmax": lambda _: ((BATCH,),),
    "log_softmax": lambda shape: (shape, (BATCH,), (BATCH,)),
}
"""Functions of whole rows, and what they need on their way beside an array of columns."""
NAMES = {"Abs": "absolute"}
"""Where NumPy has another name for a function of the elements."""
LASTING = frozenset({"erf"})
"""Functions that take longer than reading what they gave before."""
NEGATED = {"greater": "less_equal", "less": "greater_equal"}


@dataclass
class Lowering:
    """Operations in the making: those of one assignment, and what is known from before.

    `arrays` has the operand of each label of the network; `kept` the values that are there, by the
    operation that gives them; `rectified` the result of `maximum(u, 0)` by the name of `u`.
    """

    arrays: dict[str, Operand]
    constants: dict[Expr, Operand] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)
    kept: dict[tuple[str, tuple[Operand, ...]], Operand] = field(default_factory=dict)
    rectified: dict[str, Operand] = field(default_factory=dict)
    sizes: dict[Symbol, str] = field(default_factory=dict)
    label: Callable[[str], str] = lambda label: label
    count: int = 0

    def begin(self, node: Node, label: Callable[[str], str], *, fresh: bool = True) -> None:
        """Make ready for an assignment's value; `label` names the tensors of the general layer."""
        self.operations, self.label = [], label
        if fresh:
            self.kept = {key: one for key, one in self.kept.items() if key[0] in LASTING}
        for part in walk(node):
            if isinstance(part, Leaf):
                shape = self.arrays[label(part.label)].shape
                self.sizes |= dict(zip(part.axes, shape, strict=True))

    def value(self, node: Node) -> Operand:
        """The operand that holds a node, after the operations that it takes."""
        method = METHODS.get(type(node))
        if method is None:
            raise UnsupportedError(f"no NumPy operation for {type(node).__name__}")
        return method(self, node)

    def emit(self, function: str, args: Iterable[Operand], shape: Shape, **options: Any) -> Operand:
        """The result of an operation, which is there already where it has been done."""
        key = function, tuple(args)
        if key not in self.kept:
            self.count += 1
            out = Operand(f"t{self.count}", shape, mask=options.get("mask", False))
            scratch = self.scratch(options.get("scratch", ()))
            self.operations.append(Operation(*key, out, scratch))
            self.kept[key] = out
        return self.kept[key]

    def total(self, function: str, args: tuple[Operand, ...]) -> Operand:
        """A sum of all elements, as one of Python's numbers."""
        number = sum(operation.out.given for operation in self.operations) + 1
        out = Operand(f"sum{number}", (), given=True)
        self.operations.append(Operation(function, args, out))
        return out

    def scratch(self, shapes: Iterable[tuple[Shape, bool]]) -> tuple[Operand, ...]:
        """Arrays for one operation."""
        found = []
        for shape, mask in shapes:
            self.count += 1
            found.append(Operand(f"t{self.count}", shape, mask=mask))
        return tuple(found)

    def shape(self, axes: Axes) -> Shape:
        """One of a row for each sample is a column beside matrices."""
        sizes = tuple(self.sizes[axis] for axis in axes)
        return (BATCH, "1") if sizes == (BATCH,) else sizes

    def constant(self, value: Expr) -> Operand:
        """A number, as an array without axes."""
        if not value.is_number:
            raise UnsupportedError("numpy-inplace needs the sizes of the layers as numbers")
        if value not in self.constants:
            name = WORDS.get(value, f"c{len(self.constants)}")
            self.constants[value] = Operand(name, (), given=True)
        return self.constants[value]

    # --- Nodes ---

    def leaf(self, node: Leaf) -> Operand:
        return self.arrays[self.label(node.label)]

    def scalar(self, node: Scalar) -> Operand:
        return self.constant(node.value)

    def transpose(self, node: Transpose) -> Operand:
        found = self.value(node.arg)
        return replace(found, transposed=not found.transposed, shape=found.shape[::-1])

    def matmul(self, node: MatMul) -> Operand:
        left, right = self.value(node.left), self.value(node.right)
        return self.emit("dot", (left, right), self.shape(node.axes))

    def outer(self, node: Outer) -> Operand:
        left, right = self.value(node.left), self.value(node.right)
        if left.shape != (BATCH, "1"):
            raise UnsupportedError("no NumPy operation for an outer product of two layers")
        return self.emit("outer", (left, right), self.shape(node.axes))

    def reduce(self, node: Reduce) -> Operand:
        """A sum by a product with ones: over the samples, or along each row."""
        if len(node.axes) != 1 or len(node.summed) != 1:
            raise UnsupportedError("no NumPy operation for a sum over all axes within another")
        arg, size = self.value(node.arg), self.sizes[node.summed[0]]
        if node.arg.axes.index(node.summed[0]) == 0:
            return self.emit("dot", (ones(size), arg), self.shape(node.axes))
        return self.emit("dot", (arg, ones(size, "1")), self.shape(node.axes))

    def power(self, node: Power) -> Operand:
        if node.exponent.is_negative:
            return self.quotient(node, node.axes)
        base, shape = self.value(node.base), self.shape(node.axes)
        if node.exponent in POWERS:
            return self.emit(POWERS[node.exponent], (base,), shape)
        return self.emit("power", (base, self.constant(node.exponent)), shape)

    def product(self, node: Product) -> Operand:
        return self.quotient(node, node.axes)

    def terms(self, node: Terms) -> Operand:
        """`first + second - third`; a minus sign in front turns the order, or the sign."""
        shape, done = self.shape(node.axes), None
        for negative, term in sorted(map(self.signed, node.terms), key=lambda pair: pair[0]):
            if done is None:
                done = self.emit("negative", (self.value(term),), shape) if negative else None
                done = done or self.value(term)
            else:
                function = "subtract" if negative else "add"
                done = self.emit(function, (done, self.value(term)), shape)
        assert done is not None  # noqa: S101 - a sum has terms
        return done

    def signed(self, node: Node) -> tuple[bool, Node]:
        """Whether a term is negative, and the term without its sign."""
        if is_negative(node):
            assert isinstance(node, Scalar)  # noqa: S101 - it is a number
            return True, Scalar((), -node.value)
        if isinstance(node, Product) and is_negative(node.factors[0]):
            first, *rest = node.factors
            assert isinstance(first, Scalar)  # noqa: S101 - it is a number
            factors = (*([] if first.value == -1 else [Scalar((), -first.value)]), *rest)
            return True, replace(node, factors=factors) if len(factors) > 1 else factors[0]
        return False, node

    def quotient(self, node: Node, axes: Axes) -> Operand:
        """A product of factors over a product of others; what is an array comes first."""
        parts, shape = Parts.of(node), self.shape(axes)
        above = sorted(parts.above, key=lambda part: self.rank(part, axes))
        below = list(parts.below)
        if parts.constant != 1 or not (above or parts.masks):
            inverse = parts.constant.is_Rational and abs(parts.constant.p) == 1
            if inverse and below and above:
                below.append(Scalar((), Rational(parts.constant.q, parts.constant.p)))
            else:
                above.insert(bool(above), Scalar((), parts.constant))
        done = self.value(above[0]) if above else None
        for part in above[1:]:
            done = self.times(done, self.value(part), shape)
        for part in parts.masks:
            done = self.times(done, self.mask(part), shape)
        assert done is not None  # noqa: S101 - a product has factors
        for part in below:
            done = self.emit("divide", (done, self.value(part)), shape)
        return done

    def rank(self, part: Node, axes: Axes) -> tuple[bool, int]:
        """What has to be computed as a whole comes first, then what is there, then the rest."""
        kinds = {MatMul: 0, Leaf: 1}
        return part.axes != axes, kinds.get(type(part), 2)

    def times(self, done: Operand | None, factor: Operand, shape: Shape) -> Operand:
        """The product; truth values become numbers where nothing stands before them."""
        if done is None and not factor.mask:
            return factor
        return self.emit("multiply", (done or self.constant(Rational(1)), factor), shape)

    def apply(self, node: Apply) -> Operand:
        shape = self.shape(node.axes)
        if node.name == "select":
            return self.select(node, shape)
        args = tuple(map(self.value, node.args))
        if node.name in ROWWISE:
            scratch = [(one, False) for one in (shape[::-1], *ROWWISE[node.name](shape))]
            return self.emit(node.name, (*args, ones(shape[-1])), shape, scratch=scratch)
        if node.name in ("softplus", "xlogy"):
            return self.emit(node.name, args, shape, scratch=((shape, node.name == "xlogy"),))
        if node.name == "maximum" and is_number(node.args[1], 0):
            return self.rectify(args[0], args[1], shape)
        return self.emit(NAMES.get(node.name, node.name), args, shape)

    def rectify(self, arg: Operand, zero: Operand, shape: Shape) -> Operand:
        """`maximum(u, 0)`; NumPy's `clip` is some times faster than its `maximum` by a number."""
        found = self.emit("clip", (arg, zero, self.constant(S.Infinity)), shape)
        self.rectified[arg.name] = found
        return found

    # --- Cases ---

    def select(self, node: Apply, shape: Shape) -> Operand:
        """`p` where `u > 0`, else `q`."""
        if is_mask(node):
            return self.emit("multiply", (self.mask(node), self.constant(Rational(1))), shape)
        u, *branches = node.args
        found = tuple(map(self.value, branches))
        return self.emit("where", (self.test(u), *found), shape)

    def mask(self, node: Node) -> Operand:
        """The truth values under which a mask is 1."""
        u, p, q = node.args if isinstance(node, Apply) else ()
        test = self.test(u, negate=is_number(q, 1))
        if isinstance(p, Scalar):
            return test
        both = test, self.mask(p)
        return self.emit("logical_and", both, self.shape(node.axes), mask=True)

    def test(self, u: Node, *, negate: bool = False) -> Operand:
        """`u > 0`; `max(v, 0) > 0` where `v > 0` is asked, so that `v` is not needed any more."""
        found = comparison(u)
        name = "less" if found.less else "greater"
        left, right = self.value(found.left), self.value(found.right)
        if name == "greater" and is_number(found.right, 0):
            left = self.rectified.get(left.name, left)
        function = NEGATED[name] if negate else name
        return self.emit(function, (left, right), self.shape(u.axes), mask=True)


def ones(*shape: str) -> Operand:
    """A vector or a column of ones; a product with it is a sum."""
    return Operand(
        "_".join(("column_of_ones" if len(shape) > 1 else "ones", shape[0])), shape, given=True
    )


WORDS: Mapping[Expr, str] = {
    Rational(0): "zero",
    Rational(1): "one",
    Rational(-1): "minus_one",
    Rational(2): "two",
    Rational(1, 2): "half",
    S.Infinity: "inf",
}
POWERS: Mapping[Expr, str] = {Rational(2): "square", Rational(1, 2): "sqrt"}
METHODS: Mapping[type[Node], Callable[[Lowering, Any], Operand]] = {
    Leaf: Lowering.leaf,
    Scalar: Lowering.scalar,
    Transpose: Lowering.transpose,
    MatMul: Lowering.matmul,
    Outer: Lowering.outer,
    Reduce: Lowering.reduce,
    Power: Lowering.power,
    Product: Lowering.product,
    Terms: Lowering.terms,
    Apply: Lowering.apply,
}
