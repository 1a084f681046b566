"""No gradient exceeds its bound, in 100,000 random networks; and some reach it.

The networks are computed here, in NumPy, many at once, by formulas that share nothing with the
engine: forward, backward, activations and their slopes are written out below.
"""

import math
from itertools import pairwise

import pytest
from sympy import Indexed, Integer, KroneckerDelta, Rational, Sum, Symbol
from test_documents import used_words

import bpderive
from bpderive.catalog import CATALOG
from bpderive.document import Request, build
from bpderive.flow.bounds import recurrence_bounds, weight_bound
from bpderive.flow.largest import bound_of
from bpderive.flow.norms import delta_bounds, first_layer, steepest, weight_bounds
from bpderive.flow.passing import passed, shares
from bpderive.flow.runs import LAYER
from bpderive.flow.sizes import ARRAYS, gradient_bounds, reach
from bpderive.flow.windows import widest, width_of, window
from bpderive.index import Partial
from bpderive.reference import parse
from bpderive.render import render
from bpderive.slopes.nodes import norm

np = pytest.importorskip("numpy")

# --- Networks, many at once ---

SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772
erf = np.vectorize(math.erf, otypes=[float])


def logistic(z):
    return 0.5 * (1 + np.tanh(z / 2))


def normal(z):
    return np.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def _gelu_tanh(z):
    u = math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)
    t, du = np.tanh(u), math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * z * z)
    return z / 2 * (1 + t), (1 + t) / 2 + z / 2 * (1 - t * t) * du


def _mish(z):
    t = np.tanh(np.logaddexp(0, z))
    return z * t, t + z * (1 - t * t) * logistic(z)


def below(z):
    """`exp(z)` for z <= 0."""
    return np.exp(np.minimum(z, 0))


def _elu(z, scale=1.0, alpha=1.0):
    on = z > 0
    value = scale * np.where(on, z, alpha * (below(z) - 1))
    return value, scale * np.where(on, 1, alpha * below(z))


PAIRS = {
    "linear": lambda z: (z, np.ones_like(z)),
    "sigmoid": lambda z: (logistic(z), logistic(z) * logistic(-z)),
    "tanh": lambda z: (np.tanh(z), 1 / np.cosh(np.clip(z, -300, 300)) ** 2),
    "relu": lambda z: (np.maximum(z, 0), (z > 0) * 1.0),
    "leaky_relu": lambda z: (np.where(z > 0, z, 0.01 * z), np.where(z > 0, 1, 0.01)),
    "elu": _elu,
    "selu": lambda z: _elu(z, SCALE, ALPHA),
    "softplus": lambda z: (np.logaddexp(0, z), logistic(z)),
    "silu": lambda z: (z * logistic(z), logistic(z) * (1 + z * logistic(-z))),
    "gelu": lambda z: (
        z * (1 + erf(z / math.sqrt(2))) / 2,
        (1 + erf(z / math.sqrt(2))) / 2 + z * normal(z),
    ),
    "gelu_tanh": _gelu_tanh,
    "mish": _mish,
    "hardtanh": lambda z: (np.clip(z, -1, 1), (abs(z) < 1) * 1.0),
    "softsign": lambda z: (z / (1 + abs(z)), 1 / (1 + abs(z)) ** 2),
}
"""Value and slope."""

BOUNDED = [row.name for row in CATALOG.activations if row.elementwise and bound_of(row) is not None]
SHAPES = [(2, 3, 2, 1), (3, 5, 4, 2)]
EACH = math.ceil(100_000 / len(BOUNDED) / len(SHAPES))


def drawn(sizes, rng, count, spread=None):
    """x, y, weights and biases of so many networks; small weights and large ones."""
    spreads = rng.choice([0.1, 0.5, 1, 3, 10], (count, 1, 1)) if spread is None else spread
    weights = [rng.normal(size=(count, own, into)) * spreads for into, own in pairwise(sizes)]
    biases = [rng.normal(size=(count, own)) * spreads[:, :, 0] for own in sizes[1:]]
    x, y = rng.normal(size=(count, sizes[0])), rng.normal(size=(count, sizes[-1]))
    return x, y, weights, biases


