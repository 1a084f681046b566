"""Lists of layers of any kind: what is read, and that every problem is told with its place."""

import re
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bpderive
from bpderive.catalog import CATALOG
from bpderive.errors import SpecError
from bpderive.grammar.expanding import MAX_LAYERS, count, leaves
from bpderive.grammar.layers import INTERNAL, LAYERS, SPOKEN
from bpderive.grammar.model import Input, Item
from bpderive.spec import Spec, load_toml, parse_spec, read_toml


def read(layers, **options):
    return parse_spec(layers, CATALOG.names, **options)


def dense(width, activation=None, **more):
    return Item("dense", (("width", width),), activation, **more)


def act(name):
    return Item("activation", activation=name)


CONV = Item("conv", (("out", 4), ("kernel", 3)))
PADDED = replace(CONV, args=(*CONV.args, ("padding", 1)))
FILE = Item("equations", (("file", "a/squeeze.eq"),))

GOOD = [
    # text, the input, the items
    (
        "1x8x8, conv(4,3,padding=1):relu, maxpool(2), flatten, 10:softmax",
        Input("image", (1, 8, 8)),
        [
            replace(PADDED, activation="relu"),
            Item("maxpool", (("kernel", 2),)),
            Item("flatten"),
            dense(10, "softmax"),
        ],
    ),
    (
        "seq(5)x3, rnn(4):tanh, last, 1",
        Input("sequence", (5, 3)),
        [Item("rnn", (("units", 4),), "tanh"), Item("last"), dense(1)],
    ),
    (
        "seq(4)x6,attention(heads=2),last,1",
        Input("sequence", (4, 6)),
        [Item("attention", (("heads", 2),)), Item("last"), dense(1)],
    ),
    (
        "8, residual(7:relu,8), layernorm, 3",
        Input("vector", (8,)),
        [Item("residual", inner=(dense(7, "relu"), dense(8))), Item("layernorm"), dense(3)],
    ),
    (
        "8, residual(7, project):relu",
        Input("vector", (8,)),
        [Item("residual", (("project", True),), "relu", inner=(dense(7),))],
    ),
    (
        "5, 4, batchnorm, tanh, 2",
        Input("vector", (5,)),
        [dense(4), Item("batchnorm"), act("tanh"), dense(2)],
    ),
    ("a/squeeze.eq", None, [FILE]),
    (
        "8x16, a/squeeze.eq ( K = 3 , H=n1, rate=0.5 ) : relu * 2",
        Input("signal", (8, 16)),
        [
            replace(
                FILE,
                args=(*FILE.args, ("K", 3), ("H", "n1"), ("rate", Fraction(1, 2))),
                activation="relu",
                repeat=2,
            )
        ],
    ),
    (
        "seq(5), embedding(100, d), flatten",
        Input("tokens", (5,)),
        [Item("embedding", (("vocab", 100), ("dim", "d"))), Item("flatten")],
    ),
    (
        "seq(n1)xd , transformer(2, causal) * 3",
        Input("sequence", ("n1", "d")),
        [Item("transformer", (("heads", 2), ("causal", True)), repeat=3)],
    ),
    (
        "8, [7:relu, [batchnorm, 8]*2]*3, 1",
        Input("vector", (8,)),
        [
            Item(
                "group",
                repeat=3,
                inner=(
                    dense(7, "relu"),
                    Item("group", repeat=2, inner=(Item("batchnorm"), dense(8))),
                ),
            ),
            dense(1),
        ],
    ),
    (
        "8, dense(6, bias=true, tie=3):relu*2, dense(width=5), 4(bias=false), relu",
        Input("vector", (8,)),
        None,  # the tie is wrong: told below
    ),
    (
        "8, 6(bias=true):relu, dense(width=5,activation=exp), n1:tanh*2, dense(5,tie=2), relu",
        Input("vector", (8,)),
        [
            dense(6, "relu", bias=True),
            dense(5, "exp"),
            dense("n1", "tanh", repeat=2),
            dense(5, tie=2),
            act("relu"),
        ],
    ),
    (
        "8x9x7, conv(4,3x5,2), maxpool(2,stride=1), dropout(0.25), batchnorm(1e-3,true)",
        Input("image", (8, 9, 7)),
        [
            Item("conv", (("out", 4), ("kernel", (3, 5)), ("stride", 2))),
            Item("maxpool", (("kernel", 2), ("stride", 1))),
            Item("dropout", (("rate", Fraction(1, 4)),)),
            Item("batchnorm", (("eps", Fraction(1, 1000)), ("inference", True))),
        ],
    ),
]
GOOD = [row for row in GOOD if row[2] is not None]


