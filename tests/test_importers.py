"""PyTorch's and ONNX's models as specs: read with their own gradients, or refused by name."""

import re
import shlex
import warnings
from pathlib import Path

import pytest

np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402, N812 - after importorskip
from torch import nn  # noqa: E402

from bpderive.cli import main  # noqa: E402
from bpderive.errors import SpecError, UnsupportedError  # noqa: E402
from bpderive.importers import api  # noqa: E402
from bpderive.importers.checking import check  # noqa: E402
from bpderive.importers.torch_graph import read  # noqa: E402
from bpderive.importers.writing import line, toml  # noqa: E402
from bpderive.spec import load_toml  # noqa: E402


class Model(nn.Module):
    """Modules by name, and a forward that is a function of the model and its input."""

    def __init__(self, forward, **modules):
        super().__init__()
        for name, module in modules.items():
            setattr(self, name, module)
        self.run = forward

    def forward(self, x):
        return self.run(self, x)


def model(forward, **modules):
    return Model(forward, **modules)


def residual(m, x):
    return F.relu(m.b(F.relu(m.a(x))) + x)


def projected(m, x):
    return torch.tanh(m.c(torch.relu(m.a(x))) + m.s(x)).mean(dim=(2, 3))


def last_state(m, x):
    _, (h, _) = m.r(x)
    return m.o(h[-1])


def last_step(m, x):
    y, _ = m.r(x)
    return m.o(y[:, -1, :])


def attention(m, x):
    y, _ = m.a(m.n(x), m.n(x), m.n(x), need_weights=False)
    return m.o((x + y)[:, -1])


def causal(m, x):
    q = m.n(x)
    return x + m.a(q, q, q, attn_mask=m.mask)[0]


def one_norm(m, x):
    q = m.n(x)
    y, _ = m.a(q, q, q)
    return m.o((x + y)[:, -1])


def lenet(m, x):
    x = F.max_pool2d(F.relu(m.a(x)), 2)
    x = F.avg_pool2d(torch.tanh(m.b(x)), 2)
    return F.log_softmax(m.o(m.d(x.view(x.size(0), -1))), dim=1)


def swish(m, x):
    u = m.a(x)
    v = m.b(u * torch.sigmoid(u))
    return m.c(0.5 * v * (1 + torch.erf(v / 2**0.5)))


def tied(m, x):
    return m.o(torch.tanh(m.a(torch.tanh(m.a(x)))))


def bag(m, x):
    return m.o(m.e(x).mean(dim=1))


def encoder(**options):
    return nn.TransformerEncoderLayer(6, 2, 13, 0.0, batch_first=True, **options)


def trained(norm):
    """A batch norm with statistics, in evaluation."""
    norm.running_mean.uniform_(-1, 1)
    norm.running_var.uniform_(0.5, 2)
    return norm


