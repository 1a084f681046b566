"""The gradient problem: bounds are never exceeded, and attained where the mathematics says so."""

import math
import random
import time
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
from sympy import Indexed, Integer, KroneckerDelta, Rational, Sum, Symbol
from test_documents import NETWORKS, used_words

import bpderive
from bpderive.catalog import CATALOG
from bpderive.document import Request, build
from bpderive.document.blocks import Equations, Remark, Table, Words
from bpderive.document.mathematics import Formula, Value
from bpderive.flow.bounds import majorant, recurrence_bounds, weight_bound
from bpderive.flow.largest import JACOBIAN, bound_of, slope_bounds
from bpderive.flow.passing import bending, passed
from bpderive.flow.rounding import downward, upward
from bpderive.index import Partial
from bpderive.reference import parse
from bpderive.render import FORMATS, render
from bpderive.slopes.extrema import maximal_slope

SECTIONS = ("operations", "flow")
TEMPLATES = Path(__file__).parent.parent / "templates"
NOTATIONS = sorted(path.stem for path in (TEMPLATES / "notation").glob("*.toml"))


def derived(layers, **options):
    return bpderive.derive(bpderive.network(layers, **options))


def notes(derivation, sections=SECTIONS, *, figures=True, weight="w1[1,1]"):
    request = Request(weight=weight, sections=sections, level="full", figures=figures)
    return build(derivation, request)


@pytest.fixture(scope="module", params=NETWORKS, ids=list(NETWORKS))
def network(request):
    layers, options = NETWORKS[request.param]
    return derived(layers, **options)


@pytest.mark.parametrize("name", ["latex", "markdown", "text", "typst"])
def test_the_sections_of_every_network_can_be_printed(network, name):
    if name in FORMATS:
        assert render(notes(network), name)


@pytest.mark.parametrize("notation", NOTATIONS)
def test_the_sections_can_be_printed_in_every_notation(notation):
    derivation = derived("2,2,2,1", bias=True)
    for name in FORMATS:
        if name not in ("slides", "notebook") and not FORMATS[name].binary:
            assert render(notes(derivation), name, notation=notation)


def test_the_section_stands_alone(network):
    """Without section 3, the maxima bring their proofs."""
    alone = notes(network, ("flow",))
    rows = [row for row in bending(network) if row.elementwise]
    proofs = {key for key in used_words(alone) if key.startswith("maximum.")}
    assert bool(proofs) == bool(rows)
    both = set(used_words(notes(network).sections[1]))
    assert not {key for key in both if key.startswith("maximum.")}


def test_brief_documents_have_neither_steps_nor_figures(network):
    built = build(network, Request(sections=("operations",)))
    used = set(used_words(built))
    assert not {key for key in used if key.startswith(("slope_rule.", "maximum."))}
    assert not any(block.kind == "figure" for block in built.sections[0].blocks)


# --- Numbers, by a network in plain Python ---

FUNCTIONS = {
    "sigmoid": (lambda z: 1 / (1 + math.exp(-z)), lambda a, z: a * (1 - a)),
    "tanh": (math.tanh, lambda a, z: 1 - a * a),
    "relu": (lambda z: max(z, 0.0), lambda a, z: float(z > 0)),
    "silu": (
        lambda z: z / (1 + math.exp(-z)),
        lambda a, z: (1 + math.exp(-z) + z * math.exp(-z)) / (1 + math.exp(-z)) ** 2,
    ),
    "linear": (lambda z: z, lambda a, z: 1.0),
}


def run(sizes, names, x, y, weights, biases):
    """z, a, delta and the gradients of w of a network with half squared error."""
    outputs, sums = [x], []
    for w, b, name in zip(weights, biases, names, strict=True):
        z = [
            sum(map(lambda p, q: p * q, row, outputs[-1])) + c for row, c in zip(w, b, strict=True)
        ]
        sums.append(z)
        outputs.append([FUNCTIONS[name][0](number) for number in z])
    slopes = [
        [FUNCTIONS[name][1](a, z) for a, z in zip(outs, zs, strict=True)]
        for name, outs, zs in zip(names, outputs[1:], sums, strict=True)
    ]
    delta = [(a - t) * s for a, t, s in zip(outputs[-1], y, slopes[-1], strict=True)]
    deltas = [delta]
    for layer in range(len(sizes) - 2, 0, -1):
        above = weights[layer]
        delta = [
            slopes[layer - 1][i] * sum(above[k][i] * delta[k] for k in range(len(above)))
            for i in range(sizes[layer])
        ]
        deltas.insert(0, delta)
    return outputs, sums, deltas


