"""What is done against vanishing and exploding gradients: what each remedy changes, and why.

In: nothing. Out: blocks: the activations side by side, initialisation, normalisation, residual
layers, fewer layers. Must not know: letters, words.
"""

from collections.abc import Iterator
from itertools import zip_longest

from sympy import Function, Pow, Rational, Symbol, pi, sqrt

from bpderive.catalog import CATALOG, Activation
from bpderive.document.blocks import (
    Block,
    Cell,
    Chain,
    Equations,
    Heading,
    Link,
    Paragraph,
    Remark,
    Row,
    Table,
    Words,
)
from bpderive.document.flow.quantities import (
    CHI,
    GAIN,
    MEAN,
    SLOPE,
    VARIANCE,
    F,
    U,
    letters,
)
from bpderive.document.mathematics import Formula, Named, Plain, Value
from bpderive.document.maxima import Z
from bpderive.flow.largest import bound_of
from bpderive.slopes.extrema import maximal_slope

R, FACTOR = Symbol("r"), Symbol("c")
BRANCH, V = Symbol("u"), Symbol("v")
"""The slopes of two branches."""
RELU = Function("relu'")
BLOCKS, LAYERS = Symbol("B"), Symbol("m", integer=True)


def remedies() -> Iterator[Block]:
    """Another activation, initialisation, normalisation, residual layers, fewer layers."""
    yield Heading(Words("flow.remedies_title"))
    yield from _activations()
    yield Paragraph(Words("flow.initial"))
    yield from _normalisation()
    yield from _residual()
    yield from _fixup()
    yield Paragraph(Words("flow.shallower", letters(chi=CHI)))


def _activations() -> Iterator[Block]:
    yield Paragraph(Words("flow.activations"))
    cells: list[tuple[Cell, Cell]] = [
        (Named(row.name), _largest(row)) for row in CATALOG.activations if row.elementwise
    ]
    half = (len(cells) + 1) // 2
    pairs = zip_longest(cells[:half], cells[half:], fillvalue=(Plain(""), Plain("")))
    rows = tuple((*left, *right) for left, right in pairs)
    yield Table(("activation", "largest_slope") * 2, rows)
    relu = Formula(RELU(Z))
    yield Remark(Words("flow.claim_relu", {"slope": relu, "z": Formula(Z)}))


def _largest(row: Activation) -> Cell:
    bound, found = bound_of(row), maximal_slope(row)
    if bound is None or found.value is None:
        return Words("flow.unbounded" if found.kind == "unbounded" else "flow.no_bound")
    return Formula(bound) if bound == found.value else Value(found.value.evalf(12), 6)


def _normalisation() -> Iterator[Block]:
    """`χ = n Var(w) E f'² / s²`, and s² holds the same `n Var(w)`."""
    mean, deviation = MEAN(Z), sqrt(VARIANCE(Z))
    slots = letters(m=mean, s=deviation, k=FACTOR, z=Z, normal=(Z - mean) / deviation)
    yield Paragraph(Words("flow.normal", slots))
    varied = VARIANCE(F(U))
    yield Paragraph(Words("flow.normal_then", letters(u=U, z=Z, varied=GAIN * varied)))
    links = (
        Link(Formula(GAIN * MEAN(SLOPE(U) ** 2) / VARIANCE(Z)), Words("flow.normal_factor")),
        Link(Formula(MEAN(SLOPE(U) ** 2) / varied), Words("flow.cancelled")),
    )
    yield Chain(Formula(CHI), links)
    yield Paragraph(Words("flow.normal_relu"))
    relu = Rational(1, 2) - 1 / (2 * pi)
    rows = ((VARIANCE(Function("relu")(U)), relu), (CHI, pi / (pi - 1)))
    yield Equations(tuple(Row(Formula(left), Formula(right)) for left, right in rows))
    about = Value((pi / (pi - 1)).evalf(10), 4)
    yield Paragraph(Words("flow.normal_explodes", {"chi": about}))
    layer = MEAN(SLOPE(U) ** 2) / MEAN(F(U) ** 2)
    yield Paragraph(Words("flow.layer_normal"))
    yield Equations((Row(Formula(CHI), Formula(layer)),))
    yield Paragraph(Words("flow.layer_normal_relu"))


def _residual() -> Iterator[Block]:
    """`(1 + u)(1 + v) = 1 + u + v + uv`; in the mean square `(1 + r)^B`."""
    yield Paragraph(Words("flow.residual", letters(u=BRANCH, v=V, product=BRANCH * V)))
    product = (1 + BRANCH) * (1 + V)
    yield Equations((Row(Formula(product), Formula(product.expand())),))
    yield Paragraph(Words("flow.residual_one"))
    yield Paragraph(Words("flow.residual_mean"))
    links = (
        Link(Formula(1 + 2 * MEAN(BRANCH) + MEAN(BRANCH**2)), Words("flow.multiplied_out")),
        Link(Formula(1 + R), Words("flow.branch_square", letters(r=R, u=BRANCH))),
    )
    yield Chain(Formula(MEAN((1 + BRANCH) ** 2)), links)
    yield Paragraph(
        Words("flow.residual_power", letters(power=(1 + R) ** BLOCKS, r=R, blocks=BLOCKS))
    )


def _fixup() -> Iterator[Block]:
    """The other layers of a branch: the product of the squares of their scales is 1/B."""
    scale = BLOCKS ** (-1 / (2 * LAYERS - 2))
    yield Paragraph(Words("flow.fixup", letters(blocks=BLOCKS, layers=LAYERS, scale=scale)))
    yield Paragraph(Words("flow.fixup_why"))
    power = Pow(scale, 2 * LAYERS - 2, evaluate=False)
    yield Equations((Row(Formula(power), Formula(1 / BLOCKS)),))
    yield Paragraph(Words("flow.fixup_step", letters(blocks=BLOCKS)))