TORCH = [
    # the input where it must be told, the spec, the model
    (
        "",
        "5,4:relu,3:linear,2 --bias",
        lambda: nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3), nn.Linear(3, 2)),
    ),
    (
        "",
        "5,4,dense(3,bias=false),2 --bias",
        lambda: nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 3, bias=False), nn.Linear(3, 2)),
    ),
    (
        "1x8x9",
        "1x8x9,conv(4,3,padding=1):relu,maxpool(2),conv(6,2x3):tanh,avgpool(2,stride=1),"
        "flatten,3 --bias",
        lambda: nn.Sequential(
            nn.Conv2d(1, 4, 3, padding="same"),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(4, 6, (2, 3)),
            nn.Tanh(),
            nn.AvgPool2d(2, 1),
            nn.Flatten(),
            nn.Linear(12, 3),
        ),
    ),
    (
        "1x11x11",
        "1x11x11,conv(4,3):relu,maxpool(2),conv(3,2):tanh,avgpool(2),flatten,"
        "dropout(rate=0.3),5 --bias --loss softmax_cross_entropy",
        lambda: model(
            lenet, a=nn.Conv2d(1, 4, 3), b=nn.Conv2d(4, 3, 2), o=nn.Linear(3, 5), d=nn.Dropout(0.3)
        ),
    ),
    (
        "4x9",
        "4x9,conv(6,3,dilation=2,groups=2):relu,batchnorm,maxpool(2),globalpool,3 --bias",
        lambda: nn.Sequential(
            nn.Conv1d(4, 6, 3, dilation=2, groups=2),
            nn.ReLU(),
            nn.BatchNorm1d(6),
            nn.MaxPool1d(2),
            nn.AdaptiveAvgPool1d(1),
            nn.Flatten(),
            nn.Linear(6, 3),
        ),
    ),
    (
        "2x5x6",
        "2x5x6,residual(conv(4,3,stride=2,padding=1,bias=false):relu,conv(3,3,padding=1),"
        "project=true):tanh,globalpool --bias",
        lambda: model(
            projected,
            a=nn.Conv2d(2, 4, 3, 2, 1, bias=False),
            c=nn.Conv2d(4, 3, 3, 1, 1),
            s=nn.Conv2d(2, 3, 1, 2, bias=False),
        ),
    ),
    (
        "",
        "4,residual(7:relu,4):relu --bias",
        lambda: model(residual, a=nn.Linear(4, 7), b=nn.Linear(7, 4)),
    ),
    (
        "",
        "5,4,batchnorm,gelu,2,layernorm,silu --bias",
        lambda: nn.Sequential(
            nn.Linear(5, 4),
            nn.BatchNorm1d(4),
            nn.GELU(),
            nn.Linear(4, 2),
            nn.LayerNorm(2),
            nn.SiLU(),
        ),
    ),
    (
        "",
        "5,4,batchnorm(inference=true),dropout(rate=0.25),2,rmsnorm(eps=0.01) --bias",
        lambda: nn.Sequential(
            nn.Linear(5, 4),
            trained(nn.BatchNorm1d(4)).eval(),
            nn.Dropout(0.25),
            nn.Linear(4, 2),
            nn.RMSNorm(2, 0.01),
        ),
    ),
    (
        "seq(5)x3",
        "seq(5)x3,rnn(4):relu,last,2 --bias",
        lambda: model(
            last_step, r=nn.RNN(3, 4, nonlinearity="relu", batch_first=True), o=nn.Linear(4, 2)
        ),
    ),
    (
        "seq(5)x3",
        "seq(5)x3,lstm(4)*2,last,2 --bias",
        lambda: model(last_state, r=nn.LSTM(3, 4, 2, batch_first=True), o=nn.Linear(4, 2)),
    ),
    (
        "seq(4)x3",
        "seq(4)x3,gru(5),last,2 --bias",
        lambda: model(last_step, r=nn.GRU(3, 5, batch_first=True), o=nn.Linear(5, 2)),
    ),
    (
        "seq(4)x3",
        "seq(4)x3,gru(5),last,2",
        lambda: model(
            last_step, r=nn.GRU(3, 5, bias=False, batch_first=True), o=nn.Linear(5, 2, bias=False)
        ),
    ),
    (
        "seq(4)x6",
        "seq(4)x6,residual(layernorm,attention(heads=2)),last,3 --bias",
        lambda: model(
            attention,
            n=nn.LayerNorm(6),
            a=nn.MultiheadAttention(6, 2, batch_first=True),
            o=nn.Linear(6, 3),
        ),
    ),
    (
        "seq(4)x6",
        "seq(4)x6,residual(layernorm,attention(causal=true)) --bias",
        lambda: model(
            causal,
            n=nn.LayerNorm(6),
            a=nn.MultiheadAttention(6, 1, batch_first=True),
            mask=torch.ones(4, 4).triu(1).bool(),
        ),
    ),
    (
        "seq(4)x6",
        "seq(4)x6,transformer(heads=2,hidden=13):gelu --bias",
        lambda: encoder(norm_first=True, activation="gelu"),
    ),
    (
        "seq(4)x6",
        "seq(4)x6,transformer(heads=2,hidden=13)*2 --bias",
        lambda: nn.TransformerEncoder(encoder(norm_first=True), 2, enable_nested_tensor=False),
    ),
    (
        "seq(4)x6",
        "seq(4)x6,residual(attention(heads=2)),layernorm,residual(13:relu,6),layernorm --bias",
        encoder,
    ),
    (
        "seq(4)",
        "seq(4),embedding(7,3),flatten,2:sigmoid --bias",
        lambda: nn.Sequential(nn.Embedding(7, 3), nn.Flatten(), nn.Linear(12, 2), nn.Sigmoid()),
    ),
    (
        "seq(4)",
        "seq(4),embeddingbag(7,3),2 --bias",
        lambda: model(bag, e=nn.Embedding(7, 3), o=nn.Linear(3, 2)),
    ),
    (
        "seq(4)",
        "seq(4),embeddingbag(7,3),2 --bias",
        lambda: nn.Sequential(nn.EmbeddingBag(7, 3), nn.Linear(3, 2)),
    ),
    (
        "",
        "4,4:tanh,dense(4,tie=1):tanh,2 --bias",
        lambda: model(tied, a=nn.Linear(4, 4), o=nn.Linear(4, 2)),
    ),
    (
        "",
        "5,bilinear(3):tanh,2 --bias",
        lambda: model(
            lambda m, x: m.o(torch.tanh(m.b(x, x))), b=nn.Bilinear(5, 5, 3), o=nn.Linear(3, 2)
        ),
    ),
    ("", "", lambda: nn.Sequential(nn.Linear(5, 4), nn.LeakyReLU(0.2), nn.Linear(4, 2))),
    (
        "",
        "5,4:silu,3:gelu,2 --bias",
        lambda: model(swish, a=nn.Linear(5, 4), b=nn.Linear(4, 3), c=nn.Linear(3, 2)),
    ),
    ("", "5,4:softmax --bias", lambda: nn.Sequential(nn.Linear(5, 4), nn.Softmax(dim=-1))),
    (
        "seq(4)x6",
        "seq(4)x6,attention(causal=true,project=false)",
        lambda: model(lambda _, x: F.scaled_dot_product_attention(x, x, x, is_causal=True)),
    ),
    (
        "",
        "5,3:linear,1:sigmoid --bias",
        lambda: model(
            lambda m, x: torch.sigmoid(m.b(m.a(x))).squeeze(-1),
            a=nn.Linear(5, 3),
            b=nn.Linear(3, 1),
        ),
    ),
]


