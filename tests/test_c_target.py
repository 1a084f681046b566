"""The generated C: compiled, run, and compared with the NumPy module of the same network."""

import ctypes
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from generated import ACTIVATIONS, FORMULAS, LOSSES, labels, load

from bpderive.catalog import CATALOG, Activation
from bpderive.derive import derive
from bpderive.errors import DerivationError, UnsupportedError
from bpderive.network import build as lay_out
from bpderive.program import build as plan
from bpderive.spec import parse_spec
from bpderive.targets import c, numpy
from bpderive.targets.c.text import prose
from bpderive.verify import compiled_c

GCC = shutil.which("gcc")
needs_gcc = pytest.mark.skipif(not GCC, reason="gcc is not installed")
pytestmark = pytest.mark.skipif(
    not any(map(shutil.which, compiled_c.COMPILERS)), reason="there is no C compiler"
)

STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")
STRICT += ("-Wconversion", "-Wshadow", "-Wdouble-promotion")
DTYPES = ("double", "float")
LOOPED = "3,5,1,9,2"
"""A network that is too large to be unrolled; 3,4,2 is unrolled."""
SAMPLE = {
    "default": ("2,2,2,1", {}),
    "one": ("1,1", {"bias": True}),
    "layer": ("3,2", {"output_activation": "softmax", "loss": "cross_entropy"}),
    "digits": ("64,32:relu,10", {"loss": "softmax_cross_entropy", "bias": True}),
    "sum": ("3,4,2", {"loss": "poisson", "output_activation": "exp", "reduction": "sum"}),
    "all": ("3," + ",".join(f"{k}:{name}" for k, name in enumerate(ACTIVATIONS, 3)), {}),
    "mixing": (LOOPED, {"activation": "z/(1 + sum(abs(z)))", "reduction": "sum", "bias": True}),
    "linear_loss": ("3,7:softmax,5,2", {"loss": "2*a", "activation": "mish"}),
    "formula": ("3,4,2", {"activation": FORMULAS[5], "loss": "(a-y)**2/(1+(a-y)**2)"}),
    "big_numbers": ("3,4,2", {"loss": "123456789*(a - y)**2/1000000007", "activation": "z**5"}),
}


def program(layers="3,4,2", catalog=CATALOG, **options):
    return plan(derive(lay_out(parse_spec(layers, **options), catalog)))


@cache
def texts(layers="3,4,2", catalog=CATALOG, **options):
    made = program(layers, catalog, **options)
    return c.source(made, "net"), c.header(made, "net")


@cache
def compiled(layers="3,4,2", dtype="double", catalog=CATALOG, **options):
    return compiled_c.load(*texts(layers, catalog, **options), "net", dtype)


@cache
def module(layers="3,4,2", catalog=CATALOG, **options):
    return load(numpy.generate(program(layers, catalog, **options), "net"))


def point(network, loss, n=4):
    rng = np.random.default_rng(len(loss) + n)
    params = {key: rng.normal(0, 0.7, shape) for key, shape in network.SHAPES.items()}
    kind = LOSSES[loss].label if loss in LOSSES else "real"
    return (
        params,
        rng.normal(size=(n, network.LAYERS[0])),
        labels(rng, kind, n, network.LAYERS[-1]),
    )


def compare(layers, dtype, n=4, **options):
    """The loss, the gradient and the outputs are those of the NumPy module, in double."""
    network, other = module(layers, **options), compiled(layers, dtype, **options)
    params, x, y = point(network, options.get("loss", "half_squared_error"), n)
    found, grads = other.loss_and_grad(params, x, y)
    expected, exact = network.loss_and_grad(params, x, y)
    tolerance = {"double": 1e-12, "float": 3e-4}[dtype]
    assert found == pytest.approx(expected, rel=tolerance, abs=tolerance)
    assert other.loss(params, x, y) == pytest.approx(found, rel=tolerance)
    np.testing.assert_allclose(
        other.forward(params, x), network.forward(params, x), rtol=tolerance, atol=tolerance
    )
    largest = max(np.abs(grad).max() for grad in exact.values())
    for key, grad in exact.items():
        scale = max(np.abs(grad).max(), 1e-3 * largest)
        np.testing.assert_allclose(grads[key], grad, rtol=tolerance, atol=tolerance * scale)


# --- Against the NumPy module ---


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [1, 2, 6])
def test_every_activation(width, dtype):
    names = [name for name in ACTIVATIONS if name != "exp"]  # which grows from layer to layer
    layers = ",".join(f"{width}:{name}" for name in names)
    compare(f"3,{layers},2", dtype, bias=True)


