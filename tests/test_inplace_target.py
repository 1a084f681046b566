"""The NumPy module that computes in place: equal to the readable one, in one workspace."""

import numpy as np
import pytest
from generated import ACTIVATIONS, FORMULAS, LOSSES, labels, module, point, source
from test_numpy_target import EXTENDED, NAMES, combinations

EPSILON = {"float32": 2e-5, "float64": 1e-11}


def pair(*arguments, **options):
    """The readable module, and the one in place."""
    return (module(*arguments, target=t, **options) for t in ("numpy", "numpy-inplace"))


def agree(found, expected, epsilon):
    """Whether losses and gradients are equal, but for rounding."""
    assert found[0] == pytest.approx(expected[0], rel=epsilon, abs=epsilon)
    assert list(found[1]) == list(expected[1])
    for key, grad in expected[1].items():
        scale = epsilon * (1 + np.abs(grad).max() + abs(expected[0]))
        np.testing.assert_allclose(found[1][key], grad, rtol=epsilon, atol=scale)
        assert found[1][key].dtype == grad.dtype


@pytest.mark.parametrize("bias", [False, True], ids=["plain", "bias"])
@pytest.mark.parametrize(("activation", "loss"), list(combinations()))
def test_the_catalogue(activation, loss, bias):
    options = {"activation": activation, "output_activation": activation, "loss": loss}
    readable, fast = pair("3,4,2", bias=bias, **options)
    params, x, y = point(readable, loss)
    expected = readable.loss_and_grad(params, x, y)
    agree(fast.loss_and_grad(params, x, y), expected, EPSILON["float64"])
    run = fast.compile(len(x))
    for turn in range(2):  # what is left in the workspace does not matter
        found = run(params, x[::-1] if turn else x, y[::-1] if turn else y)
        agree(found, expected, EPSILON["float64"])


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("dtype", EPSILON)
def test_losses_reductions_and_types(loss, reduction, dtype):
    output = "sigmoid" if LOSSES[loss].domain != "real" else "linear"
    options = {"loss": loss, "output_activation": output, "reduction": reduction}
    readable, fast = pair("3,5,4,2", bias=True, activation="gelu", **options)
    params, x, y = point(readable, loss, n=7)
    params = {key: value.astype(dtype) for key, value in params.items()}
    x, y = x.astype(dtype), y.astype(dtype)
    expected = readable.loss_and_grad(params, x, y)
    agree(fast.compile(7, dtype)(params, x, y), expected, EPSILON[dtype])


@pytest.mark.parametrize("formula", FORMULAS)
def test_formulas(formula):
    loss = "log(cosh(a - y)) + abs(a)**3 + where(a > y, 2, 1)*a"
    readable, fast = pair(activation=formula, output_activation=formula, loss=loss, bias=True)
    params, x, y = point(readable)
    agree(fast.loss_and_grad(params, x, y), readable.loss_and_grad(params, x, y), 1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_names_that_the_module_uses(name):
    readable, fast = pair("3,4,4,2", EXTENDED, activation=name)
    params, x, y = point(readable)
    agree(fast.loss_and_grad(params, x, y), readable.loss_and_grad(params, x, y), 1e-11)


@pytest.mark.parametrize("layers", ["1,1,1", "2,1", "1,3,1", "3,1,2:softmax", "2,3*40,1"])
@pytest.mark.parametrize("batch", [1, 6])
def test_shapes(layers, batch):
    readable, fast = pair(layers, bias=True, loss="mse")
    params, x, y = point(readable, "mse", n=batch)
    agree(fast.loss_and_grad(params, x, y), readable.loss_and_grad(params, x, y), 1e-10)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", EPSILON)
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "softmax", "softplus", "silu"])
def test_no_overflow(activation, dtype):
    readable, fast = pair("1,2,2", activation=activation, output_activation="sigmoid")
    params = {"W1": np.array([[800.0], [-800.0]]), "W2": np.array([[1.0, 2.0], [3.0, -1.0]])}
    params = {key: value.astype(dtype) for key, value in params.items()}
    for sign in (1, -1, 0.01):
        x, y = np.array([[sign]], dtype), np.ones((1, 2), dtype)
        agree(fast.compile(1, dtype)(params, x, y), readable.loss_and_grad(params, x, y), 1e-5)


@pytest.mark.parametrize(("dtype", "z"), [("float32", -15.0), ("float64", -40.0)])
def test_small_sigmoids_keep_their_digits(dtype, z):
    readable, fast = pair("1,1,1")
    params = {"W1": np.array([[z]], dtype), "W2": np.ones((1, 1), dtype)}
    x, y = np.ones((1, 1), dtype), np.ones((1, 1), dtype)
    expected = readable.loss_and_grad(params, x, y)[1]
    for key, grad in fast.compile(1, dtype)(params, x, y)[1].items():
        np.testing.assert_allclose(grad, expected[key], rtol=1e-6, atol=0)


