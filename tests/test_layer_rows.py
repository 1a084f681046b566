"""Rows of the catalogue: which file of equations a layer means, and what comes out of it.

The sizes are followed by reading the files' texts here, without the package's reader.
"""

import re
from pathlib import Path

import pytest
from sympy import Rational, Symbol

from bpderive.catalog import CATALOG
from bpderive.errors import SpecError
from bpderive.grammar.layers import LAYERS
from bpderive.modules import rows
from bpderive.modules.walking import Walk
from bpderive.spec import Spec, parse_spec

FILES = Path(__file__).parent.parent / "templates" / "layers"
SAMPLES = 77


# --- The sizes that a file's own text gives ---


def axes_of(inside, leading):
    """`*,(c,t),i` as [["n"], ["c", "t"], ["i"]]."""
    parts = re.findall(r"\([^)]*\)|[^,\s]+", inside)
    groups = [re.findall(r"[a-z*]", part) for part in parts]
    return [
        g for group in groups for g in ([[one] for one in leading] if group == ["*"] else [group])
    ]


def output_sizes(text, sizes, given, leading):
    """The sizes of the output, the samples left out."""
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    env = dict(given)
    declared = next(line for line in lines if re.match(r"input |data x", line))
    inside = re.search(r"\[([^\]]*)\]", declared)[1]
    for letters, size in zip(axes_of(inside, leading), (SAMPLES, *sizes), strict=True):
        *known, last = sorted((x.upper() for x in letters), key=lambda x: x not in env)
        for letter in known:
            size //= env[letter]  # noqa: PLW2901
        assert env.setdefault(last, size) == size
    for line in lines:
        if line.startswith("index "):
            letter, size = line.removeprefix("index ").split(":")
            env.setdefault(letter.strip().upper(), env.get(size.strip()))
        if line.startswith("size "):
            for part in line.removeprefix("size ").split(","):
                name, _, value = part.partition("=")
                if value == "":
                    assert name.strip() in env
                    continue
                env.setdefault(name.strip(), eval(value, {}, env))  # noqa: S307 - our own files
    out = re.search(r"^output \w+\[([^\]]*)\]", "\n".join(lines), re.MULTILINE)[1]
    found = []
    for letters in axes_of(out, leading):
        size = 1
        for letter in letters:
            size *= env[letter.upper()]
        found.append(size)
    assert found[0] == SAMPLES
    return found[1:]


def walked(text, **options):
    """Each layer's request and the shape that it gives."""
    walk = Walk(parse_spec(text, CATALOG.names, **options))
    found = []
    for request in walk:
        own, given = request.resolved, walk.shapes[request.sources[0]]
        sizes = output_sizes(
            rows.text(own)[0],
            [int(size) for size in given.sizes],
            {name: int(size) for name, size in own.sizes.items()},
            own.leading,
        )
        found.append((request, walk.tell(request, sizes)))
    return found


