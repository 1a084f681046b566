"""Matrix forms: a gradient as a SymPy matrix expression, of one sample or of a batch.

In: a `Derivation` and a `Reference`. Out: expressions in `MatrixSymbol`s named by their labels
(`w1`, `delta1`, `x`). A vector is a column. In a batch the samples are the rows or the columns, as
the spec says, and `delta1` … are derivatives of the sum over the samples; the gradients of `w` and
`b` are those of the loss itself, so they carry the 1/N. Must not know: letters, words.

Every node of `arrays` becomes a matrix whose rows run over one index and whose columns run over
another (or over none); what lacks an index is repeated along it by a matrix of ones.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import sympy
from sympy import (
    Add,
    Expr,
    Function,
    Integer,
    Lambda,
    MatAdd,
    MatMul,
    MatrixExpr,
    MatrixSymbol,
    Mul,
    OneMatrix,
    Sum,
    Symbol,
    hadamard_product,
)
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.hadamard import HadamardPower

from bpderive import functions
from bpderive.derive import Derivation
from bpderive.equations import SAMPLES
from bpderive.errors import UnsupportedError
from bpderive.forms import arrays
from bpderive.forms.arrays import Node, lower
from bpderive.forms.chosen import equation_of
from bpderive.functions import select, to_sympy
from bpderive.index import Equation
from bpderive.reference import Reference

Slot: TypeAlias = Symbol | None
ELEMENT = Symbol("u", real=True)
"""The variable of a function that is applied to each element."""


def matrix_form(derivation: Derivation, reference: Reference) -> Expr:
    """The gradient of the whole tensor for one sample: `delta1*x.T`."""
    return matrix_of(equation_of(derivation, reference))


def batch_form(derivation: Derivation, reference: Reference) -> Expr:
    """The gradient of the whole tensor over a batch: `1/N*delta1.T*x` with samples as rows."""
    equation = equation_of(derivation, reference, batch=True)
    columns = derivation.network.spec.orientation == "columns"
    of_loss = reference.name in ("w", "b")
    factor = derivation.mean.rhs.xreplace({Symbol("S"): Integer(1)}) if of_loss else Integer(1)
    return factor * matrix_of(equation, columns=columns)


def matrix_of(equation: Equation, *, columns: bool = False) -> Expr:
    """The right-hand side of an index equation with one or two free indices.

    Args:
        equation: of shape (i,) → a column, (i, j) → a matrix, (n, i) over samples n.
        columns: lay the samples out as columns.
    """
    sizes = dict(zip(equation.indices, equation.sizes, strict=True)) | _bound(equation.rhs)
    order = equation.indices
    if columns and SAMPLES in equation.sizes:
        order = order[::-1]
    node = lower(equation.rhs, order, columns=columns)
    return _Matrices(sizes).full(node, order[0], order[1] if len(order) > 1 else None)


def _bound(expr: Expr) -> dict[Symbol, Expr]:
    return {limit[0]: limit[2] for node in expr.atoms(Sum) for limit in node.limits}


@dataclass(frozen=True)
class _Matrices:
    """Nodes as matrices; `sizes` are the ranges of all indices."""

    sizes: Mapping[Symbol, Expr]

    def size(self, slot: Slot) -> Expr:
        return Integer(1) if slot is None else self.sizes[slot]

    def full(self, node: Node, row: Slot, column: Slot) -> Expr:
        """The node as a matrix of the given rows and columns, repeated where it lacks one."""
        if (number := _number(node)) is not None:
            return _times(number, OneMatrix(self.size(row), self.size(column)))
        found = self.own(node, row, column)
        if row is not None and row not in node.axes:
            found = OneMatrix(self.size(row), 1) * found
        if column is not None and column not in node.axes:
            found = found * OneMatrix(1, self.size(column))
        return found

    def own(self, node: Node, row: Slot, column: Slot) -> Expr:
        """The node as a matrix with those of the rows and columns that it has."""
        row = row if row in node.axes else None
        column = column if column in node.axes else None
        if set(node.axes) - {row, column}:
            raise UnsupportedError("an array of more than two indices has no matrix form")
        found = self._of_one_leaf(node, row, column)
        return METHODS[type(node)](self, node, row, column) if found is None else found

    def _of_one_leaf(self, node: Node, row: Slot, column: Slot) -> Expr | None:
        """A function of the elements of one tensor: `z1.applyfunc(…)`."""
        parts = tuple(_parts(node))
        leaves = {part for part in parts if not isinstance(part, ELEMENTWISE)}
        leaf = leaves.pop() if len(leaves) == 1 else None
        if not isinstance(leaf, arrays.Leaf) or not any(isinstance(p, arrays.Apply) for p in parts):
            return None
        return _elementwise(to_sympy(_scalar(node)), self.own(leaf, row, column))

    def leaf(self, node: arrays.Leaf, row: Slot, column: Slot) -> Expr:
        shape = [*(self.sizes[axis] for axis in node.axes), Integer(1), Integer(1)][:2]
        symbol = MatrixSymbol(node.label, *shape)
        upright = (
            node.axes == tuple(slot for slot in (row, column) if slot is not None)
            and row is not None
        )
        return symbol if upright or not node.axes else symbol.T

    def apply(self, node: arrays.Apply, row: Slot, column: Slot) -> Expr:
        if node.name == "select":
            return self.select(node, row, column)
        if node.name == "xlogy":
            value = arrays.Apply(node.args[1].axes, "log", node.args[1:])
            return self.own(arrays.Product(node.axes, (node.args[0], value)), row, column)
        if len(node.args) != 1:
            raise UnsupportedError(f"{node.name} of two tensors has no matrix form")
        value = to_sympy(_function(node.name)(ELEMENT))
        return _elementwise(value, self.own(node.args[0], row, column))

    def select(self, node: arrays.Apply, row: Slot, column: Slot) -> Expr:
        """`select(u, p, q) = q + [u > 0]∘(p − q)`, written as two masks."""
        test, *branches = node.args
        found = []
        for branch, mask in zip(
            branches, (select(ELEMENT, 1, 0), select(ELEMENT, 0, 1)), strict=True
        ):
            chosen = _elementwise(to_sympy(mask), self.full(test, row, column))
            if (number := _number(branch)) is not None:
                found.append(_times(number, chosen))
            else:
                found.append(hadamard_product(chosen, self.full(branch, row, column)))
        return MatAdd(*(term for term in found if term != 0)).doit(deep=False)

    def power(self, node: arrays.Power, row: Slot, column: Slot) -> Expr:
        return HadamardPower(self.own(node.base, row, column), node.exponent)

    def product(self, node: arrays.Product, row: Slot, column: Slot) -> Expr:
        numbers = [number for f in node.factors if (number := _number(f)) is not None]
        rest = [factor for factor in node.factors if _number(factor) is None]
        matrices = [self.full(factor, row, column) for factor in rest]
        return _times(Mul(*numbers), hadamard_product(*matrices))

    def terms(self, node: arrays.Terms, row: Slot, column: Slot) -> Expr:
        return MatAdd(*(self.full(term, row, column) for term in node.terms))

    def matmul(self, node: arrays.MatMul, row: Slot, column: Slot) -> Expr:
        """`Σ_k left[r,k] right[k,c]`, or the sides exchanged where the right has the rows."""
        index = node.left.axes[-1]
        left, right = node.left, node.right
        if (row is not None and row in right.axes) or (column is not None and column in left.axes):
            left, right = right, left
        return MatMul(self.own(left, row, index), self.own(right, index, column)).doit(deep=False)

    def outer(self, node: arrays.Outer, row: Slot, column: Slot) -> Expr:
        left, right = self.own(node.left, row, None), self.own(node.right, None, column)
        return MatMul(left, right).doit(deep=False)

    def transpose(self, node: arrays.Transpose, row: Slot, column: Slot) -> Expr:
        return self.own(node.arg, row, column)

    def reduce(self, node: arrays.Reduce, row: Slot, column: Slot) -> Expr:
        """Sums along rows and columns are products with ones."""
        summed = list(node.summed)
        rows = summed.pop(0) if row is None else row
        columns = summed.pop(0) if column is None and summed else column
        if summed:
            raise UnsupportedError("an array of more than two indices has no matrix form")
        found = self.own(node.arg, rows, columns)
        if row is None:
            found = OneMatrix(1, self.size(rows)) * found
        return found * OneMatrix(self.size(columns), 1) if columns is not column else found


def _elementwise(value: Expr, matrix: Expr) -> Expr:
    """A function of `ELEMENT` at each element.

    Not by `applyfunc`: in a 1×1 matrix it would put the matrix itself in the element's place.
    """
    return MatrixExpr.__new__(ElementwiseApplyFunction, Lambda(ELEMENT, value), matrix)


def _times(number: Expr, matrix: Expr) -> Expr:
    return matrix if number == 1 else MatMul(number, matrix).doit(deep=False)


def _function(name: str) -> Callable[..., Expr]:
    """A function by its name in a node: ours, SymPy's, or a slope that has only a name."""
    known = (sympy.Pow if name == "power" else getattr(m, name, None) for m in (functions, sympy))
    found: Callable[..., Expr] = next(filter(None, known), None) or Function(name)
    return found


