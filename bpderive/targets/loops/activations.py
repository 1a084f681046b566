"""The activations and slopes of a computation, as functions of one number.

In: rows of the catalogue. Out: their formulas put in place of their calls, or as functions. Must
not know: any syntax, equations.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from sympy import Expr, Symbol
from sympy.core.function import AppliedUndef

from bpderive.catalog import Activation
from bpderive.forms.arrays import Apply, Leaf, Node, lower
from bpderive.forms.trees import transform
from bpderive.functions import scalar_symbol
from bpderive.index import element
from bpderive.program import Call, Definition
from bpderive.targets.scalars import Function
from bpderive.targets.scalars.lowering import ScalarDefinitions

INDEX = Symbol("_1", integer=True)
"""What every leaf has for its axis: nothing is repeated or transposed."""


@dataclass(frozen=True)
class Functions:
    """The activations and slopes of a computation, as functions of one number z."""

    activations: Mapping[str, Activation]
    used: tuple[str, ...]
    reserved: frozenset[str]

    @cached_property
    def definitions(self) -> ScalarDefinitions:
        """Their formulas."""
        return ScalarDefinitions(tuple(map(self.definition, self.used)), self.reserved)

    def definition(self, name: str) -> Definition:
        """The formula in z alone; where a slope's is one in a, the activation stands for it."""
        row = self.activations[name.removesuffix("'")]
        rhs = row.definition
        if name.endswith("'"):
            rhs = row.slope_expr.xreplace({scalar_symbol("a"): row.definition})
        value = lower(rhs.xreplace({scalar_symbol("z"): element("z", (INDEX,))}), (INDEX,))
        return Definition(name, ("z",), value)

    @cached_property
    def rows(self) -> Mapping[str, Definition]:
        """By name."""
        return {row.name: row for row in self.definitions.rows}

    def put_in(self, node: Node) -> Node:
        """The tree with calls of functions, or with the short ones in their stead."""
        return transform(node, self._one)

    def _one(self, node: Node) -> Node:
        if not isinstance(node, Apply) or node.name not in self.rows:
            return node
        row, (argument,) = self.rows[node.name], node.args
        if self.definitions.written[node.name]:
            return Call(node.axes, row, (argument,))  # type: ignore[arg-type] # any expression
        return transform(row.value, lambda part: argument if isinstance(part, Leaf) else part)

    def of_numbers(self) -> Iterable[Function]:
        """Those that are written out."""
        return self.definitions.of_numbers()


def used_functions(expressions: Iterable[Expr]) -> tuple[str, ...]:
    """The names of activations and slopes, a slope after its activation."""
    names: dict[str, None] = {}
    for expr in expressions:
        for call in sorted(expr.atoms(AppliedUndef), key=str):
            names[str(call.func)] = None
    return tuple(names)
