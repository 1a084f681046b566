"""From the tree of an equation's right-hand side to an index expression.

In: a tree, and a `Scope`: what may stand in it. Out: a SymPy expression over fresh indices. A node
without a reader is refused at its column; nothing is ever executed. Must not know: statements.
"""

import ast
import operator
from collections.abc import Callable, Mapping

import sympy
from sympy import Expr, Integer, Rational, Symbol

from bpderive.errors import quoted, suggest
from bpderive.formula.reader import FUNCTIONS
from bpderive.index import element, size_symbol
from bpderive.modules.binders import BINDERS, binds, bound
from bpderive.modules.functions import function
from bpderive.modules.indices import condition, subscript
from bpderive.modules.labels import label
from bpderive.modules.scope import Scope, declared

MAX_EXPONENT = 20
MAX_DIGITS = 30


def read(node: ast.expr, scope: Scope) -> Expr:
    """The value that a tree stands for.

    Raises:
        SpecError: at what does not belong there.
    """
    reader = READERS.get(type(node))
    if reader is None:
        raise scope.statement.at(node, "this does not belong in an equation", ACCEPTED)
    value = reader(node, scope)
    if value.has(sympy.zoo, sympy.nan, sympy.I):
        raise scope.statement.at(node, "this is not a finite real number")
    return value


def _constant(node: ast.Constant, scope: Scope) -> Expr:
    if type(node.value) not in (int, float) or len(str(node.value)) > MAX_DIGITS:
        raise scope.statement.at(
            node, "a number is wanted", "a whole number or a decimal, not too long"
        )
    return Integer(node.value) if isinstance(node.value, int) else Rational(str(node.value))


def _name(node: ast.Name, scope: Scope) -> Expr:
    name = node.id
    tensor = scope.tensors.get(name)
    if name in scope.absent:
        return Integer(0)
    if tensor is not None and not tensor.axes:
        scope.used.add(name)
        return element(label(name), ())
    if name in scope.numbers:
        return Symbol(label(name))
    if name in scope.sizes:
        return size_symbol(name)
    if name == "pi":
        return sympy.pi
    if tensor is not None:
        raise scope.statement.at(node, f"{name} needs its indices in brackets", declared(tensor))
    known = (*scope.tensors, *scope.numbers, *sorted(scope.sizes))
    told = "an index stands only in brackets: " if name in scope.ranges else ""
    message = f"{told}unknown name {quoted(name)}{suggest(name, known)}"
    size = f"; size {name} = 3 for a size" if name.isupper() and len(name) == 1 else ""
    accepted = f"{', '.join(known)}; number {name.lower()} = 0.5 for a constant{size}"
    raise scope.statement.at(node, message, accepted)


def _unary(node: ast.UnaryOp, scope: Scope) -> Expr:
    if not isinstance(node.op, ast.USub | ast.UAdd):
        raise scope.statement.at(node, "this does not belong in an equation", ACCEPTED)
    value = read(node.operand, scope)
    return -value if isinstance(node.op, ast.USub) else value


def _binary(node: ast.BinOp, scope: Scope) -> Expr:
    operation = OPERATIONS.get(type(node.op))
    if operation is None:
        raise scope.statement.at(node, "this sign does not belong in an equation", "+ - * / **")
    left, right = read(node.left, scope), read(node.right, scope)
    if isinstance(node.op, ast.Pow) and (not right.is_Rational or abs(right) > MAX_EXPONENT):
        limit = f"a number from -{MAX_EXPONENT} to {MAX_EXPONENT}; exp(q*log(x)) for a tensor q"
        raise scope.statement.at(node.right, "the exponent is out of bounds", limit)
    if isinstance(node.op, ast.Div) and right == 0:
        raise scope.statement.at(node.right, "division by zero")
    return operation(left, right)


def _call(node: ast.Call, scope: Scope) -> Expr:
    if not isinstance(node.func, ast.Name) or node.keywords:
        raise scope.statement.at(node, "only a named function can be called", ACCEPTED)
    name = node.func.id
    if name in BINDERS and not (name == "max" and not (node.args and binds(node.args[0], scope))):
        return bound(node, scope)
    if name in ("act", "stop") or name in scope.activations or name in FUNCTIONS:
        return function(name, node, scope)
    known = (*BINDERS, "act", "stop", *scope.activations, *FUNCTIONS)
    raise scope.statement.at(
        node, f"unknown function {quoted(name)}{suggest(name, known)}", ACCEPTED
    )


OPERATIONS: Mapping[type[ast.operator], Callable[[Expr, Expr], Expr]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
READERS: Mapping[type, Callable[..., Expr]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.Subscript: subscript,
    ast.Call: _call,
    ast.List: condition,
}
ACCEPTED = (
    "tensors with their indices, numbers, sizes, + - * / **, [i <= j], sum, mean, max, softmax, "
    "stop, exp, log, sqrt and the activations of the catalogue"
)
