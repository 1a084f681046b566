"""The largest size of a smooth slope, enclosed by interval arithmetic.

In: a `Piece`. Out: a `Part` whose value is enclosed to `WIDTH`, or that it grows without bound; or
None where the search gives up, after a fixed number of boxes: never after a time, so that the
answer is the same everywhere. Must not know: networks.

A box is dropped where the slope is smaller than one found already, or where it is monotone there
(its ends are looked at). A box with a single stationary point is narrowed by halving.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from sympy import Expr, Float, Integer, Symbol, expand, oo, preorder_traversal, sqrt

from bpderive.functions import number
from bpderive.slopes.intervals import INF, Interval, Program, absolute, constant, program
from bpderive.slopes.model import Part
from bpderive.slopes.pieces import Piece
from bpderive.slopes.steps import derivative
from bpderive.slopes.tails import Tail, tail

REACHES = (4, 8, 16, 32, 64)
BUDGET = 150_000
"""So many operations on intervals at most, over all reaches."""
NODES = 600
START = 16
HALVINGS = 60
WIDTH = 1e-10
FAR = 10
ROUNDING = 1e-14
HOPELESS = 1.01
"""A tail that may be larger than what was seen by more than this is not small enough yet."""


@dataclass
class _Search:
    """The slope, its derivative and that one's over boxes; the best found so far."""

    codes: tuple[Program, ...]
    budget: int = BUDGET
    least: float = 0.0
    most: float = 0.0
    best: Interval | None = None

    def size(self, box: Interval) -> Interval:
        return absolute(self._run(self.codes[0], box))

    def _run(self, code: Program, box: Interval) -> Interval:
        self.budget -= len(code.steps)
        return code(box)

    def seen(self, box: Interval) -> None:
        """A place of which the value counts."""
        lo, hi = self.size(box)
        self.most = max(self.most, hi)
        if lo > self.least:
            self.least, self.best = lo, box

    def over(self, box: Interval) -> bool:
        """Look at a box; whether that came to an end."""
        waiting = [box]
        while waiting and self.budget > 0:
            box = waiting.pop()
            if self.size(box)[1] <= self.least * (1 + 1e-12):
                self.most = max(self.most, self.least * (1 + 1e-12))
                continue
            if not self._settled(box):
                middle = (box[0] + box[1]) / 2
                if not box[0] < middle < box[1]:
                    return False
                waiting += [(box[0], middle), (middle, box[1])]
        return not waiting

    def _settled(self, box: Interval) -> bool:
        ends = [(end, end) for end in box]
        lo, hi = self._run(self.codes[1], box)
        if lo > 0 or hi < 0:
            for end in ends:
                self.seen(end)
            return True
        lo, hi = self._run(self.codes[2], box)
        if not (lo > 0 or hi < 0):
            return False
        for end in (*ends, self._stationary(box, rising=lo > 0)):
            self.seen(end)
        return True

    def _stationary(self, box: Interval, *, rising: bool) -> Interval:
        """Where a monotone derivative changes its sign: halved until rounding hides the sign."""
        lo, hi = box
        for _ in range(HALVINGS):
            middle = (lo + hi) / 2
            below, above = self._run(self.codes[1], (middle, middle))
            if below <= 0 <= above or not lo < middle < hi:
                break
            if (below > 0) == rising:
                hi = middle
            else:
                lo = middle
        return lo, hi


def search(piece: Piece, x: Symbol) -> Part | None:
    """The maximum of the size of a piece, by tails and boxes."""
    first = derivative(piece.expr, x)
    second = derivative(first, x)
    if sum(1 for _ in preorder_traversal(second)) > 20 * NODES:
        return None
    try:
        codes = tuple(program(expr, x) for expr in (piece.expr, first, second))
    except KeyError:
        return None
    if sum(len(code.steps) for code in codes) > NODES:
        return None
    budget = BUDGET
    for reach in REACHES:
        state = _Search(codes, budget)
        found = _within(piece, x, state, float(reach))
        budget = state.budget
        if found is not None:
            return found if found.argument == "grows" else _sharpened(found, first, x)
    return None


