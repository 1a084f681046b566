"""The engine, step by step: each recorded step is true at random tensors, and leads to the next."""

import os
import random
import subprocess
import sys
from itertools import pairwise

import pytest
from networks import close, derived
from sympy import Add, Function, Indexed, Integer, KroneckerDelta, Sum, Symbol

from bpderive.catalog import CATALOG
from bpderive.differentiation import differentiate
from bpderive.errors import DerivationError
from bpderive.index import (
    Equation,
    Fresh,
    Partial,
    element,
    instantiate,
    rename,
    size_symbol,
    sum_over,
)
from bpderive.rules import pull
from bpderive.verify.evaluate import Numbers
from bpderive.verify.subject import labels_of
from bpderive.verify.surroundings import Surroundings
from bpderive.weights import ORDERS

SIZES = {"n{l-1}": 2, "n{l}": 3, "n{l+1}": 2, "N": 2}


# --- Every step of every derivation ---

HIDDEN = [
    (row.name, CATALOG.losses[0].name, 1, batch) for row in CATALOG.activations for batch in (0, 1)
]
OUTPUT = [
    (a.name, loss.name, 2, batch)
    for a in CATALOG.activations
    for loss in CATALOG.losses
    for batch in (0, 1)
    if a.name not in dict(loss.refuses)
]
USUAL = {
    *HIDDEN,
    *(("sigmoid", loss.name, 2, 0) for loss in CATALOG.losses),
    *(("softmax", loss.name, 2, 0) for loss in CATALOG.losses),
    *(("linear", loss.name, 2, k % 2) for k, loss in enumerate(CATALOG.losses)),
    *(
        (a.name, CATALOG.losses[k % len(CATALOG.losses)].name, 2, 0)
        for k, a in enumerate(CATALOG.activations)
    ),
}
ROWS = [
    pytest.param(row, id="-".join(map(str, row)), marks=[] if row in USUAL else pytest.mark.long)
    for row in [*HIDDEN, *OUTPUT]
]


def layer_of(row):
    """What was derived for one layer, the graph of its equations, and what its loss asks."""
    activation, loss, layer, batch = row
    options = {"activation": activation} if layer == 1 else {"output_activation": activation}
    options["weights"] = ORDERS[len(activation + loss) % 2]
    derivation = derived("2,3,2", loss=loss, bias=bool(batch), **options)
    network = derivation.network
    graph = network.graph(network.kind(layer, batch=bool(batch)))
    return derivation.at(layer, batch=bool(batch)), graph, labels_of(network)


@pytest.mark.parametrize("row", ROWS)
def test_every_step_is_true(row):
    found, graph, labels = layer_of(row)
    numbers = Surroundings(graph, labels, SIZES).numbers(random.Random(3))
    for one in found.values():
        sizes = [SIZES[str(size)] for size in one.tensor.sizes]
        at = {i: 1 + k % n for k, (i, n) in enumerate(zip(one.result.indices, sizes, strict=True))}
        for step in one.steps:
            before, after = (numbers(expr, at) for expr in (step.before, step.after))
            assert close(after, before), (step.rule, one.partial)


@pytest.mark.parametrize("row", ROWS)
def test_each_step_starts_where_the_last_ended(row):
    found, _, _ = layer_of(row)
    for one in found.values():
        assert one.steps[0].before == one.partial
        assert one.steps[-1].after == one.result.rhs
        assert all(step.after == after.before for step, after in pairwise(one.steps))
        assert all(step.before != step.after for step in one.steps)


@pytest.mark.parametrize("row", ROWS)
def test_no_bound_index_is_free_or_bound_again(row):
    found, _, _ = layer_of(row)
    for one in found.values():
        free = set(one.result.indices)
        for step in one.steps:
            check_bound(step.after, free)
            assert step.after.free_symbols & indices(step.after) <= free


def indices(expr):
    return {s for atom in expr.atoms(Indexed) for index in atom.indices for s in index.free_symbols}


def check_bound(expr, outer):
    for limit in getattr(expr, "limits", ()):
        assert limit[0] not in outer, f"{limit[0]} is bound twice"
        outer = outer | {limit[0]}
    for arg in expr.args if not isinstance(expr, Sum) else [expr.function]:
        check_bound(arg, outer)


# --- Indices are never captured ---

i, j, k, p = (Symbol(letter, integer=True) for letter in "ijkp")
n = size_symbol("n")
DENSE = Equation(
    element("z", (i,)), sum_over(element("w", (i, j)) * element("a", (j,)), j, n), (n,)
)


