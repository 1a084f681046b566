r"""Printed mathematics of any network: rows by hand, and every equation of every module's file."""

import unicodedata
from functools import cache
from itertools import product
from pathlib import Path

import pytest
from sympy import (
    Function,
    Integer,
    KroneckerDelta,
    Mod,
    Rational,
    Sum,
    Symbol,
    exp,
    floor,
    oo,
    sqrt,
)
from test_documents import katex, needs_katex

from bpderive.backprop.kinds import Kind
from bpderive.backprop.sweep import sweep
from bpderive.catalog import CATALOG
from bpderive.errors import DerivationError
from bpderive.forms.arrays import Leaf
from bpderive.functions.conditions import bracket, first_largest, fixed, merged
from bpderive.index import Fresh, Partial, element, size_symbol
from bpderive.modules.reader import read
from bpderive.notation import Setting, load, notations
from bpderive.notation.names import natural
from bpderive.render.latex_math import LatexMath
from bpderive.render.mathml import mathml
from bpderive.render.spoken_math import SpokenMath
from bpderive.render.svg_math import setting as drawn
from bpderive.render.typst_math import TypstMath
from bpderive.render.unicode_math import UnicodeMath
from bpderive.wording import load as load_wording

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "templates" / "layers").glob("*.eq"))
NAMES = (
    "x", "W_q", "b_q", "w", "gamma", "beta", "z", "a", "mu", "xhat", "var", "eps", "q", "k", "E",
    "h", "g", "U", "W2", "z_f", "y", "running_mean", "m", "c",
)  # fmt: skip
PARAMETERS = frozenset(("W_q", "b_q", "w", "gamma", "beta", "E", "U", "W2"))
SETTING = Setting(tensors=NAMES, parameters=PARAMETERS, depth=5, root="S")
PRINTERS = {
    "latex": LatexMath,
    "typst": TypstMath,
    "unicode": UnicodeMath,
    "english": lambda notation: SpokenMath(notation, load_wording("en")),
    "chinese": lambda notation: SpokenMath(notation, load_wording("zh-TW")),
}

fresh = Fresh()
n, t, c, d, o, i, k, p, s = (fresh(letter) for letter in "ntcdoikps")
t2, k2, s2 = fresh("t"), fresh("k"), fresh("s")
S, P, K, T, C, D, B = map(size_symbol, "SPKTCDB")
eps = Symbol("eps2")


def e(label, *indices):
    return element(label, indices)


def f(name, argument):
    return Function(name)(argument)


q, x, a2 = e("q2", n, t, d), e("x{l}", n, t, c), e("a2", n, t, c)