def numbers_of(sizes, names, rng, spread, bias=False):
    def draw():
        return rng.gauss(0, spread)

    weights = [
        [[draw() for _ in range(below)] for _ in range(own)] for below, own in pairwise(sizes)
    ]
    biases = [[draw() if bias else 0.0 for _ in range(own)] for own in sizes[1:]]
    x, y = [draw() for _ in range(sizes[0])], [draw() for _ in range(sizes[-1])]
    return table(sizes, names, x, y, weights, biases)


def table(sizes, names, x, y, weights, biases):
    """Every quantity by (label, indices)."""
    outputs, sums, deltas = run(sizes, names, x, y, weights, biases)
    found = {("x", (j + 1,)): number for j, number in enumerate(x)}
    found |= {("y", (j + 1,)): number for j, number in enumerate(y)}
    for layer, (zs, outs, ds) in enumerate(zip(sums, outputs[1:], deltas, strict=True), 1):
        for i in range(len(zs)):
            found[f"z{layer}", (i + 1,)] = zs[i]
            found[f"a{layer}", (i + 1,)] = outs[i]
            found[f"delta{layer}", (i + 1,)] = ds[i]
            for j, weight in enumerate(weights[layer - 1][i]):
                found[f"w{layer}", (i + 1, j + 1)] = weight
                found[f"dw{layer}", (i + 1, j + 1)] = ds[i] * outputs[layer - 1][j]
    return found


def quantity(symbol):
    label, _, rest = symbol.name.partition("[")
    return label, tuple(map(int, rest[:-1].split(",")))


def number(expr, values, at=None):
    """The number of a scalar or an index expression."""
    at = at or {}
    if isinstance(expr, Partial):
        label, indices = quantity(expr.denominator)
        return values[f"d{label}", indices]
    if isinstance(expr, Indexed):
        indices = tuple(int(at.get(index, index)) for index in expr.indices)
        return values[str(expr.base.label), indices]
    if isinstance(expr, Sum):
        ((index, low, high),) = expr.limits
        return sum(
            number(expr.function, values, {**at, index: k}) for k in range(int(low), int(high) + 1)
        )
    if isinstance(expr, Symbol):
        return values[quantity(expr)]
    if isinstance(expr, KroneckerDelta):
        one, other = (int(at.get(i, i)) for i in expr.args)
        return float(one == other)
    if expr.is_number:
        return float(expr)
    parts = [number(arg, values, at) for arg in expr.args]
    return OPERATIONS[expr.func.__name__](*parts)


OPERATIONS = {
    "Add": lambda *parts: sum(parts),
    "Mul": lambda *parts: math.prod(parts),
    "Pow": lambda base, exponent: base**exponent,
    "Abs": abs,
}

CASES = {
    "article": ([2, 2, 2, 1], {}),
    "tanh": ([2, 2, 2, 1], {"activation": "tanh"}),
    "silu": ([3, 4, 1], {"activation": "silu"}),
    "relu": ([3, 2, 2], {"activation": "relu"}),
    "unequal": ([4, 3, 2, 1], {"bias": True}),
    "bent output": ([2, 3, 1], {"output_activation": "sigmoid"}),
    "linear": ([2, 2, 1], {"activation": "linear"}),
    "single": ([3, 1], {}),
}


def case(name):
    sizes, options = CASES[name]
    names = [options.get("activation", "sigmoid")] * (len(sizes) - 2)
    names.append(options.get("output_activation", "linear"))
    return sizes, names, options, derived(",".join(map(str, sizes)), **options)


