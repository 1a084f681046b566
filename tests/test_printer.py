r"""The printed mathematics: rows written by hand from textbooks, and loops over every node."""

import math
from functools import cache
from itertools import product
from typing import ClassVar

import pytest
from sympy import (
    Abs,
    Expr,
    Function,
    Integer,
    KroneckerDelta,
    Rational,
    Sum,
    Symbol,
    cos,
    cosh,
    erf,
    exp,
    gamma,
    log,
    pi,
    sign,
    sin,
    sinh,
    sqrt,
    tanh,
)

from bpderive.catalog import CATALOG
from bpderive.derive import derive
from bpderive.errors import DerivationError, SpecError
from bpderive.forms import arrays
from bpderive.forms.arrays import Leaf, Node, lower
from bpderive.forms.scalar import at_indices, quantity
from bpderive.functions import scalar_symbol, select, sigmoid, softplus, total, xlogy
from bpderive.index import Equation, Partial, element, label_of, rename, size_symbol
from bpderive.network import build
from bpderive.notation import Setting, load
from bpderive.render import array_printer
from bpderive.render.latex_math import LatexMath
from bpderive.render.printer import METHODS, break_lines, width
from bpderive.render.unicode_math import UnicodeMath
from bpderive.slopes.nodes import at_most, norm, primed
from bpderive.spec import parse_spec

TEX, TEXT = LatexMath(load()), UnicodeMath(load())
PRINTERS = pytest.mark.parametrize("printer", [TEX, TEXT], ids=["latex", "unicode"])


def q(text):
    """A scalar by its reference text."""
    return Symbol(text)


def t(label, *indices):
    """An element of a tensor."""
    return element(label, indices)


def f(name, argument):
    return Function(name)(argument)


L, i, j, k, n = Symbol("L"), *(Symbol(f"_{c}", integer=True) for c in (1, 2, 3, 100_004))
z, a, y = map(scalar_symbol, "zay")
x1, y1, w1, w111 = q("x[1]"), q("y[1]"), q("w1[1,2]"), q("w1[1,12]")
a1, a3, z1 = q("a1[1]"), q("a3[1]"), q("z1[1]")
up, below, N = size_symbol("n{l+1}"), size_symbol("n{l-1}"), size_symbol("N")
delta1, delta2 = t("delta1", i), t("delta2", k)
path = (a3 - y1) * q("w3[1,1]") * q("a2[1]") * (1 - q("a2[1]")) * q("w2[1,1]") * a1 * (1 - a1) * x1

