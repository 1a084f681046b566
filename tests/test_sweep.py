"""Measured gradients: how networks are drawn, and that what is told of them is so."""

import math
import statistics
from random import Random

import numpy as np
import pytest

import bpderive
from bpderive import sweep
from bpderive.errors import SpecError, UnsupportedError
from bpderive.flow.branches import scales
from bpderive.flow.schemes import SCHEMES, scaled, scheme
from bpderive.sweep import drawing, drawing_arrays, plans, spreads
from bpderive.sweep.model import Drawn, Numbers, Row
from bpderive.sweep.plans import coded, fans, plan
from bpderive.sweep.running import elements, load, runner

LAYERED = "6, layernorm, 5:tanh, residual(5:tanh, 5), 2"
CONV = "2x6x7, conv(4,3):relu, flatten, 3"
LSTM = "seq(4)x3, lstm(5), last, 2"


def derived(layers, **options):
    return bpderive.derive(bpderive.network(layers, **options))


def planned(layers, name="xavier", inputs=4, **options):
    return plan(coded(derived(layers, **options)), scheme(name), inputs)


# --- Which code runs ---


@pytest.mark.parametrize(
    ("layers", "target"),
    [
        ("2,3,1", "python"),
        ("20,90,2", "python"),
        ("20,91,2", "numpy-inplace"),
        (LAYERED, "python"),
        (CONV, "python"),
        ("1x28x28, conv(8,3), flatten, 1", "numpy"),
        ("6, batchnorm, 5, 1", "python"),
        ("6, batchnorm, 50, 40, 1", "numpy"),
    ],
)
def test_size_alone_decides_which_code_runs(layers, target):
    assert coded(derived(layers)).target == target


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("weights", ["neuron_first", "input_first"])
@pytest.mark.parametrize("layers", ["3,4,2", "30,60,20", LAYERED, CONV, LSTM])
def test_parameters_are_those_of_the_code(layers, weights, bias):
    if layers not in {"3,4,2", "30,60,20"} and weights == "input_first":
        return
    options = {} if weights == "neuron_first" else {"weights": weights}
    found = planned(layers, bias=bias, **options)
    assert [(one.key, one.shape) for one in found.tensors] == list(
        load(found.source).SHAPES.items()
    )


def test_symbolic_sizes_are_refused():
    with pytest.raises(UnsupportedError, match="sizes as numbers, and here are n1"):
        sweep.measured(derived("2,n1,1"))
    with pytest.raises(UnsupportedError, match="sizes as numbers, and here are n1"):
        sweep.measured(derived("2,layernorm,n1,1"))


# --- Distributions ---

DRAWS = 40_000


def by_python(kind, shape, deviation):
    random = Random(f"test {kind}")
    return drawing.tensor(random, Drawn("W", shape, kind, deviation))


def by_numpy(kind, shape, deviation):
    out = np.empty(math.prod(shape))
    drawing_arrays.tensor(
        drawing_arrays.Source(f"a {kind}"), Drawn("W", shape, kind, deviation), out
    )
    return out.tolist()


@pytest.mark.parametrize("draw", [by_python, by_numpy])
@pytest.mark.parametrize(
    ("kind", "kurtosis", "largest"),
    [("normal", 3.0, 6.0), ("uniform", 1.8, math.sqrt(3)), ("truncated", 2.3663, 2.2735)],
)
def test_distributions_have_their_moments(draw, kind, kurtosis, largest):
    """A variance of n numbers has the error sqrt((kurtosis - 1)/n); five of them are allowed."""
    values = draw(kind, (200, 200), 0.5)
    scaled_ = [value / 0.5 for value in values]
    error = 5 / math.sqrt(DRAWS)
    assert abs(statistics.fmean(scaled_)) < error
    variance = statistics.fmean(u * u for u in scaled_)
    assert abs(variance - 1) < error * math.sqrt(kurtosis - 1)
    assert abs(statistics.fmean(u**4 for u in scaled_) - kurtosis) < 60 * error
    assert 0.9 * min(largest, 4.2) < max(map(abs, scaled_)) < largest * 1.001


