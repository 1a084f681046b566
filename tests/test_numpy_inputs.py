"""What a generated NumPy module takes and refuses."""

import numpy as np
import pytest
from generated import module, point


def test_one_sample_is_a_batch_of_one():
    network = module(bias=True, loss="softmax_cross_entropy")
    params, x, y = point(network, "softmax_cross_entropy", n=1)
    np.testing.assert_array_equal(network.forward(params, x[0]), network.forward(params, x)[0])
    assert network.forward(params, x[0]).shape == (2,)
    assert network.loss(params, x[0], y[0]) == network.loss(params, x, y)
    (one, grads), (other, expected) = (
        network.loss_and_grad(params, *sample) for sample in ((x[0], y[0]), (x, y))
    )
    assert one == other
    for key, grad in grads.items():
        np.testing.assert_array_equal(grad, expected[key])


@pytest.mark.parametrize("options", [{}, {"output_activation": "softmax", "loss": "cross_entropy"}])
def test_inputs_are_left_as_they_are(options):
    network = module(activation="sigmoid", bias=True, **options)
    params, x, y = point(network, options.get("loss", "half_squared_error"))
    expected = network.loss_and_grad(params, x, y)
    wide = [np.repeat(np.repeat(array, 2, axis=0), 3, axis=1)[::2, ::3] for array in (x, y)]
    backwards = {key: v[..., ::-1].copy()[..., ::-1] for key, v in params.items()}
    for array in (*wide, *backwards.values()):
        array.setflags(write=False)
    found = network.loss_and_grad(backwards, *wide)
    network.step(backwards, found[1], 0.5)
    assert found[0] == pytest.approx(expected[0])
    for key, grad in found[1].items():
        np.testing.assert_allclose(grad, expected[1][key])
        assert not np.shares_memory(grad, backwards[key])


def wrong_inputs():
    network = module(bias=True, loss="cross_entropy", output_activation="softmax")
    params, x, y = point(network, "cross_entropy")
    less = {key: v for key, v in params.items() if key != "b1"}
    yield "missing b1, unknown none", less, x, y
    yield "missing none, unknown W3", {**params, "W3": x}, x, y
    yield (
        r"params W2 must have shape \(2, 4\), got \(4, 2\)",
        {**params, "W2": np.ones((4, 2))},
        x,
        y,
    )
    yield r"params b1 must have shape \(4,\), got \(1,\)", {**params, "b1": np.ones(1)}, x, y
    yield "params must hold real numbers, got complex128", {**params, "b1": np.ones(4) * 1j}, x, y
    yield r"x must have shape \(N, 3\) or \(3,\), got \(4, 2\)", params, x[:, :2], y
    yield r"x must have shape .* got \(1, 4, 3\)", params, x[None], y
    yield r"x must have shape .* got \(\)", params, 1.0, y
    yield "x must hold real numbers, got <U1", params, np.full((4, 3), "a"), y
    yield r"y must have shape \(4, 2\), got \(2,\)", params, x, y[0]
    yield r"y must have shape \(2,\), got \(1, 2\)", params, x[0], y[:1]
    yield r"y must have shape \(4, 2\), got \(1, 2\)", params, x, y[:1]
    yield r"y must have shape \(4, 2\), got \(4, 1\)", params, x, y[:, :1]
    yield "y must hold real numbers, got <U1", params, x, np.full((4, 2), "a")
    yield "no samples", params, x[:0], y[:0]
    yield "missing W1, b1, W2, b2", [1], x, y
    yield "each row of y must have the sum 1", params, x, 2 * y
    yield "each row of y must have the sum 1", params, x, np.full((4, 2), np.nan)
    yield "each row of y must have the sum 1", params, x, y[:, ::-1] + [[0.1, 0]]


@pytest.mark.parametrize(("message", "params", "x", "y"), list(wrong_inputs()))
def test_wrong_inputs_are_told(message, params, x, y):
    network = module(bias=True, loss="cross_entropy", output_activation="softmax")
    for function in (network.loss, network.loss_and_grad):
        with pytest.raises(ValueError, match=message):
            function(params, x, y)
    if message[:2] in ("mi", "pa", "x "):
        with pytest.raises(ValueError, match=message):
            network.forward(params, x)


