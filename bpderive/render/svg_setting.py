"""Characters with places: what a formula in a picture is set from.

In: characters, settings. Out: a `Setting`: characters and lines, their places in ems, y upwards.
Must not know: LaTeX, SVG.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from bpderive.render.svg_signs import character_width

SCRIPT = 0.72
RAISED, LOWERED = 0.38, 0.22
AXIS = 0.25
RULE = 0.05
PAD = 0.12
UP, DOWN = 0.7, 0.22
"""How far letters reach above and below the line that they stand on."""


@dataclass(frozen=True)
class Run:
    """Characters from a place on, `size` times as large as the text."""

    at: tuple[float, float]
    text: str
    size: float = 1.0
    italic: bool = False
    bold: bool = False


@dataclass(frozen=True)
class Bar:
    """A line from one point to another."""

    start: tuple[float, float]
    end: tuple[float, float]


@dataclass(frozen=True)
class Setting:
    """What is set: its width, its reach above and below the line, runs and bars (y upwards)."""

    width: float
    up: float
    down: float
    runs: tuple[Run, ...] = ()
    bars: tuple[Bar, ...] = ()
    kind: str = "ordinary"
    """"binary", "relation", "open" or "ordinary": what room it takes beside its neighbours."""

    def moved(self, x: float, y: float = 0.0) -> "Setting":
        """The same at another place."""
        runs = tuple(replace(run, at=(run.at[0] + x, run.at[1] + y)) for run in self.runs)
        bars = tuple(
            Bar((b.start[0] + x, b.start[1] + y), (b.end[0] + x, b.end[1] + y)) for b in self.bars
        )
        return Setting(self.width, self.up + y, self.down - y, runs, bars, self.kind)


EMPTY = Setting(0.0, 0.0, 0.0)


def side_by_side(parts: Sequence[Setting]) -> Setting:
    """Parts one after the other, with room around operators."""
    x, runs, bars = 0.0, list[Run](), list[Bar]()
    up = down = 0.0
    for before, part in pairwise((EMPTY, *parts)):
        x += _room(before, part)
        moved = part.moved(x)
        runs += moved.runs
        bars += moved.bars
        x, up, down = x + part.width, max(up, part.up), max(down, part.down)
    return Setting(x, up, down, tuple(runs), tuple(bars))


def _room(before: Setting, part: Setting) -> float:
    if before is EMPTY:
        return 0.0
    kinds = {before.kind, part.kind}
    return 0.28 if "relation" in kinds else 0.22 if "binary" in kinds else 0.0


def letters(text: str, size: float, *, italic: bool = False, bold: bool = False) -> Setting:
    """Characters in a row."""
    width = sum(map(character_width, text)) * size * (1.05 if bold else 1.0)
    run = Run((0.0, 0.0), text, size, italic, bold)
    return Setting(width, UP * size, DOWN * size, (run,))


def scripts(base: Setting, above: Setting, below: Setting, size: float) -> Setting:
    """Raised and lowered text, one over the other."""
    lift, drop = max(RAISED * size, base.up - 0.35 * size), LOWERED * size
    drop = max(drop, base.down - 0.1 * size)
    upper, lower = above.moved(base.width + 0.03, lift), below.moved(base.width + 0.01, -drop)
    return Setting(
        base.width + max(above.width, below.width) + 0.04,
        max(base.up, upper.up),
        max(base.down, lower.down),
        base.runs + upper.runs + lower.runs,
        base.bars + upper.bars + lower.bars,
    )


def limits(base: Setting, above: Setting, below: Setting, size: float) -> Setting:
    """The limits of a sum, over and under it."""
    width = max(base.width, above.width, below.width)
    middle = base.moved((width - base.width) / 2)
    upper = above.moved((width - above.width) / 2, base.up + 0.1 * size)
    lower = below.moved((width - below.width) / 2, -base.down - below.up - 0.05 * size)
    runs = middle.runs + upper.runs + lower.runs
    return Setting(width, upper.up, lower.down, runs, middle.bars)
