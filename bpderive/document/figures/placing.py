"""Where labels stand on lines: each on its own line, clear of other labels and of other lines.

In: lines, the size of a label, boxes to keep clear of. Out: a place on each line, or None where
they cannot all be set apart. Must not know: what the lines are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from bpderive.document.drawing import Point

Line = tuple[Point, Point]
Area = tuple[float, float, float, float]
"""Left, foot, right, top."""

SHARES = (0.5, 0.44, 0.56, 0.38, 0.62, 0.32, 0.68, 0.26, 0.74, 0.2, 0.8, 0.14, 0.86)
"""How far along its line a label may stand, the best first."""

STARTS = (0, 5, 6, 3, 4, 7, 8)
"""At which of the shares the search begins, all labels alike."""

ROUNDS = 6
CLEAR = 0.16
"""How far a label keeps from other lines, in all."""

CROSSED = 3.0
COVERED = 100.0


def area(at: Point, size: Point) -> Area:
    """The box of a label about its middle."""
    (x, y), (width, height) = at, size
    return (x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def overlap(one: Area, other: Area) -> bool:
    """Whether two boxes have more than an edge in common."""
    apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    return not apart


def along(line: Line, share: float) -> Point:
    """The point at a share of the way."""
    (x, y), (u, v) = line
    return (x + share * (u - x), y + share * (v - y))


def crosses(line: Line, box: Area) -> bool:
    """Whether a line runs through a box (Liang and Barsky)."""
    (x, y), (u, v) = line
    low, high = 0.0, 1.0
    sides = ((x - u, x - box[0]), (u - x, box[2] - x), (y - v, y - box[1]), (v - y, box[3] - y))
    for slope, room in sides:
        if slope == 0:
            if room <= 0:
                return False
        elif slope < 0:
            low = max(low, room / slope)
        else:
            high = min(high, room / slope)
    return low < high


@dataclass(frozen=True)
class Spot:
    """A place for a label, and what is wrong with it whatever the others do."""

    at: Point
    box: Area
    cost: float


def place(
    lines: Sequence[Line], size: Point, obstacles: Sequence[Area] = ()
) -> tuple[Point, ...] | None:
    """A place for the label of each line, the same for the same lines."""
    spots = [_spots(number, tuple(lines), size, tuple(obstacles)) for number in range(len(lines))]
    best: tuple[float, list[int]] | None = None
    for start in STARTS:
        found = _settled(spots, [start] * len(lines))
        total = sum(_cost(spots, found, number) for number in range(len(lines)))
        if best is None or total < best[0] - 1e-9:
            best = (total, found)
        if total < 1:
            break
    if best is None or best[0] >= COVERED:
        return None
    return tuple(spots[number][pick].at for number, pick in enumerate(best[1]))


def place_roomily(
    lines: Sequence[Line], size: Point, longer: float, obstacles: Sequence[Area] = ()
) -> tuple[Point, ...] | None:
    """The same with room for longer labels, where that puts no more of these on other lines."""
    found = place(lines, size, obstacles)
    roomy = found and place(lines, (size[0] + longer, size[1]), obstacles)
    if found is None or not roomy:
        return found
    return roomy if _crossings(roomy, lines, size) <= _crossings(found, lines, size) else found


def _crossings(places: Sequence[Point], lines: Sequence[Line], size: Point) -> int:
    """How often labels at these places lie on lines of others."""
    return sum(
        crosses(line, area(at, size))
        for number, at in enumerate(places)
        for other, line in enumerate(lines)
        if other != number
    )


@cache
def _spots(
    number: int, lines: tuple[Line, ...], size: Point, obstacles: tuple[Area, ...]
) -> tuple[Spot, ...]:
    found = []
    for rank, share in enumerate(SHARES):
        at = along(lines[number], share)
        box = area(at, size)
        others = (line for other, line in enumerate(lines) if other != number)
        wider = area(at, (size[0] + CLEAR, size[1] + CLEAR))
        crossed = sum(crosses(line, wider) for line in others)
        hit = sum(overlap(box, obstacle) for obstacle in obstacles)
        found.append(Spot(at, box, 0.01 * rank + CROSSED * crossed + COVERED * hit))
    return tuple(found)


def _settled(spots: Sequence[tuple[Spot, ...]], picks: list[int]) -> list[int]:
    """Each label in turn goes where it costs least, until none wants to move."""
    for _ in range(ROUNDS):
        before = list(picks)
        for number in range(len(spots)):
            picks[number] = min(
                range(len(SHARES)),
                key=lambda pick: _cost(
                    spots, [*picks[:number], pick, *picks[number + 1 :]], number
                ),
            )
        if picks == before:
            break
    return picks


def _cost(spots: Sequence[tuple[Spot, ...]], picks: Sequence[int], number: int) -> float:
    mine = spots[number][picks[number]]
    met = sum(
        overlap(mine.box, spots[other][pick].box)
        for other, pick in enumerate(picks)
        if other != number
    )
    return mine.cost + COVERED * met
