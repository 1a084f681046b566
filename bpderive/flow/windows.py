"""For which weighted sums a slope is large enough, and for which inputs.

In: a row of the catalogue, the least size of the slope. Out: the interval outside of which it is
smaller, found by interval arithmetic; the widest interval of inputs. Must not know: networks.
"""

from dataclasses import dataclass

import mpmath
from sympy import Expr, Float, Symbol, log, oo

from bpderive.catalog import Activation
from bpderive.functions import Abs, scalar_symbol, tanh
from bpderive.slopes.intervals import Interval, Program, absolute, constant, program
from bpderive.slopes.pieces import Piece, pieces
from bpderive.slopes.tails import tail

REACH = 64.0
WIDTH = 2.0**-30
BUDGET = 20_000
"""So many boxes at most."""

INF = float("inf")
U = Symbol("u", real=True)


def window(row: Activation, least: float) -> Interval | None:
    """The interval outside of which `|f'(z)| < least`; None: not established, or the whole line."""
    z, a = scalar_symbol("z"), scalar_symbol("a")
    slope = row.slope_expr.xreplace({a: row.definition})
    found = pieces(slope, z)
    if found is None:
        return None
    ends = (_beyond(found[0], z, least, -1), _beyond(found[-1], z, least, 1))
    try:
        code = program(slope, z)
    except KeyError:
        return None
    if None in ends or all(ends):
        return None
    low = -INF if ends[0] else _edge(code, least, -1)
    high = INF if ends[1] else _edge(code, least, 1)
    return None if low is None or high is None else (low, high)


def _beyond(piece: Piece, z: Symbol, least: float, side: int) -> bool | None:
    """Whether the slope is large enough all the way from `REACH` on; None: it cannot be told."""
    if max((abs(constant(end)[0]) for end in _ends(piece)), default=0.0) >= REACH:
        return None
    end = tail(piece.expr.xreplace({z: side * z}), z, REACH)
    if end is None or end.grows:
        return None
    low, high = absolute(end.poly[0])
    if high + end.error < least:
        return False
    return True if low - end.error >= least else None


def _ends(piece: Piece) -> tuple[Expr, ...]:
    return tuple(end for end in (piece.lo, piece.hi) if end not in (oo, -oo))


def _edge(code: Program, least: float, side: int) -> float | None:
    """The outermost place on one side where the slope may be large enough, rounded outwards."""
    waiting: list[Interval] = [(-REACH, REACH)]
    for _ in range(BUDGET):
        if not waiting:
            return None
        lo, hi = waiting.pop()
        if absolute(code((lo, hi)))[1] < least:
            continue
        if hi - lo <= WIDTH:
            return hi if side > 0 else lo
        middle = (lo + hi) / 2
        halves = [(lo, middle), (middle, hi)]
        waiting += halves if side > 0 else halves[::-1]
    return None


# --- Inputs ---


@dataclass(frozen=True)
class Widest:
    """Of all weights w, the widest interval of x in which `|w f'(wx + b)| >= 1`, and that |w|.

    With `r = tanh(u)` its width is `shape`, a multiple of `u (1 - tanh²(u))`. Of that, the slope
    has the sign of `1 - 2u tanh(u)`, which falls with u: it is largest at one u alone.
    """

    width: Expr
    weight: Expr
    shape: Expr


def widest(most: Expr, scale: Expr) -> Widest:
    """Where `|z| <= scale log((1 + r)/(1 - r))` with `r = √(1 - 1/(most |w|))`.

    Then log((1 + r)/(1 - r)) is 2u, and 1/|w| is most (1 - r²).
    """
    factor = 4 * scale * most
    with mpmath.workdps(30):
        at = mpmath.findroot(lambda u: 2 * u * mpmath.tanh(u) - 1, 0.77)
        slope = 1 - mpmath.tanh(at) ** 2
        width, weight = Float(at * slope, 25) * factor, 1 / (most * Float(slope, 25))
    shape = factor * U * (1 - tanh(U) ** 2)
    return Widest(width, weight, shape)


def width_of(scale: Expr, weight: Symbol, share: Symbol) -> Expr:
    """The width for one weight, in terms of r: twice the largest |z|, divided by |w|."""
    return 2 * scale * log((1 + share) / (1 - share)) / Abs(weight)