ROWS = [
    # quantities
    (w1, "w^{1}_{12}", "w¹₁₂"),
    (w111, "w^{1}_{1,12}", "w¹₁,₁₂"),
    (q("w12[3,4]"), "w^{12}_{34}", "w¹²₃₄"),
    (t("w{l}", i, j), r"w^{\ell}_{ij}", "wˡᵢⱼ"),
    (t("a{l-1}", j), r"a^{\ell-1}_{i}", "aˡ⁻¹ᵢ"),
    (t("x", j), "x_{i}", "xᵢ"),
    (t("p", i), r"\hat{y}_{i}", "ŷᵢ"),
    (size_symbol("n{l}"), r"n_{\ell}", "nₗ"),
    (size_symbol("n0"), "n_{0}", "n₀"),
    (size_symbol("h12"), "h_{12}", "h₁₂"),
    (size_symbol("n_hidden2"), r"n_{\mathrm{hidden},2}", "n_hidden₂"),
    (Symbol("{l}"), r"\ell", "ℓ"),
    # numbers
    (Rational(1, 100) * z, r"0.01\,z", "0.01z"),
    (2 * a - 2 * y, "2(a - y)", "2(a − y)"),
    ((a - y) ** 2 / 2, r"\tfrac{1}{2}(a - y)^{2}", "½(a − y)²"),
    (z + Rational(3, 2), r"z + \tfrac{3}{2}", "z + 3/2"),
    (sqrt(2) * z / 2, r"\frac{z}{\sqrt{2}}", "z/√2"),
    (sqrt(2) / (2 * sqrt(pi)), r"\frac{1}{\sqrt{2\pi}}", "1/√(2π)"),
    # terms
    (a3 - y1, "a^{3}_{1} - y_{1}", "a³₁ − y₁"),
    (-a3 + y1, "y_{1} - a^{3}_{1}", "y₁ − a³₁"),
    (1 - a1, "1 - a^{1}_{1}", "1 − a¹₁"),
    (1 + exp(-z), "1 + e^{-z}", "1 + exp(−z)"),
    (q("b1[1]") + w1 * q("x[2]") + q("w1[1,10]") * q("x[10]"),
     r"w^{1}_{12}\,x_{2} + w^{1}_{1,10}\,x_{10} + b^{1}_{1}",
     "w¹₁₂ x₂ + w¹₁,₁₀ x₁₀ + b¹₁"),
    # powers
    (1 - a1**2, "1 - (a^{1}_{1})^{2}", "1 − (a¹₁)²"),
    (1 - tanh(z) ** 2, r"1 - \tanh^{2}(z)", "1 − tanh²(z)"),
    # the order of factors
    (path,
     r"(a^{3}_{1} - y_{1})\,w^{3}_{11}\,a^{2}_{1}(1 - a^{2}_{1})\,w^{2}_{11}"
     r"\,a^{1}_{1}(1 - a^{1}_{1})\,x_{1}",
     "(a³₁ − y₁) w³₁₁ a²₁(1 − a²₁) w²₁₁ a¹₁(1 − a¹₁) x₁"),
    (delta1 * t("x", j), r"\delta^{1}_{i}\,x_{j}", "δ¹ᵢ xⱼ"),
    (f("sigmoid'", q("z2[1]")) * q("w3[1,1]") * q("delta3[1]"),
     r"\sigma'(z^{2}_{1})\,w^{3}_{11}\,\delta^{3}_{1}",
     "σ′(z²₁) w³₁₁ δ³₁"),
    (f("sigmoid'", t("z1", i)) * Sum(t("w2", k, i) * delta2, (k, 1, 2)),
     r"\sigma'(z^{1}_{i}) \sum_{k=1}^{2} w^{2}_{ki}\,\delta^{2}_{k}",
     "σ′(z¹ᵢ) Σₖ w²ₖᵢ δ²ₖ"),
    (t("a1", i) * Sum(t("w2", k, i) * delta2, (k, 1, 2)),
     r"a^{1}_{i} \sum_{k=1}^{2} w^{2}_{ki}\,\delta^{2}_{k}",
     "a¹ᵢ Σₖ w²ₖᵢ δ²ₖ"),
    (q("x[1]") * a1 * (1 - a1) * (q("w2[1,1]") * q("delta2[1]") + q("w2[2,1]") * q("delta2[2]")),
     r"(w^{2}_{11}\,\delta^{2}_{1} + w^{2}_{21}\,\delta^{2}_{2})\,a^{1}_{1}(1 - a^{1}_{1})\,x_{1}",
     "(w²₁₁ δ²₁ + w²₂₁ δ²₂) a¹₁(1 − a¹₁) x₁"),
    # sums: an input reads j, another index k; one term alone has no sign
    (Sum(t("w{l}", i, j) * t("a{l-1}", j), (j, 1, below)) + t("b{l}", i),
     r"\sum_{j=1}^{n_{\ell-1}} w^{\ell}_{ij}\,a^{\ell-1}_{j} + b^{\ell}_{i}",
     "Σⱼ wˡᵢⱼ aˡ⁻¹ⱼ + bˡᵢ"),
    (Sum((t("a3", i) - t("y", i)) ** 2, (i, 1, 2)) / 2,
     r"\frac{1}{2} \sum_{i=1}^{2} (a^{3}_{i} - y_{i})^{2}",
     "½ Σᵢ (a³ᵢ − yᵢ)²"),
    (Sum((t("a3", i) - t("y", i)) ** 2, (i, 1, 1)) / 2,
     r"\tfrac{1}{2}(a^{3}_{1} - y_{1})^{2}",
     "½(a³₁ − y₁)²"),
    (Sum(t("delta1", n, i) * t("x", n, j), (n, 1, N)) / N,
     r"\frac{1}{N} \sum_{n=1}^{N} \delta^{1}_{ni}\,x_{nj}",
     "1/N · Σₙ δ¹ₙᵢ xₙⱼ"),
    (t("a1", i) * (t("g1", i) - Sum(t("a1", k) * t("g1", k), (k, 1, 3))),
     r"a^{1}_{i} \left(g^{1}_{i} - \sum_{k=1}^{3} a^{1}_{k}\,g^{1}_{k}\right)",
     "a¹ᵢ(g¹ᵢ − Σₖ a¹ₖ g¹ₖ)"),
    (Sum(-xlogy(t("y", i), t("a3", i)) - xlogy(1 - t("y", i), 1 - t("a3", i)), (i, 1, 2)),
     r"-\sum_{i=1}^{2} (y_{i} \log a^{3}_{i} + (1 - y_{i}) \log(1 - a^{3}_{i}))",
     "−Σᵢ (yᵢ log a³ᵢ + (1 − yᵢ) log(1 − a³ᵢ))"),
    (Sum(KroneckerDelta(i, k) * t("y", k), (k, 1, 3)),
     r"\sum_{k=1}^{3} y_{k}\,\delta_{ik}",
     "Σₖ yₖ δᵢₖ"),
    # quotients and derivatives
    (Partial(L, t("z1", i)),
     r"\frac{\partial L}{\partial z^{1}_{i}}",
     "∂L/∂z¹ᵢ"),
    (Partial(L, z1) * Partial(z1, w1),
     r"\frac{\partial L}{\partial z^{1}_{1}}\,\frac{\partial z^{1}_{1}}{\partial w^{1}_{12}}",
     "∂L/∂z¹₁ · ∂z¹₁/∂w¹₁₂"),
    (Partial(L, a1) * exp(z1) / (1 + exp(z1)),
     r"\frac{\partial L}{\partial a^{1}_{1}}\,\frac{e^{z^{1}_{1}}}{1 + e^{z^{1}_{1}}}",
     "∂L/∂a¹₁ · exp(z¹₁)/(1 + exp(z¹₁))"),
    (-y1 / a3, r"-\frac{y_{1}}{a^{3}_{1}}", "−y₁/a³₁"),
    ((1 - y1) / (1 - a3) - y1 / a3,
     r"\frac{1 - y_{1}}{1 - a^{3}_{1}} - \frac{y_{1}}{a^{3}_{1}}",
     "(1 − y₁)/(1 − a³₁) − y₁/a³₁"),
    (exp(t("z2", i)) / Sum(exp(t("z2", k)), (k, 1, 3)),
     r"\frac{e^{z^{2}_{i}}}{\sum_{k=1}^{3} e^{z^{2}_{k}}}",
     "exp(z²ᵢ)/(Σₖ exp(z²ₖ))"),
    (2 * (t("a2", i) - t("y", i)) / size_symbol("n2"),
     r"\frac{2}{n_{2}}\,(a^{2}_{i} - y_{i})",
     "2/n₂ · (a²ᵢ − yᵢ)"),
    # select
    (select(z, 1, 0), r"\lbrack z > 0 \rbrack", "[z > 0]"),
    (select(z, z, 0), r"\max(0, z)", "max(0, z)"),
    (select(1 - Abs(a - y), 1, 0), r"\lbrack \lvert a - y \rvert < 1 \rbrack", "[|a − y| < 1]"),
    (select(a - y, 1, 0), r"\lbrack a > y \rbrack", "[a > y]"),
    (select(z, z, z / 100),
     r"\begin{cases} z & z > 0 \\ 0.01\,z & z \le 0 \end{cases}",
     "z [z > 0] + 0.01z [z ≤ 0]"),
    (select(1 - z, select(z + 1, z, -1), 1),
     r"\begin{cases} 1 & z \ge 1 \\ z & -1 < z < 1 \\ -1 & z \le -1 \end{cases}",
     "[z ≥ 1] + z [−1 < z < 1] − [z ≤ −1]"),
    (select(1 - z, select(z + 1, 1, 0), 0),
     r"\lbrack -1 < z < 1 \rbrack",
     "[−1 < z < 1]"),
]  # fmt: skip


