"""Mathematics as it is said: the words by hand, and never the same for two formulas."""

import re
import tomllib
from pathlib import Path

import pytest
from sympy import Abs, Function, IndexedBase, Integer, Rational, Sum, Symbol, cos, exp, log, sqrt

import bpderive
from bpderive import document
from bpderive.document.blocks import Row
from bpderive.document.mathematics import (
    Coloured,
    Formula,
    Matrix,
    Ordered,
    OrderedSum,
    Route,
    Shape,
    Update,
)
from bpderive.document.request import Request
from bpderive.equations import SAMPLES
from bpderive.functions import select
from bpderive.index import Partial
from bpderive.notation import load as load_notation
from bpderive.render.latex import STYLE
from bpderive.render.latex import math as latex_math
from bpderive.render.spoken_math import SpokenMath
from bpderive.render.typst import writer_of
from bpderive.render.writer import Writer
from bpderive.wording import load as load_wording

ROOT = Path(__file__).parent.parent
NOTATIONS = sorted(path.stem for path in (ROOT / "templates" / "notation").glob("*.toml"))
LANGUAGES = sorted(path.stem for path in (ROOT / "templates" / "locale").glob("*.toml"))

L, x, z, w, a, y = map(Symbol, ("L", "x[1]", "z2[1]", "w1[1,2]", "a2[1]", "y[1]"))
i, k, n = Symbol("_1"), Symbol("_2"), Symbol("n{l}", integer=True)
WEIGHT, DELTA, BIAS = IndexedBase("w{l+1}"), IndexedBase("delta{l+1}"), IndexedBase("b{l}")
SIGMA = Function("sigmoid")

SAID = [
    (w, "w 1 2 of layer 1"),
    (Partial(L, w), "the partial derivative of L with respect to w 1 2 of layer 1"),
    (a - y, "a 1 of layer 2 minus y 1"),
    (-a, "minus a 1 of layer 2"),
    (Rational(1, 2) * a, "one half times a 1 of layer 2"),
    (a / 3, "1 over 3 times a 1 of layer 2"),
    (a / y, "a 1 of layer 2 over y 1"),
    (a / (1 + y), "the fraction a 1 of layer 2, over y 1 plus 1, end fraction"),
    (a * (1 - a), "a 1 of layer 2 times open bracket 1 minus a 1 of layer 2 close bracket"),
    (w * x + a, "a 1 of layer 2 plus w 1 2 of layer 1 times x 1"),
    (a**2, "a 1 of layer 2, squared"),
    ((a - y) ** 2, "open bracket a 1 of layer 2 minus y 1 close bracket, squared"),
    (a**5, "a 1 of layer 2 to the power 5"),
    (exp(-z), "e to the power minus z 1 of layer 2"),
    (exp(a - z), "e to the power a 1 of layer 2 minus z 1 of layer 2, end power"),
    (SIGMA(z), "sigma of z 1 of layer 2"),
    (SIGMA(-z), "sigma of open bracket minus z 1 of layer 2 close bracket"),
    (cos(z) ** 2, "cos of z 1 of layer 2, squared"),
    (cos(z**2), "cos of open bracket z 1 of layer 2, squared close bracket"),
    (log(a), "the logarithm of a 1 of layer 2"),
    (log(1 + a), "the logarithm of a 1 of layer 2 plus 1, end logarithm"),
    (Abs(a - y), "the absolute value of a 1 of layer 2 minus y 1, end absolute value"),
    (sqrt(a), "the square root of a 1 of layer 2"),
    (select(z, Integer(1), Integer(0)), "1 if z 1 of layer 2 greater than 0 else 0, end if"),
    (
        select(z, z, Rational(1, 100) * z),
        "by cases: z 1 of layer 2 if z 1 of layer 2 greater than 0, "
        "0.01 times z 1 of layer 2 if z 1 of layer 2 at most 0, end cases",
    ),
    (
        Sum(WEIGHT[k, i] * DELTA[k], (k, 1, n)),
        "the sum over k from 1 to n of layer ell, of "
        "w k i of the next layer times delta k of the next layer",
    ),
    (
        Sum(WEIGHT[k, i] * DELTA[k], (k, 1, n)) + BIAS[i],
        "the sum over k from 1 to n of layer ell, of "
        "w k i of the next layer times delta k of the next layer, end sum, "
        "plus b i of layer ell",
    ),
]


