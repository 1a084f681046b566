"""What a generated module of plain Python takes and refuses."""

import math
from random import Random

import numpy as np
import pytest
from plain_python import both, python


@both
def test_one_sample_is_a_batch_of_one(form):
    network = python(form=form, bias=True, loss="softmax_cross_entropy")
    params, x, y = network.init(Random(0)), [0.1, -0.4, 2.0], [0.25, 0.75]
    assert network.forward(params, x) == network.forward(params, [x])[0]
    assert network.loss(params, x, y) == network.loss(params, [x], [y])
    assert network.loss_and_grad(params, x, y) == network.loss_and_grad(params, [x], [y])


@both
def test_tuples_ints_and_numpy_numbers_are_numbers(form):
    network = python(form=form)
    params = {"W1": [[1, 2, 3]] * 4, "W2": [[1, 0, -1, 0.5]] * 2}
    tuples = {key: tuple(map(tuple, rows)) for key, rows in params.items()}
    x, y = [[1, 2, 0], [0, 1, 1]], [[True, False], [0, 1]]
    expected = network.loss_and_grad(params, x, y)
    assert network.loss_and_grad(tuples, tuple(map(tuple, x)), tuple(map(tuple, y))) == expected
    assert all(type(g) is float for rows in expected[1].values() for row in rows for g in row)
    numbers = [list(map(np.float32, row)) for row in x]
    assert network.loss_and_grad(params, numbers, y) == expected


GIVEN = {"W1": [[0.1] * 3] * 4, "b1": [0.2] * 4, "W2": [[0.3] * 4] * 2, "b2": [0.1] * 2}
X, Y = [[1.0, 2.0, 3.0]] * 4, [[0.5, 0.5]] * 4


def wrong_params():
    params, x, y = GIVEN, X, Y
    less = {key: v for key, v in params.items() if key != "b1"}
    yield "keys of params: missing b1, unknown none", less, x, y
    yield "keys of params: missing none, unknown W3", {**params, "W3": x}, x, y
    yield "keys of params: missing W1, b1, W2, b2", [params], x, y
    yield (
        r"params W2 must have shape \(2, 4\), got \(4, 2\)",
        {**params, "W2": [[1.0] * 2] * 4},
        x,
        y,
    )
    yield r"params b1 must have shape \(4,\), got \(1,\)", {**params, "b1": [1.0]}, x, y
    yield r"params b1 must have shape \(4,\), got \(\)", {**params, "b1": 1.0}, x, y
    yield r"params b1 must have shape \(4,\), got \(4, 1\)", {**params, "b1": [[1.0]] * 4}, x, y
    ragged = {**params, "W1": [[0.1] * 3] * 3 + [[0.1] * 2]}
    yield "params W1 has rows of different lengths", ragged, x, y
    yield "params must hold real numbers, got complex", {**params, "b1": [1j] * 4}, x, y
    yield "params must hold real numbers, got str", {**params, "b1": ["1"] * 4}, x, y
    yield "params must hold real numbers, got NoneType", {**params, "b1": [None] * 4}, x, y
    yield "params holds a number that no float", {**params, "b1": [10**400] * 4}, x, y


def wrong_samples():
    params, x, y = GIVEN, X, Y
    yield r"x must have shape \(N, 3\) or \(3,\), got \(4, 2\)", params, [[1.0, 2.0]] * 4, y
    yield r"x must have shape .* got \(1, 4, 3\)", params, [x], y
    yield r"x must have shape .* got \(\)", params, 1.0, y
    yield r"x must have shape .* got \(\)", params, "abc", y
    yield "x has rows of different lengths", params, [[1.0, 2.0, 3.0], [1.0, 2.0]], y[:2]
    yield "x has rows of different lengths", params, [[1.0, 2.0, 3.0], 1.0], y[:2]
    yield "x must hold real numbers, got str", params, [["a", 1.0, "b"]] * 4, y
    yield r"y must have shape \(4, 2\), got \(2,\)", params, x, y[0]
    yield r"y must have shape \(2,\), got \(1, 2\)", params, x[0], y[:1]
    yield r"y must have shape \(4, 2\), got \(1, 2\)", params, x, y[:1]
    yield r"y must have shape \(4, 2\), got \(4, 1\)", params, x, [[1.0]] * 4
    yield r"y must have shape \(4, 2\), got \(0,\)", params, x, []
    yield "y has rows of different lengths", params, x, [[0.5, 0.5]] * 3 + [[1.0]]
    yield "y must hold real numbers, got str", params, x, [["a", "b"]] * 4
    yield "no samples", params, [], []
    yield "each row of y must have the sum 1", params, x, [[1.0, 1.0]] * 4
    yield "each row of y must have the sum 1", params, x, [[math.nan, 1.0]] * 4
    yield "each row of y must have the sum 1", params, x, [*y[:3], [0.6, 0.5]]


@both
@pytest.mark.parametrize(("message", "params", "x", "y"), [*wrong_params(), *wrong_samples()])
def test_wrong_inputs_are_told(message, params, x, y, form):
    network = python(form=form, bias=True, loss="cross_entropy", output_activation="softmax")
    for function in (network.loss, network.loss_and_grad, network.train):
        with pytest.raises(ValueError, match=message):
            function(params, x, y)
    if message.startswith(("keys", "params", "x ")):
        with pytest.raises(ValueError, match=message):
            network.forward(params, x)
    if message.startswith(("keys", "params")):
        for function in (network.flatten, lambda p: network.step(p, p, 0.1)):
            with pytest.raises(ValueError, match=message):
                function(params)


@both
def test_no_samples_have_a_sum(form):
    network = python(form=form, reduction="sum", bias=True)
    params = network.init(Random(0))
    assert network.forward(params, []) == []
    found, grads = network.loss_and_grad(params, [], [])
    assert (found, set(network.flatten(grads))) == (0, {0.0})
    with pytest.raises(ValueError, match="no samples to train on"):
        network.train(params, [], [])


@both
def test_inputs_are_left_as_they_are(form):
    network = python(form=form, bias=True)
    params, x, y = network.init(Random(0)), [[1.0, 2.0, 3.0]] * 3, [[1.0, 0.0]] * 3
    given = repr((params, x, y))
    _, grads = network.loss_and_grad(params, x, y)
    gradients = repr(grads)
    new, state = network.adam(params, grads, None, 0.1)
    kept = repr(state)
    results = [
        network.adam(params, grads, state, 0.1)[0],
        network.momentum(params, grads, {"v": grads}, 0.1)[0],
        network.step(params, grads, 0.1),
        network.train(params, x, y, batch=2)[0],
    ]
    clipped = [network.clip_by_value(grads, 9), network.clip_by_norm(grads, 9)]
    for result in (*results, *clipped, network.l2_decay(params, grads, 0.1)):
        result["W1"][0][0] = result["b1"][0] = 7.0
    assert (repr((params, x, y)), repr(grads), repr(state)) == (given, gradients, kept)
    assert network.flatten(new) != network.flatten(params)