@pytest.mark.parametrize("name", CASES)
def test_bounds_are_never_exceeded(name):
    sizes, names, options, derivation = case(name)
    rng = random.Random(7)
    references = [parse("w1[1,1]"), parse(f"w{len(sizes) - 1}[1,1]")]
    bounds = [weight_bound(derivation, reference) for reference in references]
    assert all(bound is not None for bound in bounds)
    layers = [
        (run_.first, bound, indices) for run_, bound, indices in recurrence_bounds(derivation)
    ]
    assert len(layers) == len(sizes) - 1
    for _ in range(300):
        values = numbers_of(sizes, names, rng, rng.choice([0.3, 1, 3]), options.get("bias", False))
        for bound in bounds:
            left, right = number(bound.left, values), number(bound.right, values)
            assert left <= right * (1 + 1e-9) + 1e-300
        for layer, bound, indices in layers:
            for i in range(1, sizes[layer] + 1):
                at = dict.fromkeys(indices, i)
                left, right = number(bound.left, values, at), number(bound.right, values, at)
                assert left <= right * (1 + 1e-9) + 1e-300
                assert not bound.exact or left == pytest.approx(right)


def test_the_bound_of_the_article_s_network_is_attained_where_both_sums_are_0():
    derivation = derived("2,2,2,1")
    weights = [[[2.0, -1.0], [4.0, -2.0]], [[1.5, -1.5], [0.7, -0.7]], [[0.4, 1.1]]]
    values = table(
        [2, 2, 2, 1],
        ["sigmoid", "sigmoid", "linear"],
        [1.0, 2.0],
        [5.0],
        weights,
        [[0.0, 0.0], [0.0, 0.0], [0.0]],
    )
    assert {values[f"z{layer}", (i,)] for layer in (1, 2) for i in (1, 2)} == {0.0}
    bound = weight_bound(derivation, parse("w1[1,1]"))
    assert number(bound.left, values) == pytest.approx(number(bound.right, values), rel=1e-14)


def test_a_bound_that_is_too_small_would_be_seen():
    derivation = derived("2,2,2,1")
    bound = weight_bound(derivation, parse("w1[1,1]"))
    rng, exceeded = random.Random(3), 0
    for _ in range(300):
        values = numbers_of([2, 2, 2, 1], ["sigmoid", "sigmoid", "linear"], rng, 0.3)
        exceeded += number(bound.left, values) > 0.6 * number(bound.right, values)
    assert exceeded > 0


def test_the_statement_for_the_article_s_network():
    derivation = derived("2,2,2,1")
    bound = weight_bound(derivation, parse("w1[1,1]"))
    text = render(notes(derivation, ("flow",)), "text")
    assert "|∂L/∂w¹₁₁| ≤ 1/16 · |a³₁ − y₁| (|w³₁₁ w²₁₁| + |w³₁₂ w²₂₁|) |x₁|" in text
    assert bound.right.args[0] == Rational(1, 16)
    assert "6.25%" in text
    assert "93.75%" in text


@pytest.mark.parametrize(
    ("layers", "options", "counts", "products"),
    [
        ("2,2,2,1", {}, (2, 1, 0), ("1/16", "1/4", "1")),
        ("2,2,2,1", {"output_activation": "sigmoid"}, (3, 2, 1), ("1/64", "1/16", "1/4")),
        (
            "2,2,2,1",
            {"output_activation": "sigmoid", "loss": "binary_cross_entropy"},
            (2, 1, 0),
            ("1/16", "1/4", "1"),
        ),
        ("2,2,2,1", {"activation": "tanh"}, (2, 1, 0), ("1", "1", "1")),
        ("2,2,2,1", {"activation": "linear"}, (0, 0, 0), ("1", "1", "1")),
        ("3,4:softmax,2", {}, (1, 0), ("1/4", "1")),
        ("3,3:tanh,3:sigmoid,1", {}, (2, 1, 0), ("1/4", "1/4", "1")),
    ],
)
def test_slopes_on_the_way(layers, options, counts, products):
    found = passed(derived(layers, **options))
    assert tuple(int(row.count) for row in found) == counts
    assert tuple(str(row.product) for row in found) == products


