"""When a layer can keep a gradient: from which weights on, and for which weighted sums.

In: activations. Out: blocks. Must not know: letters, words.
"""

from collections.abc import Callable, Iterator, Mapping
from math import isfinite

from sympy import Expr, Integer, Rational, Symbol, ceiling, floor, log, sqrt

from bpderive.catalog import Activation
from bpderive.document.blocks import (
    Block,
    Cell,
    Equations,
    Heading,
    Items,
    Paragraph,
    Row,
    Table,
    Words,
)
from bpderive.document.flow.passing import short
from bpderive.document.mathematics import Equality, Formula, Ordered, Value
from bpderive.document.maxima import Z, slope_of
from bpderive.flow.largest import bound_of
from bpderive.flow.rounding import downward, upward
from bpderive.flow.windows import U, widest, width_of, window
from bpderive.functions import Abs, sigmoid, tanh
from bpderive.slopes.extrema import maximal_slope
from bpderive.slopes.nodes import at_most

W, R = Symbol("w"), Symbol("r", real=True)
FACTORS = (Rational(5, 4), Integer(2), Integer(4))
"""Weights are so many times as large as the least."""
DIGITS = 3


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
    return Formula(slope_of(row))


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
        blocks = tuple(_solved(row, bound, *found.parts[0].shown))
        yield from blocks or _searched(row, bound)
    else:
        yield from _searched(row, bound)


def _solved(row: Activation, bound: Expr, atom: Expr, square: Expr) -> Iterator[Block]:
    """The interval, where the square is that of a function about its middle."""
    middle, two = _vertex(atom, square, bound)
    about, room, scale = WHERE.get(atom.func, (None, None, R))
    whole = (square - bound - two * (atom - middle) ** 2).expand() == 0
    if whole and two < 0 and atom.args == (Z,) and (middle, sqrt(bound / -two)) == (about, room):
        yield from _interval(row, bound, scale)
        yield from _width(row, bound, scale)


WHERE: Mapping[type[Expr], tuple[Expr, Expr, Expr]] = {
    sigmoid: (Rational(1, 2), Rational(1, 2), Integer(1)),
    tanh: (Integer(0), Integer(1), Rational(1, 2)),
}
"""Middle and half width of its range; with what `log((1 + r)/(1 - r))` is multiplied to give the z
at which it is by the share r nearer to its limit than in its middle."""


def _interval(row: Activation, most: Expr, scale: Expr) -> Iterator[Block]:
    """For which z: `f'(z) >= 1/|w|`, solved by the completed square."""
    solved = scale * log((1 + R) / (1 - R))
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
        for weight in (factor / most for factor in FACTORS)
    )
    slots = {"least": Formula(1 / most), "z": Formula(Z)}
    yield Paragraph(Words("flow.solved", slots))
    yield Table(("size_of_weight", "z_at_most"), rows)


def _width(row: Activation, most: Expr, scale: Expr) -> Iterator[Block]:
    """For which inputs x: an interval whose width has a largest value."""
    found = widest(most, scale)
    size = {"weight": Formula(Abs(W)), "x": Formula(Symbol("x"))}
    yield Paragraph(Words("flow.keep_width", {**size, "factor": Ordered((W, slope_of(row)))}))
    yield Equations((Row(None, Formula(width_of(scale, W, R))),))
    slots: dict[str, Cell] = {
        "r": Equality(Formula(R), Formula(tanh(U))),
        "shape": Formula(found.shape),
        "condition": Equality(Ordered((U, tanh(U))), Formula(Rational(1, 2))),
        "width": Value(upward(found.width, DIGITS), DIGITS),
        "size": Value(found.weight, DIGITS),
    }
    yield Paragraph(Words("flow.keep_widest", slots))


def _searched(row: Activation, most: Expr) -> Iterator[Block]:
    """For which z, in numbers: outside of the interval the slope is too small."""
    weights = [upward(factor / most, DIGITS) for factor in FACTORS]
    found = [(weight, window(row, float(1 / weight))) for weight in weights]
    items = tuple(_outside(weight, *ends) for weight, ends in found if ends is not None)
    if items:
        yield Paragraph(Words("flow.keep_numbers", {"slope": slope_cell(row)}))
        yield Items(items)


def _outside(weight: Expr, low: float, high: float) -> Words:
    """The interval, its ends rounded outwards."""
    slots: dict[str, Cell] = {"weight": Value(weight, DIGITS), "z": Formula(Z)}
    ends = {"low": _thousandth(low, floor), "high": _thousandth(high, ceiling)}
    known = {name: end for name, end in ends.items() if end is not None}
    return Words(KINDS["low" in known, "high" in known], {**slots, **known})


KINDS = {
    (True, True): "flow.keep_between",
    (True, False): "flow.keep_above",
    (False, True): "flow.keep_below",
}


def _thousandth(end: float, rounded: Callable[[Expr], Expr]) -> Cell | None:
    """An end with three decimals; what the search was wide by is no reason to round away."""
    if not isfinite(end):
        return None
    return Value(rounded(Rational(str(round(end, 7))) * 1000) / 1000, DIGITS + 1)


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