OUTPUTS = {"real": ("linear", "tanh"), "unit": ("sigmoid", "softmax"), "positive": ("exp",)}
PAIRS = [
    (output, loss.name)
    for loss in LOSSES.values()
    for output in OUTPUTS[loss.domain]
    if output not in dict(loss.refuses)
]


@pytest.mark.parametrize("layers", ["3,4,2", LOOPED])
@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_every_loss(output, loss, layers):
    compare(layers, "double", output_activation=output, loss=loss)


@pytest.mark.parametrize("loss", ["huber", "softmax_cross_entropy"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layers", ["3,4,2", LOOPED, "40,30,20"])
def test_the_sum_of_a_batch(layers, dtype, loss):
    compare(layers, dtype, n=7, loss=loss, reduction="sum", bias=True, activation="gelu")


@pytest.mark.parametrize("formula", FORMULAS)
def test_formulas(formula):
    loss = "sqrt(1 + (a - y)**2) + abs(a/9)**3 + where(a > y, 2, 1)*abs(a - y)"
    compare("3,6,6,2", "double", activation=formula, loss=loss, bias=True)


ODD = (
    Activation("forward", "z*exp(-z**2)"),
    Activation("real", "where(z > 0.3, 1, where(z > -0.2, 2, 3))*z"),
    Activation("größe", "z - erf(z)"),
    Activation("grosse", "z + erf(z)"),
    Activation("odd */ int x; /* ??/", "z*erf(z)*exp(-z)*tanh(z)"),
)
EXTENDED = replace(CATALOG, activations=(*CATALOG.activations, *ODD))  # past the check of names


def test_no_words_end_a_comment():
    told = prose("a */ b /* c ??/ \\ \u202e\n**//")
    assert told.isascii()
    assert not re.search(r"\*/|/\*|\?\?|\\", told)


@pytest.mark.parametrize("number", range(len(ODD)))
def test_an_activation_may_have_any_name(number):
    name, other = (ODD[k % len(ODD)].name for k in (number, number + 1))
    options = {"catalog": EXTENDED, "activation": name, "output_activation": other, "bias": True}
    for text in texts(**options):
        assert text.isascii()
        assert "??" not in text
        assert "int x" not in re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    compare("3,4,2", "double", **options)


def test_one_sample_is_a_batch_of_one():
    network, other = module(LOOPED), compiled(LOOPED)
    params, x, y = point(network, "")
    np.testing.assert_array_equal(other.forward(params, x[0]), other.forward(params, x)[0])
    total = sum(other.loss(params, *sample) for sample in zip(x, y, strict=True))
    assert other.loss(params, x, y) == pytest.approx(total / len(x))


# --- Extremes ---


@pytest.mark.parametrize("dtype", DTYPES)
def test_no_overflow_in_an_activation(dtype):
    names = [name for name in ACTIVATIONS if name != "exp"]
    layers = "1," + ",".join(f"3:{name}" for name in names) + ",1"
    network, other = module(layers, bias=True), compiled(layers, dtype, bias=True)
    params, x, y = point(network, "")
    for key in params:
        params[key] = np.resize([800, -800, 0], params[key].shape) if key[0] == "b" else 1e-3
        params[key] = np.broadcast_to(params[key], network.SHAPES[key])
    found, grads = other.loss_and_grad(params, x, y)
    expected, exact = network.loss_and_grad(params, x, y)
    assert found == pytest.approx(expected, rel=1e-4)
    for key, grad in grads.items():
        np.testing.assert_allclose(
            grad, exact[key], rtol=1e-3, atol=1e-4 * np.abs(exact[key]).max()
        )


@pytest.mark.parametrize("dtype", DTYPES)
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
    network = compiled("1,2", dtype, loss=loss, output_activation=output)
    params, x = {"W1": np.array([[800.0], [-800.0]])}, np.array([[1.0], [-1.0]])
    found, grads = network.loss_and_grad(params, x, np.array([[0.0, 1.0], [0.0, 1.0]]))
    assert 1 <= found < 2000
    assert np.isfinite(grads["W1"]).all()


@pytest.mark.parametrize("name", ["relu", "hardtanh", "softmax", "sigmoid", "elu"])
def test_what_is_not_finite_goes_as_in_numpy(name):
    params = {"W1": np.array([[np.nan], [np.inf], [-np.inf], [1.0]])}
    network, other = compiled("1,4", output_activation=name), module("1,4", output_activation=name)
    with np.errstate(all="ignore"):
        expected = other.forward(params, np.ones(1))
    np.testing.assert_array_equal(network.forward(params, np.ones(1))[:3], expected[:3])
    assert np.isnan(network.loss(params, np.ones(1), np.zeros(4))) == np.isnan(expected).any()


# --- What the functions refuse ---


@pytest.mark.parametrize("layers", ["3,4,2", LOOPED])
def test_no_samples(layers):
    network = compiled(layers)
    params, x, y = point(module(layers), "")
    with pytest.raises(ValueError, match="there are no samples, and their mean has no value"):
        network.loss_and_grad(params, x[:0], y[:0])
    assert network.forward(params, x[:0]).shape == (0, 2)
    found, grads = compiled(layers, reduction="sum").loss_and_grad(params, x[:0], y[:0])
    assert found == 0
    assert not any(grad.any() for grad in grads.values())


def test_labels_that_are_no_distribution():
    options = {"loss": "softmax_cross_entropy", "bias": True}
    params, x, y = point(module(**options), options["loss"])
    for wrong in (2 * y, np.full_like(y, np.nan), y + np.array([[0.1, 0]]), y - 1e-4):
        with pytest.raises(ValueError, match="each row of y must have the sum 1"):
            compiled(**options).loss_and_grad(params, x, wrong)
    assert compiled(dtype="float", **options).loss(params, x, y - 1e-4)


def test_statuses_are_told():
    library = compiled().library
    told = [library.bp_message(status).decode() for status in range(9)]
    assert len(set(told)) == 9
    assert told[1] == "a pointer is NULL"
    assert told[8] == library.bp_message(-1).decode() == "there is no such status"
    assert library.bp_forward(None, None, ctypes.c_size_t(1), None, None) == 1
    assert library.bp_init(None, 0, None) == 1


@pytest.mark.parametrize(
    ("layers", "message"),
    [("2,n1,1", "n1"), ("2,2*2001,1", "at most 2000 layers"), ("20000,20000,1", "parameters")],
)
def test_networks_that_c_cannot_carry(layers, message):
    made = program(layers)
    for function in (c.source, c.header, c.test):
        with pytest.raises(UnsupportedError, match=message):
            function(made, "net")


@pytest.mark.parametrize("name", ['a"b', "a\nb", "a\\b"])
def test_names_that_c_cannot_include(name):
    with pytest.raises(UnsupportedError, match="of the name"):
        c.source(program(), name)


# --- First parameters ---


class Rng(ctypes.Structure):
    _fields_ = (("state", ctypes.c_uint64),)


def draw(network, scheme, seed=0):
    """Parameters by name of a scheme, flat."""
    theta = np.full(network.sizes["PARAMETERS"], np.nan, network.dtype)
    number = network.library.bp_scheme_named(scheme.encode())
    rng = Rng(seed)
    status = network.library.bp_init(pointer(theta), number, ctypes.byref(rng))
    return status, theta


def pointer(array):
    return ctypes.c_void_p(array.ctypes.data)


VARIANCES = {"zeros": 0, "normal": 1, "uniform": 1 / 3, "he": 2 / 300}
VARIANCES |= {"xavier": 2 / 700, "glorot": 2 / 700, "truncated_normal": 0.7737413}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scheme", VARIANCES)
def test_schemes(scheme, dtype):
    network = compiled("300,400,2", dtype, bias=True)
    status, theta = draw(network, scheme)
    weights, biases = theta[: 300 * 400], theta[300 * 400 :][:400]
    assert status == 0
    assert np.isfinite(theta).all()
    assert not biases.any()
    assert weights.mean() == pytest.approx(0, abs=0.01)
    assert weights.var() == pytest.approx(VARIANCES[scheme], rel=0.02)
    if scheme in ("uniform", "truncated_normal"):
        assert np.abs(weights).max() == pytest.approx({"uniform": 1}.get(scheme, 2), abs=0.01)
    if scheme in ("normal", "he", "xavier"):
        assert (weights**4).mean() == pytest.approx(3 * weights.var() ** 2, rel=0.05)


@pytest.mark.parametrize("dtype", DTYPES)
def test_orthogonal(dtype):
    network = compiled("30,40,20,20", dtype)
    status, theta = draw(network, "orthogonal")
    assert status == 0
    sizes, start = (30, 40, 20, 20), 0
    for m, n in pairwise(sizes):
        weights = theta[start : start + m * n].reshape(n, m).astype(float)
        start += m * n
        square = weights @ weights.T if n <= m else weights.T @ weights
        tolerance = {"double": 1e-14, "float": 1e-5}[dtype]
        np.testing.assert_allclose(square, np.eye(min(m, n)), atol=tolerance)


def test_orthogonal_directions_are_uniform():
    network = compiled("2,2")
    found = np.array([draw(network, "orthogonal", seed)[1] for seed in range(4000)])
    angles = np.arctan2(found[:, 1], found[:, 0])
    assert np.abs(np.histogram(angles, 8, (-np.pi, np.pi))[0] - 500).max() < 100
    determinants = found[:, 0] * found[:, 3] - found[:, 1] * found[:, 2]
    assert abs(determinants.mean()) < 0.1


def test_a_seed_is_a_draw():
    network = compiled(LOOPED)
    one, same, other = (draw(network, "xavier", seed)[1] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.isclose(one, other).any()
    assert draw(network, "zavier")[0] == 5
    rng = Rng(1234567)
    network.library.bp_bits.restype = ctypes.c_uint64
    assert network.library.bp_bits(ctypes.byref(rng)) == 6457827717110365317  # SplitMix64's own


# --- Steps ---

RATES = (0.1, 0.9, 0.999, 1e-8)


def momentum(w, g, state, _, lr=0.1):
    v = 0.9 * state.get("v", 0) + g
    return w - lr * v, {"v": v}


def adam(w, g, state, t, lr=0.1):
    m = 0.9 * state.get("m", 0) + 0.1 * g
    v = 0.999 * state.get("v", 0) + 0.001 * g * g
    w = w - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return w, {"m": m, "v": v}


OPTIMIZERS = {0: lambda w, g, state, t, lr=0.1: (w - lr * g, {}), 1: momentum, 2: adam}


@pytest.mark.parametrize("dtype", DTYPES)
def test_momentum_and_adam(dtype):
    network = compiled(LOOPED, dtype, bias=True)
    real = {"double": ctypes.c_double, "float": ctypes.c_float}[dtype]
    library, count = network.library, network.sizes["PARAMETERS"]
    rng = np.random.default_rng(0)
    for optimizer in (1, 2):
        theta = rng.normal(size=count).astype(network.dtype)
        state, wanted, memory = np.zeros((2, count), network.dtype), theta.astype(float), {}
        for t in range(1, 5):
            grads = rng.normal(size=count).astype(network.dtype)
            wanted, memory = OPTIMIZERS[optimizer](wanted, grads.astype(float), memory, t)
            if optimizer == 1:
                args = (pointer(grads), pointer(state), real(0.1), real(0.9))
                assert library.bp_momentum(pointer(theta), *args) == 0
            else:
                moments = (pointer(state[0]), pointer(state[1]), ctypes.c_size_t(t))
                rates = map(real, RATES)
                assert library.bp_adam(pointer(theta), pointer(grads), *moments, *rates) == 0
        np.testing.assert_allclose(theta, wanted, rtol={"double": 1e-12, "float": 1e-3}[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
def test_clipping_and_decay(dtype):
    network = compiled(LOOPED, dtype, bias=True)
    real = {"double": ctypes.c_double, "float": ctypes.c_float}[dtype]
    library, count = network.library, network.sizes["PARAMETERS"]
    theta, start = np.random.default_rng(0).normal(size=(2, count)).astype(network.dtype)
    grads = start.copy()
    assert library.bp_clip_by_value(pointer(grads), real(0.5)) == 0
    np.testing.assert_array_equal(grads, np.clip(start, -0.5, 0.5))
    large = start * np.array(1e30, network.dtype)  # whose squares are no floats
    assert library.bp_clip_by_norm(pointer(large), real(2)) == 0
    norm = np.linalg.norm(start.astype(float))
    np.testing.assert_allclose(large, start * 2 / norm, rtol=1e-5)
    kept = start.copy()
    assert library.bp_clip_by_norm(pointer(kept), real(norm * 1.01)) == 0
    np.testing.assert_array_equal(kept, start)
    assert library.bp_l2_decay(pointer(theta), pointer(kept), real(0.25)) == 0
    weights = network.flat(
        {key: np.full(size(network, key), key[0] == "W") for key in network.offsets}
    )
    np.testing.assert_allclose(kept, start + 0.25 * theta * weights, rtol=1e-6)
    for wrong in (np.nan, -1.0):
        assert library.bp_clip_by_value(pointer(kept), real(wrong)) == 4
        assert library.bp_clip_by_norm(pointer(kept), real(wrong)) == 4
    for function in (library.bp_step, library.bp_l2_decay):
        assert function(pointer(theta), pointer(kept), real(np.inf)) == 4


def size(network, key):
    starts = [*network.offsets.values(), network.sizes["PARAMETERS"]]
    place = list(network.offsets).index(key)
    return starts[place + 1] - starts[place]


# --- Training ---

PROGRESS = ctypes.CFUNCTYPE(
    None, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_double, ctypes.py_object
)


class Options(ctypes.Structure):
    _fields_ = (
        ("epochs", ctypes.c_size_t),
        ("batch", ctypes.c_size_t),
        ("lr", ctypes.c_double),
        ("optimizer", ctypes.c_int),
        ("decay", ctypes.c_double),
        ("clip_value", ctypes.c_double),
        ("clip_norm", ctypes.c_double),
        ("seed", ctypes.c_uint64),
        ("progress", PROGRESS),
        ("user", ctypes.py_object),
    )


class Buffers(ctypes.Structure):
    _fields_ = tuple(
        (name, ctypes.c_void_p) for name in ("grads", "state", "order", "history", "work")
    )


def train(network, params, x, y, **changes):
    """The status, the parameters, the history and what progress was told."""
    library = network.library
    library.bp_train_defaults.restype = Options
    options, told = library.bp_train_defaults(), []
    options.user = told
    options.progress = PROGRESS(lambda *row: row[-1].append(row[:-1]))
    for key, value in changes.items():
        setattr(options, key, value)
    theta = network.flat(params)
    history = np.full(options.epochs, np.nan)
    arrays = (np.full_like(theta, np.nan), np.full(2 * theta.size, np.nan))
    arrays += (np.full(len(x), 10**6, np.uintp), history, network.work())
    buffers = Buffers(*(array.ctypes.data for array in arrays))
    count = ctypes.c_size_t(len(x))
    given = (pointer(theta), pointer(x), pointer(y), count)
    status = library.bp_train(*given, ctypes.byref(options), ctypes.byref(buffers))
    return status, theta, history, told


def task(n=40):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(n, 3))
    y = np.tanh(x @ rng.normal(size=(3, 2)))
    params = {key: rng.normal(0, 0.5, shape) for key, shape in module(LOOPED).SHAPES.items()}
    return params, x, y


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_training_on_all_samples_at_once(optimizer, reduction):
    network, other = compiled(LOOPED, reduction=reduction), module(LOOPED, reduction=reduction)
    params, x, y = task()
    rates = {"lr": 0.01, "decay": 0.1, "clip_value": 0.5, "clip_norm": 0.9}
    _, theta, history, _ = train(
        network, params, x, y, epochs=4, batch=99, optimizer=optimizer, **rates
    )
    state = {key: {} for key in params}
    for t in range(1, 5):
        found, grads = other.loss_and_grad(params, x, y)
        assert history[t - 1] == pytest.approx(found)
        grads = {key: np.clip(g + 0.1 * params[key], -0.5, 0.5) for key, g in grads.items()}
        norm = np.sqrt(sum((g**2).sum() for g in grads.values()))
        for key, g in grads.items():
            params[key], state[key] = OPTIMIZERS[optimizer](
                params[key], g * min(1, 0.9 / norm), state[key], t, 0.01
            )
    np.testing.assert_allclose(theta, network.flat(params), rtol=1e-6, atol=1e-9)


def test_training_in_minibatches():
    network, (params, x, y) = compiled(LOOPED), task(41)
    status, theta, history, told = train(network, params, x, y, epochs=30, batch=8, optimizer=2)
    assert status == 0
    assert history[-1] < 0.3 * history[0]
    assert [row[:2] for row in told] == [(k, 180) for k in range(1, 181)]
    assert not np.array_equal(theta, network.flat(params))
    means = np.array([row[2] for row in told]).reshape(30, 6) @ [8, 8, 8, 8, 8, 1] / 41
    np.testing.assert_allclose(history, means)
    again = train(network, params, x, y, epochs=30, batch=8, optimizer=2)
    np.testing.assert_array_equal(theta, again[1])
    other = train(network, params, x, y, epochs=30, batch=8, optimizer=2, seed=1)
    assert not np.array_equal(theta, other[1])


def test_an_epoch_meets_each_sample_once_in_a_new_order():
    network, (params, _, _) = compiled(LOOPED), task()
    x, y = np.zeros((40, 3)), np.arange(80.0).reshape(40, 2)
    _, _, _, told = train(network, params, x, y, epochs=3, batch=1, lr=0.0)
    orders = np.array([row[2] for row in told]).reshape(3, 40)
    expected = sorted(compiled(LOOPED).loss(params, *sample) for sample in zip(x, y, strict=True))
    np.testing.assert_allclose(np.sort(orders, axis=1), [expected] * 3)
    assert len({tuple(order) for order in orders}) == 3


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"epochs": 0}, 4),
        ({"batch": 0}, 4),
        ({"lr": np.nan}, 4),
        ({"decay": np.inf}, 4),
        ({"clip_value": -1.0}, 4),
        ({"clip_norm": np.nan}, 4),
        ({"optimizer": 3}, 6),
    ],
)
def test_options_that_training_refuses(changes, status):
    network, (params, x, y) = compiled(LOOPED), task()
    found, theta, _, told = train(network, params, x, y, **changes)
    assert found == status
    assert not told
    np.testing.assert_array_equal(theta, network.flat(params))


