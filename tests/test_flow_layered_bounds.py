"""Majorants of the backward equations of every layer: never exceeded, and said rightly.

Numbers come from the proof's own point: an oracle that knows nothing of the engine computes the
forward pass and, by complex steps, the gradients of the parameters.
"""

from itertools import islice, product

import pytest
from sympy import Indexed, Integer, Rational, Symbol

import bpderive
from bpderive.backprop import derive_stack
from bpderive.catalog import CATALOG
from bpderive.document import layered
from bpderive.document.blocks import Document, Equations, Row, Section
from bpderive.document.mathematics import Formula
from bpderive.flow.layered_bounds import layered_bounds
from bpderive.flow.layered_gains import gains
from bpderive.functions import Abs
from bpderive.index import indices_of, label_of, parts_of
from bpderive.render import render
from bpderive.slopes.nodes import norm
from bpderive.spec import parse_spec
from bpderive.stack import build
from bpderive.verify.evaluate import compiled
from bpderive.verify.layered import table
from bpderive.verify.layered.subject import StackSubject

SEEDS = (1, 2)
MOST = 60
"""So many elements of each derivative are looked at."""
ACTIVATIONS = [
    row.name for row in CATALOG.activations if row.elementwise and row.name not in ("linear", "exp")
]


def labels(expr):
    return {label_of(tensor) for tensor in expr.atoms(Indexed)}


def derived(text, **options):
    return bpderive.derive(bpderive.network(text, **options))


def subject(text, seed, **options):
    stack = build(parse_spec(text, **options), CATALOG)
    return StackSubject(derive_stack(stack), quick=True, seed=seed)


def places(indices, sizes):
    """Every value of the free indices."""
    ranges = (range(1, int(size) + 1) for size in sizes)
    return islice(product(*ranges), MOST) if indices else iter([()])


def at_samples(found, sizes):
    """Sizes as numbers: that of the batch is the oracle's."""
    batch = {Symbol("N", integer=True, positive=True): Integer(found.oracle.shape[0])}
    return [size.xreplace(batch) for size in sizes]


def cases(found, change=lambda expr: expr):
    """Every derivative at every place: its bound, its size there, the bound's value there."""
    numbers = found.derived
    for bound in layered_bounds(found.model):
        left, right = compiled(bound.left), compiled(change(bound.right))
        for place in places(bound.indices, at_samples(found, bound.sizes)):
            at = dict(zip(bound.indices, place, strict=True))
            yield bound, left(numbers, at), right(numbers, at)


def exceeded(found, change=lambda expr: expr):
    return [
        bound.label
        for bound, left, right in cases(found, change)
        if not left <= right * (1 + 1e-12) + 1e-40
    ]


@pytest.mark.parametrize("layer", dict(table.NETWORKS))
def test_no_derivative_exceeds_its_majorant(layer):
    for seed in SEEDS:
        found = subject(dict(table.NETWORKS)[layer], seed, bias=True)
        assert found.point is not None
        assert exceeded(found) == []


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_slopes_of_every_activation_are_bounded(name):
    for text in (f"3,dense(4):{name},batchnorm,2", f"seq(3)x2,rnn(2):{name},last,2"):
        found = subject(text, 3)
        assert exceeded(found) == []
        (bound,) = [b for b in layered_bounds(found.model) if b.label == "delta1"]
        assert not any(
            label_of(t) in ("a1", "z1") for t in bound.right.atoms(type(bound.left.args[0]))
        )


@pytest.mark.parametrize(
    "layer", ["dense", "rnn", "lstm", "layernorm", "conv, one axis", "residual"]
)
def test_what_is_said_to_be_equal_is(layer):
    found = subject(dict(table.NETWORKS)[layer], 4, bias=True)
    equal = [(left, right) for bound, left, right in cases(found) if bound.exact]
    assert equal
    for left, right in equal:
        assert float(left) == pytest.approx(float(right), rel=1e-12, abs=1e-30)


def test_gradients_of_parameters_are_those_of_the_oracle():
    """The left-hand sides too are what they are called."""
    found = subject("3,dense(2):tanh,residual(dense(2):tanh),2", 5)
    by_label = {bound.label: bound for bound in layered_bounds(found.model)}
    for label, slopes in found.expected.items():
        bound = by_label.get(f"d{label}")
        for place, slope in slopes.items() if bound is not None else ():
            at = dict(zip(indices_of(bound.left.args[0]), place, strict=True))
            # the bound's loss is the mean over a batch, the oracle's their sum
            size, limit = abs(slope), compiled(bound.right)(found.derived, at)
            assert float(size) <= float(limit) * (1 + 1e-12) * found.oracle.shape[0]


@pytest.mark.parametrize(
    ("layer", "change"),
    [
        ("dense", lambda expr: expr / 2),
        ("rnn", lambda expr: expr * Rational(1, 10)),
        ("lstm", lambda expr: expr.xreplace({Rational(1, 4): Rational(1, 40)})),
        ("residual", lambda expr: expr.args[0] if expr.is_Add else expr),
    ],
)
def test_a_majorant_that_is_too_small_is_seen(layer, change):
    assert any(
        exceeded(subject(dict(table.NETWORKS)[layer], seed, bias=True), change) for seed in SEEDS
    )