@pytest.mark.parametrize(("expr", "latex", "text"), ROWS, ids=[row[2] for row in ROWS])
def test_rows_written_by_hand(expr, latex, text):
    assert TEX.expr(expr) == latex
    assert TEXT.expr(expr) == text


FUNCTIONS = [
    (sigmoid(z), r"\sigma(z)", "σ(z)"),
    (softplus(z), r"\mathrm{softplus}(z)", "softplus(z)"),
    (xlogy(y, a), r"y \log a", "y log a"),
    (total(exp(z)), r"\sum e^{z}", "Σ exp(z)"),
    (select(z, a, y), r"\begin{cases} a & z > 0 \\ y & z \le 0 \end{cases}",
     "a [z > 0] + y [z ≤ 0]"),
    (Abs(a - y), r"\lvert a - y \rvert", "|a − y|"),
    (sign(a - y), r"\mathrm{sign}(a - y)", "sign(a − y)"),
    (select(z, 1, select(-z, -1, 0)), r"\mathrm{sign}(z)", "sign(z)"),
    (erf(z), r"\mathrm{erf}(z)", "erf(z)"),
    (exp(z / 2), r"e^{\frac{1}{2}\,z}", "exp(½z)"),
    (log(z), r"\log z", "log z"),
    (log(1 + z), r"\log(z + 1)", "log(z + 1)"),
    (sqrt(z), r"\sqrt{z}", "√z"),
    *((g(z), rf"\{g.__name__}(z)", f"{g.__name__}(z)") for g in (sin, cos, sinh, cosh, tanh)),
    (f("f", z), "f(z)", "f(z)"),
    (f("f1", z), "f_{1}(z)", "f₁(z)"),
    (f("relu'", z), r"\mathrm{ReLU}'(z)", "ReLU′(z)"),
    (f("my_own", z), r"\mathrm{my}_{\mathrm{own}}(z)", "my_own(z)"),
    (primed(1 + z, z), "(z + 1)'", "(z + 1)′"),
    (z * primed(z, z), "z\\,z'", "z z′"),
    (norm(Symbol("w{l}"), Integer(2)), r"\lVert \mathbf{W}^{\ell} \rVert", "‖Wˡ‖"),
    (at_most(Abs(z), 1 / z), r"\lvert z \rvert \le \frac{1}{z}", "|z| ≤ 1/z"),
]  # fmt: skip