def test_step_checks_the_gradient():
    network = module()
    params, x, y = point(network)
    grads = network.loss_and_grad(params, x, y)[1]
    new = network.step(params, grads, 0.1)
    np.testing.assert_allclose(new["W1"], params["W1"] - 0.1 * grads["W1"])
    assert network.loss(new, x, y) < network.loss(params, x, y)
    with pytest.raises(ValueError, match="grads W1 must have shape"):
        network.step(params, {**grads, "W1": np.ones(1)}, 0.1)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_sum_of_labels_is_judged_by_their_own_type(dtype):
    network = module("3,1000", loss="softmax_cross_entropy")
    params, x, y = point(network, "softmax_cross_entropy")
    for other in ("float16", "float32", "float64"):
        cast = {key: v.astype(other) for key, v in params.items()}
        assert np.isfinite(network.loss(cast, x, y.astype(dtype)))
        assert np.isfinite(network.loss(cast, x, np.eye(1000, dtype="int8")[:4]))


def test_no_samples_have_a_sum():
    network = module(reduction="sum", loss="softmax_cross_entropy")
    params, x, y = point(network, "softmax_cross_entropy")
    found, grads = network.loss_and_grad(params, x[:0], y[:0])
    assert found == 0
    assert not any(grad.any() for grad in grads.values())


def test_schemes():
    network = module("300,400,2", bias=True)
    deviations = {"zeros": 0, "normal": 1, "uniform": 3**-0.5, "xavier": (2 / 700) ** 0.5}
    for scheme, deviation in (*deviations.items(), ("he", (2 / 300) ** 0.5)):
        params = network.init(np.random.default_rng(0), scheme=scheme)
        assert {key: v.shape for key, v in params.items()} == network.SHAPES
        assert params["W1"].std() == pytest.approx(deviation, rel=0.02)
        assert not params["b1"].any()
    default = network.init(np.random.default_rng(0))
    np.testing.assert_array_equal(
        default["W1"], network.init(np.random.default_rng(0), "xavier")["W1"]
    )
    with pytest.raises(ValueError, match="unknown scheme 'zavier'; there are zeros, normal"):
        network.init(np.random.default_rng(0), "zavier")


# --- Symbolic sizes ---


def test_symbolic_sizes():
    network, fixed = (module(layers, loss="mse", bias=True) for layers in ("n0,5,n1,n0", "3,5,4,3"))
    assert network.LAYERS == ("n0", 5, "n1", "n0")
    params = network.init(np.random.default_rng(0), (3, 5, 4, 3))
    _, x, y = point(fixed)
    found, expected = network.loss_and_grad(params, x, y), fixed.loss_and_grad(params, x, y)
    assert found[0] == expected[0]
    for key, grad in found[1].items():
        np.testing.assert_array_equal(grad, expected[1][key])
    assert network.main() == 0
    for layers in ((3, 5, 4, 2), (3, 6, 4, 3), (3, 5, 4)):
        with pytest.raises(ValueError, match=r"layers must have shape \('n0', 5, 'n1', 'n0'\)"):
            network.init(np.random.default_rng(0), layers)
    with pytest.raises(ValueError, match="W2 must have shape"):
        network.forward({**params, "W2": np.ones((4, 6))}, x)
    with pytest.raises(ValueError, match=r"x must have shape \(N, 3\)"):
        network.forward(params, x[:, :2])


@pytest.mark.parametrize("target", ["numpy", "array-api"])
def test_gradients_and_states_have_the_sizes_of_the_parameters(target):
    network = module("n0,n1,n2", target=target, bias=True)
    made = module("n0,n1,n2", bias=True)
    params, other = (
        made.init(np.random.default_rng(0), layers) for layers in ((3, 4, 2), (1, 1, 1))
    )
    for call in (
        lambda: network.step(params, other, 0.1),
        lambda: network.l2_decay(params, other, 0.1),
        lambda: network.momentum(params, params, {"v": other}, 0.1),
        lambda: network.adam(params, params, {"t": 1, "m": other, "v": params}, 0.1),
    ):
        with pytest.raises(ValueError, match=r"must have shape \(4, 3\), got \(1, 1\)"):
            call()
