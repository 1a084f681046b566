"""The worked example: its numbers against oracles that know no engine, its reader, its pages."""

import json
import re
from dataclasses import replace
from fractions import Fraction

import mpmath
import pytest
from sympy import Float, Rational

import bpderive
from bpderive.catalog import CATALOG
from bpderive.document import Request, build
from bpderive.document.blocks import Calculation, Remark, Table
from bpderive.document.mathematics import Substituted, Value
from bpderive.errors import DerivationError, SpecError, UnsupportedError
from bpderive.example import compute, drawn, make, parse, read, worked
from bpderive.example.model import names, shapes
from bpderive.notation import load as load_notation
from bpderive.render import render
from bpderive.render.breaking import width
from bpderive.render.latex import STYLE
from bpderive.render.latex_math import LatexMath
from bpderive.render.numerals import Numerals, is_rounded, substituted, written
from bpderive.render.unicode_math import UnicodeMath
from bpderive.render.writer import Writer
from bpderive.verify.arithmetic import MP
from bpderive.verify.example import check
from bpderive.verify.model import oracle_of
from bpderive.wording import load as load_wording

EXACT = {"linear", "relu", "leaky_relu", "hardtanh", "softsign"}
EXACT_LOSSES = {"half_squared_error", "squared_error", "mse", "mae", "huber", "hinge"}


def derived(layers="2,2,2,1", **options):
    return bpderive.derive(bpderive.network(layers, **options))


def accepted():
    """Every activation with every loss that takes its output."""
    for row in CATALOG.activations:
        for loss in CATALOG.losses:
            if row.name not in dict(loss.refuses):
                yield row.name, loss.name


def exact(number):
    """A number of the example's, with all its digits."""
    if number.is_Rational:
        return MP.mpf(int(number.p)) / int(number.q)
    return MP.mpf(str(number))


def point_of(derivation, numbers):
    """The tensors that an oracle takes, from the names of their elements."""
    point = {}
    for label, shape in shapes(derivation).items():
        keys = names(label, shape)
        values = {tuple(json.loads(key[len(label) :])): exact(numbers[key]) for key in keys}
        point[label] = values
    return point


# --- What is drawn, and what is computed from it ---


PAIRS = [(name, loss, "neuron_first") for name, loss in accepted()]
PAIRS += [(row.name, "mse", "input_first") for row in CATALOG.activations]


@pytest.mark.parametrize(("name", "loss", "order"), PAIRS)
def test_every_number_is_that_of_an_independent_network(name, loss, order):
    options = {"activation": name, "output_activation": name, "weights": order}
    derivation = derived("2,3,2", loss=loss, bias=True, **options)
    example = worked(derivation)
    assert example is not None, "no numbers were found"
    assert example.after is not None
    assert example.after < example.loss, "the loss does not fall"
    assert all(slope != 0 for slope in example.slopes.values())
    oracle, point = oracle_of(derivation.network), point_of(derivation, example.given.numbers)
    forward = oracle.forward(point)
    for label, tensor in forward.items():
        for at, value in tensor.items():
            key = f"{label}[{','.join(map(str, at))}]" if at else label
            assert abs(exact(example.numbers[key]) - value) < 1e-40, key
    for element in oracle.parameters():
        label, at = element
        key = f"{label}[{','.join(map(str, at))}]"
        assert abs(exact(example.slopes[key]) - oracle.complex_step(forward, element)) < 1e-35, key
    for element in oracle.inner():
        label, at = element
        key = f"{label.replace('z', 'delta')}[{','.join(map(str, at))}]"
        if key in example.numbers and label[0] == "z":
            wanted = oracle.complex_step(forward, element)
            assert abs(exact(example.numbers[key]) - wanted) < 1e-35, key
    eta = exact(example.given.eta)
    for key, new in example.updated.items():
        old, slope = exact(example.numbers[key]), exact(example.slopes[key])
        assert abs(exact(new) - (old - eta * slope)) < 1e-45
    moved = oracle.forward(point_of(derivation, {**example.given.numbers, **example.updated}))
    assert abs(exact(example.after) - moved["L"][()]) < 1e-40
    assert example.exact == (name in EXACT and loss in EXACT_LOSSES)
    check(derivation, example)