ROWS = [
    # layers, for each: file, sizes, kind and sizes of the output
    (
        "8, dense(6):relu, 1",
        [("dense", {"I": 6}, "vector", (6,)), ("dense", {"I": 1}, "vector", (1,))],
    ),
    ("seq(5)x3, 4", [("dense", {"I": 4}, "sequence", (5, 4))]),
    (
        "1x8x9, conv(4,3,padding=1):relu, maxpool(2), flatten, 10",
        [
            ("conv2d", {"O": 4, "K": 3, "L": 3, "P": 1}, "image", (4, 8, 9)),
            ("maxpool2d", {"K": 2, "L": 2}, "image", (4, 4, 4)),
            ("flatten3d", {}, "vector", (64,)),
            ("dense", {"I": 10}, "vector", (10,)),
        ],
    ),
    ("2x9x9, conv(4,3x5,2)", [("conv2d", {"O": 4, "K": 3, "L": 5, "S": 2}, "image", (4, 4, 3))]),
    (
        "2x17, conv(4,3,2,1,3)",
        [("conv1d", {"O": 4, "K": 3, "S": 2, "P": 1, "D": 3}, "signal", (4, 7))],
    ),
    ("4x9, conv(6,3,groups=2)", [("conv1d_groups", {"G": 2, "O": 3, "K": 3}, "signal", (6, 7))]),
    (
        "4x9x8, conv(6,3,groups=2)",
        [("conv2d_groups", {"G": 2, "O": 3, "K": 3, "L": 3}, "image", (6, 7, 6))],
    ),
    ("4x9, conv(6,3,groups=1)", [("conv1d", {"O": 6, "K": 3}, "signal", (6, 7))]),
    ("3x11, maxpool(3)", [("maxpool1d", {"K": 3}, "signal", (3, 3))]),
    ("3x11, maxpool(3,2)", [("maxpool1d", {"K": 3, "S": 2}, "signal", (3, 5))]),
    ("3x11, avgpool(4,stride=2)", [("avgpool1d", {"K": 4, "S": 2}, "signal", (3, 4))]),
    ("3x9x11, avgpool(2)", [("avgpool2d", {"K": 2, "L": 2}, "image", (3, 4, 5))]),
    ("3x9x11, maxpool(3x2)", [("maxpool2d", {"K": 3, "L": 2}, "image", (3, 3, 5))]),
    ("3x9, globalpool", [("globalpool1d", {}, "vector", (3,))]),
    ("3x9x7, globalpool", [("globalpool2d", {}, "vector", (3,))]),
    ("3x9, globalmaxpool", [("globalmaxpool1d", {}, "vector", (3,))]),
    ("3x9x7, globalmaxpool", [("globalmaxpool2d", {}, "vector", (3,))]),
    ("3x9, flatten", [("flatten2d", {}, "vector", (27,))]),
    ("seq(3)x9, flatten", [("flatten2d", {}, "vector", (27,))]),
    ("seq(7), embedding(11,6)", [("embedding", {"V": 11, "D": 6}, "sequence", (7, 6))]),
    ("seq(7), embeddingbag(11,6)", [("embeddingbag", {"V": 11, "D": 6}, "vector", (6,))]),
    ("5, batchnorm", [("batchnorm0d", {}, "vector", (5,))]),
    ("5x4, batchnorm", [("batchnorm1d", {}, "signal", (5, 4))]),
    ("5x4x3, batchnorm", [("batchnorm2d", {}, "image", (5, 4, 3))]),
    ("5, batchnorm(inference)", [("batchnorm0d_inference", {}, "vector", (5,))]),
    ("5x4, batchnorm(inference=true)", [("batchnorm1d_inference", {}, "signal", (5, 4))]),
    ("5x4x3, batchnorm(inference)", [("batchnorm2d_inference", {}, "image", (5, 4, 3))]),
    ("5, layernorm", [("layernorm", {}, "vector", (5,))]),
    ("seq(4)x5, rmsnorm", [("rmsnorm", {}, "sequence", (4, 5))]),
    ("3x4x5, dropout", [("dropout", {}, "image", (3, 4, 5))]),
    ("seq(6)x3, rnn(4)", [("rnn", {"I": 4}, "sequence", (6, 4))]),
    ("seq(6)x3, rnn(4,truncate=2)", [("rnn_truncated", {"I": 4, "B": 2}, "sequence", (6, 4))]),
    ("seq(6)x3, lstm(4)", [("lstm", {"H": 4}, "sequence", (6, 4))]),
    ("seq(6)x3, lstm(4,2)", [("lstm_truncated", {"H": 4, "B": 2}, "sequence", (6, 4))]),
    ("seq(6)x3, gru(4,truncate=3)", [("gru_truncated", {"H": 4, "B": 3}, "sequence", (6, 4))]),
    ("seq(6)x3, gru(4)", [("gru", {"H": 4}, "sequence", (6, 4))]),
    ("seq(6)x3, last", [("last", {}, "vector", (3,))]),
    ("seq(4)x6, attention", [("attention", {}, "sequence", (4, 6))]),
    ("seq(4)x6, attention(1,causal)", [("attention_causal", {}, "sequence", (4, 6))]),
    ("seq(4)x6, attention(2)", [("attention_heads", {"H": 2}, "sequence", (4, 6))]),
    ("seq(4)x6, attention(3,true)", [("attention_heads_causal", {"H": 3}, "sequence", (4, 6))]),
    ("seq(4)x6, attention(project=false)", [("attention_plain", {}, "sequence", (4, 6))]),
    (
        "seq(4)x6, attention(causal,project=false)",
        [("attention_plain_causal", {}, "sequence", (4, 6))],
    ),
    ("5, bilinear(3):tanh", [("bilinear", {"I": 3}, "vector", (3,))]),
    ("3x4, softmax", [("activation", {}, "signal", (3, 4))]),
    ("3x4x5, tanh", [("activation", {}, "image", (3, 4, 5))]),
    ("5, residual(5)", [("dense", {"I": 5}, "vector", (5,)), ("add", {}, "vector", (5,))]),
]