def passes(name, x, y, weights, biases):
    """Inputs of the layers and deltas, with half squared error and a linear output."""
    taken, slopes = [x], []
    for at, (w, b) in enumerate(zip(weights, biases, strict=True)):
        z = np.einsum("nij,nj->ni", w, taken[-1]) + b
        value, slope = PAIRS[name if at + 1 < len(weights) else "linear"](z)
        taken.append(value)
        slopes.append(slope)
    deltas = [taken[-1] - y]
    for w, slope in zip(weights[:0:-1], slopes[-2::-1], strict=True):
        deltas.insert(0, slope * np.einsum("nki,nk->ni", w, deltas[0]))
    return taken, deltas


def table(x, y, weights, taken, deltas):
    """Every quantity by (label, indices), each of all networks at once."""
    found = {("x", (j + 1,)): x[:, j] for j in range(x.shape[1])}
    found |= {("y", (j + 1,)): y[:, j] for j in range(y.shape[1])}
    for layer, (w, a, d) in enumerate(zip(weights, taken[1:], deltas, strict=True), 1):
        outer = np.einsum("ni,nj->nij", d, taken[layer - 1])
        for i in range(w.shape[1]):
            found[f"a{layer}", (i + 1,)] = a[:, i]
            found[f"delta{layer}", (i + 1,)] = d[:, i]
            for j in range(w.shape[2]):
                found[f"w{layer}", (i + 1, j + 1)] = w[:, i, j]
                found[f"dw{layer}", (i + 1, j + 1)] = outer[:, i, j]
        found[f"w{layer}"], found[f"dw{layer}"] = w, outer
        found[f"a{layer}"], found[f"delta{layer}"] = a, d
    found["x"] = x
    return found


def made(name, sizes, count, seed=0, spread=None):
    x, y, weights, biases = drawn(sizes, np.random.default_rng(seed), count, spread)
    return table(x, y, weights, *passes(name, x, y, weights, biases))


# --- Numbers of statements ---

OPERATIONS = {
    "Add": lambda *parts: sum(parts),
    "Mul": lambda *parts: math.prod(parts),
    "Pow": lambda base, exponent: base**exponent,
    "Abs": abs,
}


def quantity(symbol):
    label, _, rest = symbol.name.partition("[")
    return label, tuple(map(int, rest[:-1].split(",")))


def length(values):
    """Of a vector its length, of a matrix its largest singular value; scaled: squares underflow."""
    axes = (-2, -1)[3 - values.ndim :]
    top = abs(values).max(axes, keepdims=True) + 1e-300
    return np.linalg.norm(values / top, 2, axis=axes) * top.reshape(len(values))


def rows_and_columns(values):
    """The cheap norms: the largest size, or the largest sum over the neurons of a layer."""
    if values.ndim == 2:
        return abs(values).max(1)
    return abs(values).sum(1).max(1)


def number(expr, values, at=None, sized=length):
    at = at or {}
    if isinstance(expr, norm):
        return sized(values[expr.label])
    if isinstance(expr, Partial):
        label, indices = quantity(expr.denominator)
        return values[f"d{label}", indices]
    if isinstance(expr, Indexed):
        return values[str(expr.base.label), tuple(int(at.get(i, i)) for i in expr.indices)]
    if isinstance(expr, Sum):
        ((index, low, high),) = expr.limits
        each = ({**at, index: k} for k in range(int(low), int(high) + 1))
        return sum(number(expr.function, values, one, sized) for one in each)
    if isinstance(expr, Symbol):
        return values[quantity(expr)]
    if isinstance(expr, KroneckerDelta):
        one, other = (int(at.get(i, i)) for i in expr.args)
        return float(one == other)
    if expr.is_number:
        return float(expr)
    parts = [number(arg, values, at, sized) for arg in expr.args]
    return OPERATIONS[expr.func.__name__](*parts)