@pytest.mark.parametrize("draw", [by_python, by_numpy])
def test_normal_numbers_are_normal(draw):
    """The largest distance of the distribution functions; 1.95/sqrt(n) is exceeded once in 1000."""
    values = sorted(draw("normal", (200, 200), 1.0))
    cdf = statistics.NormalDist().cdf
    distance = max(abs(cdf(u) - k / DRAWS) for k, u in enumerate(values))
    assert distance < 1.95 / math.sqrt(DRAWS)


@pytest.mark.parametrize("draw", [by_python, by_numpy])
@pytest.mark.parametrize("shape", [(3, 8), (8, 3), (5, 5), (4, 2, 3, 2)])
def test_orthogonal_matrices_are(draw, shape):
    columns = math.prod(shape[1:])
    found = np.reshape(
        draw("orthogonal", shape, 1 / math.sqrt(max(shape[0], columns))), (shape[0], columns)
    )
    product = found @ found.T if shape[0] <= columns else found.T @ found
    assert np.allclose(product, np.eye(len(product)), atol=1e-12)


SAME = ("normal", "uniform", "truncated_normal", "xavier", "he", "orthogonal", "zeros")


@pytest.mark.parametrize("layers", ["30,40,25", "100,80,25"])
@pytest.mark.parametrize("name", SAME)
def test_weights_have_the_variance_of_the_codes_own(name, layers):
    """Both are within five standard errors of the row, and so within eight of each other."""
    row = SCHEMES[name]
    for one in planned(layers, name).tensors:
        outputs, inputs = one.shape
        assert one.deviation == pytest.approx(math.sqrt(row.variance(inputs, outputs)))
    module = bpderive.load(derived(layers))
    own = module.init(np.random.default_rng(3), name)
    drawn = drawn_by(planned(layers, name), "v")
    for key, value in own.items():
        theirs, ours = np.mean(value**2), np.mean(np.square(drawn[key]))
        assert abs(ours - theirs) <= 8 * theirs * math.sqrt(2 / value.size)


def drawn_by(found, text):
    """The parameters that a text draws, by the plan's own code."""
    if found.target == "python":
        theta = iter(runner(found)._theta(Random(text), None))
        return {
            t.key: np.reshape([next(theta) for _ in range(t.size)], t.shape) for t in found.tensors
        }
    run = runner(found)
    run._set(drawing_arrays.Source(text), None)
    return {key: value.copy() for key, value in run.params.items()}


@pytest.mark.parametrize("name", [*SCHEMES, "scaled(1.5,0.3)"])
@pytest.mark.parametrize("layers", ["30,40,25", "100,80,25"])
def test_every_scheme_has_its_variance(name, layers):
    row = scheme(name)
    drawn = drawn_by(planned(layers, name, bias=True), "w")
    for key, value in drawn.items():
        weights = key.startswith("W")
        expected = row.variance(value.shape[-1], value.shape[0]) if weights else row.bias
        assert abs(np.mean(value**2) - expected) <= 5 * expected * math.sqrt(2 / value.size)


@pytest.mark.parametrize(
    ("letters", "shape", "expected"),
    [
        (("i", "j"), (7, 5), (5, 7)),
        (("j", "i"), (5, 7), (5, 7)),
        (("o", "c", "k", "l"), (8, 3, 5, 4), (60, 160)),
        (("o", "c", "k"), (8, 3, 5), (15, 40)),
        (("g", "o", "c", "k", "l"), (2, 4, 3, 5, 5), (75, 100)),
        (("h", "k"), (6, 4), (4, 6)),
        (("h", "d", "c"), (2, 3, 8), (8, 6)),
        (("e", "h", "d"), (8, 2, 3), (6, 8)),
    ],
)
def test_fans(letters, shape, expected):
    assert fans(letters, shape) == expected


def test_gains_begin_as_one_and_shifts_as_zero():
    drawn = drawn_by(planned(LAYERED, "he", bias=True), "g")
    assert (drawn["gamma1"] == 1).all()
    assert (drawn["beta1"] == 0).all()
    assert (drawn["b2"] == 0).all()
    assert (drawn["w2"] != 0).all()


def test_input_first_has_the_same_fans():
    one = planned("30,40,25", "he", weights="input_first").tensors[0]
    assert one.shape == (30, 40)
    assert one.deviation == math.sqrt(2 / 30)


