"""SymPy expressions worked out in mpmath's numbers: scalars, indexed sums and matrices.

A table of one line a node; what is not in it raises. It takes what no form holds, too: `Partial`
and named activations, by functions that the caller gives.
"""

import operator
from dataclasses import dataclass, field
from functools import reduce
from itertools import product
from typing import Any

import sympy
from oracle import MP
from sympy import Symbol
from sympy.logic.boolalg import BooleanAtom
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction

from bpderive.functions import select, sigmoid, softplus, xlogy


@dataclass
class Values:
    """Quantities by reference text (`w1[1,2]`), sizes by name, matrices as lists of rows."""

    point: dict[str, Any]
    matrices: dict[str, list[list[Any]]] = field(default_factory=dict)
    partial: Any = None
    undefined: Any = None
    known: dict[Any, Any] = field(default_factory=dict)

    def __call__(self, expr, at=None):
        """The value at the given indices."""
        if at:
            return self.work_out(expr, at)
        if expr not in self.known:
            self.known[expr] = self.work_out(expr, {})
        return self.known[expr]

    def work_out(self, expr, at):
        for kind in type(expr).__mro__:
            if kind in TABLE:
                return TABLE[kind](self, expr, at)
        if expr.func.__name__ == "Partial":
            return self.partial(expr, at, self)
        if isinstance(expr, sympy.core.function.AppliedUndef):
            return self.undefined(expr.func.__name__, expr.args[0], at, self)
        raise AssertionError(f"no value for {type(expr).__name__}: {expr}")

    def index(self, expr, at):
        """An index or a size, as an int."""
        table = {s: at.get(s, self.point.get(s.name)) for s in expr.free_symbols}
        return int(expr.subs({s: int(v) for s, v in table.items()}))

    def name(self, expr, at):
        indices = ",".join(str(self.index(i, at)) for i in expr.indices)
        return f"{expr.base.label.name}[{indices}]"


def _symbol(values, expr, at):
    return MP.mpf(at[expr]) if expr in at else values.point[expr.name]


def _piecewise(values, expr, at):
    return next(values(value, at) for value, test in expr.args if values(test, at))


def _sum(values, expr, at):
    names = [limit[0] for limit in expr.limits]
    ranges = [range(1, values.index(limit[2], at) + 1) for limit in expr.limits]
    boxes = (at | dict(zip(names, found, strict=True)) for found in product(*ranges))
    return sum((values(expr.function, box) for box in boxes), MP.mpf(0))


def _of(function):
    return lambda values, expr, at: function(*(values(arg, at) for arg in expr.args))


def _select(values, expr, at):
    u, p, q = expr.args
    return values(p if values(u, at) > 0 else q, at)


def _power(base, exponent):
    return base ** int(exponent) if exponent == int(exponent) else MP.power(base, exponent)


# --- Matrices: lists of rows ---


def _matrix_symbol(values, expr, at):
    rows = values.matrices[expr.name]
    shape = tuple(values.index(size, at) for size in expr.shape)
    assert shape == (len(rows), len(rows[0])), f"{expr} has shape {shape}"
    return rows


def _ones(values, expr, at):
    rows, columns = (values.index(size, at) for size in expr.shape)
    return [[MP.mpf(1)] * columns for _ in range(rows)]


def _mat_mul(values, expr, at):
    numbers = [values(arg, at) for arg in expr.args if not getattr(arg, "is_Matrix", False)]
    matrices = [values(arg, at) for arg in expr.args if getattr(arg, "is_Matrix", False)]
    factor = reduce(operator.mul, numbers, MP.mpf(1))
    return each(lambda u: factor * u, reduce(_times, matrices))


def _times(left, right):
    assert len(left[0]) == len(right)
    return [
        [sum(a * b for a, b in zip(row, c, strict=True)) for c in zip(*right, strict=True)]
        for row in left
    ]


def each(function, *matrices):
    """A function of the elements at the same place."""
    return [
        [function(*elements) for elements in zip(*rows, strict=True)]
        for rows in zip(*matrices, strict=True)
    ]


def _elementwise(function):
    return lambda values, expr, at: each(function, *(values(arg, at) for arg in expr.args))


def _applied(values, expr, at):
    (variable,), body = expr.function.variables, expr.function.expr
    return each(lambda u: Values({variable.name: u})(body), values(expr.expr, at))


def _hadamard_power(values, expr, at):
    exponent = values(expr.exp, at)
    return each(lambda u: _power(u, exponent), values(expr.base, at))


TABLE = {
    Symbol: _symbol,
    sympy.Rational: lambda values, expr, at: MP.mpf(int(expr.p)) / int(expr.q),
    sympy.NumberSymbol: lambda values, expr, at: +{"pi": MP.pi, "E": MP.e}[str(expr)],
    sympy.Add: lambda values, expr, at: sum(values(arg, at) for arg in expr.args),
    sympy.Mul: lambda values, expr, at: reduce(operator.mul, (values(a, at) for a in expr.args)),
    sympy.Pow: _of(_power),
    sympy.Indexed: lambda values, expr, at: values.point[values.name(expr, at)],
    sympy.Sum: _sum,
    sympy.KroneckerDelta: lambda values, expr, at: MP.mpf(
        values.index(expr.args[0], at) == values.index(expr.args[1], at)
    ),
    sympy.Piecewise: _piecewise,
    sympy.Rel: lambda values, expr, at: {
        ">": operator.gt,
        "<": operator.lt,
        ">=": operator.ge,
        "<=": operator.le,
    }[expr.rel_op](values(expr.lhs, at), values(expr.rhs, at)),
    sympy.Abs: _of(abs),
    sympy.Heaviside: lambda values, expr, at: MP.mpf(values(expr.args[0], at) > 0),
    sympy.ITE: lambda values, expr, at: values(expr.args[1 if values(expr.args[0], at) else 2], at),
    sympy.And: lambda values, expr, at: all(values(arg, at) for arg in expr.args),
    sympy.Or: lambda values, expr, at: any(values(arg, at) for arg in expr.args),
    sympy.Not: lambda values, expr, at: not values(expr.args[0], at),
    BooleanAtom: lambda values, expr, at: bool(expr),
    sympy.sign: _of(MP.sign),
    select: _select,
    sigmoid: _of(lambda u: 1 / (1 + MP.exp(-u))),
    softplus: _of(lambda u: MP.log(1 + MP.exp(u))),
    xlogy: _of(lambda x, y: x * MP.log(y) if x else x),
    **{
        getattr(sympy, name): _of(getattr(MP, name))
        for name in ("exp", "log", "tanh", "sinh", "cosh", "sin", "cos", "erf")
    },
    sympy.MatrixSymbol: _matrix_symbol,
    sympy.OneMatrix: _ones,
    sympy.MatMul: _mat_mul,
    sympy.MatAdd: _elementwise(lambda *terms: sum(terms)),
    sympy.HadamardProduct: _elementwise(lambda *factors: reduce(operator.mul, factors)),
    sympy.HadamardPower: _hadamard_power,
    sympy.Transpose: lambda values, expr, at: [
        list(row) for row in zip(*values(expr.arg, at), strict=True)
    ],
    ElementwiseApplyFunction: _applied,
}
