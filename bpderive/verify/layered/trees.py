"""Turns Python's syntax trees into functions: of indices, to a whole number or to a value.

In: the tree of an expression of a file of equations. Out: functions of a `Run` and of the values of
the letters. Must not know: the engine; an import contract keeps it apart.
"""

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any

from bpderive.verify.layered.reading import indices_of
from bpderive.verify.layered.running import Env, Run

Code = Callable[[Any, Env], Any]
ARITHMETIC: Mapping[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
WHOLE: Mapping[type[ast.AST], Callable[..., Any]] = {
    **ARITHMETIC,
    ast.Div: Fraction,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
RELATIONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.LtE: operator.le,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.Gt: operator.gt,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def _refuse(node: ast.AST) -> ValueError:
    return ValueError(f"the oracle does not know {ast.unparse(node)}")


# --- Indices and sizes: whole numbers, or fractions ---


@cache
def whole(node: ast.expr) -> Code:
    """An index or a size as a function."""
    for kind, build in INDICES.items():
        if isinstance(node, kind):
            return build(node)
    raise _refuse(node)


def _whole_name(node: ast.Name) -> Code:
    name = node.id
    return lambda run, env: env[name] if name in env else run.size(name)


def _whole_binary(node: ast.BinOp) -> Code:
    function, u, v = WHOLE[type(node.op)], whole(node.left), whole(node.right)
    return lambda run, env: function(u(run, env), v(run, env))


def _whole_unary(node: ast.UnaryOp) -> Code:
    function, u = WHOLE[type(node.op)], whole(node.operand)
    return lambda run, env: function(u(run, env))


def _whole_constant(node: ast.Constant) -> Code:
    if not isinstance(node.value, int):
        raise _refuse(node)
    number = node.value
    return lambda _run, _env: number


def _token(node: ast.Subscript) -> Code:
    element = value(node)
    return lambda run, env: int(element(run, env))


def _several(node: ast.Tuple) -> Code:
    parts = [whole(part) for part in node.elts]
    return lambda run, env: run.merged([part(run, env) for part in parts], node)


INDICES: Mapping[type[ast.AST], Callable[[Any], Code]] = {
    ast.Name: _whole_name,
    ast.Constant: _whole_constant,
    ast.BinOp: _whole_binary,
    ast.UnaryOp: _whole_unary,
    ast.Subscript: _token,
    ast.Tuple: _several,
}


# --- Values ---


@cache
def value(node: ast.expr) -> Code:
    """An expression as a function."""
    for kind, build in VALUES.items():
        if isinstance(node, kind):
            return build(node)
    raise _refuse(node)


def _constant(node: ast.Constant) -> Code:
    text = str(node.value)
    return lambda run, _env: run.number(text)


def _name(node: ast.Name) -> Code:
    name = node.id

    def code(run: Run, env: Env) -> Any:
        if name in run.numbers:
            return run.numbers[name]
        if name not in env and run.knows(name):
            return run.element(name, ())
        if name == "pi":
            return run.scalar("pi", [], list)
        return run.number(str(env[name] if name in env else run.size(name)))

    return code


def _unary(node: ast.UnaryOp) -> Code:
    function, u = ARITHMETIC[type(node.op)], value(node.operand)
    return lambda run, env: function(u(run, env))


def _binary(node: ast.BinOp) -> Code:
    function, u = ARITHMETIC[type(node.op)], value(node.left)
    if isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant):
        exponent = node.right.value
        if isinstance(exponent, int):
            return lambda run, env: u(run, env) ** exponent
    v = value(node.right)
    return lambda run, env: function(u(run, env), v(run, env))


def _subscript(node: ast.Subscript) -> Code:
    name = getattr(node.value, "id", "")
    indices = [whole(index) for index in indices_of(node)]
    return lambda run, env: run.element(name, tuple(index(run, env) for index in indices))


def _bracket(node: ast.List) -> Code:
    """`[i <= j]`: 1 where it holds, else 0."""
    (test,) = node.elts
    if not isinstance(test, ast.Compare):
        raise _refuse(node)
    ends = [whole(end) for end in (test.left, *test.comparators)]
    relations = [RELATIONS[type(op)] for op in test.ops]

    def code(run: Run, env: Env) -> Any:
        values = [end(run, env) for end in ends]
        pairs = zip(relations, values, values[1:], strict=False)
        return run.number(str(int(all(holds(u, v) for holds, u, v in pairs))))

    return code


def _call(node: ast.Call) -> Code:
    name = getattr(node.func, "id", "")
    if name == "stop":
        inner = value(node.args[0])
        return lambda run, env: run.hold((id(node), *sorted(env.items())), inner(run, env))
    bound = list(_bound(node))
    if name not in REDUCTIONS or not bound:
        return _function(name, node.args)
    reduced = REDUCTIONS[name](bound, node.args[len(bound) :], node)
    if name != "max":
        return reduced
    plain = _function(name, node.args)  # `max(k, u[k])`, but `max(eps, u[i])`
    return lambda run, env: (reduced if run.binds(bound[0]) else plain)(run, env)


def _bound(node: ast.Call) -> Iterator[str]:
    """The letters that come before the body: those over which it runs."""
    for arg in node.args[:-1]:
        if not isinstance(arg, ast.Name):
            return
        yield arg.id


def _function(name: str, args: list[ast.expr]) -> Code:
    inner, first = [value(arg) for arg in args], args[0]
    last = indices_of(first)[-1] if isinstance(first, ast.Subscript) else None
    letter = last.id if isinstance(last, ast.Name) else ""

    def code(run: Run, env: Env) -> Any:
        def row() -> list[Any]:
            return [inner[0](run, {**env, letter: k}) for k in run.range(letter)]

        return run.scalar(name, [one(run, env) for one in inner], row)

    return code


def _boxes(run: Run, env: Env, letters: list[str]) -> Iterator[Env]:
    for values in product(*(run.range(letter) for letter in letters)):
        yield {**env, **dict(zip(letters, values, strict=True))}


def _sum(letters: list[str], args: list[ast.expr], _node: ast.Call) -> Code:
    body = value(args[0])

    def code(run: Run, env: Env) -> Any:
        return sum((body(run, box) for box in _boxes(run, env, letters)), run.number("0"))

    return code


def _mean(letters: list[str], args: list[ast.expr], _node: ast.Call) -> Code:
    body = value(args[0])

    def code(run: Run, env: Env) -> Any:
        values = [body(run, box) for box in _boxes(run, env, letters)]
        return sum(values, run.number("0")) / run.number(str(len(values)))

    return code


def _max(letters: list[str], args: list[ast.expr], node: ast.Call) -> Code:
    body = value(args[0])

    def code(run: Run, env: Env) -> Any:
        values = [body(run, box) for box in _boxes(run, env, letters)]
        return values[run.pick((id(node), *sorted(env.items())), values)]

    return code


def _softmax(letters: list[str], args: list[ast.expr], _node: ast.Call) -> Code:
    """`exp(u_s)/Σ exp(u_s)`, over the places where the condition holds, and 0 at the others."""
    body = value(args[0])
    condition = value(args[1]) if len(args) > 1 else lambda run, _env: run.number("1")

    def term(run: Run, env: Env) -> Any:
        holds = condition(run, env)
        return run.scalar("exp", [body(run, env)], list) if holds == 1 else holds

    def code(run: Run, env: Env) -> Any:
        terms = [term(run, box) for box in _boxes(run, env, letters)]
        return term(run, env) / sum(terms, run.number("0"))

    return code


REDUCTIONS: Mapping[str, Callable[[list[str], list[ast.expr], ast.Call], Code]] = {
    "sum": _sum,
    "mean": _mean,
    "max": _max,
    "softmax": _softmax,
}
VALUES: Mapping[type[ast.AST], Callable[[Any], Code]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.Subscript: _subscript,
    ast.List: _bracket,
    ast.Call: _call,
}
