"""How `select(u, p, q)`, which is p where u > 0 and else q, reads on paper.

In: a node, through a `View` that opens it. Out: `max(0, z)`, `[z > 0]`, or cases whose conditions
do not overlap: `1 − |u| > 0` reads `|u| < 1`. Must not know: what a node is.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from bpderive.render.pieces import Piece, flipped, merged
from bpderive.render.syntax import Syntax

NEGATED = {"<": ">=", ">": "<=", "<=": ">", ">=": "<"}
BELOW = {"<": "<", "<=": "<=", ">": "<", ">=": "<="}
ZERO = Piece("0", kind="number")


class View(NamedTuple):
    """How to look into a node: the arguments of a `select`, or None; its terms; all of it."""

    args: Callable[[Any], tuple[Any, Any, Any] | None]
    terms: Callable[[Any], list[Piece]]
    whole: Callable[[Any], Piece]


class Bound(NamedTuple):
    """`left relation right`."""

    left: str
    relation: str
    right: str

    def negated(self) -> "Bound":
        """The same with the opposite relation."""
        return self._replace(relation=NEGATED[self.relation])


def chosen(node: Any, view: View, syntax: Syntax) -> Piece:
    """A `select` as cases, or as the indicator of its condition."""
    view = View(view.args, cache(view.terms), cache(view.whole))
    rows = list(_rows(node, view, syntax))
    values = [value for value, _ in rows]
    place, key = merged(_everything(node, view)), values[0].key
    held = [tests for value, tests in rows if value.text == "1" and not value.negative]
    if len(held) == 1 and sum(value.text == "0" for value in values) == len(rows) - 1:
        return Piece(syntax.iverson(conditions(held[0], syntax)), place=place, key=f"~{key}")
    piece = syntax.cases([(value, conditions(tests, syntax)) for value, tests in rows])
    return piece._replace(place=place, key=f"~{key}")


def _everything(node: Any, view: View) -> list[Piece]:
    args = view.args(node)
    if args is None:
        return [view.whole(node)]
    return [*view.terms(args[0]), *_everything(args[1], view), *_everything(args[2], view)]


def _rows(
    node: Any, view: View, syntax: Syntax, given: tuple[Bound, ...] = ()
) -> "Sequence[tuple[Piece, tuple[Bound, ...]]]":
    """Every value with all the tests that lead to it."""
    args = view.args(node)
    if args is None:
        return [(view.whole(node), given)]
    condition, yes, no = args
    holds = bound(view.terms(condition), syntax)
    inside = _rows(yes, view, syntax, (*given, holds))
    outside = _rows(no, view, syntax, (*given, holds.negated()))
    return [*outside, *inside] if len(inside) > len(outside) else [*inside, *outside]


def bound(terms: Sequence[Piece], syntax: Syntax) -> Bound:
    """`u > 0`, with what is subtracted and what is constant on the right."""
    numbers = [flipped(term) for term in terms if term.kind == "number"] or [ZERO]
    rest = [term for term in terms if term.kind != "number"]
    minus = [flipped(term) for term in rest if term.negative]
    plus = [term for term in rest if not term.negative]
    if not plus:
        return Bound(syntax.signed(minus), "<", syntax.signed([flipped(n) for n in numbers]))
    if minus and numbers == [ZERO]:
        return Bound(syntax.signed(plus), ">", syntax.signed(minus))
    return Bound(syntax.signed(rest), ">", syntax.signed(numbers))


def conditions(tests: Sequence[Bound], syntax: Syntax) -> str:
    """All tests at once; two that bound the same quantity make one range."""
    texts: list[str] = []
    left = _tightest(tests, syntax.minus)
    while left:
        first = left.pop(0)
        other = next((t for t in left if t.left == first.left and _side(t) != _side(first)), None)
        if other is None:
            texts.append(f"{first.left} {syntax.relations[first.relation]} {first.right}")
        else:
            left.remove(other)
            texts.append(_range(first, other, syntax))
    return ", ".join(texts)


def _side(bound: Bound) -> str:
    return bound.relation[0]


def _tightest(tests: Sequence[Bound], minus: str) -> list[Bound]:
    """The tests without those that a number in another one implies."""
    return [
        t
        for k, t in enumerate(tests)
        if not any(_implies(other, t, minus) for j, other in enumerate(tests) if j != k)
    ]


def _implies(one: Bound, two: Bound, minus: str) -> bool:
    """`z < 0` implies `z < 1`."""
    if (one.left, _side(one)) != (two.left, _side(two)):
        return False
    try:
        low, high = (float(b.right.replace(minus, "-").replace(" ", "")) for b in (one, two))
    except ValueError:
        return False
    return low < high if _side(one) == "<" else low > high


def _range(one: Bound, two: Bound, syntax: Syntax) -> str:
    low, high = (one, two) if _side(one) == ">" else (two, one)
    if low.right == high.right:
        return f"{low.left} {syntax.relations['=']} {low.right}"
    signs = [syntax.relations[BELOW[t.relation]] for t in (low, high)]
    return f"{low.right} {signs[0]} {low.left} {signs[1]} {high.right}"