NAMED = [
    # names
    (e("W_q2", d, c), r"W^{\mathrm{q},2}_{dc}", "W^(q,2)_dc"),
    (e("xhat{l}", n, c), r"\hat{x}^{\ell}_{nc}", "x̂ˡ_nc"),
    (e("mu2", c), r"\mu^{2}_{c}", "μ²_c"),
    (e("var2", c), r"\mathrm{var}^{2}_{c}", "var²_c"),
    (e("E1", k, d), "E^{1}_{kd}", "E¹_kd"),
    (e("W2_3", i, k), r"W^{\mathrm{2},3}_{ik}", "W^(2,3)ᵢₖ"),
    (e("running_mean2", c), r"\mathrm{running}^{\mathrm{mean},2}_{c}", "running^(mean,2)_c"),
    (e("y2", i), "y^{2}_{i}", "y²ᵢ"),
    (e("y", i), r"y^{\ast}_{i}", "y*ᵢ"),
    (eps, r"\epsilon_{2}", "ε₂"),
    # derivatives
    (e("delta2", n, i), r"\delta^{2}_{ni}", "δ²ₙᵢ"),
    (e("delta_a2", n, i), r"\delta^{a,2}_{ni}", "δ^(a,2)ₙᵢ"),
    (e("delta_z_f2", n, i), r"\delta^{z^{\mathrm{f}},2}_{ni}", "δ^(z^(f),2)ₙᵢ"),
    (e("delta_xhat{l}", n, i), r"\delta^{\hat{x},\ell}_{ni}", "δ^(x̂,ℓ)ₙᵢ"),
    (e("direct_a2", n, i), r"\tilde{\delta}^{a,2}_{ni}", "δ̃^(a,2)ₙᵢ"),
    (e("dW_q2", d, c), r"\frac{\partial S}{\partial W^{\mathrm{q},2}_{dc}}", "∂S/∂W^(q,2)_dc"),
    (e("dgamma1", c), r"\frac{\partial S}{\partial \gamma^{1}_{c}}", "∂S/∂γ¹_c"),
    # indices
    (e("a2", n, t - 1, k), r"a^{2}_{n,\,t - 1,\,k}", "a²ₙ,ₜ₋₁,ₖ"),
    (e("x{l}", n, S * (i - 1) + k - P), r"x^{\ell}_{n,\,S(i - 1) + k - P}", "xˡ_(n,S(i−1)+k−P)"),
    (e("x{l}", n, 2 * (i - 1) + k), r"x^{\ell}_{n,\,2i + k - 2}", "xˡₙ,₂ᵢ₊ₖ₋₂"),
    (e("g2", n, (p - k + P) / S + 1), r"g^{2}_{n,\,(p + P - k)/S + 1}", "g²_(n,(p+P−k)/S+1)"),
    (e("g2", n, (p - k) / 2), r"g^{2}_{n,\,(p - k)/2}", "g²_(n,(p−k)/2)"),
    (e("E1", e("x", n, t), d), "E^{1}_{x_{nt},d}", "E¹_(xₙₜ,d)"),
    (e("z2", n, merged(c, C, t, T)), "z^{2}_{n,(c,t)}", "z²_(n,(c,t))"),
    (e("x{l}", n, T, c), r"x^{\ell}_{nTc}", "xˡ_nTc"),
    (e("q2", n, t2, t), "q^{2}_{nt't}", "q²_(nt′t)"),
    # conditions
    (bracket(Integer(1), i, K), r"\lbrack 1 \le i \le K \rbrack", "[1 ≤ i ≤ K]"),
    (bracket(-oo, s, t), r"\lbrack s \le t \rbrack", "[s ≤ t]"),
    (bracket(Integer(2), i, oo), r"\lbrack i \ge 2 \rbrack", "[i ≥ 2]"),
    (bracket(T, t, T), r"\lbrack t = T \rbrack", "[t = T]"),
    (bracket(Integer(1), Mod(t, B), oo),
     r"\lbrack t\;\mathrm{mod}\;B \ge 1 \rbrack",
     "[t mod B ≥ 1]"),
    (KroneckerDelta(k, p), r"\delta_{kp}", "δₖₚ"),
    (KroneckerDelta(t, T), r"\lbrack t = T \rbrack", "[t = T]"),
    (KroneckerDelta(k, e("x", n, t)), r"\lbrack x_{nt} = k \rbrack", "[xₙₜ = k]"),
    (KroneckerDelta(1, Symbol("x[2]")), r"\lbrack x_{2} = 1 \rbrack", "[x₂ = 1]"),
    (KroneckerDelta(t + 1, 3), r"\lbrack t + 1 = 3 \rbrack", "[t + 1 = 3]"),
    (e("a3", merged(c, C, t, T)), "a^{3}_{(c,t)}", "a³_(c,t)"),
    (e("a3", merged(c, C, t, T), merged(d, D, i, B)), "a^{3}_{(c,t),(d,i)}", "a³_((c,t),(d,i))"),
    (e("z2", Mod(t - 1, B)), r"z^{2}_{(t - 1)\;\mathrm{mod}\;B}", "z²_((t−1) mod B)"),
    (e("z2", Mod(t - 1, 3)), r"z^{2}_{(t - 1)\;\mathrm{mod}\;3}", "z²_((t−1) mod 3)"),
    (first_largest(k, Sum(e("x{l}", n, S * i + k2), (k2, 1, K))),
     r"\lbrack k = \arg\max_{k'} x^{\ell}_{n,\,S\,i + k'} \rbrack",
     "[k = argmax_k′ xˡ_(n,S i+k′)]"),
    (first_largest(k, t, Sum(e("x{l}", k2, t2), (t2, 1, T), (k2, 1, K))),
     r"\lbrack (k,t) = \arg\max_{k',t'} x^{\ell}_{k't'} \rbrack",
     "[(k,t) = argmax_(k′,t′) xˡ_(k′t′)]"),
    (fixed(a2), r"\mathrm{stop}(a^{2}_{ntc})", "stop(a²_ntc)"),
    (floor((T - K) / S) + 1, r"\lfloor (T - K)/S \rfloor + 1", "⌊(T − K)/S⌋ + 1"),
    # sums, and the order of factors
    (Sum(e("W_q2", d, c) * x, (c, 1, C)) + e("b_q2", d),
     r"\sum_{c=1}^{C} W^{\mathrm{q},2}_{dc}\,x^{\ell}_{ntc} + b^{\mathrm{q},2}_{d}",
     "Σ_c W^(q,2)_dc xˡ_ntc + b^(q,2)_d"),
    (Sum(e("w2", o, c, k) * e("x{l}", n, c, i + k - 1), (k, 1, K), (c, 1, C)),
     r"\sum_{c=1}^{C} \sum_{k=1}^{K} w^{2}_{ock}\,x^{\ell}_{n,\,c,\,i + k - 1}",
     "Σ_c Σₖ w²_ock xˡ_(n,c,i+k−1)"),
    (Sum(e("k2", n, s, d) * q, (d, 1, D)) / sqrt(D),
     r"\frac{\sum_{d=1}^{D} q^{2}_{ntd}\,k^{2}_{nsd}}{\sqrt{D}}",
     "Σ_d q²_ntd k²_nsd/√D"),
    (exp(e("z_f2", t, s)) / Sum(exp(e("z_f2", t, s2)), (s2, 1, T)),
     r"\frac{\exp(z^{\mathrm{f},2}_{ts})}{\sum_{s'=1}^{T} \exp(z^{\mathrm{f},2}_{ts'})}",
     "exp(z^(f,2)ₜₛ)/(Σ_s′ exp(z^(f,2)_ts′))"),
    (e("x2", i) * e("w2", i) * e("delta_a2", i) * f("relu'", e("z2", i)) * bracket(-oo, s, t),
     r"\delta^{a,2}_{i}\,w^{2}_{i}\,\mathrm{ReLU}'(z^{2}_{i})\,x^{2}_{i}\,\lbrack s \le t \rbrack",
     "δ^(a,2)ᵢ w²ᵢ ReLU′(z²ᵢ) x²ᵢ [s ≤ t]"),
    (Sum(e("x{l}", i), (i, 1, K)) * Sum(e("delta2", t) * e("x{l}", t), (t, 1, T)),
     r"(\sum_{i=1}^{K} x^{\ell}_{i}) \sum_{t=1}^{T} \delta^{2}_{t}\,x^{\ell}_{t}",
     "(Σᵢ xˡᵢ) Σₜ δ²ₜ xˡₜ"),
    (e("gamma2", c) * (x - e("mu2", c)) / sqrt(e("var2", c) + eps) + e("beta2", c),
     r"\frac{\gamma^{2}_{c}\,(x^{\ell}_{ntc} - \mu^{2}_{c})}"
     r"{\sqrt{\mathrm{var}^{2}_{c} + \epsilon_{2}}} + \beta^{2}_{c}",
     "γ²_c (xˡ_ntc − μ²_c)/√(var²_c + ε₂) + β²_c"),
    (Sum(e("x{l}", n, i + k), (k, 1, Integer(1))), r"x^{\ell}_{n,\,i + 1}", "xˡₙ,ᵢ₊₁"),
    (Partial(Symbol("S"), e("a2", n, i)), r"\frac{\partial S}{\partial a^{2}_{ni}}", "∂S/∂a²ₙᵢ"),
]  # fmt: skip


