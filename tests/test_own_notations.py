"""A notation of one's own: what a file may say, and everything that may be wrong with it."""

import pytest

import bpderive
from bpderive import document
from bpderive.document import Request
from bpderive.errors import SpecError
from bpderive.locate import templates
from bpderive.notation import Notation, load
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


MISTAKES = [
    ('title = "T"\nbase = "nielson"', r'line 2, base: unknown notation.*did you mean "nielsen"'),
    ('base = "nielsen"', "line 1, title: the key is missing"),
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
    assert len(error.value.problems) == 4


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
