"""Notations: each prints what its book prints, no two things alike; all that they say is right."""

import re
from dataclasses import replace
from itertools import permutations

import pytest
from sympy import Expr, Integer, KroneckerDelta, Symbol
from test_documents import formulas_of, katex, needs_katex, words_of
from textbooks import LATEX, MATRICES, SAMPLE, UNICODE

import bpderive
from bpderive import document
from bpderive.cli.lists import notations as listed
from bpderive.document import Request, setting
from bpderive.document.blocks import Table
from bpderive.document.mathematics import InNotation, Layer
from bpderive.document.runs import Run, in_letters
from bpderive.errors import SpecError
from bpderive.forms.arrays import Leaf
from bpderive.index import element, indices_of
from bpderive.notation import load, notations
from bpderive.notation.alphabet import ACCENTS, GREEK
from bpderive.render import FORMATS, render
from bpderive.render.latex_math import LatexMath
from bpderive.render.spoken_math import SpokenMath
from bpderive.render.typst_math import TypstMath
from bpderive.render.unicode_math import UnicodeMath
from bpderive.render.variants import VARIANTS
from bpderive.wording import load as load_words

PRINTERS = {
    "latex": LatexMath,
    "unicode": UnicodeMath,
    "typst": TypstMath,
    "spoken": lambda notation: SpokenMath(notation, load_words("en")),
}
NETWORKS = {
    "three": ("3,4,2,2", {"bias": True}),
    "one": ("5,2", {"bias": True, "output_activation": "sigmoid"}),
    "staged": ("3,4,2", {"loss": "softmax_cross_entropy", "activation": "relu", "bias": True}),
    "mixing": ("3,4:softmax,2", {"loss": "mse"}),
    "deep": ("2,3*7,1", {"bias": True}),
}
NAMES = notations()


def network_of(name, layers="3,4,2,2", **options):
    """A network with the conventions of a notation's book."""
    return bpderive.network(layers, **{**load(name).spec, **options})


