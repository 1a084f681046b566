"""The generated module of plain Python, against the NumPy module and differences."""

import math
import timeit
from random import Random

import numpy as np
import pytest
from generated import ACTIVATIONS, FORMULAS, LOSSES, differences, load, point
from plain_python import agree, both, module, plain, python, source
from test_numpy_target import EXTENDED, NAMES, combinations, value

from bpderive.catalog import CATALOG
from bpderive.errors import UnsupportedError
from bpderive.targets.numpy import functions_of

# --- The same as NumPy ---


@both
@pytest.mark.parametrize(("activation", "loss"), list(combinations()))
def test_loss_and_gradient(activation, loss, form):
    options = {"activation": activation, "output_activation": activation, "loss": loss}
    bias = loss < "huber"  # each activation with and without
    arrays = module(bias=bias, **options)
    network = python(form=form, bias=bias, **options)
    params, x, y = point(arrays, loss)
    given = plain(params), x.tolist(), y.tolist()
    agree(network.loss_and_grad(*given), arrays.loss_and_grad(params, x, y))
    assert network.loss(*given) == network.loss_and_grad(*given)[0]
    np.testing.assert_allclose(network.forward(*given[:2]), arrays.forward(params, x), rtol=1e-12)


@both
@pytest.mark.parametrize(
    "options",
    [
        *(
            {"activation": f, "loss": "log(cosh(a - y)) + abs(a)**3", "bias": True}
            for f in FORMULAS
        ),
        {"output_activation": FORMULAS[3], "loss": "huber"},
        {"output_activation": FORMULAS[4], "reduction": "sum"},
        {"loss": "a - y", "activation": "softmax"},
        {"loss": "a*1", "activation": "exp(z - 1)"},
        {"loss": "where(a > y, 2, 1)*abs(a - y) + where(a > 0, 1, 0)*a"},
        {"layers": "2,3,1,4,2", "activation": "relu", "loss": "softmax_cross_entropy"},
        {"layers": "1,1", "output_activation": "softmax", "loss": "cross_entropy", "bias": True},
        {"layers": "3,5:tanh,4:silu,3:elu,2", "loss": "mse", "reduction": "sum", "bias": True},
    ],
    ids=lambda options: "-".join(map(str, options.values())),
)
def test_formulas_and_widths(options, form):
    arrays, network = module(**options), python(form=form, **options)
    loss = options.get("loss", "half_squared_error")
    params, x, y = point(arrays, loss if loss in LOSSES else "half_squared_error")
    found = network.loss_and_grad(plain(params), x.tolist(), y.tolist())
    with np.errstate(all="ignore"):
        expected = arrays.loss_and_grad(params, x, y)
    agree(found, expected)


@both
def test_the_gradient_is_that_of_differences(form):
    options = {"output_activation": "softmax", "loss": "kl_divergence"}
    network = python(form=form, activation="gelu", bias=True, **options)
    params, x, y = point(network, "kl_divergence")
    grads = network.loss_and_grad(plain(params), x.tolist(), y.tolist())[1]
    expected = differences(lambda p: network.loss(plain(p), x.tolist(), y.tolist()), params)
    for key, grad in grads.items():
        np.testing.assert_allclose(grad, expected[key], rtol=1e-5, atol=1e-8)


@both
def test_an_activation_may_have_a_name_that_the_module_uses(form):
    for name in NAMES:
        layers = ("3,4,4,2", EXTENDED)
        arrays = module(*layers, activation=name)
        network = python(layers[0], form, EXTENDED, activation=name)
        params, x, y = point(arrays)
        found = network.loss_and_grad(plain(params), x.tolist(), y.tolist())
        agree(found, arrays.loss_and_grad(params, x, y))


def test_large_networks_are_loops():
    assert "w1_1_1" in source("8,8,8,1")
    lengths = [len(source(layers).splitlines()) for layers in ("64,32,10", "640,320,100")]
    assert lengths[0] == lengths[1] < 700
    assert "w1_1_1" not in source("784,128,10", loss="softmax_cross_entropy")
    arrays, network = (
        make("64,32:relu,10", loss="softmax_cross_entropy", bias=True) for make in (module, python)
    )
    params, x, y = point(arrays, "softmax_cross_entropy")
    found = network.loss_and_grad(plain(params), x.tolist(), y.tolist())
    agree(found, arrays.loss_and_grad(params, x, y))


