"""How each form is written, path by path and letter by letter, and what is refused."""

import re

import pytest
import sympy
from networks import derived

from bpderive.errors import SpecError, UnsupportedError
from bpderive.forms import FORMS, gradient
from bpderive.forms.index_form import recurrence
from bpderive.forms.paths import path_factors, path_terms
from bpderive.forms.routes import route_count, routes
from bpderive.index import size_symbol
from bpderive.reference import Reference


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
