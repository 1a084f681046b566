"""The indices of a tensor in a file of equations: letters, several as one, arithmetic, tokens.

In: the tree of an element, a `Scope`. Out: an element with its indices; their ranges are checked.
Must not know: statements, functions.
"""

import ast
import operator
from collections.abc import Callable, Mapping

from sympy import Expr, Integer, KroneckerDelta, Mod, Mul, floor, oo

from bpderive.errors import quoted, suggest
from bpderive.functions.conditions import bracket, merged
from bpderive.index import Axis, element, size_symbol
from bpderive.modules.labels import label
from bpderive.modules.model import Declared
from bpderive.modules.scope import Scope, declared
from bpderive.modules.text import LEADING

MAX_SHIFT = 10**6


def subscript(node: ast.Subscript, scope: Scope) -> Expr:
    """An element of a tensor; zero where the tensor is an absent parameter."""
    if not isinstance(node.value, ast.Name):
        raise scope.statement.at(node, "only a tensor has indices")
    name = node.value.id
    tensor = scope.tensors.get(name)
    if tensor is None:
        told = f"unknown tensor {quoted(name)}{suggest(name, scope.tensors)}"
        raise scope.statement.at(node, told, ", ".join(scope.tensors))
    scope.used.add(name)
    items = subscripts(node, scope.leading)
    if len(items) != len(tensor.axes):
        found = f"{name} has {len(tensor.axes)} indices, and here are {len(items)}"
        raise scope.statement.at(node, found, declared(tensor))
    indices = [
        _position(item, axis, place, tensor, scope)
        for place, (item, axis) in enumerate(zip(items, tensor.axes, strict=True), 1)
    ]
    return Integer(0) if name in scope.absent else element(label(name), tuple(indices))


def subscripts(node: ast.Subscript, leading: tuple[str, ...]) -> list[ast.expr]:
    """The items between the brackets, `*` written out."""
    inner = node.slice
    items = inner.elts if isinstance(inner, ast.Tuple) and not _merged(inner) else [inner]
    found: list[ast.expr] = []
    for item in items:
        if isinstance(item, ast.Name) and item.id == LEADING:
            found += [ast.copy_location(ast.Name(letter), item) for letter in leading]
        else:
            found.append(item)
    return found


def _merged(inner: ast.Tuple) -> bool:
    """Whether the only index is a tuple in parentheses: `x[(c,t)]`."""
    return bool(inner.elts) and inner.end_col_offset != inner.elts[-1].end_col_offset


def _position(item: ast.expr, axis: Axis, place: int, tensor: Declared, scope: Scope) -> Expr:
    """One index: a letter whose range must be the axis's, several as one, or arithmetic."""
    if isinstance(item, ast.Tuple):
        letters = [_letter(part, scope) for part in item.elts]
        value = merged(*(x for k in letters for x in (scope.letters[k], scope.ranges[k])))
    elif isinstance(item, ast.Name) and item.id in scope.letters:
        letters, value = [item.id], scope.letters[item.id]
    else:
        return index(item, scope)
    found = Mul(*(scope.ranges[letter] for letter in letters))
    if found != axis.size:
        text = ",".join(letters)
        raise scope.statement.at(
            item,
            f"the index {text} runs to {found}, and index {place} of {tensor.name} to {axis.size}",
            f"{declared(tensor)}; a second letter for a range: index s: {axis.size}",
        )
    return value


def _letter(node: ast.expr, scope: Scope) -> str:
    if not isinstance(node, ast.Name) or node.id not in scope.letters:
        raise scope.statement.at(node, "an index in scope is wanted here", "/".join(scope.letters))
    return node.id


def index(node: ast.expr, scope: Scope) -> Expr:
    """An index: sums and products of letters, sizes and whole numbers, or a token.

    Raises:
        SpecError: it is none.
    """
    reader = POSITIONS.get(type(node))
    found = None if reader is None else reader(node, scope)
    if found is None:
        wanted = "letters, sizes and whole numbers with + - *, or an element of data; no values"
        raise scope.statement.at(node, "this is no index", wanted)
    return found


def _number(node: ast.Constant, _scope: Scope) -> Expr | None:
    whole = type(node.value) is int and abs(node.value) < MAX_SHIFT
    return Integer(node.value) if whole else None


def _named(node: ast.Name, scope: Scope) -> Expr | None:
    if node.id in scope.letters:
        return scope.letters[node.id]
    if node.id in scope.sizes:
        return size_symbol(node.id)
    if node.id in scope.ranges:
        told = f"the index {node.id} is free: it stands neither on the left nor in a sum"
        raise scope.statement.at(node, told, f"sum({node.id}, ...), or {node.id} on the left")
    told = f"unknown index {quoted(node.id)}"
    raise scope.statement.at(node, told, "a letter of the left side, or of a sum")


def _signed(node: ast.UnaryOp, scope: Scope) -> Expr | None:
    return -index(node.operand, scope) if isinstance(node.op, ast.USub) else None


def _computed(node: ast.BinOp, scope: Scope) -> Expr | None:
    operation = INDEX_OPERATIONS.get(type(node.op))
    if operation is None:
        return None
    return operation(index(node.left, scope), index(node.right, scope))


def _token(node: ast.Subscript, scope: Scope) -> Expr | None:
    tensor = scope.tensors.get(node.value.id) if isinstance(node.value, ast.Name) else None
    return subscript(node, scope) if tensor is not None and tensor.role == "data" else None


def condition(node: ast.List, scope: Scope) -> Expr:
    """`[i <= j]` as Iverson's bracket, `[i == j]` as Kronecker's delta."""
    wanted = "one comparison of two indices, [s <= t] or [i == j]; relu or max for one of values"
    (test,) = node.elts if len(node.elts) == 1 else (None,)
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        raise scope.statement.at(node, "a condition is wanted in these brackets", wanted)
    left, right = index(test.left, scope), index(test.comparators[0], scope)
    made = CONDITIONS.get(type(test.ops[0]))
    if made is None:
        raise scope.statement.at(node, "this comparison does not belong here", wanted)
    return made(left, right)


def _at_most(left: Expr, right: Expr) -> Expr:
    """A number goes to the bound's side: `[t % B >= 1]`."""
    return bracket(left, right, oo) if left.is_number else bracket(-oo, left, right)


INDEX_OPERATIONS: Mapping[type[ast.operator], Callable[[Expr, Expr], Expr]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: lambda left, right: floor(left / right),
    ast.Mod: Mod,
}
CONDITIONS: Mapping[type[ast.cmpop], Callable[[Expr, Expr], Expr]] = {
    ast.LtE: _at_most,
    ast.GtE: lambda left, right: _at_most(right, left),
    ast.Lt: lambda left, right: _at_most(left + 1, right),
    ast.Gt: lambda left, right: _at_most(right + 1, left),
    ast.Eq: KroneckerDelta,
}
POSITIONS: Mapping[type, Callable[..., Expr | None]] = {
    ast.Constant: _number,
    ast.Name: _named,
    ast.UnaryOp: _signed,
    ast.BinOp: _computed,
    ast.Subscript: _token,
}
