"""The generated array API module, on each array library that is installed, against NumPy's."""

import math
from random import Random

import numpy as np
import pytest
from array_libraries import LIBRARIES, compare, each_library, everywhere, module
from generated import ACTIVATIONS, FORMULAS, point
from generated import module as numpy_module
from test_numpy_target import EXTENDED, combinations

from bpderive.catalog import CATALOG, Activation

lib = pytest.fixture(each_library, params=LIBRARIES)
PAIRS = list(combinations())
USUAL = {
    *{activation: (activation, loss) for activation, loss in PAIRS}.values(),
    *{loss: (activation, loss) for activation, loss in PAIRS}.values(),
}


# --- The catalogue ---


@everywhere(("activation", "loss"), sorted(USUAL))
def test_loss_and_gradient(lib, activation, loss):
    try_pair(lib, activation, loss)


@pytest.mark.long
@pytest.mark.parametrize(("activation", "loss"), [pair for pair in PAIRS if pair not in USUAL])
def test_every_loss_and_gradient(lib, activation, loss):
    try_pair(lib, activation, loss)


def try_pair(lib, activation, loss):
    k = PAIRS.index((activation, loss))
    given = {"activation": activation, "output_activation": activation, "loss": loss}
    given |= {"bias": bool(k % 2), "reduction": ("mean", "sum")[k // 2 % 2]}
    reference = numpy_module(**given)
    types = ("float64", "float32")[: 1 if activation == "exp" else 2]  # exp(exp(z)), squared
    compare(lib, module(**given), reference, point(reference, loss), types)


@everywhere(("formula",), [*FORMULAS, "max(z, 1/2)*min(z, 2)"])
def test_formulas(lib, formula):
    given = {"activation": formula, "bias": True}
    given["loss"] = "log(cosh(a - y)) + where(a > y, 2, 1)*abs(a - y) + where(a > 0, 1, 0)*a"
    reference = numpy_module(**given)
    compare(lib, module(**given), reference, point(reference))


@everywhere(("name",), ["step", "z1", "lambda", "sign", "n", "xp", "sum", "row_max"])
def test_an_activation_may_have_a_name_that_the_module_uses(lib, name):
    catalog = EXTENDED
    if name not in {row.name for row in EXTENDED.activations}:
        catalog = EXTENDED.extended(Activation(name, "tanh(z) + 2*relu(z - 1)"))
    given = {"activation": name, "loss": "softmax_cross_entropy"}
    reference = numpy_module("3,4,2", catalog, **given)
    network = module("3,4,2", catalog, **given)
    compare(lib, network, reference, point(reference, "softmax_cross_entropy"))


def test_symbolic_sizes(lib):
    network, fixed = module("n0,5,n1,n0", bias=True), numpy_module("3,5,4,3", bias=True)
    compare(lib, network, fixed, point(fixed), ("float64",))
    layers = {"layers": (3, 5, 4, 3), "xp": lib.xp, "dtype": lib.xp.float64}
    params = network.init(Random(0), **layers)
    assert {key: tuple(v.shape) for key, v in params.items()} == fixed.SHAPES
    with pytest.raises(ValueError, match=r"layers must have shape \('n0', 5, 'n1', 'n0'\)"):
        network.init(Random(0), **layers | {"layers": (3, 5, 4, 2)})
    with pytest.raises(ValueError, match="W2 must have shape"):
        network.forward({**params, "W2": lib.array(np.ones((4, 6)))}, lib.array(np.ones((2, 3))))


# --- Extremes ---


@everywhere(("activation",), [name for name in ACTIVATIONS if name != "exp"])
def test_no_overflow_in_an_activation(lib, activation):
    params = {"W1": np.array([[800.0], [-800.0], [0.0]]), "W2": np.full((1, 3), 0.5)}
    x, y = np.array([[1.0], [-1.0], [0.05], [0.0]]), np.zeros((4, 1))
    network, reference = (m("1,3,1", activation=activation) for m in (module, numpy_module))
    compare(lib, network, reference, (params, x, y))


@everywhere(
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
def test_no_overflow_in_a_loss(lib, loss, output):
    params, x = {"W1": np.array([[800.0], [-800.0]])}, np.array([[1.0], [-1.0], [0.0]])
    y = np.array([[0.0, 1.0]] * 3)
    given = {"loss": loss, "output_activation": output}
    network, reference = module("1,2", **given), numpy_module("1,2", **given)
    compare(lib, network, reference, (params, x, y))


def test_small_probabilities_keep_their_digits(lib):
    network = module("1,1", output_activation="sigmoid")
    found = network.forward(lib.arrays({"W1": [[-40.0]]}), lib.array([1.0]))
    assert float(found[0]) == pytest.approx(math.exp(-40), rel=1e-14)


@everywhere(
    ("name", "at"), [(row.name, kink.at) for row in CATALOG.activations for kink in row.kinks]
)
def test_the_slope_at_a_kink(lib, name, at):
    given = {"output_activation": name, "bias": True}
    network, reference = module("1,1", **given), numpy_module("1,1", **given)
    params = {"W1": np.zeros((1, 1)), "b1": np.array([float(at)])}
    compare(lib, network, reference, (params, np.ones((1, 1)), np.full((1, 1), -7.0)))


def test_what_is_not_a_number_shows(lib):
    network = module(activation="relu", bias=True)
    params, x, y = point(network)
    x[1, 0] = np.nan
    given = lib.arrays(params), lib.array(x), lib.array(y)
    with np.errstate(invalid="ignore"):
        found, grads = network.loss_and_grad(*given)
        assert math.isnan(float(found))
        assert np.isnan(lib.back(grads["W2"])).all()
