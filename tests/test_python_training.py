"""The training functions of a generated module of plain Python, against formulas on arrays."""

import math
from random import Random

import numpy as np
import pytest
from plain_python import both, module, python


def test_schemes():
    network = python("300,400,2", bias=True)
    assert list(network.SCHEMES) == list(module("300,400,2", bias=True).SCHEMES)
    deviations = {"zeros": 0, "normal": 1, "uniform": 3**-0.5, "truncated_normal": 0.8796}
    deviations |= dict.fromkeys(("xavier", "glorot"), (2 / 700) ** 0.5)
    for scheme, deviation in (*deviations.items(), ("he", (2 / 300) ** 0.5)):
        params = network.init(Random(0), scheme=scheme)
        assert np.shape(params["W1"]) == network.SHAPES["W1"]
        assert np.std(params["W1"]) == pytest.approx(deviation, rel=0.02)
        assert params["b1"] == [0.0] * 400
    assert np.max(np.abs(network.init(Random(0), "truncated_normal")["W1"])) <= 2
    assert network.init(Random(0)) == network.init(Random(0), "xavier")
    with pytest.raises(ValueError, match="unknown scheme 'zavier'; there are zeros, normal"):
        network.init(Random(0), "zavier")


@pytest.mark.parametrize("layers", ["30,20,40", "1,3,1", "5,5"])
def test_orthogonal(layers):
    for seed in range(3):
        for weights in python(layers).init(Random(seed), "orthogonal").values():
            w = np.array(weights)
            gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
            np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-13)
    signs = [python("2,2").init(Random(seed), "orthogonal")["W1"] for seed in range(200)]
    assert 70 < sum(w[0][0] > 0 for w in signs) < 130
    assert 70 < sum(np.linalg.det(w) > 0 for w in signs) < 130


def reference(name, params, gradients, lr):
    """Steps of an optimizer on arrays, by its formula."""
    w, m, v = np.array(params), 0.0, 0.0
    for t, g in enumerate(map(np.array, gradients), 1):
        if name == "adam":
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            w = w - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        else:
            v = (0.9 if name == "momentum" else 0.0) * v + g
            w = w - lr * v
        yield w


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
def test_optimizers(name):
    network, rng = python(bias=True), np.random.default_rng(0)
    theta, gradients = rng.normal(size=26), rng.normal(size=(4, 26))
    params, state = network.unflatten(theta.tolist()), None
    for g, expected in zip(gradients, reference(name, theta, gradients, 0.05), strict=True):
        grads = network.unflatten(g.tolist())
        params, state = network.OPTIMIZERS[name](params, grads, state, 0.05)
        np.testing.assert_allclose(network.flatten(params), expected, rtol=1e-12)


def test_clipping_and_decay():
    network, rng = python(bias=True), np.random.default_rng(1)
    theta, g = rng.normal(size=26), rng.normal(size=26)
    params, grads = network.unflatten(theta.tolist()), network.unflatten(g.tolist())
    flat = network.flatten
    np.testing.assert_array_equal(flat(network.clip_by_value(grads, 0.5)), g.clip(-0.5, 0.5))
    norm = np.linalg.norm(g)
    np.testing.assert_allclose(flat(network.clip_by_norm(grads, 0.5)), g * 0.5 / norm)
    assert network.clip_by_norm(grads, norm * 1.01) == grads
    huge = network.unflatten((g * 1e300).tolist())
    assert math.hypot(*flat(network.clip_by_norm(huge, 1.0))) == pytest.approx(1)
    decayed = network.l2_decay(params, grads, 0.1)
    weights = np.array([1] * 12 + [0] * 4 + [1] * 8 + [0] * 2)
    np.testing.assert_allclose(flat(decayed), g + 0.1 * theta * weights)


def samples(n=40):
    rng = Random(5)
    x = [[rng.gauss(0, 1) for _ in range(3)] for _ in range(n)]
    return x, [[math.sin(a + b), a * c] for a, b, c in x]