@pytest.mark.parametrize(("text", "first", "items"), GOOD, ids=[row[0] for row in GOOD])
def test_layers_are_read(text, first, items):
    spec = read(text)
    assert (spec.layers, spec.input, list(spec.items)) == ((), first, items)
    assert (spec.activation, spec.stacked) == ("linear", True)


@pytest.mark.parametrize("text", [row[0] for row in GOOD])
def test_what_an_item_says_reads_as_the_item(text):
    spec = read(text)
    told = [item.text for item in spec.items]
    again = read(",".join([spec.input.text, *told] if spec.input else told))
    assert (again.input, again.items) == (spec.input, spec.items)


PLAIN = ["2,2,2,1", "784,128:relu,10:softmax", "2,4*1000,1", "n0, n1*2 , N", "e,x,y"]


@pytest.mark.parametrize("text", PLAIN)
def test_plain_widths_are_the_dense_network_of_old(text):
    spec = read(text)
    assert spec.layers
    assert (spec.items, spec.input, spec.stacked, spec.activation) == ((), None, False, "sigmoid")


# --- TOML and Python ---

TOML = [
    (
        'layers = ["1x8x8", "conv(4,3,padding=1):relu", {layer="maxpool", args=[2]}, 10]',
        "1x8x8,conv(4,3,padding=1):relu,maxpool(2),10",
    ),
    (
        'layers = [{input="seq", steps=5, features="d"}, {layer="lstm", units=4, bias=true}]',
        "seq(5)xd,lstm(4,bias=true)",
    ),
    ('layers = [{input="tokens", steps=5}, "embedding(9,4)"]', "seq(5),embedding(9,4)"),
    ('layers = [{input="seq", steps=5}, "embedding(9,4)"]', "seq(5),embedding(9,4)"),
    ('layers = [{input="seq(5)x3"}, "last"]', "seq(5)x3,last"),
    ('layers = [{input="2x9"}, "flatten"]', "2x9,flatten"),
    ('layers = [{input="vector", features=8}, "tanh"]', "8,tanh"),
    ('layers = [{input="signal", channels=2, positions=9}, "tanh"]', "2x9,tanh"),
    ('layers = [{input="image", channels=2, rows=9, columns=7}, "tanh"]', "2x9x7,tanh"),
    (
        'layers = [8, {layer="residual", items=["7:relu", {width=8, bias=false}], project=true}]',
        "8,residual(7:relu,8(bias=false),project)",
    ),
    (
        'layers = [8, {layer="[batchnorm, 7]", repeat=3}, {layer="dense", width=5, tie=0x6}]',
        "8,[batchnorm,7]*3,dense(5,tie=6)",
    ),
    (
        'layers = [8, {width=4, activation="relu", repeat=2}, {layer="dropout", rate=0.1}]',
        "8,4:relu*2,dropout(0.1)",
    ),
    ('layers = "seq(5)x3, last"', "seq(5)x3,last"),
    ("layers = [[1]]\nlayers2 = 3", None),
    ('layers = [9, {layer="conv", out=4, kernel=[3, 5]}]', "9,conv(4,3x5)"),
    ('[[layers]]\ninput="2x9"\n[[layers]]\nlayer="conv"\nargs=[4, 3]\n', "2x9,conv(4,3)"),
    ('layers = [2, {layer="my file, (v2).eq", H=3}]', None),
]
TOML = [row for row in TOML if row[1] is not None]