def exceeded(left, right):
    """In how many networks; a little more is rounding."""
    return int((left > right * (1 + 1e-9) + 1e-300).sum())


def derived(name, sizes, **options):
    text = ",".join(map(str, sizes))
    return bpderive.derive(bpderive.network(text, activation=name, bias=True, **options))


def statements(derivation, sizes):
    """Every statement with what to put for its free indices, and how norms are taken."""
    for layer in range(1, len(sizes)):
        found = weight_bound(derivation, parse(f"w{layer}[1,1]"))
        if found is not None:
            yield found.left, found.right, {}, length
    for run, bound, indices in recurrence_bounds(derivation):
        for i in range(1, sizes[run.first] + 1):
            yield bound.left, bound.right, dict.fromkeys(indices, i), length
    network = derivation.network
    for bound in (*delta_bounds(network), *weight_bounds(network)):
        yield bound.left, bound.right, {}, length
    whole = first_layer(network)
    yield whole.left, whole.right, {}, length
    for bound in delta_bounds(network):
        yield bound.left, bound.right, {}, rows_and_columns


def counted(derivation, sizes, values):
    """In how many cases any statement is exceeded."""
    cases = (
        (number(left, values, at, sized), number(right, values, at, sized))
        for left, right, at, sized in statements(derivation, sizes)
    )
    return sum(exceeded(abs(left), right) for left, right in cases)


def test_the_functions_here_are_those_of_the_catalogue():
    assert set(PAIRS) == set(BOUNDED)
    assert EACH * len(BOUNDED) * len(SHAPES) >= 100_000


@pytest.mark.parametrize("name", BOUNDED)
@pytest.mark.parametrize("sizes", SHAPES, ids=str)
def test_bounds_are_never_exceeded(name, sizes):
    assert counted(derived(name, sizes), sizes, made(name, sizes, EACH)) == 0


def test_the_norm_of_an_outer_product_is_exact():
    sizes = SHAPES[1]
    values = made("tanh", sizes, 200)
    for bound in weight_bounds(derived("tanh", sizes).network):
        assert bound.exact
        left, right = number(bound.left, values), number(bound.right, values)
        assert left == pytest.approx(right, rel=1e-9)


# --- Attained ---


def one_path(name, widths, seed):
    """A network of one neuron a layer whose weighted sums are all 0, and its gradients."""
    rng = np.random.default_rng(seed)
    sizes = (1,) * widths
    x, y, weights, biases = drawn(sizes, rng, 50, np.ones((1, 1, 1)))
    taken = x
    for w, b in zip(weights[:-1], biases, strict=False):
        b[:] = -np.einsum("nij,nj->ni", w, taken)
        taken = PAIRS[name](np.zeros_like(b))[0]
    return sizes, table(x, y, weights, *passes(name, x, y, weights, biases))


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "hardtanh"])
@pytest.mark.parametrize("widths", [3, 4, 6])
def test_bounds_are_attained_where_all_sums_are_0(name, widths):
    sizes, values = one_path(name, widths, widths)
    derivation = derived(name, sizes)
    for layer in range(1, widths):
        found = weight_bound(derivation, parse(f"w{layer}[1,1]"))
        left, right = abs(number(found.left, values)), number(found.right, values)
        assert left == pytest.approx(right, rel=1e-12)
    whole = first_layer(derivation.network)
    assert number(whole.left, values) == pytest.approx(number(whole.right, values), rel=1e-12)


# --- A bound that is too small is seen ---


def with_slope(expr, old, new):
    """The bound with another largest slope."""
    factor = expr.as_coeff_Mul()[0]
    times = round(math.log(float(factor), float(old)))
    return expr / factor * new**times


def test_a_largest_slope_of_0_24_is_caught():
    sizes, values = one_path("sigmoid", 4, 1)
    found = weight_bound(derived("sigmoid", sizes), parse("w1[1,1]"))
    small = with_slope(found.right, Rational(1, 4), Rational(24, 100))
    assert exceeded(abs(number(found.left, values)), number(found.right, values)) == 0
    assert exceeded(abs(number(found.left, values)), number(small, values)) == 50