def by_hand(numbers):
    """2,2,2,1 with sigmoids and half the squared error, written down as a textbook does."""
    n = {key: exact(value) for key, value in numbers.items()}
    s = {}

    def sigmoid(z):
        return 1 / (1 + MP.exp(-z))

    for i in (1, 2):
        s[f"a1{i}"] = sigmoid(n[f"w1[{i},1]"] * n["x[1]"] + n[f"w1[{i},2]"] * n["x[2]"])
    for i in (1, 2):
        s[f"a2{i}"] = sigmoid(n[f"w2[{i},1]"] * s["a11"] + n[f"w2[{i},2]"] * s["a12"])
    output = n["w3[1,1]"] * s["a21"] + n["w3[1,2]"] * s["a22"]
    error = output - n["y[1]"]
    slopes = {}
    d2, d1 = {}, {}
    for k in (1, 2):
        slopes[f"w3[1,{k}]"] = error * s[f"a2{k}"]
        d2[k] = error * n[f"w3[1,{k}]"] * s[f"a2{k}"] * (1 - s[f"a2{k}"])
    for i in (1, 2):
        above = sum(n[f"w2[{k},{i}]"] * d2[k] for k in (1, 2))
        d1[i] = above * s[f"a1{i}"] * (1 - s[f"a1{i}"])
        for j in (1, 2):
            slopes[f"w2[{i},{j}]"] = d2[i] * s[f"a1{j}"]
            slopes[f"w1[{i},{j}]"] = d1[i] * n[f"x[{j}]"]
    return error**2 / 2, slopes


BOOK = {
    "x": [1, 2],
    "y": ["1/2"],
    "w1": [[0.5, -0.25], [0.1, 0.3]],
    "w2": [[0.2, -0.4], [0.6, 0.8]],
    "w3": [[1.5, -0.5]],
    "eta": 0.1,
}


def book(**changes):
    table = {**BOOK, **changes}
    texts = {key: json.loads(json.dumps(value), parse_float=str) for key, value in table.items()}
    derivation = derived()
    return derivation, parse(texts, derivation)


@pytest.mark.parametrize("seed", range(8))
def test_two_two_two_one_by_hand(seed):
    derivation = derived()
    example = worked(derivation, seed)
    loss, slopes = by_hand(example.given.numbers)
    assert abs(exact(example.loss) - loss) < 1e-40
    assert slopes.keys() == example.slopes.keys()
    for key, slope in slopes.items():
        assert abs(exact(example.slopes[key]) - slope) < 1e-40


FRACTIONS = [
    {"activation": "relu"},
    {"activation": "relu", "loss": "mse", "bias": True},
    {"activation": "leaky_relu", "loss": "squared_error"},
    {"activation": "linear", "bias": True},
    {"activation": "hardtanh"},
]


def relu_like(name, z):
    return {
        "relu": max(z, Fraction(0)),
        "leaky_relu": z if z > 0 else z / 100,
        "linear": z,
        "hardtanh": min(max(z, Fraction(-1)), Fraction(1)),
    }[name]


@pytest.mark.parametrize("options", FRACTIONS)
def test_fractions_are_exact_differences_of_a_forward_pass(options):
    # In one weight the loss is a parabola, where no kink is crossed: its differences are exact.
    derivation = derived("2,3,2", **options)
    example = worked(derivation, 3)
    assert example.exact
    given = {k: Fraction(int(v.p), int(v.q)) for k, v in example.given.numbers.items()}
    factor = {"mse": Fraction(1, 2), "squared_error": Fraction(1)}.get(
        options.get("loss"), Fraction(1, 2)
    )

    def loss(n):
        a = [n["x[1]"], n["x[2]"]]
        for layer, size in ((1, 3), (2, 2)):
            z = []
            for i in range(1, size + 1):
                total = n.get(f"b{layer}[{i}]", Fraction(0))
                for j, value in enumerate(a, 1):
                    total += n[f"w{layer}[{i},{j}]"] * value
                z.append(total)
            a = [relu_like(options["activation"], v) for v in z] if layer == 1 else z
        return factor * sum((v - n[f"y[{i}]"]) ** 2 for i, v in enumerate(a, 1))

    h = Fraction(1, 10**6)
    assert loss(given) == Fraction(str(example.loss))
    for key, slope in example.slopes.items():
        up, down = (loss({**given, key: given[key] + s * h}) for s in (1, -1))
        assert (up - down) / (2 * h) == Fraction(str(slope)), key


