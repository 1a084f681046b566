"""The gradient problem of any layers: bounds, what is expected, what was measured, remedies.

In: a `View`, a `Request`. Out: a section. Must not know: words, letters, how anything is found.
"""

from collections.abc import Iterator
from itertools import groupby

from sympy import Pow, Symbol

from bpderive.backprop import StackDerivation
from bpderive.document.blocks import (
    Block,
    Equations,
    Heading,
    Items,
    Paragraph,
    Row,
    Section,
    Words,
)
from bpderive.document.flow.clipping import clipping
from bpderive.document.flow.measuring import figures, measuring
from bpderive.document.flow.predicted import levels
from bpderive.document.flow.recurrence import recurrence
from bpderive.document.flow.side_by_side import side_by_side
from bpderive.document.layered.view import View
from bpderive.document.mathematics import Formula
from bpderive.document.request import Request
from bpderive.flow.expectation import BATCH, expected
from bpderive.flow.layered_bounds import LayerBound, layered_bounds
from bpderive.flow.layered_gains import Gain, gains
from bpderive.flow.schemes import scheme
from bpderive.flow.stages import mixing


def flow(view: View, request: Request) -> Section:
    """What can be, is expected to be, and was measured of its gradients."""
    stack, drawn = view.stack, scheme(request.scheme)
    rows = tuple(row for row in stack.activations.values() if row.elementwise)
    found = tuple(gains(view.derivation))
    blocks = (
        Paragraph(Words("flow.intro")),
        Heading(Words("flow.bounds_title")),
        *bounds(view.derivation),
        *_multiplied(found),
        *_at_initialisation(view, request),
        *side_by_side(stack.spec, drawn, request.remedied, figures=request.figures),
        *(recurrence(rows) if any(one.kind == "recurrent" for one in found) else ()),
        *clipping(),
    )
    return Section("flow", blocks)


def bounds(derivation: StackDerivation) -> Iterator[Block]:
    """The bound of every derivative of the backward pass."""
    found = layered_bounds(derivation)
    if not found:
        return
    yield Paragraph(Words("flow.layered_bounds"))
    for exact, group in groupby(found, lambda one: one.exact):
        yield Equations(tuple(_row(one, equal=exact) for one in group))


def _row(bound: LayerBound, *, equal: bool) -> Row:
    if not equal:
        return Row(None, Formula(bound.statement, bound.indices))
    left, right = (Formula(side, bound.indices) for side in (bound.left, bound.right))
    return Row(left, right)


def _multiplied(found: tuple[Gain, ...]) -> Iterator[Block]:
    """By how much a block, or a step of time, multiplies at most."""
    if found:
        yield Paragraph(Words("flow.gains"))
        yield Items(tuple(map(_gain, found)))


def _gain(one: Gain) -> Words:
    factor = Formula(one.factor)
    slots = {"left": Formula(Symbol(one.left)), "right": Formula(Symbol(one.right))}
    if one.steps is None:
        return Words("flow.gain_residual", {**slots, "factor": factor})
    del slots["right"]
    power = Formula(Pow(one.factor, one.steps - 1, evaluate=False))
    times = {"factor": factor, "steps": Formula(one.steps), "power": power}
    return Words("flow.gain_steps", {**slots, **times})


def _at_initialisation(view: View, request: Request) -> Iterator[Block]:
    """What is expected of drawn weights, layer by layer, and what was measured."""
    drawn = scheme(request.scheme)
    found = expected(view.stack, drawn)
    yield Heading(Words("flow.expect_title"))
    yield Paragraph(Words("flow.layered_expect"))
    yield from levels(found, drawn, BATCH if mixing(view.stack) else 1)
    yield from measuring(request.measured, found, request.scheme)
    if request.figures:
        yield from figures(found, request.measured, request.scheme)