@pytest.mark.parametrize(("layers", "told"), ROWS, ids=[layers for layers, _ in ROWS])
def test_each_layer_finds_its_file_and_sizes(layers, told):
    found = [
        (r.resolved.file, dict(r.resolved.sizes), shape.kind, shape.sizes)
        for r, shape in walked(layers)
    ]
    assert found == told


def test_every_file_and_every_layer_is_reached():
    reached = {file for _, told in ROWS for file, *_ in told}
    inner = {"copy"}  # what a stack puts after a layer, and no item means
    assert reached == {path.stem for path in FILES.glob("*.eq")} - inner
    made = {"residual", "transformer", "group", "equations"}  # of others, or a user's
    assert set(rows.ROWS) - {"add"} == set(LAYERS) - made


# --- What else a file is told ---

TOLD = [
    ("8, batchnorm(eps=1e-3)", {}, {"numbers": {"eps": Rational(1, 1000)}}),
    ("8, dropout(0.1)", {}, {"numbers": {"rate": Rational(1, 10)}}),
    ("8, layernorm", {}, {"numbers": {}, "bias": False, "activation": None}),
    ("8, batchnorm, 3", {}, {"activation": "linear", "bias": False}),
    ("8, batchnorm, 3", {"bias": True}, {"bias": True}),
    ("8, batchnorm, 3(bias=false)", {"bias": True}, {"bias": False}),
    ("8, batchnorm, 3(bias=true)", {}, {"bias": True}),
    ("8, batchnorm", {"bias": True}, {"bias": False}),  # a norm's beta is no bias of these
    ("8, batchnorm, 3", {"output_activation": "tanh"}, {"activation": "tanh"}),
    ("8, batchnorm, 3", {"activation": "tanh"}, {"activation": "linear"}),
    ("8, batchnorm, 3:relu", {"output_activation": "tanh"}, {"activation": "relu"}),
    ("seq(4)x3, rnn(5)", {}, {"activation": "tanh", "leading": ("n", "t")}),
    ("seq(4)x3, rnn(5):relu", {}, {"activation": "relu"}),
    ("3x4, tanh", {}, {"leading": ("n", "c"), "activation": "tanh"}),
    ("3x4x5, dropout", {}, {"leading": ("n", "c", "u")}),
]


@pytest.mark.parametrize(("layers", "options", "told"), TOLD)
def test_what_the_last_layer_is_told(layers, options, told):
    request, _ = walked(layers, **options)[-1]
    assert {name: getattr(request.resolved, name) for name in told} == told


def test_hidden_widths_are_linear_unless_the_option_is_given():
    def own(**options):
        return [
            r.resolved.activation for r, _ in walked("8, 7, batchnorm, 6:tanh, 5*2, 4", **options)
        ]

    assert own() == ["linear", None, "tanh", "linear", "linear", "linear"]
    assert own(activation="relu") == ["relu", None, "tanh", "relu", "relu", "linear"]
    assert own(output_activation="exp")[-2:] == ["linear", "exp"]


def test_of_repeated_layers_the_last_one_is_the_output():
    found = walked("8, batchnorm, [5, relu, 5]*2", output_activation="tanh")
    assert [r.resolved.activation for r, _ in found][1:] == [
        "linear", "relu", "linear", "linear", "relu", "tanh"
    ]  # fmt: skip


# --- Blocks ---

