"""The scalar functions: folding, slopes against high-precision differences, stable atoms."""

import mpmath
import pytest
import sympy
from sympy import Expr, Float, Integer, Rational, Symbol, exp, log

from bpderive.errors import DerivationError
from bpderive.functions import (
    Abs,
    cosh,
    maximum,
    minimum,
    number,
    scalar_symbol,
    select,
    sigmoid,
    sign,
    signum,
    sinh,
    softplus,
    stable,
    tanh,
    to_sympy,
    total,
    xlogy,
)

Z, Y = scalar_symbol("z"), scalar_symbol("y")
HALF = Rational(1, 2)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (sigmoid(0), HALF),
        (softplus(0), log(2)),
        (select(1, Z, Y), Z),
        (select(0, Z, Y), Y),
        (select(-HALF, Z, Y), Y),
        (select(sympy.pi - 3, Z, Y), Z),
        (select(sympy.sqrt(2) + sympy.sqrt(3) - sympy.sqrt(5 + 2 * sympy.sqrt(6)), Z, Y), Y),
        (select(Z, Y, Y), Y),
        (xlogy(0, Z), Integer(0)),
        (xlogy(Z, 1), Integer(0)),
        (signum(Integer(3)), Integer(1)),
        (signum(Integer(-3)), Integer(-1)),
        (signum(Integer(0)), Integer(0)),
        (maximum(Integer(0), Z), select(Z, Z, 0)),
        (maximum(Z, Integer(0)), select(Z, Z, 0)),
        (minimum(Z, Integer(6)), select(6 - Z, Z, 6)),
        (minimum(Integer(6), Z), select(6 - Z, Z, 6)),
        (xlogy(Z, Integer(2)), Z * log(2)),
        (tanh(-Z) + sinh(-Z), -tanh(Z) - sinh(Z)),
        (cosh(-Z), cosh(Z)),
        (tanh(0) + sinh(0) + cosh(0), Integer(1)),
        (Abs(-2 * Z) + Abs(Abs(Z)), 3 * Abs(Z)),
        (Abs(1 - sympy.sqrt(2)), sympy.sqrt(2) - 1),
        (sign(1 - sympy.sqrt(2)) + sign(0), Integer(-1)),
        (sign(1 - Z), -sign(Z - 1)),
    ],
)
def test_constants_fold(made: Expr, expected: Expr) -> None:
    assert made == expected


@pytest.mark.parametrize("made", [sigmoid(Z), softplus(2), select(Z, 1, 0), xlogy(Z, Y), total(1)])
def test_everything_else_stays_as_it_is(made: Expr) -> None:
    assert len(made.args) >= 1
    assert type(made).__module__.startswith("bpderive.functions")


FORMS = [
    sigmoid(3 * Z),
    softplus(Z**2),
    select(Z - 1, Z**3, exp(Z)),
    xlogy(Z**2, 1 + Z**2),
    Z * tanh(softplus(Z)),
    select(Z, sigmoid(Z), softplus(-Z)) * Abs(Z + 2),
    signum(Z) * Z,
]


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("point", ["-2.7", "-0.6", "0.3", "1.9"])
def test_slopes_equal_differences_in_high_precision(form: Expr, point: str) -> None:
    with mpmath.workdps(50):
        at = mpmath.mpf(point)
        expected = mpmath.diff(sympy.lambdify(Z, to_sympy(form), "mpmath"), at)
        slope = form.diff(Z).evalf(50, subs={Z: Float(point, 50)})
        assert abs(mpmath.mpf(slope) - expected) < mpmath.mpf(10) ** -25


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_numbers_agree_with_the_standard_form(form: Expr) -> None:
    at = Float("0.7", 40)
    difference = form.subs(Z, at) - to_sympy(form).subs(Z, at)
    assert abs(difference) < Float("1e-35", 40)


def test_partial_slopes_add_up_to_the_slope() -> None:
    form = select(Z, Z**2, 3 * Z)
    parts = sum((form.fdiff(k + 1) * arg.diff(Z) for k, arg in enumerate(form.args)), Integer(0))
    for value in (-2, 0, 5):
        assert parts.subs(Z, value) == form.diff(Z).subs(Z, value)


def test_a_kink_takes_the_side_of_the_second_branch() -> None:
    assert select(Z, Z, 0).diff(Z).subs(Z, 0) == 0
    assert maximum(Z, Integer(0)).diff(Z).subs(Z, 0) == 0
    assert minimum(Z, Integer(0)).diff(Z).subs(Z, 0) == 0
    assert Abs(Z).diff(Z) == sign(Z)
    assert sign(Integer(0)) == 0


def test_numbers_are_right_where_they_are_tiny() -> None:
    assert abs(softplus(Integer(-800)).evalf(20) / exp(-800).evalf(20) - 1) < 1e-15
    assert abs(sigmoid(Integer(-800)).evalf(20) / exp(-800).evalf(20) - 1) < 1e-15


def test_total_has_no_scalar_slope() -> None:
    assert total(exp(Y)).diff(Z) == 0
    with pytest.raises(DerivationError, match="whole layer"):
        total(exp(Z)).diff(Z)


def test_number_sees_a_zero_in_disguise() -> None:
    assert number(sympy.sin(1) ** 2 + sympy.cos(1) ** 2 - 1) == 0
    assert number(Rational(2, 3)) == Rational(2, 3)
    assert number(sympy.pi) > 3


def test_scalar_symbols_are_real_and_made_once() -> None:
    assert scalar_symbol("z") is Z
    assert Z.is_real
    assert Symbol("z") != Z


@pytest.mark.parametrize(
    ("unstable", "expected"),
    [
        (log(1 + exp(Z)), softplus(Z)),
        (log(1 + exp(-2 * Z)), softplus(-2 * Z)),
        (1 / (1 + exp(-Z)), sigmoid(Z)),
        (1 / (1 + exp(Z)), sigmoid(-Z)),
        (exp(Z) / (1 + exp(Z)), sigmoid(Z)),
        (exp(Z + 1) / (1 + exp(Z + 1)), sigmoid(Z + 1)),
        (exp(Z) / (1 + exp(Z)) ** 2, sigmoid(Z) * sigmoid(-Z)),
        (exp(2 * Z) / (1 + exp(Z)) ** 3, sigmoid(Z) ** 2 * sigmoid(-Z)),
        (Z * tanh(log(1 + exp(Z))), Z * tanh(softplus(Z))),
        (log(sigmoid(Z)), -softplus(-Z)),
        (log(1 - 1 / (1 + exp(-Z))), -softplus(Z)),
        ((exp(Z) - exp(-Z)) / (exp(Z) + exp(-Z)), tanh(Z)),
        ((exp(-Z) - exp(Z)) / (exp(Z) + exp(-Z)), -tanh(Z)),
        ((1 - exp(-2 * Z)) / (1 + exp(-2 * Z)), tanh(Z)),
        ((exp(2 * Z) - 1) / (exp(2 * Z) + 1), tanh(Z)),
        (2 / (1 + exp(-Z)) - 1, 2 * sigmoid(Z) - 1),
        (exp(Z) / (2 + exp(Z)), exp(Z) / (2 + exp(Z))),
        (log(1 + Z), log(1 + Z)),
    ],
    ids=str,
)
def test_stable_atoms(unstable: Expr, expected: Expr) -> None:
    assert stable(unstable) == expected
    difference = (to_sympy(expected) - unstable).subs(Z, Rational(3, 7)).evalf(30)
    assert abs(difference) < 1e-25