# --- The files ---


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("c")
    for name, (layers, options) in SAMPLE.items():
        made = program(layers, **options)
        (path / f"{name}.c").write_text(c.source(made, name), encoding="utf-8")
        (path / f"{name}.h").write_text(c.header(made, name), encoding="utf-8")
    (path / "driver.c").write_text(DRIVER, encoding="utf-8")
    return path


def run(*command, cwd):
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


DRIVER = """
#include HEADER
#include <stdlib.h>
#include <string.h>

enum { N = 5 };

static bp_real *numbers(size_t n)
{
    bp_real *a = malloc(n * sizeof *a); /* of its exact size, so that the sanitizer sees the end */
    for (size_t i = 0; i < n; i++)
        a[i] = (bp_real)(i % 7) / 7;
    return a;
}

static void progress(size_t done, size_t total, bp_real loss, void *user)
{
    *(int *)user += done <= total && loss < 1000000;
}

int main(void)
{
    bp_real *p = numbers(BP_PARAMETERS), *g = numbers(BP_PARAMETERS);
    bp_real *x = numbers(N * BP_INPUTS), *y = numbers(N * BP_OUTPUTS);
    bp_real *out = numbers(N * BP_OUTPUTS);
    bp_real *state = numbers(2 * BP_PARAMETERS), *history = numbers(3), loss[1];
    size_t *order = malloc(N * sizeof *order);
    bp_work *work = malloc(sizeof *work);
    bp_rng rng = {7};
    int bad = 0, calls = 0;
    bp_options options = bp_train_defaults();
    bp_buffers buffers = {g, state, order, history, work};

    memset(work, 255, sizeof *work);
    for (size_t i = 0; i < N * BP_OUTPUTS; i++)
        y[i] = i % BP_OUTPUTS == 0;
    for (bp_scheme scheme = BP_ZEROS; scheme < BP_SCHEMES; scheme++)
        bad |= bp_init(p, scheme, &rng);
    bad |= bp_forward(p, x, N, out, work);
    bad |= bp_loss(p, x, y, N, loss, work);
    bad |= bp_loss_and_grad(p, x, y, N, loss, g, work);
    bad |= bp_l2_decay(p, g, 1) | bp_clip_by_value(g, 1) | bp_clip_by_norm(g, 1);
    bad |= bp_step(p, g, 0) | bp_momentum(p, g, state, 0, 0);
    bad |= bp_adam(p, g, state, state + BP_PARAMETERS, 1, 0, 0, 0, 1);
    options.epochs = 3;
    options.batch = 2;
    options.lr = 0;
    options.progress = progress;
    options.user = &calls;
    for (bp_optimizer k = BP_SGD; k <= BP_ADAM; k++) {
        options.optimizer = k;
        bad |= bp_train(p, x, y, N, &options, &buffers);
    }
    for (size_t i = 0; i < BP_PARAMETERS; i++)
        p[i] = i % 3 == 0 ? 800 : -800;
    bad |= bp_loss_and_grad(p, x, y, N, loss, g, work);
    free(p), free(g), free(x), free(y), free(out), free(state), free(history), free(order);
    free(work);
    return bad || calls != 27;
}
"""