@pytest.mark.parametrize("layers", ["2,2,2,1", "3,4:relu,2", "8,8,4,1", "10,10:relu,2", "1,1"])
def test_drawn_numbers_are_small_round_and_different(layers):
    derivation = derived(layers, bias=True)
    for seed in range(5):
        values = drawn(derivation, seed)
        assert values == drawn(derivation, seed), "the same seed, other numbers"
        assert values.seed == seed
        for label, shape in shapes(derivation).items():
            own = [values.numbers[name] for name in names(label, shape)]
            assert all(v.is_Rational and abs(v) <= 4 and 100 % v.q == 0 for v in own), label
            if label[0] in "xwb":
                assert 0 not in own
                assert len({abs(v) for v in own}) == len(own), f"two equal numbers in {label}"
    assert drawn(derivation, 0).numbers != drawn(derivation, 1).numbers


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "hardtanh", "where(z > 1, z, 0)"])
def test_no_unit_is_dead_and_no_sum_at_a_kink(name):
    derivation = derived("4,8,2", activation=name)
    for seed in range(5):
        example = worked(derivation, seed)
        sums = [v for key, v in example.numbers.items() if key.startswith("z1")]
        assert len(set(sums)) == len(sums)
        assert not {Rational(0), Rational(1), Rational(-1)} & set(sums)
        assert all(example.numbers[f"delta1[{i}]"] != 0 for i in range(1, 9))


def test_where_no_numbers_suit_none_are_given():
    derivation = derived("2,2", output_activation="log(-1 - z*z)")
    assert worked(derivation) is None
    text = render(build(derivation, Request(sections=("example",))), "text")
    assert "No small round numbers were found" in text


def test_no_class_of_one_neuron_has_a_gradient_but_the_example_is_there():
    derivation = derived("2,3,1", output_activation="softmax")
    example = worked(derivation)
    assert all(slope == 0 for slope in example.slopes.values())
    assert "derivatives are 0" in " ".join(sentences(example, derivation).split())


def test_the_example_agrees_with_the_code_or_is_refused():
    derivation, values = book()
    example = compute(derivation, values)
    check(derivation, example)
    for field, key in (("slopes", "w1[2,1]"), ("updated", "w3[1,2]"), ("numbers", "L")):
        wrong = {**getattr(example, field), key: Rational(1, 3)}
        with pytest.raises(DerivationError, match="do not agree"):
            check(derivation, replace(example, **{field: wrong}))


# --- Reading ---


def write(path, table):
    path.write_text(table if isinstance(table, str) else json.dumps(table), encoding="utf-8")
    return str(path)


TOML = """
x = [1, 2]
y = ["1/2"]
w1 = [[0.5, -0.25], [0.1, 0.3]]
w2 = [[0.2, -0.4], [0.6, 0.8]]
w3 = [[1.5, -0.5]]
eta = 0.1
"""


def test_toml_and_json_say_the_same_exactly(tmp_path):
    derivation, values = book()
    assert values.numbers["w1[2,1]"] == Rational(1, 10)
    assert values.numbers["y[1]"] == Rational(1, 2)
    assert read(write(tmp_path / "v.toml", TOML), derivation) == values
    assert read(write(tmp_path / "v.json", BOOK), derivation) == values


NUMBERS = [
    ("1/3", Rational(1, 3)),
    (" -2 ", Rational(-2)),
    ("1e-3", Rational(1, 1000)),
    ("+.5", Rational(1, 2)),
    ("0.1/0.3", Rational(1, 3)),
    (7, Rational(7)),
]


@pytest.mark.parametrize(("text", "number"), NUMBERS)
def test_numbers_are_exact(text, number):
    assert book(y=[text])[1].numbers["y[1]"] == number


