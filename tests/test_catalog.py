"""Every row of the catalogue: its closed forms and conventions proved from its definition.

The tests loop over the rows; a new row is tested without a line here.
"""

import random
import subprocess
import sys
from dataclasses import replace

import mpmath
import numpy as np
import pytest
import sympy
from sympy import Expr, Float

from bpderive.catalog import (
    CATALOG,
    Activation,
    Catalog,
    Kink,
    Loss,
    formula_activation,
    formula_loss,
)
from bpderive.errors import DerivationError, SpecError
from bpderive.formula import parse
from bpderive.functions import NUMERIC, scalar_symbol, select, softplus, tanh, to_sympy

Z, A, P, Y = (scalar_symbol(name) for name in "zapy")
ELEMENTWISE = [row for row in CATALOG.activations if row.elementwise]
USERS = [
    formula_activation(text)
    for text in ("z*tanh(log(1+exp(z)))", "log(z/(1+exp(-z)) + 2)", "exp(-z**2/2)", "z*sign(z)")
]
DIGITS, AGREE = 50, mpmath.mpf(10) ** -25
NEAR = sympy.Rational(1, 10**20)
RANGES = {
    "real": (-mpmath.inf, mpmath.inf),
    "unit": (0, 1),
    "signed_unit": (-1, 1),
    "nonnegative": (0, mpmath.inf),
    "positive": (0, mpmath.inf),
}
DOMAINS = {"real": (-3, 3), "unit": (0.02, 0.98), "positive": (0.02, 5)}
LABELS = {
    "real": (-3, 3),
    "binary": (0, 1),
    "sign": (-1, 1),
    "distribution": (0.02, 0.98),
    "count": (0, 5),
}


def _label(row: Activation | Loss) -> str:
    return f"{row.name}-{row.formula[:24]}"


def _points(seed: str, low: float, high: float, number: int = 12) -> list[str]:
    """Random decimals of thirty digits, so far from any kink."""
    source = random.Random(seed)
    return [
        f"{source.uniform(low, high):.12f}{source.randrange(10**17):017d}" for _ in range(number)
    ]


def _value(expr: Expr, **values: object) -> Expr:
    return expr.xreplace({scalar_symbol(name): sympy.sympify(v) for name, v in values.items()})


def _slope_at(row: Activation, at: Expr) -> Expr:
    """The row's slope at a point, with `a` by the row's own definition."""
    return _value(row.slope_expr, z=at, a=_value(row.definition, z=at))


# --- Activations ---


@pytest.mark.parametrize("row", ELEMENTWISE + USERS, ids=_label)
def test_slope_is_proved_from_the_definition(row: Activation) -> None:
    with mpmath.workdps(DIGITS):
        function = sympy.lambdify(Z, to_sympy(row.definition), "mpmath")
        for point in _points(row.name, -6, 6):
            expected = mpmath.diff(function, mpmath.mpf(point))
            found = mpmath.mpf(_slope_at(row, Float(point, DIGITS)).evalf(DIGITS))
            assert abs(found - expected) < AGREE * (1 + abs(expected))


@pytest.mark.parametrize("row", ELEMENTWISE + USERS, ids=_label)
def test_slope_equals_the_derivative_of_the_definition(row: Activation) -> None:
    derived = row.definition.diff(Z)
    for point in _points(row.formula, -6, 6, 4):
        at = Float(point, DIGITS)
        assert abs(_slope_at(row, at) - _value(derived, z=at)) < 1e-40


KINKS = [(row, kink) for row in CATALOG.activations for kink in row.kinks]


@pytest.mark.parametrize(("row", "kink"), KINKS, ids=[f"{r.name} at {k.at}" for r, k in KINKS])
def test_convention_at_a_kink_holds_exactly(row: Activation, kink: Kink) -> None:
    at, slope = parse(kink.at, ()), parse(kink.slope, ())
    assert _slope_at(row, at) == slope
    assert _value(row.definition.diff(Z), z=at) == slope
    left, right = (_slope_at(row, at + side) for side in (-NEAR, NEAR))
    assert abs(left - right) > 1e-3, "no kink here"


