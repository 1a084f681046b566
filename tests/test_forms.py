"""Every form of every gradient, for every activation × loss × bias of the catalogue, in numbers.

The expected numbers are central differences of the oracle's own forward pass at 80 digits; they
stand for the deltas too, so each equation is checked by itself. SymPy's `diff` of the flat loss
is a second oracle, for a part of the table (all of it with `-m long`).
"""

import random
import re
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import pytest
import sympy
from evaluate import Values
from oracle import CLOSE, MP, Oracle, formula, points

from bpderive.catalog import CATALOG
from bpderive.derive import Derivation, derive
from bpderive.errors import SpecError, UnsupportedError
from bpderive.forms import FORMS, gradient
from bpderive.forms.index_form import recurrence
from bpderive.forms.matrix import matrix_of
from bpderive.forms.paths import path_factors, path_terms
from bpderive.forms.routes import route_count, routes
from bpderive.functions import select, sigmoid, xlogy
from bpderive.index import Equation, size_symbol, sum_over
from bpderive.network import build
from bpderive.reference import Reference
from bpderive.spec import parse_spec

WIDTHS = (2, 3, 2)
SAMPLES = 3


@dataclass(frozen=True)
class Combination:
    """One row of the table; an output that the loss refuses is linear instead."""

    activation: str
    loss: str
    bias: bool

    def __str__(self):
        return f"{self.activation}-{self.loss}{'-bias' if self.bias else ''}"

    @property
    def output(self):
        refused = dict(CATALOG.loss(self.loss).refuses)
        return "linear" if self.activation in refused else self.activation


COMBINATIONS = [
    Combination(activation.name, loss.name, bias)
    for activation in CATALOG.activations
    for loss in CATALOG.losses
    for bias in (False, True)
]