@needs_gcc
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SAMPLE)
def test_the_file_is_strict_c_and_sanitizers_find_nothing(folder, name, dtype):
    flags = (*STRICT, *compiled_c.DTYPES[dtype], "-O1", "-g0", f'-DHEADER="{name}.h"')
    flags += ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    for kind, files in (("check", ("-DBP_MAIN",)), ("drive", ("driver.c",))):
        program = f"{name}_{kind}_{dtype}"
        done = run(GCC, *flags, f"{name}.c", *files, "-o", program, "-lm", cwd=folder)
        assert done.returncode == 0, done.stderr
        done = run(f"./{program}", cwd=folder)
        assert done.returncode == 0, done.stdout + done.stderr
        assert not done.stderr
        assert kind == "drive" or re.fullmatch(
            r"gradient check passed: largest relative error \S+ of \d+ elements, "
            r"\d+ left out at kinks\n",
            done.stdout,
        )


@needs_gcc
@pytest.mark.parametrize("level", ["-Os", "-O3"])
@pytest.mark.parametrize("name", ["default", "digits", "mixing"])
def test_optimizing_finds_nothing_to_warn_of(folder, name, level):
    for flags in ((), ("-DBP_FLOAT",)):
        done = run(GCC, *STRICT, level, *flags, "-c", f"{name}.c", "-o", "x.o", cwd=folder)
        assert done.returncode == 0, done.stderr


