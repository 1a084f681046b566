"""When a layer can keep a gradient: from which weights on, and for which weighted sums.

In: activations. Out: blocks. Must not know: letters, words.
"""

from collections.abc import Iterator, Mapping

from sympy import Expr, Function, Integer, Rational, Symbol, log, sqrt

from bpderive.catalog import Activation
from bpderive.document.blocks import (
    Block,
    Cell,
    Equations,
    Heading,
    Paragraph,
    Row,
    Table,
    Words,
)
from bpderive.document.flow.passing import short
from bpderive.document.mathematics import Formula, Value
from bpderive.document.maxima import Z, bound_of, downward
from bpderive.functions import Abs, sigmoid, tanh
from bpderive.slopes.extrema import maximal_slope
from bpderive.slopes.nodes import at_most

W, R = Symbol("w"), Symbol("r", real=True)


def keeping(rows: tuple[Activation, ...]) -> Iterator[Block]:
    """From which weights on a weight and a slope together are 1 at least."""
    if not rows:
        return
    yield Heading(Words("flow.keeping_title"))
    yield Paragraph(Words("flow.keeping"))
    for row in rows:
        yield from _keeps(row)


def slope_cell(row: Activation) -> Formula:
    """`f'(z)`, by its name."""
    return Formula(Function(f"{row.name}'")(Z))


def _keeps(row: Activation) -> Iterator[Block]:
    bound = bound_of(row)
    slots: dict[str, Cell] = {"slope": slope_cell(row), "weight": Formula(Abs(W))}
    found = maximal_slope(row)
    if bound is None:
        proved = found.kind == "unbounded"
        yield Paragraph(Words("flow.keeps_boundless" if proved else "flow.keeps_unknown", slots))
        return
    if bound == 0:
        yield Paragraph(Words("flow.keeps_nothing", slots))
        return
    slots |= {"largest": short(bound), "least": short(1 / bound, downward)}
    yield Paragraph(Words("flow.keeps", slots))
    if found.value == bound and len(found.parts) == 1 and found.argument == "square":
        yield from _solved(row, bound, *found.parts[0].shown)


def _solved(row: Activation, bound: Expr, atom: Expr, square: Expr) -> Iterator[Block]:
    """The interval, where the square is that of a function about its middle."""
    middle, two = _vertex(atom, square, bound)
    about, room, solve = WHERE.get(atom.func, (None, None, R))
    whole = (square - bound - two * (atom - middle) ** 2).expand() == 0
    if whole and two < 0 and atom.args == (Z,) and (middle, sqrt(bound / -two)) == (about, room):
        yield from _interval(row, bound, solve)


WHERE: Mapping[type[Expr], tuple[Expr, Expr, Expr]] = {
    sigmoid: (Rational(1, 2), Rational(1, 2), log((1 + R) / (1 - R))),
    tanh: (Integer(0), Integer(1), log((1 + R) / (1 - R)) / 2),
}
"""Middle and half width of its range; the z at which it is by the share r nearer to its limit than
in its middle."""


def _interval(row: Activation, most: Expr, solved: Expr) -> Iterator[Block]:
    """For which z: `f'(z) >= 1/|w|`, solved by the completed square."""
    atom, square = maximal_slope(row).parts[0].shown
    middle, two = _vertex(atom, square, most)
    room = sqrt(most / -two)
    yield Paragraph(Words("flow.solve", {"slope": slope_cell(row)}))
    root = sqrt(1 - 1 / (most * Abs(W)))
    yield Equations(
        (
            Row(None, Formula(at_most(1 / Abs(W), square))),
            Row(None, Formula(at_most((atom - middle) ** 2, (most - 1 / Abs(W)) / -two))),
            Row(None, Formula(at_most(Abs(atom - middle), room * R)), condition=_with(root)),
            Row(None, Formula(at_most(Abs(Z), solved))),
        )
    )
    rows = tuple(
        (Formula(weight), Value(solved.xreplace({R: _share(most, weight)}).evalf(8), 3))
        for weight in (factor / most for factor in (Rational(5, 4), Integer(2), Integer(4)))
    )
    slots = {"least": Formula(1 / most), "z": Formula(Z)}
    yield Paragraph(Words("flow.solved", slots))
    yield Table(("size_of_weight", "z_at_most"), rows)


def _with(root: Expr) -> Words:
    return Words("flow.with", {"r": Formula(R), "root": Formula(root)})


def _share(most: Expr, weight: Expr) -> Expr:
    return sqrt(1 - 1 / (most * weight))


def _vertex(atom: Expr, square: Expr, most: Expr) -> tuple[Expr, Expr]:
    """`(v, c)` of `most + c (atom - v)²`."""
    t = Symbol("t")
    poly = (square - most).xreplace({atom: t}).as_poly(t)
    two, one, _ = poly.all_coeffs()
    return -one / (2 * two), two
