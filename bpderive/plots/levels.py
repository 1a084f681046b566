"""Gradients by layer on a logarithmic axis: bound, expectation, measurement.

In: `Layers`, a language. Out: what fills a figure: a panel for each case over the same axes, and
one legend. Must not know: files, formats.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bpderive.plots.canvas import INK, Making, library, said, sized
from bpderive.plots.model import Layers, Level, Panel, Power
from bpderive.plots.steepness import shortened
from bpderive.render.colours import COLOURS, tint
from bpderive.wording import Wording

TALL, LOWER = 8.0, 5.0
"""The height of a lone panel, and of one of several, in centimetres."""
LEGEND = 1.2
COLUMNS = 3
FEW = 16
"""So many layers have a bar each; more have a band."""
MARKS = 24
TICKS = 7
SMALLER = 0.66
"""The marks of a panel that is not alone, by those of one that is."""
BLUE, BOUND, BAND = COLOURS["weight"].light, COLOURS["error"].light, tint("weight", share=0.24)

Span = tuple[float, float]


def draw_layers(picture: Layers, wording: Wording) -> Making:
    """All panels, with axes that are told once."""

    def making(figure: Any) -> None:
        panels = picture.panels
        across = columns(len(panels))
        down = math.ceil(len(panels) / across)
        sized(figure, (TALL if down == across == 1 else LOWER * down) + LEGEND)
        grid = figure.subplots(down, across, sharey=True, squeeze=False)
        span = spanned(panels)
        places = [axes for line in grid for axes in line]
        for axes, panel in zip(places, panels, strict=False):
            _panel(axes, panel, span, 1.0 if across == 1 else SMALLER)
            if panel.title:
                axes.set_title(title(panel.title, wording), loc="left")
        for place, axes in enumerate(places):
            axes.set_visible(place < len(panels))
            if place + across >= len(panels):
                axes.set_xlabel(said(wording, "layer"))
        _powers(grid, span)
        relative = all(panel.relative for panel in panels)
        label = said(wording, "relative" if relative else "gradient")
        if across == 1:
            places[0].set_ylabel(label)
        else:
            figure.supylabel(label, fontsize=8.5)
        _legend(figure, panels, wording)

    return making


def columns(count: int) -> int:
    """Beside each other: two of two or four, else up to three."""
    return 2 if count == 2 * COLUMNS - 2 else min(count, COLUMNS)


def title(text: str, wording: Wording) -> str:
    """A name in words; anything else as the user has it."""
    return wording.called(text) if text.replace("_", "a").isalnum() else shortened(text)


def values(level: Level) -> Iterator[float]:
    """All logarithms of a layer that are numbers."""
    found = (level.expected, level.rms, level.bound, *level.quantiles)
    return (value for value in found if value is not None and math.isfinite(value))


def spanned(panels: Sequence[Panel]) -> Span:
    """The lowest and the highest power of ten of the axis, two or more apart."""
    found = [value for panel in panels for level in panel.levels for value in values(level)]
    if not found:
        return -2.0, 1.0
    low, high = math.floor(min(found) - 0.15), math.ceil(max(found) + 0.15)
    return (low, high) if high - low > 1 else (low - 1, high)


def _panel(axes: Any, panel: Panel, span: Span, scale: float) -> None:
    levels, numbers = panel.levels, [level.number for level in panel.levels]
    axes.grid(visible=True, axis="y")
    every = math.ceil(len(levels) / MARKS)
    if len(levels) <= FEW:
        _bars(axes, levels, span, scale)
    else:
        _band(axes, levels, span)
    for line in LINES:
        points = [math.nan if (y := line.power(level)) is None else y for level in levels]
        if any(map(math.isfinite, points)):
            shown = [y if math.isfinite(y) else math.nan for y in points]
            axes.plot(numbers, shown, markevery=every, **line.style(len(levels), scale))
        zeros = [x for x, y in zip(numbers, points, strict=True) if y == -math.inf]
        _zeros(axes, zeros, span, line.colour)
    room = 0.6 if len(levels) <= FEW else 0.015 * len(levels)
    axes.set_xlim(numbers[0] - room, numbers[-1] + room)
    axes.set_ylim(*span)
    step = step_of(len(levels) / (2 if scale < 1 else 1), 2 * TICKS)
    axes.set_xticks([at for at in range(numbers[-1] + 1) if at % step == 0 and at >= numbers[0]])


@dataclass(frozen=True)
class Line:
    """What is drawn as a line or as marks, with its word; a few layers have their own marks."""

    key: str
    power: Callable[[Level], Power]
    colour: str
    many: Mapping[str, Any]
    few: Mapping[str, Any]

    def style(self, count: int, scale: float = 1.0) -> dict[str, object]:
        """What matplotlib draws it with, its marks `scale` times as large."""
        own = self.few if count <= FEW else self.many
        sizes = {key: scale * value for key, value in own.items() if key == "markersize"}
        return {"color": self.colour, **own, **sizes}


_OPEN: Mapping[str, Any] = {"markerfacecolor": "white", "markeredgewidth": 1.0, "markersize": 5.5}
LINES = (
    Line(
        "bound",
        lambda level: level.bound,
        BOUND,
        {"linestyle": (0, (5, 2.5)), "linewidth": 1.2},
        {"linestyle": (0, (5, 2.5)), "linewidth": 1.2},
    ),
    Line(
        "median",
        lambda level: level.quantiles[1],
        BLUE,
        {"linewidth": 1.2},
        {"linestyle": "none", "marker": "_", "markersize": 9, "markeredgewidth": 1.4},
    ),
    Line(
        "expected",
        lambda level: level.expected,
        INK,
        {"linestyle": "none", "marker": "o", **_OPEN, "zorder": 3.5},
        {"linestyle": "none", "marker": "o", **_OPEN, "zorder": 3.5, "markersize": 7},
    ),
    Line(
        "rms",
        lambda level: level.rms,
        BLUE,
        {"linestyle": "none", "marker": "o", "markersize": 2.8, "zorder": 4},
        {"linestyle": "none", "marker": "o", "markersize": 3.6, "zorder": 4},
    ),
)
"""What is drawn, the lowest first; marks of measurements stand inside the open ones."""


def _ranges(levels: Sequence[Level], span: Span) -> list[Span]:
    """From 5 to 95 %, nan where nothing was measured; what is 0 begins at the axis."""
    found = ((level.quantiles[0], level.quantiles[2]) for level in levels)
    bottom = span[0]
    return [
        (math.nan, math.nan)
        if low is None or high is None or high == -math.inf
        else (max(low, bottom), high)
        for low, high in found
    ]


def _bars(axes: Any, levels: Sequence[Level], span: Span, scale: float) -> None:
    for level, (low, high) in zip(levels, _ranges(levels, span), strict=True):
        if not math.isnan(low):
            axes.plot(
                [level.number] * 2,
                [low, high],
                color=BAND,
                linewidth=9 * scale,
                solid_capstyle="butt",
                zorder=1.5,
            )


def _band(axes: Any, levels: Sequence[Level], span: Span) -> None:
    numbers, ranges = [level.number for level in levels], _ranges(levels, span)
    if any(not math.isnan(low) for low, _ in ranges):
        low, high = zip(*ranges, strict=True)
        axes.fill_between(numbers, low, high, color=BAND, linewidth=0, zorder=1.5)


def _zeros(axes: Any, numbers: Sequence[int], span: Span, colour: str) -> None:
    """A triangle at the lower edge, where a gradient is exactly 0."""
    if numbers:
        axes.plot(
            numbers,
            [span[0]] * len(numbers),
            "v",
            color=colour,
            markerfacecolor="white",
            markersize=5.5,
            markevery=math.ceil(len(numbers) / MARKS),
            clip_on=False,
            zorder=5,
        )


def _powers(grid: Any, span: Span) -> None:
    """Powers of ten as ticks."""
    low, high = (int(end) for end in span)
    step = step_of(high - low, TICKS)
    at = range(math.ceil(low / step) * step, high + 1, step)
    labels = [f"$10^{{{power}}}$" for power in at]
    for line in grid:
        line[0].set_yticks(list(at), labels, parse_math=True)


def step_of(whole: float, most: float) -> int:
    """A round number, such that ticks are few."""
    ten = 1
    while True:
        for step in (ten, 2 * ten, 5 * ten):
            if whole / step <= most:
                return step
        ten *= 10


def _legend(figure: Any, panels: Sequence[Panel], wording: Wording) -> None:
    """What stands in any of the panels, once for all."""
    lines, patches = library("matplotlib.lines"), library("matplotlib.patches")
    levels = [level for panel in panels for level in panel.levels]
    count = max(len(panel.levels) for panel in panels)
    found = [
        lines.Line2D([], [], **line.style(count), label=said(wording, line.key))
        for line in LINES
        if any(map(line.power, levels)) or any(line.power(level) == 0 for level in levels)
    ]
    if any(low is not None for level in levels for low in level.quantiles[:1]):
        found.append(patches.Patch(color=BAND, label=said(wording, "band")))
    if any(line.power(level) == -math.inf for line in LINES for level in levels):
        mark = {"marker": "v", "markerfacecolor": "white", "color": INK, "linestyle": "none"}
        found.append(lines.Line2D([], [], **mark, label=said(wording, "zero")))
    if found:
        figure.legend(handles=found, loc="outside lower center", ncols=min(len(found), 3))
