"""Sizes and positions as Python expressions.

In: expressions of sizes and indices. Out: `Code`. Must not know: tensors.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from sympy import Add, Expr, Integer, Mod, Mul, Pow, Symbol, floor

from bpderive.errors import UnsupportedError
from bpderive.functions.conditions import flat as position
from bpderive.functions.conditions import merged
from bpderive.index import Equation
from bpderive.targets.layout import ADD, MULTIPLY, POWER, Code, Text, chain, minus

Names = Mapping[Expr, Code]
AMBIGUOUS = {"I": "I_", "O": "O_"}
"""Sizes whose letters look like digits have other names in Python."""
NONE: Names = MappingProxyType({})


def whole(expr: Expr, names: Names = NONE) -> Code:
    """`(T - K) // S + 1`: whole numbers, sizes by their names and indices by what is given.

    Raises:
        UnsupportedError: something else stands in it.
    """
    if expr in names:
        return names[expr]
    method = METHODS.get(expr.func)
    if expr.is_Integer:
        return Text(str(expr)) if expr >= 0 else minus(Text(str(-expr)))
    if isinstance(expr, Symbol) and not expr.name.startswith("_"):
        return Text(AMBIGUOUS.get(expr.name, expr.name))
    if method is None:
        raise UnsupportedError(f"no NumPy form for the position or size {expr}")
    return method(expr, names)


def _sum(expr: Expr, names: Names) -> Code:
    terms = sorted(Add.make_args(expr), key=lambda t: (t.is_number, bool(_negative(t)), str(t)))
    first, *rest = terms
    parts = [("-", whole(-t, names)) if _negative(t) else ("+", whole(t, names)) for t in rest]
    return chain(ADD, whole(first, names), *parts)


def _negative(term: Expr) -> bool:
    return bool(term.as_coeff_Mul()[0] < 0)


def _product(expr: Expr, names: Names) -> Code:
    number, rest = expr.as_coeff_Mul()
    if not number.is_Integer:
        return _quotient(expr, names)
    if number < 0:
        return minus(whole(-expr, names))
    factors = [whole(f, names) for f in Mul.make_args(rest)]
    parts = factors if number == 1 else [whole(number), *factors]
    return chain(MULTIPLY, parts[0], *(("*", part) for part in parts[1:]))


def _quotient(expr: Expr, names: Names) -> Code:
    above, below = expr.as_numer_denom()
    return chain(MULTIPLY, whole(above, names), ("//", whole(below, names)))


def _floor(expr: Expr, names: Names) -> Code:
    above, below = expr.args[0].together().as_numer_denom()
    return chain(MULTIPLY, whole(above, names), ("//", whole(below, names)))


def _modulo(expr: Expr, names: Names) -> Code:
    above, below = (whole(arg, names) for arg in expr.args)
    return chain(MULTIPLY, above, ("%", below))


def _merged(expr: Expr, names: Names) -> Code:
    return whole(position(expr.args), names)


def _power(expr: Expr, names: Names) -> Code:
    if not expr.exp.is_Integer or expr.exp < 0:
        raise UnsupportedError(f"no NumPy form for the position or size {expr}")
    return chain(POWER, whole(expr.base, names), ("**", whole(expr.exp)))


def ranges_of(equation: Equation) -> dict[Symbol, Expr]:
    """The range of each free index."""
    return dict(zip(equation.indices, equation.sizes, strict=True))


METHODS: Mapping[type[Expr], Callable[[Expr, Names], Code]] = {
    Add: _sum,
    Mul: _product,
    floor: _floor,
    Mod: _modulo,
    merged: _merged,
    Pow: _power,
}


def product(sizes: tuple[Expr, ...]) -> str:
    """The product of sizes: a number, or `N * 3`."""
    return whole(Mul(*sizes) if sizes else Integer(1)).flat