# --- The workspace ---


def test_the_next_call_writes_over_the_gradients_and_copies_stay():
    network = module(target="numpy-inplace", bias=True)
    params, x, y = point(network)
    run = network.compile(len(x))
    owned, first = run(params, x, y, copy=True)[1], run(params, x, y)[1]
    for key, grad in owned.items():
        np.testing.assert_array_equal(first[key], grad)
    second = run(params, 2 * x, y)[1]
    assert second["W1"] is first["W1"]
    assert not np.array_equal(owned["W1"], second["W1"])


@pytest.mark.parametrize("options", [{}, {"activation": "gelu"}, {"activation": "relu"}])
def test_the_workspace_is_as_large_as_is_said(options):
    network = module("30,50,20,4", target="numpy-inplace", bias=True, **options)
    for batch, dtype in ((1, "float32"), (64, "float64")):
        arrays = network._arrays(batch, np.dtype(dtype))
        lowest = min(array.__array_interface__["data"][0] for array in arrays)
        highest = max(array.__array_interface__["data"][0] + array.nbytes for array in arrays)
        assert highest - lowest <= network.workspace(batch, dtype)
        assert network.workspace(batch, dtype) - (highest - lowest) < 64
        separate = sum(array.nbytes for array in arrays)
        assert network.workspace(batch, dtype) < separate + 64 * len(arrays)


def test_arrays_that_live_at_the_same_time_lie_apart():
    network = module("30,50,20,4", target="numpy-inplace", bias=True, loss="softmax_cross_entropy")
    places, _ = network._places(64, np.dtype(float))
    lives = {name: life for name, _, _, *life in network._lives(64, np.dtype(float))}
    for one, (begin, end) in places.items():
        for other in set(places) - {one}:
            meet = lives[one][0] <= lives[other][1] and lives[other][0] <= lives[one][1]
            if meet:
                assert end <= places[other][0] or places[other][1] <= begin


def test_five_matrices_are_enough_for_a_deep_network():
    layers = "1024,1024:relu,1024:relu,1024:relu,10"
    network = module(layers, target="numpy-inplace", loss="softmax_cross_entropy")
    matrix = 4 * 1024**2
    assert network.workspace(1024, "float32") < 5.1 * matrix


# --- What is given ---


def wrong():
    network = module(target="numpy-inplace", bias=True)
    params, x, y = point(network)
    yield r"x must have shape \(4, 3\), got \(5, 3\)", params, np.ones((5, 3)), y
    yield r"x must have shape \(4, 3\), got \(3,\)", params, x[0], y
    yield "x must be an array, got list", params, x.tolist(), y
    yield r"y must have shape \(4, 2\), got \(4, 1\)", params, x, y[:, :1]
    yield r"y must have shape \(4, 2\), got \(2,\)", params, x, y[0]
    yield "params must be a dict with the keys W1, b1, W2, b2", {**params, "W3": x}, x, y
    yield "params must be a dict", [1, 2], x, y
    yield r"params b1 must have shape \(4,\), got \(1,\)", params | {"b1": np.ones(1)}, x, y
    yield r"params b1 must have shape \(4,\), got \(4, 4\)", params | {"b1": np.ones((4, 4))}, x, y
    yield r"params W1 must have shape", params | {"W1": params["W1"].T}, x, y
    yield r"params W2 must have shape", params | {"W2": np.ones((1, 4))}, x, y
    yield r"params W1 must have shape", params | {"W1": np.ones(3)}, x, y
    yield "x must have the type float64, got complex128", params, x + 1j, y
    yield "y must have the type float64, got complex128", params, x, y + 1j
    yield "y must have the type float64, got <U32", params, x, y.astype(str)
    yield "y must have the type float64, got uint8", params, x, y.astype("uint8")
    yield "b1 must have the type float64, got int8", params | {"b1": np.ones(4, "int8")}, x, y


@pytest.mark.parametrize(("message", "params", "x", "y"), list(wrong()))
def test_wrong_inputs_are_told(message, params, x, y):
    run = module(target="numpy-inplace", bias=True).compile(4)
    with pytest.raises(ValueError, match=message):
        run(params, x, y)


def test_a_wider_type_than_the_workspace_is_refused():
    network = module(target="numpy-inplace")
    params, x, y = point(network)
    with pytest.raises(ValueError, match="x must have the type float32, got float64"):
        network.compile(4, "float32")(params, x, y)


