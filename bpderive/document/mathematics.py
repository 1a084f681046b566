"""The mathematics in blocks: formulas, arrays, numbers, held as objects.

In: expressions of the engine. Out: `Math`, which a writer prints; letters and layout are the
writer's. Must not know: words, blocks, formats.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sympy import Expr, Symbol

from bpderive.forms.arrays import Node
from bpderive.index import Partial

Indices = tuple[Expr, ...]


@dataclass(frozen=True)
class Formula:
    """An index or scalar expression; `indices` are the free ones, in the order of their letters.

    With `samples`, the first of them counts the samples of a batch. A part of another expression
    names it in `within`, and takes its letters from there.
    """

    expr: Expr
    indices: Indices = ()
    samples: bool = False
    within: Expr | None = None


@dataclass(frozen=True)
class Matrix:
    """An array expression, with the labels that a layer gives to the general ones.

    A vector is a column, or with `rows` a row.
    """

    node: Node
    names: Mapping[str, Expr | str] = field(default_factory=dict)
    rows: bool = False


@dataclass(frozen=True)
class Ordered:
    """A product whose factors stay in the order given: a chain of partial derivatives."""

    factors: tuple[Expr, ...]


@dataclass(frozen=True)
class OrderedSum:
    """A sum of such products, one for each path."""

    products: tuple[Ordered, ...]
    more: int = 0


@dataclass(frozen=True)
class Route:
    """Quantities that follow one from the other: `x₁ → z¹₁ → a¹₁ → … → L`."""

    stops: tuple[Expr, ...]


@dataclass(frozen=True)
class Shape:
    """The sizes of a tensor: `n₁ × n₀`."""

    sizes: tuple[Expr, ...]


@dataclass(frozen=True)
class Update:
    """The statement `quantity ← quantity − η ∂L/∂quantity`."""

    quantity: Expr
    indices: Indices = ()

    @property
    def expr(self) -> Expr:
        """Its right-hand side."""
        return self.quantity - Symbol("eta") * Partial(Symbol("L"), self.quantity)


@dataclass(frozen=True)
class Plain:
    """A number or a name, printed as it is (escaped)."""

    text: str


@dataclass(frozen=True)
class Named:
    """A row of the catalogue, or a form, by its name: in the words of the language, if it has any.

    Else its own name stands, with spaces.
    """

    name: str


@dataclass(frozen=True)
class Near:
    """About ten to this power: a count too long to print; `exact`: the power itself."""

    exponent: int
    exact: bool = False


@dataclass(frozen=True)
class Layer:
    """A layer's number, as the notation counts it: some count the input as the first."""

    index: Expr


@dataclass(frozen=True)
class Substituted:
    """A scalar expression with numbers in place of its symbols, in the symbols' order.

    A number stands for a symbol by its name (`w1[1,2]`, `eta`), for a named slope as
    `gelu'(z1[1])`, for the derivative of the loss by a parameter as `dw1[1,2]`, and for a case
    (`select`) by its text.
    """

    expr: "Expr | Update"
    values: Mapping[str, Expr]
    digits: int


@dataclass(frozen=True)
class Value:
    """A number: an exact rational as it is, any other to so many significant digits."""

    number: Expr
    digits: int


@dataclass(frozen=True)
class Entries:
    """A matrix of numbers, row by row; a vector is one column, or one row."""

    rows: tuple[tuple[Expr, ...], ...]
    digits: int


@dataclass(frozen=True)
class Coloured:
    """Mathematics whose quantities have the colours of their roles, as in the figures."""

    math: "Math"


@dataclass(frozen=True)
class Equality:
    """`left = right`."""

    left: "Math"
    right: "Math"


@dataclass(frozen=True)
class InNotation:
    """Mathematics in the letters of another notation."""

    math: "Math"
    notation: str


Math = (
    Formula
    | Matrix
    | Ordered
    | OrderedSum
    | Route
    | Shape
    | Update
    | Plain
    | Named
    | Near
    | Layer
    | Substituted
    | Value
    | Entries
    | Coloured
    | Equality
    | InNotation
)