@pytest.mark.parametrize("row", ELEMENTWISE, ids=_label)
def test_every_kink_is_told(row: Activation) -> None:
    """Where a condition changes sides, the slope is continuous or the row names the point."""
    told = {parse(kink.at, ()) for kink in row.kinks}
    conditions = [node.args[0] for node in row.definition.atoms(select)]
    for at in {root for u in conditions for root in sympy.solve(u, Z)} - told:
        left, right = (_slope_at(row, at + side) for side in (-NEAR, NEAR))
        assert abs(left - right) < 1e-15


@pytest.mark.parametrize("row", ELEMENTWISE, ids=_label)
def test_values_lie_in_the_range(row: Activation) -> None:
    low, high = RANGES[row.range]
    for point in _points(f"range {row.name}", -9, 9):
        assert low <= mpmath.mpf(_value(row.definition, z=Float(point, 30)).evalf(30)) <= high


def _numpy(expr: Expr, **values: np.ndarray) -> np.ndarray:
    """Evaluated as generated code would, with stable atoms."""
    modules = {
        "select": lambda u, p, q: np.where(u > 0, p, q),
        "sigmoid": lambda u: np.exp(-np.logaddexp(0, -u)),
        "softplus": lambda u: np.logaddexp(0, u),
        "erf": np.vectorize(lambda u: float(mpmath.erf(u))),
    }
    names = tuple(values)
    with np.errstate(over="ignore"):
        call = sympy.lambdify([scalar_symbol(n) for n in names], expr, [modules, "numpy"])
        return np.asarray(call(*values.values()), dtype=float) + np.zeros(len(values[names[0]]))


@pytest.mark.parametrize("row", [*ELEMENTWISE, *USERS[:2]], ids=_label)
def test_no_overflow_turns_into_nan(row: Activation) -> None:
    z = np.array([-800.0, -30.0, 0.0, 30.0, 800.0])
    a = _numpy(row.definition, z=z)
    slope = _numpy(row.slope_expr, z=z, a=a)
    assert not np.isnan(a).any()
    assert not np.isnan(slope).any()
    exact = [float(_slope_at(row, sympy.Integer(int(v))).evalf(30)) for v in z[1:-1]]
    assert np.allclose(slope[1:-1], exact, rtol=1e-9, atol=1e-9)


def test_softmax_takes_in_the_whole_layer() -> None:
    row = CATALOG.activation("softmax")
    assert not row.elementwise
    assert row.slope is None
    with pytest.raises(DerivationError):
        _ = row.slope_expr
    assert [r.name for r in CATALOG.activations if not r.elementwise] == ["softmax"]


# --- Losses ---


@pytest.mark.parametrize("row", CATALOG.losses, ids=_label)
def test_loss_slope_equals_differences(row: Loss) -> None:
    argument = scalar_symbol(row.argument)
    slope = row.definition.diff(argument)
    assert slope != 0
    outputs = _points(row.name, *(DOMAINS["unit"] if row.stage else DOMAINS[row.domain]))
    with mpmath.workdps(DIGITS):
        for point, label in zip(outputs, _points(row.formula, *LABELS[row.label]), strict=True):
            y = Float(label, DIGITS)
            function = sympy.lambdify(argument, to_sympy(_value(row.definition, y=y)), "mpmath")
            expected = mpmath.diff(function, mpmath.mpf(point))
            found = mpmath.mpf(_value(slope, y=y, **{row.argument: Float(point, DIGITS)}))
            assert abs(found - expected) < AGREE * (1 + abs(expected))


LOSS_KINKS = [(row, kink) for row in CATALOG.losses for kink in row.kinks]


@pytest.mark.parametrize(
    ("row", "kink"), LOSS_KINKS, ids=[f"{r.name} at {k.at}" for r, k in LOSS_KINKS]
)
def test_convention_at_a_kink_of_a_loss(row: Loss, kink: Kink) -> None:
    slope = row.definition.diff(A)
    for y in (-1, 1):
        at = _value(parse(kink.at, ("y",)), y=y)
        assert _value(slope, a=at, y=y) == _value(parse(kink.slope, ("y",)), y=y)
        left, right = (_value(slope, a=at + h, y=y) for h in (-NEAR, NEAR))
        assert abs(left - right) > 1e-3, "no kink here"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("half_squared_error", A - Y),
        ("squared_error", 2 * A - 2 * Y),
        ("cross_entropy", -Y / A),
        ("binary_cross_entropy", (1 - Y) / (1 - A) - Y / A),
        ("poisson", 1 - Y / A),
        ("kl_divergence", -Y / A),
        ("softmax_cross_entropy", -Y / P),
        ("binary_cross_entropy_with_logits", parse("sigmoid(a) - y", ("a", "y"))),
    ],
)
def test_textbook_slopes(name: str, expected: Expr) -> None:
    row = CATALOG.loss(name)
    assert row.definition.diff(scalar_symbol(row.argument)) == expected


