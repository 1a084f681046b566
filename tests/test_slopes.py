"""The slope of one function: every step holds, and how steep it is at most is never exceeded."""

import random
import time
import tomllib
from itertools import pairwise
from pathlib import Path

import mpmath
import pytest
from sympy import (
    Expr,
    Float,
    Function,
    Integer,
    Rational,
    Symbol,
    cos,
    erf,
    exp,
    log,
    oo,
    pi,
    sin,
    sqrt,
)

import bpderive
from bpderive.catalog import CATALOG, formula_activation
from bpderive.document import SECTIONS, Request, build
from bpderive.document.slope_steps import STATEMENTS
from bpderive.flow.largest import bound_of
from bpderive.functions import (
    Abs,
    cosh,
    scalar_symbol,
    select,
    sigmoid,
    sinh,
    softplus,
    tanh,
    xlogy,
)
from bpderive.render import render
from bpderive.slopes.extrema import maximal_slope, maximum_of
from bpderive.slopes.intervals import program
from bpderive.slopes.known import KNOWN
from bpderive.slopes.nodes import primed
from bpderive.slopes.rules import RULES
from bpderive.slopes.steps import activation_steps, definition_steps, loss_steps
from bpderive.slopes.tails import tail
from bpderive.verify.arithmetic import MP
from bpderive.verify.formulas import COMPLEX, read

Z = scalar_symbol("z")
ELEMENTWISE = [row for row in CATALOG.activations if row.elementwise]
FORMULAS = [
    "z**3",
    "z**3 - 2*z",
    "z/sqrt(1 + z**2)",
    "z*exp(-z**2)",
    "exp(-z**2)",
    "sin(z)",
    "z + sin(z)",
    "z*sin(z)",
    "cos(2*z + 1)",
    "log(1 + z**2)",
    "1/(1 + z**2)",
    "z*exp(z)",
    "abs(z)",
    "max(z, 0)**2",
    "tanh(z)**3",
    "z*tanh(z)",
    "where(z**2 > 2, z, tanh(z))",
    "sigmoid(3*z + 1)",
    "log(z + sqrt(1 + z**2))",
    "z/(1 + exp(-1.702*z))",
    "sin(exp(z))",
    "exp(-exp(z))",
    "(1 + z**2)**(1/3)",
    "cosh(z)",
    "1/cosh(z)",
    "sinh(z)",
    "z*tanh(log(1 + exp(z)))",
    "2**z",
    "z**2*exp(-abs(z))",
    "min(max(z, -2), 3)",
    "erf(z)*z",
    "(sigmoid(z) + tanh(z))/2",
    "abs(tanh(z) - 1/2)",
    "tanh(z)*sigmoid(z)*cos(z)",
    "exp(tanh(z))/(2 + sin(z))",
    "(2 + cos(z))**tanh(z)",
    "z*z/(1 + abs(z))",
]
ROWS = [*ELEMENTWISE, *(formula_activation(text) for text in FORMULAS)]
IDS = [row.name for row in ELEMENTWISE] + FORMULAS
POINTS = ("-2.37", "-0.61", "0.43", "1.9")
STEP = mpmath.mpf(10) ** -18


def value(expr, x, at, definitions=()):
    """A number at 60 digits; what is primed, by a difference."""
    with mpmath.workdps(60):
        for node in expr.atoms(primed):
            ahead, behind = (value(node.expr, x, at + by, definitions) for by in (STEP, -STEP))
            expr = expr.xreplace({node: Float((ahead - behind) / (2 * STEP), 45)})
        for function, definition in definitions:
            expr = expr.xreplace({function(x): definition})
        return mpmath.mpf(expr.xreplace({x: Float(at, 60)}).evalf(50))


def agree(one, other):
    return abs(one - other) <= mpmath.mpf(10) ** -14 * (1 + abs(one))


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_every_step_of_an_activation_holds(row):
    own = [(Function(row.name), row.definition)]
    steps = activation_steps(row)
    for number in map(mpmath.mpf, POINTS):
        if row.name == "exp" and number < 0:
            continue
        direct = value(primed(row.definition, Z), Z, number)
        for step in steps:
            assert agree(value(step.before, Z, number, own), direct), step
            assert agree(value(step.after, Z, number, own), direct), step
            if step.factors:
                product = mpmath.mpf(1)
                for factor in step.factors:
                    product *= value(factor, Z, number, own)
                assert agree(product, direct), step


