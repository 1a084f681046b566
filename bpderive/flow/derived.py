"""How an activation changes mean squares, exactly: from this the variances of He and Xavier follow.

In: a row of the catalogue. Out: exact numbers. Must not know: networks, schemes.

The variance of a weighted sum stays as it is where `n_in Var(w) E f(z)²/q = 1`, that of deltas
where `n_out Var(w) E f'(z)² = 1`. For two straight lines through 0 with the slopes r and s, both
means are `(r² + s²)/2`: half of all normal numbers lie on either side.
"""

from typing import NamedTuple

from sympy import Expr, Integer, Symbol

from bpderive.catalog import Activation
from bpderive.flow.behaviour import Z, behaviour
from bpderive.functions import number, scalar_symbol

INPUTS, OUTPUTS = Symbol("n_in", positive=True), Symbol("n_out", positive=True)


class Squares(NamedTuple):
    """`E f(√q u)²/q` and `E f'(√q u)²`, where they are the same for every q."""

    forward: Expr
    backward: Expr


class Variances(NamedTuple):
    """The variance of a weight that keeps activations, that keeps deltas, and between the two."""

    forward: Expr
    backward: Expr
    between: Expr


def squares(row: Activation) -> Squares | None:
    """For two straight lines through 0; None for any other activation."""
    if not row.elementwise or (lines := behaviour(row).straight) is None:
        return None
    half = (lines[0] ** 2 + lines[1] ** 2) / 2
    return Squares(half, half)


def small(row: Activation) -> Squares | None:
    """The limits of both for small q: `f'(0)²`, where f(0) = 0 and no kink is there."""
    if not row.elementwise:
        return None
    slope = row.slope_expr.xreplace({scalar_symbol("a"): row.definition})
    if 0.0 in behaviour(row).cuts or number(row.definition.xreplace({Z: Integer(0)})) != 0:
        return None
    steep = slope.xreplace({Z: Integer(0)}) ** 2
    return Squares(steep, steep)


def variances(row: Activation) -> Variances | None:
    """Which variance keeps mean squares: He's for relu, Xavier's for slope 1 near 0.

    `between` is the harmonic mean of the other two: 2/(n_in + n_out) where the slope is 1.
    None where the mean squares depend on the variance, and have no limit for small ones.

    Source: K. He et al., ICCV 2015, equations 10 and 14; X. Glorot, Y. Bengio, AISTATS 2010,
    equations 10 to 12.
    """
    found = squares(row) or small(row)
    if found is None or 0 in found:
        return None
    forward, backward = 1 / (INPUTS * found.forward), 1 / (OUTPUTS * found.backward)
    between = 2 / (INPUTS * found.forward + OUTPUTS * found.backward)
    return Variances(forward, backward, between.factor())
