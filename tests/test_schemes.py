"""Schemes: their variances, and what is no scheme."""

import math

import pytest

from bpderive.errors import SpecError
from bpderive.flow.schemes import SCHEMES, TRUNCATED, scaled, scheme

VARIANCES = (
    ("normal", 1.0),
    ("uniform", 1 / 3),
    ("xavier", 2 / 12),
    ("xavier_uniform", 2 / 12),
    ("he", 2 / 5),
    ("he_uniform", 2 / 5),
    ("lecun", 1 / 5),
    ("orthogonal", 1 / 7),
    ("zero_residual", 2 / 5),
    ("fixup", 2 / 5),
    ("zeros", 0.0),
)


@pytest.mark.parametrize(("name", "variance"), VARIANCES)
def test_the_variance_of_a_weight_of_five_inputs_and_seven_outputs(name, variance):
    assert scheme(name).variance(5, 7) == pytest.approx(variance, rel=1e-15)


def test_the_variance_of_a_normal_distribution_cut_at_two_is_its_integral():
    steps = 20_000
    points = [-2 + 4 * (k + 0.5) / steps for k in range(steps)]
    density = [math.exp(-x * x / 2) for x in points]
    found = math.fsum(x * x * d for x, d in zip(points, density, strict=True)) / math.fsum(density)
    assert pytest.approx(found, rel=1e-7) == TRUNCATED


def test_a_scaled_scheme_has_both_deviations():
    found = scheme("scaled(1.5,0.1)")
    assert found.variance(9, 4) == pytest.approx(0.25)
    assert found.bias == pytest.approx(0.01)
    assert found.name == scaled(1.5, 0.1).name == "scaled(1.5,0.1)"
    assert scheme("scaled(2)").bias == 0


def test_every_scheme_is_found_by_its_name():
    assert all(scheme(name) is row for name, row in SCHEMES.items())


@pytest.mark.parametrize(
    "text", ["", "xaveir", "scaled()", "scaled(-1)", "scaled(1,2,3)", "scaled(e)", "scaled(1e999)"]
)
def test_what_is_no_scheme_is_refused(text):
    with pytest.raises(SpecError):
        scheme(text)


def test_a_misspelt_scheme_is_suggested():
    with pytest.raises(SpecError, match="xavier"):
        scheme("xaveir")
