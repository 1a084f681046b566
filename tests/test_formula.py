"""Formulas from text: what they mean, what is refused and how, and that nothing takes long."""

import time

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Expr, Rational, cos, erf, exp, log, sin, sqrt

from bpderive.errors import SpecError
from bpderive.formula import FUNCTIONS, MAX_LENGTH, parse
from bpderive.functions import (
    Abs,
    cosh,
    scalar_symbol,
    select,
    sigmoid,
    sinh,
    softplus,
    tanh,
    total,
    xlogy,
)

Z, A, Y = (scalar_symbol(name) for name in "zay")

MEANINGS: list[tuple[str, Expr]] = [
    ("z", Z),
    (" z\n + 1\t", Z + 1),
    ("0.01*z", Z / 100),
    ("1e-3*z + .5", Z / 1000 + Rational(1, 2)),
    ("1.6732632423543772848170429916717", Rational("1.6732632423543772848170429916717")),
    ("1_000*z", 1000 * Z),
    ("-z**2", -(Z**2)),
    ("+z", Z),
    ("2**z**z", 2 ** (Z**Z)),
    ("z**-2", Z**-2),
    ("pi*e**z", sympy.pi * exp(Z)),
    ("z*tanh(log(1+exp(z)))", Z * tanh(softplus(Z))),
    ("1/(1+exp(-z))", sigmoid(Z)),
    ("exp(z)/(1+exp(z))", sigmoid(Z)),
    ("z*(1+erf(z/sqrt(2)))/2", Z * (1 + erf(Z / sqrt(2))) / 2),
    ("abs(z) + sqrt(z**2)", 2 * Abs(Z)),
    ("relu(z)", select(Z, Z, 0)),
    ("max(0, z)", select(Z, Z, 0)),
    ("max(z, 0)", select(Z, Z, 0)),
    ("min(z, 6)", select(6 - Z, Z, 6)),
    ("max(z, z**2)", select(Z - Z**2, Z, Z**2)),
    ("where(z > 1, z, 2)", select(Z - 1, Z, 2)),
    ("where(z < 1, z, 2)", select(1 - Z, Z, 2)),
    ("where(z >= 1, z, 2)", select(1 - Z, 2, Z)),
    ("where(z <= 1, z, 2)", select(Z - 1, 2, Z)),
    ("where(1 > 0, z, 2)", Z),
    ("sign(z)", select(Z, 1, select(-Z, -1, 0))),
    ("exp(z)/sum(exp(z))", exp(Z) / total(exp(Z))),
    ("xlogy(z, 2) + xlogy(0, z)", xlogy(Z, 2)),
    (
        "sin(z) + cos(z) + sinh(z) + cosh(z)",
        sum(f(Z) for f in (sin, cos, sinh, cosh)),
    ),
    ("log(exp(z))", Z),
]


@pytest.mark.parametrize(("text", "expected"), MEANINGS)
def test_meaning(text: str, expected: Expr) -> None:
    assert parse(text, ("z",)) == expected


def test_several_names() -> None:
    assert parse("-(y*log(a))", ("a", "y")) == -Y * log(A)


