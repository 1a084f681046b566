"""Functions in a file of equations: activations, `act`, `stop`, and those of formulas.

In: the tree of a call, a `Scope`. Out: an index expression; a sum inside a function becomes an
equation of its own. Must not know: statements.
"""

import ast

import sympy
from sympy import Expr, Function, Sum

from bpderive.catalog import Activation
from bpderive.formula.reader import FUNCTIONS
from bpderive.functions import scalar_symbol, total
from bpderive.functions.conditions import fixed
from bpderive.index import sum_over
from bpderive.modules.scope import Scope


def function(name: str, node: ast.Call, scope: Scope) -> Expr:
    """A function of values: an activation by its name, another by its formula."""
    arity = FUNCTIONS[name][0] if name in FUNCTIONS and name not in scope.activations else 1
    if len(node.args) != arity:
        raise scope.statement.at(node, f"{name} takes {arity} argument{'s'[: arity > 1]}")
    args = [scope.reads(arg, scope) for arg in node.args]
    if name == "stop":
        return fixed(args[0])
    if name in scope.activations or name == "act":
        row = scope.activations[name] if name != "act" else scope.activation
        return args[0] if row is None else activated(row, _staged(args[0], scope), node, scope)
    staged = [_staged(arg, scope) if arity == 1 and name != "sqrt" else arg for arg in args]
    return FUNCTIONS[name][1](*staged)


def _staged(arg: Expr, scope: Scope) -> Expr:
    """One nonlinearity, one equation: a sum inside it is computed before."""
    return scope.stage(arg, "z", {}) if arg.has(Sum) else arg


def activated(row: Activation, value: Expr, node: ast.expr, scope: Scope) -> Expr:
    """An activation at a value: by name when elementwise, else by formula along the last axis."""
    if row.name == "linear":
        return value
    scope.chosen[row.name] = row
    if row.elementwise:
        return Function(row.name)(value)
    last = value.indices[-1] if isinstance(value, sympy.Indexed) else None
    letters = [letter for letter, symbol in scope.letters.items() if symbol == last]
    if not letters:
        raise scope.statement.at(node, f"{row.name} needs a tensor whose last index is a letter")
    argument, inner = scalar_symbol("z"), scope.fresh(letters[0])
    table = {
        found: sum_over(
            found.args[0].xreplace({argument: value.xreplace({last: inner})}),
            inner,
            scope.ranges[letters[0]],
        )
        for found in row.definition.atoms(total)
    }
    return row.definition.xreplace(table).xreplace({argument: value})
