"""The sizes and numbers that a file of equations declares.

In: trees and texts of declarations. Out: SymPy's numbers and sizes. Must not know: tensors.
"""

import ast
import re
from fractions import Fraction

from sympy import Expr, Integer, Rational, floor

from bpderive.index import size_symbol
from bpderive.modules.text import Statement

LARGEST = 10**6
LONGEST = 30


def size(node: ast.expr, statement: Statement) -> Expr:
    """A size: capital letters and whole numbers with + - * //."""
    if isinstance(node, ast.Constant) and type(node.value) is int and abs(node.value) < LARGEST:
        return Integer(node.value)
    if isinstance(node, ast.Name) and re.fullmatch(r"[A-Z]", node.id):
        return size_symbol(node.id)
    if isinstance(node, ast.BinOp):
        left, right = size(node.left, statement), size(node.right, statement)
        operations = {ast.Add: left + right, ast.Sub: left - right, ast.Mult: left * right}
        if type(node.op) in operations:
            return operations[type(node.op)]
        if isinstance(node.op, ast.FloorDiv) and right != 0:
            return floor(left / right)
    raise statement.at(node, "this is no size", "capital letters and whole numbers with + - * //")


def number(text: str) -> Rational | None:
    """A decimal or a quotient, exactly; None where it is neither, or too large."""
    try:
        found = Fraction(text.strip()) if len(text) < LONGEST else None
    except (ValueError, ZeroDivisionError):
        return None
    if found is None or abs(found) > LARGEST**2:
        return None
    return Rational(found.numerator, found.denominator)