REFUSED = [
    ("", 1, "empty"),
    ("   ", 1, "empty"),
    ("__import__('os')", 12, "unexpected character"),
    ("__import__(z)", 1, "unknown function"),
    ("eval(z)", 1, "unknown function"),
    ("z.__class__", 1, "does not belong"),
    ("(lambda: 1)()", 8, "unexpected character"),
    ("'a'*10", 1, "unexpected character"),
    ("z[0]", 2, "unexpected character"),
    ("z^2", 2, r"a power is written \*\*"),
    ("z = 1", 3, "not a formula"),
    ("z == 1", 1, "only in where"),
    ("z > 0", 1, "only in where"),
    ("z := 1", 3, "unexpected character"),
    ("z, z", 1, "does not belong"),
    ("z if z > 0 else 0", 1, "does not belong"),
    ("z and z", 1, "does not belong"),
    ("not z", 1, "does not belong"),
    ("z // 2", 1, "does not belong"),
    ("z z", 3, "not a formula"),
    ("sigmoid(exp(z", 12, "not a formula"),
    ("z\0", 2, "unexpected character"),
    ("True*z", 1, "does not belong"),
    ("1j*z", 1, "does not belong"),
    ("2*sigmod(z)", 3, 'did you mean "sigmoid"'),
    ("1 + zz", 5, 'did you mean "z"'),
    ("z + w", 5, "unknown name"),
    ("nan", 1, "unknown name"),
    ("inf*z", 1, "unknown name"),
    ("exp", 1, "needs its argument"),
    ("exp(z, z)", 1, "takes 1 argument"),
    ("exp(*z)", 1, "takes 1 argument"),
    ("exp(x=z)", 1, "takes 1 argument"),
    ("max(z)", 1, "takes 2 arguments"),
    ("where(z > 0, 1)", 1, "takes 3 arguments"),
    ("where(z, 1, 2)", 7, "single comparison"),
    ("where(0 < z < 1, 1, 2)", 7, "single comparison"),
    ("where(z == 0, 1, 2)", 7, "does not belong"),
    ("z(z)", 1, "unknown function"),
    ("(z)(z)", 1, "unknown function"),
    ("\uff5a", 1, "unexpected character"),
    ("z + \u03b6", 5, "unexpected character"),
    ("z\u2212 1", 2, "unexpected character"),
    ("1/0", 3, "division by zero"),
    ("1 + z/(z - z)", 8, "division by zero"),
    ("z/(sin(1)**2 + cos(1)**2 - 1)", 4, "division by zero"),
    ("0**-1", 1, "not a real number"),
    ("(-2)**z", 2, "not a real number"),
    ("(-8)**(1/3)", 2, "not a real number"),
    ("sqrt(-2)", 1, "not a finite real number"),
    ("z*log(-1)", 3, "not a finite real number"),
    ("log(0)", 1, "not a finite real number"),
    ("log(sin(4))", 1, "not a finite real number"),
    ("1e999", 1, "out of range"),
    ("1e-999", 1, "out of range"),
    ("1e99999999999", 1, "out of range"),
    ("9" * 41, 1, "too long"),
    ("9**9**9**9", 7, "exponent"),
    ("z**33", 4, "exponent"),
    ("2**(z + 10**30)", 5, "exponent"),
    ("2**(1/9999999967)", 5, "exponent"),
    ("exp(10**30*log(2))", 5, "exponent"),
    ("e**(10**30*log(2))", 5, "exponent"),
    ("exp(z + 0.333333333333*log(12))", 5, "exponent"),
    ("exp(exp(exp(10)))", 5, "too large"),
    ("(((((2*z)**32)**32)**32)**32)**32", 4, "too large"),
    ("(z**32)**32", 1, "powers together"),
    ("((1 + 1e-39)**32)**32*z", 2, "too large"),
    ("-" * 400 + "z", None, "too deeply nested"),
    ("(" * 240 + "z" + ")" * 240, None, "nested"),
    ("(" * 10_000 + "z" + ")" * 10_000, MAX_LENGTH + 1, "20001 characters"),
    ("+".join("z" * 240), None, "too deeply nested"),
    ("max(z,z)*" * 55 + "z", None, "too large"),
]


@pytest.mark.parametrize(("text", "column", "words"), REFUSED, ids=[t[0][:30] for t in REFUSED])
@pytest.mark.filterwarnings("error")
def test_refusal_names_the_column_and_what_is_accepted(
    text: str, column: int | None, words: str
) -> None:
    began = time.perf_counter()
    with pytest.raises(SpecError, match=words) as caught:
        parse(text, ("z",))
    assert time.perf_counter() - began < 1.0
    (problem,) = caught.value.problems
    assert problem.accepted
    assert "column" in problem.where
    if column is not None:
        assert problem.where.endswith(f"column {column}")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("text", ["1(z)", "z if(1)else z", "1if z else 2", "0x1for x in z"])
def test_python_warnings_about_the_text_stay_unseen(text: str) -> None:
    with pytest.raises(SpecError):
        parse(text, ("z",))


def test_the_accepted_names_are_told() -> None:
    with pytest.raises(SpecError) as caught:
        parse("q", ("a", "y"))
    accepted = caught.value.problems[0].accepted
    assert "numbers, a, y, pi, e, " in accepted
    assert all(name in accepted for name in (*FUNCTIONS, "where"))


@settings(max_examples=200, deadline=2000, derandomize=True)
@given(st.text(alphabet="z01.e+-*/()<>=, \nexplogw'[]:λ", max_size=40))
def test_any_text_is_a_formula_or_a_spec_error(text: str) -> None:
    try:
        result = parse(text, ("z",))
    except SpecError:
        return
    assert isinstance(result, Expr)
    assert result.free_symbols <= {Z}


def _formulas() -> st.SearchStrategy[str]:
    leaf = st.sampled_from(["z", "0", "1", "2", "0.5", "1e30", "pi", "99999999999999999"])
    unary = [name for name, (arity, _) in FUNCTIONS.items() if arity == 1]

    def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.tuples(inner, st.sampled_from("+-*/^"), inner).map(
                lambda t: f"({t[0]}){t[1].replace('^', '**')}({t[2]})"
            ),
            st.tuples(st.sampled_from(unary), inner).map(lambda t: f"{t[0]}({t[1]})"),
            st.tuples(inner, inner, inner).map(lambda t: f"where({t[0]}>{t[1]},{t[1]},{t[2]})"),
        )

    return st.recursive(leaf, grow, max_leaves=8)


@settings(max_examples=150, deadline=2000, derandomize=True)
@given(_formulas())
def test_any_expression_is_finite_and_real_or_a_spec_error(text: str) -> None:
    try:
        result = parse(text, ("z",))
    except SpecError:
        return
    assert not result.has(sympy.I, sympy.nan, sympy.zoo, sympy.oo, -sympy.oo)
