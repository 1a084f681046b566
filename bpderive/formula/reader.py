"""From the tree of a formula to an expression, node by node; a node without a reader is refused.

In: a `Source`. Out: an expression in real symbols, bounded at every node.
"""

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from functools import singledispatch

import sympy
from sympy import Add, Expr, Integer, Pow, Rational

from bpderive import functions
from bpderive.errors import quoted, suggest
from bpderive.formula.limits import (
    EXPONENTS,
    MAX_BITS,
    MAX_DIGITS,
    MAX_SCALE,
    MAX_SIZE,
    UNREAL,
    is_plain,
    size_of,
)
from bpderive.formula.source import SPACE, Source
from bpderive.functions import (
    maximum,
    minimum,
    number,
    scalar_symbol,
    select,
    signum,
    stable,
    total,
)

WHERE = "where(comparison, p, q) with one of < <= > >= in the comparison"


def parse(text: str, names: Iterable[str]) -> Expr:
    """Read a formula.

    Args:
        text: the formula, at most 500 characters.
        names: the names that may stand in it, such as `("z",)` or `("a", "y")`.

    Raises:
        SpecError: it is not such a formula, or has no finite real value.
    """
    names, calls = tuple(names), ", ".join(sorted((*FUNCTIONS, "where")))
    told = ", ".join((*names, *CONSTANTS))
    accepted = f"numbers, {told}, + - * / **, parentheses, and the functions {calls}"
    source = Source(text.translate(SPACE).strip(), names, accepted)
    return stable(_read(source.tree, source))


@singledispatch
def _read(node: ast.expr, source: Source) -> Expr:
    raise source.stranger(node)


@_read.register
def _(node: ast.Constant, source: Source) -> Expr:
    """A numeral, exactly: `0.01` is 1/100."""
    if type(node.value) not in (int, float):
        raise source.stranger(node)
    digits = source.text[node.col_offset : node.end_col_offset].replace("_", "").lower()
    if len(digits) > MAX_DIGITS:
        raise source.at(node, "the number is too long", f"at most {MAX_DIGITS} characters")
    if isinstance(node.value, int):
        return Integer(node.value)
    if abs(int(digits.partition("e")[2] or 0)) > MAX_SCALE:
        raise source.at(node, "the number is out of range", f"1e-{MAX_SCALE} to 1e{MAX_SCALE}")
    return Rational(digits)


@_read.register
def _(node: ast.Name, source: Source) -> Expr:
    if node.id in source.names:
        return scalar_symbol(node.id)
    if node.id in CONSTANTS:
        return CONSTANTS[node.id]
    if node.id in FUNCTIONS or node.id == "where":
        raise source.at(node, f"the function {node.id} needs its argument in parentheses")
    hint = suggest(node.id, (*source.names, *CONSTANTS))
    raise source.at(node, f"unknown name {quoted(node.id)}{hint}")


@_read.register
def _(node: ast.UnaryOp, source: Source) -> Expr:
    operand = _read(node.operand, source)
    if isinstance(node.op, ast.USub):
        return -operand
    if isinstance(node.op, ast.UAdd):
        return operand
    raise source.stranger(node)


@_read.register
def _(node: ast.BinOp, source: Source) -> Expr:
    left, right = _read(node.left, source), _read(node.right, source)
    operation = OPERATIONS.get(type(node.op))
    if operation is None:
        raise source.stranger(node)
    if isinstance(node.op, ast.Div) and right.is_number and number(right) == 0:
        raise source.at(node.right, "division by zero", "a divisor that is not 0")
    if isinstance(node.op, ast.Pow):
        _check_power(left, right, node, source)
    return _checked(operation(left, right), node, source)


@_read.register
def _(node: ast.Call, source: Source) -> Expr:
    if not isinstance(node.func, ast.Name):
        raise source.at(node, "only a named function can be called")
    name = node.func.id
    if name == "where":
        return _where(node, source)
    if name not in FUNCTIONS:
        hint = suggest(name, (*FUNCTIONS, "where"))
        raise source.at(node, f"unknown function {quoted(name)}{hint}")
    arity, function = FUNCTIONS[name]
    _check_arity(node, f"{name}({'u, v'[: 3 * arity - 2]})", arity, source)
    args = [_read(arg, source) for arg in node.args]
    if name == "exp":
        _check_exponent(args[0], node.args[0], source)
    if name == "sum" and (args[0].has(total) or not args[0].free_symbols):
        wanted = f"sum of what holds {' or '.join(source.names)}, and no other sum"
        raise source.at(node.args[0], "a constant and another sum cannot be summed", wanted)
    return _checked(function(*args), node, source)


@_read.register
def _(node: ast.Compare, source: Source) -> Expr:
    raise source.at(node, "a comparison stands only in where", WHERE)


