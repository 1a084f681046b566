"""One weight in full: its gradient at numbers for its indices, the sums written out.

In: a `View` and a reference. Out: blocks. A long sum is cut, and told to be. Must not know: words,
letters.
"""

from collections.abc import Iterator
from heapq import heappop, heappush
from math import prod

from sympy import Add, Expr, Integer, Mul, Sum, Symbol, expand_mul, preorder_traversal

from bpderive.document.blocks import Block, Equations, Paragraph, Row, Section, Words
from bpderive.document.layered.references import Element, chosen, first, is_derivative
from bpderive.document.layered.view import View
from bpderive.document.mathematics import Formula, Math
from bpderive.document.request import FIRST, Request
from bpderive.errors import SpecError, UnsupportedError
from bpderive.forms.unrolled import split, unrolled
from bpderive.index import Equation, indices_of
from bpderive.second.reading import of_stack
from bpderive.second.scalars import numeric_shapes

SHOWN = 12
"""At most so many terms of a sum are printed."""
LONG = 1000
"""A sum of more terms is not written out."""
ELEMENTS = 3000
"""A network with more elements of derivatives is not searched for a way to the loss."""
WIDE = 5
"""A sum of more terms is not left as a factor."""
FOLLOWED = 24
"""At most so many derivatives are followed towards the loss."""
TRIED = 400
"""At most so many derivatives are looked at for a way to the loss."""


def one_weight(view: View, request: Request) -> Section | None:
    """Section 7: the weight that is asked for, or the first there is."""
    element = wanted(view, request.weight)
    if element is None:
        return None
    return Section("weight", tuple(blocks(view, element)))


def wanted(view: View, text: str) -> Element | None:
    """The element of a text; where none was named, the first of the first parameter."""
    try:
        return chosen(view, text)
    except SpecError:
        if text != FIRST:
            raise
        return first(view)


def blocks(view: View, element: Element) -> Iterator[Block]:
    """The index form at this element, the sum written out, and one way on towards the loss."""
    equation = view.equations[element.derivative]
    weight = Formula(element.symbol)
    yield Paragraph(Words("layered.weight", {"weight": weight}))
    target = Formula(element.partial(view.stack.root))
    yield Equations((Row(target, Formula(_at(equation, element.at))),))
    try:
        ranges = numeric_shapes(of_stack(view.derivation))
        yield from _written(view, element, equation, ranges)
    except UnsupportedError:
        yield Paragraph(Words("layered.not_written"))


def _at(equation: Equation, at: tuple[int, ...]) -> Expr:
    """The right-hand side at a position, its sums as they are."""
    axes = indices_of(equation.lhs)
    parts = [k for axis, position in zip(axes, at, strict=True) for k in split(axis, position)]
    return equation.rhs.xreplace(dict(zip(equation.indices, parts, strict=True)))


Ranges = dict[str, tuple[int, ...]]


def _written(view: View, element: Element, equation: Equation, ranges: Ranges) -> Iterator[Block]:
    """The sum term by term; then a derivative in it, and so on up to the loss."""
    if _size(equation.rhs) > LONG:
        yield Paragraph(Words("layered.too_long"))
        return
    rhs = unrolled(equation, element.at, ranges)
    if rhs == 0:
        yield Paragraph(Words("layered.zero"))
        return
    yield Paragraph(_told(rhs))
    yield Equations((_cut(view, Formula(element.partial(view.stack.root)), rhs),))
    rows = tuple(_followed(view, rhs, ranges)) if _is_small(view, ranges) else ()
    if rows:
        yield Paragraph(Words("layered.followed"))
        yield Equations(rows)


def _size(expr: Expr) -> int:
    """How many terms there are at most when all sums are written out."""
    if isinstance(expr, Sum):
        sizes = [limit[2] for limit in expr.limits]
        return int(Mul(*sizes)) * _size(expr.function)
    return max(1, sum(_size(arg) for arg in expr.args if arg.has(Sum)))


def _is_small(view: View, ranges: Ranges) -> bool:
    """Whether a way through its derivatives can be looked for."""
    sent = [e for e in view.derivation.backward if is_derivative(e.label)]
    few = sum(prod(ranges[e.label]) for e in sent) <= ELEMENTS
    return few and all(_size(e.rhs) <= LONG for e in sent)


def _told(rhs: Expr) -> Words:
    count = len(Add.make_args(_spread(rhs)))
    if count == 1:
        return Words("layered.written_one")
    return Words("layered.written", {"count": Formula(Integer(count))})


def _cut(view: View, lhs: Math, rhs: Expr) -> Row:
    """A row with at most so many terms, and how many more there are."""
    rhs = _spread(rhs)
    terms = sorted(Add.make_args(rhs), key=lambda term: _first(view, term))
    if len(terms) <= SHOWN + 1:
        return Row(lhs, Formula(rhs))
    left = {"count": Formula(Integer(len(terms) - SHOWN))}
    return Row(lhs, Formula(Add(*terms[:SHOWN])), condition=Words("layered.more", left))


def _followed(view: View, rhs: Expr, ranges: Ranges) -> Iterator[Row]:
    """The equation of a derivative in an expression, of one in that, and so on up to the loss."""
    for symbol, value in _way(view, rhs, ranges)[:FOLLOWED]:
        yield _cut(view, Formula(symbol), value)


Way = tuple[tuple[Symbol, Expr], ...]


def _way(view: View, rhs: Expr, ranges: Ranges) -> Way:
    """A way to the loss on which nothing is zero, sought from what is nearest to the loss."""
    waiting: list[tuple[int, int, Expr, Way]] = [(0, 0, rhs, ())]
    seen: set[str] = set()
    while waiting and len(seen) < TRIED:
        _, _, value, way = heappop(waiting)
        ahead = [found for s in sorted(value.free_symbols, key=_order) if (found := _of(view, s))]
        if not ahead:
            return way
        for symbol, equation, at in ahead:
            if symbol.name not in seen:
                seen.add(symbol.name)
                below = unrolled(equation, at, ranges)
                if below != 0:
                    near = view.numbers[equation.label], len(seen)
                    heappush(waiting, (*near, below, (*way, (symbol, below))))
    return ()


def _of(view: View, symbol: Symbol) -> tuple[Symbol, Equation, tuple[int, ...]] | None:
    """The equation of an element of a derivative, and the values of its indices."""
    label, _, rest = symbol.name.partition("[")
    equation = view.equations.get(label)
    if equation is None or not is_derivative(label):
        return None
    at = tuple(int(k) for k in rest.rstrip("]").split(",") if k)
    return symbol, equation, at


def _spread(rhs: Expr) -> Expr:
    """Multiplied out where a long sum is a factor, or stands above a fraction's line."""
    inside = (node for node in preorder_traversal(rhs) if isinstance(node, Add) and node is not rhs)
    return expand_mul(rhs) if any(len(node.args) > WIDE for node in inside) else rhs


def _first(view: View, term: Expr) -> tuple[list[tuple[int, list[int]]], str]:
    """A term's derivatives in their order, those nearest to the loss first."""
    found = [_order(s) for s in term.free_symbols if is_derivative(s.name)]
    return sorted((view.numbers.get(label, 0), at) for label, at in found), str(term)


def _order(symbol: Symbol) -> tuple[str, list[int]]:
    """By label, then by the numbers of the indices."""
    label, _, rest = symbol.name.partition("[")
    return label, [int(k) for k in rest.rstrip("]").split(",") if k.isdigit()]