def test_a_path_that_is_left_out_is_caught():
    sizes = (2, 2, 2, 1)
    values = made("sigmoid", sizes, 20_000)
    found = weight_bound(derived("sigmoid", sizes), parse("w1[1,1]"))
    left = abs(number(found.left, values))
    (paths,) = [arg for arg in found.right.args if arg.is_Add]
    for path in paths.args:
        small = found.right.xreplace({paths: path})
        assert exceeded(left, number(small, values)) > 0


# --- In numbers, for a network that is given ---


def of_one(values, sizes, at):
    layers = range(1, len(sizes))
    params = {f"W{k}": values[f"w{k}"][at] for k in layers}
    return params, values["x"][at], values[f"delta{len(sizes) - 1}"][at]


@pytest.mark.parametrize("name", [*BOUNDED])
def test_no_gradient_of_a_given_network_exceeds_its_bound(name):
    sizes = SHAPES[1]
    x, y, weights, biases = drawn(sizes, np.random.default_rng(5), 200)
    values = table(x, y, weights, *passes(name, x, y, weights, biases))
    network = derived(name, sizes).network
    for at in range(200):
        params, sample, error = of_one(values, sizes, at)
        params |= {f"b{k}": b[at] for k, b in enumerate(biases, 1)}
        found = gradient_bounds(network, params, sample, error)
        for layer, bound in enumerate(found, 1):
            assert abs(values[f"dw{layer}"][at]).max() <= bound


@pytest.mark.parametrize("options", [{}, {"weights": "input_first"}])
def test_lists_and_arrays_have_the_same_bounds(options):
    sizes = (3, 5, 4, 2)
    x, y, weights, biases = drawn(sizes, np.random.default_rng(6), 20)
    network = derived("silu", sizes, **options).network
    for at in range(20):
        turned = (lambda w: w.T) if options else (lambda w: w)
        params = {f"W{k}": turned(w[at]) for k, w in enumerate(weights, 1)}
        params |= {f"b{k}": b[at] for k, b in enumerate(biases, 1)}
        lists = {key: value.tolist() for key, value in params.items()}
        arrays = gradient_bounds(network, params, x[at], y[at], ARRAYS)
        assert gradient_bounds(network, lists, x[at].tolist(), y[at].tolist()) == pytest.approx(
            arrays, rel=1e-12
        )


def test_a_given_network_attains_its_bound():
    """All sums 0, one path: only the factor for rounding is left."""
    network = derived("sigmoid", (1, 1, 1)).network
    params = {"W1": [[3.0]], "W2": [[-2.0]], "b1": [-6.0], "b2": [0.5]}
    first, last = gradient_bounds(network, params, [2.0], [0.7])
    assert first == pytest.approx(0.7 * 2 * 0.25 * 2, rel=1e-8)
    assert first > 0.7 * 2 * 0.25 * 2
    assert last == pytest.approx(0.7 * 1, rel=1e-8)


def test_a_slope_without_a_largest_one_is_bounded_where_its_argument_is():
    """exp, and a softmax: no slope of the whole line, still a bound at given weights."""
    rng = np.random.default_rng(8)
    for name in ("exp", "softmax"):
        network = derived(name, (3, 4, 2)).network
        for _ in range(100):
            x, y, (w1, w2), (b1, b2) = drawn((3, 4, 2), rng, 1, np.ones((1, 1, 1)))
            powers = np.exp(w1[0] @ x[0] + b1[0])
            a = powers / powers.sum() if name == "softmax" else powers
            error = w2[0] @ a + b2[0] - y[0]
            sent = w2[0].T @ error
            delta = a * (sent - (a @ sent if name == "softmax" else 0))
            params = {"W1": w1[0], "W2": w2[0], "b1": b1[0], "b2": b2[0]}
            first, last = gradient_bounds(network, params, x[0], error)
            assert abs(np.outer(delta, x[0])).max() <= first
            assert abs(np.outer(error, a)).max() <= last


