"""What is expected at initialisation, where layers are wide: variances, layer by layer.

In: whether there are biases, which index of a weight comes first. Out: blocks: the variance of
weighted sums and the mean square of deltas derived in steps, the factor from layer to layer, its
fixed point and what it means. Must not know: letters, words.
"""

from collections.abc import Iterator

from sympy import E, Expr, Integer, Sum, Symbol, exp, log

from bpderive.document.blocks import Block, Chain, Equations, Heading, Link, Paragraph, Row, Words
from bpderive.document.flow.quantities import (
    ABOVE,
    BELOW,
    BIAS,
    CHI,
    DEPTH,
    GAIN,
    MEAN,
    NEXT,
    SCALE,
    SLOPE,
    VARIANCE,
    WEIGHT,
    WIDTH,
    F,
    I,
    J,
    K,
    Q,
    U,
    letters,
    spread,
    weighted_sum,
)
from bpderive.document.mathematics import Formula
from bpderive.document.maxima import Z
from bpderive.functions import Abs
from bpderive.index import element, size_symbol
from bpderive.weights import in_order

Q_HERE, Q_BELOW = size_symbol("q{l}"), size_symbol("q{l-1}")
Reasoned = tuple[Expr, str]


def expecting(order: str, *, bias: bool) -> Iterator[Block]:
    """What is expected of any network: in steps, each with its reason."""
    yield Heading(Words("flow.expect_title"))
    yield Paragraph(Words("flow.expect", letters(mean=MEAN(Z), variance=VARIANCE(Z))))
    yield _forward(order, bias=bias)
    yield Paragraph(Words("flow.expect_normal", letters(q=Q_HERE, sum=spread(Q_HERE), u=U)))
    own = BELOW * VARIANCE(WEIGHT) * MEAN(F(spread(Q_BELOW)) ** 2)
    yield Equations((_row(Q_HERE, own + VARIANCE(BIAS) if bias else own),))
    yield Paragraph(Words("flow.expect_back"))
    yield _backward(order)
    yield from _factor(bias=bias)


def _chain(left: Expr, steps: tuple[Reasoned, ...], index: Expr) -> Chain:
    links = (Link(Formula(right, (index,)), Words(f"flow.{reason}")) for right, reason in steps)
    return Chain(Formula(left, (index,)), tuple(links))


def _row(left: Expr, right: Expr) -> Row:
    return Row(Formula(left), Formula(right))


def _forward(order: str, *, bias: bool) -> Chain:
    """The variance of a weighted sum."""
    weight = element("w{l}", in_order(order, I, J))
    taken = element("a{l-1}", (J,))
    shift = VARIANCE(element("b{l}", (I,))) if bias else Integer(0)
    same = VARIANCE(BIAS) if bias else Integer(0)
    return _chain(
        VARIANCE(weighted_sum()),
        (
            (Sum(VARIANCE(weight * taken), (J, 1, BELOW)) + shift, "uncorrelated"),
            (Sum(VARIANCE(weight) * MEAN(taken**2), (J, 1, BELOW)) + shift, "apart"),
            (BELOW * VARIANCE(WEIGHT) * MEAN(Symbol("a{l-1}") ** 2) + same, "alike"),
        ),
        I,
    )


def _backward(order: str) -> Chain:
    """The mean square of a delta."""
    weight, delta = element("w{l+1}", in_order(order, K, I)), element("delta{l+1}", (K,))
    slope = SLOPE(weighted_sum())
    means = MEAN(SLOPE(Symbol("z{l}")) ** 2) * MEAN(Symbol("delta{l+1}") ** 2)
    alike = ABOVE * VARIANCE(NEXT) * means
    return _chain(
        MEAN(element("delta{l}", (I,)) ** 2),
        (
            (MEAN((slope * Sum(weight * delta, (K, 1, ABOVE))) ** 2), "recurrence"),
            (
                MEAN(slope**2) * Sum(VARIANCE(weight) * MEAN(delta**2), (K, 1, ABOVE)),
                "cross_terms",
            ),
            (alike, "alike"),
        ),
        I,
    )


def _factor(*, bias: bool) -> Iterator[Block]:
    """The factor from layer to layer, where it stays the same, and what that means."""
    added = VARIANCE(BIAS) if bias else Integer(0)
    yield Paragraph(Words("flow.factor", letters(n=WIDTH)))
    yield Equations((_row(CHI, GAIN * MEAN(SLOPE(spread(Q)) ** 2)),))
    yield Paragraph(Words("flow.fixed_point", letters(q=Q)))
    yield Equations((_row(Q, GAIN * MEAN(F(spread(Q)) ** 2) + added),))
    yield Paragraph(Words("flow.scale", letters(d=DEPTH, xi=SCALE, e=E)))
    yield Equations(
        (
            _row(CHI**DEPTH, exp(DEPTH * log(CHI), evaluate=False)),
            _row(SCALE, 1 / Abs(log(CHI))),
        )
    )
    yield Paragraph(Words("flow.critical", letters(chi=CHI, xi=SCALE)))
