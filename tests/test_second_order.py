"""Second derivatives: against differences of the first ones, SymPy, and what textbooks know."""

import random

import mpmath
import pytest
import sympy
from sympy import Symbol, lambdify

import bpderive
from bpderive.errors import SpecError, UnsupportedError
from bpderive.forms.unrolled import unrolled
from bpderive.second.asking import standard
from bpderive.second.expanding import Expander, parsed
from bpderive.second.scalars import numeric_shapes

DIGITS = 40
STEP = mpmath.mpf(10) ** -15

PAIRS = (
    ("2,3,2", {"activation": "tanh", "bias": True}, "w1[1,2]", "w1[3,1]"),
    ("2,3,2", {"activation": "sigmoid", "bias": True}, "b1[2]", "w2[1,2]"),
    ("3,2:gelu,2:softmax", {"loss": "cross_entropy"}, "w1[2,3]", "w2[2,1]"),
    ("seq(3)x2, rnn(2):tanh, last, 1", {}, "u1[1,2]", "w1[2,1]"),
    ("2x5, conv(2,2,stride=2):tanh, flatten, 2", {}, "w1[2,1,2]", "w3[1,2]"),
    ("3, 2, layernorm, 2:softmax", {}, "w1[1,2]", "gamma2[2]"),
    ("seq(2)x2, attention, last, 1", {}, "W_q1[1,2]", "W_v1[2,1]"),
    ("seq(2)x2, lstm(2), last, 1", {}, "U_f1[1,2]", "W_g1[2,1]"),
    ("3, 3:tanh, dense(3,tie=1):tanh, 1", {}, "w1[1,2]", "w1[3,1]"),
)


def derived(layers, options):
    return bpderive.derive(bpderive.network(layers, **options))


def values(symbols, seed=3):
    """Random numbers for scalars; constants of layers are positive."""
    rng = random.Random(seed)
    positive = {"eps"}
    return {
        s: mpmath.mpf(rng.randint(1, 9)) / 7
        if str(s).startswith(tuple(positive))
        else mpmath.mpf(rng.randint(-9, 9)) / 7
        for s in symbols
    }


@pytest.mark.parametrize(("layers", "options", "first", "second"), PAIRS)
def test_an_entry_is_the_difference_quotient_of_the_gradient(layers, options, first, second):
    derivation = derived(layers, options)
    gradient = derivation.gradient(first, "weights")
    entry = derivation.hessian(first, second, "weights")
    symbols = sorted(gradient.free_symbols | entry.free_symbols, key=str)
    with mpmath.workdps(DIGITS):
        at = values(symbols)
        function = lambdify(symbols, [gradient, entry], "mpmath")
        up, down = ({**at, Symbol(second): at[Symbol(second)] + s} for s in (STEP, -STEP))
        slope = (function(*up.values())[0] - function(*down.values())[0]) / (2 * STEP)
        found = function(*at.values())[1]
        assert abs(found - slope) <= mpmath.mpf(10) ** -20 * (1 + abs(slope))
        assert abs(slope) > mpmath.mpf(10) ** -12, "a zero would prove nothing"


@pytest.mark.parametrize(("layers", "options", "first", "second"), PAIRS)
def test_the_hessian_is_symmetric(layers, options, first, second):
    derivation = derived(layers, options)
    one, two = (derivation.hessian(*pair, "weights") for pair in ((first, second), (second, first)))
    symbols = sorted(one.free_symbols | two.free_symbols, key=str)
    with mpmath.workdps(DIGITS):
        a, b = lambdify(symbols, [one, two], "mpmath")(*values(symbols).values())
        assert abs(a - b) <= mpmath.mpf(10) ** -30 * (1 + abs(a))


def test_the_hessian_of_softmax_with_cross_entropy_is_diag_p_minus_p_pT():
    derivation = derived("2,3:softmax", {"loss": "cross_entropy", "bias": True})
    p = {k: Symbol(f"a1[{k}]") for k in (1, 2, 3)}
    for i, first in p.items():
        for j, second in p.items():
            known = first * (int(i == j) - second)
            found = derivation.hessian(f"b1[{i}]", f"b1[{j}]")
            assert sympy.expand(found - known) == 0


