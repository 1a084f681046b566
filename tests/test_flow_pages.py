"""The gradient problem on paper: what is expected, what was measured, remedies, clipping."""

import math
import random
from itertools import pairwise
from pathlib import Path

import pytest
from sympy import Float, Symbol, log, pi
from test_documents import NETWORKS, used_words

import bpderive
from bpderive.catalog import CATALOG
from bpderive.document import DERIVATION, NOTES, Request, build
from bpderive.document.blocks import Chain, Equations, Figure, Remark, Table, Words
from bpderive.document.drawing import Box, Disc, Label, Stroke
from bpderive.document.figures.layers_chart import APART, spaced
from bpderive.document.flow.cells import power, some
from bpderive.document.flow.clipping import clipping
from bpderive.document.flow.recurrence import STEPS, recurrence
from bpderive.document.flow.side_by_side import HIDDEN, WIDTH, curves, deep
from bpderive.document.flow.special import special
from bpderive.document.mathematics import Formula, Plain, Value
from bpderive.flow.model import Expectation, Expected, Measurement, Spread
from bpderive.flow.remedies import REMEDIES
from bpderive.flow.schemes import scheme
from bpderive.functions import to_sympy
from bpderive.render import render
from bpderive.wording import languages

TEMPLATES = Path(__file__).parent.parent / "templates"

NOTATIONS = sorted(path.stem for path in (TEMPLATES / "notation").glob("*.toml"))
QUICK = ("html", "latex", "markdown", "text", "typst")


def derived(layers, **options):
    return bpderive.derive(bpderive.network(layers, **options))


def spread(number, *, size=0.01, dead=0.0, bound=None):
    """A layer that was measured."""
    quantiles = (0.1 * size, 0.3 * size, size, 2 * size, 5 * size)
    return Spread(
        number,
        f"W{number}",
        size,
        1.2 * size,
        0.05 * size,
        0.2 * size,
        4 * size,
        quantiles,
        dead,
        bound,
    )


def measured(name, sizes, **options):
    spreads = tuple(spread(at, size=size, **options) for at, size in enumerate(sizes, 1))
    return Measurement(spreads, name, 100, 4, 1)


SOME = (
    measured("xavier", (0.003, 0.02, 0.4), bound=3.0),
    measured("normal", (0.01, 0.07, 0.5), bound=7.0),
    measured("he", (0.0, 0.03, 0.3), dead=0.25),
)


def section(derivation, **options):
    request = Request(sections=("flow",), level="full", **options)
    return build(derivation, request).sections[0]


def document(derivation, **options):
    return build(derivation, Request(sections=("flow",), level="full", **options))


def blocks(found, kind):
    return [block for block in found if isinstance(block, kind)]


def table(found, column):
    return next(one for one in blocks(found, Table) if column in one.columns)


def ids(found):
    return [b.words.id for b in found if isinstance(getattr(b, "words", None), Words)]


# --- Printed everywhere ---


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("name", NETWORKS)
def test_the_section_of_every_network_can_be_printed(name, language):
    layers, options = NETWORKS[name]
    found = document(derived(layers, **options), figures=True)
    for format_ in QUICK:
        assert render(found, format_, language=language)


@pytest.mark.parametrize("notation", NOTATIONS)
def test_the_section_can_be_printed_in_every_notation(notation):
    found = document(derived("2,3,2,1", bias=True), figures=True, measured=SOME)
    for format_ in QUICK:
        assert render(found, format_, notation=notation)


def test_a_weight_whose_input_comes_first_has_its_indices_in_that_order():
    text = render(document(derived("2,3,1", weights="input_first")), "text")
    assert "Σⱼ Var(wˡⱼᵢ aˡ⁻¹ⱼ)" in text
    assert "Σⱼ Var(wˡᵢⱼ aˡ⁻¹ⱼ)" in render(document(derived("2,3,1")), "text")


def test_biases_are_counted_where_there_are_any():
    with_, without = (
        render(document(derived("2,3,1", bias=bias)), "text") for bias in (True, False)
    )
    assert "Var(bˡ)" in with_
    assert "Var(b" not in without


