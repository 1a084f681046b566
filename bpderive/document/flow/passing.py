"""What is left of an error: how many slopes stand on the way to a layer, and their product.

In: a `Derivation`. Out: blocks; a product of bounds is rounded up, and said to be reached only
where it is exact. Must not know: letters, words.
"""

from collections.abc import Callable, Iterator, Mapping

from sympy import Expr, Integer, ceiling, floor, log

from bpderive.catalog import Activation
from bpderive.derive import Derivation
from bpderive.document.blocks import Block, Cell, Heading, Paragraph, Remark, Table, Words
from bpderive.document.mathematics import Formula, Layer, Near, Value
from bpderive.document.runs import words_of
from bpderive.flow.largest import is_reached
from bpderive.flow.passing import Passed, on_the_way, passed
from bpderive.flow.rounding import upward
from bpderive.slopes.extrema import maximal_slope

LONG = 10**6
"""A product whose fraction has a longer part is told by its power of ten."""

TALL = 100
DIGITS = 4
FULL = 10
"""A percentage of so many decimals is given in full."""

Rounding = Callable[[Expr, int], Expr]
Slots = Mapping[str, Cell]


def passing(derivation: Derivation) -> Iterator[Block]:
    """How many slopes each layer's gradients have as factors, and their largest product."""
    found = passed(derivation)
    yield Heading(Words("flow.passing_title"))
    yield Paragraph(Words("flow.passing"))
    yield table(derivation)
    yield from _first_layer(found[0], tuple(on_the_way(derivation)))


def table(derivation: Derivation) -> Table:
    """For each run of layers, the number of slopes and their largest product."""
    rows = (
        (words_of(row.run) or Layer(Integer(row.run.first)), Formula(row.count), _product(row))
        for row in passed(derivation)
    )
    return Table(("layer", "slopes", "product"), tuple(rows))


def _product(row: Passed) -> Cell:
    """The largest product, exact where it is short."""
    product = row.product
    if product is None:
        return Words("flow.no_bound")
    if not product.is_Rational:
        return Formula(product)
    return short(product)


def short(product: Expr, rounded: Rounding = upward) -> Cell:
    """A number, exact where it is short; a bound is rounded up, unless told otherwise."""
    if (product.q < TALL and product.p < LONG) or (product.p == 1 and product.q < LONG):
        return Formula(product)
    power = log(product, 10).evalf(20)
    exponent = int(ceiling(power) if rounded is upward else floor(power))
    return Near(exponent) if abs(exponent) > 5 else Value(rounded(product, DIGITS), DIGITS)


def _first_layer(first: Passed, rows: tuple[Activation, ...]) -> Iterator[Block]:
    """What the first layer's product says, and what is said of it elsewhere."""
    product, slots = first.product, {"layer": Layer(Integer(1))}
    if product is None or not first.slopes:
        yield Paragraph(_without(rows) if product is None else Words("flow.none", slots))
        return
    if all(slope is not None and slope == 1 for slope in first.slopes):
        yield Paragraph(Words("flow.one"))
        return
    yield Paragraph(_remaining(product, slots, rows))
    if [row.name for row in rows] == ["sigmoid", "sigmoid"]:
        yield Remark(Words("flow.claim_share"))
        yield Remark(Words("flow.claim_slip"))
    yield Remark(Words("flow.claim_count", {"count": Formula(first.count), **slots}))


def _without(rows: tuple[Activation, ...]) -> Words:
    """Without a product of largest slopes: whether it is proved that there is none."""
    kinds = {maximal_slope(row).kind for row in rows if row.elementwise}
    return Words("flow.boundless" if "unbounded" in kinds else "flow.unknown")


def _remaining(product: Expr, slots: Slots, rows: tuple[Activation, ...]) -> Words:
    """What the slopes let through to the first layer."""
    if product == 0:
        return Words("flow.nothing", slots)
    if product == 1 or max(product.p, product.q) > LONG:
        return Words("flow.remains_near", {**slots, "product": short(product)})
    if product > 1:
        return Words("flow.grows", {**slots, "product": short(product)})
    percent = _percent(product)
    slots = {**slots, "percent": percent, "lost": Value(100 - percent.number, DIGITS)}
    equal = percent.number == 100 * product and all(map(is_reached, rows))
    return Words("flow.remains" if equal else "flow.remains_most", slots)


def _percent(share: Expr) -> Value:
    """A share in percent, rounded up where it is long."""
    number = 100 * share
    exact = (number * 10**FULL).is_Integer
    return Value(number if exact else upward(number, DIGITS), DIGITS)
