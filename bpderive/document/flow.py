"""Section 10: the gradient problem, for this very network.

In: a `Derivation` and the chosen weight. Out: the bounds of its gradients, what is left of an error
layer by layer, when a layer keeps a gradient, what vanishing and exploding mean here; the remedies.
Every number comes from the maximal slopes (`slopes.extrema`). Must not know: letters, words.
"""

from collections.abc import Iterator, Mapping
from itertools import groupby

from sympy import Expr, Function, Integer, Rational, Symbol, log, sqrt

from bpderive.catalog import Activation
from bpderive.derive import Derivation
from bpderive.document.blocks import (
    Block,
    Cell,
    Equations,
    Formula,
    Heading,
    Indices,
    Layer,
    Near,
    Paragraph,
    Remark,
    Row,
    Section,
    Table,
    Value,
    Words,
)
from bpderive.document.bounds import Bound, Passed, bending, passed, recurrence_bounds, weight_bound
from bpderive.document.maxima import Z, bound_of, maximum, slope_of
from bpderive.document.remedies import clipping, remedies
from bpderive.document.request import Request
from bpderive.document.runs import Run
from bpderive.forms.chosen import chosen
from bpderive.forms.scalar import symbol_of
from bpderive.functions import Abs, sigmoid, tanh
from bpderive.slopes.extrema import maximal_slope
from bpderive.slopes.nodes import at_most

LONG = 10**6
"""A product whose fraction has a longer part is told by its power of ten."""

TALL = 100
DIGITS = 4
W, R = Symbol("w"), Symbol("r", real=True)
DEPTHS = (1, 2, 5, 10, 20)


def flow(derivation: Derivation, request: Request) -> Section:
    """Section 10: bounds, conditions, remedies."""
    rows = tuple(row for row in bending(derivation) if row.elementwise)
    blocks = (
        Paragraph(Words("flow.intro")),
        *_bounds(derivation, request),
        *_passing(derivation),
        *_keeping(rows),
        *_both_ways(rows),
        *remedies(),
        *clipping(),
    )
    return Section("flow", blocks)


# --- Bounds ---


def _bounds(derivation: Derivation, request: Request) -> Iterator[Block]:
    """The bound of the chosen weight along its paths, then all layers' by the recurrence."""
    reference = chosen(derivation, request.weight)
    yield Heading(Words("flow.bounds_title"))
    yield from _largest(derivation, request)
    bound = weight_bound(derivation, reference) if reference.name in ("w", "b") else None
    if bound is not None:
        yield Paragraph(Words("flow.weight", {"weight": Formula(symbol_of(reference))}))
        yield Equations((Row(None, Formula(bound)),))
        yield Remark(Words("flow.claim_weights"))
    yield Paragraph(Words("flow.layers"))
    for exact, group in groupby(recurrence_bounds(derivation), lambda found: found[1].exact):
        yield Equations(tuple(_row(*found, equal=exact) for found in group))
    yield Paragraph(Words("flow.then"))
    if derivation.network.spec.bias:
        yield Paragraph(Words("flow.then_bias"))
    mixing = [row.name for row in bending(derivation) if not row.elementwise]
    if mixing:
        yield Paragraph(Words("flow.mixing"))
    if "softmax" in mixing:
        yield Paragraph(Words("flow.softmax"))
    yield Remark(Words("flow.claim_error"))


def _largest(derivation: Derivation, request: Request) -> Iterator[Block]:
    """The largest slopes: with their proofs, unless another section has them."""
    rows = [row for row in bending(derivation) if row.elementwise]
    if not (request.full and "operations" in request.sections):
        for row in rows:
            yield from maximum(row)
        return
    known = [(row, bound) for row in rows if (bound := bound_of(row)) is not None]
    if known:
        yield Paragraph(Words("flow.largest", {"section": Words("section.operations")}))
        statements = (at_most(Abs(slope_of(row)), bound) for row, bound in known)
        yield Equations(tuple(Row(None, Formula(statement)) for statement in statements))


def _row(run: Run, bound: Bound, indices: Indices, *, equal: bool) -> Row:
    """An inequality, or an equation where nothing was bounded."""
    if not equal:
        statement = Formula(at_most(bound.left, bound.right), indices)
        return Row(None, statement, condition=run.words)
    left, right = (Formula(side, indices) for side in (bound.left, bound.right))
    return Row(left, right, condition=run.words)


# --- What is left of an error ---


def _passing(derivation: Derivation) -> Iterator[Block]:
    """How many slopes each layer's gradients have as factors, and their largest product."""
    found = passed(derivation)
    yield Heading(Words("flow.passing_title"))
    yield Paragraph(Words("flow.passing"))
    rows = tuple(
        (row.run.words or Layer(Integer(row.run.first)), Formula(row.count), _product(row))
        for row in found
    )
    yield Table(("layer", "slopes", "product"), rows)
    yield from _first_layer(found[0])