@pytest.mark.parametrize(
    ("shape", "text", "build"), TORCH, ids=lambda v: v if isinstance(v, str) else ""
)
def test_gradients_of_a_pytorch_model_are_its_own(shape, text, build):
    torch.manual_seed(3)
    found = read(build(), api._input(shape or None), "")
    assert " ".join(shlex.split(line(found))[1:]) == text
    rows = check(found)
    assert len(rows) == 1 + sum(1 for _, w in found.named if not w.data and w.parameters)
    assert max(row.difference for row in rows) < 1e-9
    again = load_toml(toml(found))
    assert again.items == found.spec.items
    assert again.bias == found.spec.bias


def test_a_wrong_weight_shows():
    found = read(nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 2)), None, "")
    name = next(iter(found.arrays))
    found.arrays[name] = found.arrays[name] + 0.1
    assert max(row.difference for row in check(found)) > 1e-3


@pytest.mark.parametrize("loss", ["mse", "softmax_cross_entropy", "huber", "(a-y)**4"])
@pytest.mark.parametrize("norm", [nn.Identity, lambda: nn.LayerNorm(4)])
def test_any_loss(loss, norm):
    found = read(nn.Sequential(nn.Linear(5, 4), norm(), nn.Linear(4, 3)), None, loss)
    assert max(row.difference for row in check(found)) < 1e-9


class Own(nn.Linear):
    """A module of somebody's own is followed inside."""


def test_modules_of_ones_own_and_frozen_ones():
    made = nn.Sequential(Own(3, 4), nn.ReLU(), Own(4, 2))
    made[0].weight.requires_grad_(False)
    found = read(made, None, "")
    assert line(found) == "--layers 3,4:relu,2 --bias"
    assert found.notes == ("0.weight: it is frozen there, and has a gradient here",)
    assert max(row.difference for row in check(found)) < 1e-9


def test_states_that_are_zero_and_half_precision():
    def run(m, x):
        start = torch.zeros(1, 5, 4)
        return m.o(m.r(x, (start, start))[0][:, -1])

    made = model(run, r=nn.LSTM(3, 4, batch_first=True), o=nn.Linear(4, 2))
    assert (
        line(read(made, api._input("seq(4)x3"), "")) == "--layers 'seq(4)x3,lstm(4),last,2' --bias"
    )
    half = nn.Sequential(nn.Linear(3, 4), nn.RMSNorm(4), nn.Linear(4, 2)).half()
    found = read(half, None, "")
    assert "rmsnorm(eps=0.0009765625)" in line(found)
    assert max(row.difference for row in check(found)) < 1e-9


def test_notes():
    unused = model(lambda m, x: m.a(x), a=nn.Linear(3, 2), spare=nn.Linear(2, 2))
    assert read(unused, None, "").notes == tuple(
        f"spare.{k}: the forward pass does not use it" for k in ("bias", "weight")
    )
    dropped = nn.Sequential(
        nn.Linear(3, 2), nn.Dropout(), nn.LayerNorm(2, elementwise_affine=False)
    ).eval()
    notes = read(dropped, None, "").notes
    assert "1: dropout does nothing in evaluation, and is left out" in notes
    assert "2: it has no gamma, which is 1 here" in notes


# --- What is refused, with its name in the model ---


