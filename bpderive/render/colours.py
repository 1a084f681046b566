"""The colours of roles, in figures and formulas alike, and how lines are told apart without them.

In: a role, or the name of a quantity. Out: colours on light and on dark ground, line widths and
dashes. Must not know: any format.

The hues are those of Okabe and Ito, which the colour-blind tell apart; on light ground they are
darker, so that letters in them have a contrast of at least 4.5 to 1, as WCAG 2 asks.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Shade(NamedTuple):
    """A role's colour on light and on dark ground, `#RRGGBB`."""

    light: str
    dark: str


GROUND = Shade("#FFFFFF", "#15181C")
FAINT = Shade("#B9BEC4", "#4A5058")
"""What a figure leaves in the background: lines and outlines, no letters."""

PALE = Shade("#767C83", "#8A919A")
"""Letters in the background."""

_BLUE = Shade("#0072B2", "#56B4E9")
_GREEN = Shade("#007A5A", "#2CC295")
_ORANGE = Shade("#946200", "#E69F00")
_VERMILION = Shade("#B94A00", "#FF8A3D")
_PURPLE = Shade("#A8447F", "#E39AC4")
_INK = Shade("#1A1A1A", "#E8EAED")
_GREY = Shade("#5F6368", "#9AA0A6")

COLOURS: Mapping[str, Shade] = {
    "ink": _INK,
    "axis": _GREY,
    "input": _GREY,
    "weight": _BLUE,
    "bias": Shade("#2B7390", "#7CC7E8"),
    "sum": _ORANGE,
    "activation": _GREEN,
    "slope": _PURPLE,
    "error": _VERMILION,
    "loss": _INK,
    "path1": _BLUE,
    "path2": _VERMILION,
    "faint": FAINT,
    "pale": PALE,
}

ROLES: Mapping[str, str] = {
    "x": "input",
    "y": "input",
    "w": "weight",
    "b": "bias",
    "z": "sum",
    "a": "activation",
    "p": "activation",
    "delta": "error",
    "g": "error",
    "h": "error",
    "L": "loss",
    "S": "loss",
}
"""The role of a quantity, by its name; what is not here has the colour of the text."""

POINTS: Mapping[str, float] = {"faint": 0.5, "normal": 0.7, "strong": 1.7}
"""The width of a line in points, by its emphasis."""

TINT, STRONG_TINT = 0.08, 0.12
"""How much of its colour fills a shape, on the ground."""

_HEX = 16


def line(role: str, emphasis: str) -> Shade:
    """The colour of a line or an outline."""
    return FAINT if emphasis == "faint" else COLOURS[role]


def letters(role: str, emphasis: str) -> Shade:
    """The colour of letters."""
    return PALE if emphasis == "faint" else COLOURS[role]


def fill(role: str, emphasis: str) -> Shade:
    """What fills a shape: a tint of its role's colour; the ground in the background."""
    if emphasis == "faint":
        return GROUND
    share = STRONG_TINT if emphasis == "strong" else TINT
    return Shade(tint(role, share=share), tint(role, dark=True, share=share))


def tint(role: str, *, dark: bool = False, share: float = TINT) -> str:
    """The ground with a little of a role's colour."""
    pairs = zip(_channels(COLOURS[role][dark]), _channels(GROUND[dark]), strict=True)
    return "#" + "".join(f"{round(share * c + (1 - share) * g):02X}" for c, g in pairs)


def contrast(one: str, other: str) -> float:
    """The contrast of two colours by WCAG 2, from 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], _HEX) for at in (1, 3, 5))


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)
