"""The generated NumPy module, against differences and against a reference in plain loops."""

import math

import numpy as np
import pytest
from generated import ACTIVATIONS, FORMULAS, LOSSES, differences, module, point

from bpderive.catalog import CATALOG, Activation

DOMAINS = {"real": set(), "unit": {"unit"}, "positive": {"unit", "positive"}}
EXTENDED = CATALOG.extended(
    Activation("step", "where(z > 0, 1 + z, 0.5*z)"),
    Activation("z1", "tanh(z) + z"),
    Activation("lambda", "relu(z) + relu(z - 1) - 0.5*relu(z + 1)"),
    Activation("sign", "2*z - erf(z)"),
    Activation("n", "where(z > 0.3, 1, where(z > -0.2, 2, 3))*z"),
)
NAMES = [row.name for row in EXTENDED.activations if row not in CATALOG.activations]


# --- A reference in plain loops, on the formulas of the catalogue as Python reads them ---


def value(formula, total=0.0, **variables):
    """A formula of the catalogue, read by Python itself."""
    functions = {
        "abs": abs,
        "erf": math.erf,
        "exp": math.exp,
        "log": math.log,
        "max": max,
        "pi": math.pi,
        "sigmoid": lambda u: 1 / (1 + math.exp(-u)),
        "softplus": lambda u: math.log(1 + math.exp(u)),
        "sqrt": math.sqrt,
        "sum": lambda _: total,
        "tanh": math.tanh,
        "where": lambda test, p, q: p if test else q,
        "xlogy": lambda u, v: u * math.log(v) if u else 0.0,
    }
    return eval(formula, {"__builtins__": {}}, functions | variables)  # noqa: S307 - our own text


def activate(row, z):
    total = sum(math.exp(v) for v in z)
    return [value(row.formula, total, z=v) for v in z]


def reference(params, rows, loss, x, y):
    """The outputs of one sample, and its loss."""
    a = list(x)
    for k, row in enumerate(rows, 1):
        weights, biases = params[f"W{k}"], params.get(f"b{k}", [0.0] * len(params[f"W{k}"]))
        z = [
            sum(w * v for w, v in zip(ws, a, strict=True)) + b
            for ws, b in zip(weights, biases, strict=True)
        ]
        a = activate(row, z)
    compared = activate(ACTIVATIONS[loss.stage], a) if loss.stage else a
    terms = [
        value(loss.formula, **{loss.argument: u, "y": v}) for u, v in zip(compared, y, strict=True)
    ]
    return a, sum(terms) / (len(terms) if loss.combine == "mean" else 1)


def combinations():
    for activation in ACTIVATIONS.values():
        for loss in LOSSES.values():
            allowed = DOMAINS[loss.domain] or {activation.range}
            if activation.range in allowed and activation.name not in dict(loss.refuses):
                yield activation.name, loss.name


@pytest.mark.parametrize("bias", [False, True], ids=["plain", "bias"])
@pytest.mark.parametrize(("activation", "loss"), list(combinations()))
def test_loss_and_gradient(activation, loss, bias):
    network = module(activation=activation, output_activation=activation, loss=loss, bias=bias)
    params, x, y = point(network, loss)
    rows = [ACTIVATIONS[activation]] * 2
    pairs = [reference(params, rows, LOSSES[loss], *sample) for sample in zip(x, y, strict=True)]
    np.testing.assert_allclose(network.forward(params, x), [a for a, _ in pairs], rtol=1e-12)
    found, grads = network.loss_and_grad(params, x, y)
    assert found == pytest.approx(np.mean([one for _, one in pairs]), rel=1e-12)
    assert found == network.loss(params, x, y)
    expected = differences(lambda p: network.loss(p, x, y), params)
    assert list(grads) == list(params)
    for key, grad in grads.items():
        np.testing.assert_allclose(grad, expected[key], rtol=1e-5, atol=1e-8 * (1 + abs(found)))


@pytest.mark.parametrize("loss", LOSSES)
def test_the_sum_is_n_times_the_mean(loss):
    output = "sigmoid" if LOSSES[loss].domain != "real" else "linear"
    one, other = (module(loss=loss, output_activation=output, reduction=r) for r in ("mean", "sum"))
    params, x, y = point(one, loss)
    mean, grads = one.loss_and_grad(params, x, y)
    total, sums = other.loss_and_grad(params, x, y)
    assert total == pytest.approx(4 * mean)
    for key, grad in grads.items():
        np.testing.assert_allclose(sums[key], 4 * grad)


