"""Quadrature against mpmath; predictions against networks drawn and differentiated in NumPy."""

import math
from itertools import pairwise

import mpmath
import numpy as np
import pytest

import bpderive
from bpderive.catalog import CATALOG, formula_activation
from bpderive.flow.behaviour import behaviour
from bpderive.flow.expectation import expected
from bpderive.flow.gaussian import hermite, legendre, mean
from bpderive.flow.schemes import SCHEMES, scaled, scheme

ELEMENTWISE = [row for row in CATALOG.activations if row.elementwise]

# --- Quadrature ---


@pytest.mark.parametrize("count", [1, 2, 5, 20, 32, 64])
def test_nodes_are_those_of_numpy(count):
    nodes, weights = np.polynomial.hermite_e.hermegauss(count)
    assert np.allclose(hermite(count), np.transpose([nodes, weights / weights.sum()]), atol=1e-12)
    assert np.allclose(legendre(count), np.transpose(np.polynomial.legendre.leggauss(count)))


def test_published_nodes():
    """Three nodes: 0 and ±√3, with 2/3 and 1/6 (M. Abramowitz, I. Stegun, table 25.10)."""
    wanted = ((-math.sqrt(3), 1 / 6), (0, 2 / 3), (math.sqrt(3), 1 / 6))
    assert np.allclose(hermite(3), wanted, atol=1e-15)


FUNCTIONS = {
    "relu": lambda z: max(z, 0),
    "hardtanh": lambda z: max(-1, min(1, z)),
    "leaky_relu": lambda z: z if z > 0 else z / mpmath.mpf(100),
    "elu": lambda z: z if z > 0 else mpmath.expm1(z),
    "tanh": mpmath.tanh,
    "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
    "silu": lambda z: z / (1 + mpmath.exp(-z)),
    "softplus": lambda z: mpmath.log1p(mpmath.exp(z)),
    "gelu": lambda z: z * (1 + mpmath.erf(z / mpmath.sqrt(2))) / 2,
    "mish": lambda z: z * mpmath.tanh(mpmath.log1p(mpmath.exp(z))),
    "softsign": lambda z: z / (1 + abs(z)),
}


def integral(function, variance):
    with mpmath.workdps(20):
        root = mpmath.sqrt(mpmath.mpf(variance))
        ends = {0, *(s * e for s in (-1, 1) for e in (1 / root, 4 / root, 1, 3, 6, 12))}
        inner = sorted(end for end in ends if abs(end) <= 12)
        return float(mpmath.quad(lambda u: function(root * u) * mpmath.npdf(u), inner))


@pytest.mark.parametrize("variance", [1e-4, 0.8, 7.0, 900.0])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_mean_squares_are_those_of_mpmath(name, variance):
    own, function = behaviour(CATALOG.activation(name)), FUNCTIONS[name]
    power = math.log10(variance)
    assert 10 ** own.square(power) == pytest.approx(
        integral(lambda z: function(z) ** 2, variance), rel=1e-10
    )
    assert own.average(power) * 10 ** (own.square(power) / 2) == pytest.approx(
        integral(function, variance), rel=1e-10, abs=1e-12
    )
    slope = integral(lambda z: mpmath.diff(function, z) ** 2, variance)
    assert 10 ** own.steepness(power) == pytest.approx(slope, rel=1e-8)


@pytest.mark.parametrize("row", ELEMENTWISE, ids=lambda row: row.name)
def test_nothing_overflows(row):
    own = behaviour(row)
    for z in (-1e300, -800.0, -40.0, 0.0, 40.0, 600.0):
        assert math.isfinite(own.value(z)), z
        assert math.isfinite(own.slope(z)), z


def test_a_kink_is_taken_where_it_is():
    row = formula_activation("max(z - 1.7, 0)")
    found = mean(behaviour(row).value, 1.0, behaviour(row).cuts)
    exact = math.exp(-(1.7**2) / 2) / math.sqrt(2 * math.pi) - 1.7 * math.erfc(1.7 / 2**0.5) / 2
    assert found == pytest.approx(exact, rel=1e-12)


# --- Predictions against measurement ---
# Forward and backward passes are written here in NumPy, with slopes of their own.

ERF = np.vectorize(math.erf)


def logistic(z):
    return 1 / (1 + np.exp(-z))