@pytest.mark.parametrize(("document", "text"), TOML)
def test_toml_says_the_same_as_a_text(document, text):
    assert load_toml(document, names=CATALOG.names) == read(text)


def test_toml_takes_formulas_and_any_path(tmp_path):
    path = tmp_path / "net.toml"
    path.write_text(
        'bias = true\nlayers = ["3x4", {layer = "conv(4,3)", activation = "z*tanh(z)"},\n'
        '{layer = "activation", activation = "z**3"}, {layer = "my file v2.eq", H = 3}]\n'
    )
    spec = read_toml(str(path), CATALOG.names)
    assert [item.activation for item in spec.items] == ["z*tanh(z)", "z**3", None]
    assert spec.items[2].file == "my file v2.eq"
    assert spec.bias


def test_python_calls_say_the_same():
    from bpderive.api import _item

    items = [_item(item) for item in ["seq(5)x3", ("rnn(4)", "relu"), "last", {"width": 3}, 1]]
    assert read(items) == read("seq(5)x3, rnn(4):relu, last, 3, 1")
    with pytest.raises(SpecError, match='unknown layer "lastt"'):
        bpderive.network(["seq(5)x3", "lastt", 1])


# --- What is wrong ---

BAD = [
    (
        "1x8x8, cnv(4,3)",
        ['item 2, column 8: unknown layer "cnv" (did you mean "conv"?)', "maxpool, "],
    ),
    ("8, Conv(4,3)", ['unknown layer "Conv" (did you mean "conv"?)']),
    ("8, conv2d(4,3)", ['(did you mean "conv"?)']),
    ("8, batch_norm, 3", ['unknown layer "batch_norm" (did you mean "batchnorm"?)']),
    ("8, linear(4), 3", ['linear is an activation (did you mean "dense"?)']),
    ("8, tanh(4), 3", ["tanh is an activation. Accepted: tanh alone"]),
    ("8, tanhh, 3", ['unknown activation "tanhh" (did you mean "tanh"?)']),
    ("8, batchnorm, 3:rellu", ['item 3, column 15: unknown activation "rellu"']),
    ("8, batchnorm, 3:z*tanh(z)", ["item 3"]),
    ("8, equations(file=x)", ['unknown layer "equations"']),
    ("8, group, batchnorm", ['unknown layer "group"']),
    ("8, add, batchnorm", ['"add"']),
    (
        "1x8x8, conv(4,3,paddin=1)",
        ['column 17: conv takes no "paddin" (did you mean "padding"?)', "stride"],
    ),
    ("8, batchnorm(bias=true)", ['batchnorm takes no "bias"']),
    ("8, flatten(3)", ['flatten takes no further argument, and here is "3"']),
    ("8, conv(4)", ["conv needs kernel", "conv(out,kernel,stride=1,padding=0,"]),
    ("8, conv", ["conv needs out and kernel"]),
    ("8, conv(4,3,1,0,1,1,7)", ['conv takes no further argument, and here is "7"']),
    ("8, conv(4,3,out=4)", ["column 13: out is given twice"]),
    ("8, conv(4,3,stride=2,stride=2)", ["stride is given twice"]),
    ("8, conv(four,3)", ['column 9, out: "four" is not a size']),
    ("8, conv(4,0)", ["kernel: a size of a window must be at least 1"]),
    ("8, conv(4,3x0)", ["kernel: a count must be at least 1"]),
    ("8, conv(4,3x3x3)", ['kernel: "3x3x3" is not a size of a window']),
    ("8, conv(4,3,padding=-1)", ["padding: a whole number must be at least 1, not", "from 0"]),
    ("8, conv(4,3,stride=1.5)", ['stride: "1.5" is not a count']),
    ("8, conv(4,3,stride=" + "9" * 5000 + ")", ["stride: a count must be at most"]),
    ("8, dropout(half)", ['rate: "half" is not a number']),
    ("8, dropout(-0.5)", ['rate: "-0.5" is below zero']),
    ("8, dropout(1e999)", ['rate: "1e999" is not a number']),
    ("8, dropout(nan)", ['rate: "nan" is not a number']),
    ("8, batchnorm(inference=yes)", ['inference: "yes" is neither true nor false']),
    ("8, dense(4,bias=1)", ['bias: "1" is neither true nor false']),
    ("8, dense(0), batchnorm", ["a size must be at least 1"]),
    ("8, -3, batchnorm", ["item 2, column 4: a size must be at least 1"]),
    ("8, 1.5, batchnorm", ['"1.5" is not a size']),
    ("8, two words, batchnorm", ['"two words" is neither a width nor a layer']),
    ("8, \uff14, batchnorm", ["is neither a width nor a layer"]),
    ("8, batchnorm\x00, batchnorm", [r"batchnorm\x00"]),
    ("8, \u202e.eq, batchnorm", ["U+202E"]),
    ("8, (3), batchnorm", ["no layer stands before"]),
    ("8, , batchnorm", ["item 2, column 4: the item is empty"]),
    ("8, batchnorm,", ["item 3, column 14: the item is empty"]),
    (", batchnorm", ["item 1: the item is empty"]),
    ("8, residual(4,,4)", ["item 2, column 15: the item is empty"]),
    ("8, residual()", ["residual holds no items"]),
    ("8, residual(project)", ["residual holds no items"]),
    ("8, []*3, 2", ["[…] holds no items"]),
    ("8, residual(4, projct)", ['column 16: unknown layer "projct" (did you mean "project"?)']),
    ("8, residual(1x8, 8)", ['"1x8" is an input']),
    ("8, residual(cnv(3), 8)", ['column 13: unknown layer "cnv"']),
    ("8, residual(8):relu:relu", ["more than one activation or count"]),
    (
        "8, batchnorm:relu",
        ["batchnorm takes no activation. Accepted: an item of its own: batchnorm, relu"],
    ),
    ("8, maxpool(2,activation=relu)", ['maxpool takes no "activation"']),
    ("8, activation", ["which activation?"]),
    ("8, conv(4,3):", ["the text is empty"]),
    ("8, :relu, batchnorm", ['no layer stands before ":relu"']),
    ("8, batchnorm*0", ["a count must be at least 1"]),
    ("8, batchnorm*x", ['"x" is not a count']),
    ("8, batchnorm*1000000", ["a count must be at most 100000"]),
    (f"8, batchnorm*{MAX_LAYERS + 1}", [f"{MAX_LAYERS + 1} layers are too many"]),
    ("8, [[[batchnorm*9999]*9999]*9999]*9999", ["layers are too many. Accepted: at most 10000"]),
    ("8, batchnorm)", ['column 13: ")" closes no bracket']),
    ("8, conv(4,3", ['column 8: "(" is not closed']),
    ("8, conv(4,3]", ['column 12: "]" closes no bracket']),
    ("8, [batchnorm, 3", ['column 4: "[" is not closed']),
    ("8, " + "[" * 30 + "3" + "]" * 30, ["column 16: brackets are nested too deeply"]),
    ("8, " + "residual(" * 5000 + "3" + ")" * 5000, ["brackets are nested too deeply"]),
    ("8, " + "conv(4,3)," * 50_000 + "1", ["characters are too many"]),
    ("8, conv(4,3)x3", ['"x3" after the brackets']),
    ("8, conv(4,3)relu", ['"relu" after the item']),
    ("8, a[3], batchnorm", ["square brackets hold items alone"]),
    ("conv(4,3), flatten", ['item 1: the first item is the input, not "conv"', "1x8x8"]),
    ("tanh, 3", ['the first item is the input, not "tanh"']),
    ("squeeze.eq, flatten", ['the first item is the input, not "squeeze.eq"']),
    ("[3], batchnorm", ['the first item is the input, not "[…]"']),
    ("1x2x3x4, flatten", ["an input of 4 sizes"]),
    ("1x0x3, flatten", ["a size must be at least 1"]),
    ("1x8x8:relu, flatten", ["the input layer has no activation"]),
    ("1x8x8*2, flatten", ["the input cannot be repeated"]),
    ("seq, last", ["a sequence has its number of steps in brackets"]),
    ("seq(), last", ["a sequence has its number of steps in brackets"]),
    ("seq(5)x, last", ["a size is missing after x"]),
    ("seq(5,3), last", ["a sequence has its number of steps in brackets"]),
    ("seq(0)x3, last", ["a size must be at least 1"]),
    ("1x8x8", ["an input and at least one layer after it are needed"]),
    ("8, 1x8x8, flatten", ['item 2, column 4: "1x8x8" is an input']),
    ("8, seq(5)x3, last", ['"seq" is an input']),
    ("8, 4, dense(4,tie=2)", ["tie: layer 2 does not come before this one, which is layer 2"]),
    ("8, dense(4,tie=9), 3", ["tie: there is no layer 9: the network has 2"]),
    ("8, batchnorm, dense(8,tie=1)", ['tie: layer 1 is of another kind: "batchnorm"']),
    ("8, residual(8), dense(8,tie=2)", ["layer 2 is of another kind: the end of a block"]),
    ("8, 8, dense(8,tie=0)", ["tie: the number of a layer must be at least 1"]),
    ("8, relu, maxpool(2,tie=1)", ['maxpool takes no "tie"']),
    ("8, transformer(2,2,2,2)", ["transformer takes no further argument"]),
    ("8, transformer(causal=2)", ['causal: "2" is neither true nor false']),
    ("8, .eq, batchnorm", ["is no file of equations"]),
    ("8, x.eq(3), batchnorm", ["a file of equations takes no further argument"]),
    ("8, x.eq(K=-1), batchnorm", ["K: a size must be at least 1"]),
    ("8, x.eq(file=y.eq), batchnorm", ["file is given twice"]),
]