@cache
def printer(syntax, notation, setting=SETTING):
    return PRINTERS[syntax](load(notation).fitted(setting))


@pytest.mark.parametrize(("expr", "latex", "text"), NAMED, ids=[row[2] for row in NAMED])
def test_the_article_prints(expr, latex, text):
    found = printer("latex", "article").expr(expr).replace(r"\left(\sum", r"(\sum")
    assert found.replace(r"\right) \sum", r") \sum") == latex
    assert printer("unicode", "article").expr(expr) == text


@pytest.mark.parametrize("notation", notations())
def test_all_of_it_prints_everywhere_and_sounds_different(notation):
    heard = {}
    for expr, *_ in NAMED:
        latex = printer("latex", notation).expr(expr)
        assert mathml(latex)
        assert drawn(latex).width > 0
        assert printer("typst", notation).expr(expr)
        for name in ("english", "chinese"):
            said = printer(name, notation).expr(expr)
            assert heard.setdefault(said.casefold(), latex) == latex
            assert said.isprintable()
            assert not set(said) & set("\\{}$_^∂Σσδℓ−·⊙⌊[")


TEXTBOOKS = [  # W_q[d,c] of layer 2, the derivatives by a and by W_q
    ("nielsen", r"W^{\mathrm{q},3}_{dc}", r"\delta^{a,3}_{i}",
     r"\frac{\partial S}{\partial W^{\mathrm{q},3}_{dc}}"),
    ("goodfellow", r"W^{\mathrm{q},(2)}_{d,c}", r"\frac{\partial S}{\partial a^{(2)}_{i}}",
     r"\frac{\partial S}{\partial W^{\mathrm{q},(2)}_{d,c}}"),
    ("cs229", r"W^{\mathrm{q},[2]}_{dc}", r"da^{[2]}_{i}", r"dW^{\mathrm{q},[2]}_{dc}"),
    ("cs231n", r"W^{\mathrm{q}}_{2,d,c}", "dH_{2,i}", r"dW^{\mathrm{q}}_{2,d,c}"),
    ("ufldl", r"W^{\mathrm{q},(2)}_{dc}", r"\delta^{a,(3)}_{i}",
     r"\frac{\partial S}{\partial W^{\mathrm{q},(2)}_{dc}}"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "weight", "adjoint", "gradient"), TEXTBOOKS)