# --- Branches ---

BRANCHES = "4, residual(7:relu, 6:relu, 4), residual(5:relu, 3, project), residual(3), 2"


def stacked(layers):
    return bpderive.network(layers)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("he", {}),
        ("zero_residual", {"w3": 0, "w6": 0, "w9": 0}),
        ("fixup", {"w1": 3**-0.25, "w2": 3**-0.25, "w3": 0, "w5": 3**-0.5, "w6": 0, "w9": 0}),
    ],
)
def test_the_last_layer_of_a_branch(name, expected):
    assert dict(scales(stacked(BRANCHES), SCHEMES[name])) == pytest.approx(expected)


def test_of_attention_only_what_it_gives_is_scaled():
    found = stacked("seq(4)x6, residual(attention), residual(5:relu, 6), 2")
    assert dict(scales(found, SCHEMES["zero_residual"])) == {"W_o1": 0, "w4": 0}


def test_a_zero_branch_stops_the_gradient_of_its_other_layers():
    found = sweep.measured(derived(BRANCHES), SCHEMES["zero_residual"], networks=3)
    dead = {one.parameter: one.dead for one in found.spreads}
    assert dead["w1"] == dead["w2"] == dead["w5"] == 1
    assert dead["w3"] < 1 > dead["w6"]


# --- Gradients ---


def by_hand(weights, x, y):
    """The gradients of tanh layers and a linear one, by the textbook's equations."""
    taken = [x]
    for w in weights[:-1]:
        taken.append(np.tanh(w @ taken[-1]))
    delta, found = weights[-1] @ taken[-1] - y, []
    for k in reversed(range(len(weights))):
        found.append(np.outer(delta, taken[k]))
        if k:
            delta = (weights[k].T @ delta) * (1 - taken[k] ** 2)
    return found[::-1]


def samples_of(run, text):
    """The inputs and labels of the network that a text draws, one row each."""
    if run.plan.target == "python":
        random = Random(text)
        run._theta(random, None)
        drawn = [run._sample(random) for _ in range(run.plan.inputs)]
        x, y = (np.array(part) for part in zip(*drawn, strict=True))
    else:
        source = drawing_arrays.Source(text)
        run._set(source, None)
        x, y = run._samples(source)
    return x.reshape(len(x), -1), y.reshape(len(y), -1)


@pytest.mark.parametrize("layers", ["3,5,4,2", "20,30,4", "40,50,30,3"])
def test_a_sample_has_the_gradients_of_a_backward_pass_by_hand(layers):
    found = planned(layers, inputs=3, activation="tanh")
    run = runner(found)
    got = run.network("seed", 0)
    weights = list(drawn_by(found, "seed/0").values())
    samples = list(zip(*samples_of(run, "seed/0"), strict=True))
    for place in range(len(weights)):
        grads = [by_hand(weights, x, y)[place].ravel() for x, y in samples]
        chosen = list(elements(grads[0].size, found.most))
        check(got[place], np.abs([g[chosen] for g in grads]).ravel())


def check(numbers, values):
    """Against NumPy's own statistics."""
    assert numbers.mean == pytest.approx(values.mean(), rel=1e-10)
    assert numbers.rms == pytest.approx(np.sqrt((values**2).mean()), rel=1e-10)
    expected = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])
    assert list(numbers.quantiles) == pytest.approx(expected.tolist(), rel=1e-10)
    assert numbers.dead == (values == 0).mean()


@pytest.mark.parametrize(
    "layers", ["3,4,2", "40,50,3", LAYERED, CONV, LSTM, "1x28x28, conv(8,3), flatten, 2"]
)
@pytest.mark.parametrize(
    ("loss", "output"),
    [
        ("half_squared_error", None),
        ("softmax_cross_entropy", None),
        ("hinge", None),
        ("huber", None),
    ],
)
def test_every_network_and_loss_is_measured(layers, loss, output):
    found = sweep.measured(
        derived(layers, loss=loss, output_activation=output), networks=2, inputs=2
    )
    assert all(0 < one.rms < 100 for one in found.spreads)