def printed(name, form, layers="3,4,2,2"):
    """z and a of the first layer; delta of the last and the first; the gradients; the loss."""
    network = network_of(name, layers, bias=True)
    derivation = bpderive.derive(network)
    printer = PRINTERS[form](load(name).fitted(setting(network)))

    def line(layer, letter, equation):
        named = Run(layer, layer).equation(network, equation)
        indices = in_letters(network, letter, indices_of(named.lhs))
        letters = printer.notation.letters_for(indices)
        return f"{printer.expr(named.lhs, letters)} = {printer.expr(named.rhs, letters)}"

    first, last = derivation.at(1), derivation.at(network.depth)
    forward = network.graph(network.kind(1)).by_label
    loss = network.graph(network.kind(network.depth)).by_label["L"]
    return (
        *(line(1, letter, forward[f"{letter}{{l}}"]) for letter in "za"),
        line(network.depth, "L", loss),
        line(network.depth, "z", last["z"].shown),
        line(1, "z", first["z"].shown),
        line(2, "w", derivation.at(2)["w"].shown),
        line(2, "b", derivation.at(2)["b"].shown),
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_equations_are_those_of_the_book(name):
    assert printed(name, "unicode") == UNICODE[name]


@pytest.mark.parametrize("name", NAMES)
def test_the_equations_are_those_of_the_book_in_latex(name):
    found = printed(name, "latex")
    assert (found[0], found[4], found[5]) == LATEX[name]


@pytest.mark.parametrize("name", NAMES)
def test_the_matrices_are_those_of_the_book(name):
    derivation = bpderive.derive(network_of(name, bias=name in SAMPLE))
    built = document.build(derivation, Request(sections=("matrix",)))
    lines = {line.strip() for line in render(built, "text", notation=name).splitlines()}
    lines = {re.sub(r"\s+\(\d+\)$", "", line) for line in lines}
    assert {*MATRICES.get(name, ()), *SAMPLE.get(name, ())} - lines == set()
    assert name in MATRICES or name in SAMPLE


# --- No two things are printed alike, and everything is printed ---


def quantities(network):
    """Every kind of quantity of a network as a scalar, and the letters that stand alone."""
    yield from (Symbol(f"x[{j}]") for j in (1, 2))
    for layer in network.layers:
        at = layer.index
        yield from (Symbol(f"w{at}[{i},{j}]") for i, j in ((1, 1), (1, 2), (2, 1)))
        for letter in ("b", "z", "a", "delta", "g"):
            yield Symbol(f"{letter}{at}[1]")
    yield from (Symbol("y[1]"), Symbol("L"), Symbol("S"), Symbol("eta"))
    yield from ([Symbol("p[1]")] if network.stage else [])
    yield KroneckerDelta(Symbol("_1"), Symbol("_2"))
    yield network.graph(network.kind(1)).by_label["z{l}"].lhs
    yield Symbol("n{l}")


def arrays(network):
    """The tensors of a batch."""
    axes = (Symbol("_1"), Symbol("_2"))
    for layer in network.layers:
        yield from (Leaf(axes, f"{letter}{layer.index}") for letter in ("w", "z", "a", "delta"))
    yield from (Leaf(axes, "x"), Leaf(axes, "y"))


@pytest.mark.parametrize("form", PRINTERS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("which", NETWORKS)
def test_no_two_quantities_are_printed_alike(which, name, form):
    layers, options = NETWORKS[which]
    network = network_of(name, layers, **options)
    printer = PRINTERS[form](load(name).fitted(setting(network)))
    found = {}
    for value in quantities(network):
        text = printer.expr(value)
        assert text
        assert found.setdefault(text, value) == value, text
    matrices = [printer.array(leaf) for leaf in arrays(network)]
    assert len(set(matrices)) == len(matrices)


@pytest.mark.parametrize("form", PRINTERS)
def test_every_letter_that_is_accepted_is_printed(form):
    printer = PRINTERS[form](load())
    letters = [*GREEK, *"azAZ", "dZ", "grad"]
    letters += [base + accent for base in (*GREEK, "a", "Z") for accent in ACCENTS]
    shown = [write(letter) for letter in letters for write in (printer.letter, printer.bold)]
    assert all(shown)
    if form == "spoken":  # a capital is said to be one where its notation has the small letter too
        assert not [text for text in shown if not text.isascii()]
    else:
        assert len({printer.letter(letter) for letter in letters}) == len(letters)


@needs_katex
@pytest.mark.parametrize("name", NAMES)
def test_katex_takes_every_formula_of_every_notation(name):
    formulas = [(LatexMath(load()).letter(letter), False) for letter in GREEK]
    for layers, options in NETWORKS.values():
        derivation = bpderive.derive(network_of(name, layers, **options))
        built = document.build(derivation, Request(level="full", translate="ufldl"))
        formulas += formulas_of(render(built, "markdown", notation=name), "github")
    assert len(formulas) > 300
    done = katex(formulas)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_no_equation_says_nothing(name):
    """Where a derivative has no letter, the step that names it would read `u = u`."""
    for layers, options in NETWORKS.values():
        derivation = bpderive.derive(network_of(name, layers, **options))
        text = render(document.build(derivation), "text", notation=name, width=160)
        for line in text.splitlines():
            left, equals, right = re.sub(r"\s+\(.*\)$", "", line).partition(" = ")
            assert not equals or left.strip() != right.strip(), line


def test_a_step_that_changes_nothing_is_left_out_only_there():
    derivation = bpderive.derive(bpderive.network("2,2,2,1"))
    built = document.build(derivation, Request(sections=("sharing",)))
    reason = "so it gets a name"
    assert reason in render(built, "text").replace("\n", " ")
    assert reason not in render(built, "text", notation="d2l").replace("\n", " ")


# --- How layers are counted, and what else is said ---


def told(name, *, full=True, **options):
    derivation = bpderive.derive(network_of(name, **options))
    built = document.build(derivation, Request(level="full" if full else "brief"))
    return " ".join(render(built, "text", notation=name, width=120).split())


def test_layers_are_counted_as_the_notation_counts():
    text = told("nielsen")
    assert "Layers: 4, the input among them as layer 1." in text
    assert "Layer 2: z²₁ = w²₁₁ a¹₁ + w²₁₂ a¹₂ + w²₁₃ a¹₃" in text
    assert "Forward, for l = 2, …, 4:" in text
    assert "Backward, for l = 4, 3: compute the delta of layer l − 1" in text
    assert "Layer 4:" in text
    assert "Layer 1:" not in text


def test_layers_are_counted_from_1_without_the_input():
    text = told("article")
    assert "Layers: 3." in text
    assert "The input is layer 0 and is not counted." in text
    assert "Forward, for ℓ = 1, …, 3:" in text
    assert "Layer 4:" not in text


@pytest.mark.parametrize(
    ("layers", "forward", "backward"),
    [
        ("2,1", "Forward, for ℓ = 1:", ""),
        ("2,2,1", "Forward, for ℓ = 1, 2:", "Backward, for ℓ = 2:"),
        ("2,2,2,1", "Forward, for ℓ = 1, …, 3:", "Backward, for ℓ = 3, 2:"),
        ("2,2*3,1", "Forward, for ℓ = 1, …, 4:", "Backward, for ℓ = 4, …, 2:"),
    ],
)
def test_nothing_is_left_out_between_neighbours(layers, forward, backward):
    derivation = bpderive.derive(bpderive.network(layers))
    text = render(document.build(derivation, Request(sections=("matrix",))), "text")
    assert forward in text
    assert backward in text
    assert ("Backward" in text) == bool(backward)


def test_the_number_of_an_equation_of_the_general_layer_counts_with_it():
    derivation = bpderive.derive(bpderive.network("2,4*1000,1"))
    built = document.build(derivation, Request(sections=("forward",)))
    article, nielsen = (render(built, "text", notation=name) for name in ("article", "nielsen"))
    assert "(ℓ = 2, …, 1000)   (2ℓ − 1)" in article
    assert "(l = 3, …, 1001)   (2l − 3)" in nielsen


@pytest.mark.parametrize("name", NAMES)
def test_conventions_are_said_in_brief_too_where_a_book_has_them(name):
    derivation = bpderive.derive(network_of(name))
    text = bpderive.notes(derivation, notation=name, level="brief", language="en").render("text")
    assert ("- A matrix of weights has" in text) == (name != "article")
    short = bpderive.render(derivation, "text", notation=name)
    assert ("- A matrix of weights has" in short) == (name != "article")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, False),
        ({"loss": "mse"}, False),
        ({"weights": "input_first"}, True),
        ({"orientation": "columns"}, True),
        ({"reduction": "sum"}, True),
        ({"loss": "squared_error"}, True),
    ],
)
def test_conventions_that_are_not_the_usual_are_said_in_brief_too(options, said):
    derivation = bpderive.derive(bpderive.network("2,2,1", **options))
    assert ("- A matrix of weights has" in bpderive.render(derivation, "text")) == said