def in_place(m, x):
    y = m.a(x)
    z = F.relu_(y)
    return z + y


def shared():
    """Two modules with one matrix."""
    e, o = nn.Embedding(7, 3), nn.Linear(3, 7)
    o.weight = e.weight
    return {"e": e, "o": o}


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.o = nn.Linear(3, 3)

    def forward(self, x, y):
        return self.o(x) + y


def squared(m, x):
    return m.a(x) if x.sum() > 0 else x


def dense_net(m, x):
    one = m.a(x)
    two = m.b(one + x)
    return two + one


REFUSED = [
    # the model, its input, all that must be told
    (lambda: nn.Sequential(nn.Conv2d(1, 3, 3)), "", ["0 (Conv2d)", "--input 1xROWSxCOLUMNS"]),
    (lambda: nn.Sequential(nn.ReLU()), "", ["does not tell its size", "seq(5)x3"]),
    (
        lambda: nn.Sequential(nn.ConvTranspose2d(1, 3, 3), nn.GroupNorm(1, 3), nn.PReLU()),
        "1x4x4",
        ["0 (ConvTranspose2d): no layer", "1 (GroupNorm): no layer", "2 (PReLU): no layer"],
    ),
    (
        lambda: nn.Sequential(
            nn.Conv2d(1, 3, 3, (1, 2)), nn.MaxPool2d(3, padding=1), nn.AvgPool2d(2, ceil_mode=True)
        ),
        "1x9x9",
        [
            "0 (Conv2d): a stride of 1x2",
            "equal stride in both directions",
            "1 (MaxPool2d): padding",
            "2 (AvgPool2d): ceil_mode",
        ],
    ),
    (
        lambda: nn.Conv2d(1, 3, 3, padding=1, padding_mode="reflect"),
        "1x5x5",
        ["padding by reflect"],
    ),
    (
        lambda: model(
            last_step, r=nn.LSTM(3, 4, batch_first=True, bidirectional=True), o=nn.Linear(8, 2)
        ),
        "seq(4)x3",
        ["r (LSTM): bidirectional=True"],
    ),
    (
        lambda: model(last_step, r=nn.GRU(3, 4), o=nn.Linear(4, 2)),
        "seq(4)x3",
        ["r (GRU): batch_first=False", "batch_first=True"],
    ),
    (
        lambda: model(
            last_step, r=nn.LSTM(3, 4, 2, batch_first=True, dropout=0.1), o=nn.Linear(4, 2)
        ),
        "seq(4)x3",
        ["dropout between its layers"],
    ),
    (
        lambda: model(lambda m, x: m.r(x)[1][1][-1], r=nn.LSTM(3, 4, batch_first=True)),
        "seq(4)x3",
        ["cell state"],
    ),
    (
        lambda: model(lambda m, x: m.r(x), r=nn.LSTM(3, 4, batch_first=True)),
        "seq(4)x3",
        ["the output", "not one array"],
    ),
    (
        lambda: model(squared, a=nn.Linear(3, 3)),
        "3",
        ["forward cannot be followed", "control flow"],
    ),
    (lambda: model(in_place, a=nn.Linear(3, 3)), "3", ["changes in place"]),
    (
        lambda: model(dense_net, a=nn.Linear(3, 3), b=nn.Linear(3, 3)),
        "3",
        ["add_1: both paths to the sum hold layers"],
    ),
    (
        lambda: model(lambda m, x: m.a(x) + m.b(x), a=nn.Linear(3, 3), b=nn.Linear(3, 3)),
        "3",
        ["both paths"],
    ),
    (
        lambda: model(lambda m, x: torch.cat([m.a(x), x], 1), a=nn.Linear(3, 3)),
        "3",
        ["cat (cat): no layer"],
    ),
    (
        lambda: model(lambda m, x: m.a(x).detach(), a=nn.Linear(3, 3)),
        "3",
        ["detach (detach): no layer"],
    ),
    (
        lambda: model(lambda m, x: m.a(x) + m.p, a=nn.Linear(3, 3), p=nn.Parameter(torch.ones(3))),
        "3",
        ["add (add)", "no layer's output"],
    ),
    (
        lambda: model(lambda m, x: m.a(x) * m.b(x), a=nn.Linear(3, 3), b=nn.Linear(3, 3)),
        "3",
        ["mul (mul): of the outputs of two layers"],
    ),
    (
        lambda: model(lambda m, x: m.r(x)[0][:, 0], r=nn.RNN(3, 4, batch_first=True)),
        "seq(4)x3",
        ["getitem"],
    ),
    (lambda: nn.Embedding(7, 3, padding_idx=0), "seq(4)", ["padding_idx"]),
    (
        lambda: model(lambda m, x: m.o(m.e(x)), **shared()),
        "seq(4)",
        ["o: its weights e.weight are those of e"],
    ),
    (
        lambda: nn.Sequential(nn.LogSoftmax(1), nn.Linear(3, 2)),
        "3",
        ["log_softmax before other layers"],
    ),
    (
        lambda: model(lambda m, x: m.o(x.transpose(1, 2)), o=nn.Linear(5, 2)),
        "seq(5)x3",
        ["axes are exchanged"],
    ),
    (Two, "3", ["y: is a second input"]),
    (lambda: nn.MultiheadAttention(6, 2, batch_first=True), "seq(4)x6", ["'key' and 'value'"]),
]


