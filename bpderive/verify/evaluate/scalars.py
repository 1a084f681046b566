"""Scalar expressions and indexed sums as functions of numbers: one row for each node.

A number may have a small imaginary step in it, so that a condition looks at the real part.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any

import sympy
from sympy import Expr, Symbol
from sympy.core.function import AppliedUndef
from sympy.logic.boolalg import BooleanAtom

from bpderive.errors import DerivationError
from bpderive.functions import select, sigmoid, softplus, xlogy
from bpderive.index import Partial
from bpderive.verify.arithmetic import MP
from bpderive.verify.evaluate.indices import CONDITIONS, TESTS, index
from bpderive.verify.evaluate.numbers import At, Build, Code, CodeOf, Given
from bpderive.verify.formulas import step


def _symbol(expr: Symbol, _code_of: CodeOf) -> Code:
    name = expr.name
    return lambda numbers, at: MP.mpf(at[expr]) if expr in at else numbers.scalars[name]


def _rational(expr: Expr, _code_of: CodeOf) -> Code:
    value = MP.mpf(int(expr.p)) / int(expr.q)
    return lambda _numbers, _at: value


def _constant(expr: Expr, _code_of: CodeOf) -> Code:
    value = +{"pi": MP.pi, "E": MP.e}[str(expr)]
    return lambda _numbers, _at: value


def _infinite(_expr: Expr, _code_of: CodeOf) -> Code:
    """What stands in a branch that does not hold."""
    return lambda _numbers, _at: MP.inf


def _of(function: Callable[..., Any]) -> Build:
    def build(expr: Expr, code_of: CodeOf) -> Code:
        parts = [code_of(arg) for arg in expr.args]
        return lambda numbers, at: function(*(part(numbers, at) for part in parts))

    return build


def _add(expr: Expr, code_of: CodeOf) -> Code:
    parts = [code_of(arg) for arg in expr.args]
    return lambda numbers, at: sum(part(numbers, at) for part in parts)


def _mul(expr: Expr, code_of: CodeOf) -> Code:
    """A product; where a condition does not hold, nothing else is worked out."""
    tests = [code_of(arg) for arg in expr.args if type(arg) in TESTS]
    parts = [code_of(arg) for arg in expr.args if type(arg) not in TESTS]
    first, *rest = [*tests, *parts]
    spared = len(tests)

    def run(numbers: Given, at: At) -> Any:
        value = first(numbers, at)
        for done, part in enumerate(rest, 1):
            if done <= spared and numbers.zero and not value:
                return value
            value = value * part(numbers, at)
        return value

    return run


def _power(expr: Expr, code_of: CodeOf) -> Code:
    base = code_of(expr.base)
    if expr.exp.is_Integer:
        exponent = int(expr.exp)
        return lambda numbers, at: base(numbers, at) ** exponent
    power = code_of(expr.exp)
    return lambda numbers, at: MP.power(base(numbers, at), power(numbers, at))


def _select(expr: Expr, code_of: CodeOf) -> Code:
    """The branch that holds, by the real part: numbers may have a complex step in them."""
    u, p, q = map(code_of, expr.args)
    return lambda numbers, at: (p if MP.re(u(numbers, at)) > 0 else q)(numbers, at)


def _piecewise(expr: Expr, code_of: CodeOf) -> Code:
    pairs = [(code_of(value), code_of(test)) for value, test in expr.args]

    def run(numbers: Given, at: At) -> Any:
        return next(value for value, test in pairs if test(numbers, at))(numbers, at)

    return run


def _relation(expr: Expr, code_of: CodeOf) -> Code:
    compare = RELATIONS[expr.rel_op]
    left, right = code_of(expr.lhs), code_of(expr.rhs)
    return lambda numbers, at: compare(MP.re(left(numbers, at)), MP.re(right(numbers, at)))


def _ite(expr: Expr, code_of: CodeOf) -> Code:
    test, p, q = map(code_of, expr.args)
    return lambda numbers, at: (p if test(numbers, at) else q)(numbers, at)


def _partial(expr: Partial, code_of: CodeOf) -> Code:
    above, below = _end(expr.numerator, code_of), _end(expr.denominator, code_of)

    def run(numbers: Given, at: At) -> Any:
        if numbers.partial is None:
            raise DerivationError(f"no numbers for {expr}")
        return numbers.partial(above(numbers, at), below(numbers, at))

    return run


def _end(quantity: Expr, code_of: CodeOf) -> Callable[[Given, At], tuple[str, tuple[int, ...]]]:
    """The label and the indices of one end of a `Partial`."""
    if isinstance(quantity, Symbol):
        return lambda _numbers, _at: (quantity.name, ())
    label = quantity.base.label.name
    indices = [index(one, code_of) for one in quantity.indices]
    return lambda numbers, at: (label, tuple(i(numbers, at) for i in indices))


def _named(expr: AppliedUndef, code_of: CodeOf) -> Code:
    name, argument = expr.func.__name__, code_of(expr.args[0])

    def run(numbers: Given, at: At) -> Any:
        if numbers.named is None:
            raise DerivationError(f"no numbers for {expr}")
        return numbers.named(name, argument(numbers, at))

    return run


def absolute(u: Any) -> Any:
    """`|u|`, by the real part."""
    return u if MP.re(u) > 0 else -u


def sign(u: Any) -> Any:
    """The sign, by the real part."""
    return MP.sign(MP.re(u))


RELATIONS = {">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le}


SCALARS: Mapping[type[Any], Build] = {
    Symbol: _symbol,
    sympy.Rational: _rational,
    sympy.NumberSymbol: _constant,
    type(sympy.zoo): _infinite,
    sympy.Add: _add,
    sympy.Mul: _mul,
    sympy.Pow: _power,
    **CONDITIONS,
    sympy.Piecewise: _piecewise,
    sympy.Rel: _relation,
    sympy.Abs: _of(absolute),
    sympy.sign: _of(sign),
    sympy.Heaviside: _of(lambda u, *_: MP.mpf(MP.re(u) > 0)),
    step: _of(lambda u: MP.mpf(MP.re(u) > 0)),
    sympy.ITE: _ite,
    sympy.And: _of(lambda *tests: all(tests)),
    sympy.Or: _of(lambda *tests: any(tests)),
    sympy.Not: _of(operator.not_),
    BooleanAtom: lambda expr, _code_of: lambda _numbers, _at: bool(expr),
    select: _select,
    sigmoid: _of(lambda u: 1 / (1 + MP.exp(-u))),
    softplus: _of(lambda u: MP.log(1 + MP.exp(u))),
    xlogy: _of(lambda x, y: x * MP.log(y) if x else x),
    **{
        getattr(sympy, name): _of(getattr(MP, name))
        for name in ("exp", "log", "tanh", "sinh", "cosh", "sin", "cos", "erf")
    },
    Partial: _partial,
    AppliedUndef: _named,
}
"""Nodes of scalars."""
