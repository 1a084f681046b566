"""A formula given as text becomes a SymPy expression, without ever being executed.

In: a text such as `z*tanh(log(1+exp(z)))` and the names that may stand in it. Out: an expression
in real symbols (`functions.scalar_symbol`), with exact numbers, finite and real constants, and the
numerically stable atoms recognised. Anything else is a `SpecError` that names the column and what
is accepted. Must not know: networks, indices, letters, words.

Safe by construction: a whitelist of characters, then of `ast` nodes; text, nesting, numerals,
exponents and constants are bounded, so that no text takes long.
"""

import ast
import operator
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import singledispatch

import sympy
from sympy import Add, Expr, I, Integer, Pow, Rational, nan, oo, zoo

from bpderive import functions
from bpderive.errors import SpecError, quoted, suggest
from bpderive.functions import maximum, minimum, number, scalar_symbol, select, signum, stable

MAX_LENGTH = 500
MAX_NODES = 200
MAX_DEPTH = 60
MAX_DIGITS = 40
MAX_EXPONENT = 32
MAX_DENOMINATOR = 100  # of an exponent: SymPy's time grows with it
MAX_SCALE = 40  # of a numeral's e-notation
MAX_BITS = 512  # of any constant that comes out

EXPONENTS = (
    f"exponents from -{MAX_EXPONENT} to {MAX_EXPONENT}, at most two decimals or p/q, q <= 100"
)
WHERE = "where(comparison, p, q) with one of < <= > >= in the comparison"

_STRANGE = re.compile(r"[^A-Za-z0-9_+\-*/().,<>= ]")
_SPACE = str.maketrans("\t\r\n", "   ")


@dataclass(frozen=True)
class _Source:
    """The text of a formula (stripped), the names it may hold, and how its errors are told."""

    text: str
    names: tuple[str, ...]

    @property
    def accepted(self) -> str:
        names = ", ".join((*self.names, *CONSTANTS))
        calls = ", ".join(sorted((*FUNCTIONS, "where")))
        return f"numbers, {names}, + - * / **, parentheses, and the functions {calls}"

    def error(self, column: int, message: str, accepted: str = "") -> SpecError:
        where = f"formula {quoted(self.text, 60)}, column {column}"
        return SpecError.single(message, where, accepted or self.accepted)

    def at(self, node: ast.expr, message: str, accepted: str = "") -> SpecError:
        return self.error(node.col_offset + 1, message, accepted)

    def stranger(self, node: ast.expr, accepted: str = "") -> SpecError:
        text = quoted(self.text[node.col_offset : node.end_col_offset])
        return self.at(node, f"{text} does not belong in a formula", accepted)


def parse(text: str, names: Iterable[str]) -> Expr:
    """Read a formula.

    Args:
        text: the formula, at most 500 characters.
        names: the names that may stand in it, such as `("z",)` or `("a", "y")`.

    Raises:
        SpecError: it is not such a formula, or has no finite real value.
    """
    source = _Source(text.translate(_SPACE).strip(), tuple(names))
    _check_text(source)
    tree = _tree(source)
    _check_size(tree, source)
    return stable(_read(tree, source))


# --- From text to a bounded tree ---


def _check_text(source: _Source) -> None:
    text = source.text
    if not text:
        raise source.error(1, "the formula is empty")
    if len(text) > MAX_LENGTH:
        short = f"at most {MAX_LENGTH} characters"
        raise source.error(MAX_LENGTH + 1, f"the formula has {len(text)} characters", short)
    strange = _STRANGE.search(text)
    if strange is not None:
        hint = " (a power is written **)" if strange.group() == "^" else ""
        column = strange.start() + 1
        raise source.error(column, f"unexpected character {strange.group()!a}{hint}")