def test_slopes_on_the_way_of_a_run():
    found = passed(derived("2,4*1000,1"))
    middle, layer = found[1], Symbol("{l}")
    for at in (2, 500, 1000):
        assert middle.count.xreplace({layer: Integer(at)}) == 1001 - at
        assert middle.product.xreplace({layer: Integer(at)}) == Rational(1, 4) ** (1001 - at)
    assert found[0].count == 1000
    assert found[-1].count == 0


def test_what_has_no_bound_says_so():
    derivation = derived("2,2,2,1", activation="exp")
    assert passed(derivation)[0].product is None
    text = render(notes(derivation), "text")
    assert "no bound" in text
    assert "grows beyond every number" in text
    bound = weight_bound(derivation, parse("w1[1,1]"))
    assert "exp'" in str(bound.right)


def test_a_softmax_s_jacobian_is_at_most_one_quarter():
    rng, largest = random.Random(5), 0.0
    for _ in range(2000):
        powers = [math.exp(rng.gauss(0, 2)) for _ in range(rng.randint(2, 4))]
        a = [power / sum(powers) for power in powers]
        for i, one in enumerate(a):
            for j, other in enumerate(a):
                largest = max(largest, abs(one * ((i == j) - other)))
    assert 0.249 < largest <= float(JACOBIAN["softmax"])


def test_a_majorant_is_never_smaller():
    """Of differences each term counts by its size."""
    derivation = derived("3,4:softmax,2:softmax", loss="mse")
    bounds = slope_bounds(derivation.network.activations)
    equation = derivation.equation("z", 1)
    rng, over = random.Random(2), majorant(equation.rhs, bounds)
    for _ in range(200):
        values = {
            (label, (i,)): rng.gauss(0, 1) for label in ("a1", "g1", "delta2") for i in range(1, 5)
        } | {("w2", (k, i)): rng.gauss(0, 1) for k in (1, 2) for i in range(1, 5)}
        for i in range(1, 5):
            at = dict.fromkeys(equation.indices, i)
            assert abs(number(equation.rhs, values, at)) <= number(over, values, at) * (1 + 1e-12)


# --- Conditions, clipping, remarks ---


def blocks_of(built, kind):
    return [
        block for section in built.sections for block in section.blocks if isinstance(block, kind)
    ]


@pytest.mark.parametrize(("name", "least"), [("sigmoid", 4), ("tanh", 1)])
def test_where_a_layer_keeps_a_gradient(name, least):
    built = notes(derived("2,2,2,1", activation=name), ("flow",))
    rows = next(t for t in blocks_of(built, Table) if t.columns[0] == "size_of_weight").rows
    slope = FUNCTIONS[name][1]
    for weight, reach in rows:
        size, z = float(weight.expr), float(reach.number)
        assert size > least
        assert size * slope(FUNCTIONS[name][0](z), z) == pytest.approx(1, rel=1e-6)
        assert size * slope(FUNCTIONS[name][0](1.01 * z), 1.01 * z) < 1


@pytest.mark.parametrize("row", [r for r in CATALOG.activations if r.elementwise], ids=str)
def test_bounds_are_rounded_up(row):
    found, bound = maximal_slope(row), bound_of(row)
    if found.value is None:
        assert bound is None
    else:
        assert 0 <= bound.evalf(30) - found.value.evalf(30) < 1.1e-5


@pytest.mark.parametrize("value", ["1", "1/3", "0.272125", "1e20/3", "1e-30/7", "9.9999999"])
def test_numbers_are_rounded_to_one_side(value):
    exact = Rational(value.partition("/")[0]) / Rational(value.partition("/")[2] or 1)
    for digits in (3, 6):
        low, high = downward(exact, digits), upward(exact, digits)
        assert low <= exact <= high <= low * (1 + Rational(10) ** (1 - digits))
    assert upward(Integer(0), 4) == 0


def test_products_are_rounded_up():
    """1.0885 times one quarter is 0.272125: below 0.2722, not below 0.2721."""
    derivation = derived("2,2,1", activation="mish", output_activation="sigmoid")
    text = render(notes(derivation, ("flow",)), "text")
    assert "0.2721 " not in text
    assert "27.2125%" in text
    used = set(used_words(notes(derivation, ("flow",))))
    assert "flow.remains_most" in used
    assert "flow.remains" not in used