@pytest.mark.parametrize(("expr", "words"), SAID, ids=[str(expr) for expr, _ in SAID])
def test_a_formula_is_said(expr, words):
    assert SpokenMath(load_notation(), load_wording("en")).expr(expr) == words


NETWORKS = {
    "article": ("2,2,2,1", {"bias": True}),
    "softmax": ("3,4,2", {"loss": "softmax_cross_entropy", "activation": "leaky_relu"}),
    "mixing": ("3,4:softmax,2:softmax", {"loss": "mse", "orientation": "columns"}),
    "blends": ("n0,n1,n2", {"activation": "z*(1 + sum(exp(z)))"}),
    "letters": ("i,j,k", {}),
    "formula": ("3,2,2", {"activation": "z*tanh(log(1+exp(z)))", "loss": "(a-y)**4"}),
    "kinks": ("3,4,2", {"activation": "hardtanh", "loss": "hinge"}),
}
MATHEMATICS = (Formula, Matrix, Ordered, OrderedSum, Route, Update)


def formulas(value):
    """All mathematics in a document, without numbers and names."""
    if isinstance(value, Coloured):
        yield from formulas(value.math)
    elif isinstance(value, MATHEMATICS):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from formulas(part)
    elif isinstance(value, dict):
        yield from formulas(list(value.values()))
    elif hasattr(value, "__dataclass_fields__"):
        yield from formulas([getattr(value, name) for name in value.__dataclass_fields__])


@pytest.fixture(scope="module", params=NETWORKS, ids=list(NETWORKS))
def noted(request):
    layers, options = NETWORKS[request.param]
    return document.build(bpderive.derive(bpderive.network(layers, **options)), Request())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("notation", NOTATIONS)
def test_two_formulas_never_sound_the_same(noted, notation, language):
    """Not even to who hears no difference between capitals and small letters."""
    letters, words = load_notation(notation).fitted(noted.setting), load_wording(language)
    shown, said = Writer(latex_math(letters), words, STYLE), writer_of(letters, words).speaker
    heard = {}
    for formula in formulas(noted.sections):
        printed = shown.math(formula)
        assert heard.setdefault(said.math(formula).casefold(), printed) == printed
    assert len(heard) > 20


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_mark_is_left_in_what_is_said(noted, language):
    said = writer_of(load_notation().fitted(noted.setting), load_wording(language)).speaker
    for formula in formulas(noted.sections):
        words = said.math(formula)
        assert words.isprintable()
        assert words == words.strip()
        assert not set(words) & set("\\{}$_^∂Σσδℓ−·⊙")


def test_sizes_and_equations_are_said():
    speaker = writer_of(load_notation(), load_wording("en")).speaker
    assert speaker.math(Shape((Integer(2), Integer(3)))) == "2 by 3"
    assert speaker.row(Row(Formula(a), Formula(SIGMA(z)))) == (
        "a 1 of layer 2 equals sigma of z 1 of layer 2"
    )


def test_a_capital_is_told_from_the_small_letter_that_the_notation_has():
    words = load_wording("en")
    assert SpokenMath(load_notation(), words).expr(SAMPLES) == "capital N"
    assert SpokenMath(load_notation("cs229"), words).expr(L) == "capital L"


def test_all_the_words_are_used():
    """Each sentence of the table is asked for somewhere."""
    source = "".join(
        (ROOT / "bpderive" / "render" / name).read_text("utf-8")
        for name in ("spoken_math.py", "typst.py")
    )
    table = tomllib.loads((ROOT / "templates" / "locale" / "en.toml").read_text("utf-8"))
    asked = set(re.findall(r"""["'](?:spoken\.)?(\w+)["']""", source))
    assert {key.removesuffix("_end") for key in table["spoken"]} <= asked
