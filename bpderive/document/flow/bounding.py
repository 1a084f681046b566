"""How large the gradients can be: the bound of the chosen weight, then of every layer.

In: a `Derivation`, a `Request`. Out: blocks. Must not know: letters, words.
"""

from collections.abc import Iterator
from itertools import groupby

from bpderive.derive import Derivation
from bpderive.document.blocks import (
    Block,
    Equations,
    Heading,
    Paragraph,
    Remark,
    Row,
    Words,
)
from bpderive.document.error import claim_error
from bpderive.document.flow.bounds import (
    Bound,
    bending,
    recurrence_bounds,
    weight_bound,
)
from bpderive.document.mathematics import Formula, Indices
from bpderive.document.maxima import bound_of, maximum, slope_of
from bpderive.document.request import Request
from bpderive.document.runs import Run
from bpderive.forms.chosen import chosen
from bpderive.forms.scalar import symbol_of
from bpderive.functions import Abs
from bpderive.slopes.nodes import at_most


def bounding(derivation: Derivation, request: Request) -> Iterator[Block]:
    """The bound of the chosen weight along its paths, then all layers' by the recurrence."""
    reference = chosen(derivation, request.weight)
    yield Heading(Words("flow.bounds_title"))
    yield from _largest(derivation, request)
    bound = weight_bound(derivation, reference) if reference.name in ("w", "b") else None
    if bound is not None:
        yield Paragraph(Words("flow.weight", {"weight": Formula(symbol_of(reference))}))
        yield Equations((Row(None, Formula(bound)),))
        yield Remark(Words("flow.claim_weights"))
    yield Paragraph(Words("flow.layers"))
    for exact, group in groupby(recurrence_bounds(derivation), lambda found: found[1].exact):
        yield Equations(tuple(_row(*found, equal=exact) for found in group))
    yield Paragraph(Words("flow.then"))
    if derivation.network.spec.bias:
        yield Paragraph(Words("flow.then_bias"))
    mixing = [row.name for row in bending(derivation) if not row.elementwise]
    if mixing:
        yield Paragraph(Words("flow.mixing"))
    if "softmax" in mixing:
        yield Paragraph(Words("flow.softmax"))
    yield Remark(claim_error(derivation))


def _largest(derivation: Derivation, request: Request) -> Iterator[Block]:
    """The largest slopes: with their proofs, unless another section has them."""
    rows = [row for row in bending(derivation) if row.elementwise]
    if not (request.full and "operations" in request.sections):
        for row in rows:
            yield from maximum(row)
        return
    known = [(row, bound) for row in rows if (bound := bound_of(row)) is not None]
    if known:
        yield Paragraph(Words("flow.largest", {"section": Words("section.operations")}))
        statements = (at_most(Abs(slope_of(row)), bound) for row, bound in known)
        yield Equations(tuple(Row(None, Formula(statement)) for statement in statements))


def _row(run: Run, bound: Bound, indices: Indices, *, equal: bool) -> Row:
    """An inequality, or an equation where nothing was bounded."""
    if not equal:
        statement = Formula(at_most(bound.left, bound.right), indices)
        return Row(None, statement, condition=run.words)
    left, right = (Formula(side, indices) for side in (bound.left, bound.right))
    return Row(left, right, condition=run.words)
