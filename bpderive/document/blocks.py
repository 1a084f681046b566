"""What a document is made of: sections of blocks that hold mathematics and ids, never words.

Every writer prints these same blocks; a new kind of block is a class here and a macro in each
template. Mathematics is held as objects (`Math`), so that letters and layout are the writer's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sympy import Expr, Symbol

from bpderive.forms.arrays import Node
from bpderive.index import Partial
from bpderive.notation import Setting

if TYPE_CHECKING:
    from bpderive.document.drawing import Drawing

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
    """An array expression, with the labels that a layer gives to the general ones."""

    node: Node
    names: Mapping[str, Expr | str] = field(default_factory=dict)


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
class Near:
    """About ten to this power: a count too long to print."""

    exponent: int


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
    """A matrix of numbers, row by row; a vector is one column."""

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
    | Near
    | Layer
    | Substituted
    | Value
    | Entries
    | Coloured
    | Equality
    | InNotation
)


@dataclass(frozen=True)
class Words:
    """A sentence by its id, with mathematics (or another sentence) in its slots."""

    id: str
    slots: Mapping[str, "Cell"] = field(default_factory=dict)


@dataclass(frozen=True)
class Listed:
    """Several formulas, or sentences, with commas between them."""

    items: tuple["Cell", ...]


Cell = Math | Words | Listed


@dataclass(frozen=True)
class Number:
    """An equation's number, `intercept + slope·ℓ` (slope 0 outside the general layer)."""

    intercept: int
    slope: int = 0


@dataclass(frozen=True)
class Row:
    """`lhs = rhs`, its number, and for which layers it holds; a statement has no `lhs`."""

    lhs: Math | None
    rhs: Math
    number: Number | None = None
    condition: Words | None = None


@dataclass(frozen=True)
class Link:
    """One more equality of a chain, with its reason."""

    rhs: Math
    reason: Words


@dataclass(frozen=True)
class Paragraph:
    """A sentence or several."""

    words: Words
    kind: str = "paragraph"


@dataclass(frozen=True)
class Items:
    """A list of sentences."""

    items: tuple[Words, ...]
    kind: str = "items"


@dataclass(frozen=True)
class Equations:
    """Equations set one under the other."""

    rows: tuple[Row, ...]
    kind: str = "equations"


@dataclass(frozen=True)
class Chain:
    """`lhs = … = …`, one step a line, each with its reason."""

    lhs: Math
    links: tuple[Link, ...]
    kind: str = "chain"


LARGE = frozenset(("factor", "ours", "theirs"))
"""Columns of mathematics that is set as large as in a display."""


@dataclass(frozen=True)
class Table:
    """Columns by id; cells are mathematics or words."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    kind: str = "table"

    @property
    def displayed(self) -> bool:
        """Whether its rows need the room of displays."""
        return not LARGE.isdisjoint(self.columns)


@dataclass(frozen=True)
class Algorithm:
    """Numbered lines of pseudo-code."""

    lines: tuple[Words, ...]
    kind: str = "algorithm"


@dataclass(frozen=True)
class Listing:
    """One equation at every value of its indices, printed line by line."""

    lhs: Expr
    rhs: Expr
    indices: Indices
    sizes: tuple[int, ...]
    kind: str = "listing"


@dataclass(frozen=True)
class Heading:
    """A title inside a section."""

    words: Words
    kind: str = "heading"


@dataclass(frozen=True)
class Remark:
    """What is set apart: a claim set right, a warning."""

    words: Words
    kind: str = "remark"


@dataclass(frozen=True)
class Figure:
    """A drawing with its caption; `id` names its file, the document gives its number."""

    id: str
    drawing: "Drawing"
    caption: Words
    alternative: Words
    number: int = 0
    kind: str = "figure"


@dataclass(frozen=True)
class Beside:
    """A small drawing with blocks at its side."""

    id: str
    drawing: "Drawing"
    alternative: Words
    blocks: tuple["Block", ...]
    kind: str = "beside"


@dataclass(frozen=True)
class Working:
    """`lhs = part = part`: a calculation, with the number of its equation."""

    lhs: Math
    parts: tuple[Math, ...]
    number: Number | None = None


@dataclass(frozen=True)
class Calculation:
    """Calculations set one under the other."""

    rows: tuple[Working, ...]
    kind: str = "calculation"


@dataclass(frozen=True)
class Code:
    """A program text, shown as it is."""

    language: str
    text: str
    kind: str = "code"


@dataclass(frozen=True)
class NotebookCell:
    """A program text that runs in a notebook; other formats leave it out."""

    text: str
    kind: str = "cell"


Block = (
    Paragraph
    | Items
    | Equations
    | Chain
    | Table
    | Algorithm
    | Listing
    | Heading
    | Remark
    | Figure
    | Beside
    | Calculation
    | Code
    | NotebookCell
)


@dataclass(frozen=True)
class Section:
    """A titled part; `id` names its title."""

    id: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A whole derivation: its title, its sections, and what its letters depend on.

    `by` are lines under the title: an author, a date.
    """

    title: Words
    sections: tuple[Section, ...]
    setting: Setting = field(default_factory=Setting)
    by: tuple[Words, ...] = ()