def test_a_textbook_marks_names_and_layers(name, weight, adjoint, gradient):
    latex = printer("latex", name)
    assert latex.expr(e("W_q2", d, c)) == weight
    assert latex.expr(e("delta_a2", i)) == adjoint
    assert latex.expr(e("dW_q2", d, c)) == gradient


def test_a_letter_of_the_textbook_gives_way():
    """The files' own h is h; so the output, which is h in the book, is a, and the sum z."""
    letters = load("goodfellow").fitted(SETTING).letters
    assert (letters["a"], letters["z"], letters["w"]) == ("a", "z", "W")
    assert load("goodfellow").fitted(Setting(tensors=("x", "z", "a"))).letters["a"] == "h"


def test_a_marked_name_follows_the_textbook():
    """Where the sum z is called a, so is `z_f`; unless the file has an `a_f` and its like."""
    assert printer("latex", "bishop").expr(e("z_f2", i)) == r"a^{\mathrm{f},(2)}_{i}"
    assert printer("unicode", "article").expr(e("target", n, i)) == "y*ₙᵢ"


def test_the_derivatives_by_input_and_output_are_marked_as_those_are_printed():
    setting = Setting(tensors=("x", "z", "a"), depth=3, root="S")
    nielsen, bishop = (printer("latex", name, setting) for name in ("nielsen", "bishop"))
    assert nielsen.expr(e("x", i)) == "a^{1}_{i}"
    assert nielsen.expr(e("delta_x", i)) == r"\delta^{a,1}_{i}"
    assert (bishop.expr(e("a3", i)), bishop.expr(e("delta_a3", i))) == ("y_{i}", r"\delta^{y}_{i}")


