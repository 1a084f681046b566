"""What a document is made of: sections of blocks that hold mathematics and ids, never words.

Every writer prints these same blocks; a new kind of block is a class here and a macro in each
template. Mathematics is held as objects (`Math`), so that letters and layout are the writer's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sympy import Expr

from bpderive.document.mathematics import Indices, Math
from bpderive.notation import Setting

if TYPE_CHECKING:
    from bpderive.document.drawing import Drawing


@dataclass(frozen=True)
class Words:
    """A sentence by its id, with mathematics (or another sentence) in its slots."""

    id: str
    slots: Mapping[str, "Cell"] = field(default_factory=dict)


@dataclass(frozen=True)
class Listed:
    """Several formulas, or sentences, with commas between them."""

    items: tuple["Cell", ...]


@dataclass(frozen=True)
class Command:
    """What one types, to be copied as it stands: a command, a line of a program."""

    text: str


Cell = Math | Words | Listed | Command


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