@pytest.mark.parametrize(
    ("text", "top"), [("1e20*tanh(z)", Integer(10) ** 20), ("1e-30*tanh(z)", Rational(1, 10**30))]
)
def test_very_large_and_very_small_slopes_keep_their_size(text, top):
    assert bound_of(CATALOG.activation(text)) == top


def test_a_very_small_bound_has_digits():
    text = render(notes(derived("2,2,1", activation="1e-30*tanh(z)"), ("flow",)), "text")
    assert f"0.{'0' * 29}1" in text
    assert "0.00000000…" not in text


def test_a_long_product_of_bounds_is_rounded_up():
    derivation = derived("1,1,1,1,1", activation="mish")
    bound = weight_bound(derivation, parse("w1[1,1]"))
    factor = bound.right.as_coeff_Mul()[0]
    exact = maximal_slope(CATALOG.activation("mish")).value ** 3
    assert exact <= factor <= exact * (1 + 1e-4)
    assert len(str(factor.q)) <= 7


def test_clipping_in_numbers():
    built = notes(derived("2,2,2,1"), ("flow",))
    rows = next(t for t in blocks_of(built, Table) if t.columns[0] == "clipped").rows
    vectors = [[float(cell.number) for cell in row[1].slots.values()] for row in rows]
    angles = [float(row[2].slots["angle"].number) for row in rows]
    given, by_value, by_norm = vectors
    assert by_value == [max(-1.0, min(1.0, part)) for part in given]
    assert math.hypot(*by_norm) == pytest.approx(1)
    assert by_norm[0] / by_norm[1] == pytest.approx(given[0] / given[1])
    assert angles[0] == angles[2] == 0
    turned = math.degrees(math.atan2(*by_value[::-1]) - math.atan2(*given[::-1]))
    assert abs(turned) == pytest.approx(angles[1])


def test_swapped_bounds_give_a_constant():
    """What the remark says, as TensorFlow defines it: the larger of min and the smaller of max."""
    for part in (-7.0, 0.2, 24.0):
        assert max(min(part, -1.0), 1.0) == 1.0


CLAIMS = {"weights", "error", "share", "slip", "count", "initial", "exploding", "relu", "clip"}


def test_every_claim_of_the_article_has_its_remark():
    built = notes(derived("2,2,2,1"), ("flow",))
    found = {block.words.id.removeprefix("flow.claim_") for block in blocks_of(built, Remark)}
    assert found == CLAIMS


def test_how_alike_two_gradients_are_is_said_where_they_are_shared():
    built = notes(derived("2,2,2,1"), ("sharing",))
    (remark,) = blocks_of(built, Remark)
    counts = [remark.words.slots[name].text for name in ("shared", "total", "fewer", "of")]
    assert counts == ["14", "16", "10", "12"]
    assert not blocks_of(notes(derived("2,2,2,1", activation="relu"), ("sharing",)), Remark)
    assert not blocks_of(build(derived("2,2,2,1"), Request(sections=("sharing",))), Remark)


def test_claims_stand_only_where_they_hold():
    for options in (
        {"activation": "tanh"},
        {"activation": "relu"},
        {"output_activation": "sigmoid"},
    ):
        used = set(used_words(notes(derived("2,2,2,1", **options), ("flow",))))
        assert not used & {"flow.claim_share", "flow.claim_slip"}