TYPES = {"bp_progress"}
"""Declared in the header as functions are, and types."""


@needs_gcc
@pytest.mark.skipif(not shutil.which("nm"), reason="nm is not installed")
def test_nothing_is_allocated_and_no_state_is_kept(folder):
    for name in ("default", "digits"):
        run(GCC, "-std=c99", "-O1", "-fno-pic", "-c", f"{name}.c", "-o", "x.o", cwd=folder)
        rows = [line.split()[-2:] for line in run("nm", "x.o", cwd=folder).stdout.splitlines()]
        kinds = {symbol: kind for kind, symbol in rows}
        declared = set(re.findall(r"\b(bp_\w+)\(", (folder / f"{name}.h").read_text()))
        assert {symbol for symbol, kind in kinds.items() if kind == "T"} == declared - TYPES
        assert not {kind for kind in kinds.values() if kind in "BbDdCSs"}
        used = {symbol for symbol, kind in kinds.items() if kind == "U"}
        assert used <= {"cos", "exp", "fmax", "log", "memcpy", "memset", "pow", "sqrt", "strcmp"}


@pytest.mark.skipif(not shutil.which("g++"), reason="g++ is not installed")
def test_the_header_is_for_c_plus_plus_too(folder):
    text = '#include "digits.h"\nint main() { return bp_train_defaults().epochs == 10 ? 0 : 1; }\n'
    (folder / "user.cpp").write_text(text, encoding="utf-8")
    run(shutil.which("gcc") or "cc", "-std=c99", "-c", "digits.c", "-o", "digits.o", cwd=folder)
    flags = ("-Wall", "-Wextra", "-Werror", "-pedantic")
    done = run("g++", *flags, "user.cpp", "digits.o", "-o", "user", "-lm", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert run("./user", cwd=folder).returncode == 0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (" * (1 - w->a1[0])", " * (1 + w->a1[0])"),
        ("w->a3[0] - y[0]; /*", "y[0] - w->a3[0]; /*"),
        ("delta2_0 * W2[1]", "delta2_0 * W2[0]"),
        ("1 / (bp_real)n", "1"),
    ],
)
def test_the_check_finds_a_wrong_gradient(right, wrong, dtype, tmp_path):
    source, header = texts("2,2,2,1")
    assert right in source
    (tmp_path / "net.c").write_text(source.replace(right, wrong, 1), encoding="utf-8")
    (tmp_path / "net.h").write_text(header, encoding="utf-8")
    flags = ("-std=c99", "-DBP_MAIN", *compiled_c.DTYPES[dtype])
    compiled_c.build((*flags, str(tmp_path / "net.c"), "-o", str(tmp_path / "net"), "-lm"))
    done = run(str(tmp_path / "net"), cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith("gradient check FAILED: ")


def test_the_text():
    for name, (layers, options) in SAMPLE.items():
        made = program(layers, **options)
        for text in (c.source(made, name), c.header(made, name)):
            assert text.isascii()
            assert "\t" not in text
            assert not re.search(r" +$|\n\n\n", text, re.MULTILINE)
            assert text.endswith("\n")
            assert max(map(len, text.splitlines())) <= 100


def test_lines_carry_names_and_numbers():
    source, header = texts("2,2,2,1", bias=True)
    for line in (
        "    const bp_real z1_0 = W1[0] * x[0] + W1[1] * x[1] + b1[0]; /* (1) */",
        "    w->a1[0] = bp_sigmoid(z1_0); /* (2) */",
        "    return BP_C(0.5) * bp_square(w->a3[0] - y[0]); /* (7) */",
        "    const bp_real delta3_0 = w->a3[0] - y[0]; /* (8) */",
        "    dW3[1] += share * delta3_0 * w->a2[1]; /* (9) */",
        "    db3[0] += share * delta3_0; /* (10) */",
    ):
        assert f"{line}\n" in source
    assert "#define BP_B1 4 /* 2 */\n" in header
    looped, _ = texts("16,16,4", activation="relu")
    for line in (
        "        w->z1[i] = bp_dot(W1 + i * 16, x, 16); /* (1) */",
        "        w->a1[i] = bp_maximum(w->z1[i], 0); /* (2) */",
        "        bp_add_row(dW2 + i * 16, more, share * w->delta2[i], w->a1, 16); /* (7) */",
        "    bp_transposed(w->delta1, W2, w->delta2, 4, 16);",
    ):
        assert f"{line}\n" in looped


def test_helpers_are_there_only_where_they_are_used():
    assert "bp_sigmoid" not in texts("2,2,1", activation="tanh")[0]
    assert "bp_dot" not in texts("2,2,1")[0]
    assert texts("2,2,1", activation="z*sigmoid(z)")[0].count("bp_real bp_sigmoid(") == 1


def test_the_same_network_has_the_same_text():
    command = (
        "from bpderive.targets import c; from bpderive.program import build; "
        "from bpderive import derive, network; made = build(derive(network('3,9,2', loss='huber', "
        "activation='z*tanh(log(1+exp(z)))', bias=True))); "
        "print(c.source(made, 'net'), end=c.header(made, 'net'))"
    )
    options = {"loss": "huber", "activation": "z*tanh(log(1+exp(z)))", "bias": True}
    found = run(sys.executable, "-c", command, cwd=".")
    assert found.stdout == "".join(texts("3,9,2", **options)), found.stderr


def test_code_that_does_not_compile_is_told():
    source, header = texts()
    with pytest.raises(DerivationError, match=r"(?s)does not compile: .*error"):
        compiled_c.load(source.replace("return", "retrun"), header, "net")


def test_no_compiler_is_told(monkeypatch):
    monkeypatch.setattr(compiled_c.shutil, "which", lambda name: None)
    with pytest.raises(UnsupportedError, match="none of cc, gcc, clang is installed"):
        compiled_c.load(*texts(), "net")


# --- The pytest file ---


def emitted(folder, layers, change=lambda text: text, **options):
    made = program(layers, **options)
    (folder / "net.c").write_text(change(c.source(made, "net")), encoding="utf-8")
    (folder / "net.h").write_text(c.header(made, "net"), encoding="utf-8")
    (folder / "test_net.py").write_text(c.test(made, "net"), encoding="utf-8")
    flags = ("-q", "-p", "no:cacheprovider", "--rootdir", str(folder), "-W", "error")
    return run(sys.executable, "-m", "pytest", *flags, "test_net.py", cwd=folder)


@pytest.mark.parametrize(
    "name", ["default", "layer", "digits", "sum", pytest.param("all", marks=pytest.mark.long)]
)
def test_the_emitted_test_passes(name, tmp_path):
    layers, options = SAMPLE[name]
    done = emitted(tmp_path, layers, **options)
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout


def test_the_emitted_test_finds_a_wrong_sign(tmp_path):
    done = emitted(tmp_path, "2,2,2,1", lambda text: text.replace("= w->a3[0] -", "= w->a3[0] +"))
    assert done.returncode == 1, done.stdout
    done = emitted(tmp_path, "2,2,2,1", lambda text: text.replace("(1 - w", "(1 + w"))
    assert "4 failed" in done.stdout, done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("format", "--diff"),
        ("check", "--select=E,F,W,I,UP,B,SIM,RUF,C4,RET,PIE,PERF"),
        ("check", "--select=D", "--config=lint.pydocstyle.convention='google'"),
    ],
    ids=" ".join,
)
def test_the_emitted_test_is_as_ruff_leaves_it(arguments, tmp_path):
    pytest.importorskip("ruff")
    for name, (layers, options) in SAMPLE.items():
        text = c.test(program(layers, **options), name)
        Path(tmp_path / f"test_{name}.py").write_text(text, encoding="utf-8")
    done = run(
        sys.executable, "-m", "ruff", *arguments, "--isolated", "--no-cache", ".", cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.long
def test_a_thousand_layers():
    options = {"activation": "tanh", "bias": True}
    compare("2,4*1000,1", "double", **options)
    compare("784,128:relu,10", "double", loss="softmax_cross_entropy", bias=True)
