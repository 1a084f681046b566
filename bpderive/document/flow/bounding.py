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
from bpderive.document.mathematics import Formula, Indices
from bpderive.document.maxima import maximum, slope_of
from bpderive.document.request import Request
from bpderive.document.runs import words_of
from bpderive.flow.bounds import Bound, recurrence_bounds, weight_bound
from bpderive.flow.largest import bound_of
from bpderive.flow.norms import NormBound, delta_bounds, first_layer, weight_bounds
from bpderive.flow.passing import bending
from bpderive.flow.runs import Run
from bpderive.forms.chosen import chosen
from bpderive.forms.scalar import symbol_of
from bpderive.functions import Abs
from bpderive.network import Network
from bpderive.reference import parse
from bpderive.slopes.nodes import at_most

FIRST = parse("w1[1,1]")


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
    yield from _recurrences(derivation)
    yield Paragraph(Words("flow.then"))
    if derivation.network.spec.bias:
        yield Paragraph(Words("flow.then_bias"))
    yield from _in_norms(derivation.network, wide=bound is None)
    mixing = [row.name for row in bending(derivation) if not row.elementwise]
    if mixing:
        yield Paragraph(Words("flow.mixing"))
    if "softmax" in mixing:
        yield Paragraph(Words("flow.softmax"))
    yield Remark(claim_error(derivation))


def bounds(derivation: Derivation) -> Iterator[Block]:
    """The bounds alone, without a word: of a weight of the first layer, then of all deltas."""
    whole = weight_bound(derivation, FIRST) or first_layer(derivation.network)
    if whole is not None:
        yield Equations((Row(None, Formula(whole)),))
    yield from _recurrences(derivation)


def _recurrences(derivation: Derivation) -> Iterator[Block]:
    """The bounds of all deltas, from the last layer to the first."""
    for exact, group in groupby(recurrence_bounds(derivation), lambda found: found[1].exact):
        yield Equations(tuple(_row(*found, equal=exact) for found in group))


def _in_norms(network: Network, *, wide: bool) -> Iterator[Block]:
    """The bound in norms of matrices: in full where there are too many paths to be written."""
    whole = first_layer(network)
    if not wide:
        if whole is not None:
            yield Paragraph(Words("flow.norm_short"))
            yield Equations((Row(None, Formula(whole)),))
        return
    deltas = delta_bounds(network)
    if not deltas:
        return
    yield Paragraph(Words("flow.norm"))
    for found in (deltas, weight_bounds(network)):
        yield Equations(tuple(map(_norm_row, found)))
    yield Paragraph(Words("flow.norm_sizes"))


def _norm_row(bound: NormBound) -> Row:
    condition = words_of(bound.run)
    if bound.exact:
        return Row(Formula(bound.left), Formula(bound.right), condition=condition)
    return Row(None, Formula(bound.statement), condition=condition)


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
        return Row(None, statement, condition=words_of(run))
    left, right = (Formula(side, indices) for side in (bound.left, bound.right))
    return Row(left, right, condition=words_of(run))