@pytest.mark.parametrize("name", ["cross_entropy", "binary_cross_entropy", "kl_divergence"])
def test_a_hard_label_needs_no_logarithm_of_zero(name: str) -> None:
    row = CATALOG.loss(name)
    assert _value(row.definition, y=0, a=0) == 0
    assert _value(CATALOG.loss("binary_cross_entropy").definition, y=1, a=1) == 0


@pytest.mark.parametrize("row", CATALOG.losses, ids=_label)
def test_what_a_loss_names_exists(row: Loss) -> None:
    if row.stage:
        assert not CATALOG.activation(row.stage).elementwise
    for name, remedy in row.refuses:
        assert CATALOG.activation(name).name == name
        assert "use the output activation" in remedy


# --- The catalogue as a value ---


def test_names_are_unique_words() -> None:
    for rows in (CATALOG.activations, CATALOG.losses):
        names = [row.name for row in rows]
        assert len(set(names)) == len(names)
        assert all(name.isidentifier() and name.islower() for name in names)


def test_importing_the_catalogue_does_not_import_sympy() -> None:
    code = "import sys; from bpderive.catalog import CATALOG; sys.exit('sympy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_formula_is_an_activation() -> None:
    row = CATALOG.activation(" z*tanh(log(1+exp(z))) ")
    assert (row.name, row.formula, row.slope) == ("f", "z*tanh(log(1+exp(z)))", None)
    assert row.definition == Z * tanh(softplus(Z))
    assert replace(row, name="g").slope_expr == row.slope_expr
    assert formula_activation("z**2", "h").name == "h"


def test_a_formula_is_a_loss() -> None:
    row = CATALOG.loss("(a-y)**4")
    assert row == formula_loss("(a-y)**4")
    assert row.definition.diff(A) == 4 * (A - Y) ** 3
    assert (row.combine, row.stage, row.argument) == ("sum", None, "a")


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        ("activation", "sigmod", 'did you mean "sigmoid"'),
        ("activation", "leaky-relu", 'did you mean "leaky_relu"'),
        ("activation", "ReLU", 'did you mean "relu"'),
        ("activation", "", "unknown activation"),
        ("activation", "__import__('os')", "column 12"),
        ("activation", "9**9**9**9", "column 7"),
        ("activation", "2*pi", "does not depend on z"),
        ("activation", "z-z", "does not depend on z"),
        ("activation", "a*(1-a)", 'unknown name "a"'),
        ("loss", "crossentropy", 'did you mean "cross_entropy"'),
        ("loss", "Softmax-Cross-Entropy", 'did you mean "softmax_cross_entropy"'),
        ("loss", "y**2", "does not depend on a"),
        ("loss", "sum((a-y)**2)", "one output"),
        ("loss", "(z-y)**2", 'unknown name "z"'),
    ],
)
def test_what_is_not_there_is_refused(kind: str, text: str, words: str) -> None:
    with pytest.raises(SpecError, match=words) as caught:
        getattr(CATALOG, kind)(text)
    assert all(problem.accepted for problem in caught.value.problems)


def test_a_catalogue_is_extended_as_a_value() -> None:
    cube, quartic = Activation("cube", "z**3", "3*z**2"), Loss("quartic", "(a-y)**4")
    extended = CATALOG.extended(cube, quartic)
    assert extended.activation("cube") is cube
    assert extended.loss("quartic") is quartic
    assert extended.activation("relu") is CATALOG.activation("relu")
    with pytest.raises(SpecError, match="cube"):
        CATALOG.activation("cube")
    assert Catalog().extended(cube).activations == (cube,)


@pytest.mark.parametrize("row", [Activation("relu", "z"), Loss("mse", "a-y")], ids=_label)
def test_a_name_is_taken_once(row: Activation | Loss) -> None:
    with pytest.raises(SpecError, match=f"{row.name} is there already"):
        CATALOG.extended(row)


def test_every_scalar_function_has_a_number() -> None:
    assert all(function.nargs for function in NUMERIC)