@pytest.mark.parametrize(("expr", "latex", "text"), FUNCTIONS, ids=[r[2] for r in FUNCTIONS])
def test_functions(expr, latex, text):
    assert TEX.expr(expr) == latex
    assert TEXT.expr(expr) == text


def test_every_node_has_a_row():
    seen = {type(node) for expr, *_ in ROWS + FUNCTIONS for node in _nodes(expr)}
    kinds = {kind for node in seen for kind in node.__mro__}
    missing = {kind.__name__ for kind in METHODS} - {kind.__name__ for kind in kinds}
    conditions = {"bracket", "first_largest", "fixed", "merged", "Mod", "floor"}
    assert missing <= {"Exp1"} | conditions  # these in test_general_printing


def _nodes(expr):
    yield expr
    for arg in expr.args:
        yield from _nodes(arg)


@PRINTERS
@pytest.mark.parametrize("row", CATALOG.activations + CATALOG.losses, ids=lambda row: row.name)
def test_the_catalogue_prints(row, printer):
    assert printer.expr(row.definition)
    if hasattr(row, "slope") and row.elementwise:
        assert printer.expr(row.slope_expr)
        assert printer.expr(row.definition.diff(z))


@PRINTERS
@pytest.mark.parametrize(
    "expr",
    [gamma(z), Symbol("nonsense"), Symbol("q7[1]"), Integer(1) < z, t("bogus1", i)],
    ids=str,
)
def test_unknown_nodes_raise(expr, printer):
    with pytest.raises(DerivationError):
        printer.expr(expr)


@PRINTERS
def test_unknown_arrays_raise(printer):
    with pytest.raises(DerivationError):
        printer.array(Node((i, j)))
    with pytest.raises(DerivationError):
        printer.array(Leaf((i, j, k), "w1"))


@pytest.mark.parametrize("name", ["50%", "a b", "a$", r"\x"])
def test_no_name_reaches_latex_unescaped(name):
    with pytest.raises(DerivationError):
        TEX.expr(f(name, z))


# --- Letters ---


def test_the_letters_of_free_indices_are_the_callers():
    expr = t("delta1", i) * t("x", j)
    assert TEXT.expr(expr, {i: "k", j: "m"}) == "δ¹ₖ xₘ"
    assert load().letters_for((n, i), samples=True) == {n: "n", i: "i"}


def test_nested_sums_do_not_share_letters_and_disjoint_ones_may():
    nested = Sum(t("w2", i, j) * Sum(t("w1", j, k) * t("x", k), (k, 1, 2)), (j, 1, 2))
    assert TEXT.expr(nested) == "Σⱼ w²ᵢⱼ Σₖ w¹ⱼₖ xₖ"
    disjoint = t("y", i) + Sum(t("a1", j), (j, 1, 2)) * Sum(t("z1", k), (k, 1, 2))
    assert TEXT.expr(disjoint) == "yᵢ + (Σₖ a¹ₖ) Σₖ z¹ₖ"


