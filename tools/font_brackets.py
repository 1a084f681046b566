"""Brackets: each of a half height about the axis, and the parts of one of any height.

In: half heights. Out: glyphs, all of them left ones. Must not know: how they grow.
"""

from font_shapes import AXIS, RULE, Glyph, Point, box, glyph, outline, upside_down

MEDIUM = 60
"""The thickness of brackets where they are thickest."""


def parenthesis(half: float) -> Glyph:
    """`(`: an arc, thickest at the axis."""
    bow = 90 + 0.17 * half
    left, thick, top, low = 60, MEDIUM + 0.03 * half, AXIS + half, AXIS - half
    right, tip = left + bow, 16
    return glyph(
        right + 55,
        outline(
            (right, top),
            ((left + 0.35 * bow, top - 0.3 * half), (left, AXIS + 0.45 * half), (left, AXIS)),
            ((left, AXIS - 0.45 * half), (left + 0.35 * bow, low + 0.3 * half), (right, low)),
            ((right + tip, low + 10),),
            (
                (left + 0.45 * bow + thick * 0.6, low + 0.32 * half),
                (left + thick, AXIS - 0.45 * half),
                (left + thick, AXIS),
            ),
            (
                (left + thick, AXIS + 0.45 * half),
                (left + 0.45 * bow + thick * 0.6, top - 0.32 * half),
                (right + tip, top - 10),
            ),
        ),
    )


def parenthesis_end() -> Glyph:
    """The upper end of a `(` of any height, over the axis."""
    left, bow, thick, top = 60, 300, MEDIUM + 24, AXIS + 1100
    right = left + bow
    return glyph(
        right + 40,
        outline(
            (left, AXIS),
            ((left, AXIS + 500), (left + 0.3 * bow, top - 300), (right, top)),
            ((right + 12, top - 10),),
            (
                (left + 0.45 * bow + thick * 0.5, top - 340),
                (left + thick, AXIS + 500),
                (left + thick, AXIS),
            ),
        ),
    )


def square_bracket(half: float) -> Glyph:
    """`[`."""
    left, right = 90, 270
    top, low = AXIS + half, AXIS - half
    stem = left + MEDIUM
    return glyph(
        right + 30,
        box(left, low, stem, top),
        box(stem, top - RULE, right, top),
        box(stem, low, right, low + RULE),
    )


def square_end() -> Glyph:
    """The upper end of a `[` of any height."""
    top = AXIS + 600
    return glyph(300, box(90, AXIS, 90 + MEDIUM, top), box(90 + MEDIUM, top - RULE, 270, top))


def _brace_half(half: float, bow: float, thick: float) -> tuple[tuple[Point, ...], ...]:
    """The upper half of `{`: from its point at the left up to its end at the right, and back."""
    left = 45
    stem, right, top = left + bow - thick / 2, left + 2 * bow, AXIS + half
    a, b = AXIS + 0.5 * half, min(0.5 * half, 260)
    inner, outer = AXIS + b, top - b
    return (
        ((left + bow * 0.75, AXIS + 12), (stem, AXIS + 0.4 * b), (stem, inner)),
        ((stem, a),),
        ((stem, outer),),
        ((stem, top - 0.4 * b), (left + bow * 1.3, top - 6), (right, top)),
        ((right, top - 16),),
        ((left + bow * 1.55, top - 24), (stem + thick, top - 0.55 * b), (stem + thick, outer)),
        ((stem + thick, inner),),
        ((stem + thick, AXIS + 0.5 * b), (left + bow * 0.8, AXIS), (left + 40, AXIS)),
    )


def brace(half: float) -> Glyph:
    """`{`."""
    bow, thick = 95 + 0.06 * half, MEDIUM + 0.02 * half
    moves = _brace_half(half, bow, thick)
    upper = glyph(45 + 2 * bow + 40, outline((45, AXIS + 6), *moves, ((45, AXIS - 6),)))
    lower = upside_down(upper)
    lower[1].replay(upper[1])
    return upper


def brace_part(part: str) -> Glyph:
    """The parts of a `{` of any height: its upper end over the axis, and its middle."""
    left, bow, thick = 45, 150, MEDIUM + 16
    stem, right, top = left + bow - thick / 2, left + 2 * bow, AXIS + 600
    if part == "end":
        return glyph(
            right + 40,
            outline(
                (stem, AXIS),
                ((stem, AXIS + 330),),
                ((stem, top - 110), (left + bow * 1.3, top - 6), (right, top)),
                ((right, top - 16),),
                (
                    (left + bow * 1.55, top - 24),
                    (stem + thick, top - 140),
                    (stem + thick, top - 270),
                ),
                ((stem + thick, AXIS),),
            ),
        )
    up = outline(
        (left, AXIS - 6),
        ((left, AXIS + 6),),
        ((left + bow * 0.75, AXIS + 12), (stem, AXIS + 110), (stem, AXIS + 270)),
        ((stem, AXIS + 600),),
        ((stem + thick, AXIS + 600),),
        ((stem + thick, AXIS + 270),),
        ((stem + thick, AXIS + 140), (left + bow * 0.8, AXIS), (left + 40, AXIS)),
    )
    upper = glyph(right + 40, up)
    upside_down(upper)[1].replay(upper[1])
    return upper


def stem(
    left: float, thick: float, width: float, low: float = AXIS, top: float = AXIS + 400
) -> Glyph:
    """The straight middle of something tall."""
    return glyph(width, box(left, low, left + thick, top))


def vertical_bar(half: float) -> Glyph:
    """`|`."""
    return stem(100, RULE, 246, AXIS - half, AXIS + half)


def double_bar(half: float) -> Glyph:
    """`‖`."""
    low, top = AXIS - half, AXIS + half
    return glyph(400, box(90, low, 90 + RULE, top), box(264, low, 264 + RULE, top))