@pytest.mark.parametrize(("build", "shape", "told"), REFUSED)
def test_what_cannot_be_read_is_named(build, shape, told):
    with pytest.raises(SpecError) as caught:
        read(build(), api._input(shape or None), "")
    for part in told:
        assert part in str(caught.value)
    assert "\n" not in str(caught.value.problems[0])


# --- ONNX: exported by PyTorch, compared with the reference implementation ---


def silu_gelu(m, x):
    return torch.softmax(m.o(torch.flatten(F.silu(m.b(F.max_pool2d(F.gelu(m.a(x)), 2))), 1)), 1)


def skipped(m, x):
    x = m.e(x)
    return x + m.b(torch.relu(m.a(m.n(x))))


def rows(*shape):
    return torch.rand(*shape) - 0.5


ONNX = [
    # the spec, the model, an input, whether the file is to fix how many samples there are
    (
        "5,4:tanh,3:leaky_relu,2 --bias",
        lambda: nn.Sequential(
            nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3), nn.LeakyReLU(), nn.Linear(3, 2)
        ),
        rows(2, 5),
        False,
    ),
    (
        "5,dense(4,bias=false):relu,batchnorm(inference=true),3 --bias",
        lambda: nn.Sequential(
            nn.Linear(5, 4, bias=False), nn.ReLU(), trained(nn.BatchNorm1d(4)), nn.Linear(4, 3)
        ),
        rows(2, 5),
        False,
    ),
    (
        "1x8x8,conv(4,3,padding=1):gelu,maxpool(2),conv(6,3,groups=2):silu,flatten,"
        "10:softmax --bias",
        lambda: model(
            silu_gelu,
            a=nn.Conv2d(1, 4, 3, padding=1),
            b=nn.Conv2d(4, 6, 3, groups=2),
            o=nn.Linear(24, 10),
        ),
        rows(2, 1, 8, 8),
        True,
    ),
    (
        "2x9,conv(3,3,stride=2):relu,globalpool,4 --bias",
        lambda: nn.Sequential(
            nn.Conv1d(2, 3, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(3, 4)
        ),
        rows(2, 2, 9),
        False,
    ),
    (
        "2x4x5,residual(conv(4,3,stride=2,padding=1,bias=false):relu,conv(3,3,padding=1),"
        "project=true):tanh,globalpool --bias",
        lambda: model(
            projected,
            a=nn.Conv2d(2, 4, 3, 2, 1, bias=False),
            c=nn.Conv2d(4, 3, 3, 1, 1),
            s=nn.Conv2d(2, 3, 1, 2, bias=False),
        ),
        rows(1, 2, 4, 5),
        False,
    ),
    (
        "seq(5)x3,rnn(4):tanh,last,2 --bias",
        lambda: model(last_step, r=nn.RNN(3, 4, batch_first=True), o=nn.Linear(4, 2)),
        rows(2, 5, 3),
        False,
    ),
    (
        "seq(5)x3,lstm(4)*2,last,2 --bias",
        lambda: model(last_step, r=nn.LSTM(3, 4, 2, batch_first=True), o=nn.Linear(4, 2)),
        rows(2, 5, 3),
        False,
    ),
    (
        "seq(5)x3,lstm(4),last,2 --bias",
        lambda: model(last_state, r=nn.LSTM(3, 4, batch_first=True), o=nn.Linear(4, 2)),
        rows(2, 5, 3),
        True,
    ),
    (
        "seq(4)x3,gru(5),last,2 --bias",
        lambda: model(last_step, r=nn.GRU(3, 5, batch_first=True), o=nn.Linear(5, 2)),
        rows(2, 4, 3),
        False,
    ),
    (
        "seq(4),embedding(7,6),residual(layernorm,9:relu,6) --bias",
        lambda: model(
            skipped, e=nn.Embedding(7, 6), n=nn.LayerNorm(6), a=nn.Linear(6, 9), b=nn.Linear(9, 6)
        ),
        torch.zeros(2, 4, dtype=torch.long),
        False,
    ),
    (
        "5,4,layernorm,mish,3:softplus --bias --loss softmax_cross_entropy",
        lambda: nn.Sequential(
            nn.Linear(5, 4),
            nn.LayerNorm(4),
            nn.Mish(),
            nn.Linear(4, 3),
            nn.Softplus(),
            nn.LogSoftmax(-1),
        ),
        rows(2, 5),
        False,
    ),
]