def test_no_index_has_the_letter_of_a_size():
    printer = UnicodeMath(load().fitted(Setting(sizes=frozenset("jk"))))
    size = size_symbol("k")
    assert printer.expr(Sum(t("y", j), (j, 1, size)) + size * t("y", i)) == "k yᵢ + Σₚ yₚ"


def test_too_few_letters_raise():
    with pytest.raises(DerivationError, match="letters"):
        load().letters_for(range(99))


def test_an_unknown_notation_is_answered():
    with pytest.raises(SpecError, match="article"):
        load("artikle")


# --- Arrays ---

BIAS = {"bias": True}
EQUATIONS = [
    (BIAS, "z", 1, r"\mathbf{W}^{1}\,\mathbf{x} + \mathbf{b}^{1}",
     "W¹ x + b¹", "X W¹ᵀ + 𝟏 b¹ᵀ", "W¹ X + b¹ 𝟏ᵀ"),
    ({}, "a", 1, r"\sigma(\mathbf{z}^{1})", "σ(z¹)", "σ(Z¹)", "σ(Z¹)"),
    ({}, "L", 3, r"\tfrac{1}{2}\,\lVert \mathbf{a}^{3} - \mathbf{y} \rVert^{2}",
     "½‖a³ − y‖²", "½‖A³ − Y‖²", "½‖A³ − Y‖²"),
    ({}, "delta", 3, r"\mathbf{a}^{3} - \mathbf{y}", "a³ − y", "A³ − Y", "A³ − Y"),
    ({}, "delta", 1,
     r"((\mathbf{W}^{2})^{\mathsf{T}}\,\boldsymbol{\delta}^{2}) \odot \sigma'(\mathbf{z}^{1})",
     "(W²ᵀ δ²) ⊙ σ′(z¹)", "(Δ² W²) ⊙ σ′(Z¹)", "(W²ᵀ Δ²) ⊙ σ′(Z¹)"),
    ({}, "dW", 1, r"\boldsymbol{\delta}^{1}\,\mathbf{x}^{\mathsf{T}}",
     "δ¹ xᵀ", "Δ¹ᵀ X", "Δ¹ Xᵀ"),
    ({}, "dW", 2, r"\boldsymbol{\delta}^{2}\,(\mathbf{a}^{1})^{\mathsf{T}}",
     "δ² a¹ᵀ", "Δ²ᵀ A¹", "Δ² A¹ᵀ"),
    (BIAS, "db", 2, r"\boldsymbol{\delta}^{2}", "δ²", "Δ²ᵀ 𝟏", "Δ² 𝟏"),
    ({"activation": "softmax"}, "delta", 1,
     r"(\mathbf{g}^{1} - \mathbf{1}\,(\mathbf{a}^{1})^{\mathsf{T}}\,\mathbf{g}^{1})"
     r" \odot \mathbf{a}^{1}",
     "(g¹ − 𝟏 a¹ᵀ g¹) ⊙ a¹", "(G¹ − (G¹ ⊙ A¹) 𝟏 𝟏ᵀ) ⊙ A¹", "(G¹ − 𝟏 𝟏ᵀ (G¹ ⊙ A¹)) ⊙ A¹"),
    ({"activation": "softmax"}, "a", 1,
     r"\frac{\exp(\mathbf{z}^{1})}{\mathbf{1}^{\mathsf{T}}\,\exp(\mathbf{z}^{1})}",
     "exp(z¹)/(𝟏ᵀ exp(z¹))", "exp(Z¹) ⊘ (exp(Z¹) 𝟏 𝟏ᵀ)", "exp(Z¹) ⊘ (𝟏 𝟏ᵀ exp(Z¹))"),
    ({"loss": "cross_entropy", "output_activation": "sigmoid"}, "L", 3,
     r"-\mathbf{y}^{\mathsf{T}} \log \mathbf{a}^{3}",
     "−yᵀ log a³", "−𝟏ᵀ (Y ⊙ log A³) 𝟏", "−𝟏ᵀ (Y ⊙ log A³) 𝟏"),
    ({"loss": "poisson", "output_activation": "exp"}, "L", 3,
     r"\mathbf{1}^{\mathsf{T}}\,(\mathbf{a}^{3} - \mathbf{y} \odot \log \mathbf{a}^{3})",
     "𝟏ᵀ (a³ − y ⊙ log a³)", "𝟏ᵀ (A³ − Y ⊙ log A³) 𝟏", "𝟏ᵀ (A³ − Y ⊙ log A³) 𝟏"),
]  # fmt: skip