def _where(node: ast.Call, source: Source) -> Expr:
    """`where(u > v, p, q) → select(u - v, p, q)`; the others swap sides or branches."""
    _check_arity(node, WHERE, 3, source)
    test, yes, no = node.args
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        raise source.at(test, "where needs a single comparison first", WHERE)
    left, right = _read(test.left, source), _read(test.comparators[0], source)
    p, q = _read(yes, source), _read(no, source)
    compare = COMPARISONS.get(type(test.ops[0]))
    if compare is None:
        raise source.stranger(test, WHERE)
    return _checked(compare(_checked(left - right, test, source), p, q), node, source)


def _check_arity(node: ast.Call, usage: str, arity: int, source: Source) -> None:
    plain = not node.keywords and not any(isinstance(arg, ast.Starred) for arg in node.args)
    if not plain or len(node.args) != arity:
        name = usage.partition("(")[0]
        raise source.at(node, f"{name} takes {arity} argument{'s'[: arity > 1]}", usage)


def _check_power(base: Expr, exponent: Expr, node: ast.BinOp, source: Source) -> None:
    """Bounds the exponent; a base that is not positive takes whole exponents only."""
    _check_exponent(exponent, node.right, source)
    constant = number(exponent) if exponent.is_number else Integer(0)
    shift = exponent.as_coeff_Add()[0]  # 2**(z + 3) becomes 8*2**z
    if not (is_plain(constant) and is_plain(shift)):
        raise source.at(node.right, "the exponent is out of bounds", EXPONENTS)
    lowest = number(base) if base.is_number else 1
    if lowest <= 0 and not (exponent.is_Integer and (lowest < 0 or exponent >= 0)):
        wanted = "a positive base, or a whole number as exponent"
        raise source.at(node.left, "such a power is not a real number", wanted)


def _check_exponent(exponent: Expr, node: ast.expr, source: Source) -> None:
    """Bounds `c` in `exp(c*log(u))`, which SymPy makes the power `u**c`."""
    for factor, rest in (term.as_coeff_Mul() for term in Add.make_args(exponent)):
        if isinstance(rest, sympy.log) and not is_plain(factor):
            raise source.at(node, "the exponent is out of bounds", EXPONENTS)


def _checked(value: Expr, node: ast.expr, source: Source) -> Expr:
    """The value itself, where it is finite, real and of bounded size."""
    if size_of(value) > MAX_SIZE:
        limit = f"at most {MAX_SIZE} numbers, names and operations when written out"
        raise source.at(node, "the formula is too large or too deeply nested", limit)
    constant = value.evalf(3) if value.is_number and not value.is_Rational else Integer(0)
    if value.has(*UNREAL) or not constant.is_Number:
        wanted = "a formula whose value is finite and real"
        raise source.at(node, "this is not a finite real number", wanted)
    longest = max((max(abs(n.p), n.q).bit_length() for n in value.atoms(Rational)), default=0)
    if longest > MAX_BITS or abs(constant) >= 2**MAX_BITS:
        wanted = f"constants of at most {MAX_BITS} bits"
        raise source.at(node, "this constant is too large or too long", wanted)
    if not all(is_plain(p.exp) for p in value.atoms(Pow) if p.exp.is_Rational):
        raise source.at(node, "powers together exceed the bounds of an exponent", EXPONENTS)
    return value


CONSTANTS: Mapping[str, Expr] = {"pi": sympy.pi, "e": sympy.E}
OPERATIONS: Mapping[type[ast.operator], Callable[[Expr, Expr], Expr]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
COMPARISONS: Mapping[type[ast.cmpop], Callable[[Expr, Expr, Expr], Expr]] = {
    ast.Gt: select,
    ast.Lt: lambda u, p, q: select(-u, p, q),
    ast.GtE: lambda u, p, q: select(-u, q, p),
    ast.LtE: lambda u, p, q: select(u, q, p),
}
FUNCTIONS: Mapping[str, tuple[int, Callable[..., Expr]]] = {
    "exp": (1, sympy.exp),
    "log": (1, sympy.log),
    "sqrt": (1, sympy.sqrt),
    "tanh": (1, functions.tanh),
    "sinh": (1, functions.sinh),
    "cosh": (1, functions.cosh),
    "sin": (1, sympy.sin),
    "cos": (1, sympy.cos),
    "erf": (1, sympy.erf),
    "abs": (1, functions.Abs),
    "sign": (1, signum),
    "sigmoid": (1, functions.sigmoid),
    "softplus": (1, functions.softplus),
    "relu": (1, lambda u: select(u, u, Integer(0))),
    "xlogy": (2, functions.xlogy),
    "max": (2, maximum),
    "min": (2, minimum),
    "sum": (1, total),
}