@pytest.mark.parametrize(
    ("loss", "output", "claim"),
    [
        ("half_squared_error", "linear", "claim_error"),
        ("mse", "linear", "claim_error"),
        ("half_squared_error", "sigmoid", "claim_error_zero"),
        ("half_squared_error", "softmax", "claim_error_zero"),
        ("mae", "linear", "claim_error_zero"),
        ("huber", "linear", "claim_error_zero"),
        ("hinge", "linear", "claim_error_zero"),
        ("binary_cross_entropy", "sigmoid", "claim_error_zero"),
        ("cross_entropy", "softmax", "claim_error_zero"),
        ("softmax_cross_entropy", "linear", "claim_error_zero"),
        ("kl_divergence", "softmax", "claim_error_zero"),
        ("poisson", "exp", "claim_error_zero"),
        ("kl_divergence", "sigmoid", "claim_error_factor"),
        ("binary_cross_entropy_with_logits", "linear", "claim_error_factor"),
        ("(a-y)**4+a*y", "linear", "claim_error_boundless"),
    ],
)
def test_what_is_said_of_the_error(loss, output, claim):
    derivation = derived("2,2,2", loss=loss, output_activation=output)
    used = {key for key in used_words(notes(derivation, ("flow",))) if "claim_error" in key}
    assert used == {f"flow.{claim}"}


def test_the_shifted_sigmoid_is_steepest_elsewhere():
    used = set(used_words(notes(derived("2,2,2,1", activation="sigmoid(z-3)"), ("flow",))))
    assert not used & {"flow.claim_share", "flow.claim_slip"}


@pytest.mark.parametrize(
    ("options", "count"),
    [({}, 1), ({"loss": "cross_entropy"}, 0), ({"loss": "kl_divergence"}, 0)],
)
def test_the_jacobian_of_the_output_counts_where_it_does_not_cancel(options, count):
    derivation = derived("2,2,3", output_activation="softmax", **options)
    assert [int(row.count) for row in passed(derivation)] == [1 + count, count]
    assert ("flow.softmax" in used_words(notes(derivation, ("flow",)))) == bool(count)


@pytest.mark.parametrize("notation", NOTATIONS)
def test_the_first_layer_has_the_notation_s_number(notation):
    text = " ".join(render(notes(derived("2,2,2,1"), ("flow",)), "text", notation=notation).split())
    number = 2 if notation in ("nielsen", "ufldl") else 1
    assert f"On each path to layer {number}," in text
    assert f"Here it is 2 for layer {number};" in text


def test_a_jacobian_is_among_the_parts_of_a_product():
    hidden = notes(derived("2,3:softmax,2"), ("weight",))
    assert "weight.part_jacobian" in used_words(hidden)
    assert "weight.part_jacobian" not in used_words(notes(derived("2,3,2"), ("weight",)))


@pytest.mark.parametrize(("text", "claimed"), [("z*sin(z)", False), ("exp(z)", False), ("z", True)])
def test_a_figure_names_a_largest_slope_only_where_there_is_one(text, claimed):
    used = set(used_words(notes(derived("2,2,1", activation=f"{text} + tanh(z)"))))
    assert ("operations.caption" in used) == claimed
    assert ("operations.caption_plain" in used) != claimed


@pytest.mark.parametrize("text", ["z + sigmoid(z)", "-tanh(z)", "tanh(z)*2 - z"])
def test_an_interval_is_solved_only_for_the_plain_square(text):
    used = set(used_words(notes(derived("2,2,1", activation=text), ("flow",))))
    assert "flow.solved" not in used


def test_a_slope_that_is_0_lets_nothing_through():
    used = set(used_words(notes(derived("2,2,1", activation="sign(z)"), ("flow",))))
    assert {"flow.nothing", "flow.keeps_nothing"} <= used


def test_two_slopes_whose_product_is_1_are_not_both_1_at_most():
    derivation = derived("2,2,1", activation="2*tanh(z)", output_activation="tanh(z)/2")
    used = set(used_words(notes(derivation, ("flow",))))
    assert passed(derivation)[0].product == 1
    assert "flow.one" not in used


def test_the_residual_product_and_the_powers_are_right():
    built = notes(derived("2,2,2,1", activation="tanh"), ("flow",))
    rows = next(t for t in blocks_of(built, Table) if t.columns[0] == "depth").rows
    for depth, half, equal, double in rows:
        n = int(depth.expr)
        assert [float(cell.number) for cell in (half, equal, double)] == pytest.approx(
            [0.5**n, 1, 2**n]
        )
    product = Symbol("u"), Symbol("v")
    equations = [row for block in blocks_of(built, Equations) for row in block.rows]
    row = next(
        r for r in equations if isinstance(r.lhs, Formula) and r.lhs.expr.free_symbols == {*product}
    )
    assert (row.lhs.expr - row.rhs.expr).expand() == 0