# --- Expectation ---


@pytest.mark.parametrize("name", ["linear", "relu", "leaky_relu"])
def test_the_means_of_straight_lines_are_those_of_random_numbers(name):
    """And the variance of a weight keeps the mean square: n Var(w) E f'² = 1."""
    rows = table(list(special()), "mean_taken").rows
    _, taken, slope, variance = next(row for row in rows if row[0].name == name)
    rng = random.Random(5)
    f = FUNCTIONS[name]
    numbers = [rng.gauss(0, 3) for _ in range(200_000)]
    mean = sum(f(one) ** 2 for one in numbers) / len(numbers)
    steep = sum((f(one + 1e-7) - f(one)) ** 2 for one in numbers) / (1e-14 * len(numbers))
    assert float(taken.expr) == pytest.approx(mean / 9, rel=0.02)
    assert float(slope.expr) == pytest.approx(steep, rel=0.02)
    (width,) = variance.expr.free_symbols
    assert float(width * variance.expr * slope.expr) == pytest.approx(1)


FUNCTIONS = {
    "linear": lambda z: z,
    "relu": lambda z: max(z, 0.0),
    "leaky_relu": lambda z: z if z > 0 else 0.01 * z,
}


def test_the_factor_of_batch_normalisation_is_that_of_random_numbers():
    """E f'² / Var f of ReLU, by drawn numbers: π/(π − 1)."""
    rng = random.Random(8)
    numbers = [max(rng.gauss(0, 1), 0.0) for _ in range(400_000)]
    mean = sum(numbers) / len(numbers)
    variance = sum((one - mean) ** 2 for one in numbers) / len(numbers)
    found = section(derived("2,2,2,1")).blocks
    rows = [row for block in blocks(found, Equations) for row in block.rows]
    stated = [row.rhs.expr for row in rows if isinstance(row.rhs, Formula) and row.lhs is not None]
    assert pi / (pi - 1) in stated
    assert 0.5 / variance == pytest.approx(math.pi / (math.pi - 1), rel=0.01)
    assert any(float(expr) == pytest.approx(variance, rel=0.01) for expr in stated if expr.has(pi))


def test_the_table_has_the_numbers_of_the_expectation(monkeypatch):
    hand = Expectation(
        (
            Expected(1, "w1", 1.0, 2.5, 0.25, -400.5),
            Expected(2, "w2", 0.5, 0.125, None, None),
            Expected(3, "w3", 0.5, 0.75, None, -math.inf),
        )
    )
    monkeypatch.setattr("bpderive.document.flow.expected", lambda *_: hand)
    rows = table(section(derived("2,2,2,1")).blocks, "variance_sum").rows
    assert [float(row[1].number) for row in rows] == [2.5, 0.125, 0.75]
    assert float(rows[0][2].number) == 0.25
    assert rows[1][2] == rows[1][3] == Plain("–")
    assert rows[2][3] == Formula(0)
    assert float(log(rows[0][3].number, 10).evalf()) == pytest.approx(-400.5, abs=1e-9)


def test_nothing_is_said_of_layers_without_a_rule(monkeypatch):
    hand = Expectation((Expected(1, "w1", None, None, None, None),), True, ("softmax",))
    monkeypatch.setattr("bpderive.document.flow.expected", lambda *_: hand)
    found = section(derived("2,2,2,1")).blocks
    assert "flow.stopped" in ids(found)
    assert not {"flow.levels", "flow.rough", "flow.relative"} & set(ids(found))


@pytest.mark.parametrize("exponent", [-3.2, 0.0, 5.5, -320.25, 2000.75])
def test_a_power_of_any_size_is_printed(exponent):
    cell = power(exponent)
    assert isinstance(cell, Value)
    assert float(log(cell.number, 10).evalf(20)) == pytest.approx(exponent, abs=1e-9)


def test_of_many_layers_the_ends_are_shown():
    assert some(range(5)) == (0, 1, 2, 3, 4)
    found = some(range(1000))
    assert (found[0], found[-1], len(found)) == (0, 999, 12)
    assert all(one < other for one, other in pairwise(found))


