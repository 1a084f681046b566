"""An activation beside its slope, with the proved largest slope as a dashed line.

In: `Slopes`, a language. Out: what fills a figure. Must not know: files, formats.
"""

from typing import Any

from sympy import Expr

from bpderive.plots.canvas import GRID, INK, Making, said, sized
from bpderive.plots.model import Slopes
from bpderive.render.colours import COLOURS
from bpderive.slopes.curves import Traced
from bpderive.wording import Wording

TALL = 6.2
LONGEST, TITLE = 90, 36
"""A longer formula is cut, as that of a picture or in the title of a panel."""
SHORT = 7
"""A number of fewer signs is written as it is; a longer one as a decimal."""


def draw_slopes(picture: Slopes, wording: Wording) -> Making:
    """The activation at the left, its slope at the right."""

    def making(figure: Any) -> None:
        sized(figure, TALL)
        left, right = figure.subplots(1, 2)
        if picture.given:
            formula = f"{picture.name}(z) = {shortened(picture.formula, LONGEST)}"
            figure.suptitle(formula, x=0.01, ha="left", fontsize=9)
        _curve(left, picture.curves.activation, "activation", picture.curves.reach)
        _curve(right, picture.curves.slope, "slope", picture.curves.reach)
        left.set_title(said(wording, "activation", name=picture.name), loc="left")
        right.set_title(said(wording, "slope", name=picture.name), loc="left")
        _largest(right, picture, wording)

    return making


def shortened(text: str, most: int = TITLE) -> str:
    """A user's text in one line, cut where it is long."""
    text = " ".join("".join(sign for sign in text if sign.isprintable()).split())
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _curve(axes: Any, traced: Traced, role: str, reach: int) -> None:
    """Curves between jumps, dots at them: filled where the value is taken, else open."""
    colour = COLOURS[role].light
    axes.grid(visible=True)
    for across in (axes.axhline, axes.axvline):
        across(0, color=GRID, linewidth=1.2, zorder=0)
    for curve in traced.curves:
        axes.plot(*zip(*curve, strict=True), color=colour, linewidth=1.7)
    for (x, y), taken in traced.dots:
        fill = colour if taken else "white"
        axes.plot([x], [y], "o", color=colour, markerfacecolor=fill, markersize=5, zorder=4)
    axes.set_xlim(-reach, reach)
    axes.set_xlabel("$z$", parse_math=True)
    axes.margins(y=0.08)


def _largest(axes: Any, picture: Slopes, wording: Wording) -> None:
    """The largest size of the slope: on the side where the curve comes nearest to it."""
    value, colour = picture.largest, COLOURS["error"].light
    low, high = axes.get_ylim()
    if value is None:
        key = "unbounded" if picture.curves.largest.kind == "unbounded" else "open"
        axes.set_ylim(low, high + 0.16 * (high - low))
        axes.annotate(
            said(wording, key), (0.02, 0.97), xycoords="axes fraction", color=INK, va="top"
        )
        return
    side = -1 if -_least(picture) > _most(picture) else 1
    at = side * float(value)
    low, high = min(low, at), max(high, at)
    room = 0.14 * ((high - low) or 1.0)
    axes.set_ylim(low - (room if side < 0 else 0), high + (room if side > 0 else 0))
    axes.axhline(at, color=colour, linewidth=1.0, linestyle=(0, (5, 3)), zorder=3)
    text = said(wording, "largest", value=number(value))
    place = {"textcoords": "offset points", "xycoords": ("axes fraction", "data"), "ha": "right"}
    va = "bottom" if side > 0 else "top"
    axes.annotate(text, (1.0, at), (0, 5 * side), color=colour, va=va, **place)


def _most(picture: Slopes) -> float:
    return max((y for curve in picture.curves.slope.curves for _, y in curve), default=0.0)


def _least(picture: Slopes) -> float:
    return min((y for curve in picture.curves.slope.curves for _, y in curve), default=0.0)


def number(value: Expr) -> str:
    """A short fraction as it is, anything else as a decimal."""
    text = str(value)
    return text if len(text) < SHORT and value.is_Rational else f"{float(value):.6g}"