@cache
def _network(layers="2,3,4,2", **options):
    return derive(build(parse_spec(layers=layers, **options), CATALOG))


def _node(derivation, name, layer, *, batch, columns):
    """The right-hand side of a named equation as an array expression, and its left-hand side."""
    network = derivation.network
    graph = network.graph(network.kind(layer, batch=batch))
    letter = {"delta": "z", "dW": "w", "db": "b"}.get(name)
    if letter is not None:
        equation = derivation.at(layer, batch=batch)[letter].shown
    else:
        loss = "S" if batch else "L"
        equation = graph.by_label[loss if name == "L" else f"{name}{{l}}"]
    order = equation.indices
    if columns and letter not in ("w", "b"):
        order = order[::-1]
    return lower(equation.rhs, order, columns=columns), network.names(layer)


@pytest.mark.parametrize(
    "row",
    EQUATIONS,
    ids=[f"{row[1]}{row[2]}-{'-'.join(map(str, row[0].values()))}" for row in EQUATIONS],
)
def test_arrays(row):
    options, name, layer, latex, one, rows, columns = row
    derivation = _network(**options)
    node, names = _node(derivation, name, layer, batch=False, columns=False)
    assert TEX.array(node, names) == latex
    assert TEXT.array(node, names) == one
    for expected, flip in ((rows, False), (columns, True)):
        node, names = _node(derivation, name, layer, batch=True, columns=flip)
        assert TEXT.array(node, names) == expected


LEAVES = [
    ("w{l}", 2, r"\mathbf{W}^{\ell}", "Wˡ"),
    ("delta1", 2, r"\boldsymbol{\Delta}^{1}", "Δ¹"),
    ("delta1", 1, r"\boldsymbol{\delta}^{1}", "δ¹"),
    ("p", 2, r"\hat{\mathbf{Y}}", "Ŷ"),
    ("p", 1, r"\hat{\mathbf{y}}", "ŷ"),
    ("L", 0, "L", "L"),
    ("dW1", 2, r"\frac{\partial L}{\partial \mathbf{W}^{1}}", "∂L/∂W¹"),
    ("db2", 1, r"\frac{\partial L}{\partial \mathbf{b}^{2}}", "∂L/∂b²"),
]


@pytest.mark.parametrize(("label", "axes", "latex", "text"), LEAVES)
def test_leaves(label, axes, latex, text):
    leaf = Leaf((i, j)[:axes], label)
    assert TEX.array(leaf) == latex
    assert TEXT.array(leaf) == text


CASES = [
    *((row.name, "linear", "half_squared_error") for row in CATALOG.activations),
    *(("sigmoid", "linear", row.name) for row in CATALOG.losses),
    *(
        ("tanh", output, row.name)
        for row in CATALOG.losses
        for output in ("sigmoid", "softmax")
        if output not in dict(row.refuses)
    ),
]


@PRINTERS
@pytest.mark.parametrize(("hidden", "output", "loss"), CASES)
def test_every_derivation_prints_in_every_form(hidden, output, loss, printer):
    derivation = _network(
        "2,3,2", activation=hidden, output_activation=output, loss=loss, bias=True
    )
    for layer in (1, 2):
        names = derivation.network.names(layer)
        for batch in (False, True):
            found = derivation.at(layer, batch=batch).values()
            kind = derivation.network.kind(layer, batch=batch)
            equations = [*derivation.network.graph(kind).equations, *(d.result for d in found)]
            shown = [step.after for derived in found for step in derived.steps]
            for expr in [*shown, *(side for e in equations for side in (e.lhs, e.rhs))]:
                assert printer.expr(rename(expr, names))
            for equation in equations:
                for columns in (False, True):
                    order = _order(equation, columns=columns)
                    assert printer.array(lower(equation.rhs, order, columns=columns), names)


def _order(equation, *, columns):
    parameter = isinstance(equation.lhs, Partial) and label_of(equation.lhs.args[1])[0] in "wb"
    return equation.indices[::-1] if columns and not parameter else equation.indices


def test_every_array_node_is_printed():
    kinds = [kind for kind in vars(arrays).values() if isinstance(kind, type)]
    nodes = {kind for kind in kinds if issubclass(kind, Node)} - {Node}
    assert nodes == set(array_printer.METHODS)


# --- Many lines at once ---


