"""Fixed points, critical lines, exact variances: against published values and mpmath."""

import math

import mpmath
import pytest
from sympy import Rational, Symbol

from bpderive.catalog import CATALOG, formula_activation
from bpderive.flow.derived import squares, variances
from bpderive.flow.fixed import critical, grid, phase


def row(name):
    return CATALOG.activation(name)


def integral(function, variance, cuts=()):
    """`E f(√variance u)` to 25 digits, by mpmath's own quadrature."""
    with mpmath.workdps(25):
        root = mpmath.sqrt(mpmath.mpf(variance))
        ends = [-12, -4, -1, *(mpmath.mpf(cut) / root for cut in cuts), 0, 1, 4, 12]
        return float(mpmath.quad(lambda u: function(root * u) * mpmath.npdf(u), sorted(ends)))


def sech2(z):
    return 1 - mpmath.tanh(z) ** 2


def test_the_critical_line_of_tanh_goes_through_the_published_point():
    """(σ_w², σ_b²) = (1.76, 0.05): L. Xiao et al., Dynamical isometry and a mean field theory of
    CNNs, ICML 2018, section 3."""
    found = critical(row("tanh"), math.sqrt(0.05))
    assert found**2 == pytest.approx(1.76, abs=0.005)


@pytest.mark.parametrize("sigma_b", [0.05, 0.3, 1.0])
def test_on_the_critical_line_both_equations_hold(sigma_b):
    sigma_w = critical(row("tanh"), sigma_b)
    q = phase(row("tanh"), sigma_w, sigma_b).q
    settled = sigma_w**2 * integral(lambda z: mpmath.tanh(z) ** 2, q) + sigma_b**2
    assert settled == pytest.approx(q, rel=1e-9)
    assert sigma_w**2 * integral(lambda z: sech2(z) ** 2, q) == pytest.approx(1, rel=1e-9)


KNOWN = (("tanh", 1.0), ("relu", math.sqrt(2)), ("linear", 1.0), ("hardtanh", 1.0))


@pytest.mark.parametrize(("name", "sigma_w"), KNOWN)
def test_without_biases_the_critical_deviations_are_the_published_ones(name, sigma_w):
    """tanh: S. Schoenholz et al., ICLR 2017, section 3; relu: K. He et al., ICCV 2015."""
    assert critical(row(name), 0.0) == pytest.approx(sigma_w, rel=1e-9)


def test_an_activation_that_never_keeps_a_gradient_has_no_critical_deviation():
    assert critical(row("softplus"), 0.5) is None


@pytest.mark.parametrize("sigma_w", [0.5, 1.3, 2.5])
def test_a_fixed_point_of_tanh_is_one_by_mpmath(sigma_w):
    found = phase(row("tanh"), sigma_w, 0.2)
    own = sigma_w**2 * integral(lambda z: mpmath.tanh(z) ** 2, found.q) + 0.04
    chi = sigma_w**2 * integral(lambda z: sech2(z) ** 2, found.q)
    assert own == pytest.approx(found.q, rel=1e-9)
    assert chi == pytest.approx(found.chi, rel=1e-9)
    assert found.depth == pytest.approx(1 / abs(math.log(chi)), rel=1e-6)
    assert found.order == ("ordered" if chi < 1 else "chaotic")


PHASES = (
    ("relu", math.sqrt(2), 0.0, (2.0, 1.0, math.inf, "critical")),
    ("relu", 1.0, 1.0, (2.0, 0.5, 1 / math.log(2), "ordered")),
    ("relu", 1.0, 0.0, (0.0, 0.5, 1 / math.log(2), "ordered")),
    ("relu", 2.0, 0.0, (None, 2.0, 1 / math.log(2), "chaotic")),
    ("tanh", 0.5, 0.0, (0.0, 0.25, 1 / math.log(4), "ordered")),
    ("tanh", 1.0, 0.0, (0.0, 1.0, math.inf, "critical")),
    ("exp", 1.0, 0.0, (None, None, None, None)),
    ("tanh", 0.0, 0.5, (0.25, 0.0, 0.0, "ordered")),
)


@pytest.mark.parametrize(("name", "sigma_w", "sigma_b", "expected"), PHASES)
def test_phases_that_are_known_exactly(name, sigma_w, sigma_b, expected):
    found = phase(row(name), sigma_w, sigma_b)
    for own, wanted in zip((found.q, found.chi, found.depth, found.order), expected, strict=True):
        assert own == (wanted if not isinstance(wanted, float) else pytest.approx(wanted, rel=1e-9))


def test_selu_has_its_published_fixed_point():
    """Variance 1 stays 1 with σ_w = 1: G. Klambauer et al., NIPS 2017, equation 14."""
    assert phase(row("selu"), 1.0, 0.0).q == pytest.approx(1, rel=1e-9)


def test_the_variances_of_he_and_xavier_follow():
    n, m = Symbol("n_in", positive=True), Symbol("n_out", positive=True)
    assert variances(row("relu")) == (2 / n, 2 / m, 4 / (n + m))
    assert variances(row("tanh")) == (1 / n, 1 / m, 2 / (n + m))
    assert variances(row("linear")) == (1 / n, 1 / m, 2 / (n + m))
    assert variances(row("sigmoid")) is None


def test_straight_lines_have_exact_mean_squares():
    slope = Rational(1, 100)
    assert squares(row("leaky_relu")) == ((1 + slope**2) / 2,) * 2
    assert squares(formula_activation("where(z > 0, 3*z, -z/2)")) == (Rational(37, 8),) * 2
    for name in ("tanh", "hardtanh", "elu", "softmax"):
        assert squares(row(name)) is None
    assert squares(formula_activation("max(z, 0) + 1")) is None


@pytest.mark.parametrize("sigma_w", [0.7, 1.4])
def test_the_grid_is_what_layers_one_by_one_give(sigma_w):
    bias, q, power = 0.09, sigma_w**2 + 0.09, 0.0
    wanted = []
    for _ in range(4):
        wanted.append(power / 2)
        taken = integral(lambda z: mpmath.tanh(z) ** 2, q)
        power += math.log10(sigma_w**2 * integral(lambda z: sech2(z) ** 2, q))
        q = sigma_w**2 * taken + bias
    ((*found,),) = grid(row("tanh"), (1, 2, 3, 4), (sigma_w,), 0.3)
    assert found == pytest.approx(wanted, abs=1e-9)