MISTAKES = [
    ({"w1": None}, ["w1: is missing", "2 rows of 2 numbers"]),
    ({"x": [1, 2, 3]}, ["x: has not the right shape: a list of 3", "a list of 2 numbers"]),
    ({"y": 1}, ['y: has not the right shape: "1"', "a list of 1 number"]),
    ({"w1": [[1, 2]]}, ["w1: has not the right shape: rows of 2", "2 rows of 2 numbers"]),
    ({"w1": [[1, 2], [3]]}, ["rows of 2, 1"]),
    ({"w1": [1, 2]}, ["w1: has not the right shape: a list of 2"]),
    ({"w1": [[1, [2]], [3, 4]]}, ["w1: has not the right shape"]),
    ({"w1": {"a": 1}}, ["w1: has not the right shape"]),
    ({"w2": [[1, "a"], [3, 4]]}, ['w2, item 1, item 2: "a" is not a number']),
    ({"w2": [[1, True], [3, 4]]}, ['w2, item 1, item 2: "true" is not a number']),
    ({"w2": [[1, None], [3, 4]]}, ['"null" is not a number']),
    ({"x": ["nan", 1]}, ['x, item 1: "nan" is not finite']),
    ({"x": [1, "-inf"]}, ['x, item 2: "-inf" is not finite']),
    ({"x": [1, "1/0"]}, ['x, item 2: "1/0" divides by 0']),
    ({"x": [1, "1e999"]}, ['"1e999" is too large']),
    ({"x": [1, "1e999999999"]}, ['"1e999999999" is too large']),
    ({"x": [1, "-1e-99999"]}, ['"-1e-99999" is too close to 0']),
    ({"x": [1, "9" * 41]}, ["is too long", "at most 40 characters"]),
    ({"x": [1, "a" * 41]}, ["is not a number", "at most 40 characters"]),
    ({"w1": None, "w2": None}, ["w1: is missing. Accepted: 2 rows of 2 numbers"]),
    ({"w1": None, "w2": None}, ["w2: is missing. Accepted: 2 rows of 2 numbers"]),
    ({"x": [1, 10**7]}, ['"10000000" is too large']),
    ({"W1": [[1]]}, ['W1: unknown key "W1" (did you mean "w1"?)', "x, y, w1, w2, w3, eta"]),
    ({"b1": [1, 2]}, ['unknown key "b1"']),
    ({"eta": 0}, ['eta: "0" is no learning rate', "a number above 0"]),
    ({"eta": "-0.1"}, ['"-0.1" is no learning rate']),
    ({"eta": [1]}, ["eta: ", "is not a number"]),
]


@pytest.mark.parametrize(("change", "told"), MISTAKES)
def test_what_is_wrong_is_told(change, told):
    table = {**BOOK, **change}
    table = {k: v for k, v in table.items() if v is not None}
    with pytest.raises(SpecError) as caught:
        parse(table, derived())
    for part in told:
        assert part in str(caught.value)


def test_what_is_not_in_a_file_has_no_line(tmp_path):
    with pytest.raises(SpecError) as caught:
        read(write(tmp_path / "v.toml", "\n\nx = [1, 2]\n"), derived())
    assert "line" not in str(caught.value)
    assert "v.toml, w2: is missing. Accepted: 2 rows of 2 numbers" in str(caught.value)


ZEROS = [
    ([0, 0, 1], r"0 · log\([0-9.]+\) − 0 · log\([0-9.]+\) − 1 · log"),
    ([1, 0, 0], r"−1 · log\([0-9.]+\) − 0 · log\([0-9.]+\) − 0 · log"),
]


@pytest.mark.parametrize(("label", "told"), ZEROS)
def test_a_zero_has_no_sign(label, told):
    derivation = derived("2,3", loss="cross_entropy", output_activation="softmax")
    values = {"x": [1, 2], "y": label, "w1": [[1, 2], [0, 1], [1, 0]]}
    example = compute(derivation, parse(values, derivation))
    text = render(build(derivation, Request(sections=("example",), example=example)), "text")
    assert re.search(rf"[=≈] {told}", text)
    assert not re.search(r"−0(?![.0-9])", text)


def test_json_is_quoted_as_json(tmp_path):
    text = json.dumps({**BOOK, "x": [None, True], "eta": False})
    with pytest.raises(SpecError) as caught:
        read(write(tmp_path / "v.json", text), derived())
    message = str(caught.value)
    assert 'x, item 1: "null" is not a number' in message
    assert 'x, item 2: "true" is not a number' in message
    assert 'eta: "false"' in message


def test_a_number_of_json_can_be_too_large(tmp_path):
    text = json.dumps({**BOOK, "y": [5]}).replace("[5]", "[1e999999999]")
    with pytest.raises(SpecError, match='y, item 1: "1e999999999" is too large'):
        read(write(tmp_path / "v.json", text), derived())