@PRINTERS
@pytest.mark.parametrize("letter", ["w", "b", "z"])
@pytest.mark.parametrize("layer", [1, 2])
def test_lines_are_those_of_each_instance(letter, layer, printer):
    derivation = _network("12,11,2", bias=True, activation="relu")
    names = derivation.network.names(layer)
    result = derivation.at(layer)[letter].result
    lhs, rhs = (rename(side, names) for side in (result.lhs, result.rhs))
    sizes = [int(rename(size, names)) for size in result.sizes]
    lines = "".join(printer.lines(lhs, rhs, result.indices, sizes)).splitlines()
    assert lines == [
        f"{printer.expr(lhs.xreplace(at))} = {printer.expr(rhs.xreplace(at))}"
        for at in _values(result.indices, sizes)
    ]


def _values(indices, sizes):
    for at in product(*(range(1, size + 1) for size in sizes)):
        yield dict(zip(indices, map(Integer, at), strict=True))


@PRINTERS
def test_lines_are_those_of_the_scalar_form(printer):
    rhs = t("delta1", i) * t("x", j)
    lines = "".join(printer.lines(Partial(L, t("w1", i, j)), rhs, (i, j), (11, 12))).splitlines()
    equation = Equation(t("w1", i, j), rhs)
    expected = [
        f"{printer.expr(Partial(L, quantity('w1', at)))} = {printer.expr(at_indices(equation, at))}"
        for at in ((p, r) for p in range(1, 12) for r in range(1, 13))
    ]
    assert lines == expected


def test_a_line_whose_order_depends_on_its_indices_is_printed_alone():
    rhs = t("a1", i) * t("a1", j)
    lines = "".join(TEXT.lines(t("w1", i, j), rhs, (i, j), (2, 2))).splitlines()
    assert lines == ["w¹₁₁ = (a¹₁)²", "w¹₁₂ = a¹₁ a¹₂", "w¹₂₁ = a¹₁ a¹₂", "w¹₂₂ = (a¹₂)²"]


# --- Widths and lines ---


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("σ′(z¹ᵢ)", 7, 7),
        (r"\sigma'(z^{1}_{i})", 4, 6),
        (r"\frac{\partial L}{\partial w^{1}_{11}}", 3, 5),
        (r"\sum_{k=1}^{2} w^{2}_{ki}\,\delta^{2}_{k}", 7, 9),
        (r"\begin{cases} z & z > 0 \\ 0 & z \le 0 \end{cases}", 6, 10),
    ],
)
def test_width(text, low, high):
    assert low <= width(text) <= high


def test_long_sums_break_at_terms():
    expr = path + path.xreplace({x1: q("x[2]")})
    lines = break_lines(TEXT.terms(expr), 60)
    assert lines == [TEXT.terms(expr)[0], TEXT.terms(expr)[1]]
    assert lines[1].startswith("+ ")


@PRINTERS
def test_long_products_break_at_factors(printer):
    lines = break_lines(printer.terms(path), 30)
    assert len(lines) > 1
    assert all(width(line) <= 30 for line in lines)
    assert all(line.startswith((r"\cdot ", "· ")) for line in lines[1:])
    assert not any(line.endswith(("a^{1}_{1}", "a¹₁")) for line in lines)


@PRINTERS
def test_nothing_is_lost_where_it_breaks(printer):
    expr = path + Sum(t("w2", k, i) * t("delta2", k), (k, 1, 20)) * q("z1[1]") + q("b1[1]")
    terms = printer.terms(expr)
    for limit in range(8, 120, 7):
        joined = " ".join(break_lines(terms, limit))
        assert _letters(joined) == _letters(" ".join(terms))


def _letters(text):
    for mark in (r"\cdot", r"\,", "·", " "):
        text = text.replace(mark, "")
    return text


def test_a_sum_in_brackets_breaks_inside_them():
    delta = q("z1[1]") * sum(q(f"w2[{m},1]") * q(f"delta2[{m}]") for m in range(1, 9))
    lines = break_lines(TEXT.terms(delta), 40)
    assert max(map(width, lines)) <= 40
    assert lines[1].startswith("+ ")


# --- Chains and updates ---


def test_a_chain_keeps_its_order():
    chain = [Partial(L, z1), Partial(z1, w1)]
    assert TEXT.product(chain) == "∂L/∂z¹₁ · ∂z¹₁/∂w¹₁₂"
    assert TEXT.product([a3 - y1, q("w3[1,1]")]) == "(a³₁ − y₁) w³₁₁"
    assert TEXT.products([[-x1, w1], [x1, w1]]) == ("−x₁ w¹₁₂", "+ x₁ w¹₁₂")


