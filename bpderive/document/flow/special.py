"""Xavier and He, derived: which variance of the weights keeps activations and deltas as they are.

In: rows of the catalogue. Out: blocks. Must not know: letters, words.
"""

from collections.abc import Iterator

from sympy import Expr, Function, Integer, Rational, Symbol, sqrt

from bpderive.catalog import CATALOG
from bpderive.document.blocks import (
    Block,
    Cell,
    Chain,
    Equations,
    Link,
    Paragraph,
    Row,
    Table,
    Words,
)
from bpderive.document.flow.quantities import (
    BELOW,
    HERE,
    MEAN,
    VARIANCE,
    WEIGHT,
    WIDTH,
    F,
    Q,
    U,
    letters,
    spread,
)
from bpderive.document.mathematics import Formula, Named, Plain
from bpderive.document.maxima import Z
from bpderive.flow.derived import squares

R = Symbol("r")
HALF = Rational(1, 2)
RELU, STEP = Function("relu"), Function("relu'")
TRUNCATED = "0.7737"
"""The variance of a normal distribution cut at two standard deviations, of variance 1 before."""


def special() -> Iterator[Block]:
    """From the equations of wide layers: Xavier, He, and what their like need."""
    yield from _xavier()
    yield from _he()
    yield from _their_like()
    slots: dict[str, Cell] = {
        **letters(s=R, low=-sqrt(3) * R, high=sqrt(3) * R),
        "share": Plain(TRUNCATED),
    }
    yield Paragraph(Words("flow.distributions", slots))


def _row(left: Expr, right: Expr) -> Row:
    return Row(Formula(left), Formula(right))


def _xavier() -> Iterator[Block]:
    """Slope 1 near 0: `n_in Var(w) = 1`, `n_out Var(w) = 1`; both only where these are equal."""
    own = VARIANCE(WEIGHT)
    yield Paragraph(Words("flow.xavier", letters(f=F(Z), z=Z, q=Q)))
    yield Equations((_row(BELOW * own, Integer(1)), _row(HERE * own, Integer(1))))
    yield Paragraph(Words("flow.xavier_mean"))
    yield Equations((_row((BELOW + HERE) / 2 * own, Integer(1)), _row(own, 2 / (BELOW + HERE))))


def _he() -> Iterator[Block]:
    """Half of a symmetric distribution is cut off: `E f² = q/2`, `E f'² = 1/2`."""
    yield Paragraph(Words("flow.he", letters(u=U)))
    links = (
        Link(Formula(HALF * MEAN(spread(Q) ** 2)), Words("flow.half")),
        Link(Formula(Q / 2), Words("flow.standard", letters(u=U))),
    )
    yield Chain(Formula(MEAN(RELU(spread(Q)) ** 2)), links)
    yield Paragraph(Words("flow.he_slope", letters(n=HERE)))
    yield Equations((_row(MEAN(STEP(spread(Q)) ** 2), HALF), _row(VARIANCE(WEIGHT), 2 / BELOW)))


def _their_like() -> Iterator[Block]:
    """Every activation of two straight lines through 0: the same factor at every variance."""
    found = [(row, exact) for row in CATALOG.activations if (exact := squares(row)) is not None]
    yield Paragraph(Words("flow.their_like", letters(n=WIDTH)))
    rows = tuple(
        (Named(row.name), Formula(taken), Formula(slope), Formula(1 / (slope * WIDTH)))
        for row, (taken, slope) in found
    )
    yield Table(("activation", "mean_taken", "mean_square", "variance"), rows)
