"""The parameters, optimizers and training of a generated array API module."""

import math
from itertools import product
from random import Random

import numpy as np
import pytest
from array_libraries import LIBRARIES, TOLERANCE, close, each_library, everywhere, module
from generated import module as numpy_module
from generated import point

lib = pytest.fixture(each_library, params=LIBRARIES)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_schemes(lib, dtype):
    network, xp = module("30,40,2", bias=True), lib.xp
    variances = {"zeros": 0, "normal": 1, "uniform": 1 / 3, "xavier": 2 / 70, "glorot": 2 / 70}
    for scheme, variance in (*variances.items(), ("he", 2 / 30), ("truncated_normal", 0.774)):
        params = network.init(Random(0), scheme, xp=xp, dtype=getattr(xp, dtype))
        assert {key: tuple(v.shape) for key, v in params.items()} == network.SHAPES
        assert np.var(lib.back(params["W1"])) == pytest.approx(variance, rel=0.1)
        same = network.init(Random(0), scheme, xp=np, dtype=dtype)
        np.testing.assert_array_equal(lib.back(params["W2"]), same["W2"])
        assert not lib.back(params["b1"]).any()
    assert abs(lib.back(params["W1"])).max() <= 2  # the last is truncated
    with pytest.raises(ValueError, match="unknown scheme 'zavier'; there are zeros, normal"):
        network.init(Random(0), "zavier", xp=xp)
    with pytest.raises(ValueError, match="float32 or float64, got"):
        network.init(Random(0), xp=xp, dtype=xp.int64)


@everywhere(("dtype",), ["float32", "float64"])
def test_an_orthogonal_scheme(lib, dtype):
    within, draws = {"float32": 1e-5, "float64": 1e-13}[dtype], []
    network = module("3,5,5,2")
    for seed in range(20):
        params = network.init(Random(seed), "orthogonal", xp=lib.xp, dtype=getattr(lib.xp, dtype))
        for weights in map(lib.back, params.values()):
            n, m = weights.shape
            assert weights.dtype == dtype
            product = weights @ weights.T if n < m else weights.T @ weights
            np.testing.assert_allclose(product, np.eye(min(n, m)), atol=within)
        draws.append(lib.back(params["W1"])[0, 0])
    assert min(draws) < 0 < max(draws)  # with the signs of the decomposition, all were negative


@everywhere(("dtype",), ["float32", "float64"])
def test_optimizers(lib, dtype):
    network, reference = (m(bias=True, activation="tanh") for m in (module, numpy_module))
    params, x, y = point(network)
    for name in ("sgd", "momentum", "adam"):
        state = states = None
        found, wanted = lib.arrays(params, dtype), params
        for rate in (0.1, 0.05, 0.2):
            grads = network.loss_and_grad(found, lib.array(x, dtype), lib.array(y, dtype))[1]
            slopes = reference.loss_and_grad(wanted, x, y)[1]
            found, state = network.OPTIMIZERS[name](found, grads, state, rate)
            wanted, states = reference.OPTIMIZERS[name](wanted, slopes, states, rate)
        for key, value in wanted.items():
            close(lib, found[key], value, TOLERANCE[dtype], dtype)


@everywhere(("size", "dtype"), [(s, d) for s in (1e30, 1, 1e-30) for d in ("float32", "float64")])
def test_what_is_done_to_gradients(lib, size, dtype):
    network = module(bias=True)
    params = point(network)[0]
    plain = {key: np.asarray(value * size, dtype).astype(float) for key, value in params.items()}
    norm = size * math.sqrt(sum(((v / size) ** 2).sum() for v in plain.values()))
    grads = lib.arrays(plain, dtype)
    for bound in (0.0, norm / 3, norm * 3):
        scale = min(1.0, bound / norm)
        clipped = network.clip_by_norm(grads, bound)
        inside = network.clip_by_value(grads, bound / 10)
        for key, value in plain.items():
            close(lib, clipped[key] / size, value / size * scale, 2e-6, dtype)
            expected = np.clip(value, -bound / 10, bound / 10) / size
            close(lib, inside[key] / size, expected, 2e-6, dtype)
    nothing = {key: 0 * grad for key, grad in grads.items()}
    assert not any(lib.back(grad).any() for grad in network.clip_by_norm(nothing, 0).values())
    decayed = network.l2_decay(lib.arrays(params, dtype), grads, 0.5)
    for key, value in plain.items():
        expected = value + 0.5 * params[key] * (key[0] == "W")
        close(lib, decayed[key] / size, expected / size, 1e-6 * max(1, 1 / size), dtype)