SAYS = {
    "article": ["The upper mark is the layer.", "each row of a matrix is one sample"],
    "ufldl": ["that of a weight or a bias is the layer from which it leads"],
    "cs229": ["each column of a matrix is one sample"],
    "cs224n": [
        "The first lower mark is the layer; the indices follow it.",
        "the first is the input that it multiplies",
        "a row for each input",
    ],
    "d2l": ["Of the two lower marks of a weight, the first is the neuron", "in words, the delta"],
    "cs231n": ["each column of a matrix is one sample", "is the sum over its samples"],
    "nielsen": ["each column of a matrix is one sample"],
    "3blue1brown": ["no factor one half, so that its derivative is twice the error"],
}


@pytest.mark.parametrize("name", SAYS)
def test_conventions_are_said(name):
    text = told(name)
    for sentence in SAYS[name]:
        assert sentence in text


@pytest.mark.parametrize("name", NAMES)
def test_what_a_notation_takes_for_granted_is_a_network(name):
    spec = network_of(name).spec
    for key, value in load(name).spec.items():
        assert getattr(spec, key) == value


def test_a_sum_over_the_samples_is_said_where_it_is_printed():
    for reduction in ("mean", "sum"):
        text = told("goodfellow", reduction=reduction)
        assert "∂S/∂A⁽³⁾" in text
        assert re.search(r"and S is their sum|written S in derivatives", text)


