"""Depth against the spread of the weights, coloured by how the gradient changes on its way.

In: a `HeatMap`, a language. Out: what fills a figure. Must not know: files, formats.

The colours go from dark blue (vanishing) over grey (kept) to light yellow (exploding): no two of
them look alike to the colour-blind, and printed in grey they rise from dark to light. Labelled
lines tell the powers of ten, dashed below 1.
"""

import math
from collections.abc import Sequence
from typing import Any

from bpderive.plots.canvas import INK, Making, library, said, sized
from bpderive.plots.model import HeatMap, Power
from bpderive.plots.steepness import shortened
from bpderive.wording import Wording

TALL = 8.6
LARGEST = 20.0
"""Powers of ten beyond are coloured as this one."""
ROUND = (1, 2, 4, 8, 12, 16, 20)
COLOURS = ("#08204A", "#1D4A88", "#5F83B0", "#A9ABAE", "#E6C877", "#F3E2A6", "#FFFAE3")
NOTHING = "#FFFFFF"
STEPS = 8
"""So many steps of colour on each side."""
ROOM = 0.06
"""What a label of a line keeps free around it, as a share of the map."""
LOG = 20
"""Depths that differ by more than this stand on a logarithmic axis."""


def draw_heat_map(picture: HeatMap, wording: Wording) -> Making:
    """The map, its lines, the critical line, and the scale."""

    def making(figure: Any) -> None:
        sized(figure, TALL)
        axes = figure.subplots()
        limit = limited(picture.values)
        levels = [limit * k / STEPS for k in range(-STEPS, STEPS + 1)]
        cells = [[_clipped(value, limit) for value in line] for line in picture.values]
        axes.set_facecolor(NOTHING)
        filled = _map(axes, picture, cells, levels)
        _scale(figure, axes, filled, limit, wording)
        _axes(axes, picture, wording)
        _lines(axes, picture, cells, limit)
        _critical(axes, picture, wording)

    return making


def limited(values: Sequence[Sequence[Power]]) -> float:
    """The power of ten at both ends of the scale: a round number."""
    found = [abs(v) for line in values for v in line if v is not None and math.isfinite(v)]
    largest = min(max(found, default=1.0), LARGEST)
    return float(next(limit for limit in ROUND if limit >= largest - 1e-9))


def _clipped(value: Power, limit: float) -> float:
    """A value just beyond the scale for all that are; nan where there is none."""
    if value is None:
        return math.nan
    return min(max(value, -1.05 * limit), 1.05 * limit)


def _map(axes: Any, picture: HeatMap, cells: list[list[float]], levels: list[float]) -> Any:
    colours = library("matplotlib.colors")
    scale = colours.LinearSegmentedColormap.from_list("gradient", COLOURS)
    masked = library("numpy.ma").masked_invalid(cells)
    filled = axes.contourf(
        picture.depths, picture.sigmas, masked, levels=levels, cmap=scale, extend="both"
    )
    filled.set_edgecolor("face")  # else the paper shines through between two steps
    filled.set_linewidth(0.2)
    return filled


def _lines(axes: Any, picture: HeatMap, cells: list[list[float]], limit: float) -> None:
    """Lines of equal powers of ten, labelled, dashed where the gradient becomes smaller."""
    step = max(limit / 4, 0.5)
    marked = picture.critical is None  # else a line of its own stands at 1
    at = [step * k for k in range(-3, 4) if k or marked]
    dashes = ["dashed" if level < 0 else "solid" for level in at]
    masked = library("numpy.ma").masked_invalid(cells)
    finite = masked.compressed()
    if not finite.size or finite.min() == finite.max():
        return
    inks = ["white" if level < 0 else INK for level in at]
    drawn = axes.contour(
        picture.depths,
        picture.sigmas,
        masked,
        levels=at,
        colors=inks,
        linestyles=dashes,
        linewidths=[1.1 if level == 0 else 0.6 for level in at],
    )
    with library("matplotlib").rc_context({"text.parse_math": True}):
        axes.clabel(drawn, fmt=_power, fontsize=7.5, manual=_places(axes, drawn, picture))


def _places(axes: Any, drawn: Any, picture: HeatMap) -> list[tuple[float, float]]:
    """Where the labels of lines stand: as far from the edges and the critical line as they can."""
    turn = axes.transData + axes.transAxes.inverted()
    at = picture.critical if picture.critical is not None else picture.sigmas[0]
    critical = float(turn.transform((picture.depths[0], at))[1])
    found = []
    for segments in drawn.allsegs:
        points = [point for segment in segments for point in segment]
        rooms = [
            min(x, 1 - x, y, 1 - y, abs(y - critical) / 2) for x, y in map(turn.transform, points)
        ]
        if rooms and max(rooms) > ROOM:
            x, y = points[rooms.index(max(rooms))]
            found.append((float(x), float(y)))
    return found


def _power(level: float) -> str:
    return f"$10^{{{level:g}}}$" if level else "1"


def _axes(axes: Any, picture: HeatMap, wording: Wording) -> None:
    axes.set_title(said(wording, "map", name=shortened(picture.name)), loc="left")
    axes.set_xlabel(said(wording, "depth"))
    axes.set_ylabel(r"$\sigma_w$", parse_math=True, fontsize=10)
    axes.set_xlim(picture.depths[0], picture.depths[-1])
    axes.set_ylim(picture.sigmas[0], picture.sigmas[-1])
    ticker = library("matplotlib.ticker")
    axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
    if picture.depths[0] > 0 and picture.depths[-1] / picture.depths[0] > LOG:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_locator(ticker.NullLocator())
        axes.xaxis.set_major_formatter(ticker.FormatStrFormatter("%d"))


def _critical(axes: Any, picture: HeatMap, wording: Wording) -> None:
    """The critical σ_w: a line with its value, where it lies on the map."""
    at = picture.critical
    if at is None or not picture.sigmas[0] <= at <= picture.sigmas[-1]:
        return
    text = said(wording, "critical", value=f"{at:.4g}")
    for colour, wide in (("white", 3.2), (INK, 1.4)):
        axes.axhline(at, color=colour, linewidth=wide, linestyle="solid", zorder=4)
    high = at > (picture.sigmas[0] + 3 * picture.sigmas[-1]) / 4
    ground = {"facecolor": "white", "edgecolor": "none", "pad": 1.6, "alpha": 0.85}
    axes.annotate(
        text,
        (0.985, at),
        (0, -6 if high else 6),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        ha="right",
        va="top" if high else "bottom",
        bbox=ground,
        zorder=5,
    )


def _scale(figure: Any, axes: Any, filled: Any, limit: float, wording: Wording) -> None:
    """The scale: powers of ten, what the ends mean, what is compared."""
    bar = figure.colorbar(filled, ax=axes, aspect=24, pad=0.02)
    at = [limit * k / 4 for k in range(-4, 5)]
    bar.set_ticks(at, labels=[_power(level) for level in at])
    for label in bar.ax.get_yticklabels():
        label.set_parse_math(True)
    bar.outline.set_visible(False)
    for key, end, away, va in (("explodes", 1.05, 4, "bottom"), ("vanishes", -0.05, -4, "top")):
        place = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": "center"}
        bar.ax.annotate(said(wording, key), (0.5, end), (0, away), fontsize=8, va=va, **place)