BLOCKS = [
    (
        "8, residual(7:relu,8), layernorm, 3",
        [("7:relu", (0,)), ("8", (1,)), ("add", (2, 0)), ("layernorm", (3,)), ("3", (4,))],
    ),
    (
        "8, residual(7:relu,5,project):relu, 3",
        [
            ("7:relu", (0,)),
            ("5", (1,)),
            ("dense(5,bias=false):linear", (0,)),
            ("add", (2, 3)),
            ("relu", (4,)),
            ("3", (5,)),
        ],
    ),
    (
        "2x8x8, residual(conv(4,3,stride=2,padding=1), batchnorm, project)",
        [
            ("conv(4,3,stride=2,padding=1)", (0,)),
            ("batchnorm", (1,)),
            ("conv(4,1,stride=2,bias=false):linear", (0,)),
            ("add", (2, 3)),
        ],
    ),
    (
        "seq(4)x6, transformer(2,hidden=10,causal):gelu",
        [
            ("layernorm", (0,)),
            ("attention(heads=2,causal=true)", (1,)),
            ("add", (2, 0)),
            ("layernorm", (3,)),
            ("10:gelu", (4,)),
            ("6:linear", (5,)),
            ("add", (6, 3)),
        ],
    ),
    (
        "8, residual(residual(8:relu),8)",
        [("8:relu", (0,)), ("add", (1, 0)), ("8", (2,)), ("add", (3, 0))],
    ),
    ("8, [7, batchnorm]*2", [("7", (0,)), ("batchnorm", (1,)), ("7", (2,)), ("batchnorm", (3,))]),
]


@pytest.mark.parametrize(("layers", "told"), BLOCKS, ids=[layers for layers, _ in BLOCKS])
def test_blocks_are_layers_with_sources(layers, told):
    found = walked(layers)
    assert [(r.item.text, r.sources) for r, _ in found] == told
    assert [r.number for r, _ in found] == list(range(1, len(told) + 1))


def test_a_transformer_is_four_times_as_wide_inside_and_keeps_biases():
    found = walked("seq(4)x6, transformer(3,bias=true)*2", bias=False)
    assert [r.resolved.sizes.get("I") for r, _ in found if r.row == "dense"] == [24, 6, 24, 6]
    assert {r.resolved.bias for r, _ in found if r.row in {"dense", "attention"}} == {True}
    assert found[-1][1].sizes == (4, 6)


def test_symbolic_widths_of_a_transformer():
    walk = Walk(parse_spec("seq(n1)xd, transformer, last, 1", CATALOG.names))
    inside = []
    for request in walk:
        given = walk.shapes[request.sources[0]]
        out = request.resolved.sizes.get("I", given.sizes[-1])
        inside.append(str(out))
        walk.tell(request, [out] if request.row == "last" else [*given.sizes[:-1], out])
    assert inside == ["d", "d", "d", "d", "4*d", "d", "d", "d", "1"]


def test_ties_lead_to_the_layer_that_has_the_parameters():
    found = walked("8, 8:relu, dense(8,tie=1), batchnorm, dense(8,tie=2):tanh, 3")
    assert [r.tied for r, _ in found] == [None, 1, None, 1, None]
    found = walked("1x9, conv(1,3), conv(1,3,stride=2,padding=1,tie=1)")
    assert [r.tied for r, _ in found] == [None, 1]  # what has no part in the weights may differ


def test_a_file_alone_has_no_source(tmp_path):
    path = tmp_path / "squeeze.eq"
    path.write_text("# Twice\ninput x[n,c]\noutput y[n,c] = 2*x[n,c]\n")
    walk = Walk(parse_spec(f"{path}", CATALOG.names))
    requests = []
    for request in walk:
        requests.append(request)
        assert walk.tell(request, [Symbol("C")]).kind == "vector"
    assert [(r.number, r.sources, r.resolved.own) for r in requests] == [(1, (), False)]
    assert rows.text(requests[0].resolved) == (path.read_text(), str(path))


def test_a_file_among_layers_is_told_its_sizes_and_numbers():
    walk = Walk(
        parse_spec("3x4, dir/own.eq(H=5,K=n1,rate=0.25,eps=1):relu, flatten", CATALOG.names)
    )
    request = next(iter(walk))
    found = request.resolved
    assert (found.file, found.own, found.activation) == ("dir/own.eq", False, "relu")
    assert {name: str(size) for name, size in found.sizes.items()} == {"H": "5", "K": "n1"}
    assert found.numbers == {"rate": Rational(1, 4), "eps": 1}
    assert walk.tell(request, [3, 5]).kind == "signal"