@dataclass(frozen=True)
class Case:
    """A network, derived, and its quantities at three samples with every derivative."""

    combination: Combination
    widths: tuple[int, ...] = WIDTHS

    @cached_property
    def derivation(self) -> Derivation:
        c = self.combination
        spec = parse_spec(
            ",".join(map(str, self.widths)),
            activation=c.activation,
            output_activation=c.output,
            loss=c.loss,
            bias=c.bias,
            orientation="columns" if c.bias else "rows",
        )
        return derive(build(spec, CATALOG))

    @cached_property
    def oracle(self) -> Oracle:
        c = self.combination
        hidden, output = map(CATALOG.activation, (c.activation, c.output))
        return Oracle(self.widths, hidden, output, CATALOG.loss(c.loss), c.bias)

    @cached_property
    def points(self):
        return points(self.oracle, random.Random(7), SAMPLES)

    @cached_property
    def expected(self):
        """By sample: the gradient of every parameter and inner quantity."""
        return [{n: self.oracle.derivative(p, n) for n in self.references} for p in self.points]

    @cached_property
    def samples(self):
        """By sample: all quantities by reference text, the derivatives `delta1[i]`, `g1[i]` too."""
        names = {"z": "delta", "a": "g", "p": "h"}
        return [
            point | {names[n[0]] + n[1:]: slopes[n] for n in self.oracle.inner()}
            for point, slopes in zip(self.points, self.expected, strict=True)
        ]

    @cached_property
    def references(self):
        return [*self.oracle.parameters(), *self.oracle.inner()]

    @cached_property
    def some(self):
        """One reference of every tensor, from the middle of its range."""
        tensors = {}
        for name in self.references:
            tensors.setdefault(name.partition("[")[0], []).append(name)
        return [names[len(names) // 2] for names in tensors.values()]

    def tensor(self, label, values):
        """A tensor as rows, from its elements by reference text."""
        found = {n: v for n, v in values.items() if n.partition("[")[0] == label}
        rows = {}
        for name, value in found.items():
            rows.setdefault(int(name.partition("[")[2].rstrip("]").split(",")[0]), []).append(value)
        return [rows[i] for i in sorted(rows)]

    @cached_property
    def labels(self):
        """The labels of all tensors of a sample."""
        return sorted({name.partition("[")[0] for name in self.samples[0] if "[" in name})

    def batch(self, label, samples):
        """A tensor over all samples; a parameter is the same for all."""
        if label[0] in "wb":
            return self.tensor(label, samples[0])
        rows = [[row[0] for row in self.tensor(label, sample)] for sample in samples]
        return transposed(rows) if self.combination.bias else rows


def transposed(rows):
    return [list(row) for row in zip(*rows, strict=True)]


def close(found, expected):
    return abs(found - expected) <= CLOSE * (1 + abs(expected))


def all_close(found, expected):
    assert [len(row) for row in found] == [len(row) for row in expected]
    return all(
        close(u, v)
        for row, wanted in zip(found, expected, strict=True)
        for u, v in zip(row, wanted, strict=True)
    )


@pytest.fixture(scope="module", params=COMBINATIONS, ids=str)
def case(request):
    return Case(request.param)


def test_delta_form(case):
    values = Values(case.samples[0])
    for name in case.references:
        assert close(values(gradient(case.derivation, name)), case.expected[0][name]), name


def test_paths_form(case):
    values = Values({n: v for n, v in case.samples[0].items() if n[0] not in "dgh"})
    for name in case.some:
        assert close(values(gradient(case.derivation, name, "paths")), case.expected[0][name]), name


def test_weights_form(case):
    values = Values({n: v for n, v in case.samples[0].items() if n[0] in "xywb"})
    for name in ("w1[2,1]", "delta1[3]", "w2[1,3]"):
        wanted = case.expected[0][name.replace("delta", "z")]
        assert close(values(gradient(case.derivation, name, "weights")), wanted), name


def test_index_form_at_indices(case):
    values = Values(case.samples[0])
    for name in case.some:
        assert close(values(gradient(case.derivation, name, "index")), case.expected[0][name]), name


def test_matrix_form(case):
    sample, expected = case.samples[0], case.expected[0]
    values = Values({}, {label: case.tensor(label, sample) for label in case.labels})
    for name in case.some:
        label = name.partition("[")[0]
        found = values(gradient(case.derivation, name, "matrix"))
        assert all_close(found, case.tensor(label, expected)), label


def test_batch_form(case):
    values = Values(
        {"N": MP.mpf(SAMPLES)}, {label: case.batch(label, case.samples) for label in case.labels}
    )
    for name in case.some:
        label = name.partition("[")[0]
        found = values(gradient(case.derivation, name, "batch"))
        assert all_close(found, batch_expected(case, label)), label


def batch_expected(case, label):
    """The mean over the samples for parameters; sample by sample for what lies between."""
    if label[0] not in "wb":
        return case.batch(label, case.expected)
    mean = {n: sum(e[n] for e in case.expected) / SAMPLES for n in case.oracle.parameters()}
    return case.tensor(label, mean)


# --- SymPy's own derivative of the flat loss ---

STRATIFIED = {
    *(
        Combination(a.name, CATALOG.losses[k % len(CATALOG.losses)].name, bool(k % 2))
        for k, a in enumerate(CATALOG.activations)
    ),
    *(Combination("sigmoid", loss.name, not k % 2) for k, loss in enumerate(CATALOG.losses)),
}
LONG = [
    pytest.param(c, marks=[] if c in STRATIFIED else pytest.mark.long, id=str(c))
    for c in COMBINATIONS
]


@pytest.mark.parametrize("combination", LONG)
def test_gradient_is_sympys(combination):
    case = Case(combination, widths=(2, 2, 2))
    loss, symbols = case.oracle.flat_loss()
    values = Values({name: case.samples[0][name] for name in symbols})
    quantities = Values(case.samples[0])
    for name in ("w1[1,2]", "w2[2,1]", *(["b1[2]"] if combination.bias else [])):
        wanted = values(loss.diff(symbols[name]))
        assert close(quantities(gradient(case.derivation, name)), wanted), name
        assert close(values(gradient(case.derivation, name, "weights")), wanted), name


# --- Kinks: the slope that the row states ---

KINKS = [(row, kink) for row in CATALOG.activations for kink in row.kinks]
LOSS_KINKS = [(row, kink) for row in CATALOG.losses for kink in row.kinks]


@pytest.mark.parametrize(("row", "kink"), KINKS, ids=lambda v: getattr(v, "name", ""))
def test_slope_at_a_kink_of_an_activation(row, kink):
    derivation = derived("1,1,1", activation=row.name)
    z = formula(kink.at)({}, ())
    a = formula(row.formula)({"z": z}, [z])
    values = Values({"z1[1]": z, "a1[1]": a, "delta2[1]": MP.mpf(1), "w2[1,1]": MP.mpf(1)})
    assert close(values(gradient(derivation, "delta1[1]")), formula(kink.slope)({}, ()))


@pytest.mark.parametrize(("row", "kink"), KINKS, ids=lambda v: getattr(v, "name", ""))
def test_slope_at_a_kink_in_the_weights_alone(row, kink):
    derivation = derived("1,1,1", activation=row.name)
    z = formula(kink.at)({}, ())
    given = {"x[1]": MP.mpf(1), "y[1]": MP.mpf(-3), "w1[1,1]": z, "w2[1,1]": MP.mpf(2)}
    error = 2 * formula(row.formula)({"z": z}, [z]) + 3
    found = Values(given)(gradient(derivation, "w1[1,1]", "weights"))
    assert close(found, 2 * error * formula(kink.slope)({}, ()))


@pytest.mark.parametrize(("row", "kink"), LOSS_KINKS, ids=lambda v: getattr(v, "name", ""))
def test_slope_at_a_kink_of_a_loss(row, kink):
    derivation = derived("1,1", loss=row.name)
    for y in (MP.mpf(1), MP.mpf(-1)):
        values = Values({"y[1]": y, "a1[1]": formula(kink.at)({"y": y}, ())})
        assert close(values(gradient(derivation, "a1[1]")), formula(kink.slope)({"y": y}, ()))


# --- The forms as they are written ---


def derived(layers, **options):
    return derive(build(parse_spec(layers, **options), CATALOG))


@pytest.fixture(scope="module")
def worked():
    """The network of the article, with biases."""
    return derived("2,2,2,1", bias=True)


def q(name):
    return sympy.Symbol(name)


def test_delta_form_is_written_in_symbols(worked):
    assert gradient(worked, "w1[1,2]") == q("delta1[1]") * q("x[2]")
    assert gradient(worked, "b2[1]") == q("delta2[1]")
    slope = q("a1[1]") * (1 - q("a1[1]"))
    above = q("delta2[1]") * q("w2[1,1]") + q("delta2[2]") * q("w2[2,1]")
    assert gradient(worked, "delta1[1]") == slope * above
    assert gradient(worked, "z1[1]") == gradient(worked, "delta1[1]")
    assert gradient(worked, "a1[1]") == above
    assert gradient(worked, "delta3[1]") == q("a3[1]") - q("y[1]")


def test_weights_form_is_what_one_writes_by_hand():
    found = gradient(derived("1,1,1"), "w1[1,1]", "weights")
    x, y, w1, w2 = q("x[1]"), q("y[1]"), q("w1[1,1]"), q("w2[1,1]")
    a = 1 / (1 + sympy.exp(-w1 * x))
    assert found == x * w2 * a * (1 - a) * (w2 * a - y)


def test_index_form_of_a_tensor_and_at_indices(worked):
    i, j = (sympy.Symbol(letter, integer=True) for letter in "ij")
    delta, x = sympy.IndexedBase("delta1"), sympy.IndexedBase("x")
    assert gradient(worked, "w1", "index") == delta[i] * x[j]
    assert gradient(worked, "w1[2,1]", "index") == delta[2] * x[1]


def test_matrix_form_is_written_in_matrix_symbols(worked):
    delta, x, a = (
        sympy.MatrixSymbol(name, n, 1) for name, n in (("delta1", 2), ("x", 2), ("a1", 2))
    )
    w2, above = sympy.MatrixSymbol("w2", 2, 2), sympy.MatrixSymbol("delta2", 2, 1)
    assert gradient(worked, "w1", "matrix") == delta * x.T
    ones = sympy.OneMatrix(2, 1)
    assert gradient(worked, "delta1", "matrix") == sympy.HadamardProduct(w2.T * above, ones - a, a)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "1/N*delta1.T*x"),
        ({"reduction": "sum"}, "delta1.T*x"),
        ({"orientation": "columns"}, "1/N*delta1*x.T"),
        ({"orientation": "columns", "reduction": "sum"}, "delta1*x.T"),
    ],
)
def test_batch_form_follows_the_spec(options, expected):
    assert str(gradient(derived("2,2,1", **options), "w1", "batch")) == expected


