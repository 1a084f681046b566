"""Specs: what is accepted, and that every problem is told once, with its place."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpderive.errors import SpecError
from bpderive.grammar.widths import MAX_LAYERS
from bpderive.spec import (
    LayerSpec,
    Spec,
    load_toml,
    parse_spec,
    read_toml,
)

GOOD_LAYERS = [
    ("2,2,2,1", [(2, None), (2, None), (2, None), (1, None)]),
    (" 2 , 2\t,1 ", [(2, None), (2, None), (1, None)]),
    ("784,128:relu,10:softmax", [(784, None), (128, "relu"), (10, "softmax")]),
    ("2,3:relu*2,1", [(2, None), (3, "relu"), (3, "relu"), (1, None)]),
    ("2,3*2:relu,1", [(2, None), (3, "relu"), (3, "relu"), (1, None)]),
    ("2, 3 : relu * 2, 1", [(2, None), (3, "relu"), (3, "relu"), (1, None)]),
    ("4*3", [(4, None)] * 3),
    ("n0,n1*2,N", [("n0", None), ("n1", None), ("n1", None), ("N", None)]),
    ("d,h12,n2:tanh", [("d", None), ("h12", None), ("n2", "tanh")]),
    ("1000000000,1", [(10**9, None), (1, None)]),
]

BAD_LAYERS = [
    ("2", "an input and at least one layer"),
    ("2,0,1", 'item 2: a width must be at least 1, not "0"'),
    ("2,-1", 'item 2: a width must be at least 1, not "-1"'),
    ("2,two,1", 'item 2: "two" is not a width'),
    ("", "no layers are given"),
    ("   ", "no layers are given"),
    (",,", "item 3: the item is empty"),
    ("2,2,", "item 3: the item is empty"),
    ("2.5,1", '"2.5" is not a width'),
    ("1e3,1", '"1e3" is not a width'),
    ("1_000,1", '"1_000" is not a width'),
    ("+2,1", '"+2" is not a width'),
    ("\uff12,1", "is not a width"),  # a full-width digit two
    ("1" + "0" * 400 + ",1", "a width must be at most 1000000000"),
    ("-1" + "0" * 5000 + ",1", "a width must be at least 1"),
    ("2,2*1000000000,1", "a count must be at most 100000"),
    ("2,60000*60000,50000*50000", "layers are too many"),
    ("1," * MAX_LAYERS + "1", "items are too many"),
    ("2,2*0,1", "a count must be at least 1"),
    ("2,2*x,1", '"x" is not a count'),
    ("2,2*,1", '"" is not a count'),
    ("2,2:,1", '"" is not a name'),
    ("2,:relu,1", '"" is not a width'),
    ("2,2:relu:tanh,1", "more than one activation or count"),
    ("2,2:z*tanh(z),1", "a formula cannot stand here"),
    ("2:relu,1", "item 1: the input layer has no activation"),
    ("2\x00,1", r"2\x00"),
]


@pytest.mark.parametrize(("text", "layers"), GOOD_LAYERS)
def test_layers_are_read(text, layers):
    assert parse_spec(text).layers == tuple(LayerSpec(*layer) for layer in layers)


@pytest.mark.parametrize(("text", "told"), BAD_LAYERS, ids=[text[:20] for text, _ in BAD_LAYERS])
def test_bad_layers_are_refused(text, told):
    with pytest.raises(SpecError) as caught:
        parse_spec(text)
    message = str(caught.value)
    assert told in message
    assert "Accepted: " in message
    assert len(message) < 1000
    assert "\x00" not in message


@given(st.text(alphabet="0123456789nx,:*-. relu()\n\u0664", max_size=40))
def test_any_text_is_read_or_refused(text):
    try:
        spec = parse_spec(text)
    except SpecError:
        return
    assert 2 <= len(spec.layers) <= MAX_LAYERS or (spec.items and not spec.layers)


def test_all_problems_are_told_and_a_remedy_once():
    with pytest.raises(SpecError) as caught:
        parse_spec("2,0,x:rel u*-1", reduction="men", orientatoin="rows", bias="yes")
    places = [problem.where for problem in caught.value.problems]
    item = 'layers, item 3, "x:rel u*-1"'
    assert places == ["layers, item 2", item, item, "bias", "reduction", "orientatoin"]
    message = str(caught.value)
    assert 'did you mean "mean"?' in message
    assert 'did you mean "orientation"?' in message


def test_a_thousand_problems_are_counted():
    with pytest.raises(SpecError, match="and 980 more"):
        parse_spec(",".join(["0"] * 1000))


def test_options_that_are_not_given_take_their_defaults():
    assert parse_spec("2,1", activation=None, bias=None) == Spec((LayerSpec(2), LayerSpec(1)))


def test_layers_of_an_array_and_of_a_text_are_the_same():
    table = {"width": 4, "activation": "relu", "repeat": 2}
    assert parse_spec([2, table, "n1:tanh", 1]) == parse_spec("2,4:relu*2,n1:tanh,1")


def test_activations_have_their_defaults_filled_in():
    spec = parse_spec("2,3,4:relu,1", activation="tanh", output_activation="exp")
    assert spec.activations == ("tanh", "relu", "exp")
    assert parse_spec("2,1:relu").activations == ("relu",)


# --- Slugs ---

SLUGS = [
    ("2,2,2,1", {}, "2-2-2-1"),
    ("2,4*1000,1", {}, "2-4x1000-1"),
    ("n0,n1,n2", {}, "n0-n1-n2"),
    ("2,2,2,1", {"activation": "tanh", "bias": True}, "2-2-2-1-tanh-bias"),
    ("2,2:tanh*2,1", {"bias": True}, "2-2-2-1-tanh-bias"),
    ("3,4,2", {"loss": "softmax_cross_entropy"}, "3-4-2-softmax_cross_entropy"),
    ("2,1", {"activation": "tanh"}, "2-1"),
    ("2,1", {"output_activation": "tanh"}, "2-1-out_tanh"),
    ("2,2:relu,3*6,1", {}, "2-2.relu-3x6-1"),
    ("2,1", {"reduction": "sum", "orientation": "columns"}, "2-1-sum-columns"),
    ("2,2,1", {"activation": "z * tanh(z)"}, "2-2-1-f_8670969a"),
    ("2,2,1", {"activation": "z*tanh(z)"}, "2-2-1-f_8670969a"),
]


@pytest.mark.parametrize(("layers", "options", "slug"), SLUGS)
def test_slug(layers, options, slug):
    assert parse_spec(layers, **options).slug == slug


def test_slugs_tell_specs_apart():
    specs = [
        parse_spec(layers, **options)
        for layers in ("2,2,1", "2,2,2", "2,n2,1", "2,2:tanh,2,1", "2,2,2:tanh,1")
        for options in (
            {},
            {"activation": "relu"},
            {"output_activation": "relu"},
            {"loss": "mse"},
            {"loss": "(a-y)**4"},
            {"activation": "(a-y)**4"},
            {"bias": True},
        )
    ]
    assert len({spec.slug for spec in specs}) == len(specs)


def test_a_long_slug_stays_a_file_name():
    one, other = (parse_spec(",".join(["12", "13"] * 500 + [last])).slug for last in "23")
    assert len(one) <= 100
    assert one != other
    assert set(one) <= set("0123456789abcdef-")
    assert parse_spec("2,1", loss="../\x00(:*?").slug.startswith("2-1-loss_")


# --- TOML ---

GOOD_TOML = [
    ('layers = "2,2:relu,1"', "2,2:relu,1", {}),
    ('layers = [2, {width = 2, activation = "relu", repeat = 3}, 1]', "2,2:relu*3,1", {}),
    ('[[layers]]\nwidth = 2\n[[layers]]\nwidth = "n1"\n', "2,n1", {}),
    ('layers = ["n0", "4:relu*2", 1]\nbias = true', "n0,4:relu*2,1", {"bias": True}),
    ('activation = " z*tanh(z) "\nlayers = "2,1"', "2,1", {"activation": "z*tanh(z)"}),
    ('reduction = "sum"\r\nlayers = "2,1"\r\n', "2,1", {"reduction": "sum"}),
]


@pytest.mark.parametrize(("document", "layers", "options"), GOOD_TOML)
def test_toml_is_read(document, layers, options):
    assert load_toml(document) == parse_spec(layers, **options)


BAD_TOML = [
    ("", ["line 1, layers: no layers are given"]),
    ("layers = []", ["line 1, layers: no layers are given"]),
    ("layers = 3", ['line 1, layers: "3" is neither a text nor a list']),
    ('layers = "2,\n', ["not TOML: Illegal character", "line 1"]),
    ("layers = [2, " + "9" * 5000 + "]", ["a number is too long"]),
    ("layers = " + "[" * 5000, ["nested too deeply"]),
    ('layers = "2,2"\nbias = 1', ['line 2, bias: "1" is neither true nor false']),
    ('layers = "2,2"\n\nloss = " "', ["line 3, loss: the text is empty"]),
    ('layers = "2,2"\nloss = 3', ['line 2, loss: "3" is not a text']),
    ('layers = "2,2"\n[more]\nx = 1', ['line 2, more: unknown key "more"']),
    ("[[layers]]\nwidth = 2\n[[layers]]\nwidth = 0", ["line 3, layers, item 2, width: "]),
    (
        "layers = [\n  2, # [not, this]\n  {activation = 3, repeet = 2}, [1],\n  true,\n  2.0]",
        [
            'line 3, layers, item 2, repeet: unknown key "repeet" (did you mean "repeat"?)',
            "line 3, layers, item 2: the width is missing",
            'line 3, layers, item 2, activation: "3" is not a text',
            'line 3, layers, item 3: "[1]" is not a width',
            'line 4, layers, item 4: "True" is not a width',
            'line 5, layers, item 5: "2.0" is not a width',
        ],
    ),
    (
        'layers = "2,0"\nreduction = "men"\n  activaton = "relu"\n',
        [
            "line 1, layers, item 2: a width must be at least 1",
            'line 2, reduction: unknown value "men" (did you mean "mean"?)',
            'line 3, activaton: unknown key "activaton" (did you mean "activation"?)',
        ],
    ),
]


@pytest.mark.parametrize(("document", "told"), BAD_TOML)
def test_bad_toml_is_told_with_its_lines(document, told):
    with pytest.raises(SpecError) as caught:
        load_toml(document, "net.toml")
    message = str(caught.value)
    assert "net.toml" in message
    for part in told:
        assert part in message
    assert len(message) < 3000


def test_toml_files_are_read(tmp_path):
    path = tmp_path / "net.toml"
    path.write_bytes(b'\xef\xbb\xbflayers = "2,1"\r\n')  # as some editors write it
    assert read_toml(str(path)) == parse_spec("2,1")


def test_files_that_cannot_be_read_are_named(tmp_path):
    latin, big = tmp_path / "latin.toml", tmp_path / "big.toml"
    latin.write_bytes(b'layers = "2,1" # caf\xe9')
    big.write_bytes(b"#" * 4_000_001)
    told = {
        str(tmp_path): "Is a directory",
        str(tmp_path / "none.toml"): "No such file",
        str(latin): "not UTF-8 at byte 21",
        str(big): "too long",
    }
    for path, message in told.items():
        with pytest.raises(SpecError, match=message) as caught:
            read_toml(path)
        assert path in str(caught.value)


def test_toml_from_standard_input():
    code = "import bpderive.spec as s; print(s.read_toml('-').slug); print(s.read_toml('-'))"
    run = subprocess.run(
        [sys.executable, "-c", code], input=b'layers = "2,1"', capture_output=True, check=False
    )
    assert run.stdout.split() == [b"2-1"]
    assert b"standard input" in run.stderr  # read to its end, it holds no layers


def test_reading_a_spec_does_not_import_sympy():
    heavy = {"sympy", "click", "jinja2", "tomllib", "hashlib", "difflib"}
    code = (
        "import sys, bpderive.spec as s; s.parse_spec('2,2,1').slug; "
        f"print(sorted({heavy} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert run.stdout.strip() == "[]"
