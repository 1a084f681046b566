"""What binds an index in a file of equations: sum, mean, max and softmax.

In: the tree of a call, a `Scope`, and what reads an expression. Out: an index expression. Must not
know: statements.
"""

import ast
import re
from collections.abc import Callable, Mapping

import sympy
from sympy import Expr, Mul, Sum

from bpderive.functions.conditions import first_largest
from bpderive.index import size_symbol, sum_over
from bpderive.modules.scope import Scope


def bound(node: ast.Call, scope: Scope) -> Expr:
    """`sum`, `mean`, `max` and `softmax`: the indices, then the body."""
    name = node.func.id  # type: ignore[attr-defined]
    count = 1 if name == "softmax" else max(len(node.args) - 1, 1)
    letters = []
    for arg in node.args[:count]:
        if not isinstance(arg, ast.Name) or not binds(arg, scope):
            raise scope.statement.at(arg, f"{name} wants an index first", f"{name}(k, ...)")
        letters.append(arg.id)
    if len(node.args) not in ((2, 3) if name == "softmax" else (count + 1,)):
        raise scope.statement.at(
            node, f"{name} wants an index, then what it is of", f"{name}(k, x[k])"
        )
    if len(set(letters)) < len(letters):
        raise scope.statement.at(node, "an index is there twice")
    try:
        return BINDERS[name](letters, node, scope)
    except RecursionError:
        raise scope.statement.at(node, "too deeply nested") from None


def binds(arg: ast.expr, scope: Scope) -> bool:
    """Whether an argument is an index: a small letter that is no tensor and no number."""
    if not isinstance(arg, ast.Name) or not re.fullmatch(r"[a-z]", arg.id):
        return False
    tensor = scope.tensors.get(arg.id)
    if (tensor is not None and not tensor.axes) or arg.id in scope.numbers:
        return False
    size = scope.ranges.setdefault(arg.id, size_symbol(arg.id.upper()))
    scope.sizes.add(str(size))
    return True


def _summed(letters: list[str], node: ast.Call, scope: Scope) -> Expr:
    inner = _inside(letters, node, scope)
    value = inner.reads(node.args[-1], inner)
    for symbol, _, size in reversed(inner.limits(letters)):
        value = sum_over(value, symbol, size)
    return value


def _inside(letters: list[str], node: ast.Call, scope: Scope) -> Scope:
    for letter, arg in zip(letters, node.args, strict=False):
        if letter in scope.letters:
            told = f"the index {letter} is taken already, on the left or by a sum around this one"
            raise scope.statement.at(arg, told, f"another letter: index s: {scope.ranges[letter]}")
    return scope.binding(letters)


def _mean(letters: list[str], node: ast.Call, scope: Scope) -> Expr:
    return _summed(letters, node, scope) / Mul(*(scope.ranges[letter] for letter in letters))


def _largest(letters: list[str], node: ast.Call, scope: Scope) -> Expr:
    """`max(k, body) → sum(k, s*body)`, with a tensor `s` that is 1 at the first largest."""
    outer, inner = _inside(letters, node, scope), _inside(letters, node, scope)
    body = outer.reads(node.args[-1], outer)
    symbols = {letter: outer.letters[letter] for letter in letters}
    if isinstance(body, Sum):  # SymPy would make one sum of it and the one that binds the search
        body = scope.stage(body, "u", symbols)
        again = body.xreplace({outer.letters[letter]: inner.letters[letter] for letter in letters})
    else:
        again = inner.reads(node.args[-1], inner)
    sought = Sum(again, *reversed(inner.limits(letters)))
    chosen = scope.stage(first_largest(*symbols.values(), sought), "s", symbols)
    value = chosen * body
    for symbol, _, size in reversed(outer.limits(letters)):
        value = sum_over(value, symbol, size)
    return value


def _softmax(letters: list[str], node: ast.Call, scope: Scope) -> Expr:
    (letter,) = letters
    if letter not in scope.letters:
        raise scope.statement.at(node, f"the index {letter} of a softmax stands on the left too")
    inner = scope.binding(letters)
    parts = [[each.reads(arg, each) for arg in node.args[1:]] for each in (scope, inner)]
    top, below = (Mul(sympy.exp(part[0]), *part[1:]) for part in parts)
    return top / sum_over(below, inner.letters[letter], scope.ranges[letter])


BINDERS: Mapping[str, Callable[[list[str], ast.Call, Scope], Expr]] = {
    "sum": _summed,
    "mean": _mean,
    "max": _largest,
    "softmax": _softmax,
}