def test_recurrence_of_the_general_layer(worked):
    _, delta, w, b = recurrence(worked, worked.network.kind(1))
    assert str(delta.lhs) == "delta{l}[i]"
    assert str(delta.rhs) == "(1 - a{l}[i])*a{l}[i]*Sum(delta{l+1}[j]*w{l+1}[j, i], (j, 1, n{l+1}))"
    assert (str(w.rhs), str(b.rhs)) == ("a{l-1}[j]*delta{l}[i]", "delta{l}[i]")
    assert w.sizes == (size_symbol("n{l}"), size_symbol("n{l-1}"))


@pytest.mark.parametrize("sizes", ["i,j,k", "n,i,n0", "j,n0,i"])
def test_letters_never_meet_a_size(sizes):
    derivation = derived(sizes)
    found = gradient(derivation, "delta1", "index")
    letters = {limit[0].name for node in found.atoms(sympy.Sum) for limit in node.limits}
    free = {s for node in found.atoms(sympy.Indexed) for i in node.indices for s in i.free_symbols}
    assert letters
    assert not {s.name for s in free} & set(sizes.split(","))


def test_symbolic_sizes_have_an_index_and_a_matrix_form():
    derivation = derived("n0,n1,n2")
    assert "n2" in str(gradient(derivation, "delta1", "index"))
    assert gradient(derivation, "delta1", "matrix").shape == (size_symbol("n1"), 1)
    assert gradient(derivation, "w1[3,4]") == q("delta1[3]") * q("x[4]")


