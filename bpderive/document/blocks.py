"""What a document is made of: sections of blocks that hold mathematics and ids, never words.

Every writer prints these same blocks; a new kind of block is a class here and a macro in each
template. Mathematics is held as objects (`Math`), so that letters and layout are the writer's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sympy import Expr

from bpderive.forms.arrays import Node

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


@dataclass(frozen=True)
class Plain:
    """A number or a name, printed as it is (escaped)."""

    text: str


@dataclass(frozen=True)
class Near:
    """About ten to this power: a count too long to print."""

    exponent: int


Math = Formula | Matrix | Ordered | OrderedSum | Route | Shape | Update | Plain | Near


@dataclass(frozen=True)
class Words:
    """A sentence by its id, with mathematics (or another sentence) in its slots."""

    id: str
    slots: Mapping[str, "Cell"] = field(default_factory=dict)


@dataclass(frozen=True)
class Listed:
    """Several formulas with commas between them."""

    items: tuple[Formula, ...]


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


@dataclass(frozen=True)
class Table:
    """Columns by id; cells are mathematics or words."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    kind: str = "table"


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


Block = Paragraph | Items | Equations | Chain | Table | Algorithm | Listing


@dataclass(frozen=True)
class Section:
    """A titled part; `id` names its title."""

    id: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A whole derivation: its title, its sections, and the letters that name sizes in it."""

    title: Words
    sections: tuple[Section, ...]
    sizes: frozenset[str] = frozenset()