@pytest.mark.parametrize("row", CATALOG.losses, ids=[row.name for row in CATALOG.losses])
def test_every_step_of_a_loss_holds(row):
    x, y = scalar_symbol(row.argument), scalar_symbol("y")
    for number, label in (("0.3", "0.8"), ("0.7", "0.1")):
        steps, given = loss_steps(row), {y: Rational(label)}
        direct = value(primed(row.definition.xreplace(given), x), x, mpmath.mpf(number))
        for step in steps:
            for side in (step.before, step.after):
                found = value(side.xreplace(given), x, mpmath.mpf(number))
                assert agree(found, direct), step


@pytest.mark.parametrize("function", KNOWN, ids=lambda function: function.__name__)
def test_named_functions_are_what_they_are_said_to_be(function):
    for number in map(mpmath.mpf, POINTS):
        assert agree(value(KNOWN[function].definition(Z), Z, number), value(function(Z), Z, number))


def test_a_wrong_step_would_be_seen():
    wrong = -primed(1 + exp(-Z), Z) / (1 + exp(-Z))
    right = primed(1 / (1 + exp(-Z)), Z)
    assert not agree(value(wrong, Z, mpmath.mpf("0.4")), value(right, Z, mpmath.mpf("0.4")))


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_steps_join_end_to_end_and_are_a_handful(row):
    steps = activation_steps(row)
    assert not steps[-1].after.has(primed)
    assert len(steps) <= 12
    for one, other in pairwise(steps):
        assert one.after == other.before


def test_the_slope_of_sigmoid_in_the_textbook_s_steps():
    steps = definition_steps(sigmoid(Z), Z)
    assert [step.rule for step in steps] == [
        "reciprocal",
        "chain",
        "split_product",
        "add_subtract",
        "split_sum",
        "name",
    ]
    e = exp(-Z)
    assert steps[1].after == e / (1 + e) ** 2
    assert steps[2].factors == (1 / (1 + e), e / (1 + e))
    assert steps[-1].factors == (sigmoid(Z), 1 - sigmoid(Z))


def test_the_half_of_the_loss_meets_the_two():
    steps = loss_steps(CATALOG.loss("half_squared_error"))
    assert [step.rule for step in steps] == ["constant", "power", "multiply"]
    a, y = scalar_symbol("a"), scalar_symbol("y")
    assert steps[1].factors == (Rational(1, 2), 2 * a - 2 * y)
    assert steps[-1].after == a - y


@pytest.mark.parametrize("name", STATEMENTS)
def test_the_rules_as_they_are_stated_hold(name):
    """With u and v as functions of z, the table's two sides agree."""
    of, stated = STATEMENTS[name]
    parts = getattr(stated, "products", None) or (stated,)
    total = Integer(0)
    for part in parts:
        product = Integer(1)
        for factor in getattr(part, "factors", None) or (part.expr,):
            product = product * factor
        total = total + product
    u, v, c, n = (Symbol(letter, real=True) for letter in "uvcn")
    values = {u: 2 + tanh(Z), v: exp(Z / 3), c: Rational(7, 3), n: Integer(3)}
    named = {Function("f")(u): u**2, Function("f'")(u): 2 * u}

    def put_in(expr):
        return expr.xreplace(named).xreplace(values)

    at = mpmath.mpf("0.7")
    assert agree(value(primed(put_in(of), Z), Z, at), value(put_in(total), Z, at))


# --- Maxima ---


def slopes(text, numbers):
    """The slope of a formula at numbers, by complex steps of an independent reader."""
    function, step = read(text, COMPLEX), MP.mpf(10) ** -40
    for number in numbers:
        try:
            found = function({"z": MP.mpc(number, step)}, ())
        except (ArithmeticError, ValueError):
            continue
        yield number, mpmath.mpf(MP.mpc(found).imag / step)


def numbers():
    """Close together near 0, further apart far out; never at a kink."""
    yield from (mpmath.mpf(10) ** -9, -(mpmath.mpf(10) ** -9))
    for k in range(-500, 501):
        yield mpmath.mpf(k) / 77 + mpmath.mpf(1) / 1001
    for k in range(1, 60):
        yield from (6 + mpmath.mpf(k) ** 2 / 7, -6 - mpmath.mpf(k) ** 2 / 7)


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_a_maximal_slope_is_never_exceeded_and_is_attained(row):
    found = maximal_slope(row)
    if found.value is None:
        assert found.kind in ("unbounded", "open")
        return
    top = mpmath.mpf(found.value.evalf(30))
    seen = [abs(slope) for _, slope in slopes(row.formula, numbers())]
    assert max(seen) <= top * (1 + mpmath.mpf(10) ** -9)
    assert max(seen) >= top * (1 - mpmath.mpf(10) ** -3)
    if found.attained and found.at is not None:
        near = mpmath.mpf(found.at.evalf(30))
        beside = [near + by for by in (-(mpmath.mpf(10) ** -12), mpmath.mpf(10) ** -12)]
        there = max(abs(slope) for _, slope in slopes(row.formula, beside))
        assert abs(there - top) <= mpmath.mpf(10) ** -8 * top