MATRICES = [
    ("q2", ("q", "k"), r"\mathbf{Q}^{2}"),
    ("q2", ("q", "Q"), r"\mathbf{q}^{2}"),  # Q is another tensor
    ("s2", ("s",), r"\mathbf{s}^{2}"),  # S is the sum of the losses
    ("c2", ("c",), r"\mathbf{c}^{2}"),  # C is a size
    ("mu2", ("mu",), r"\boldsymbol{\mu}^{2}"),  # no letter of its own
    ("gamma2", ("gamma",), r"\boldsymbol{\Gamma}^{2}"),
    ("z_f2", ("z_f",), r"\mathbf{Z}^{\mathrm{f},2}"),
    ("delta_q2", ("q",), r"\boldsymbol{\Delta}^{q,2}"),
    ("target", ("y",), r"\mathbf{Y}^{\ast}"),
    ("y2", ("y",), r"\mathbf{Y}^{2}"),
]


@pytest.mark.parametrize(("label", "tensors", "shown"), MATRICES)
def test_a_matrix_of_a_module_has_an_upper_case_letter_where_one_is_free(label, tensors, shown):
    setting = Setting(tensors=("x", "a", *tensors), sizes=frozenset("CT"), depth=4)
    assert printer("latex", "article", setting).array(Leaf((i, k), label)) == shown
    lower = shown.replace("Y", "y").replace("Q", "q").replace("Z", "z")
    lower = lower.replace(r"\Gamma", r"\gamma").replace(r"\Delta", r"\delta")
    assert printer("latex", "article", setting).array(Leaf((i,), label)) == lower


@pytest.mark.parametrize(("name", "said"), [("english", "the target"), ("chinese", "目標")])
def test_a_target_with_a_star_is_said_by_its_name(name, said):
    assert printer(name, "article").expr(e("target", n, i)) == f"{said} n i"


def test_a_derivative_in_a_sentence_has_a_slash():
    partial = Partial(Symbol("S"), e("a3", n, i + 1))
    shown = r"\partial S/\partial a^{3}_{n,i + 1}"
    assert printer("latex", "article").in_line(partial).replace(r"\,", "") == shown
    assert printer("unicode", "article").in_line(partial) == "∂S/∂a³ₙ,ᵢ₊₁"


def test_names_that_would_look_alike_are_spelled():
    own = load().fitted(Setting(tensors=("eps", "epsilon", "xhat", "x_hat"))).own_names
    assert len(set(own.values())) == 4
    assert own["epsilon"].letter == "epsilon"


def test_names_of_a_single_file_stand_without_layers():
    setting = Setting(
        tensors=("x", "W1", "W2", "data"), parameters=frozenset(("W1", "W2")), alone=True
    )
    latex = printer("latex", "nielsen", setting)
    assert latex.expr(e("W2", i, k)) == latex.expr(e("W2_", i, k)) == r"W^{\mathrm{2}}_{ik}"
    assert latex.expr(e("data", i)) == r"\mathrm{data}_{i}"
    assert latex.expr(e("dW2_", i, k)) == r"\frac{\partial C}{\partial W^{\mathrm{2}}_{ik}}"


@pytest.mark.parametrize("label", ["nonsense2", "delta_nonsense2", "dnonsense2", "direct_z9z"])
def test_what_the_network_does_not_have_raises(label):
    with pytest.raises(DerivationError):
        printer("unicode", "article").expr(e(label, i))


@pytest.mark.parametrize(
    ("name", "letter", "marks"),
    [
        ("lambda", "λ", ()),
        ("Gamma", "Γ", ()),
        ("pi", "pi", ()),
        ("ybar", "ȳ", ()),
        ("mu_hat", "μ\u0302", ()),
        ("that", "t\u0302", ()),
        ("hat", "hat", ()),
        ("temp", "temp", ()),
        ("W_q_k", "W", ("q", "k")),
        ("W_q2", "W", ("q2",)),
    ],
)
def test_a_name_is_read(name, letter, marks):
    found = natural(name)
    assert unicodedata.normalize("NFD", found.letter) == unicodedata.normalize("NFD", letter)
    assert found.marks == marks


# --- Every file of the catalogue of layers ---