# --- Measurement ---


def test_nothing_is_printed_where_nothing_was_measured():
    found = section(derived("2,2,2,1"), figures=True).blocks
    assert not {key for key in ids(found) if key.startswith("flow.measure") or key == "flow.beside"}
    assert not [one for one in blocks(found, Table) if "measured_rms" in one.columns]


def test_the_table_has_the_numbers_of_the_measurements():
    found = section(derived("2,2,2,1"), measured=SOME).blocks
    rows = table(found, "zero_share").rows
    assert len(rows) == 9
    assert [row[0].text for row in rows] == ["xavier", "", "", "normal", "", "", "he", "", ""]
    sizes = [0.0 if isinstance(row[2], Formula) else float(row[2].number) for row in rows]
    wanted = [1.2 * spread_.mean for one in SOME for spread_ in one.spreads]
    assert sizes == pytest.approx(wanted)
    assert float(rows[-1][4].slots["share"].number) == pytest.approx(25)


def test_beside_stand_the_bound_and_the_expectation_of_the_chosen_scheme():
    for name in ("xavier", "normal"):
        found = section(derived("2,2,2,1"), measured=SOME, scheme=name).blocks
        rows = table(found, "largest_possible").rows
        own = next(one for one in SOME if one.scheme == name)
        assert [float(row[4].number) for row in rows] == [one.bound for one in own.spreads]
        assert [float(row[2].number) for row in rows] == [
            pytest.approx(one.rms) for one in own.spreads
        ]
        levels = table(found, "variance_sum").rows
        assert [row[1] for row in rows] == [row[3] for row in levels]
    assert "flow.beside" not in ids(
        section(derived("2,2,2,1"), measured=SOME, scheme="orthogonal").blocks
    )


# --- Figures ---


def figure(found, name):
    return next(one for one in blocks(found, Figure) if one.id == name)


def test_the_figure_has_a_mark_for_each_layer():
    found = figure(section(derived("2,2,2,1"), measured=SOME, figures=True).blocks, "gradients")
    rings = [s for s in found.drawing.shapes if isinstance(s, Disc) and not s.filled]
    dots = [s for s in found.drawing.shapes if isinstance(s, Disc) and s.filled]
    assert (len(rings), len(dots)) == (4, 4)  # three layers, and one beside the name
    dashed = [s for s in found.drawing.shapes if isinstance(s, Stroke) and s.dashed]
    assert [len(one.points) for one in dashed] == [3]


def test_higher_is_larger_and_the_axis_is_logarithmic():
    found = figure(section(derived("2,2,2,1"), measured=SOME, figures=True).blocks, "gradients")
    dots = sorted(s.at for s in found.drawing.shapes if isinstance(s, Disc) and s.filled)[:3]
    (_, low), (_, middle), (_, high) = dots
    sizes = [math.log10(one.rms) for one in SOME[0].spreads]
    assert (middle - low) / (high - low) == pytest.approx(
        (sizes[1] - sizes[0]) / (sizes[2] - sizes[0]), abs=0.01
    )


def test_all_of_a_figure_stands_on_its_paper():
    found = section(derived("2,5,7,1"), measured=(), figures=True).blocks
    for one in blocks(found, Figure):
        for shape in one.drawing.shapes:
            points = shape.points if isinstance(shape, Stroke) else (shape.at,)
            assert all(
                0 <= x <= one.drawing.width and 0 <= y <= one.drawing.height for x, y in points
            )


def test_curves_are_told_apart_without_colours():
    found = figure(section(derived("2,2,2,1"), figures=True).blocks, "remedies")
    lines = [s for s in found.drawing.shapes if isinstance(s, Stroke) and s.role != "axis"]
    names = [s for s in found.drawing.shapes if isinstance(s, Label) and s.anchor == "west"]
    curves_ = [one for one in lines if len(one.points) >= 6 and one.points[0][0] < 3]
    assert len(curves_) >= 8
    ids_ = {one.text.id for one in names if isinstance(one.text, Words)} - {"plot.relative"}
    assert {f"remedy.{name}" for name in REMEDIES} | {"remedy.as_given"} == ids_
    assert [s for s in found.drawing.shapes if isinstance(s, Box)]