def _tails(piece: Piece, x: Symbol, reach: float) -> Iterator[tuple[Tail | None, Expr]]:
    if piece.hi == oo:
        yield tail(piece.expr, x, reach), oo
    if piece.lo == -oo:
        yield tail(piece.expr.xreplace({x: -x}), x, reach), -oo


Limit = tuple[Interval, float, Expr]
"""What the slope comes near to, how far from it a tail may be, and at which end."""


def _within(piece: Piece, x: Symbol, state: _Search, reach: float) -> Part | None:
    """The maximum with tails from `reach` on; None where they are not small enough there."""
    limits: list[Limit] = []
    for end, at in _tails(piece, x, reach):
        if end is None:
            return None
        if end.grows and end.error < INF:
            return Part(piece, None, at, False, "grows")
        limits.append((absolute(end.poly[0]), INF if end.grows else end.error, at))
    lo = -reach if piece.lo == -oo else constant(piece.lo)[0]
    hi = reach if piece.hi == oo else constant(piece.hi)[1]
    if lo >= hi:
        return None
    return _enclosed(piece, state, (lo, hi), limits)


def _enclosed(piece: Piece, state: _Search, whole: Interval, limits: list[Limit]) -> Part | None:
    """The maximum of what lies between the tails and of what they come near to."""
    lo, hi = whole
    state.least = max((limit[0] for limit, _, _ in limits), default=0.0)
    bound = max((limit[1] + error for limit, error, _ in limits), default=0.0)
    width = (hi - lo) / START
    ends = [hi, *(lo + k * width for k in range(START - 1, 0, -1)), lo]
    for end in ends:
        state.seen((end, end))
    hopeless = bound > HOPELESS * state.least
    if hopeless or not all(map(state.over, zip(ends[1:], ends, strict=False))):
        return None
    most = max(state.most, bound)
    if not most - state.least <= WIDTH * most < INF:
        return None
    if state.best is not None:
        middle = Float(sum(state.best) / 2, 17)
        return Part(piece, Float((state.least + most) / 2, 10), middle, True, "search")
    if not limits:
        return None
    limit, _, at = max(limits, key=lambda row: row[0][0])
    return Part(piece, Float((limit[0] + limit[1]) / 2, 12), at, False, "limit")


def _sharpened(part: Part, first: Expr, x: Symbol) -> Part:
    """More digits of what was enclosed; its exact value, where the place is one that is known."""
    piece, at = part.piece, part.at
    if part.argument != "search" or at is None:
        return part
    for guess in _guesses(at):
        if _inside(guess, piece) and expand(first.xreplace({x: guess})) == 0:
            value = _sized(piece.expr.xreplace({x: guess}))
            if abs(value.evalf(20) / part.value - 1) < FAR * WIDTH:
                return Part(piece, value, guess, True, "stationary")
    for end in (piece.lo, piece.hi):
        if end not in (oo, -oo) and abs(end.evalf(20) - at) <= ROUNDING * max(1, abs(at)):
            return Part(piece, _sized(piece.expr.xreplace({x: end})), end, True, "end")
    return part


def _sized(value: Expr) -> Expr:
    return -value if value.evalf(10) < 0 else value


def _inside(at: Expr, piece: Piece) -> bool:
    """Whether it is a number of the piece, and none of its ends."""
    below = piece.lo == -oo or number(at - piece.lo) > 0
    return bool(below and (piece.hi == oo or number(piece.hi - at) > 0))


def _guesses(at: Expr) -> Iterator[Expr]:
    """0 and square roots of small fractions, where they are near."""
    square = Fraction(float(at) ** 2).limit_denominator(12)
    root = sqrt(Integer(square.numerator) / Integer(square.denominator))
    for guess in (root, -root):
        if abs(float(guess - at)) < 1e-7:
            yield guess
