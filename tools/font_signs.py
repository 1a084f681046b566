"""Operators, relations, accents, roots and sums.

In: heights, for what comes in several. Out: glyphs. Must not know: how they grow.
"""

from collections.abc import Mapping

from font_shapes import (
    AXIS,
    RULE,
    Glyph,
    Point,
    bar,
    box,
    circle,
    glyph,
    mirrored,
    outline,
    polygon,
    ring,
    wave,
)


def root(high: float) -> Glyph:
    """`√` of a height; the line over what stands under it begins at its right edge."""
    low, wide = -0.22 * high, 600 + 0.12 * high
    top, tick = low + high, low + min(0.55 * high, 700)
    foot = 0.46 * wide
    return glyph(
        wide,
        polygon(
            (60, tick - 60),
            (75, tick - 85),
            (150, tick - 50),
            (foot, low),
            (foot + 35, low),
            (wide - 14, top - RULE),
            (wide, top - RULE),
            (wide, top),
            (wide - 52, top),
            (foot + 12, low + 175),
            (195, tick),
        ),
    )


ROOT_LEFT, ROOT_RIGHT = 520, 740


def root_part(part: str) -> Glyph:
    """The parts of a `√` of any height: its foot, its straight line, its corner."""
    left, right = ROOT_LEFT, ROOT_LEFT + RULE
    if part == "foot":
        hook = polygon(
            (60, 640), (75, 615), (150, 650), (left - 6, 0), (right, 0), (right, 900),
            (left, 900), (left, 175), (195, 700),
        )  # fmt: skip
        return glyph(ROOT_RIGHT, hook)
    if part == "line":
        return glyph(ROOT_RIGHT, box(left, 0, right, 500))
    return glyph(ROOT_RIGHT, box(left, 0, right, 500), box(left, 500 - RULE, ROOT_RIGHT, 500))


def summation(half: float, *, wide: float) -> Glyph:
    """`∑` about the axis."""
    low, high = AXIS - half, 2 * half

    def at(x: float, y: float) -> Point:
        return 60 + x * wide, low + y * high

    thin = RULE / high
    corners = [at(0, 0), at(0.93, 0), at(1, 0.23), at(0.955, 0.23)]
    return glyph(
        wide + 120,
        outline(
            at(0, thin * 0.7),
            *((p,) for p in corners),
            (at(0.9, 0.11), at(0.84, 0.075), at(0.7, 0.075)),
            (at(0.15, 0.075),),
            (at(0.555, 0.515),),
            (at(0.21, 1 - thin),),
            (at(0.68, 1 - thin),),
            (at(0.82, 1 - thin), at(0.9, 0.92), at(0.945, 0.8)),
            (at(0.985, 0.8),),
            (at(0.93, 1),),
            (at(0.02, 1),),
            (at(0.02, 1 - thin * 0.8),),
            (at(0.415, 0.49),),
        ),
    )


def _triangle(*, right: bool, bars: int) -> Glyph:
    """`<`, `>`, `≤`, `≥`."""
    lift = 70 * bars
    points = [(600, AXIS + 240 + lift), (90, AXIS + lift), (600, AXIS - 240 + lift)]
    tip = points[1]
    parts = [bar(points[0], tip), bar(tip, points[2]), circle(tip, RULE / 2)]
    parts += [box(85, AXIS - 290, 605, AXIS - 290 + RULE)] * bars
    found = glyph(690, *parts)
    return mirrored(found) if right else found


def _arrow() -> Glyph:
    """`→`."""
    half = RULE / 2
    head = outline(
        (930, AXIS),
        ((850, AXIS + 40), (790, AXIS + 110), (760, AXIS + 190)),
        ((715, AXIS + 175),),
        ((740, AXIS + 110), (770, AXIS + 60), (815, AXIS + half)),
        ((815, AXIS - half),),
        ((770, AXIS - 60), (740, AXIS - 110), (715, AXIS - 175)),
        ((760, AXIS - 190),),
        ((790, AXIS - 110), (850, AXIS - 40), (930, AXIS)),
    )
    return glyph(1000, box(70, AXIS - half, 850, AXIS + half), head)


CENTRE = (390, AXIS)
MINUS = box(85, AXIS - RULE / 2, 605, AXIS + RULE / 2)
PLUS = box(345 - RULE / 2, AXIS - 260, 345 + RULE / 2, AXIS + 260)
RISING = ((165, AXIS - 180), (525, AXIS + 180))
FALLING = ((165, AXIS + 180), (525, AXIS - 180))
CAP = polygon((90, 520), (145, 520), (250, 625), (355, 520), (410, 520), (275, 680), (225, 680))

PLAIN: Mapping[str, Glyph] = {
    " ": glyph(250),
    "−": glyph(690, MINUS),
    "+": glyph(690, MINUS, PLUS),
    "=": glyph(690, box(85, AXIS + 70, 605, AXIS + 116), box(85, AXIS - 116, 605, AXIS - 70)),
    "×": glyph(690, bar(*RISING), bar(*FALLING)),
    "·": glyph(250, circle((125, AXIS), 52)),
    "<": _triangle(right=False, bars=0),
    ">": _triangle(right=True, bars=0),
    "≤": _triangle(right=False, bars=1),
    "≥": _triangle(right=True, bars=1),
    "≈": glyph(690, wave(85, 605, AXIS + 85, 70), wave(85, 605, AXIS - 85, 70)),
    "→": _arrow(),
    "←": mirrored(_arrow()),
    "⊙": glyph(780, *ring(CENTRE, 320), circle(CENTRE, 58)),
    "⊘": glyph(780, *ring(CENTRE, 320), bar((182, AXIS - 208), (598, AXIS + 208))),
    "^": glyph(500, CAP),
    "~": glyph(500, wave(90, 410, 590, 55, RULE)),
    "¯": glyph(500, box(80, 560, 420, 560 + RULE)),
    "′": glyph(240, polygon((40, 420), (80, 405), (215, 690), (195, 725), (150, 720))),
}
