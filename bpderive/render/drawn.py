"""What the writers of figures share: numbers, the heads of arrows.

In: shapes of a `Drawing`. Out: numbers as text, points. Must not know: any format.
"""

from bpderive.document.drawing import Label, Point, Stroke

HEAD = (0.17, 0.06)
"""Length and half the width of an arrow's head, in centimetres."""

DOT = 0.07
"""A disc with a smaller radius is a dot, all of its colour."""

GROWN = 1.25
"""How much larger the head of a strong arrow is."""


SIZES = (8.0, 9.0, 11.0)
"""The sizes of small, normal and large text, in points."""


def text_size(label: Label) -> float:
    """The size of a label's text in points."""
    return SIZES[1 - label.small + label.large]


def number(value: float) -> str:
    """At most two decimals, and no minus before a zero."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text


def headed(stroke: Stroke) -> tuple[tuple[Point, ...], tuple[Point, ...]]:
    """The points of a line that ends where its arrow's head begins, and the head's corners."""
    if not stroke.arrow:
        return stroke.points, ()
    (x, y), (u, v) = stroke.points[-2:]
    length = ((u - x) ** 2 + (v - y) ** 2) ** 0.5 or 1.0
    ex, ey = (u - x) / length, (v - y) / length
    grown = GROWN if stroke.emphasis == "strong" else 1.0
    long, half = HEAD[0] * grown, HEAD[1] * grown
    back = (u - long * ex, v - long * ey)
    corners = (
        (u, v),
        (back[0] - half * ey, back[1] + half * ex),
        (back[0] + half * ey, back[1] - half * ex),
    )
    inner = (u - 0.7 * long * ex, v - 0.7 * long * ey)
    return (*stroke.points[:-1], inner), corners