@pytest.mark.parametrize("heights", [[0.0], [1.0, 1.0, 1.0, 1.0], [0.0, 0.1, 5.9, 6.0, 6.0]])
def test_names_do_not_stand_on_each_other(heights):
    found = spaced(heights, 0.0, 6.0)
    assert all(other - one >= APART - 0.011 for one, other in pairwise(found))
    assert min(found) >= -0.01
    assert max(found) <= 6.01


# --- Remedies ---


def test_a_flat_network_is_made_deep_and_a_deep_one_stays():
    flat, deep_ = (bpderive.network(text).spec for text in ("2,2,2,1", "3,6*7,2"))
    assert deep(deep_) == deep_
    found = deep(flat)
    assert [layer.width for layer in found.layers] == [WIDTH] * (HIDDEN + 2)
    assert set(found.activations[:-1]) == {"sigmoid"}
    assert len(deep(bpderive.network("2,4*1000,1").spec).layers) == HIDDEN + 2
    assert len(deep(bpderive.network("n0,n1,n2").spec).layers) == HIDDEN + 2


@pytest.mark.parametrize(("layers", "key"), [("2,2,2,1", "side_like"), ("3,6*7,2", "side_own")])
def test_which_network_it_is_is_said(layers, key):
    assert f"flow.{key}" in ids(section(derived(layers)).blocks)


def test_every_remedy_has_its_number():
    found = section(derived("2,2,2,1")).blocks
    rows = table(found, "expected_ratio").rows
    assert {row[0].id for row in rows} == {f"remedy.{name}" for name in (*REMEDIES, "as_given")}
    own = {row[0].id.partition(".")[2]: row for row in rows}
    ratios = {name: float(row[3].number) for name, row in own.items()}
    assert ratios["as_given"] < 1e-4
    assert ratios["relu_he"] == pytest.approx(1, rel=0.01)
    assert ratios["as_given"] < ratios["shallower"] < ratios["relu_he"]


def test_the_curves_end_in_the_table_s_numbers():
    spec, drawn = deep(bpderive.network("2,2,2,1").spec), scheme("xavier")
    found = curves(spec, drawn)
    assert all(one.powers[-1] == 0 for one in found)
    rows = table(section(derived("2,2,2,1")).blocks, "expected_ratio").rows
    for one, row in zip(found, rows, strict=True):
        assert float(log(row[3].number, 10).evalf()) == pytest.approx(one.first, abs=1e-9)


def test_measured_remedies_stand_beside_the_expected_ones():
    own = {"relu_he": measured("he", (0.2, 0.3, 0.4))}
    found = section(derived("2,2,2,1"), remedied=own).blocks
    rows = {row[0].id: row for row in table(found, "measured_ratio").rows}
    assert float(rows["remedy.relu_he"][4].number) == pytest.approx(0.5)
    assert rows["remedy.fixup"][4] == Plain("–")


def test_the_mean_square_of_a_residual_factor_is_that_of_random_numbers():
    rng = random.Random(11)
    numbers = [rng.gauss(0, 0.7) for _ in range(100_000)]
    mean = sum((1 + one) ** 2 for one in numbers) / len(numbers)
    found = blocks(section(derived("2,2,2,1")).blocks, Chain)
    chain = next(one for one in found if one.links[0].reason.id == "flow.multiplied_out")
    last = chain.links[-1].rhs.expr
    (r,) = last.free_symbols
    assert float(last.xreplace({r: Float(0.49)})) == pytest.approx(mean, rel=0.02)


# --- Exploding, clipping ---


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "silu"])
def test_a_recurrent_neuron_vanishes_or_explodes(name):
    rows = table(list(recurrence((CATALOG.activation(name),))), "steps").rows
    for steps, (_, *cells) in zip(STEPS, rows, strict=True):
        wanted = [factor**steps for factor in (0.9, 1, 1.1)]
        assert [float(cell.number) for cell in cells] == pytest.approx(wanted)