# --- Any index expression of two indices as a matrix ---

SHAPES = {"n": 2, "m": 3, "p": 4}
n, m, p = (size_symbol(size) for size in SHAPES)
i, j, k, l = (sympy.Symbol(letter, integer=True) for letter in "ijkl")
A, B, D, u, v = map(sympy.IndexedBase, "ABDuv")  # n×p, p×m, n×m, n, m


@pytest.mark.parametrize(
    ("rhs", "free"),
    [
        (u[i] * v[j], (i, j)),
        (u[i] * v[j], (j, i)),
        (sum_over(A[i, k] * B[k, j], k, p), (i, j)),
        (sum_over(A[i, k] * B[k, j], k, p) * v[j] + u[i], (i, j)),
        (sum_over(A[i, k] * sum_over(D[i, j] * B[k, j], j, m), i, n), (k,)),
        (u[l] * sum_over(u[i] * v[j], i, n), (l, j)),
        (u[i] + v[j] * sum_over(sum_over(A[l, k] * u[l], k, p), l, n), (i, j)),
        (v[j] * sum_over(u[i] ** 2, i, n) + 2, (j,)),
        (sum_over(sigmoid(u[i] + v[j]), j, m) - 1, (i,)),
        (select(u[i] - v[j], u[i], 3), (i, j)),
        (select(u[i], sigmoid(u[i]), u[i] ** 2) * v[j], (i, j)),
        (xlogy(v[j] ** 2, u[i] ** 2), (i, j)),
    ],
    ids=str,
)
def test_matrix_of_an_index_expression(rhs, free):
    numbers = random.Random(5)
    ranges = {"A": (2, 4), "B": (4, 3), "D": (2, 3), "u": (2, 1), "v": (3, 1)}
    matrices = {
        name: [[MP.mpf(numbers.randint(-50, 50)) / 17 for _ in range(columns)] for _ in range(rows)]
        for name, (rows, columns) in ranges.items()
    }
    point = dict(SHAPES)
    for name, rows in matrices.items():
        for r, row in enumerate(rows):
            for c, value in enumerate(row):
                point[f"{name}[{r + 1},{c + 1}]" if name in "ABD" else f"{name}[{r + 1}]"] = value
    sizes = tuple({i: n, l: n, j: m, k: p}[index] for index in free)
    equation = Equation(sympy.Indexed("T", *free), rhs, sizes)
    found = Values(point, matrices)(matrix_of(equation))
    values = Values(point)
    rows, columns = (*(SHAPES[str(size)] for size in sizes), 1)[:2]
    for r, c in product(range(rows), range(columns)):
        at = dict(zip(free, map(sympy.Integer, (r + 1, c + 1)), strict=False))
        assert close(found[r][c], values(rhs, at))


@pytest.mark.parametrize(
    "rhs",
    [
        sum_over(sympy.Indexed("C", i, j, k) * v[k], k, m),
        u[i] * sum_over(sum_over(A[l, k] * B[k, j], k, p), l, n) ** 2,
    ],
    ids=str,
)
def test_an_array_of_three_indices_has_no_matrix(rhs):
    with pytest.raises(UnsupportedError):
        matrix_of(Equation(sympy.Indexed("T", i, j), rhs, (n, m)))


# --- Paths, one by one ---