@pytest.mark.parametrize(("text", "told"), BAD, ids=[row[0][:40] for row in BAD])
def test_wrong_lists_are_refused(text, told):
    with pytest.raises(SpecError) as caught:
        read(text)
    message = str(caught.value)
    assert message.isprintable() or "\n" in message
    for words in told:
        assert words in message
    assert "Accepted: " in message
    assert len(message) < 3000


def test_every_problem_is_told_at_once_with_its_column():
    text = "1x8x8, cnv(4,3), maxpool(0), residual(4:rellu, 0), 3:relu:relu, dropout(x)"
    with pytest.raises(SpecError) as caught:
        read(text, loss="mse_", bias="yes")
    places = [problem.where for problem in caught.value.problems]
    assert places == [
        "layers, item 5, column 52",
        "layers, item 2, column 8",
        "layers, item 3, column 26, kernel",
        "layers, item 4, column 39",
        "layers, item 4, column 48",
        "layers, item 6, column 73, rate",
        "bias",
        "loss",
    ]
    for where in places[:6]:
        column = int(re.search(r"column (\d+)", where)[1])
        assert text[column - 1] in "cr043x"


BAD_TOML = [
    ('layers = ["8", {layer="conv", out=4}]', "line 1, layers, item 2: conv needs kernel"),
    (
        'layers = ["8",\n {layer="conv", out=4, kernel=3, k=2}]',
        'line 2, layers, item 2, k: conv takes no "k"',
    ),
    ('layers = ["8", {layer="conv", width=4}]', 'item 2, width: conv takes no "width"'),
    ('layers = ["8", {layer="conv", input=4}]', "a table tells a layer, a width or an input"),
    ('layers = ["8", {rate=4}, "tanh"]', "a table tells a layer, a width or an input"),
    ('layers = ["8", {layer=["conv"]}]', "is not a name"),
    ('layers = ["8", {layer="residual", items="8"}]', 'items: "8" is not a list'),
    ('layers = ["8", {layer="residual", items=[0, true]}]', '"True" is not an item'),
    ('layers = ["8", {layer="residual", items=[0]}]', "item 1: a size must be at least 1"),
    ('layers = ["8", "batchnorm, 3"]', "item 2: 2 items in one text"),
    ('layers = ["8", "batchnorm", 2.5]', 'item 3: "2.5" is not an item'),
    ('layers = ["8", "batchnorm", [1]]', 'item 3: "[1]" is not an item'),
    ('layers = ["8", "batchnorm", ""]', "item 3: the item is empty"),
    ('layers = ["8", {layer="batchnorm", repeat="x"}]', '"x" is not a count'),
    ('layers = ["8", {layer="batchnorm", repeat=true}]', '"True" is not a count'),
    ('layers = ["8", {layer="dropout", rate=inf}]', 'rate: "inf" is not a number'),
    ('layers = ["8", {layer="dropout", rate=true}]', 'rate: "True" is not a number'),
    ('layers = ["8", {layer="rnn", units=true}]', 'units: "True" is not a size'),
    ('layers = ["8", {layer="dense", width=4, bias="maybe"}]', "neither true nor false"),
    (
        'layers = [{input="imge", channels=3}, "tanh"]',
        'unknown input "imge" (did you mean "image"?)',
    ),
    ('layers = [{input="image", channels=3, rows=3}, "tanh"]', "columns is missing"),
    ('layers = [{input="image", chanels=3}, "tanh"]', '(did you mean "channels"?)'),
    ('layers = ["8", {input="8"}]', 'item 2: "8" is an input'),
    ('layers = ["8", {layer="lstm", units=' + "9" * 400 + "}]", "a size must be at most"),
    (
        "layers = [8, " + '{layer="residual",items=[' * 40 + "1" + "]}" * 40 + "]",
        "nested too deeply",
    ),
    (
        'layers = ["8", "tanh"]\norientation = "columns"',
        'orientation: "columns" is for lists of plain',
    ),
]