def _parts(node: Node) -> Iterator[Node]:
    """The node and what it is made of, element by element."""
    yield node
    for part in _children(node):
        yield from _parts(part)


def _children(node: Node) -> tuple[Node, ...]:
    """What the elements of an elementwise node are made of; nothing for any other."""
    match node:
        case arrays.Apply(args=parts) | arrays.Product(factors=parts) | arrays.Terms(terms=parts):
            return parts
        case arrays.Power(base=base):
            return (base,)
    return ()


def _number(node: Node) -> Expr | None:
    """The value of a node that holds no tensor: a number, or one of sizes (`1/n`)."""
    return _scalar(node) if all(isinstance(p, ELEMENTWISE) for p in _parts(node)) else None


def _scalar(node: Node) -> Expr:
    """One element of an elementwise node of one tensor, in `ELEMENT`."""
    parts = [_scalar(part) for part in _children(node)]
    match node:
        case arrays.Apply(name=name):
            return _function(name)(*parts)
        case arrays.Product():
            return Mul(*parts)
        case arrays.Terms():
            return Add(*parts)
        case arrays.Power(exponent=exponent):
            return parts[0] ** exponent
        case arrays.Scalar(value=value):
            return value
    return ELEMENT


ELEMENTWISE = (arrays.Apply, arrays.Product, arrays.Terms, arrays.Power, arrays.Scalar)
METHODS: Mapping[type[Node], Callable[[_Matrices, Any, Slot, Slot], Expr]] = {
    arrays.Leaf: _Matrices.leaf,
    arrays.Apply: _Matrices.apply,
    arrays.Power: _Matrices.power,
    arrays.Product: _Matrices.product,
    arrays.Terms: _Matrices.terms,
    arrays.MatMul: _Matrices.matmul,
    arrays.Outer: _Matrices.outer,
    arrays.Transpose: _Matrices.transpose,
    arrays.Reduce: _Matrices.reduce,
}