def _product(row: Passed) -> Cell:
    """The largest product, exact where it is short."""
    product = row.product
    if product is None:
        return Words("flow.no_bound")
    if not product.is_Rational:
        return Formula(product)
    return _short(product)


def _short(product: Expr) -> Cell:
    if (product.q < TALL and product.p < LONG) or (product.p == 1 and product.q < LONG):
        return Formula(product)
    value = product.evalf(DIGITS)
    exponent = int(log(value, 10).evalf(6).round())
    return Near(exponent) if abs(exponent) > 5 else Value(value, DIGITS)


def _first_layer(first: Passed) -> Iterator[Block]:
    """What the first layer's product says, and what is said of it elsewhere."""
    product = first.product
    if product is None or not first.slopes:
        yield Paragraph(Words("flow.unknown" if product is None else "flow.none"))
        return
    if product == 1:
        yield Paragraph(Words("flow.one"))
        return
    if max(product.p, product.q) > LONG:
        yield Paragraph(Words("flow.remains_near", {"product": _short(product)}))
    elif product < 1:
        slots = {"percent": _percent(product), "lost": _percent(1 - product)}
        yield Paragraph(Words("flow.remains", slots))
    else:
        yield Paragraph(Words("flow.grows", {"product": Value(product.evalf(8), DIGITS)}))
    if product == Rational(1, 16) and set(first.slopes) == {Rational(1, 4)}:
        yield Remark(Words("flow.claim_share"))
        yield Remark(Words("flow.claim_slip"))
    yield Remark(Words("flow.claim_count", {"count": Formula(first.count)}))


def _percent(share: Expr) -> Value:
    return Value(100 * share, DIGITS)


# --- When a layer keeps a gradient ---


def _keeping(rows: tuple[Activation, ...]) -> Iterator[Block]:
    """From which weights on a weight and a slope together are 1 at least."""
    if not rows:
        return
    yield Heading(Words("flow.keeping_title"))
    yield Paragraph(Words("flow.keeping"))
    for row in rows:
        yield from _keeps(row)


def _slope(row: Activation) -> Formula:
    return Formula(Function(f"{row.name}'")(Z))


def _keeps(row: Activation) -> Iterator[Block]:
    bound = bound_of(row)
    slots: dict[str, Cell] = {"slope": _slope(row), "weight": Formula(Abs(W))}
    if bound is None:
        yield Paragraph(Words("flow.keeps_unknown", slots))
        return
    slots |= {"largest": _short(bound), "least": _short(1 / bound)}
    yield Paragraph(Words("flow.keeps", slots))
    found = maximal_slope(row)
    solve = WHERE.get(found.parts[0].shown[0].func) if found.argument == "square" else None
    if solve is not None and found.parts[0].shown[0].args == (Z,):
        yield from _interval(row, bound, solve)


WHERE: Mapping[type[Expr], Expr] = {
    sigmoid: log((1 + R) / (1 - R)),
    tanh: log((1 + R) / (1 - R)) / 2,
}
"""The z at which the function is by the share r nearer to its limit than in its middle."""


def _interval(row: Activation, most: Expr, solved: Expr) -> Iterator[Block]:
    """For which z: `f'(z) >= 1/|w|`, solved by the completed square."""
    atom, square = maximal_slope(row).parts[0].shown
    middle, two = _vertex(atom, square, most)
    room = sqrt(most / -two)
    yield Paragraph(Words("flow.solve", {"slope": _slope(row)}))
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


# --- Both ways ---


def _both_ways(rows: tuple[Activation, ...]) -> Iterator[Block]:
    """The same factor again and again: it vanishes or explodes with the depth."""
    yield Heading(Words("flow.both_title"))
    yield Paragraph(Words("flow.both", {"n": Formula(Symbol("n"))}))
    row, most = next(((r, m) for r in rows if (m := bound_of(r))), (None, Integer(1)))
    weights = (1 / (2 * most), 1 / most, 2 / most)
    powers: tuple[tuple[Cell, ...], ...] = tuple(
        (Formula(Integer(depth)), *(_power(most * weight, depth) for weight in weights))
        for depth in DEPTHS
    )
    if row is not None:
        found = {"slope": _slope(row), "largest": _short(most)}
        yield Paragraph(Words("flow.powers", found | {"weight": _weights(weights)}))
    else:
        yield Paragraph(Words("flow.powers_linear", {"weight": _weights(weights)}))
    yield Table(("depth", "half", "equal", "double"), powers)
    yield Remark(Words("flow.claim_initial"))
    yield Remark(Words("flow.claim_exploding"))


def _weights(weights: tuple[Expr, ...]) -> Words:
    cells = dict(zip(("first", "second", "third"), map(_short, weights), strict=True))
    return Words("flow.three", cells)


def _power(factor: Expr, depth: int) -> Value:
    power = factor**depth
    return Value(power if power.is_Integer else power.evalf(8), 3)