def test_the_statements_in_letters():
    derivation = derived("2, residual(5:sigmoid, 2), 1")
    found = {bound.label: bound for bound in layered_bounds(derivation)}
    slope = found["delta1"]
    assert slope.right == Abs(slope.right.args[1].args[0]) / 4
    assert not slope.exact
    assert found["delta2"].exact
    assert found["delta_x"].number == 0
    assert found["dw1"].parameter
    assert not found["delta_x"].parameter


def test_a_recurrence_bounds_a_step_by_the_next():
    (bound,) = [
        b
        for b in layered_bounds(derived("seq(3)x2, rnn(4):sigmoid, last, 1"))
        if b.label == "delta1"
    ]
    assert len(bound.right.args) == 2
    assert {term.as_coeff_Mul()[0] for term in bound.right.args} <= {Rational(1, 4), Integer(1)}
    assert bound.right.atoms(Rational) >= {Rational(1, 4)}
    assert {label_of(t) for t in bound.right.atoms(type(bound.left.args[0]))} == {
        "direct_a1",
        "delta1",
        "u1",
    }


# --- Gains ---


def test_residual_blocks_give_a_product_of_one_and_more():
    w1, w2 = (norm(Symbol(f"w{k}"), Integer(2)) for k in (1, 2))
    (found,) = gains(derived("2, residual(5:sigmoid, 2), 1"))
    assert (found.left, found.right, found.kind) == ("delta_x", "delta_a3", "residual")
    assert found.factor == 1 + w1 * w2 / 4
    chain = gains(derived("2, [residual(5:sigmoid, 2)]*3, 1"))
    assert [(one.left, one.right) for one in chain] == [
        ("delta_a6", "delta_a9"),
        ("delta_a3", "delta_a6"),
        ("delta_x", "delta_a3"),
    ]


def test_a_recurrence_has_a_factor_for_each_step():
    (found,) = gains(derived("seq(7)x2, rnn(4):sigmoid, last, 1"))
    assert found.factor == norm(Symbol("u1"), Integer(2)) / 4
    assert found.steps == 7
    assert found.left == found.right == "delta1"


@pytest.mark.parametrize(
    "text", ["seq(3)x2,lstm(2),last,1", "3,4,1:softmax", "2x5,conv(2,2):tanh,flatten,2"]
)
def test_what_has_no_such_factor_has_no_gain(text):
    derivation = derived(text)
    assert not hasattr(derivation, "stack") or gains(derivation) == ()


def largest(numbers, label, shape):
    return max(abs(numbers.tensors[label][at]) for at in product(*(range(1, n + 1) for n in shape)))


def sized(numbers, label, shape):
    """The largest sum of the sizes of what one input is multiplied with."""
    rows, columns = (range(1, n + 1) for n in shape)
    return max(sum(abs(numbers.tensors[label][i, j]) for i in rows) for j in columns)


@pytest.mark.parametrize(
    "text",
    [
        "3,dense(2):tanh,residual(dense(4):sigmoid,dense(2)),2",
        "3,residual(5:tanh,residual(4:silu,5),3),2",
    ],
)
@pytest.mark.parametrize("seed", range(1, 5))
def test_gains_are_never_exceeded(text, seed):
    found = subject(text, seed)
    numbers, shapes = found.derived, found.oracle.parameters()
    by_label = {bound.label: bound for bound in layered_bounds(found.model)}
    every = gains(found.model)
    assert every
    for gain in every:
        left, right = (
            largest(numbers, label, [int(s) for s in at_samples(found, by_label[label].sizes)])
            for label in (gain.left, gain.right)
        )
        values = {
            one: sized(numbers, one.label, shapes[one.label]) for one in gain.factor.atoms(norm)
        }
        names = {one: Symbol(f"s{k}") for k, one in enumerate(values)}
        factor = gain.factor.xreplace(names).subs({names[k]: float(v) for k, v in values.items()})
        assert float(factor) >= 1
        assert float(left) <= float(factor * right) * (1 + 1e-9)


# --- Printed ---


@pytest.mark.parametrize("name", ["text", "latex", "typst", "html", "markdown"])
def test_the_statements_can_be_printed(name):
    for text in ("2, residual(5:sigmoid, 2), 1", "seq(3)x2,lstm(2),last,1", "4,batchnorm,3:gelu,1"):
        derivation = derived(text)
        rows = tuple(
            Row(None, Formula(bound.statement, bound.indices))
            for bound in layered_bounds(derivation)
        )
        rows += tuple(Row(None, Formula(gain.factor)) for gain in gains(derivation))
        section = Section("flow", (Equations(rows),))
        letters = layered.setting(derivation.stack)
        found = render(Document(layered.headline(derivation), (section,), letters), name)
        assert ("≤" in found) or ("le" in found)


def test_parts_of_merged_indices_are_free():
    derivation = derived("2x5,conv(2,2):tanh,flatten,2")
    for bound in layered_bounds(derivation):
        assert len(bound.indices) == len(bound.sizes)
        shown = (part for i in indices_of(bound.left.args[0]) for part in parts_of(i))
        assert tuple(shown) == bound.indices
        assert Formula(bound.statement, bound.indices)