@pytest.mark.parametrize("formula", FORMULAS)
def test_formulas(formula):
    network = module(activation=formula, loss="log(cosh(a - y)) + abs(a)**3", bias=True)
    params, x, y = point(network)
    expected = differences(lambda p: network.loss(p, x, y), params)
    for key, grad in network.loss_and_grad(params, x, y)[1].items():
        np.testing.assert_allclose(grad, expected[key], rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_an_activation_may_have_a_name_that_the_module_uses(name):
    network = module("3,4,4,2", EXTENDED, activation=name)
    params, x, y = point(network)
    formula = next(row.formula for row in EXTENDED.activations if row.name == name)
    reach = {"relu": lambda u: max(u, 0.0), "where": lambda test, p, q: p if test else q}
    scope = {"tanh": math.tanh, "erf": math.erf} | reach
    one = np.vectorize(lambda z: eval(formula, scope, {"z": z}))  # noqa: S307 - our own text
    a = one(one(x @ params["W1"].T) @ params["W2"].T) @ params["W3"].T
    np.testing.assert_allclose(network.forward(params, x), a)
    expected = differences(lambda p: network.loss(p, x, y), params)
    for key, grad in network.loss_and_grad(params, x, y)[1].items():
        np.testing.assert_allclose(grad, expected[key], rtol=1e-5, atol=1e-8)


# --- Types and extremes ---


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "options",
    [
        *({"activation": name, "bias": True} for name in ACTIVATIONS),
        *({"loss": name, "output_activation": "sigmoid"} for name in ("mae", "huber", "poisson")),
        *({"loss": name} for name in ("hinge", "softmax_cross_entropy", "mse")),
        *({"activation": formula} for formula in FORMULAS),
        {"loss": "where(a > y, 2, 1)*abs(a - y) + where(a > 0, 1, 0)*a"},
    ],
    ids=lambda options: "-".join(map(str, options.values())),
)
def test_the_type_of_the_parameters_stays(options, dtype):
    network = module(**options)
    loss = options.get("loss") if options.get("loss") in LOSSES else "half_squared_error"
    params, x, y = point(network, loss)
    exact, expected = network.loss_and_grad(params, x, y)
    cast = {key: v.astype(dtype) for key, v in params.items()}
    found, grads = network.loss_and_grad(cast, x.astype("float32"), y)
    assert network.forward(cast, x).dtype == dtype
    assert {grad.dtype for grad in grads.values()} == {np.dtype(dtype)}
    assert {v.dtype for v in network.step(cast, grads, np.float64(0.1)).values()} == {
        np.dtype(dtype)
    }
    tolerance = {"float32": 1e-4, "float64": 1e-6}[dtype]
    assert found == pytest.approx(exact, rel=tolerance)
    for key, grad in grads.items():
        np.testing.assert_allclose(grad, expected[key], rtol=tolerance, atol=tolerance)


def test_integers_become_float64():
    network = module(bias=True)
    params = {key: np.ones(shape, int) for key, shape in network.SHAPES.items()}
    found, grads = network.loss_and_grad(params, np.eye(3, dtype=int), np.ones((3, 2), bool))
    assert isinstance(found, float)
    assert {grad.dtype for grad in grads.values()} == {np.dtype(float)}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "exp"])
def test_no_overflow_in_an_activation(activation, dtype):
    network = module("1,3,1", activation=activation)
    params = {"W1": np.array([[800], [-800], [0]], dtype), "W2": np.full((1, 3), 0.5, dtype)}
    x, y = np.array([[1.0], [-1.0], [0.05]], dtype), np.zeros((3, 1), dtype)
    found, grads = network.loss_and_grad(params, x, y)
    assert np.isfinite([found, *(np.abs(grad).max() for grad in grads.values())]).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
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
def test_no_overflow_in_a_loss(loss, output, dtype):
    network = module("1,2", loss=loss, output_activation=output)
    params, x = {"W1": np.array([[800], [-800]], dtype)}, np.array([[1.0], [-1.0]], dtype)
    found, grads = network.loss_and_grad(params, x, np.array([[0, 1], [0, 1]]))
    assert 1 <= found < 2000
    assert np.isfinite(grads["W1"]).all()


def test_small_probabilities_keep_their_digits():
    network = module("1,1", output_activation="sigmoid")
    assert network.forward({"W1": [[-40.0]]}, [1.0]) == pytest.approx(math.exp(-40), rel=1e-14)


@pytest.mark.parametrize(
    ("name", "kink"), [(row.name, kink) for row in CATALOG.activations for kink in row.kinks]
)
def test_the_slope_at_a_kink(name, kink):
    network = module("1,1", output_activation=name, bias=True)
    params = {"W1": np.zeros((1, 1)), "b1": np.array([float(kink.at)])}
    y = network.forward(params, np.ones(1)) - 1
    slope = network.loss_and_grad(params, np.ones(1), y)[1]["b1"]
    assert slope == pytest.approx(value(kink.slope))