@pytest.mark.parametrize(("document", "told"), BAD_TOML)
def test_wrong_tables_are_told_with_their_lines(document, told):
    with pytest.raises(SpecError) as caught:
        load_toml(document, "net.toml", CATALOG.names)
    assert told in str(caught.value)
    assert "net.toml, line " in str(caught.value)


OPTIONS = [
    ({"weights": "input_first"}, 'weights: "input_first" is for lists of plain widths alone'),
    ({"orientation": "columns"}, 'orientation: "columns" is for lists of plain widths alone'),
    ({"output_activation": "relu"}, 'the last layer, "flatten", takes no activation'),
    ({"activation": "rellu"}, "activation: unknown activation"),
    ({"loss": "mse_"}, "loss: unknown loss"),
    ({"bias": "yes"}, "neither true nor false"),
]


@pytest.mark.parametrize(("options", "told"), OPTIONS)
def test_wrong_options_are_refused(options, told):
    with pytest.raises(SpecError, match=re.escape(told)):
        read("1x8x8, tanh, flatten", **options)


def test_a_loss_refuses_the_last_activation_wherever_it_stands():
    for layers in (
        "1x8, flatten, 10:softmax",
        "1x8, flatten, 10, softmax",
        "8, batchnorm, [softmax]*2",
    ):
        with pytest.raises(SpecError, match="cannot take the output of softmax"):
            read(layers, loss="softmax_cross_entropy")
    assert read("8, softmax, batchnorm, 3", loss="softmax_cross_entropy").stacked