def test_sympy_s_own_second_derivative_is_the_same():
    derivation = derived("2,2,1", {"activation": "tanh"})
    loss = derivation.gradient("w1[1,2]", "weights")
    theirs = loss.diff(Symbol("w2[1,1]"))
    ours = derivation.hessian("w1[1,2]", "w2[1,1]", "weights")
    assert sympy.simplify(theirs - ours) == 0


@pytest.mark.parametrize(("layers", "options", "_first", "_second"), PAIRS[:6])
def test_the_jvp_is_the_difference_quotient_of_the_outputs(layers, options, _first, _second):
    given = derived(layers, options).equations
    shapes = numeric_shapes(given)
    moved = {e.label: e for e in derived(layers, options).jvp()}
    every = {**{e.label: e for e in given.forward}, **moved}
    own = {f"t_{label}": shape for label, shape in shapes.items()}
    own |= {f"v_{label}": shape for label, shape in shapes.items()}
    at = (1,) * len(shapes[given.output])
    expander = Expander(every, {**shapes, **own})
    tangent = expander.whole(unrolled(moved[f"t_{given.output}"], at, {**shapes, **own}))
    output = Expander({e.label: e for e in given.forward}, shapes).element(given.output, at)
    tangent, output = (standard(e, given.activations) for e in (tangent, output))
    symbols = sorted(tangent.free_symbols | output.free_symbols, key=str)
    with mpmath.workdps(DIGITS):
        point = values(symbols)
        function = lambdify(symbols, [output, tangent], "mpmath")

        def shifted(step):
            return {
                s: v + step * point.get(Symbol(f"v_{s}"), mpmath.mpf(0)) for s, v in point.items()
            }

        up, down = (function(*shifted(s).values())[0] for s in (STEP, -STEP))
        slope, found = (up - down) / (2 * STEP), function(*point.values())[1]
        assert abs(found - slope) <= mpmath.mpf(10) ** -18 * (1 + abs(slope))
        assert abs(slope) > mpmath.mpf(10) ** -12


def test_the_vjp_of_one_output_is_its_gradient():
    derivation = derived("2,3,2", {"activation": "tanh"})
    given = derivation.equations
    found = {e.label: e for e in derivation.vjp()}
    shapes = numeric_shapes(given)
    more = {f"{mark}{label}": s for label, s in shapes.items() for mark in ("r_", "v_", "Jv_")}
    unit = {"v_a2": {Symbol("v_a2[2]"): sympy.Integer(1)}}
    table = {**found, **{e.label: e for e in given.forward}}
    product = Expander(table, {**shapes, **more}, unit).element("Jv_w1", (1, 2))
    output = Expander({e.label: e for e in given.forward}, shapes).element("a2", (2,))
    ours, theirs = (standard(e, given.activations) for e in (product, output))
    assert sympy.simplify(ours - theirs.diff(Symbol("w1[1,2]"))) == 0


@pytest.mark.parametrize(
    ("first", "second", "form", "told"),
    [
        ("w1[1,9]", "w1[1,1]", "delta", "w1[1,1] to w1[3,2]"),
        ("q1[1]", "w1[1,1]", "delta", "no quantity"),
        ("w1[1,1]", "w1[1,1]", "matrix", "unknown form"),
        ("", "w1[1,1]", "delta", "no quantity"),
    ],
)
def test_wrong_questions_are_told(first, second, form, told):
    with pytest.raises(SpecError, match=told.replace("[", r"\[")):
        derived("2,3,2", {}).hessian(first, second, form)


def test_symbolic_sizes_have_no_written_out_hessian():
    with pytest.raises(UnsupportedError, match="n0"):
        derived("n0,n1,1", {}).hessian("w1[1,1]", "w1[1,1]")


def test_references_are_parsed():
    assert parsed("w1[1,2]") == ("w1", (1, 2))
    assert parsed("L") == ("L", ())