def test_path_factors_from_the_output_to_the_input(worked):
    reference = Reference("w", 1, (1, 2))
    found = path_factors(worked, reference, (1, 2, 1))
    assert [(str(f.numerator), str(f.denominator), str(f.value)) for f in found] == [
        ("L", "a3[1]", "a3[1] - y[1]"),
        ("a3[1]", "z3[1]", "1"),
        ("z3[1]", "a2[2]", "w3[1,2]"),
        ("a2[2]", "z2[2]", "a2[2]*(1 - a2[2])"),
        ("z2[2]", "a1[1]", "w2[2,1]"),
        ("a1[1]", "z1[1]", "a1[1]*(1 - a1[1])"),
        ("z1[1]", "w1[1,2]", "x[2]"),
    ]
    slopes = [str(f.slope) for f in found if f.slope is not None]
    assert slopes == ["sigmoid'(z2[2])", "sigmoid'(z1[1])"]


@pytest.mark.parametrize(
    ("options", "reference", "chain"),
    [
        ({}, Reference("b", 3, (1,)), "L/a3[1] a3[1]/z3[1] z3[1]/b3[1]"),
        ({}, Reference("a", 2, (2,)), "L/a3[1] a3[1]/z3[1] z3[1]/a2[2]"),
        ({}, Reference("delta", 3, (1,)), "L/a3[1] a3[1]/z3[1]"),
        ({}, Reference("a", 3, (1,)), "L/a3[1]"),
        (
            {"output_activation": "sigmoid", "loss": "binary_cross_entropy"},
            Reference("w", 3, (1, 1)),
            "L/z3[1] z3[1]/w3[1,1]",
        ),
        ({"loss": "softmax_cross_entropy"}, Reference("p", None, (1,)), "L/p[1]"),
        (
            {"activation": "softmax"},
            Reference("w", 2, (1, 1)),
            "L/a3[1] a3[1]/z3[1] z3[1]/a2[1] a2[1]/z2[1] z2[1]/w2[1,1]",
        ),
    ],
)
def test_first_path(options, reference, chain):
    derivation = derived("2,2,2,1", bias=True, **options)
    route = next(routes(derivation.network, reference))
    found = path_factors(derivation, reference, route)
    assert " ".join(f"{f.numerator}/{f.denominator}" for f in found) == chain


def test_paths_of_a_mixing_layer_go_through_every_pair():
    derivation = derived("2,2,3,1", activation="softmax")
    reference = Reference("w", 1, (1, 1))
    assert route_count(derivation.network, reference) == 2 * 3 * 3
    found = {route for route, _ in path_terms(derivation, reference)}
    assert len(found) == 18
    factors = path_factors(derivation, reference, (1, 2, 1, 3, 1))
    assert str(factors[3].value) == "-a2[1]*a2[3]"


# --- What is refused ---


@pytest.mark.parametrize(
    ("reference", "form", "error", "words"),
    [
        ("w1[1,1]", "pathz", SpecError, 'did you mean "paths"'),
        ("w4[1,1]", "delta", SpecError, "the layers are 1 to 3"),
        ("w1[3,1]", "delta", SpecError, "its indices run over 1 to 2, 1 to 2"),
        ("w1", "delta", SpecError, "has not the form"),
        ("b1[1]", "delta", SpecError, "no biases"),
        ("p[1]", "matrix", SpecError, "it is not derived"),
        ("x[1]", "delta", SpecError, "it is not derived"),
        ("L", "index", SpecError, "it is not derived"),
        ("dog", "index", SpecError, "unknown quantity"),
    ],
)
def test_refused(reference, form, error, words):
    with pytest.raises(error, match=re.escape(words)):
        gradient(derived("2,2,2,1"), reference, form)


@pytest.mark.parametrize(
    ("layers", "reference", "form", "words"),
    [
        ("2,40,40,1", "w1[1,1]", "weights", "1600 paths"),
        ("2,2,40,40,1", "w1[1,1]", "paths", "1600 paths to the loss; at most 1000"),
        ("2,4*1000,1", "w1[1,1]", "paths", "about 10^601 paths"),
        ("2,1*50,1", "w1[1,1]", "weights", "51 layers"),
        ("n0,n1,n2", "w1[1,1]", "paths", "n2 paths"),
        ("n0,n1,n2", "delta1[1]", "delta", "the size n2 is a symbol"),
        ("2,2,200000", "delta1[1]", "delta", "200000 terms"),
    ],
)
def test_too_long_to_write_out(layers, reference, form, words):
    with pytest.raises(UnsupportedError, match=re.escape(words)):
        gradient(derived(layers), reference, form)


def test_every_form_has_a_row_in_the_table():
    assert list(FORMS) == ["delta", "paths", "weights", "index", "matrix", "batch"]