def _tree(source: _Source) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source.text, mode="eval").body
    except SyntaxError as error:
        raise source.error(error.offset or 1, f"not a formula: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError):
        raise source.error(1, "not a formula, or too deeply nested") from None


def _check_size(tree: ast.expr, source: _Source) -> None:
    level, count, depth = [tree], 0, 0
    while level:
        count, depth = count + len(level), depth + 1
        if count > MAX_NODES or depth > MAX_DEPTH:
            limit = f"at most {MAX_NODES} numbers, names and operations, {MAX_DEPTH} deep"
            raise source.at(level[0], "the formula is too large or too deeply nested", limit)
        level = [c for n in level for c in ast.iter_child_nodes(n) if isinstance(c, ast.expr)]


# --- From the tree to an expression ---


@singledispatch
def _read(node: ast.expr, source: _Source) -> Expr:
    raise source.stranger(node)


@_read.register
def _(node: ast.Constant, source: _Source) -> Expr:
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
def _(node: ast.Name, source: _Source) -> Expr:
    if node.id in source.names:
        return scalar_symbol(node.id)
    if node.id in CONSTANTS:
        return CONSTANTS[node.id]
    if node.id in FUNCTIONS or node.id == "where":
        raise source.at(node, f"the function {node.id} needs its argument in parentheses")
    hint = suggest(node.id, (*source.names, *CONSTANTS))
    raise source.at(node, f"unknown name {quoted(node.id)}{hint}")


@_read.register
def _(node: ast.UnaryOp, source: _Source) -> Expr:
    operand = _read(node.operand, source)
    if isinstance(node.op, ast.USub):
        return -operand
    if isinstance(node.op, ast.UAdd):
        return operand
    raise source.stranger(node)


@_read.register
def _(node: ast.BinOp, source: _Source) -> Expr:
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
def _(node: ast.Call, source: _Source) -> Expr:
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
    return _checked(function(*args), node, source)


@_read.register
def _(node: ast.Compare, source: _Source) -> Expr:
    raise source.at(node, "a comparison stands only in where", WHERE)


def _where(node: ast.Call, source: _Source) -> Expr:
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
    return compare(_checked(left - right, test, source), p, q)


def _check_arity(node: ast.Call, usage: str, arity: int, source: _Source) -> None:
    plain = not node.keywords and not any(isinstance(arg, ast.Starred) for arg in node.args)
    if not plain or len(node.args) != arity:
        name = usage.partition("(")[0]
        raise source.at(node, f"{name} takes {arity} argument{'s'[: arity > 1]}", usage)


def _check_power(base: Expr, exponent: Expr, node: ast.BinOp, source: _Source) -> None:
    """Bounds the exponent; a base that is not positive takes whole exponents only."""
    _check_exponent(exponent, node.right, source)
    constant = number(exponent) if exponent.is_number else Integer(0)
    shift = exponent.as_coeff_Add()[0]  # 2**(z + 3) becomes 8*2**z
    if not (_is_plain(constant) and _is_plain(shift)):
        raise source.at(node.right, "the exponent is out of bounds", EXPONENTS)
    lowest = number(base) if base.is_number else 1
    if lowest <= 0 and not (exponent.is_Integer and (lowest < 0 or exponent >= 0)):
        wanted = "a positive base, or a whole number as exponent"
        raise source.at(node.left, "such a power is not a real number", wanted)


def _check_exponent(exponent: Expr, node: ast.expr, source: _Source) -> None:
    """Bounds `c` in `exp(c*log(u))`, which SymPy makes the power `u**c`."""
    for factor, rest in (term.as_coeff_Mul() for term in Add.make_args(exponent)):
        if isinstance(rest, sympy.log) and not _is_plain(factor):
            raise source.at(node, "the exponent is out of bounds", EXPONENTS)


def _is_plain(exponent: Expr) -> bool:
    return abs(exponent) <= MAX_EXPONENT and getattr(exponent, "q", 1) <= MAX_DENOMINATOR


def _checked(value: Expr, node: ast.expr, source: _Source) -> Expr:
    """The value itself, where it is finite, real and of bounded size."""
    constant = value.evalf(3) if value.is_number and not value.is_Rational else Integer(0)
    if value.has(I, nan, zoo, oo, -oo) or not constant.is_Number:
        wanted = "a formula whose value is finite and real"
        raise source.at(node, "this is not a finite real number", wanted)
    longest = max((max(abs(n.p), n.q).bit_length() for n in value.atoms(Rational)), default=0)
    if longest > MAX_BITS or abs(constant) >= 2**MAX_BITS:
        wanted = f"constants of at most {MAX_BITS} bits"
        raise source.at(node, "this constant is too large or too long", wanted)
    if not all(_is_plain(p.exp) for p in value.atoms(Pow) if p.exp.is_Rational):
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
    "tanh": (1, sympy.tanh),
    "sinh": (1, sympy.sinh),
    "cosh": (1, sympy.cosh),
    "sin": (1, sympy.sin),
    "cos": (1, sympy.cos),
    "erf": (1, sympy.erf),
    "abs": (1, sympy.Abs),
    "sign": (1, signum),
    "sigmoid": (1, functions.sigmoid),
    "softplus": (1, functions.softplus),
    "relu": (1, lambda u: select(u, u, Integer(0))),
    "xlogy": (2, functions.xlogy),
    "max": (2, maximum),
    "min": (2, minimum),
    "sum": (1, functions.total),
}
