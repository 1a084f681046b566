"""Matrix expressions as functions of numbers, lists of rows: one row for each node."""

import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import sympy
from sympy import Expr
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction

from bpderive.errors import DerivationError
from bpderive.verify.arithmetic import MP
from bpderive.verify.evaluate.indices import index
from bpderive.verify.evaluate.numbers import At, Build, Code, CodeOf, Given, Rows


def _matrix_symbol(expr: Expr, code_of: CodeOf) -> Code:
    sizes = [index(size, code_of) for size in expr.shape]

    def run(numbers: Given, at: At) -> Rows:
        rows = numbers.matrices[expr.name]
        shape = tuple(size(numbers, at) for size in sizes)
        if shape != (len(rows), len(rows[0])):
            raise DerivationError(f"{expr} has shape {shape}, its numbers another")
        return rows

    return run


def _ones(expr: Expr, code_of: CodeOf) -> Code:
    height, width = (index(size, code_of) for size in expr.shape)
    return lambda numbers, at: [[MP.mpf(1)] * width(numbers, at)] * height(numbers, at)


def _identity(expr: Expr, code_of: CodeOf) -> Code:
    size = index(expr.shape[0], code_of)

    def run(numbers: Given, at: At) -> Rows:
        order = range(size(numbers, at))
        return [[MP.mpf(i == j) for j in order] for i in order]

    return run


def _mat_mul(expr: Expr, code_of: CodeOf) -> Code:
    matrices = [code_of(arg) for arg in expr.args if getattr(arg, "is_Matrix", False)]
    factors = [code_of(arg) for arg in expr.args if not getattr(arg, "is_Matrix", False)]

    def run(numbers: Given, at: At) -> Rows:
        factor = reduce(operator.mul, (f(numbers, at) for f in factors), MP.mpf(1))
        found: Rows = reduce(_times, (matrix(numbers, at) for matrix in matrices))
        return each(lambda u: factor * u, found)

    return run


def _times(left: Rows, right: Rows) -> Rows:
    if len(left[0]) != len(right):
        raise DerivationError(f"a product of {len(left[0])} columns and {len(right)} rows")
    columns = list(zip(*right, strict=True))
    return [[sum(a * b for a, b in zip(row, c, strict=True)) for c in columns] for row in left]


def each(function: Callable[..., Any], *matrices: Rows) -> Rows:
    """A function of the elements at the same place."""
    return [
        [function(*elements) for elements in zip(*rows, strict=True)]
        for rows in zip(*matrices, strict=True)
    ]


def _elementwise(function: Callable[..., Any]) -> Build:
    def build(expr: Expr, code_of: CodeOf) -> Code:
        parts = [code_of(arg) for arg in expr.args]
        return lambda numbers, at: each(function, *(part(numbers, at) for part in parts))

    return build


def _applied(expr: Expr, code_of: CodeOf) -> Code:
    (variable,), body = expr.function.variables, code_of(expr.function.expr)
    argument = code_of(expr.expr)

    def run(numbers: Given, at: At) -> Rows:
        found: Rows = argument(numbers, at)
        return each(lambda u: body(Given({variable.name: {(): u}}), {}), found)

    return run


def _hadamard_power(expr: Expr, code_of: CodeOf) -> Code:
    base, exponent = map(code_of, expr.args)

    def run(numbers: Given, at: At) -> Rows:
        power = exponent(numbers, at)
        return each(lambda u: MP.power(u, power), base(numbers, at))

    return run


def _transpose(expr: Expr, code_of: CodeOf) -> Code:
    arg = code_of(expr.arg)
    return lambda numbers, at: [list(row) for row in zip(*arg(numbers, at), strict=True)]


MATRICES: Mapping[type[Any], Build] = {
    sympy.MatrixSymbol: _matrix_symbol,
    sympy.OneMatrix: _ones,
    sympy.Identity: _identity,  # SymPy's name for a 1×1 matrix of ones
    sympy.MatMul: _mat_mul,
    sympy.MatAdd: _elementwise(lambda *terms: sum(terms)),
    sympy.HadamardProduct: _elementwise(lambda *factors: reduce(operator.mul, factors)),
    sympy.HadamardPower: _hadamard_power,
    sympy.Transpose: _transpose,
    ElementwiseApplyFunction: _applied,
}
"""Nodes of matrices."""
