"""The training functions of the generated NumPy modules, against formulas on flat arrays."""

import math
from functools import partial

import numpy as np
import pytest
from generated import module

NUMPY = ("numpy", "numpy-inplace")
target = pytest.mark.parametrize("target", NUMPY)
rng_of = np.random.default_rng


def flat(params):
    return np.concatenate([value.ravel() for value in params.values()])


def parted(network, theta):
    """A dict of arrays from a flat one."""
    ends = np.cumsum([math.prod(shape) for shape in network.SHAPES.values()])[:-1]
    parts = np.split(theta, ends)
    return {k: p.reshape(s) for (k, s), p in zip(network.SHAPES.items(), parts, strict=True)}


@target
def test_schemes(target):
    network = module("300,400,2", target=target, bias=True)
    deviations = {"truncated_normal": 0.8796, "glorot": (2 / 700) ** 0.5, "he": (2 / 300) ** 0.5}
    for scheme, deviation in deviations.items():
        params = network.init(rng_of(0), scheme)
        assert params["W1"].std() == pytest.approx(deviation, rel=0.02)
        assert not params["b1"].any()
    assert np.abs(network.init(rng_of(0), "truncated_normal")["W1"]).max() <= 2
    one, other = (network.init(rng_of(0), name)["W1"] for name in ("xavier", "glorot"))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("layers", ["30,20,40", "1,3,1", "5,5"])
def test_orthogonal(layers):
    network = module(layers)
    for seed in range(3):
        for w in network.init(rng_of(seed), "orthogonal").values():
            gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
            np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-13)
            assert w.flags.c_contiguous
    signs = [module("2,2").init(rng_of(seed), "orthogonal")["W1"] for seed in range(200)]
    assert 70 < sum(w[0, 0] > 0 for w in signs) < 130
    assert 70 < sum(np.linalg.det(w) > 0 for w in signs) < 130


def reference(name, theta, gradients, lr):
    """Steps of an optimizer on one array, by its formula."""
    w, m, v = theta, 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        if name == "adam":
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            w = w - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        else:
            v = (0.9 if name == "momentum" else 0.0) * v + g
            w = w - lr * v
        yield w


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_optimizers(name, dtype):
    network, rng = module(bias=True), rng_of(0)
    theta, gradients = rng.normal(size=26).astype(dtype), rng.normal(size=(4, 26)).astype(dtype)
    params, state = parted(network, theta), None
    for g, expected in zip(gradients, reference(name, theta, gradients, 0.05), strict=True):
        grads = parted(network, g.copy())
        params, state = network.OPTIMIZERS[name](params, grads, state, 0.05)
        for grad in grads.values():
            grad.fill(np.nan)  # the state has its own
        np.testing.assert_allclose(
            flat(params), expected, rtol=1e-4 if dtype == "float32" else 1e-12
        )
        assert flat(params).dtype == dtype


def test_a_state_of_another_network_is_refused():
    network, other = module(bias=True), module("3,5,2", bias=True)
    grads, state = network.init(rng_of(0)), {"v": other.init(rng_of(0))}
    with pytest.raises(ValueError, match="v of the state W1 must have shape"):
        network.momentum(grads, grads, state, 0.1)
    state |= {"m": {}, "t": 1}
    with pytest.raises(ValueError, match="keys of m of the state: missing W1"):
        network.adam(grads, grads, state, 0.1)


@pytest.mark.parametrize("target", [*NUMPY, "array-api"])
def test_the_state_of_another_optimizer_is_refused(target):
    network = module(target=target, bias=True)
    params = module(bias=True).init(rng_of(0))
    slow, fast = (getattr(network, n)(params, params, None, 0.1)[1] for n in ("momentum", "adam"))
    with pytest.raises(ValueError, match="the state must hold v, got t, m, v"):
        network.momentum(params, params, fast, 0.1)
    with pytest.raises(ValueError, match="the state must hold t, m, v, got v"):
        network.adam(params, params, slow, 0.1)