PAIRS = {
    "sigmoid": (logistic, lambda z: logistic(z) * logistic(-z)),
    "tanh": (np.tanh, lambda z: np.cosh(z) ** -2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    "silu": (
        lambda z: z * logistic(z),
        lambda z: logistic(z) * (1 + z * logistic(-z)),
    ),
    "gelu": (
        lambda z: z * (1 + ERF(z / 2**0.5)) / 2,
        lambda z: (1 + ERF(z / 2**0.5)) / 2 + z * np.exp(-(z**2) / 2) / (2 * np.pi) ** 0.5,
    ),
    "softplus": (lambda z: np.logaddexp(0, z), logistic),
    "elu": (
        lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
        lambda z: np.where(z > 0, 1, np.exp(np.minimum(z, 0))),
    ),
}
WIDTHS = (300, 512, 512, 512, 512, 512, 7)
NETWORKS, INPUTS = 64, 16
CASES = (
    ("sigmoid", "xavier"),
    ("sigmoid", "scaled(3,0.5)"),
    ("tanh", "scaled(1.4,0.3)"),
    ("relu", "he"),
    ("silu", "he"),
    ("gelu", "xavier"),
    ("softplus", "lecun"),
    ("elu", "scaled(1.2,0.2)"),
)


SIZES = tuple(pairwise(WIDTHS))


def drawn_once(rng):
    """Standard normal weights, biases, inputs and labels, which each case scales."""
    weights = [rng.normal(size=size) for size in SIZES]
    biases = [rng.normal(size=m) for _, m in SIZES]
    x, y = (rng.normal(size=(INPUTS, size)) for size in (WIDTHS[0], WIDTHS[-1]))
    return weights, biases, x, y


def squares(name, drawn, once):
    """For one network, by layer, the mean square of the gradients of its weights."""
    f, slope = PAIRS[name]
    spreads = [drawn.variance(*size) ** 0.5 for size in SIZES]
    weights = [spread * w for spread, w in zip(spreads, once[0], strict=True)]
    taken, sums = [once[2]], []
    for w, b in zip(weights, once[1], strict=True):
        sums.append(taken[-1] @ w + drawn.bias**0.5 * b)
        taken.append(f(sums[-1]))
    delta = sums[-1] - once[3]
    found = []
    for at in reversed(range(len(weights))):
        per_sample = (delta**2).mean(axis=1) * (taken[at] ** 2).mean(axis=1)
        found.append(per_sample.mean())
        if at:
            delta = (delta @ weights[at].T) * slope(sums[at - 1])
    return found[::-1]


@pytest.fixture(scope="module")
def measured():
    """By case, networks by layers."""
    rng, found = np.random.default_rng(7), {case: [] for case in CASES}
    for _ in range(NETWORKS):
        once = drawn_once(rng)
        for (name, text), rows in found.items():
            rows.append(squares(name, scheme(text), once))
    return {case: np.array(rows) for case, rows in found.items()}


def predicted(name, drawn):
    network = bpderive.network(",".join(map(str, WIDTHS)), activation=name, bias=True)
    levels = expected(network, drawn).levels
    return np.array([10 ** (2 * level.gradient) for level in levels])


def agrees(found, wanted):
    """Four standard errors of the mean over networks, and 2/width a layer for finite widths.

    The mean over networks is what mean field predicts, up to terms of the order of depth/width. The
    outputs are few, because the error of a linear output holds the weights that take it back.
    """
    error = found.std(axis=0, ddof=1) / math.sqrt(len(found))
    bias = 2 / min(WIDTHS[1:-1]) * wanted * len(wanted)
    return np.abs(found.mean(axis=0) - wanted) <= 4 * error + bias


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_predictions_agree_with_measurements(case, measured):
    name, text = case
    assert agrees(measured[case], predicted(name, scheme(text))).all()


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_the_comparison_is_sharp(case, measured):
    """It refuses other predictions: a slope left out, another scheme, a factor of 1.6."""
    name, text = case
    right, drawn = predicted(name, scheme(text)), scheme(text)
    levels = expected(
        bpderive.network(",".join(map(str, WIDTHS)), activation=name, bias=True), drawn
    ).levels
    no_slope = 10 ** behaviour(CATALOG.activation(name)).steepness(math.log10(levels[1].variance))
    for wrong in (right / no_slope, right * 1.6, right / 1.6):
        assert not agrees(measured[case], wrong)[0]
    other = "lecun" if text == "he" else "he"
    assert not agrees(measured[case], predicted(name, scheme(other)))[0]


def test_inputs_are_told_from_outputs(measured):
    """With the variance by outputs instead of inputs, the first layer is of another size."""
    wrong = predicted("relu", SCHEMES["lecun"]) * 300 / 512
    assert not agrees(measured["relu", "he"], wrong)[0]


# --- Normalisation and residual blocks ---

WIDE, SAMPLES = 256, 32


def normalised(axis, rng, depth=4):
    """One network of `dense, norm, relu`: by layer the mean square of the sum over a batch."""
    f, slope = PAIRS["relu"]
    sizes = [60, *[WIDE] * depth, 3]
    weights = [rng.normal(0, (2 / n) ** 0.5, (n, m)) for n, m in pairwise(sizes)]
    a, kept = rng.normal(size=(SAMPLES, 60)), []
    for w in weights[:-1]:
        z = a @ w
        centred = z - z.mean(axis=axis, keepdims=True)
        root = np.sqrt((centred**2).mean(axis=axis, keepdims=True) + 1e-5)
        kept.append((a, centred / root, root))
        a = f(centred / root)
    delta = a @ weights[-1] - rng.normal(size=(SAMPLES, 3))
    found, pulls = [], []
    for (taken, hat, root), w in zip(reversed(kept), reversed(weights[1:]), strict=True):
        up = (delta @ w.T) * slope(hat)
        along = (up * hat).mean(axis=axis, keepdims=True)
        delta = (up - up.mean(axis=axis, keepdims=True) - hat * along) / root
        pulls.append((taken, delta))
    for taken, own in reversed(pulls):
        if axis == 0:
            found.append(((taken.T @ own / SAMPLES) ** 2).mean())
        else:
            found.append(((own**2).mean(axis=1) * (taken**2).mean(axis=1)).mean())
    return found


@pytest.mark.parametrize(("norm", "axis"), [("batchnorm", 0), ("layernorm", 1)])
def test_normalised_layers_are_as_expected_to_a_sixth(norm, axis):
    """Tolerance 15 % of the root mean square, for batches of 32 and widths of 256."""
    rng = np.random.default_rng(3)
    found = np.mean([normalised(axis, rng) for _ in range(6)], axis=0)
    layers = f"60,[{WIDE},{norm},relu]*4,3"
    levels = expected(bpderive.network(layers), SCHEMES["he"]).levels
    wanted = [10**level.gradient for level in levels[:-1]]
    assert np.sqrt(found) == pytest.approx(wanted, rel=0.15)


def test_batch_normalisation_after_relu_has_its_published_factor():
    """π/(π - 1): G. Yang et al., ICLR 2019. A layer of the deltas is that much larger."""
    levels = expected(bpderive.network("60,[64,batchnorm,relu]*8,3"), scaled(1.0)).levels
    assert levels[4].factor == pytest.approx(math.pi / (math.pi - 1), rel=0.05)


def blocks(rng, depth, last):
    """One network of residual blocks `x + W₂ tanh(W₁ x)`: by weight the mean square."""
    f, slope = PAIRS["tanh"]
    first = rng.normal(0, (1 / 40) ** 0.5, (40, WIDE))
    pairs = [
        [rng.normal(0, (g / WIDE) ** 0.5, (WIDE, WIDE)) for g in (1.0, last)] for _ in range(depth)
    ]
    head = rng.normal(0, (1 / WIDE) ** 0.5, (WIDE, 5))
    x = rng.normal(size=(INPUTS, 40))
    h, kept = x @ first, []
    for inner, outer in pairs:
        z = h @ inner
        kept.append((h, z))
        h = h + f(z) @ outer
    delta = h @ head - rng.normal(size=(INPUTS, 5))
    found = [((delta**2).mean(axis=1) * (h**2).mean(axis=1)).mean()]
    delta = delta @ head.T
    for (inner, outer), (h, z) in zip(reversed(pairs), reversed(kept), strict=True):
        found.append(((delta**2).mean(axis=1) * (f(z) ** 2).mean(axis=1)).mean())
        back = (delta @ outer.T) * slope(z)
        found.append(((back**2).mean(axis=1) * (h**2).mean(axis=1)).mean())
        delta = delta + back @ inner.T
    found.append(((delta**2).mean(axis=1) * (x**2).mean(axis=1)).mean())
    return found[::-1]


def test_residual_blocks_are_as_expected_to_a_tenth():
    rng = np.random.default_rng(5)
    found = np.mean([blocks(rng, 4, 1.0) for _ in range(24)], axis=0)
    layers = f"40,{WIDE},[residual({WIDE}:tanh,{WIDE})]*4,5"
    levels = expected(bpderive.network(layers), SCHEMES["lecun"]).levels
    assert np.sqrt(found) == pytest.approx([10**level.gradient for level in levels], rel=0.1)


def test_branches_that_begin_at_zero_pass_every_gradient():
    layers = "40,32,[residual(32:relu,32)]*5,3"
    levels = expected(bpderive.network(layers), SCHEMES["zero_residual"]).levels
    own = [level for level in levels if level.number in (1, 3, 6, 9, 12, 15)]
    inner = [level for level in levels if level.number in (2, 5, 8, 11, 14)]
    assert {round(level.variance, 9) for level in own[1:]} == {0.0}
    assert all(level.gradient == -math.inf for level in inner)
    assert len({round(level.gradient, 9) for level in own[1:]}) == 1


# --- What is exact, and what is not established ---


def test_a_thousand_sigmoid_layers_do_not_underflow():
    levels = expected(bpderive.network("2,64*1000,1"), SCHEMES["xavier"]).levels
    steps = [b.gradient - a.gradient for a, b in pairwise(levels[100:111])]
    assert levels[0].gradient == pytest.approx(-627.637, abs=0.01)
    assert steps == pytest.approx([steps[0]] * 10, rel=1e-9)


def test_the_last_delta_of_a_linear_output_is_that_of_two_normal_numbers():
    """L = (a - y)²/2: E δ² = q + 1; He's weights of relu keep q = 2."""
    levels = expected(bpderive.network("4,10*3,3", activation="relu"), SCHEMES["he"]).levels
    assert [level.variance for level in levels] == pytest.approx([2.0] * 4, rel=1e-12)
    assert levels[-1].gradient == pytest.approx(math.log10(3 * 1) / 2, rel=1e-9)


LOSSES = (
    ("mse", "linear", lambda z, y, n: 2 * (z - y) / n),
    ("binary_cross_entropy", "sigmoid", lambda z, y, _: logistic(z) - y),
    ("binary_cross_entropy_with_logits", "linear", lambda z, y, _: logistic(z) - y),
    ("hinge", "linear", lambda z, y, _: np.where(y * z < 1, -y, 0)),
    ("huber", "linear", lambda z, y, _: np.clip(z - y, -1, 1)),
    ("half_squared_error", "tanh", lambda z, y, _: (np.tanh(z) - y) * np.cosh(z) ** -2),
)
LABELS = {
    "binary_cross_entropy": lambda rng, n: rng.integers(0, 2, n),
    "binary_cross_entropy_with_logits": lambda rng, n: rng.integers(0, 2, n),
    "hinge": lambda rng, n: 2 * rng.integers(0, 2, n) - 1,
}


@pytest.mark.parametrize(
    ("loss", "output", "delta"), LOSSES, ids=lambda x: x if isinstance(x, str) else ""
)
def test_the_error_at_the_output_is_that_of_random_draws(loss, output, delta):
    network = bpderive.network("6,4", loss=loss, output_activation=output)
    (level,) = expected(network, scheme("scaled(1.3)")).levels
    rng, many = np.random.default_rng(2), 400_000
    labels = LABELS.get(loss, lambda rng, n: rng.normal(size=n))(rng, many)
    wanted = (delta(rng.normal(0, 1.3, many), labels, 4) ** 2).mean()
    assert 10 ** (2 * level.gradient) == pytest.approx(wanted, rel=0.01)


def test_where_the_error_is_not_established_gradients_are_relative():
    found = expected(
        bpderive.network("5,8:tanh,8:tanh,3", loss="softmax_cross_entropy"), SCHEMES["xavier"]
    )
    assert found.relative
    assert found.levels[-1].gradient == 0
    assert found.levels[0].gradient is not None


STOPPED = (
    ("seq(5)x3,rnn(4),last,2", ("rnn", "last")),
    ("1x8x8,conv(4,3),maxpool(2),flatten,3", ("maxpool",)),
    ("5,4:tanh,dropout,3", ("dropout",)),
    ("5,4:softmax,3", ("softmax",)),
    ("5,5:tanh,5:tanh(tie=1),3", ("tie",)),
)


@pytest.mark.parametrize(("layers", "kinds"), STOPPED)
def test_kinds_without_a_rule_are_named_and_stop_everything_below(layers, kinds):
    text = layers.replace("5:tanh(tie=1)", "dense(5,tie=1):tanh")
    found = expected(bpderive.network(text), SCHEMES["he"])
    assert found.stopped == kinds
    assert found.levels[0].gradient is None


def test_symbolic_sizes_are_not_established():
    for layers in ("n0,n1,2", "n0,n1,batchnorm,2"):
        levels = expected(bpderive.network(layers), SCHEMES["he"]).levels
        assert all(level.gradient is None for level in levels)


def test_zero_weights_give_zero_gradients():
    levels = expected(bpderive.network("3,4,4,1"), SCHEMES["zeros"]).levels
    assert [level.gradient for level in levels[:2]] == [-math.inf] * 2
    assert levels[-1].gradient == pytest.approx(math.log10(0.5))