def test_too_many_activations_are_counted():
    items = ["8", "batchnorm", *({"width": 3, "activation": f"z**{n}"} for n in range(2, 24))]
    with pytest.raises(SpecError, match="22 different activations are too many"):
        read(items)


def test_a_textbooks_conventions_on_matrices_are_left_aside():
    book = {"orientation": "columns", "weights": "input_first", "reduction": "sum"}
    spec = parse_spec("1x8x8, flatten", CATALOG.names, book)
    assert (spec.orientation, spec.weights, spec.reduction) == ("rows", "neuron_first", "sum")


BOMBS = {
    "words": "8,batchnorm," + ",".join(f"word{n}a" for n in range(9000)),
    "words of a dense list": "8," + ",".join(f"word{n}a" for n in range(20_000)),
    "calls": "8," + ",".join(f"word{n}(3)" for n in range(9000)),
    "arguments": "8,conv(" + ",".join(f"a{n}=3" for n in range(9000)) + ")",
    "more arguments": "8,conv(" + "3," * 60_000 + "3)",
    "layers": "8," + "relu," * 39_000 + "1",
    "spaces": "8" + " " * 190_000 + "x8,tanhh",
    "paths": "8," + "a.eq    " * 20_000,
    "a long path": "8," + "a" * 190_000 + ".eq,flatten",
    "nested": "8," + "residual(" * 11 + "relu," * 9_900 + "cnv(3)" + ")" * 11,
    "ties": "8," + ",".join(f"dense(8,tie={n})" for n in range(1, 9000)),
    "marks": "8,batchnorm" + ":relu" * 30_000,
    "sizes": "x".join("1" * 60_000) + ",flatten",
    "brackets": "[" * 150_000,
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_bombs_are_refused_in_time(text):
    start = perf_counter()
    with pytest.raises(SpecError) as caught:
        read(text)
    assert perf_counter() - start < 10  # it takes less than one
    assert len(str(caught.value)) < 6000


# --- Any text ---

ALPHABET = st.sampled_from(
    [
        *"0123456789nx,:*-.()[]=\n\u0664",
        *SPOKEN,
        "seq(5)x3",
        "1x8x8",
        "relu",
        "tie=",
        "a.eq",
        "project",
    ]
)


@settings(max_examples=300)
@given(st.lists(ALPHABET, max_size=25).map("".join))
def test_any_text_is_read_or_refused(text):
    try:
        spec = read(text)
    except SpecError as error:
        assert "Accepted: " in str(error)  # noqa: PT017
        return
    if spec.stacked:
        told = ([spec.input.text] if spec.input else []) + [item.text for item in spec.items]
        assert read(",".join(told)) == spec
        assert re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", spec.slug)
        assert count(spec.items) == len(list(leaves(spec.items))) <= MAX_LAYERS


VALUES = {
    "size": st.sampled_from([3, 17, "n1", "d"]),
    "count": st.integers(1, 9),
    "whole": st.integers(0, 4),
    "window": st.one_of(st.integers(1, 5), st.tuples(st.integers(1, 5), st.integers(1, 5))),
    "decimal": st.sampled_from([Fraction("0.5"), Fraction("1e-5"), Fraction("0.125")]),
    "truth": st.booleans(),
}


@st.composite
def made(draw, deep=2):
    """An item of any row, with any of its arguments."""
    names = [name for name in SPOKEN if deep or not LAYERS[name].block]
    row = LAYERS[draw(st.sampled_from([*names, *(["group"] if deep else [])]))]
    given_ = [one for one in row.arguments if one.default is None or draw(st.booleans())]
    named = row.activates and (row.name == "activation" or draw(st.booleans()))
    inner = row.name in {"residual", "group"}
    return Item(
        row.name,
        tuple((one.name, draw(VALUES[one.kind])) for one in given_),
        draw(st.sampled_from(["relu", "tanh", "softmax"])) if named else None,
        draw(st.sampled_from([None, True, False])) if row.biased else None,
        None,
        draw(st.integers(1, 3)),
        tuple(draw(st.lists(made(deep=deep - 1), min_size=1, max_size=3))) if inner else (),
    )


@settings(max_examples=200, deadline=None)
@given(st.lists(made(), min_size=1, max_size=4))
def test_every_item_that_there_can_be_is_written_and_read(items):
    spec = read(["1x8", "flatten", *(item.text for item in items)])
    assert spec.items[1:] == tuple(items)
    assert read("1x8,flatten," + ",".join(item.text for item in items)) == spec


# --- Names of files, the table, and what is imported ---

SLUGS = [
    (
        "1x8x8, conv(4,3):relu, maxpool(2), flatten, 10:softmax",
        {},
        "1x8x8-conv4-3.relu-maxpool2-flatten-10.softmax",
    ),
    ("1x8x8, conv(4,3,padding=1), tanh", {"bias": True}, "1x8x8-conv4-3-padding1-tanh-bias"),
    ("seq(5)x3, attention(heads=2,causal), last", {}, "seq5_x3-attention-heads2-causal-last"),
    ("seq(5), embedding(9,4), last, 3", {"activation": "relu"}, "seq5-embedding9-4-last-3-relu"),
    (
        "8, residual(7:relu,8,project)*2, 3",
        {"loss": "mse"},
        "8-residual-7.relu-8-project_add.x2-3-mse",
    ),
    ("a/b c/squeeze.eq(H=4)", {}, "squeeze-H4"),
    ("8, ../../é..eq, 3(bias=false)", {}, "8-equations-3-no_bias"),
]


@pytest.mark.parametrize(("layers", "options", "slug"), SLUGS)
def test_slug(layers, options, slug):
    assert read(layers, **options).slug == slug


def test_slugs_tell_specs_apart_and_stay_short():
    texts = [row[0] for row in GOOD] + [
        "8, [3, tanh]*2, 1",
        "8, [3, tanh*2], 1",
        "8, 3:tanh*2, tanh",
    ]
    assert len({read(text).slug for text in texts}) == len(texts)
    one, other = (read("8," + "batchnorm,3," * 90 + last).slug for last in "23")
    assert one != other
    assert max(map(len, (one, other))) <= 100


def test_the_list_tells_every_layer(run):
    code, out, _ = run("list", "layers")
    assert code == 0
    lines = out.splitlines()
    for name in SPOKEN:
        row = LAYERS[name]
        line = next(line for line in lines if line.startswith(f"{row.signature} "))
        assert row.told in line
        assert ", ".join(row.takes) in line
    assert set(SPOKEN) == set(LAYERS) - set(INTERNAL)


def test_a_wrong_list_is_refused_by_the_command(run, tree):
    code, out, err = run("--layers", "1x8x8,cnv(4,3),10", "--loss", "q")
    assert (code, out, tree()) == (2, "", [])
    assert 'layers, item 2, column 7: unknown layer "cnv" (did you mean "conv"?)' in err
    assert "loss: unknown loss" in err


def test_reading_layers_does_not_import_sympy():
    heavy = {"sympy", "jinja2", "tomllib", "hashlib"}
    code = (
        "import sys, bpderive.spec as s; from bpderive.catalog import CATALOG as c\n"
        "print(s.parse_spec('1x8x8,conv(4,3):relu,flatten,10', c.names).slug)\n"
        "try: s.parse_spec('1x8x8,cnv(4,3):relu,flatten,10', c.names)\n"
        "except s.SpecError: pass\n"
        f"print(sorted({heavy} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert run.stdout.split() == ["1x8x8-conv4-3.relu-flatten-10", "[]"]


def test_a_spec_of_layers_is_a_value():
    one, other = read("8, batchnorm, 3"), read(" 8,batchnorm , 3")
    assert one == other
    assert hash(one) == hash(other)
    assert one != read("8, batchnorm, 4")
    assert isinstance(one, Spec)