def test_many_layers():
    network = python("2,4*1000,1", activation="tanh", bias=True)
    params = network.init(Random(0), "orthogonal")
    assert math.isfinite(network.loss_and_grad(params, [0.3, -0.2], [1.0])[0])


def test_symbolic_sizes_are_refused():
    with pytest.raises(UnsupportedError, match="the sizes as numbers, and here are n0, n1"):
        source("n0,n1,1")


# --- Extremes ---


@both
@pytest.mark.parametrize("scale", [800.0, 80.0, 0.0])
@pytest.mark.parametrize("activation", [*ACTIVATIONS, *FORMULAS])
def test_extreme_sums(activation, scale, form):
    arrays, network = (
        make("1,3,1", activation=activation, output_activation=activation, **options)
        for make, options in ((module, {}), (python, {"form": form}))
    )
    params = {"W1": np.array([[1.0], [-1.0], [0.0]]) * scale, "W2": np.full((1, 3), 0.5)}
    x, y = np.array([[1.0], [-1.0], [0.05]]), np.zeros((3, 1))
    with np.errstate(all="ignore"):
        expected = arrays.loss_and_grad(params, x, y)
    found = network.loss_and_grad(plain(params), x.tolist(), y.tolist())
    finite = np.isfinite(expected[0])
    assert not finite or found[0] == pytest.approx(expected[0], rel=1e-12)
    for key, grad in expected[1].items():
        finite = np.isfinite(grad)
        found_there = np.array(found[1][key])[finite]
        np.testing.assert_allclose(found_there, grad[finite], rtol=1e-10, atol=1e-300)


@both
@pytest.mark.parametrize(
    ("loss", "output"),
    [
        ("binary_cross_entropy", "sigmoid"),
        ("binary_cross_entropy_with_logits", "linear"),
        ("cross_entropy", "softmax"),
        ("cross_entropy", "sigmoid"),
        ("softmax_cross_entropy", "linear"),
        ("kl_divergence", "softmax"),
        ("hinge", "tanh"),
        ("huber", "linear"),
    ],
)
def test_extreme_losses(loss, output, form):
    options = {"loss": loss, "output_activation": output}
    arrays, network = module("1,2", **options), python("1,2", form, **options)
    params, x = {"W1": np.array([[800.0], [-800.0]])}, np.array([[1.0], [-1.0]])
    y = np.array([[0.0, 1.0], [0.0, 1.0]])
    found = network.loss_and_grad(plain(params), x.tolist(), y.tolist())
    assert 1 <= found[0] < 2000
    agree(found, arrays.loss_and_grad(params, x, y))


@pytest.mark.parametrize("loss", [name for name in LOSSES if LOSSES[name].domain != "real"])
@pytest.mark.parametrize("output", ["linear", "relu"])
def test_a_loss_that_has_no_value_raises_nothing(loss, output):
    options = {"loss": loss, "output_activation": output}
    arrays, network = module("1,2", **options), python("1,2", **options)
    for weights in ([[0.0], [0.0]], [[-2.0], [1.0]], [[0.25], [0.75]], [[1.0], [0.0]]):
        for y in ([[0.0, 1.0]], [[0.5, 0.5]]):
            with np.errstate(all="ignore"):
                expected = arrays.loss_and_grad({"W1": np.array(weights)}, [[1.0]], y)
            found = network.loss_and_grad({"W1": weights}, [[1.0]], y)
            values = [np.append(pair[0], pair[1]["W1"]) for pair in (found, expected)]
            finite = np.isfinite(values[1])
            np.testing.assert_allclose(values[0][finite], values[1][finite])


@both
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_nan_goes_where_it_goes_in_numpy(activation, form):
    params, x = {"W1": [[1.0, 1.0], [0.0, 1.0]]}, [math.nan, 1.0]
    arrays = module("2,2", output_activation=activation)
    network = python("2,2", form, output_activation=activation)
    found, expected = network.forward(params, x), arrays.forward(params, np.array(x))
    assert list(map(math.isnan, found)) == np.isnan(expected).tolist()