def export(build, x, path, *, fixed=False):
    pytest.importorskip("onnx")
    torch.manual_seed(3)
    axes = {} if fixed else {"dynamic_axes": {"x": {0: "N"}}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            build().eval(), (x,), path, input_names=["x"], opset_version=17, dynamo=False, **axes
        )
    return str(path)


@pytest.mark.parametrize(("text", "build", "x", "fixed"), ONNX, ids=[row[0] for row in ONNX])
def test_gradients_of_an_onnx_model_are_its_own(text, build, x, fixed, tmp_path):
    found = api.from_onnx(export(build, x, tmp_path / "m.onnx", fixed=fixed))
    assert " ".join(shlex.split(line(found))[1:]) == text
    compared = check(found)
    assert all(row.elements for row in compared)
    assert max(row.difference for row in compared) < 1e-4
    assert compared[0].difference < 1e-6


def test_a_function_of_each_element_is_one_activation():
    def run(m, x):
        return m.o(torch.relu(torch.tanh(m.a(x))) ** 2)

    found = read(model(run, a=nn.Linear(3, 2), o=nn.Linear(2, 2)), None, "")
    assert line(found) == ""
    assert "tanh(z)" in toml(found)
    assert max(row.difference for row in check(found)) < 1e-9


# --- ONNX by hand: what is refused, and what exporters do not write ---