@pytest.mark.parametrize("value", [math.nan, math.inf, -1, "0.1", None, [0.1]])
def test_wrong_rates_are_told(value):
    network = module()
    params, x, y = point(network)
    grads = network.loss_and_grad(params, x, y)[1]
    for call in (
        lambda: network.step(params, grads, value),
        lambda: network.momentum(params, grads, None, value),
        lambda: network.momentum(params, grads, None, 0.1, beta=value),
        lambda: network.adam(params, grads, None, 0.1, beta2=value),
        lambda: network.clip_by_norm(grads, value),
        lambda: network.clip_by_value(grads, value),
        lambda: network.l2_decay(params, grads, value),
        lambda: network.train(params, x, y, lr=value),
    ):
        with pytest.raises(ValueError, match="must be a number from 0"):
            call()


def test_a_state_of_another_network_is_told():
    network, other = module(), module("3,4,4,2")
    params, x, y = point(network)
    grads = network.loss_and_grad(params, x, y)[1]
    strange = point(other)[0]
    for optimizer in (other.momentum, other.adam):
        state = optimizer(strange, strange, None, 0.1)[1]
        with pytest.raises(ValueError, match="keys of state"):
            getattr(network, optimizer.__name__)(params, grads, state, 0.1)


OPTIONS = {
    "sgd": {},
    "momentum": {"decay": 0.1, "clip_value": 0.05},
    "adam": {"clip_norm": 0.1, "lr": 0.01},
}


@everywhere(("optimizer", "reduction"), product(OPTIONS, ["mean", "sum"]))
def test_train(lib, optimizer, reduction):
    """As a plain loop would; the same on every library."""
    network = module(bias=True, reduction=reduction, loss="softmax_cross_entropy")
    params, x, y = point(network, "softmax_cross_entropy", n=7)
    calls, given = [], {"epochs": 2, "batch": 3, "seed": 5, "lr": 0.1, **OPTIONS[optimizer]}
    given["optimizer"] = optimizer
    found, history = network.train(
        lib.arrays(params), lib.array(x), lib.array(y), progress=lambda *c: calls.append(c), **given
    )
    order, rng, state, wanted, losses = list(range(7)), Random(5), None, params, []
    for _ in range(2):
        rng.shuffle(order)
        for some in (order[:3], order[3:6], order[6:]):
            value, grads = network.loss_and_grad(wanted, x[some], y[some])
            grads = network.l2_decay(wanted, grads, given.get("decay", 0))
            grads = network.clip_by_value(grads, given.get("clip_value", 1e9))
            grads = network.clip_by_norm(grads, given.get("clip_norm", 1e9))
            change = network.OPTIMIZERS[optimizer]
            wanted, state = change(wanted, grads, state, given["lr"])
            losses.append(float(value))
    assert [call[:2] for call in calls] == [(k, 6) for k in range(1, 7)]
    np.testing.assert_allclose([call[2] for call in calls], losses)
    weights = np.array([3, 3, 1]) / 7 if reduction == "mean" else np.ones(3)
    np.testing.assert_allclose(history, np.reshape(losses, (2, 3)) @ weights)
    for key, value in wanted.items():
        close(lib, found[key], value, 1e-11)


@pytest.mark.parametrize(
    ("message", "options"),
    [
        ("epochs must be a whole number from 1, got 0", {"epochs": 0}),
        ("batch must be a whole number from 1, got 2.0", {"batch": 2.0}),
        ("unknown optimizer 'adma'; there are sgd, momentum, adam", {"optimizer": "adma"}),
        ("bound must be a number from 0, got nan", {"clip_norm": math.nan}),
    ],
)
def test_wrong_options_of_training_are_told(message, options):
    network = module()
    with pytest.raises(ValueError, match=message):
        network.train(*point(network), **options)
