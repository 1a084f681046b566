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
    Heading,
    Paragraph,
    Remark,
    Row,
    Section,
    Table,
    Words,
)
from bpderive.document.bounds import (
    Bound,
    bending,
    recurrence_bounds,
    weight_bound,
)
from bpderive.document.error import claim_error
from bpderive.document.mathematics import Formula, Indices, Value
from bpderive.document.maxima import Z, bound_of, downward, maximum, slope_of
from bpderive.document.passing import passing, short
from bpderive.document.remedies import clipping, remedies
from bpderive.document.request import Request
from bpderive.document.runs import Run
from bpderive.forms.chosen import chosen
from bpderive.forms.scalar import symbol_of
from bpderive.functions import Abs, sigmoid, tanh
from bpderive.slopes.extrema import maximal_slope
from bpderive.slopes.nodes import at_most

W, R = Symbol("w"), Symbol("r", real=True)
DEPTHS = (1, 2, 5, 10, 20)


def flow(derivation: Derivation, request: Request) -> Section:
    """Section 10: bounds, conditions, remedies."""
    rows = tuple(row for row in bending(derivation) if row.elementwise)
    blocks = (
        Paragraph(Words("flow.intro")),
        *_bounds(derivation, request),
        *passing(derivation),
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
    yield Remark(claim_error(derivation))


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
        found = {"slope": _slope(row), "largest": short(most)}
        yield Paragraph(Words("flow.powers", found | {"weight": _weights(weights)}))
    else:
        yield Paragraph(Words("flow.powers_linear", {"weight": _weights(weights)}))
    yield Table(("depth", "half", "equal", "double"), powers)
    yield Remark(Words("flow.claim_initial"))
    yield Remark(Words("flow.claim_exploding"))


def _weights(weights: tuple[Expr, ...]) -> Words:
    cells = dict(zip(("first", "second", "third"), map(short, weights), strict=True))
    return Words("flow.three", cells)


def _power(factor: Expr, depth: int) -> Value:
    power = factor**depth
    return Value(power if power.is_Integer else power.evalf(8), 3)