def test_labels_that_are_no_distribution_are_refused():
    network = module(target="numpy-inplace", loss="softmax_cross_entropy")
    params, x, y = point(network, "softmax_cross_entropy")
    for bad in (2 * y, y + np.array([[0.1, 0]]), np.full_like(y, np.nan)):
        with pytest.raises(ValueError, match="each row of y must have the sum 1"):
            network.compile(4)(params, x, bad)


def test_labels_are_judged_row_by_row_and_by_their_own_type():
    readable, fast = pair(loss="softmax_cross_entropy")
    params, x, y = point(readable, "softmax_cross_entropy", n=256)
    single = {key: value.astype("float32") for key, value in params.items()}
    rough = (y * 1.0004).astype("float32")
    expected = readable.loss_and_grad(single, x, rough)
    agree(fast.compile(256, "float32")(single, x.astype("float32"), rough), expected, 1e-5)
    rounded = y.astype("float16")
    agree(fast.loss_and_grad(params, x, rounded), readable.loss_and_grad(params, x, rounded), 1e-11)
    assert fast.train(params, x, rounded, epochs=1)[1]
    bad = y.copy()
    bad[3] = np.nan
    with pytest.raises(ValueError, match="each row of y must have the sum 1"):
        fast.compile(256)(params, x, bad)


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("batch must be a whole number from 1, got 0", (0,)),
        ("batch must be a whole number from 1, got 2.5", (2.5,)),
        ("dtype must be float32 or float64, got float16", (2, "float16")),
        ("dtype must be float32 or float64, got int64", (2, int)),
        ("dtype must be float32 or float64, got 'nonsense'", (2, "nonsense")),
    ],
)
def test_a_workspace_that_cannot_be(message, arguments):
    network = module(target="numpy-inplace")
    for function in (network.compile, network.workspace):
        with pytest.raises(ValueError, match=message):
            function(*arguments)


def test_inputs_are_read_in_any_layout_and_left_as_they_are():
    network = module("3,4,2", target="numpy-inplace", bias=True)
    params, x, y = point(network)
    expected = network.loss_and_grad(params, x, y)
    odd = {key: np.asfortranarray(value) for key, value in params.items()}
    wide = np.repeat(x, 2, axis=1)[:, ::2]
    for array in (*odd.values(), wide, y):
        array.setflags(write=False)
    before = {key: value.copy() for key, value in odd.items()}
    agree(network.compile(4)(odd, wide, np.asfortranarray(y)), expected, 1e-13)
    for key, value in before.items():
        np.testing.assert_array_equal(odd[key], value)


def test_no_samples_have_a_sum():
    network = module(target="numpy-inplace", reduction="sum")
    params, x, y = point(network)
    found, grads = network.loss_and_grad(params, x[:0], y[:0])
    assert found == 0
    assert not any(grad.any() for grad in grads.values())


# --- The text ---


def test_the_check_finds_a_mistake_in_the_steps():
    text = source("2,2,2,1", target="numpy-inplace")
    assert "subtract(one, a1, a1)" in text
    for right, wrong in (("subtract(one, a1, a1)", "subtract(a1, one, a1)"), ("1 / batch", "1")):
        found = {"__name__": "other"}
        exec(text.replace(right, wrong), found)  # noqa: S102 - our own code
        assert found["main"]() == 1


def test_each_equation_has_its_number_and_its_formula():
    text = source("2,2,2,1", target="numpy-inplace", bias=True)
    for line in (
        "# (1) z1 = x @ W1.T + b1",
        "x.dot(W1.T, a1)",
        "# (8) delta3 = (a3 - y) / N",
        "# (14) delta1 = (delta2 @ W2) * a1 * (1 - a1)",
    ):
        assert f"            {line}\n" in text


def test_sizes_must_be_numbers():
    with pytest.raises(Exception, match="the sizes as numbers, and here are n0, n1"):
        source("n0,n1,n2", target="numpy-inplace")


def test_training_is_that_of_the_readable_module():
    readable, fast = pair("3,6,2", bias=True, loss="softmax_cross_entropy")
    rng = np.random.default_rng(0)
    params, x = readable.init(rng), rng.normal(size=(50, 3))
    y = labels(rng, "distribution", 50, 2)
    for options in ({}, {"optimizer": "adam", "lr": 0.01}, {"optimizer": "momentum", "decay": 0.1}):
        expected, losses = readable.train(params, x, y, batch=16, **options)
        found, history = fast.train(params, x, y, batch=16, **options)
        np.testing.assert_allclose(history, losses)
        for key, value in expected.items():
            np.testing.assert_allclose(found[key], value)


def test_all_activations_are_tried():
    assert {name for name, _ in combinations()} == set(ACTIVATIONS)
