"""A notation of one's own: what a file may say, and everything that may be wrong with it."""

import re
from pathlib import Path

import pytest
from sympy import Rational

import bpderive
from bpderive import document
from bpderive.document import Request
from bpderive.errors import SpecError
from bpderive.locate import templates
from bpderive.notation import Notation, load
from bpderive.notation.reading import READERS, TABLES
from bpderive.render import render

MINE = """
base = "nielsen"
title = "My <b>book</b> & $x$ \\\\input{y} [z](w) `t`"
[letters]
L = "E"
eta = "λ"
delta = "ε\u0302"
"""


@pytest.fixture
def file(tmp_path):
    def written(text, name="mine.toml"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return written


def test_a_file_overrides_what_it_names(file):
    found = load(file(MINE))
    assert (found.name, found.input_layer, found.letters["w"]) == ("mine", 1, "w")
    assert (found.letters["L"], found.source) == ("E", "")
    derivation = bpderive.derive(bpderive.network("2,2,1"))
    text = render(document.build(derivation), "text", notation=file(MINE))
    assert "ε̂²ⱼ = σ′(z²ⱼ) w³₁ⱼ ε̂³₁" in text
    assert "wˡⱼₖ ← wˡⱼₖ − λ ∂E/∂wˡⱼₖ" in text


def test_a_whole_notation_needs_no_base(file):
    text = (templates() / "notation" / "article.toml").read_text("utf-8")
    found, article = load(file(text)), load()
    for key in Notation.__dataclass_fields__:
        assert key in ("name", "setting") or getattr(found, key) == getattr(article, key)


def test_a_title_is_printed_as_it_stands(file):
    derivation = bpderive.derive(bpderive.network("2,1"))
    built = document.build(derivation, Request(sections=("notation",), translate=file(MINE)))
    latex, html = (str(render(built, name)) for name in ("latex", "html"))
    assert r"\textbackslash{}input\{y\}" in latex
    assert "\\input" not in latex
    assert "&lt;b&gt;book&lt;/b&gt; &amp;" in html
    assert "<b>" not in html
    assert "\\[z\\]" in str(render(built, "markdown"))


def test_a_file_with_a_base_needs_no_title(file):
    assert load(file('base = "nielsen"', "our course.toml")).title == "our course"


@pytest.mark.parametrize(
    ("text", "table", "moved", "letter"),
    [
        ('[letters]\na = "h"', "letters", "h", "c"),
        ('[letters]\na = "g"', "letters", "g", "c"),
        ('[letters]\na = "h"\nz = "c"', "letters", "h", "f"),
        ('[letters]\nL = "S"', "letters", "S", "T"),
        ('[matrices]\na = "H"', "matrices", "h", "F"),
        ('[functions]\nsigmoid = "g"', "letters", "g", "c"),
        ("bold = true", "letters", "h", "h"),
    ],
)
def test_the_letter_of_a_quantity_that_few_networks_have_gives_way(
    file, text, table, moved, letter
):
    found = load(file(f'base = "nielsen"\n{text}'))
    assert getattr(found, table)[moved] == letter


def test_a_letter_that_the_file_itself_gives_twice_is_told(file):
    with pytest.raises(SpecError, match='"h" is the letter of a too'):
        load(file('base = "nielsen"\n[letters]\na = "h"\nh = "h"'))


MISTAKES = [
    ('title = "T"\nbase = "nielson"', r'line 2, base: unknown notation.*did you mean "nielsen"'),
    ("bold = true", "line 1, title: the key is missing"),
    ('title = "T"', "these keys are missing too: source, general_layer"),
    ('title = 3\nbase = "article"', 'line 1, title: "3" is not a text'),
    ('title = "T"\nbase = "article"\ncolour = 1', 'line 3, colour: unknown key "colour"'),
    ('title = "T"\nbase = "article"\nlayer_mark = "<b>"', 'line 3, layer_mark.*"<b>"'),
    ('title = "T"\nbase = "article"\nlayer_place = "left"', "layer_place.*above, below"),
    ('title = "T"\nbase = "article"\ninput_layer = 2', "input_layer.*Accepted: 0, 1"),
    ('title = "T"\nbase = "article"\ninput_layer = true', "input_layer.*Accepted: 0, 1"),
    ('title = "T"\nbase = "article"\nbold = "yes"', "bold.*true, false"),
    ('title = "T"\nbase = "article"\nindices = ["i"]', "indices.*6 letters or more"),
    ('title = "T"\nbase = "article"\nindices = "ijk"', "indices.*6 letters or more"),
    ('title = "T"\nbase = "article"\nsamples = ["α"]', 'samples: no format can print "α"'),
    ('title = "T"\nbase = "article"\nsamples = [1]', 'samples: no format can print "1"'),
    ('title = "T"\nbase = "article"\nletters = 1', "letters.*is not a table"),
    ('title = "T"\nbase = "article"\n[letters]\nq = "r"', r'line 4, letters, q: unknown key "q"'),
    ('title = "T"\nbase = "article"\n[letters]\nw = "\\\\write18{x}"', "letters, w: no format"),
    ('title = "T"\nbase = "article"\n[letters]\nw = "<script>"', "letters, w: no format"),
    ('title = "T"\nbase = "article"\n[letters]\nw = "權"', "letters, w: no format can print"),
    ('title = "T"\nbase = "article"\n[letters]\nw = "π"', "letters, w: no format can print"),
    ('title = "T"\nbase = "article"\n[letters]\nw = "e"', '"e" is the base of exponentials'),
    ('title = "T"\nbase = "article"\n[letters]\nw = ""', "letters, w: no format can print"),
    ('title = "T"\nbase = "article"\n[letters]\nw = "w_1"', "letters, w: no format can print"),
    ('title = "T"\nbase = "article"\n[letters]\nw = "averylongname"', "letters, w: no format"),
    ('title = "T"\nbase = "article"\n[letters]\nz = "a"', 'letters, a: "a" is the letter of z'),
    ('title = "T"\nbase = "article"\n[letters]\nL = "i"', '"i" is the letter of L too'),
    ('title = "T"\nbase = "article"\n[matrices]\nz = "A"', 'matrices, a: "A" is the letter of z'),
    ('title = "T"\nbase = "article"\n[letters]\noutput = "o"', "matrices, output: the letter is"),
    ('title = "T"\nbase = "article"\nactivation = "y"', 'activation: "y" is the letter of y'),
    ('title = "T"\nbase = "article"\nabove = "i"', 'above: "i" has another meaning'),
    ('title = "T"\nbase = "article"\nkronecker = "w"\nderivatives = "d"', 'kronecker: "w" is'),
    ('title = "T"\nbase = "article"\nlayer_place = "below"', 'kronecker: "δ" is the letter of'),
    ('title = "T"\nbase = "article"\ngeneral_layer = "i"', '"i" is the letter of general_layer'),
    ('title = "T"\nbase = "article"\n[functions]\nsigmiod = "s"', 'did you mean "sigmoid"'),
    ('title = "T"\nbase = "article"\n[functions]\nrelu = "a$b"', "functions, relu: no format"),
    ('title = "T"\nbase = "article"\n[functions]\nrelu = "σ"', '"σ" is the letter of sigmoid'),
    ('title = "T"\nbase = "article"\n[layer_shift]\nw = 7', "layer_shift, w.*-1, 0, 1"),
    ('title = "T"\nbase = "article"\n[spec]\nloss = "no"', 'spec, loss: unknown loss "no"'),
    ('title = "T"\nbase = "article"\n[spec]\nweights = "row"', "spec, weights.*neuron_first"),
    ('title = "T"\nbase = "article"\n[spec]\nlayers = "2"', 'unknown key "layers"'),
    ("title = ", "not TOML"),
    (b'title = "\xff"', "not UTF-8 at byte 10"),
    ("a" + ".a" * 50 + " = 1", "nested too deeply"),
    ('title = "' + "x" * 200_000 + '"', "too long for a notation"),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_in_a_file_is_told_with_its_place(file, text, message):
    path = file(text)
    with pytest.raises(SpecError, match=message) as error:
        load(path)
    assert path in str(error.value)


def test_all_mistakes_are_told_at_once(file):
    with pytest.raises(SpecError) as error:
        load(file('base = "x"\nbold = 1\n[letters]\nw = "1"'))
    assert len(error.value.problems) == 3


@pytest.mark.parametrize("name", ["missing.toml", "./missing", "no/such/file"])
def test_a_file_that_is_not_there_is_told(name):
    with pytest.raises(SpecError, match=r"cannot be read: No such file"):
        load(name)


def test_a_folder_is_no_notation(tmp_path):
    with pytest.raises(SpecError, match="cannot be read"):
        load(str(tmp_path))


def test_an_unknown_name_tells_the_names():
    with pytest.raises(SpecError, match=r'did you mean "bishop".*the path of a TOML file'):
        load("bishp")


# --- What docs/notes.md shows ---

PAGE = (Path(__file__).parent.parent / "docs" / "notes.md").read_text("utf-8")
SHOWN = re.findall(r"^```toml\n(.*?)^```$", PAGE, flags=re.M | re.S)
OWN = [text for text in SHOWN if text.startswith("base =")]
VALUES = [text for text in SHOWN if text.startswith("# values.toml")]


def test_every_file_of_the_page_is_tried():
    assert len(OWN) == len(VALUES) == 1
    assert len(SHOWN) == 2


@pytest.mark.parametrize("layers", ["2,2,2,1", "3,4:softmax,2"])
def test_the_notation_of_the_page_is_one(file, layers):
    found = load(path := file(OWN[0], "ours.toml"))
    assert found.title == "ours"
    derivation = bpderive.derive(bpderive.network(layers, **found.spec))
    text = bpderive.notes(derivation, notation=path, language="en").render("text")
    assert "h²ⱼ = " in text
    assert "∂J/∂" in text


def test_the_values_of_the_page_are_those_of_an_example(file):
    derivation = bpderive.derive(bpderive.network("2,2,2,1"))
    example = bpderive.example(derivation, values=file(VALUES[0], "values.toml"))
    assert example is not None
    assert example.given.numbers["w3[1,1]"] == Rational(-9, 10)
    assert bpderive.notes(derivation, example=example).document


def test_every_key_of_a_notation_is_told_on_the_page():
    keys = {*READERS, *TABLES, "base"}
    table = PAGE.partition("### The keys of a notation")[2]
    assert set(re.findall(r"^\| `(\w+)`", table, flags=re.M)) == keys