def test_update():
    assert TEXT.update(w1) == "w¹₁₂ ← w¹₁₂ − η ∂L/∂w¹₁₂"
    assert TEX.update(t("b{l}", i), {i: "i"}) == (
        r"b^{\ell}_{i} \leftarrow b^{\ell}_{i} - \eta \frac{\partial L}{\partial b^{\ell}_{i}}"
    )


def test_printing_does_not_depend_on_what_was_printed_before():
    expr: Expr = ROWS[-1][0]
    assert LatexMath(load()).expr(expr) == TEX.expr(expr) == TEX.expr(expr)


FORBIDDEN = (r"\operatorname", r"\mbox", r"\phantom", r"\label", r"\d ", "Heaviside", r"\theta")


def test_latex_holds_nothing_that_github_refuses():
    for expr, *_ in ROWS + FUNCTIONS:
        assert not any(word in TEX.expr(expr) for word in FORBIDDEN)


# --- What is printed is what was meant ---


class Python(UnicodeMath):
    """The same traversal in Python's syntax, so that its order, signs and brackets can be run."""

    minus, prime, pi, times = "-", "_slope", "pi", " * "
    relations: ClassVar = {"<": "<", ">": ">", "<=": "<=", ">=": ">=", "=": "=="}

    def marked(self, letter, layer):
        return f"{letter}{layer}"

    def scripted(self, indices):
        return "_" + "_".join(indices)

    def function(self, name):
        return {"σ": "sigmoid"}.get(name, name)

    def function_power(self, function, exponent):
        return None

    def power(self, base, exponent):
        return f"({base})**({exponent})"

    def root(self, radicand):
        return f"sqrt({radicand.text})"

    def bars(self, piece, *, double=False):
        return f"abs({piece.text})"

    def logarithm(self, argument, *, bare):
        return f"log({argument.text})"

    def iverson(self, condition):
        return f"(1.0 * ({condition}))"

    def decimal(self, digits, *, cut):
        return digits

    def fraction(self, top, bottom, *, small=False):
        found = super().fraction(top, bottom)
        return found._replace(text=f"(({top.text}) / ({bottom.text}))")

    def cases(self, rows):
        text = "0.0"
        for value, condition in rows[::-1]:
            text = f"(({self.signed([value])}) if {condition} else {text})"
        return rows[0][0]._replace(text=text, level=5, negative=False)

    def gap(self, left, right):
        return " * "


def _numbers(expr):
    """Values for the symbols of an expression, each under its name in Python."""
    symbols = sorted(expr.free_symbols, key=str)
    values = {s: Rational(37 * m + 11, 100) for m, s in enumerate(symbols, 1)}
    return values, {Python(load()).expr(s): float(v) for s, v in values.items()}


SOFTMAX = _network("2,3,2", activation="softmax", loss="mse", output_activation="softmax")
WRITTEN = [
    path,
    *(row.definition for row in CATALOG.losses),
    *(row.definition for row in CATALOG.activations if row.elementwise and row.name != "selu"),
    *(row.slope_expr for row in CATALOG.activations if row.elementwise and row.name != "selu"),
    *(row.definition.diff(z) for row in CATALOG.activations if row.name in ("tanh", "gelu")),
    at_indices(SOFTMAX.equation("z", 2), (1,)),
    at_indices(SOFTMAX.equation("z", 1), (2,)),
    -(2 - 3 * a) * (y - a) / (3 * z) / (1 - a),
    -3 * a**2 * sqrt(2) / (sqrt(3) * z) - Rational(5, 7),
    (2 * a - 4 * y) / 3 + 6,
]


@pytest.mark.parametrize("expr", WRITTEN, ids=str)
def test_what_is_printed_has_the_same_value(expr):
    values, names = _numbers(expr)
    functions = {name: getattr(math, name) for name in ("exp", "log", "sqrt", "tanh", "erf", "pi")}
    functions |= {
        "sigmoid": lambda u: 1 / (1 + math.exp(-u)),
        "softplus": lambda u: math.log1p(math.exp(u)),
        "sign": lambda u: (u > 0) - (u < 0),
    }
    text = Python(load()).expr(expr)
    value = eval(text, {**functions, "abs": abs, "max": max}, names)  # noqa: S307 - our own text
    assert value == pytest.approx(float(expr.xreplace(values).evalf(20)), rel=1e-12)