def test_nothing_else_can_be_missing(tmp_path):
    none = str(tmp_path / "none.eq")
    request = next(iter(Walk(parse_spec(none, CATALOG.names))))
    with pytest.raises(SpecError, match="cannot be read: No such file"):
        rows.text(request.resolved)


# --- What does not fit ---

WRONG = [
    (
        "8, conv(4,3)",
        "layers, item 2, column 4: conv needs channels and positions (8x16 or 1x8x8), and here are "
        "8 numbers. Accepted: an input such as 8x16 or 1x8x8",
    ),
    ("1x8x8, 10", "here is 1 channel of 8 x 8 positions. Accepted: put flatten or globalpool"),
    ("seq(5)x3, conv(4,3)", "here are 5 steps of 3 features"),
    ("seq(5)x3, batchnorm", "layernorm, which takes sequences"),
    ("seq(5)x3, bilinear(2)", "put last or flatten before it"),
    ("seq(5), 4", "dense needs a vector or a sequence (8 or seq(5)x3), and here are 5 tokens"),
    ("seq(5), lstm(4)", "put embedding(vocab,dim) before it"),
    ("seq(5)x2, embedding(3,4)", "embedding needs tokens (seq(5))"),
    ("3x8x8, layernorm", "batchnorm, which takes channels"),
    ("8, flatten", "and here are 8 numbers"),
    ("8, last", "last needs a sequence (seq(5)x3)"),
    (
        "1x8, conv(4,9)",
        "a window of 9 is longer than the 8 positions. Accepted: a window of at most 8",
    ),
    ("1x8, conv(4,5,dilation=3,padding=2)", "a window of 13 is longer than the 12 positions with"),
    ("1x8x3, maxpool(4)", "a window of 4 is longer than the 3 positions"),
    ("1x8, maxpool(3x3)", "a window of 2 sides, and here is 1 channel of 8 positions"),
    ("3x8, conv(4,3,groups=2)", "3 channels that come in cannot be divided among 2 groups"),
    ("4x8, conv(3,3,groups=2)", "3 channels that go out cannot be divided among 2 groups"),
    ("seq(5)x3, attention(2)", "3 features cannot be divided among 2 heads"),
    ("seq(5)x4, attention(2,project=false)", "attention without weights has one head"),
    ("8, dropout(1)", "a rate of 1 drops everything"),
    (
        "8, residual(4)",
        "the block gives 4 numbers, and it is added to 8 numbers. Accepted: residual(",
    ),
    ("2x8x8, residual(flatten)", "layers that keep the shape"),
    ("2x9, residual(maxpool(3))", "the block gives 2 channels of 3 positions"),
    ("8, 6, 7, dense(6,tie=1)", "tie: its parameters have other sizes than those of layer 1"),
    ("8, 8, dense(8,tie=1,bias=true), batchnorm", "its parameters have other sizes"),
    ("1x9, conv(2,3), conv(2,3,tie=1)", "its parameters have other sizes"),
    ("8, own.eq(H=0.5), flatten", "H is a size, and here is a fraction"),
    ("8, own.eq(rate=n1), flatten", "rate is a number of the file, and here is a name"),
]


@pytest.mark.parametrize(("layers", "told"), WRONG, ids=[layers for layers, _ in WRONG])
def test_what_does_not_fit_is_told_with_its_place(layers, told):
    with pytest.raises(SpecError) as caught:
        walked(layers)
    message = str(caught.value)
    assert told in message
    assert message.startswith("layers, item ")
    assert "Accepted: " in message


@pytest.mark.parametrize(
    ("name", "value"), [("orientation", "columns"), ("weights", "input_first")]
)
def test_conventions_on_matrices_are_refused_however_they_come(name, value):
    spec = parse_spec("8, batchnorm, 3", CATALOG.names)
    with pytest.raises(SpecError, match="plain widths alone"):
        Walk(Spec((), items=spec.items, input=spec.input, **{name: value}))