def test_helpers_at_their_edges():
    infinite = math.inf
    head = "import math\nfrom collections.abc import Sequence\nRow = list[float]"
    helpers = load("\n".join([head, *functions_of("python_functions.py").values()]))
    for call, expected in (
        (("exp", 709.78), math.exp(709.78)),
        (("exp", 710.0), infinite),
        (("expm1", 710.0), infinite),
        (("cosh", -711.0), infinite),
        (("cosh", 710.3), math.cosh(710.3)),
        (("sinh", -711.0), -infinite),
        (("log", 0.0), -infinite),
        (("log1p", -1.0), -infinite),
        (("divide", 1.0, 0.0), infinite),
        (("divide", -1.0, 0.0), -infinite),
        (("divide", 1.0, -0.0), -infinite),
        (("power", 1e200, 2.0), infinite),
        (("power", -1e200, 3.0), -infinite),
        (("power", 0.0, -1.0), infinite),
        (("xlogy", 0.0, 0.0), 0.0),
        (("xlogy", 2.0, 0.0), -infinite),
        (("softplus", 800.0), 800.0),
        (("softplus", -800.0), 0.0),
        (("sigmoid", -710.0), 0.0),
        (("sign", -3.0), -1.0),
        (("sign", 0.0), 0.0),
        (("sqrt", 4.0), 2.0),
    ):
        name, *args = call
        assert getattr(helpers, name)(*args) == expected, call
    for call in (
        ("log", -1.0),
        ("log1p", -2.0),
        ("sqrt", -1.0),
        ("divide", 0.0, 0.0),
        ("power", -1.0, 0.5),
        ("xlogy", 1.0, -1.0),
        ("sin", infinite),
        ("cos", infinite),
        *((name, math.nan) for name in ("exp", "log", "log1p", "sigmoid", "sign", "sqrt", "sin")),
    ):
        name, *args = call
        assert math.isnan(getattr(helpers, name)(*args)), call


@pytest.mark.parametrize(
    ("name", "kink"), [(row.name, kink) for row in CATALOG.activations for kink in row.kinks]
)
@both
def test_the_slope_at_a_kink(name, kink, form):
    network = python("1,1", form, output_activation=name, bias=True)
    params = {"W1": [[0.0]], "b1": [float(kink.at)]}
    y = [network.forward(params, [1.0])[0] - 1]
    slope = network.loss_and_grad(params, [1.0], y)[1]["b1"]
    assert slope == [pytest.approx(value(kink.slope))]


# --- The fast way ---


def test_the_fast_way_is_the_gradient_of_one_sample():
    network = python(bias=True)
    params = network.init(Random(1))
    theta = network.flatten(params)
    assert network.unflatten(theta) == params
    assert len(theta) == 26
    assert theta[:3] == tuple(params["W1"][0])
    assert theta[12:16] == tuple(params["b1"])
    L, slopes = network.sample_loss_and_grad(theta, (1.0, 2.0, 3.0), (0.5, 1.0))
    expected = network.loss_and_grad(params, [1.0, 2.0, 3.0], [0.5, 1.0])
    assert (L, network.unflatten(slopes)) == expected
    assert list(network.sample_forward(theta, [1, 2, 3])) == network.forward(params, [1, 2, 3])
    for wrong in (
        (theta[1:], (1, 2, 3), (0, 1)),
        (theta, (1, 2), (0, 1)),
        (theta, (1, 2, 3), (0,)),
    ):
        with pytest.raises(ValueError, match="values to unpack"):
            network.sample_loss_and_grad(*wrong)
    with pytest.raises(ValueError, match="theta must have 26 numbers, got 25"):
        network.unflatten(theta[1:])


def test_the_fast_way_is_fast():
    network = python("2,2,2,1")
    theta, x, y = network.flatten(network.init(Random(0))), (0.3, -0.7), (0.2,)
    multiply = "u0 * v0 + u1 * v1\n" * 16
    code = {"u0": 0.3, "u1": 0.2, "v0": 1.1, "v1": 0.4}
    times = [
        min(timeit.repeat(statement, globals=names, number=2000, repeat=20))
        for statement, names in (
            (
                "run(theta, x, y)",
                {"run": network.sample_loss_and_grad, "theta": theta, "x": x, "y": y},
            ),
            (multiply, code),
        )
    ]
    assert times[0] < 6 * times[1]  # about 1.5: a helper called for each sigmoid would show


def test_a_softmax_of_large_sums_keeps_its_digits():
    network = python("1,3", loss="softmax_cross_entropy", bias=True)
    params = {"W1": [[0.0]] * 3, "b1": [1e16] * 3}
    found, grads = network.loss_and_grad(params, [1.0], [1.0, 0.0, 0.0])
    assert found == pytest.approx(math.log(3))
    assert grads["b1"] == pytest.approx([-2 / 3, 1 / 3, 1 / 3])