# --- The table that translates ---


@pytest.mark.parametrize(("name", "other"), [*permutations(NAMES, 2)])
def test_every_notation_translates_to_every_other(name, other):
    derivation = bpderive.derive(network_of(name))
    built = document.build(derivation, Request(sections=("notation",), translate=other))
    text = render(built, "text", notation=name, width=200)
    assert f"“{load(other).title}”" in text
    rows = [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]
    start = next(k for k, row in enumerate(rows) if row[:2] == ["here", "there"])
    letters = {row[2]: row[:2] for row in rows[start:] if len(row) == 3}
    for meaning, key in (("loss", "L"), ("learning rate", "eta")):
        assert letters[meaning] == [load(name).letters[key], load(other).letters[key]]


def differences(name, other, **options):
    derivation = bpderive.derive(network_of(name, **options))
    built = document.build(derivation, Request(sections=("notation",), translate=other))
    text = " ".join(render(built, "text", notation=name, width=120).split())
    return text[text.rindex("- The input is layer") :]


@pytest.mark.parametrize(
    ("name", "other", "said", "unsaid"),
    [
        ("article", "nielsen", ["layer 0 here and layer 1 there", "w²ⱼₖ there"], ["transposes"]),
        ("ufldl", "article", ["W⁽¹⁾ᵢⱼ here and w¹ᵢⱼ there"], ["There,"]),
        ("article", "cs229", ["each column of a batch is one sample"], ["transposes", "half"]),
        ("article", "cs224n", ["its input: the matrices of weights are the transposes"], ["half"]),
        ("cs224n", "article", ["its neuron: the matrices of weights are the transposes"], ["half"]),
        ("cs229", "bishop", ["w⁽¹⁾ⱼᵢ there"], ["There,"]),
        ("article", "cs231n", ["is the sum over its samples", "each column"], ["transposes"]),
        ("cs231n", "cs229", ["is the mean over its samples"], ["each column", "transposes"]),
        ("bishop", "3blue1brown", ["no factor one half", "twice those here"], ["transposes"]),
        ("3blue1brown", "bishop", ["has the factor one half", "half of those here"], []),
    ],
)
def test_the_translation_says_what_differs(name, other, said, unsaid):
    text = differences(name, other)
    assert [sentence for sentence in said if sentence not in text] == []
    assert [sentence for sentence in unsaid if sentence in text] == []


def columns(name, other, **options):
    """The equations of the table that translates: those here, those there."""
    derivation = bpderive.derive(network_of(name, "3,4,2", bias=True, **options))
    built = document.build(derivation, Request(sections=("notation",), translate=other))
    table = [block for block in built.sections[0].blocks if isinstance(block, Table)][-1]
    shown = replace(built, sections=(replace(built.sections[0], blocks=(table,)),))
    rows = [line.strip() for line in render(shown, "text", notation=name, width=200).splitlines()]
    return tuple(zip(*(re.split(r"\s{2,}", row) for row in rows if " = " in row), strict=True))


@pytest.mark.parametrize(("name", "other"), [*permutations(NAMES, 2)])
def test_each_column_has_the_equations_of_its_own_book(name, other):
    for found, book in zip(columns(name, other), (name, other), strict=True):
        assert (found[0], found[1], found[3]) == tuple(UNICODE[book][k] for k in (0, 1, 4))


def test_the_gradients_of_the_other_book_have_its_conventions():
    assert columns("cs224n", "goodfellow")[1][4] == "∂J/∂W⁽¹⁾ᵢ,ⱼ = ∂J/∂a⁽¹⁾ᵢ · xⱼ"
    assert columns("ufldl", "cs224n")[1][4] == "∂J/∂W₁,ᵢ,ⱼ = δ₁,ⱼ xᵢ"
    assert columns("bishop", "3blue1brown")[1][2] == "∂C/∂z⁽²⁾ⱼ = 2(a⁽²⁾ⱼ − yⱼ)"
    assert columns("3blue1brown", "bishop")[1][2] == "δ⁽²⁾ⱼ = yⱼ − tⱼ"