@cache
def module(path):
    activation = CATALOG.activation("sigmoid")
    return read(path.read_text("utf-8"), path.name, activation=activation)


@cache
def derived(path):
    return tuple(sweep(Kind(module(path), (), "S")).values())


@cache
def setting_of(path):
    found = module(path)
    return Setting(
        tensors=(*(tensor.name for tensor in found.tensors), *found.numbers),
        parameters=frozenset(tensor.name for tensor in found.of_role("parameter")),
        activation=next(iter(found.activations), ""),
        root="S",
    )


def equations(path):
    """The forward equations, then what is derived from them."""
    yield from module(path).equations
    yield from (each.result for each in derived(path))


def steps(path):
    for each in derived(path):
        for step in each.steps:
            yield step.before
            yield step.after


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_equation_prints_everywhere(path):
    """In every notation and syntax; no two sound the same, and pages can show what LaTeX says."""
    pairs = [(each.lhs, each.rhs) for each in equations(path)]
    for notation in notations():
        printers = {name: printer(name, notation, setting_of(path)) for name in PRINTERS}
        heard = {}
        for pair in pairs:
            said = {
                name: tuple(each.expr(side) for side in pair) for name, each in printers.items()
            }
            for latex in said["latex"]:
                assert mathml(latex)
                assert drawn(latex).width > 0
            for name in ("english", "chinese"):
                words = " = ".join(said[name])
                assert words.isprintable()
                assert heard.setdefault(words.casefold(), said["latex"]) == said["latex"]
            assert not set("".join(said["unicode"])) & set("\\{}")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_step_prints(path):
    for notation, name in product(("article", "cs231n"), PRINTERS):
        each = printer(name, notation, setting_of(path))
        assert all(each.expr(expr) for expr in steps(path))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_two_tensors_look_alike(path):
    found = module(path)
    names = [tensor.name for tensor in found.tensors]
    labels = [f"{name}{'_' * name[-1].isdigit()}2" for name in names]
    labels += [f"delta_{label}" for name, label in zip(names, labels, strict=True) if name != "z"]
    labels += ["delta2", "direct_a2", "y", "L", "S"]
    for notation, name in product(notations(), PRINTERS):
        each = printer(name, notation, setting_of(path))
        printed = [each.element(label, ("i",)).text.casefold() for label in labels]
        shown = dict(zip(printed, labels, strict=True))
        assert len(shown) == len(labels), sorted(set(labels) - set(shown.values()))


@pytest.fixture(scope="module")
def formulas():
    return [
        (LatexMath(load(name).fitted(setting_of(path))).expr(side), True)
        for name, path in product(("article", "goodfellow", "cs229", "cs231n"), FILES)
        for each in equations(path)
        for side in (each.lhs, each.rhs)
    ]


@needs_katex
def test_katex_takes_every_formula(formulas):
    done = katex(formulas)
    assert done.returncode == 0, done.stdout + done.stderr


def test_typst_takes_every_formula(tmp_path):
    typst = pytest.importorskip("typst")
    lines = [
        f"$ {each.expr(equation.lhs)} = {each.expr(equation.rhs)} $"
        for name, path in product(("article", "goodfellow", "cs229", "cs231n"), FILES)
        for each in [printer("typst", name, setting_of(path))]
        for equation in equations(path)
    ]
    page = tmp_path / "page.typ"
    page.write_text("\n\n".join(lines), "utf-8")
    pdf, warnings = typst.compile_with_warnings(str(page))
    assert pdf.startswith(b"%PDF")
    assert not warnings


def test_elements_are_printed_line_by_line_where_indices_are_computed():
    latex = printer("latex", "article")
    lhs, rhs = e("a2", i), e("z2", i) + Rational(1, 2) * e("x{l}", i + 1)
    found = "".join(latex.lines(lhs, rhs, (i,), (2,)))
    assert found == (
        "a^{2}_{1} = z^{2}_{1} + \\tfrac{1}{2}\\,x^{\\ell}_{2}\n"
        "a^{2}_{2} = z^{2}_{2} + \\tfrac{1}{2}\\,x^{\\ell}_{3}\n"
    )