def graph(nodes, tensors, shape, *, tokens=False, rank=2):
    onnx = pytest.importorskip("onnx")
    helper, kinds = onnx.helper, onnx.TensorProto
    given = helper.make_tensor_value_info("x", kinds.INT64 if tokens else kinds.FLOAT, shape)
    out = helper.make_tensor_value_info("y", kinds.FLOAT, [None] * rank)
    stored = [
        onnx.numpy_helper.from_array(
            np.asarray(v, np.float32) if np.asarray(v).dtype.kind == "f" else np.asarray(v), k
        )
        for k, v in tensors.items()
    ]
    whole = helper.make_graph(nodes, "g", [given], [out], stored)
    return helper.make_model(whole, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def node(kind, inputs, output, **settings):
    from onnx import helper

    return helper.make_node(kind, inputs.split(), [output], name=f"the_{output}", **settings)


def draw(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


def saved(made, path):
    import onnx

    onnx.save(made, path)
    return str(path)


def test_shared_arrays_are_tied_and_equal_ones_are_not(tmp_path):
    nodes = [
        node("MatMul", "x w", "a"), node("Add", "a zero", "b"), node("Tanh", "b", "c"),
        node("MatMul", "c w", "d"), node("Add", "d zero", "e"), node("Elu", "e", "f", alpha=1.0),
        node("Gemm", "f v zero", "y", transB=1),
    ]  # fmt: skip
    tensors = {"w": draw(3, 3), "zero": np.zeros(3, np.float32), "v": draw(3, 3)}
    with pytest.raises(SpecError, match="its weights w are those of"):
        api.from_onnx(saved(graph(nodes, tensors, ["N", 3]), tmp_path / "m.onnx"))
    nodes = [
        node("MatMul", "x w", "a"),
        node("Tanh", "a", "c"),
        node("MatMul", "c w", "d"),
        node("Elu", "d", "f"),
        node("Gemm", "f v zero", "y", transB=1),
    ]
    found = api.from_onnx(saved(graph(nodes, tensors, ["N", 3]), tmp_path / "n.onnx"))
    assert line(found) == "--layers '3,3:tanh,dense(3,tie=1):elu,dense(3,bias=true)'"
    assert max(row.difference for row in check(found)) < 1e-4


def test_layouts_of_recurrent_operators(tmp_path):
    from onnx import helper

    tensors = {"W": draw(1, 16, 3), "R": draw(1, 16, 4), "B": draw(1, 32), "v": draw(2, 4)}
    lstm = helper.make_node(
        "LSTM", ["x", "W", "R", "B"], ["", "h"], hidden_size=4, layout=1, name="cell"
    )
    nodes = [lstm, node("Squeeze", "h one", "s"), node("Gemm", "s v", "y", transB=1)]
    tensors["one"] = np.array([1])
    found = api.from_onnx(saved(graph(nodes, tensors, ["N", 5, 3]), tmp_path / "m.onnx"))
    assert line(found) == "--layers 'seq(5)x3,lstm(4),last,dense(2,bias=false)' --bias"
    assert max(row.difference for row in check(found)) < 1e-4


UNREAD = [
    (
        [("Cast", "x", "a", {"to": 7}), ("Cast", "a", "y", {"to": 1})],
        {},
        ["N", 3],
        2,
        ["the_a (Cast): to whole numbers"],
    ),
    (
        [("Einsum", "x", "a", {"equation": "ij->ij"}), ("CumSum", "a w", "y", {})],
        {"w": ()},
        ["N", 3],
        2,
        [
            "the_a: no layer here is the operator Einsum",
            "the_y: no layer here is the operator CumSum",
        ],
    ),
    (
        [
            ("Conv", "x w", "a", {"pads": [0, 0, 1, 1]}),
            ("MaxPool", "x", "b", {"kernel_shape": [2, 2], "ceil_mode": 1}),
            ("Flatten", "a", "y", {}),
        ],
        {"w": (2, 1, 2, 2)},
        ["N", 1, 5, 5],
        2,
        ["the_a (Conv): pads [0, 0, 1, 1]", "the_b (MaxPool): ceil_mode=1"],
    ),
    (
        [("Gemm", "x w", "y", {"alpha": 2.0})],
        {"w": (3, 2)},
        ["N", 3],
        2,
        ["the_y (Gemm): alpha or transA"],
    ),
    (
        [("Gemm", "x w", "y", {})],
        {"w": (3, 2)},
        ["N", "M"],
        2,
        ["does not tell the size of the input x", "--input"],
    ),
    (
        [("Softmax", "x", "y", {"axis": 1})],
        {},
        ["N", 2, 4],
        3,
        ["the_y (Softmax): over the axis 1"],
    ),
    (
        [("Add", "x w", "y", {})],
        {"w": (3,)},
        ["N", 3],
        2,
        ["the_y (Add): an array of the file for all samples"],
    ),
    (
        [("Transpose", "x", "y", {"perm": [0, 2, 1]})],
        {},
        ["N", 2, 4],
        3,
        ["the output: its axes are exchanged"],
    ),
]


@pytest.mark.parametrize(("nodes", "tensors", "shape", "rank", "told"), UNREAD)
def test_what_cannot_be_read_of_onnx_is_named(nodes, tensors, shape, rank, told, tmp_path):
    pytest.importorskip("onnx")
    made = graph(
        [node(k, i, o, **s) for k, i, o, s in nodes],
        {k: draw(*s) for k, s in tensors.items()},
        shape,
        rank=rank,
    )
    with pytest.raises(SpecError) as caught:
        api.from_onnx(saved(made, tmp_path / "m.onnx"))
    for part in told:
        assert part in str(caught.value)


# --- The command ---

NET = """
import torch
from torch import nn

print("building")

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(5, 4), nn.Linear(4, 3)

    def forward(self, x):
        return self.b(torch.relu(self.a(x)))

def wide(width):
    return nn.Linear(width, 2)

def fails():
    return 1 / 0

number = 3
"""

FILES = [
    # the file, the name in it, what must be told
    ("net.py", "net.py", "no FILE.py:NAME"),
    ("net.py", "net.py:net", 'no "net" in it (did you mean "Net"?)'),
    ("net.py", "none.py:Net", "cannot be read: No such file"),
    ("net.py", "net.py:number", "number is no model but of type int"),
    ("net.py", "net.py:wide", "wide needs arguments: missing a required argument: 'width'"),
    (
        "net.py",
        "net.py:fails",
        "net.py, line 19: running it raised ZeroDivisionError: division by zero",
    ),
    ("import nothing_here", "net.py:Net", "net.py, line 1: running it raised ModuleNotFoundError"),
    ("def f(:", "net.py:f", "net.py, line 1: running it raised SyntaxError"),
    ("raise SystemExit(3)", "net.py:f", "net.py, line 1: running it raised SystemExit"),
]


@pytest.mark.parametrize(("text", "reference", "told"), FILES)
def test_files_that_hold_no_model(text, reference, told, run):
    Path("net.py").write_text(NET if text == "net.py" else text, encoding="utf-8")
    code, out, err = run("from-torch", reference)
    assert (code, out) == (2, "")
    assert told in err
    assert "Traceback" not in err


def test_the_command(run, tree):
    Path("net.py").write_text(NET, encoding="utf-8")
    code, out, err = run(
        "from-torch", "net.py:Net", "--check", "-o", "n.toml", "--weights", "n.npz", "--loss", "mse"
    )
    assert code == 0, err
    assert out.startswith("--layers 5,4:relu,3 --bias --loss mse\n")
    assert "W1" in out
    assert "DIFFERENT" not in out
    assert {"n.toml", "n.npz"} <= set(tree())
    weights = np.load("n.npz")
    assert {name: array.shape for name, array in weights.items()} == {
        "W1": (4, 5),
        "b1": (4,),
        "W2": (3, 4),
        "b2": (3,),
    }
    code, again, _ = run("from-torch", "net.py:Net", "--toml", "-o", "n.toml", "--weights", "n.npz")
    assert code == 2 or "as before" in again
    code, out, err = run("code", "--spec", "n.toml", "-o", "net_code.py")
    assert code == 0, err
    assert main(["from-torch", "net.py:Net", "-o", "n.txt"]) == 2


def test_the_generated_code_takes_the_weights(run):
    Path("net.py").write_text(
        "from torch import nn\nm = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4),"
        " nn.Linear(4, 2))\n",
        encoding="utf-8",
    )
    assert run("from-torch", "net.py:m", "--weights", "n.npz")[0] == 0
    assert {name: array.shape for name, array in np.load("n.npz").items()} == {
        "w1": (4, 3), "b1": (4,), "gamma2": (4,), "beta2": (4,), "w3": (2, 4), "b3": (2,),
    }  # fmt: skip


def test_an_onnx_file_from_the_command(run, tmp_path):
    path = export(
        lambda: nn.Sequential(nn.Linear(5, 4), nn.Tanh()), rows(2, 5), tmp_path / "m.onnx"
    )
    code, out, _ = run("from-onnx", path, "--check")
    assert code == 0
    assert out.startswith("--layers 5,4:tanh --bias\n")
    assert run("from-onnx", "none.onnx")[0] == 2
    Path("bad.onnx").write_bytes(b"no model")
    code, _, err = run("from-onnx", "bad.onnx")
    assert code == 2
    assert "is no ONNX model" in err


def test_a_difference_is_a_failure(run, monkeypatch):
    from bpderive.importers import torch_original

    Path("net.py").write_text(NET, encoding="utf-8")
    plain = torch_original.TorchModel.gradients
    monkeypatch.setattr(
        torch_original.TorchModel,
        "gradients",
        lambda *given: {k: v * 1.001 for k, v in plain(*given).items()},
    )
    code, out, _ = run("from-torch", "net.py:Net", "--check")
    assert code == 1
    assert "DIFFERENT" in out


@pytest.mark.parametrize(
    ("library", "read_file"), [("torch", api.from_torch), ("onnx", api.from_onnx)]
)
def test_a_library_that_is_missing(library, read_file, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UnsupportedError, match=rf"pip install 'bpderive\[{library}\]'"):
        read_file("net.py:Net")


def test_names_cannot_write_to_the_terminal(tmp_path, run):
    made = graph([node("Einsum", "x", "y", equation="ij->ij")], {}, ["N", 3])
    made.graph.node[0].name = "\x1b[31mred\nline"
    code, _, err = run("from-onnx", saved(made, tmp_path / "m.onnx"))
    assert code == 2
    assert "\x1b" not in err
    assert "red\\nline" in err


def test_the_page_on_models_says_what_happens(run):
    page = (Path(__file__).parent.parent / "docs" / "models.md").read_text("utf-8")
    Path("net.py").write_text(
        re.search(r"```python\n(.*?)```", page, re.DOTALL)[1], encoding="utf-8"
    )
    asked, told = re.search(r"    \$ bpderive (from-torch .*)\n    (--layers .*)\n", page).groups()
    code, out, _ = run(*shlex.split(asked))
    assert (code, out) == (0, told + "\n")


def test_every_module_of_the_page_is_read():
    from bpderive.importers.torch_modules import MODULES
    from bpderive.importers.torch_transformer import TRANSFORMERS

    page = (Path(__file__).parent.parent / "docs" / "models.md").read_text("utf-8")
    told = set(re.findall(r"`([A-Z][A-Za-z]+(?:[12]d)?)`", page.partition("### What is not")[0]))
    known = {name.removesuffix("1d").removesuffix("2d") for name in (*MODULES, *TRANSFORMERS)}
    wrong = {name for name in told if name.removesuffix("1d").removesuffix("2d") not in known}
    assert wrong - {"NAME"} == set()