def test_an_equation_at_an_index_that_it_sums_over():
    found = instantiate(DENSE, (j,), Fresh())
    assert found.free_symbols & {i, j} == {j}
    weights = {(1, 1): 2, (1, 2): 3, (2, 1): 5, (2, 2): 7}
    values = Numbers({"w": weights, "a": {(1,): 11, (2,): 13}}, {"n": 2})
    assert values(found, {j: 2}) == 5 * 11 + 7 * 13


def test_two_instances_have_no_index_in_common():
    fresh = Fresh()
    one, other = (instantiate(DENSE, (p,), fresh) for _ in range(2))
    assert one.limits[0][0] != other.limits[0][0]
    values = Numbers({"w": {(1, 1): 2, (1, 2): 3}, "a": {(1,): 5, (2,): 7}}, {"n": 2})
    assert values(one * other, {p: 1}) == (2 * 5 + 3 * 7) ** 2


def test_derivative_at_the_index_of_the_sum():
    found = differentiate(DENSE.rhs.xreplace({i: p}), element("w", (p, k)))
    values = Numbers({"a": {(1,): 2, (2,): 3, (3,): 5}}, {"n": 3})
    assert values(found, {p: 1, k: 3}) == 5


def test_what_has_no_rule_is_refused():
    unknown = Partial(Indexed("a", i), Indexed("a", j))
    with pytest.raises(DerivationError):
        differentiate(unknown, element("a", (p,)))


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (element("a", (i,)), KroneckerDelta(i, p)),
        (element("b", (i,)), 0),
        (element("a", (i,)) ** 3, 3 * element("a", (i,)) ** 2 * KroneckerDelta(i, p)),
        (
            Function("f")(element("a", (i,))),
            Function("f'")(element("a", (i,))) * KroneckerDelta(i, p),
        ),
        (
            Add(element("a", (i,)), element("a", (j,))),
            KroneckerDelta(i, p) + KroneckerDelta(j, p),
        ),
    ],
)
def test_differentiate(expr, expected):
    assert differentiate(expr, element("a", (p,))) == expected


def test_rename_takes_labels_and_sizes():
    expr = sum_over(element("w{l}", (i, j)), j, size_symbol("n{l-1}"))
    found = rename(expr, {"w{l}": "w3", "n{l-1}": Integer(4)})
    assert found == sum_over(element("w3", (i, j)), j, Integer(4))


def test_a_constant_is_pulled_out_of_a_sum_with_its_size():
    expr = Sum(element("a", (p,)), (k, 1, n)) + Sum(
        element("a", (p,)) * element("b", (k,)), (k, 1, n)
    )
    expected = n * element("a", (p,)) + element("a", (p,)) * Sum(element("b", (k,)), (k, 1, n))
    assert pull(expr, None) == expected


# --- Each kind of layer is derived once, and always the same ---


@pytest.mark.parametrize(
    ("layers", "sweeps"),
    [("2,4*1000,1", 2), ("2,2,2,1", 2), ("5,1", 1), ("2,3:tanh,3:relu,3:tanh,1", 3)],
)
def test_equal_layers_are_derived_once(monkeypatch, layers, sweeps):
    count = []
    engine = sys.modules["bpderive.derive"]  # `bpderive.derive` is the function
    sweep = engine.sweep
    monkeypatch.setattr(engine, "sweep", lambda graph: count.append(1) or sweep(graph))
    derivation = derived(layers)
    for layer in (1, derivation.network.depth):
        derivation.equation("w", layer)
    assert len(count) == sweeps


def test_the_same_network_is_derived_the_same_way_twice():
    one, other = (layer_of(("softmax", "mse", 2, 1))[0] for _ in range(2))
    assert one == other


SCRIPT = """
from sympy import srepr
from bpderive.catalog import CATALOG
from bpderive.derive import derive
from bpderive.forms import FORMS, gradient
from bpderive.network import build
from bpderive.spec import parse_spec

for layers, activation, output, loss in (
    ("2,2,2,1", "sigmoid", "linear", "half_squared_error"),
    ("3,2,3", "softmax", "softmax", "kl_divergence"),
    ("2,3,2", "elu", "sigmoid", "binary_cross_entropy"),
    ("2,2,2", "gelu_tanh", "tanh", "huber"),
):
    spec = parse_spec(layers, activation=activation, output_activation=output, loss=loss, bias=True)
    derivation = derive(build(spec, CATALOG))
    for layer in (1, 2):
        for one in derivation.at(layer, batch=True).values():
            print([(step.rule, srepr(step.after)) for step in one.steps])
    for form in FORMS:
        print(*(srepr(gradient(derivation, r, form)) for r in ("w1[1,2]", "b2[1]", "delta1[2]")))
"""


def test_nothing_depends_on_the_hash_seed():
    outputs = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("0", "1", "42")
    }
    assert len(outputs) == 1
    assert len(outputs.pop()) > 10_000