def test_a_loss_that_only_the_user_chose_is_the_same_there():
    here, there = columns(
        "nielsen", "3blue1brown", loss="cross_entropy", output_activation="softmax"
    )
    assert here[2] == "δ³ⱼ = a³ⱼ − yⱼ"
    assert there[2] == "∂C/∂z⁽²⁾ⱼ = a⁽²⁾ⱼ − yⱼ"


def test_the_letter_of_a_weight_stands_in_both_orders():
    derivation = bpderive.derive(network_of("cs224n"))
    built = document.build(derivation, Request(sections=("notation",), translate="goodfellow"))
    text = " ".join(render(built, "text", notation="cs224n", width=200).split())
    assert "Wₗ,ᵢ,ⱼ W⁽ᵏ⁾ᵢ,ⱼ weight of neuron j for its input i" in text
    assert "W₁,ᵢ,ⱼ here and W⁽¹⁾ᵢ,ⱼ there" in text


# --- One sample as a row ---


def matrix_lines(layers, **options):
    derivation = bpderive.derive(bpderive.network(layers, weights="input_first", **options))
    built = document.build(derivation, Request(sections=("matrix",)))
    lines = (line.strip() for line in render(built, "text", width=200).splitlines())
    return [re.sub(r"\s+\(\d+\)$", "", line) for line in lines]


@pytest.mark.parametrize(
    ("layers", "options", "expected"),
    [
        ("3,4,2", {"bias": True}, ("z¹ = x W¹ + b¹", "δ¹ = (δ² W²ᵀ) ⊙ σ′(z¹)", "∂L/∂W¹ = xᵀ δ¹")),
        ("3,4,2", {"bias": True}, ("Z¹ = X W¹ + 𝟏 b¹", "∂L/∂b¹ = 1/N · 𝟏ᵀ Δ¹")),
        ("3,2", {"loss": "softmax_cross_entropy"}, ("L = −y (log ŷ)ᵀ", "∂L/∂W¹ = xᵀ δ¹")),
        ("3,4:softmax,2", {}, ("g¹ = δ² W²ᵀ", "δ¹ = (g¹ − a¹ g¹ᵀ 𝟏ᵀ) ⊙ a¹")),
        ("3,4:softmax,2", {}, ("Δ¹ = (G¹ − (G¹ ⊙ A¹) 𝟏 𝟏ᵀ) ⊙ A¹",)),
        ("3,2", {"loss": "2*a"}, ("L = 2a¹ 𝟏",)),
        ("3,2", {"orientation": "columns"}, ("z¹ = W¹ᵀ x", "∂L/∂W¹ = x δ¹ᵀ")),
    ],
)
def test_one_sample_is_a_row_where_the_input_comes_first(layers, options, expected):
    lines = matrix_lines(layers, **options)
    assert [line for line in expected if line not in lines] == []
    lying = "orientation" not in options
    assert f"One sample, vectors as {'rows' if lying else 'columns'}:" in lines


def test_the_numbers_of_the_example_lie_as_the_vectors_do():
    derivation = bpderive.derive(network_of("cs224n", "2,2,1"))
    notes = bpderive.notes(
        derivation, notation="cs224n", example=bpderive.example(derivation), language="en"
    )
    assert re.search(r"x = \[[^;\]]+, [^;\]]+\]\n", notes.render("text"))


def test_a_table_into_an_unknown_notation_is_refused():
    derivation = bpderive.derive(bpderive.network("2,1"))
    with pytest.raises(SpecError, match=r"nielson.*did you mean \"nielsen\""):
        document.build(derivation, Request(translate="nielson"))


# --- Sizes with the letters of quantities ---


