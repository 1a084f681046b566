"""Clipping: by value and by norm, derived as nearest points, and one gradient in numbers.

In: nothing. Out: blocks. Must not know: letters, words.
"""

from collections.abc import Iterator

from sympy import Expr, Integer, Symbol, acos, pi, sqrt

from bpderive.document.blocks import (
    Block,
    Code,
    Command,
    Equations,
    Heading,
    Paragraph,
    Remark,
    Row,
    Table,
    Words,
)
from bpderive.document.mathematics import Formula, Value
from bpderive.functions import Abs, maximum, minimum
from bpderive.slopes.nodes import at_most

GRADIENT = (Integer(-7), Integer(24))
"""A small gradient whose norm is whole: 25."""

DIGITS = 3
SWAPPED = "tf.clip_by_value(gradient, 1, -1)"
RIGHT = "tf.clip_by_value(gradient, clip_value_min=-1, clip_value_max=1)\n"
G, C, V = Symbol("g"), Symbol("c"), Symbol("v")


def clipping() -> Iterator[Block]:
    """What clipping is, one gradient in numbers, the swapped bounds, when to use which."""
    yield Heading(Words("flow.clipping_title"))
    yield Paragraph(Words("flow.clipping", {"g": Formula(G), "v": Formula(V)}))
    yield from _by_length()
    yield from _by_value()
    yield from _in_numbers()
    yield from _swapped()
    yield Paragraph(Words("flow.clip_when"))
    yield Table(
        ("clipped", "direction", "where"),
        (
            (Words("flow.by_norm"), Words("flow.kept"), Words("flow.when_norm")),
            (Words("flow.by_value"), Words("flow.turned"), Words("flow.when_value")),
        ),
    )


def _by_length() -> Iterator[Block]:
    """`|v − g| >= |g| − |v| >= |g| − c`, with equality at `v = c g/|g|`."""
    slots = {"v": Formula(V), "g": Formula(G), "c": Formula(C), "norm": Formula(Abs(G))}
    yield Paragraph(Words("flow.nearest_ball", slots))
    yield Equations((Row(None, Formula(at_most(Abs(G) - C, Abs(V - G)))),))
    yield Paragraph(Words("flow.nearest_norm", slots))
    yield Equations((Row(Formula(V), Formula(minimum(Integer(1), C / Abs(G)) * G)),))


def _by_value() -> Iterator[Block]:
    """Each element by itself: `v_i = max(−c, min(c, g_i))`."""
    slots = {"v": Formula(V), "g": Formula(G), "c": Formula(C)}
    yield Paragraph(Words("flow.nearest_value", slots))
    yield Equations((Row(Formula(V), Formula(maximum(-C, minimum(C, G)))),))
    yield Paragraph(Words("flow.turns", {"c": Formula(C)}))


def _in_numbers() -> Iterator[Block]:
    """One gradient, clipped in both ways."""
    size = _length(GRADIENT)
    by_value = tuple(max(Integer(-1), min(Integer(1), part)) for part in GRADIENT)
    by_norm = tuple(part / size for part in GRADIENT)
    yield Paragraph(Words("flow.clip_numbers", {"c": Formula(C), "norm": Formula(size)}))
    yield Table(
        ("clipped", "becomes", "turned_by"),
        (
            (Words("flow.not_clipped"), _vector(GRADIENT), _angle(GRADIENT)),
            (Words("flow.by_value"), _vector(by_value), _angle(by_value)),
            (Words("flow.by_norm"), _vector(by_norm), _angle(by_norm)),
        ),
    )


def _swapped() -> Iterator[Block]:
    """With the bounds swapped, `max(1, min(−1, g)) = 1` whatever g is."""
    g = Formula(G)
    yield Remark(Words("flow.claim_clip", {"swapped": Command(SWAPPED), "g": g}))
    wrong = maximum(Integer(1), minimum(Integer(-1), G))
    yield Equations((Row(Formula(wrong), Formula(Integer(1))),))
    yield Paragraph(Words("flow.clip_right"))
    yield Code("python", RIGHT)


def _vector(parts: tuple[Expr, ...]) -> Words:
    first, second = (Value(part, DIGITS) for part in parts)
    return Words("flow.vector", {"first": first, "second": second})


def _angle(parts: tuple[Expr, ...]) -> Words:
    """By how many degrees a vector is turned away from the gradient."""
    inner = sum((a * b for a, b in zip(parts, GRADIENT, strict=True)), Integer(0))
    angle = acos(inner / (_length(parts) * _length(GRADIENT))) * 180 / pi
    return Words("flow.degrees", {"angle": Value(angle.evalf(8), DIGITS)})


def _length(parts: tuple[Expr, ...]) -> Expr:
    return sqrt(sum((part**2 for part in parts), Integer(0)))
