"""The numbers that a proof is made with: one context of mpmath's, and when two numbers agree.

In: nothing. Out: `MP`, `digits`. Must not know: networks, the engine.
"""

from collections.abc import Iterable
from typing import Any

import mpmath

PRECISION = 50
"""The digits of every number that is compared."""
GUARD = 30
"""More digits that are carried, for what differences lose."""

MP = mpmath.MPContext()  # a context of our own: mpmath's default one is left as it is
MP.dps = PRECISION + GUARD
STEP = MP.mpf(10) ** -30
"""The complex step: its error is about its square, beyond the digits that are compared."""
FLOOR = MP.mpf(10) ** -8
"""A tensor is compared relative to its largest element, or to this part of the overall scale."""
ROUGH = MP.mpf(10) ** -4
"""That part in the machine's numbers: of what cancels, more is left."""


def is_real(value: Any) -> bool:
    """Whether a value is a finite real number."""
    return isinstance(value, MP.mpf) and bool(MP.isfinite(value))


def _real(value: Any) -> bool:
    """Whether it is a finite number on the real line, of any type."""
    return bool(MP.isfinite(value) and MP.im(value) == 0)


def digits(pairs: Iterable[tuple[Any, Any]], scale: Any = 0) -> int:
    """How many digits all pairs (found, expected) share, relative to the largest that is expected.

    `scale` is the least that they are compared with: of numbers that are zero but for rounding, no
    digits are asked. What is not finite shares none, and neither does an empty table. What is found
    may have an imaginary part, as SymPy's logarithms have in a branch that is not chosen: it counts
    as an error.
    """
    table = list(pairs)
    if not table or not all(MP.isfinite(u) and _real(v) for u, v in table):
        return 0
    worst = max(abs(found - expected) for found, expected in table)
    if worst == 0:
        return PRECISION
    largest = max([abs(expected) for _, expected in table] + [MP.mpf(scale)])
    return max(0, min(PRECISION, int(MP.floor(-MP.log10(worst / largest))))) if largest else 0
