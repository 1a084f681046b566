"""Gradients by layer as bars of plain text, for a terminal of any width, without matplotlib.

In: a `Case`, a width, a language, the terminal's encoding. Out: lines. Must not know: colours.

A bar begins at the left edge. It is full up to the measured 5 % quantile, half full up to the
median, light up to 95 %; `x` marks the measured root mean square, `o` the expected one, `|` the
bound. Where nothing was measured, a line leads to what is expected.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bpderive.plots.canvas import said
from bpderive.plots.levels import Span, spanned, step_of
from bpderive.plots.making import panel
from bpderive.plots.model import Case, Level, Panel, Power
from bpderive.render.columns import columns, filled
from bpderive.wording import Wording, load

NARROWEST = 40
MOST = 24
"""So many layers are shown one by one; of more, `PICKED` from the first to the last."""
PICKED = 12
NUMBER = 8
"""The columns of a number at the right: ` 1.2e-34`."""
BOTH = "*"
"""The measured root mean square and the expected one, in one place."""
ROOM = 9
"""The columns between two powers of ten, at least."""


@dataclass(frozen=True)
class Signs:
    """What bars are made of."""

    full: str
    half: str
    light: str
    lead: str
    left_out: str


SIGNS = (Signs("█", "▓", "░", "─", "⋮"), Signs("#", "=", "-", ".", ":"))
"""The first of which a terminal has all signs is taken."""


def chart(case: Case, width: int = 80, language: str = "en", encoding: str = "utf-8") -> str:
    """The bars of a case in lines of at most so many columns, each with its end of line.

    Raises:
        SpecError: a case of no layer; an unknown language.
    """
    wording, signs = load(language), next(row for row in SIGNS if _has(encoding, row))
    found, wide = panel(case), max(width, NARROWEST)
    frame = _Frame(spanned([found]), wide, _margin(found, wording), signs)
    lines = [*_head(frame, wording), *_body(frame, found.levels), *_feet(frame, found, wording)]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _has(encoding: str, signs: Signs) -> bool:
    """Whether a terminal's encoding has all signs; the last row is ASCII."""
    if signs is SIGNS[-1]:
        return True
    try:
        "".join(vars(signs).values()).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _margin(found: Panel, wording: Wording) -> int:
    """The columns of a layer's number."""
    return max(columns(said(wording, "layer")), len(str(found.levels[-1].number))) + 1


@dataclass(frozen=True)
class _Frame:
    """Where powers of ten stand between the margin and the numbers at the right."""

    span: Span
    width: int
    margin: int
    signs: Signs

    @property
    def room(self) -> int:
        """The columns of the bars."""
        return self.width - self.margin - 1 - NUMBER

    def at(self, power: float) -> int:
        """The column of a power of ten; what lies outside stands at the edge."""
        low, high = self.span
        share = min(max((power - low) / (high - low), 0.0), 1.0)
        return round(share * (self.room - 1))


def _head(frame: _Frame, wording: Wording) -> Iterator[str]:
    """Powers of ten over their columns."""
    low, high = (int(end) for end in frame.span)
    step = step_of(high - low, max(1, frame.room // ROOM))
    line = [" "] * frame.room
    for power in range(math.ceil(low / step) * step, high + 1, step):
        text, at = f"1e{power}", frame.at(power)
        begin = min(at, frame.room - len(text))
        if all(sign == " " for sign in line[max(begin - 1, 0) : begin + len(text)]):
            line[begin : begin + len(text)] = text
    name = said(wording, "layer")
    yield " " * (frame.margin - 1 - columns(name)) + name + "  " + "".join(line)


def _body(frame: _Frame, levels: Sequence[Level]) -> Iterator[str]:
    """A line for each layer shown; a sign between two that are no neighbours."""
    last = -1
    for place in picked(len(levels)):
        if place > last + 1:
            yield f"{frame.signs.left_out:>{frame.margin - 1}}"
        yield _row(frame, levels[place])
        last = place


def picked(count: int) -> list[int]:
    """The places of the layers shown: all, or some at equal distances, with both ends."""
    if count <= MOST:
        return list(range(count))
    return [round(k * (count - 1) / (PICKED - 1)) for k in range(PICKED)]


def _row(frame: _Frame, level: Level) -> str:
    cells = [" "] * frame.room
    for sign, power in _bars(frame, level):
        until = 0 if power is None else frame.at(power) + (power > frame.span[0])
        cells[:until] = [sign if cell == " " else cell for cell in cells[:until]]
    for mark, power in _marks(level):
        if power is not None and power > -math.inf:
            at = frame.at(power)
            cells[at] = BOTH if cells[at] == "x" else mark
    power = level.expected if level.rms is None else level.rms
    return f"{level.number:>{frame.margin - 1}}  {''.join(cells)}{figure(power):>{NUMBER}}"


def _marks(level: Level) -> tuple[tuple[str, Power], ...]:
    return ("|", level.bound), ("x", level.rms), ("o", level.expected)


def _bars(frame: _Frame, level: Level) -> tuple[tuple[str, Power], ...]:
    """The parts of a bar, the shortest first, with their ends."""
    signs = frame.signs
    if level.rms is None:
        return ((signs.lead, level.expected),)
    return tuple(zip((signs.full, signs.half, signs.light), level.quantiles, strict=True))


def figure(power: Power) -> str:
    """A number of two digits from its logarithm, however small: `1.2e-345`."""
    if power is None:
        return "?"
    if power == -math.inf:
        return "0"
    whole = math.floor(power)
    digits = f"{10 ** (power - whole):.1f}"
    if digits == "10.0":
        digits, whole = "1.0", whole + 1
    return f"{digits}e{whole}"


def _feet(frame: _Frame, found: Panel, wording: Wording) -> Iterator[str]:
    """What the signs mean, as far as they stand there."""
    levels, signs = found.levels, frame.signs
    measured = any(level.rms is not None for level in levels)
    rows = (
        (f"{signs.full}{signs.half}{signs.light}", "bars", measured),
        ("x", "rms", measured),
        ("o", "expected", any(level.expected is not None for level in levels)),
        (BOTH, "both", measured and any(level.expected is not None for level in levels)),
        ("|", "bound", any(level.bound is not None for level in levels)),
    )
    indent = " " * (frame.margin + 1)
    hanging = " " * (frame.margin + 5)
    for sign, key, shown in rows:
        if shown:
            yield filled(said(wording, key), frame.width, f"{indent}{sign:3} ", hanging)
    if found.relative:
        yield filled(said(wording, "relative"), frame.width, indent, indent)
    left = len(levels) - len(picked(len(levels)))
    if left:
        yield filled(said(wording, "left_out", count=str(left)), frame.width, indent, indent)
