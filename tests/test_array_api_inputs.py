"""What a generated array API module takes and refuses, on each array library."""

import math

import numpy as np
import pytest
from array_libraries import LIBRARIES, each_library, module
from generated import point

lib = pytest.fixture(each_library, params=LIBRARIES)


def test_one_sample_is_a_batch_of_one(lib):
    network = module(bias=True, loss="softmax_cross_entropy")
    params, x, y = point(network, "softmax_cross_entropy", n=1)
    params, (x, y) = lib.arrays(params), (lib.array(x), lib.array(y))
    assert tuple(network.forward(params, x[0, :]).shape) == (2,)
    (one, grads), (other, expected) = (
        network.loss_and_grad(params, *sample) for sample in ((x[0, :], y[0, :]), (x, y))
    )
    assert float(one) == float(other)
    for key, grad in grads.items():
        np.testing.assert_array_equal(lib.back(grad), lib.back(expected[key]))


def test_inputs_are_left_as_they_are(lib):
    if lib.name == "jax":
        pytest.skip("its arrays cannot be modified")
    network = module(activation="gelu", bias=True, loss="softmax_cross_entropy")
    given = point(network, "softmax_cross_entropy", n=6)
    params, x, y = lib.arrays(given[0]), lib.array(given[1]), lib.array(given[2])
    _, grads = network.loss_and_grad(params, x, y)
    before = {key: lib.back(grad).copy() for key, grad in grads.items()}
    network.clip_by_norm(network.clip_by_value(network.l2_decay(params, grads, 0.1), 0.1), 0.1)
    for optimizer in (network.momentum, network.adam):
        _, state = optimizer(params, grads, None, 0.1)
        kept = {name: lib.back(v["W1"]).copy() for name, v in state.items() if name != "t"}
        optimizer(params, grads, state, 0.1)
        for name, value in kept.items():
            np.testing.assert_array_equal(lib.back(state[name]["W1"]), value)
    network.train(params, x, y, epochs=1, optimizer="adam", decay=0.1, batch=4)
    for key, grad in before.items():
        np.testing.assert_array_equal(lib.back(grads[key]), grad)
    for array, expected in zip(
        (*params.values(), x, y), (*given[0].values(), *given[1:]), strict=True
    ):
        np.testing.assert_array_equal(lib.back(array), expected)


def test_arrays_of_numpy_may_be_read_only_and_of_any_order():
    network = module(activation="sigmoid", bias=True)
    params, x, y = point(network)
    expected = network.loss_and_grad(params, x, y)
    wide = [np.repeat(np.repeat(array, 2, axis=0), 3, axis=1)[::2, ::3] for array in (x, y)]
    backwards = {key: v[..., ::-1].copy()[..., ::-1] for key, v in params.items()}
    for array in (*wide, *backwards.values()):
        array.setflags(write=False)
    found = network.loss_and_grad(backwards, *wide)
    assert float(found[0]) == pytest.approx(float(expected[0]))
    for key, grad in found[1].items():
        np.testing.assert_allclose(grad, expected[1][key])
        assert not np.shares_memory(grad, backwards[key])
    square = module("2,2")
    params, x, y = point(square, n=2)
    found = square.loss({"W1": params["W1"]}, x.view(np.matrix), y.view(np.matrix))
    assert float(found) == pytest.approx(float(square.loss(params, x, y)))


