"""Activations and their slopes, as the dense target writes them: in place, or as functions.

In: the rows of the catalogue that a computation uses. Out: calls, and the functions' texts. Must
not know: equations.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sympy import Expr, Symbol

from bpderive.catalog import Activation
from bpderive.forms.arrays import Leaf, lower
from bpderive.forms.trees import labels
from bpderive.functions import scalar_symbol
from bpderive.index import element
from bpderive.program import Call, Definition
from bpderive.targets.definitions import Definitions
from bpderive.targets.layout import Code, Invoke, Text
from bpderive.targets.printer import Printer
from bpderive.targets.spelling import is_mask, spell

INDEX = Symbol("_1", integer=True)


@dataclass(frozen=True)
class Functions:
    """The activations by name; `helpers` gathers what NumPy lacks."""

    activations: Mapping[str, Activation]
    used: tuple[str, ...]
    reserved: frozenset[str]
    helpers: set[str] = field(default_factory=set)

    @cached_property
    def rows(self) -> Mapping[str, Definition]:
        """A definition for each activation and each slope in use."""
        return {name: _definition(name, self.activations) for name in self.used}

    @cached_property
    def definitions(self) -> Definitions:
        return Definitions(tuple(self.rows.values()), self.reserved)

    def parameters(self, name: str) -> tuple[str, ...]:
        """What a function is of: `z`, or `z` and `a` for a slope."""
        return self.rows[name].parameters

    def call(self, name: str, args: tuple[str, ...]) -> tuple[Code, bool]:
        """The function at arrays that have names, and whether it is a mask."""
        row = self.rows[name]
        if self.definitions.written[name]:
            return Invoke(self.definitions.names[name], tuple(map(Text, args))), False
        printer = Printer(dict(zip(row.parameters, args, strict=True)), helpers=self.helpers)
        value = spell(row.value)
        if is_mask(value):
            return printer.mask(value, value.axes), True
        return printer.code(value), False

    def texts(self) -> Iterable[str]:
        """The functions that are written out."""
        yield from list(self.definitions.functions(self.helpers))

    @staticmethod
    def leaf(call: Call) -> Leaf:
        """The array that it is of."""
        return call.args[0]


def _definition(name: str, activations: Mapping[str, Activation]) -> Definition:
    row = activations[name.removesuffix("'")]
    rhs: Expr = row.slope_expr if name.endswith("'") else row.definition
    at = {scalar_symbol(letter): element(letter, (INDEX,)) for letter in "az"}
    value = lower(rhs.xreplace(at), (INDEX,))
    return Definition(name, tuple(reversed(labels(value))), value)