@pytest.mark.parametrize("layers", ["3,4,2", "60,50,3"])
@pytest.mark.parametrize("label", ["real", "binary", "sign", "count", "distribution"])
def test_labels_are_what_the_loss_takes(layers, label):
    import dataclasses

    found = dataclasses.replace(planned(layers, inputs=50), label=label, bounds=None)
    run = runner(found)
    if found.target == "python":
        random = Random("labels")
        y = np.array([run._sample(random)[-1] for _ in range(50)], float).reshape(50, -1)
    else:
        y = run._samples(drawing_arrays.Source("labels"))[-1].reshape(50, -1)
    rules = {
        "real": lambda: len(np.unique(y)) > 60,
        "binary": lambda: set(np.unique(y)) == {0, 1},
        "sign": lambda: set(np.unique(y)) == {-1, 1},
        "count": lambda: set(np.unique(y)) == {1, 2, 3, 4, 5},
        "distribution": lambda: (y.sum(axis=1) == 1).all() and set(np.unique(y)) == {0, 1},
    }
    assert rules[label]()


def test_a_function_without_a_value_at_infinity_is_no_error():
    found = sweep.measured(derived("2,3*9,1", activation="z*sin(z)*1e39"), networks=2)
    assert found.spreads[0].rms == math.inf


def test_layers_that_mix_samples_have_a_batch():
    assert sweep.measured(derived("4, batchnorm, 3, 1"), networks=2, inputs=1).batch == 32
    assert sweep.measured(derived("4, layernorm, 3, 1"), networks=2, inputs=1).batch == 1


@pytest.mark.parametrize("layers", ["2,3*400,1", "2,30*400,1"])
def test_gradients_beyond_floats_are_infinite(layers):
    found = sweep.measured(derived(layers, activation="linear"), scaled(90.0), networks=2)
    assert found.spreads[0].rms == found.spreads[0].mean == math.inf
    found = sweep.measured(derived(layers, activation="linear"), scaled(0.5), networks=2)
    assert 0 < found.spreads[0].rms < 1e-80


def test_the_bound_holds_at_the_first_input():
    """Of one input alone, every gradient that is recorded is below."""
    for layers in ("3,4,2", "60,40,3"):
        found = sweep.measured(derived(layers, activation="tanh"), networks=8, inputs=1)
        assert all(one.quantiles[-1] <= one.high * 50 for one in found.spreads)
        run = runner(planned(layers, inputs=1, activation="tanh"))
        for numbers in run.network("b", 0):
            assert numbers.quantiles[-1] <= numbers.bound


# --- Statistics ---


def row(mean, rms, quantiles=(1, 2, 3, 4, 5), dead=0.0, bound=None):
    return Row(3, "W3", Numbers(mean, rms, tuple(map(float, quantiles)), dead, bound))


def test_a_spread_is_what_the_model_says():
    random = np.random.default_rng(5)
    means, roots = random.uniform(1, 2, 40), random.uniform(2, 3, 40)
    quantiles, dead = random.uniform(size=(40, 5)), random.uniform(size=40)
    rows = [row(*one) for one in zip(means, roots, quantiles, dead, range(40), strict=True)]
    found = spreads.spread(rows)
    assert (found.number, found.parameter, found.bound) == (3, "W3", 39)
    assert found.mean == pytest.approx(means.mean())
    assert found.rms == pytest.approx(np.sqrt((roots**2).mean()))
    assert found.dead == pytest.approx(dead.mean())
    assert found.quantiles == pytest.approx(quantiles.mean(axis=0))
    assert [found.low, found.high] == pytest.approx(np.quantile(means, [0.05, 0.95]))
    squares = roots**2
    assert found.error == pytest.approx(
        squares.std(ddof=1) / np.sqrt(40) / 2 / np.sqrt(squares.mean())
    )


def test_the_standard_error_is_that_of_repeated_measurements():
    """Of 200 measurements with 50 networks each; the error of their deviation is 5 %."""
    random = np.random.default_rng(6)
    found = [
        spreads.spread([row(1.0, float(r)) for r in random.lognormal(0, 0.4, 50)])
        for _ in range(200)
    ]
    measured = statistics.stdev(one.rms for one in found)
    assert statistics.fmean(one.error for one in found) == pytest.approx(measured, rel=0.25)