def both_ways(gradient, most):
    """The two forms that the section derives, at a gradient."""
    rows = [row for block in blocks(list(clipping()), Equations) for row in block.rows]
    by_norm, by_value = [row.rhs.expr for row in rows if row.lhs is not None][:2]
    g, c = Symbol("g"), Symbol("c")
    length = math.hypot(*gradient)
    factor = number_of(by_norm / g, {g: length, c: most})
    value = [number_of(by_value, {g: one, c: most}) for one in gradient]
    return [factor * one for one in gradient], value


def number_of(expr, values):
    return float(to_sympy(expr).xreplace({k: Float(v) for k, v in values.items()}).evalf())


@pytest.mark.parametrize("seed", range(12))
def test_clipped_gradients_are_the_nearest_that_are_not_too_long(seed):
    """Nearer than any of many drawn vectors of the ball, and of the cube."""
    rng = random.Random(seed)
    gradient = [rng.gauss(0, 2) for _ in range(3)]
    by_norm, by_value = both_ways(gradient, 1.0)
    assert math.hypot(*by_norm) <= 1 + 1e-9
    assert max(map(abs, by_value)) <= 1 + 1e-9
    for _ in range(2000):
        drawn = [rng.uniform(-1, 1) for _ in range(3)]
        assert math.dist(drawn, gradient) >= math.dist(by_value, gradient) - 1e-9
        if math.hypot(*drawn) <= 1:
            assert math.dist(drawn, gradient) >= math.dist(by_norm, gradient) - 1e-9
    assert sum(p * q for p, q in zip(by_value, gradient, strict=True)) > 0


def test_swapped_bounds_give_one_constant():
    found = list(clipping())
    at = next(k for k, block in enumerate(found) if isinstance(block, Remark))
    (row,) = found[at + 1].rows
    for gradient in (-30.0, -1.0, 0.0, 0.4, 1.0, 25.0):
        assert number_of(row.lhs.expr, {Symbol("g"): gradient}) == float(row.rhs.expr) == 1


def test_clipping_by_value_turns_and_by_norm_does_not():
    rows = table(list(clipping()), "turned_by").rows
    angles = {row[0].id: float(row[2].slots["angle"].number) for row in rows}
    wanted = math.degrees(math.acos((7 + 24) / (25 * math.sqrt(2))))
    assert angles["flow.by_norm"] == pytest.approx(0, abs=1e-3)
    assert angles["flow.by_value"] == pytest.approx(wanted, abs=1e-4)


# --- Networks of any layers ---

STACKS = (
    "6, batchnorm, 5:tanh, residual(5:tanh, 5), 1",
    "seq(4)x3, rnn(5), last, 1",
    "1x6x6, conv(2,3):relu, flatten, 3",
    "7, layernorm, 6:relu, 2",
)


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("spec", STACKS)
def test_the_section_of_other_layers_can_be_printed(spec, language):
    found = document(derived(spec), figures=True)
    for format_ in QUICK:
        assert render(found, format_, language=language)


def test_a_recurrence_has_its_gain_and_its_product_over_time():
    found = ids(section(derived("seq(4)x3, rnn(5), last, 1")).blocks)
    assert "flow.recurrent" in found
    assert "flow.recurrent" not in ids(section(derived(STACKS[0])).blocks)


def test_notes_have_the_section_and_a_derivation_has_not():
    derivation = derived(STACKS[0])
    for sections, present in ((NOTES, True), (DERIVATION, False)):
        built = build(derivation, Request(sections=sections))
        assert ("flow" in [one.id for one in built.sections]) == present


def test_a_network_that_mixes_samples_is_told_of_its_batch():
    assert "flow.levels_batch" in ids(section(derived(STACKS[0])).blocks)
    assert "flow.levels" in ids(section(derived(STACKS[3])).blocks)


def test_sentences_of_every_kind_are_used():
    kinds = set()
    for spec in STACKS:
        kinds |= set(used_words(section(derived(spec), measured=SOME, figures=True)))
    assert {"flow.gain_residual", "flow.gain_steps", "flow.layered_bounds"} <= kinds