def test_all_mistakes_are_told_at_once_with_their_lines(tmp_path):
    text = TOML.replace("w2 = [[0.2,", "w2 = [[nan,").replace("y =", "z =")
    with pytest.raises(SpecError) as caught:
        read(write(tmp_path / "v.toml", text), derived())
    message = str(caught.value)
    assert 'v.toml, line 5, w2, item 1, item 1: "nan" is not finite' in message
    assert "v.toml, line 3, z: unknown key" in message
    assert "y: is missing" in message


FILES = [
    ("v.toml", "x = [1", "not TOML"),
    ("v.json", '{"x": [1', "not JSON"),
    ("v.json", "[1]", "values are a table"),
    ("v.toml", "a" * 600_000, "too long for values"),
    ("v.toml", "a.b.c.d.e.f.g.h.i.j = 1", "nested too deeply"),
    ("v.json", "[" * 100_000, "nested too deeply"),
    ("v.toml", f"x = {'9' * 5000}", "too long"),
]


@pytest.mark.parametrize(("name", "text", "told"), FILES)
def test_files_that_hold_no_values(tmp_path, name, text, told):
    with pytest.raises(SpecError, match=told):
        read(write(tmp_path / name, text), derived())


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(SpecError, match="cannot be read"):
        read(str(tmp_path / "none.toml"), derived())
    (tmp_path / "v.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SpecError, match="not UTF-8"):
        read(str(tmp_path / "v.toml"), derived())


LABELS = [
    ("binary_cross_entropy", "sigmoid", [2, 0], "probabilities from 0 to 1"),
    ("hinge", "linear", [0, 1], "-1 or 1"),
    ("poisson", "exp", [1, "1/2"], "whole numbers from 0"),
    ("cross_entropy", "softmax", [1, 1], "a single 1 among zeros"),
    ("kl_divergence", "softmax", [-1, 2], "probabilities whose sum is 1"),
]


@pytest.mark.parametrize(("loss", "output", "label", "told"), LABELS)
def test_labels_that_the_loss_cannot_take(loss, output, label, told):
    derivation = derived("1,2", loss=loss, output_activation=output)
    with pytest.raises(SpecError, match=f"the loss {loss} cannot take the label") as caught:
        parse({"x": [1], "y": label, "w1": [[1], [2]]}, derivation)
    assert told in str(caught.value)


def test_every_kind_of_label_of_the_catalogue_is_checked():
    from bpderive.example.drawing import LABELS as DRAWN
    from bpderive.example.reading import LABELS as READ

    kinds = {row.label for row in CATALOG.losses}
    assert kinds <= READ.keys()
    assert kinds <= DRAWN.keys()


def test_values_at_which_there_is_no_loss():
    derivation = derived("1,1", loss="poisson")
    with pytest.raises(SpecError, match=r"no value at these numbers: L\b"):
        compute(derivation, parse({"x": [1], "y": [1], "w1": [[-1]]}, derivation))


def test_sizes_without_numbers_have_no_example():
    with pytest.raises(UnsupportedError, match="sizes as numbers, and here are n0"):
        parse({}, derived("n0,2"))


def test_choices_of_a_caller(tmp_path):
    derivation = derived()
    path = write(tmp_path / "v.toml", TOML)
    assert make(derivation, path).given.eta == Rational(1, 10)
    assert make(derivation, path, eta="1/8").given.eta == Rational(1, 8)
    assert make(derivation, seed=4, eta="1/8").given.eta == Rational(1, 8)
    assert make(derivation, digits=7).digits == 7
    for wrong in ({"digits": 1}, {"digits": 16}, {"eta": "0"}, {"eta": "fast"}):
        with pytest.raises(SpecError):
            make(derivation, **wrong)


# --- Printing ---

PRINTERS = {"latex": LatexMath(load_notation()), "unicode": UnicodeMath(load_notation())}

ROUNDED = [
    (Rational(1, 2), 4, "0.5", "0.5", False),
    (Rational(-3, 20), 4, "-0.15", "−0.15", False),
    (Rational(3), 4, "3", "3", False),
    (Rational(0), 4, "0", "0", False),
    (Rational(1, 3), 4, r"\tfrac{1}{3}", "1/3", False),
    (Rational(-2, 7), 4, r"-\tfrac{2}{7}", "−2/7", False),
    (Rational(1, 3**9), 4, r"5.081 \times 10^{-5}", "5.081 × 10⁻⁵", True),
    (Rational(1, 3**8), 4, "0.0001524", "0.0001524", True),
    (Rational(123456789012, 10**12), 4, "0.1235", "0.1235", True),
    (Rational(123456789, 10**9), 4, "0.123456789", "0.123456789", False),
    (Float("0.12345", 50), 4, "0.1234", "0.1234", True),
    (Float("0.12355", 50), 4, "0.1236", "0.1236", True),
    (Float("0.5", 50), 4, "0.5000", "0.5000", True),
    (Float("-9.99996", 50), 4, "-10.00", "−10.00", True),
    (Float("12345678", 50), 3, r"1.23 \times 10^{7}", "1.23 × 10⁷", True),
    (Float("1234567", 50), 3, "1230000", "1230000", True),
]


@pytest.mark.parametrize(("number", "digits", "latex", "text", "rounded"), ROUNDED)
def test_a_number_as_it_is_written(number, digits, latex, text, rounded):
    assert written(PRINTERS["latex"], number, digits) == latex
    assert written(PRINTERS["unicode"], number, digits) == text
    assert is_rounded(number, digits) == rounded


WORKED = """\
z¹₁ = w¹₁₁ x₁ + w¹₁₂ x₂ = 0.5 · 1 + (−0.25) · 2 = 0   (1)
z¹₂ = w¹₂₁ x₁ + w¹₂₂ x₂ = 0.1 · 1 + 0.3 · 2 = 0.7   (1)
a¹₁ = σ(z¹₁) = σ(0) = 0.5   (2)
a¹₂ = σ(z¹₂) = σ(0.7) ≈ 0.6682   (2)
z²₁ = w²₁₁ a¹₁ + w²₁₂ a¹₂ ≈ 0.2 · 0.5 + (−0.4) · 0.6682 ≈ −0.1673   (3)
z²₂ = w²₂₁ a¹₁ + w²₂₂ a¹₂ ≈ 0.6 · 0.5 + 0.8 · 0.6682 ≈ 0.8346   (3)
a²₁ = σ(z²₁) ≈ σ(−0.1673) ≈ 0.4583   (4)
a²₂ = σ(z²₂) ≈ σ(0.8346) ≈ 0.6973   (4)
z³₁ = w³₁₁ a²₁ + w³₁₂ a²₂ ≈ 1.5 · 0.4583 + (−0.5) · 0.6973 ≈ 0.3388   (5)
a³₁ = z³₁ ≈ 0.3388   (6)
L = ½(a³₁ − y₁)² ≈ ½ · (0.3388 − 0.5)² ≈ 0.01300   (7)
δ³₁ = a³₁ − y₁ ≈ 0.3388 − 0.5 ≈ −0.1612   (8)
"""
"""Checked with a pocket calculator."""


def test_two_two_two_one_as_it_is_printed():
    derivation, values = book()
    request = Request(sections=("example",), level="full", example=compute(derivation, values))
    text = render(build(derivation, request), "text", width=100)
    lines = [line.strip() for line in text.split("\n")]
    for line in WORKED.splitlines():
        assert line in lines
    for line in (
        "∂L/∂w³₁₁ = δ³₁ a²₁ ≈ (−0.1612) · 0.4583 ≈ −0.07389   (9)",
        "w³₁₁ ← w³₁₁ − η ∂L/∂w³₁₁ ≈ 1.5 − 0.1 · (−0.07389) ≈ 1.507",
        "W¹ = [0.5, −0.25; 0.1, 0.3]",
        "x = [1; 2]",
        "η = 0.1",
    ):
        assert line in lines


LATEX = [
    r"z^{1}_{1} &= w^{1}_{11}\,x_{1} + w^{1}_{12}\,x_{2} = 0.5 \cdot 1 + (-0.25) \cdot 2 = 0",
    r"a^{1}_{2} &= \sigma(z^{1}_{2}) = \sigma(0.7) \approx 0.6682 \tag{2}",
    r"\mathbf{W}^{1} &= \begin{bmatrix} 0.5 & -0.25 \\ 0.1 & 0.3 \end{bmatrix}",
    r"\approx 1.5 - 0.1 \cdot (-0.07389) \approx 1.507",
]


def test_the_same_in_latex():
    derivation, values = book()
    request = Request(sections=("example",), level="full", example=compute(derivation, values))
    text = render(build(derivation, request), "latex")
    for part in LATEX:
        assert part in text


ORDERS = [
    ("w1[1,1]*x[1] + b1[1]", "0.5 · 2 + (−3)"),
    ("delta2[1]*(1 - a1[1])*a1[1]", "0.25 · (1 − 0.25) · (−1.5)"),
    ("-y[1]*log(a1[1])", "−7 · log(0.25)"),
    ("exp(-x[1])", "exp(−2)"),
    ("exp(-b1[1])", "exp(−(−3))"),
    ("tanh(b1[1])", "tanh(−3)"),
    ("b1[1]**2", "(−3)²"),
    ("-y[1]/a1[1]", "−7/0.25"),
]


@pytest.mark.parametrize(("formula", "text"), ORDERS)
def test_numbers_stand_in_the_order_of_their_symbols(formula, text):
    from sympy import Symbol, sympify

    from bpderive.functions import tanh

    values = {
        "w1[1,1]": Rational(1, 2),
        "x[1]": Rational(2),
        "b1[1]": Rational(-3),
        "a1[1]": Rational(1, 4),
        "delta2[1]": Rational(-3, 2),
        "y[1]": Rational(7),
    }
    short = {f"q{k}": Symbol(name) for k, name in enumerate(values)}
    for key, symbol in short.items():
        formula = formula.replace(symbol.name, key)
    expr = sympify(formula, locals={**short, "tanh": tanh})
    printer = PRINTERS["unicode"]
    found = " ".join(substituted(printer, expr, Numerals(values, 4)))
    assert found == text
    letters = printer.expr(expr)  # and the printer is as it was
    assert not any(character.isdigit() and character == "7" for character in letters)


def sentences(example, derivation, **options):
    request = Request(sections=("example",), example=example, **options)
    return render(build(derivation, request), "text")


def test_the_loss_falls_rises_stays_or_is_gone():
    derivation = derived("1,1")

    def told(eta, **options):
        table = {"x": [1], "y": ["1/2"], "w1": [[1]], "eta": eta}
        derivation = derived("1,1", **options)
        values = parse(table, derivation)
        return " ".join(sentences(compute(derivation, values), derivation).split())

    assert "the loss L falls from 0.125 to 0" in told(1)
    assert "L rises from 0.125 to 1.125" in told(4)
    assert "the step is too large" in told(4)
    assert "The loss L stays at 0.125" in told(2)
    assert "After this step the loss has no value" in told(9, loss="(a-y)*(a-y) + log(a)/1000")
    assert derivation.network.depth == 1


def test_what_is_0_and_what_is_at_a_kink_is_said():
    derivation = derived("1,2,1", activation="relu")
    table = {"x": [1], "y": [1], "w1": [[-1], [0]], "w2": [[1, 1]]}
    text = " ".join(sentences(compute(derivation, parse(table, derivation)), derivation).split())
    assert "z¹₂ lies exactly at the kink of relu. Its slope there is 0" in text
    assert "derivatives are 0" in text
    assert "∂L/∂w¹₁₁, ∂L/∂w¹₂₁, ∂L/∂w²₁₁, ∂L/∂w²₁₂" in text


def test_an_exact_example_says_so():
    derivation = derived("2,2,1", activation="relu")
    assert "computed exactly" in sentences(worked(derivation), derivation)
    assert "Rounding is for the eye alone" in sentences(worked(derived()), derived())


def test_large_networks_and_symbols_are_not_worked_out():
    assert "more than 120 parameters" in sentences(None, derived("20,20,1"))
    assert "The sizes are symbols" in sentences(None, derived("n0,n1"))


def test_long_slopes_have_lines_of_their_own():
    derivation = derived("2,2,1", activation="gelu")
    text = sentences(worked(derivation), derivation)
    assert "GELU′(z¹₁) = ½(1 + erf(" in text
    assert "δ¹₁ = GELU′(z¹₁) w²₁₁ δ²₁" in text


@pytest.mark.parametrize("digits", [2, 4, 9, 15])
def test_every_rounded_number_has_the_digits_that_are_stated(digits):
    derivation = derived()
    example = worked(derivation, digits=digits)
    document = build(derivation, Request(sections=("example",), level="full", example=example))
    found = 0
    for block in document.sections[0].blocks:
        rows = block.rows if isinstance(block, Calculation) else ()
        for part in (part for row in rows for part in row.parts if isinstance(part, Value)):
            text = written(PRINTERS["unicode"], part.number, part.digits)
            mantissa = text.partition(" × ")[0].lstrip("−").replace(".", "").lstrip("0")
            if is_rounded(part.number, part.digits):
                found += 1
                assert len(mantissa) == digits, text
                with mpmath.workdps(60):
                    error = abs(mpmath.mpf(str(part.number)) - value_of_text(text))
                    assert error <= abs(mpmath.mpf(str(part.number))) * mpmath.mpf(10) ** (
                        1 - digits
                    )
    assert found > 20


def value_of_text(text):
    """What a number reads as."""
    sign = -1 if text[0] == "−" else 1
    front, _, power = text.lstrip("−").partition(" × 10")
    up = power.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-"))
    return sign * mpmath.mpf(front) * mpmath.mpf(10) ** int(up or 0)


def test_brief_leaves_the_steps_of_the_parameters_out():
    derivation, values = book()
    example = compute(derivation, values)
    brief, full = (
        build(derivation, Request(sections=("example",), level=level, example=example))
        for level in ("brief", "full")
    )
    assert len(brief.sections[0].blocks) == len(full.sections[0].blocks)
    assert "w¹₁₁ ←" in render(full, "text")
    assert "w¹₁₁ ←" not in render(brief, "text")


def test_blocks_of_the_section():
    derivation, values = book()
    blocks = (
        build(derivation, Request(sections=("example",), example=compute(derivation, values)))
        .sections[0]
        .blocks
    )
    assert any(isinstance(block, Table) for block in blocks)
    assert not any(isinstance(block, Remark) for block in blocks)
    parts = [p for b in blocks if isinstance(b, Calculation) for r in b.rows for p in r.parts]
    assert any(isinstance(part, Substituted) for part in parts)


# --- Gradient descent, and the code ---


def test_descent_is_written_for_every_parameter_where_it_is_full():
    derivation = derived(bias=True)
    full = render(build(derivation, Request(sections=("descent",), level="full")), "text")
    assert "w¹₁₁ ← w¹₁₁ − η ∂L/∂w¹₁₁ = w¹₁₁ − η δ¹₁ x₁" in full
    assert "b³₁ ← b³₁ − η ∂L/∂b³₁ = b³₁ − η δ³₁" in full
    assert full.count(" ← ") == 2 + 15
    brief = render(build(derivation, Request(sections=("descent",))), "text")
    assert brief.count(" ← ") == 2
    large = render(build(derived("20,20,1"), Request(sections=("descent",), level="full")), "text")
    assert large.count(" ← ") == 1


# --- Every row of the catalogue, as it is printed ---


def rows_of_the_catalogue():
    """Every activation, and every loss with an output that it takes."""
    for row in CATALOG.activations:
        yield {"activation": row.name, "bias": True}
    for loss in CATALOG.losses:
        fit = {"unit": "softmax" if loss.label == "distribution" else "sigmoid", "positive": "exp"}
        yield {"loss": loss.name, "output_activation": fit.get(loss.domain, "linear")}


@pytest.mark.parametrize("options", list(rows_of_the_catalogue()))
def test_no_line_is_too_wide(options):
    derivation = derived("2,3,2", **options)
    request = Request(sections=("example",), level="full", example=worked(derivation))
    document = build(derivation, request)
    assert max(map(len, render(document, "text").split("\n"))) <= 88
    writer = Writer(PRINTERS["latex"], load_wording("en"), STYLE)
    for block in document.sections[0].blocks:
        for row in block.rows if isinstance(block, Calculation) else ():
            room = 84 - width(writer.math(row.lhs)) - 9
            for _, text in writer.calculation(row, room):
                assert width(text) <= room, text


CASES = [
    ({"loss": "hinge", "activation": "relu"}, "δ¹₁ = [z¹₁ > 0] w²₁₁ δ²₁ = 1 · "),
    ({"loss": "mae"}, "δ²₁ = sign(a²₁ − y₁) ≈ sign("),
    ({"activation": "selu"}, "≈ 1.051 · "),
    ({"activation": "gelu_tanh"}, "GELU_tanh′(z¹₁) = GELU_tanh′("),
]


@pytest.mark.parametrize(("options", "line"), CASES)
def test_of_cases_the_one_that_holds_stands_in_numbers(options, line):
    derivation = derived("2,2,1", **options)
    text = sentences(worked(derivation), derivation)
    assert line in text
    numbers = re.findall(r"\[\(?−?[0-9][^\]]*[<>≤≥]", text)
    assert not numbers, "a case is left open in numbers"
