"""Reads the catalogue's texts for the oracles: a small interpreter, apart from the engine's parser.

In: the text of a formula, and the numbers to work it out in (a `Domain`): real, complex, SymPy's
scalars, or arrays. Out: a function of the values. Must not know: the engine; an import contract
keeps it apart.
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

import sympy
from sympy import Function

from bpderive.verify.arithmetic import MP

Values = Mapping[str, Any]
Formula = Callable[[Values, Any], Any]
"""A function of an element's quantities by name, and of the whole layer's `z`."""
Thunk = Callable[[], Any]

NAMES = ("exp", "log", "sqrt", "tanh", "sinh", "cosh", "sin", "cos", "erf", "pi", "e")
"""What the functions of a domain must have."""


def _scalar_total(inner: Formula, values: Values, layer: Any) -> Any:
    return sum(inner({**values, "z": z}, layer) for z in layer)


def _choose(test: Any, p: Thunk, q: Thunk) -> Any:
    return p() if test else q()


@dataclass(frozen=True, eq=False)
class Domain:
    """The numbers that a formula is worked out in.

    `where` takes its branches as functions, so that a scalar one works out the branch that holds
    and no other; `real` is what comparisons look at; `total` is the sum over a layer.
    """

    number: Callable[[str], Any]
    functions: Any
    where: Callable[[Any, Thunk, Thunk], Any] = _choose
    real: Callable[[Any], Any] = lambda u: u
    total: Callable[[Formula, Values, Any], Any] = _scalar_total


REAL = Domain(MP.mpf, MP)
COMPLEX = Domain(MP.mpf, MP, real=MP.re)
FLOAT = Domain(float, math)


class step(Function):  # type: ignore[misc] # SymPy has no types
    """`step(u)` is 1 where u > 0, else 0: away from its jump its slope is 0.

    SymPy's `Piecewise` works out conditions, in a time without bound; its `Heaviside` has a slope
    that is no number.
    """

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """The slope."""
        return sympy.Integer(0)


def _step(test: Any, p: Thunk, q: Thunk) -> sympy.Expr:
    """`p` where the test holds, else `q`, for a test `u > v` or the like."""
    if test in (True, False):
        return p() if test else q()
    left, right = p(), q()
    return right + (left - right) * step(test.gts - test.lts)


SCALARS = Domain(
    sympy.Rational,
    SimpleNamespace(**{n: getattr(sympy, n) for n in NAMES if n != "e"}, e=sympy.E),
    where=_step,
)


@cache
def read(text: str, domain: Domain) -> Formula:
    """The function that a text describes.

    Raises:
        ValueError: the text holds something that no formula of the catalogue does.
    """
    source = " ".join(text.split())
    return _Reader(source, domain).read(ast.parse(source, mode="eval").body)


OPERATORS: Mapping[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Gt: operator.gt,
    ast.Lt: operator.lt,
    ast.GtE: operator.ge,
    ast.LtE: operator.le,
}


def _positive(d: Domain, u: Any, p: Thunk, q: Thunk) -> Any:
    return d.where(d.real(u) > 0, p, q)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": lambda d, u: _positive(d, u, lambda: u, lambda: -u),
    "sign": lambda d, u: _positive(
        d, u, lambda: 1 + 0 * u, lambda: _positive(d, -u, lambda: 0 * u - 1, lambda: 0 * u)
    ),
    "sigmoid": lambda d, u: 1 / (1 + d.functions.exp(-u)),
    "softplus": lambda d, u: d.functions.log(1 + d.functions.exp(u)),
    "relu": lambda d, u: _positive(d, u, lambda: u, lambda: 0 * u),
    "max": lambda d, u, v: _positive(d, u - v, lambda: u, lambda: v),
    "min": lambda d, u, v: _positive(d, v - u, lambda: u, lambda: v),
    "xlogy": lambda d, x, y: d.where(x == 0, lambda: 0 * x, lambda: x * d.functions.log(y)),
}
"""What the domains lack; of two equal arguments, any."""


@dataclass(frozen=True)
class _Reader:
    text: str
    domain: Domain

    def read(self, node: ast.AST) -> Formula:
        for kind, method in METHODS.items():
            if isinstance(node, kind):
                return method(self, node)
        raise ValueError(f"the oracles do not know {ast.dump(node)}")

    def constant(self, node: ast.Constant) -> Formula:
        value = self.domain.number((ast.get_source_segment(self.text, node) or "").replace("_", ""))
        return lambda _values, _layer: value

    def name(self, node: ast.Name) -> Formula:
        name = node.id
        if name in ("pi", "e"):
            value = +getattr(self.domain.functions, name)
            return lambda _values, _layer: value
        return lambda values, _layer: values[name]

    def unary(self, node: ast.UnaryOp) -> Formula:
        function, u = OPERATORS[type(node.op)], self.read(node.operand)
        return lambda values, layer: function(u(values, layer))

    def binary(self, node: ast.BinOp) -> Formula:
        function, u, v = OPERATORS[type(node.op)], self.read(node.left), self.read(node.right)
        return lambda values, layer: function(u(values, layer), v(values, layer))

    def compare(self, node: ast.Compare) -> Formula:
        function, real = COMPARISONS[type(node.ops[0])], self.domain.real
        u, v = self.read(node.left), self.read(node.comparators[0])
        return lambda values, layer: function(real(u(values, layer)), real(v(values, layer)))

    def call(self, node: ast.Call) -> Formula:
        name, domain = getattr(node.func, "id", ""), self.domain
        args = [self.read(arg) for arg in node.args]
        if name == "sum":
            return lambda values, layer: domain.total(args[0], values, layer)
        if name == "where":
            test, p, q = args
            return lambda values, layer: domain.where(
                test(values, layer), lambda: p(values, layer), lambda: q(values, layer)
            )
        if name in FUNCTIONS:
            function = FUNCTIONS[name]
            return lambda values, layer: function(domain, *(arg(values, layer) for arg in args))
        own = getattr(domain.functions, name)
        return lambda values, layer: own(args[0](values, layer))


METHODS: Mapping[type[ast.AST], Callable[[_Reader, Any], Formula]] = {
    ast.Constant: _Reader.constant,
    ast.Name: _Reader.name,
    ast.UnaryOp: _Reader.unary,
    ast.BinOp: _Reader.binary,
    ast.Compare: _Reader.compare,
    ast.Call: _Reader.call,
}