def test_clipping_and_decay():
    network, rng = module(bias=True), rng_of(1)
    theta, g = rng.normal(size=26), rng.normal(size=26)
    params, grads, norm = parted(network, theta), parted(network, g), np.linalg.norm(g)
    np.testing.assert_array_equal(flat(network.clip_by_value(grads, 0.5)), g.clip(-0.5, 0.5))
    np.testing.assert_allclose(flat(network.clip_by_norm(grads, 0.5)), g * 0.5 / norm)
    np.testing.assert_array_equal(flat(network.clip_by_norm(grads, norm * 1.01)), g)
    np.testing.assert_array_equal(flat(network.clip_by_norm(parted(network, 0 * g), 1.0)), 0 * g)
    for size in (1e300, 1.7e308 / np.abs(g).max()):
        huge = parted(network, g * size)
        assert np.linalg.norm(flat(network.clip_by_norm(huge, 1.0))) == pytest.approx(1)
    with np.errstate(invalid="ignore"):
        unknown = network.clip_by_norm(parted(network, np.where(g == g[0], np.inf, g)), 1.0)
    assert np.isnan(flat(unknown)).all()
    weights = np.array([1] * 12 + [0] * 4 + [1] * 8 + [0] * 2)
    np.testing.assert_allclose(
        flat(network.l2_decay(params, grads, 0.1)), g + 0.1 * theta * weights
    )


def samples(n=40):
    x = rng_of(5).normal(size=(n, 3))
    return x, np.stack([np.sin(x[:, 0] + x[:, 1]), x[:, 0] * x[:, 2]], axis=1)


@target
@pytest.mark.parametrize(("optimizer", "lr"), [("sgd", 0.1), ("momentum", 0.02), ("adam", 0.01)])
def test_train(optimizer, lr, target):
    network, (x, y), told = module(target=target, activation="tanh", bias=True), samples(), []
    params = network.init(rng_of(0))
    before = flat(params).copy()
    options = {"epochs": 15, "batch": 16, "lr": lr, "optimizer": optimizer}
    train = partial(network.train, params, x, y, **options)
    new, history = train(progress=lambda *args: told.append(args))
    np.testing.assert_array_equal(flat(params), before)
    assert len(history) == 15
    assert history[-1] < 0.8 * history[0]
    assert network.loss(new, x, y) < 0.8 * network.loss(params, x, y)
    assert [row[:2] for row in told] == [(k, 45) for k in range(1, 46)]
    for epoch, total in enumerate(history):
        losses = [row[2] for row in told[3 * epoch : 3 * epoch + 3]]
        assert total == pytest.approx(np.dot(losses, (16, 16, 8)) / 40)
    again, other = train(), train(seed=1)
    np.testing.assert_array_equal(flat(again[0]), flat(new))
    assert again[1] == history != other[1]


@target
def test_training_keeps_the_type(target):
    network, (x, y) = module(target=target, activation="tanh", bias=True), samples()
    params = {key: value.astype("float32") for key, value in network.init(rng_of(0)).items()}
    for optimizer in ("sgd", "momentum", "adam"):
        options = {"optimizer": optimizer, "decay": 0.1, "clip_norm": 1.0, "clip_value": 1.0}
        new, _ = network.train(params, x, y, epochs=2, **options)
        assert {value.dtype for value in new.values()} == {np.dtype("float32")}


@target
def test_a_step_of_train_is_decay_then_clipping_then_the_optimizer(target):
    network, (x, y) = module(target=target, activation="tanh", bias=True), samples(8)
    params = network.init(rng_of(0), "normal")
    L, grads = network.loss_and_grad(params, x, y)
    grads = network.clip_by_value(network.l2_decay(params, grads, 0.3), 0.2)
    expected, _ = network.adam(params, network.clip_by_norm(grads, 0.4), None, 0.1)
    options = {"decay": 0.3, "clip_value": 0.2, "clip_norm": 0.4, "optimizer": "adam"}
    new, history = network.train(params, x, y, epochs=1, batch=8, **options)
    np.testing.assert_allclose(flat(new), flat(expected), rtol=1e-9)
    assert history == [pytest.approx(L)]


@target
def test_the_history_of_a_sum_is_a_sum(target):
    (x, y), ends = samples(), []
    for reduction in ("sum", "mean"):
        network = module(target=target, reduction=reduction)
        ends.append(network.train(network.init(rng_of(0)), x, y, epochs=1, lr=0)[1][0])
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
        ({"lr": 1j}, "lr must be a number from 0, got 1j"),
        ({"decay": -1}, "rate must be a number from 0, got -1"),
        ({"clip_value": -1}, "bound must be a number from 0, got -1"),
        ({"clip_norm": math.nan}, "bound must be a number from 0, got nan"),
    ],
)
@target
def test_wrong_options_are_told(options, message, target):
    network, (x, y) = module(target=target), samples(4)
    with pytest.raises(ValueError, match=message):
        network.train(network.init(rng_of(0)), x, y, **options)
    with pytest.raises(ValueError, match="no samples"):
        network.train(network.init(rng_of(0)), x[:0], y[:0])


def test_wrong_rates_are_told():
    network = module()
    params = network.init(rng_of(0))
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