def test_one_network_has_no_standard_error():
    assert spreads.spread([row(1.0, 2.0)]).error == math.inf


@pytest.mark.parametrize(
    "values", [[0.0] * 4, [0.0, 1.0, 2.0], [math.nan, 1.0], [math.inf, -2.0], [1e-300, -3e-300]]
)
def test_statistics_of_both_kinds_of_code_agree(values):
    from bpderive.sweep.arrays import _statistics

    (ours,) = _statistics(np.array([values]))
    assert list(ours[:2]) == pytest.approx(list(spreads.numbers(values)[:2]), rel=1e-14)
    assert ours[2] == pytest.approx(spreads.numbers(values)[2], rel=1e-14)
    assert ours[3] == spreads.numbers(values)[3]


@pytest.mark.parametrize("most", [1, 32, 256])
@pytest.mark.parametrize("shape", [(64, 64), (7, 3), (512, 512), (1, 4096)])
def test_recorded_elements_are_evenly_spread(shape, most):
    size = math.prod(shape)
    found = list(elements(size, most))
    assert len(found) == len(set(found)) == min(size, most)
    assert all(0 <= k < size for k in found)
    if len(found) == 256 and shape[0] == shape[1]:
        for axis in (0, 1):
            counts = np.bincount(np.unravel_index(found, shape)[axis] * 16 // shape[axis])
            assert counts.min() > 8
            assert counts.max() < 32


@pytest.mark.parametrize("layers", ["3,5,4,2", "20,30,40,3"])
def test_no_recorded_gradient_exceeds_the_bound(layers):
    """Of any input of a network; networks that draw errors of all sizes."""
    found = planned(layers, inputs=9, activation="tanh")
    run = runner(found)
    for index in range(0, 128, 32):
        for numbers in run.network("seed", index):
            assert numbers.bound is not None
            assert numbers.rms <= numbers.bound
            assert numbers.quantiles[-1] <= numbers.bound


# --- A model's own weights ---


def test_given_weights_are_those_measured():
    derivation = derived("3,5,2", activation="tanh")
    rng = np.random.default_rng(1)
    weights = {"W1": rng.normal(size=(5, 3)), "W2": rng.normal(size=(2, 5))}
    found = sweep.measured_model(derivation, weights, inputs=20)
    assert (found.scheme, found.networks, found.inputs) == ("as given", 1, 20)
    doubled = {"W1": weights["W1"], "W2": weights["W2"] * 1e6}
    assert sweep.measured_model(derivation, doubled, inputs=20).spreads[0].rms > 1e6


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"W1": [[1.0] * 3] * 5}, "the parameter W2 is missing"),
        ({"W1": [[1.0] * 3] * 5, "W2": [[1.0] * 5], "V": 1}, "unknown parameter"),
        ({"W1": [[1.0] * 3] * 5, "W2": [[1.0] * 4] * 2}, r"W2 has the shape \(2, 4\)"),
    ],
)
def test_wrong_weights_are_told(params, message):
    with pytest.raises(SpecError, match=message):
        sweep.measured_model(derived("3,5,2"), params)


# --- Bad input ---


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"networks": 0}, 'networks: "0" is no number of networks'),
        ({"inputs": -1}, "is no number of inputs"),
        ({"seed": -1}, "is no seed"),
        ({"networks": 10**9}, "is no number of networks"),
        ({"networks": True}, "is no number of networks"),
    ],
)
def test_numbers_out_of_range_are_told(options, message):
    with pytest.raises(SpecError, match=message):
        sweep.measured(derived("2,3,1"), **options)


def test_the_same_seed_gives_the_same_numbers():
    derivation = derived("2,3,1")
    one = sweep.measured(derivation, networks=3, seed=4)
    assert one == sweep.measured(derivation, networks=3, seed=4)
    assert one != sweep.measured(derivation, networks=3, seed=5)


def test_workers_need_no_sympy():
    import subprocess
    import sys

    code = (
        "import sys, bpderive.sweep.running, bpderive.sweep.arrays, bpderive.sweep.plain;"
        "print('sympy' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"


def test_every_public_name_is_there():
    assert all(getattr(sweep, name) for name in sweep.__all__)
    assert plans.SMALL == 2000
