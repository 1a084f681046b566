"""Elements of a network of small sizes as expressions of others, as far down as one likes.

In: equations by label, the shapes of all tensors. Out: SymPy expressions of scalars such as
`w1[1,2]`. Must not know: layers.
"""

from collections.abc import Mapping
from functools import cache

from sympy import Expr, Symbol

from bpderive.errors import UnsupportedError
from bpderive.forms.unrolled import unrolled
from bpderive.index import Equation

MAX_SYMBOLS = 50_000

Element = tuple[str, tuple[int, ...]]


class Expander:
    """Writes elements out; `table` has the equations of what is to be replaced."""

    def __init__(
        self,
        table: Mapping[str, Equation],
        shapes: Mapping[str, tuple[int, ...]],
        values: Mapping[str, Mapping[Symbol, Expr]] | None = None,
    ) -> None:
        self.table = table
        self.shapes = shapes
        self.values = values or {}
        self.value = cache(self._value)
        self.count = 0

    def element(self, label: str, at: tuple[int, ...]) -> Expr:
        """An element by its own equation, and what that refers to.

        Raises:
            UnsupportedError: it would be too long.
        """
        return self.whole(unrolled(self.table[label], at, self.shapes))

    def whole(self, expr: Expr) -> Expr:
        """An expression with everything replaced that the table has."""
        symbols = sorted(expr.free_symbols, key=str)
        return expr.xreplace({s: self.value(s) for s in symbols if s.name[0] != "_"})

    def _value(self, symbol: Symbol) -> Expr:
        self.count += 1
        if self.count > MAX_SYMBOLS:
            raise UnsupportedError("this is too long to write out: try the form index")
        label, at = parsed(str(symbol.name))
        if label in self.values:
            return self.values[label].get(symbol, 0 * symbol)
        return self.element(label, at) if label in self.table else symbol


def parsed(reference: str) -> Element:
    """`w1[1,2]` → `("w1", (1, 2))`."""
    label, _, rest = reference.partition("[")
    return label, tuple(int(k) for k in rest.rstrip("]").split(",")) if rest else ()