def test_percentages_are_those_of_the_product():
    built = notes(derived("2,2,2,2,1"), ("flow",))
    words = next(
        block.words
        for section in built.sections
        for block in section.blocks
        if isinstance(getattr(block, "words", None), Words) and block.words.id == "flow.remains"
    )
    percent, lost = (words.slots[name] for name in ("percent", "lost"))
    assert isinstance(percent, Value)
    assert percent.number == Rational(100, 64)
    assert percent.number + lost.number == 100


def test_no_sentence_is_unused():
    used = set()
    options = [{"activation": row.name} for row in CATALOG.activations]
    options += [{"activation": text} for text in FORMULAS] + [{"loss": loss} for loss in LOSSES]
    for option in options:
        output = "sigmoid" if option.get("loss") == "binary_cross_entropy" else "linear"
        derivation = derived("2,2,2,1", output_activation=output, **option)
        used |= set(used_words(notes(derivation)))
    for layers, options in NETWORKS.values():
        used |= set(used_words(notes(derived(layers, **options))))
    used |= {f"flow.{key}" for key in ELSEWHERE}
    words = tomllib.loads((TEMPLATES / "locale" / "en.toml").read_text("utf-8"))
    for table_ in ("flow", "slope_rule", "rule_name", "maximum"):
        unused = {key for key in words[table_] if f"{table_}.{key}" not in used}
        assert {key for key in unused if not key.startswith(SCREEN)} == set(), table_


SCREEN = (
    "screen_",
    "danger_",
    "no_danger",
    "unknown_danger",
    "vanishing",
    "exploding",
    "dead",
    "overflow",
)
"""What only the screen of `bpderive flow` says: `test_languages` finds it in the sources."""
ELSEWHERE = (
    *("beside", "measure_title", "measure_how", "measure_batch", "measure_read", "side_own"),
    *("layered_bounds", "layered_expect", "levels_batch", "relative", "stopped"),
    *("gains", "gain_residual", "gain_steps"),
)
"""What needs a measurement, a deep network or other layers: `test_flow_pages` has them."""


FORMULAS = (
    "(2 + cos(z))**tanh(z)",
    "where(z**2 > 2, z, tanh(z))",
    "2**tanh(z)",
    "log(1 + exp(z)) + log(1 + exp(2*z))",
    "log(1 + exp(-z)) + log(1 + exp(-2*z))",
    "sin(z**3)",
    "min(max(z, -2), 3 - z/2)",
    "where(z > 1, log(z)*z - z, where(z > -1, tanh(z), exp(z)))",
    "erf(z)*z",
    "z + z*erf(z)*tanh(z)*sigmoid(z)",
    "z/sqrt(1 + z**2)",
    "-tanh(z)",
    "where(z > -1, -tanh(z), z/2)",
    "where(z > 0, log(1 + abs(z)), z/2)",
    "where(z > 2, z*exp(-z), 0)",
    "where(z > 2, 0, z*z*exp(z - 3))",
    "log(1 + abs(z))",
    "sign(z)",
    "log(z)",
    "z*sigmoid(z)",
    "exp(z)*sin(z) + tanh(z)",
    "(exp(-z) + 3*sin(z))*(z + 1)",
    "(sin(z)/2 + exp(-abs(z)))*z**2/(1 + z**2)",
)
LOSSES = (
    *(row.name for row in CATALOG.losses[:6]),
    "(a - y)*log(1 + (a - y)**2)",
    "(a - y)**4 + a*y",
    "xlogy(a, 1 + a**2)",
)


def test_a_thousand_layers_cost_little_more_than_ten():
    def seconds(layers):
        def once():
            start = time.perf_counter()
            notes(derived(layers), ("flow",))
            return time.perf_counter() - start

        return min(once() for _ in range(5))

    assert seconds("2,64*1000,1") < 3 * seconds("2,64*10,1") + 0.05