def test_an_unknown_slope_has_no_bound():
    found = gradient_bounds(
        bpderive.network("1,1,1", activation="exp(z**3)"),
        {"W1": [[1e300]], "W2": [[1.0]]},
        [1e300],
        [1.0],
    )
    assert found == (None, None)


@pytest.mark.parametrize("row", [r for r in CATALOG.activations if r.elementwise], ids=str)
def test_an_activation_stays_within_its_reach(row):
    function = PAIRS.get(row.name, lambda z: (np.exp(z), np.exp(z)))
    z = np.concatenate([np.linspace(-30, 30, 20001), [0.0]])
    value, found = abs(function(z)[0]), reach(row)
    assert (value <= found.top * (1 + 1e-12)).all()
    if found.steep is not None:
        assert (value <= (found.start + found.steep * abs(z)) * (1 + 1e-12)).all()


# --- For scripts ---


def test_what_the_slopes_let_through_by_layer():
    found = shares(derived("sigmoid", (2, 2, 2, 1)))
    assert [(one.number, one.parameter, int(one.count)) for one in found] == [
        (1, "w1", 2),
        (2, "w2", 1),
        (3, "w3", 0),
    ]
    assert [one.product for one in found] == [Rational(1, 16), Rational(1, 4), 1]
    assert found[0].lost == Rational(375, 4)
    assert all(one.attained for one in found)
    assert [one.places for one in found] == [(0,), (0,), ()]


@pytest.mark.parametrize("name", ["exp", "mish"])
def test_a_product_that_is_not_exact_is_not_attained(name):
    first = shares(derived(name, (2, 2, 1)))[0]
    assert not first.attained
    assert (first.product is None) == (name == "exp")
    assert first.lost is None


def test_a_thousand_layers_have_their_shares():
    found = shares(bpderive.derive(bpderive.network("2,4*1000,1")))
    assert [int(one.count) for one in found] == list(range(1000, -1, -1))
    assert found[0].product == Rational(1, 4) ** 1000
    assert found[-1].product == Integer(1)


def test_layers_of_any_kind_have_no_shares():
    assert shares(bpderive.derive(bpderive.network("2, batchnorm, 3, 1"))) == ()


# --- For which sums, for which inputs ---

KEPT = [name for name in BOUNDED if name != "linear"]


@pytest.mark.parametrize("name", KEPT)
@pytest.mark.parametrize("factor", [1.25, 2, 4])
def test_slopes_are_too_small_outside_of_their_window(name, factor):
    row = CATALOG.activation(name)
    least = float(bound_of(row)) / factor
    low, high = window(row, least)
    z = np.linspace(-40, 40, 400_001)
    large = z[abs(PAIRS[name](z)[1]) >= least]
    assert low <= large.min() <= low + 1e-3 or low == -math.inf
    assert high >= large.max() >= high - 1e-3 or high == math.inf
    assert (high == math.inf) == (large.max() == 40)


def test_a_slope_that_is_never_too_small_has_no_window():
    assert window(CATALOG.activation("linear"), 0.5) is None
    assert window(CATALOG.activation("z + sin(z**3)/9"), 0.5) is None