KINDS = "NumPy, PyTorch, JAX, CuPy, Dask or another of the array API standard"
WRONG = {
    "missing b1, unknown none": lambda p, x, y, a: ({k: p[k] for k in p if k != "b1"}, x, y),
    "missing none, unknown W3": lambda p, x, y, a: ({**p, "W3": x}, x, y),
    r"params W2 must have shape \(2, 4\), got \(4, 2\)": (
        lambda p, x, y, a: ({**p, "W2": a(np.ones((4, 2)))}, x, y)
    ),
    r"params b1 must have shape \(4,\), got \(1,\)": (
        lambda p, x, y, a: ({**p, "b1": a(np.ones(1))}, x, y)
    ),
    "params b1 is of .*int64, params W1 of .*float64": (
        lambda p, x, y, a: ({**p, "b1": a(np.ones(4), "int64")}, x, y)
    ),
    "params must be of float32 or float64, got .*int64": (
        lambda p, x, y, a: ({k: a(np.ones(v.shape), "int64") for k, v in p.items()}, x, y)
    ),
    f"params W2 must be an array of {KINDS}, got list": (
        lambda p, x, y, a: ({**p, "W2": [[1.0]]}, x, y)
    ),
    r"x must have shape \(N, 3\) or \(3,\), got \(4, 2\)": lambda p, x, y, a: (p, x[:, :2], y),
    r"x must have shape .* got \(1, 4, 3\)": lambda p, x, y, a: (p, x[None, :, :], y),
    r"x must have shape .* got \(\)": lambda p, x, y, a: (p, a(1.0), y),
    "x is of .*float32, params W1 of .*float64": lambda p, x, y, a: (p, a(x, "float32"), y),
    "x must be an array of": lambda p, x, y, a: (p, [[1.0, 2.0, 3.0]] * 4, y),
    r"y must have shape \(4, 2\), got \(2,\)": lambda p, x, y, a: (p, x, y[0, :]),
    r"y must have shape \(2,\), got \(1, 2\)": lambda p, x, y, a: (p, x[0, :], y[:1, :]),
    r"y must have shape \(4, 2\), got \(1, 2\)": lambda p, x, y, a: (p, x, y[:1, :]),
    r"y must have shape \(4, 2\), got \(4, 1\)": lambda p, x, y, a: (p, x, y[:, :1]),
    "y is of .*int64, params W1 of .*float64": lambda p, x, y, a: (p, x, a(np.eye(4, 2), "int64")),
    "no samples": lambda p, x, y, a: (p, x[:0, :], y[:0, :]),
}


@pytest.mark.parametrize("message", WRONG)
def test_wrong_inputs_are_told(lib, message):
    network = module(bias=True, loss="cross_entropy", output_activation="softmax")
    params, x, y = point(network, "cross_entropy")
    given = lib.arrays(params), lib.array(x), lib.array(y)
    given = WRONG[message](*given, lambda v, dtype="float64": lib.array(np.asarray(v), dtype))
    for function in (network.loss, network.loss_and_grad, network.train):
        with pytest.raises(ValueError, match=message):
            function(*given)
    if message[:2] in ("mi", "pa", "x "):
        with pytest.raises(ValueError, match=message):
            network.forward(*given[:2])


def test_libraries_do_not_mix(lib):
    if lib.name == "numpy":
        pytest.skip("it is the other one")
    network = module()
    params, x, y = point(network)
    with pytest.raises(ValueError, match=f"x is of numpy, params W1 of {lib.xp.__name__}"):
        network.loss(lib.arrays(params), x, y)
    grads = network.loss_and_grad(params, x, y)[1]
    with pytest.raises(ValueError, match=f"grads W1 is of numpy, params W1 of {lib.xp.__name__}"):
        network.step(lib.arrays(params), grads, 0.1)


def test_labels_are_looked_at_by_training_alone(lib):
    network = module(loss="softmax_cross_entropy")
    params, x, y = point(network, "softmax_cross_entropy")
    given = lib.arrays(params), lib.array(x), lib.array(2 * y)
    assert math.isfinite(float(network.loss(*given)))
    for wrong in (2 * y, np.full((4, 2), np.nan)):
        with pytest.raises(ValueError, match="each row of y must have the sum 1"):
            network.check_labels(lib.array(wrong))
        with pytest.raises(ValueError, match="each row of y must have the sum 1"):
            network.train(given[0], given[1], lib.array(wrong))
    network.check_labels(lib.array(y, "float32"))
    assert not hasattr(module(), "check_labels")


def test_no_samples_have_a_sum(lib):
    if lib.name == "dask":
        pytest.skip("Dask has no largest element along the rows of no samples")
    network = module(reduction="sum", loss="softmax_cross_entropy")
    params, x, y = point(network, "softmax_cross_entropy")
    found, grads = network.loss_and_grad(lib.arrays(params), lib.array(x[:0]), lib.array(y[:0]))
    assert float(found) == 0
    assert not any(lib.back(grad).any() for grad in grads.values())