EXACT = {
    "linear": (Integer(1), None, "constant"),
    "sigmoid": (Rational(1, 4), Integer(0), "square"),
    "tanh": (Integer(1), Integer(0), "square"),
    "relu": (Integer(1), None, "constant"),
    "leaky_relu": (Integer(1), None, "constant"),
    "elu": (Integer(1), Integer(0), "range"),
    "softplus": (Integer(1), oo, "range"),
    "gelu": (erf(1) / 2 + Rational(1, 2) + exp(-1) / sqrt(pi), sqrt(2), "stationary"),
    "hardtanh": (Integer(1), None, "constant"),
    "softsign": (Integer(1), Integer(0), "range"),
}


@pytest.mark.parametrize("name", EXACT)
def test_exact_maxima(name):
    top, at, argument = EXACT[name]
    found = maximal_slope(CATALOG.activation(name))
    assert (found.kind, found.exact, found.argument) == ("proved", True, argument)
    assert (found.value - top).expand() == 0
    if at is not None:
        assert found.at == at
    assert found.attained == (name != "softplus")


# SiLU: Elfwing, Uchibe, Doya (2018), section 2: the maximum of the slope is about 1.1, at z about
# 2.4. GELU: Lee (2023), A Mathematical Analysis and Performance Comparison of the GELU: 1.129.
# SELU: Klambauer et al. (2017): lambda times alpha. The other digits: mpmath at 50 digits.
PUBLISHED = {
    "silu": ("1.099839320128", "2.3993572805"),
    "gelu": ("1.128904145185", "1.4142135624"),
    "gelu_tanh": ("1.128993068662", "1.4185040088"),
    "mish": ("1.088498161247", "1.4905711795"),
    "selu": ("1.758099340847", "0"),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_maxima(name):
    top, at = map(float, PUBLISHED[name])
    found = maximal_slope(CATALOG.activation(name))
    assert found.kind == "proved"
    assert float(found.value) == pytest.approx(top, rel=1e-9)
    assert float(found.at) == pytest.approx(at, abs=1e-6)


@pytest.mark.parametrize("text", ["z**3", "exp(z)", "z*exp(z)", "cosh(z)", "2**z", "max(z, 0)**2"])
def test_what_grows_is_told_unbounded(text):
    found = maximal_slope(formula_activation(text))
    assert (found.kind, found.value) == ("unbounded", None)


@pytest.mark.parametrize("text", ["sin(z**3)", "z*sin(z)", "sin(exp(z))", "exp(z) - exp(z/2)*z"])
def test_what_has_no_bound_is_never_told_bounded(text):
    assert maximal_slope(formula_activation(text)).kind != "proved"


ODD = {
    "log(z)": "unbounded",
    "1/z": "unbounded",
    "1/(z-1)": "unbounded",
    "1/(z-1)**2": "unbounded",
    "1/(z**2-1)": "open",
    "1/(1+z**2)": "proved",
    "sqrt(z)": "unbounded",
    "sqrt(z-2)": "unbounded",
    "z**(1/3)": "unbounded",
    "z**(3/2)": "open",
    "z+1/z": "unbounded",
    "z-1/z**3": "open",
    "sign(z)": "proved",
    "sign(z)*abs(z)-5*z": "open",
    "z*log(z)": "open",
    "log(abs(z))": "unbounded",
    "log(1+abs(z))": "proved",
    "log(1+abs(z))+1/(1+abs(z))": "proved",
    "where(z>0, log(1+z)+1/(1+z), z)": "proved",
    "where(z>0, 1/z, z)": "unbounded",
    "where(z>1, log(z), z)": "proved",
    "where(z>-1, log(2+z), 1/(z-3))": "proved",
    "where(z>0, log(1+z)+1/(1+z)**2, 0)": "proved",
    "where(z>100, sin(z)/z, 0)": "open",
    "where(z>2, z*exp(-z), 0)": "proved",
    "1/sqrt(1+z**2)": "proved",
    "1/sqrt(1-z**2)": "open",
    "exp(1/z)": "open",
    "exp(-1/z**2)": "open",
    "sin(1/z)": "open",
    "sigmoid(log(z))": "open",
    "sin(z)/z": "open",
    "sin(z)*cos(z)": "open",
    "-tanh(z)": "proved",
    "z+sigmoid(z)": "proved",
    "z-sigmoid(z)": "proved",
    "1e20*tanh(z)": "proved",
    "1e-30*tanh(z)": "proved",
    "sigmoid(z-3)": "proved",
    "tanh(z*exp(z))": "open",
    "cosh(z)/z": "open",
    "1/sinh(z)": "open",
    "max(1/z, 0)": "open",
    "where(z>0, -tanh(z), z/2)": "proved",
    "where(z>0, tanh(z)/2, sin(z)/4)": "proved",
    "z/abs(z)": "open",
}
"""Poles, ends of domains, kinks, oscillations: how much is claimed of each."""


def differences(row):
    """Sizes of difference quotients over short real intervals, near whole numbers and apart."""
    rng, step = random.Random(5), mpmath.mpf(10) ** -15
    near = [k / 2 + by for k in range(-8, 9) for by in (-1e-6, 1e-6)]
    for at in [*near, *(rng.uniform(-9, 9) for _ in range(60)), -700.3, 150.7]:
        with mpmath.workdps(50):
            numbers = (Float(mpmath.mpf(at) + by, 50) for by in (-step, step))
            low, high = (row.definition.xreplace({Z: number}).evalf(40) for number in numbers)
            if low.is_Number and high.is_Number and low.is_finite and high.is_finite:
                yield abs(mpmath.mpf(high) - mpmath.mpf(low)) / (2 * step)


@pytest.mark.parametrize("text", ODD)
def test_what_is_told_proved_of_odd_formulas_is_never_exceeded(text):
    row = formula_activation(text)
    found, seen = maximal_slope(row), max(differences(row))
    assert found.kind == ODD[text]
    if found.value is not None:
        top = mpmath.mpf(found.value.evalf(30))
        assert seen <= top * (1 + mpmath.mpf(10) ** -9) + mpmath.mpf(10) ** -20
        assert seen <= mpmath.mpf(bound_of(row).evalf(30)) + mpmath.mpf(10) ** -20


@pytest.mark.parametrize("text", ODD)
def test_documents_of_odd_formulas_can_be_built(text):
    derivation = bpderive.derive(bpderive.network("2,2,1", activation=text))
    request = Request(sections=tuple(SECTIONS), level="full", figures=True, code="pass")
    for name in ("text", "markdown"):
        assert render(build(derivation, request), name)


def test_a_pole_that_is_missed_would_be_seen():
    assert max(differences(formula_activation("1/(z-1)"))) > 10**6


def test_where_convention_takes_no_maximum_none_is_said_to_be_taken():
    assert not maximal_slope(formula_activation("log(1+abs(z))")).attained
    assert maximal_slope(CATALOG.activation("elu")).attained


def test_at_the_end_of_a_piece_no_derivative_is_said_to_be_0():
    found = maximal_slope(formula_activation("where(z>2, z*exp(-z), 0)"))
    assert (found.argument, found.at, found.value) == ("end", 2, exp(-2))


NASTY = [
    "exp(exp(exp(z)))",
    "z**32",
    "((z**2 + 1)**16 + z)**2",
    "sin(1000000*z)",
    "tanh(1e30*z)",
    "1e-40*z + 1e40",
    "log(exp(z) + exp(-z))",
    "sqrt(1 + sqrt(1 + sqrt(1 + z**2)))",
    "*".join(f"(tanh(z) + {k})" for k in range(2, 12)),
    "abs(abs(abs(z**3 - z) - 1) - 1)",
    "where(sin(z) > 0, z, -z)",
    "max(max(max(z, z**2), z**3), z**4)",
    "1/(1 + exp(-z**3 + 1/(1 + z**2)))",
    "(1 + z**2)**sin(z)",
    "tanh(tanh(tanh(tanh(tanh(z)))))",
    "log(1 + exp(log(1 + exp(log(1 + exp(z))))))",
]


@pytest.mark.parametrize("text", NASTY)
def test_nasty_formulas_come_to_an_end(text):
    row = CATALOG.activation(text)
    start = time.perf_counter()
    found = maximal_slope(row)
    activation_steps(row)
    assert time.perf_counter() - start < 3
    assert found.kind in ("proved", "unbounded", "open")


def test_the_catalogue_s_maxima_are_quick():
    z, a = scalar_symbol("z"), scalar_symbol("a")
    exprs = [row.slope_expr.xreplace({a: row.definition}) for row in ELEMENTWISE]
    start = time.perf_counter()
    for expr in exprs:
        maximum_of(expr, z)
    assert time.perf_counter() - start < 0.2 * len(exprs)


# --- Intervals and tails ---

WORDS = (sigmoid, softplus, tanh, sinh, cosh, exp, Abs, erf, lambda u: u**3)


def drawn(rng, depth):
    """A random expression of z."""
    if depth == 0:
        return rng.choice([Z, Z, Integer(rng.randint(1, 4)), Rational(rng.randint(1, 9), 7)])
    one, other = drawn(rng, depth - 1), drawn(rng, depth - 1)
    kind = rng.randrange(6)
    if kind < 3:
        return rng.choice(WORDS)(one)
    return (one + other, one * other, select(one, other, one), one / (1 + other**2))[kind - 3]


def test_intervals_hold_every_value():
    rng = random.Random(1)
    checked = 0
    for _ in range(300):
        expr = drawn(rng, 3)
        if Z not in expr.free_symbols:
            continue
        code = program(expr, Z)
        middle, radius = rng.uniform(-3, 3), 10 ** rng.uniform(-6, 0.3)
        low, high = code((middle - radius, middle + radius))
        for _ in range(6):
            at = Float(rng.uniform(middle - radius, middle + radius), 40)
            number = expr.xreplace({Z: at}).evalf(25)
            if number.is_Float and abs(number) < 1e300:
                assert low <= float(number) * (1 + 1e-15) + 1e-300
                assert high >= float(number) * (1 - 1e-15) - 1e-300
                checked += 1
    assert checked > 1000


@pytest.mark.parametrize("radius", [1e-17, 1e-9, 1e-3])
def test_intervals_of_waves_near_their_zeros(radius):
    """The value in the middle and the radius cancel there."""
    for function, zero in ((sin, pi), (sin, 355 * pi), (cos, pi / 2), (sin, Integer(0))):
        code, at = program(function(Z), Z), float(zero)
        box = (at - radius, at + radius)
        low, high = code(box)
        for end in box:
            number = function(Float(end, 60)).evalf(40)
            assert Float(low, 40) <= number <= Float(high, 40)


def test_intervals_of_logarithms():
    for expr, box, at in ((log(Z), (0.5, 2), 1.3), (xlogy(Z, Z + 1), (0.0, 2.0), 0.7)):
        low, high = program(expr, Z)(box)
        assert low <= float(expr.xreplace({Z: Float(at)}).evalf()) <= high


@pytest.mark.parametrize("row", ROWS, ids=IDS)
@pytest.mark.parametrize("sign", [1, -1])
def test_tails_hold_every_value_far_out(row, sign):
    expr = row.slope_expr.xreplace({scalar_symbol("a"): row.definition}).xreplace({Z: sign * Z})
    found = tail(expr, Z, 8.0)
    if found is None or expr.has(select, Abs):
        return
    with mpmath.workdps(40):
        for at in (8, 8.5, 11, 20, 45):
            number = mpmath.mpf(expr.xreplace({Z: Float(at, 40)}).evalf(35))
            low, high = (
                sum(mpmath.mpf(c[end]) * at**k for k, c in enumerate(found.poly)) for end in (0, 1)
            )
            rest = found.rest.size * mpmath.mpf(at) ** found.rest.power
            rest *= mpmath.exp(-found.rest.rate * at)
            assert low - rest <= number <= high + rest


# --- Words ---


def test_every_rule_has_words():
    path = Path(__file__).parent.parent / "templates" / "locale" / "en.toml"
    words = tomllib.loads(path.read_text("utf-8"))
    assert {rule.id for rule in RULES} <= words["slope_rule"].keys()
    assert words["rule_name"].keys() == STATEMENTS.keys()
    for row in ROWS:
        for step in activation_steps(row):
            assert step.rule in words["slope_rule"]
        for part in maximal_slope(row).parts:
            named = "unbounded" if part.argument == "grows" else part.argument
            assert named in words["maximum"]


def test_expressions_only():
    assert all(isinstance(step.after, Expr) for row in ROWS for step in activation_steps(row))