def test_a_size_may_not_read_like_a_quantity():
    derivation = bpderive.derive(bpderive.network("t,3,1"))
    with pytest.raises(SpecError, match=r'"t", and so is y in the notation bishop'):
        render(document.build(derivation), "text", notation="bishop")
    assert render(document.build(derivation), "text", notation="nielsen")


@pytest.mark.parametrize("name", NAMES)
def test_no_index_and_no_layer_has_the_letter_of_a_size(name):
    derivation = bpderive.derive(bpderive.network("i,j,k"))
    text = render(document.build(derivation), "text", notation=name)
    fitted = load(name).fitted(setting(derivation.network))
    used = {fitted.general_layer, fitted.above, *fitted.indices, *fitted.samples}
    assert not used & {"i", "j", "k"}
    assert not re.search("[ᵢⱼₖ]", text.partition("Forward")[2])


def test_sizes_may_not_take_all_letters():
    derivation = bpderive.derive(bpderive.network("n,m,r"))
    with pytest.raises(SpecError, match="too few letters"):
        render(document.build(derivation), "text")


# --- The list ---


def test_the_list_shows_every_notation_with_its_book():
    *lines, last = listed()
    assert [line.split()[0] for line in lines] == list(NAMES)
    for name, line in zip(NAMES, lines, strict=True):
        forward, _, _, _, backward, *_ = printed(name, "unicode", "2,2,2")
        assert [forward, backward] == re.split(r"\s{2,}", line)[1:3]
        assert line.endswith(load(name).title)
    assert "TOML" in last


def test_every_preset_names_its_source():
    assert [name for name in NAMES if not load(name).source.startswith("http")] == ["article"]


# --- The pieces that documents are made of ---


def test_a_layer_is_printed_as_the_notation_counts():
    table = Table(("layer",), ((Layer(Integer(2)),), (InNotation(Layer(Integer(2)), "ufldl"),)))
    built = document.build(
        bpderive.derive(bpderive.network("2,1")), Request(sections=("notation",))
    )
    shown = replace(built, sections=(replace(built.sections[0], blocks=(table,)),))
    lines = render(shown, "text").split("layer\n")[1].split()
    assert lines == ["2", "3"]


def test_every_variant_of_a_sentence_has_words():
    for language in ("en", "zh-TW"):
        words = load_words(language)
        for sentence, variants in VARIANTS.items():
            assert {sentence, *(f"{sentence}_{suffix}" for suffix, _ in variants)} <= set(
                words.sentences
            )


def test_elements_are_told_from_sizes():
    """A user's own size keeps its number; the size of a layer is counted with the layers."""
    derivation = bpderive.derive(bpderive.network("n0,n1,n2"))
    printer = UnicodeMath(load("nielsen").fitted(setting(derivation.network)))
    own: Expr = derivation.network.inputs
    assert (printer.expr(own), printer.expr(Symbol("n0"))) == ("n₀", "n₁")
    assert printer.expr(element("w1", (Integer(1), Integer(2)))) == "w²₁₂"


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_prints_the_notation_that_differs_most(name):
    derivation = bpderive.derive(network_of("cs231n", "2,3,1"))
    built = document.build(derivation, Request(level="full", translate="goodfellow"))
    assert render(built, name, notation="cs231n")


def test_no_sentence_on_conventions_is_unused():
    used = set()
    books = ("article", "cs229", "cs224n", "cs231n", "3blue1brown", "bishop")
    for name, other in permutations(books, 2):
        for reduction in ("mean", "sum"):
            network = network_of(name, "3,2,1", reduction=reduction)
            built = document.build(
                bpderive.derive(network),
                Request(sections=("notation", "matrix"), level="full", translate=other),
            )
            used |= words_of(built)
    used |= {f"{key}_{suffix}" for key, rows in VARIANTS.items() for suffix, _ in rows}
    ours = ("convention.", "translation.", "notation.", "table.here", "table.there", "table.ours")
    assert [key for key in load_words("en").sentences if key.startswith(ours)]
    assert [k for k in load_words("en").sentences if k.startswith(ours) and k not in used] == []