@pytest.mark.parametrize(
    ("name", "most", "scale"), [("sigmoid", Rational(1, 4), 1), ("tanh", 1, Rational(1, 2))]
)
def test_the_widest_interval_of_inputs_is_that_of_many_weights(name, most, scale):
    """By looking at many weights, and at the inputs where |w f'(wx)| is 1 at least."""
    found = widest(Integer(1) * most, Integer(1) * scale)
    x = np.linspace(0, 1, 20_001)
    weights = np.linspace(1 / float(most) * 1.001, 20 / float(most), 2000)
    widths = np.array([2 * x[w * PAIRS[name](w * x)[1] >= 1].max() for w in weights])
    best = int(widths.argmax())
    assert widths[best] == pytest.approx(float(found.width), abs=2e-4)
    assert widths.max() <= float(found.width) + 1e-12
    assert weights[best] == pytest.approx(float(found.weight), rel=0.05)
    w, r = Symbol("w"), Symbol("r")
    share = math.sqrt(1 - 1 / (float(most) * weights[7]))
    formula = width_of(Integer(1) * scale, w, r).subs({w: weights[7], r: share})
    assert widths[7] == pytest.approx(float(formula), abs=2e-4)
    if name == "sigmoid":
        stated = 2 / weights[7] * math.log(weights[7] * (1 + share) / 2 - 1)
        assert float(formula) == pytest.approx(stated, rel=1e-12)
        assert 0.44 < float(found.width) < 0.45


def test_both_ways_of_counting_slopes_agree():
    """For each layer, and for the general layer of a run."""
    for text, options in (
        ("2,3,4:tanh,5:mish,2", {"output_activation": "sigmoid"}),
        ("2,4*9,1", {}),
        ("3,3:softmax,2:exp,2", {}),
    ):
        derivation = bpderive.derive(bpderive.network(text, **options))
        each = shares(derivation)
        for one in passed(derivation):
            for at in range(one.run.first, one.run.last + 1):
                here = {LAYER: Integer(at)}
                assert each[at - 1].count == one.count.xreplace(here)
                product = one.product
                assert each[at - 1].product == (product and product.xreplace(here))


# --- In the section ---


def said(text, **options):
    """The ids of the sentences of the section, and its text."""
    derivation = bpderive.derive(bpderive.network(text, **options))
    built = build(derivation, Request(weight="w1[1,1]", sections=("flow",), level="full"))
    return set(used_words(built)), render(built, "text")


def test_norms_stand_in_full_where_there_are_too_many_paths():
    used, text = said("3,50,40,2")
    assert {"flow.norm", "flow.norm_sizes"} <= used
    assert "flow.norm_short" not in used
    assert "‖δ¹‖ ≤ ¼‖W²‖ ‖δ²‖" in text
    assert "‖∂L/∂W¹‖ = ‖δ¹‖ ‖x‖" in text


def test_one_line_of_norms_stands_beside_paths():
    used, text = said("2,2,2,1")
    assert "flow.norm_short" in used
    assert not {"flow.norm", "flow.norm_sizes"} & used
    assert "‖∂L/∂W¹‖ ≤ 1/16 · ‖δ³‖ ‖W³‖ ‖W²‖ ‖x‖" in text


@pytest.mark.parametrize(("text", "options"), [("3,50,2", {"activation": "exp"}), ("3,2", {})])
def test_without_a_largest_slope_or_a_hidden_layer_there_are_no_norms(text, options):
    used, _ = said(text, **options)
    assert not {"flow.norm", "flow.norm_sizes", "flow.norm_short"} & used


def test_the_width_of_the_inputs_stands_in_the_section():
    used, text = said("2,2,2,1")
    assert {"flow.keep_width", "flow.keep_widest"} <= used
    assert "wider than 0.448" in " ".join(text.split())
    used, text = said("2,2,2,1", activation="softsign")
    assert "flow.keep_between" in used
    assert "only for z between −0.415 and 0.415" in " ".join(text.split())


def test_the_jacobian_of_softmax_makes_no_vector_longer_than_half():
    rng = np.random.default_rng(9)
    powers = np.exp(rng.normal(size=(3000, 4)) * rng.choice([0.5, 3, 10], (3000, 1)))
    a = powers / powers.sum(1, keepdims=True)
    jacobians = np.einsum("ni,ij->nij", a, np.eye(4)) - np.einsum("ni,nj->nij", a, a)
    bound = float(steepest(CATALOG.activation("softmax")))
    for largest in (length(jacobians), rows_and_columns(jacobians)):
        assert 0.98 * bound < largest.max() <= bound * (1 + 1e-12)