@both
@pytest.mark.parametrize(("optimizer", "lr"), [("sgd", 0.1), ("momentum", 0.02), ("adam", 0.01)])
def test_train(optimizer, lr, form):
    network, (x, y), told = python(form=form, activation="tanh", bias=True), samples(), []
    params = network.init(Random(0))
    options = {"epochs": 15, "batch": 16, "lr": lr, "optimizer": optimizer}
    new, history = network.train(params, x, y, progress=lambda *args: told.append(args), **options)
    assert len(history) == 15
    assert history[-1] < 0.8 * history[0]
    assert network.loss(new, x, y) < 0.8 * network.loss(params, x, y)
    assert [row[:2] for row in told] == [(k, 45) for k in range(1, 46)]
    for epoch, total in enumerate(history):
        losses = [row[2] for row in told[3 * epoch : 3 * epoch + 3]]
        assert total == pytest.approx(np.dot(losses, (16, 16, 8)) / 40)
    assert network.train(params, x, y, **options) == (new, history)
    assert network.train(params, x, y, seed=1, **options) != (new, history)


def test_a_step_of_train_is_decay_then_clipping_then_the_optimizer():
    network, (x, y) = python(activation="tanh", bias=True), samples(8)
    params = network.init(Random(0), "normal")
    L, grads = network.loss_and_grad(params, x, y)
    grads = network.clip_by_value(network.l2_decay(params, grads, 0.3), 0.2)
    expected, _ = network.adam(params, network.clip_by_norm(grads, 0.4), None, 0.1)
    options = {"decay": 0.3, "clip_value": 0.2, "clip_norm": 0.4, "optimizer": "adam"}
    new, history = network.train(params, x, y, epochs=1, batch=8, **options)
    np.testing.assert_allclose(network.flatten(new), network.flatten(expected), rtol=1e-9)
    assert history == [pytest.approx(L)]


def test_the_history_of_a_sum_is_a_sum():
    (x, y), ends = samples(), []
    for reduction in ("sum", "mean"):
        network = python(reduction=reduction)
        ends.append(network.train(network.init(Random(0)), x, y, epochs=1, lr=0)[1][0])
    assert ends[0] == pytest.approx(40 * ends[1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"optimizer": "sdg"}, "unknown optimizer 'sdg'; there are sgd, momentum, adam"),
        ({"epochs": 0}, "epochs must be a whole number from 1, got 0"),
        ({"epochs": 1.0}, "epochs must be a whole number"),
        ({"batch": -1}, "batch must be a whole number"),
        ({"batch": True}, "batch must be a whole number"),
        ({"lr": math.nan}, "lr must be a number from 0, got nan"),
        ({"lr": math.inf}, "lr must be a number from 0, got inf"),
        ({"lr": "1"}, "lr must be a number from 0, got '1'"),
        ({"decay": -1}, "decay must be a number from 0, got -1"),
        ({"clip_value": -1}, "bound must be a number from 0, got -1"),
        ({"clip_norm": math.nan}, "bound must be a number from 0, got nan"),
    ],
)
def test_wrong_options_are_told(options, message):
    network, (x, y) = python(), samples(4)
    with pytest.raises(ValueError, match=message):
        network.train(network.init(Random(0)), x, y, **options)


def test_wrong_rates_are_told():
    network = python()
    params = network.init(Random(0))
    for call in (
        lambda: network.step(params, params, math.nan),
        lambda: network.momentum(params, params, None, 0.1, beta=math.inf),
        lambda: network.adam(params, params, None, 0.1, beta1=1.0),
        lambda: network.adam(params, params, None, 0.1, beta2=-0.1),
        lambda: network.adam(params, params, None, 0.1, eps=math.nan),
        lambda: network.l2_decay(params, params, math.inf),
    ):
        with pytest.raises(ValueError, match="must be a number from 0"):
            call()
    with pytest.raises(ValueError, match="keys of grads: missing W2"):
        network.step(params, {"W1": params["W1"]}, 0.1)


def test_the_state_of_another_optimizer_is_refused():
    network = python(bias=True)
    params = network.init(Random(0))
    slow, fast = (getattr(network, n)(params, params, None, 0.1)[1] for n in ("momentum", "adam"))
    with pytest.raises(ValueError, match="the state must hold v, got t, m, v"):
        network.momentum(params, params, fast, 0.1)
    with pytest.raises(ValueError, match="the state must hold t, m, v, got v"):
        network.adam(params, params, slow, 0.1)
