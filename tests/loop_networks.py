"""Networks of every layer for the tests of generated loops, and their forward passes in PyTorch.

The forward passes are written with PyTorch's own layers, and know nothing of the engine.
"""

from functools import cache

import numpy as np
import pytest

from bpderive import schedule
from bpderive.backprop import derive_stack
from bpderive.catalog import CATALOG
from bpderive.spec import parse_spec
from bpderive.stack import build

torch = pytest.importorskip("torch")
F = torch.nn.functional
N = 3


@cache
def computation(layers, **options):
    options = {"bias": True} | options
    return schedule.build(
        derive_stack(build(parse_spec(layers, CATALOG.names, **options), CATALOG))
    )


def conv(p, x, k, **told):
    return F.conv2d(x, p[f"w{k}"], p[f"b{k}"], **told)


def dense(p, x, k):
    return F.linear(x, p[f"w{k}"], p.get(f"b{k}"))


def last(p, x, k):
    return dense(p, x[:, -1], k)


def cnn(p, x):
    return dense(p, F.max_pool2d(F.relu(conv(p, x, 1, padding=1)), 2).flatten(1), 4)


def strided(p, x):
    z = F.tanh(F.conv1d(x, p["w1"], p["b1"], stride=2, padding=2, dilation=2))
    return dense(p, F.avg_pool1d(z, 2, 1).flatten(1), 4)


def grouped(p, x):
    w = p["w1"].flatten(0, 1)
    z = F.conv1d(x, w, p["b1"].flatten(), stride=2, groups=2)
    return dense(p, z.amax(2), 3)


def grouped_images(p, x):
    w = p["w1"].flatten(0, 1)
    z = F.gelu(F.conv2d(x, w, p["b1"].flatten(), padding=1, groups=2))
    return dense(p, z.mean((2, 3)), 3)


def overlapping(p, x):
    return dense(p, F.max_pool2d(x, 3, 2).flatten(1), 3)


def batchnorm(p, x):
    z = F.batch_norm(dense(p, x, 1), None, None, p["gamma2"], p["beta2"], training=True)
    return dense(p, F.softplus(z), 4)


def batchnorm_images(p, x):
    z = conv(p, x, 1)
    z = F.batch_norm(z, None, None, p["gamma2"], p["beta2"], training=True)
    return dense(p, z.amax((2, 3)), 4)


def inference(p, x, mu2, var2):
    z = F.batch_norm(dense(p, x, 1), mu2, var2, p["gamma2"], p["beta2"], training=False)
    return F.elu(dense(p, z, 3))


def dropout(p, x, m2):
    return dense(p, F.silu(dense(p, x, 1)) * m2 / 0.75, 3)


def norms(p, x):
    z = F.layer_norm(dense(p, x, 1), (4,), p["gamma2"], p["beta2"])
    return dense(p, F.rms_norm(z, (4,), p["gamma3"], 1e-5), 4)


def residual(p, x):
    a = F.relu(dense(p, x, 1))
    z = a + dense(p, F.tanh(dense(p, a, 2)), 3)
    return dense(p, z, 5)


def projected(p, x):
    return dense(p, F.relu(dense(p, x, 1)) + F.linear(x, p["w2"]), 4)


def bilinear(p, x):
    return dense(p, torch.sigmoid(F.bilinear(x, x, p["w1"], p["b1"])), 2)


def softmaxes(p, x):
    return F.softmax(dense(p, F.softmax(dense(p, x, 1), 1), 3), 1)


def rnn(p, x):
    layer = torch.nn.RNN(2, 4, batch_first=True, dtype=torch.float64)
    state = {"weight_ih_l0": p["w1"], "weight_hh_l0": p["u1"], "bias_ih_l0": p["b1"]}
    state["bias_hh_l0"] = torch.zeros_like(p["b1"])
    return last(p, torch.func.functional_call(layer, state, x)[0], 3)


def truncated(p, x):
    a, outputs = torch.zeros(len(x), 4, dtype=x.dtype), []
    for t in range(x.shape[1]):
        a = a.detach() if t % 2 == 0 else a
        a = torch.tanh(F.linear(x[:, t], p["w1"], p["b1"]) + F.linear(a, p["u1"]))
        outputs.append(a)
    return dense(p, torch.stack(outputs, 1), 2)


def lstm(p, x):
    layer = torch.nn.LSTM(2, 4, batch_first=True, dtype=torch.float64)
    state = {
        "weight_ih_l0": torch.cat([p[f"W_{g}1"] for g in "ifgo"]),
        "weight_hh_l0": torch.cat([p[f"U_{g}1"] for g in "ifgo"]),
        "bias_ih_l0": torch.cat([p[f"b_{g}1"] for g in "ifgo"]),
    }
    state["bias_hh_l0"] = torch.zeros_like(state["bias_ih_l0"])
    return last(p, torch.func.functional_call(layer, state, x)[0], 3)


def gru(p, x):
    layer = torch.nn.GRU(2, 4, batch_first=True, dtype=torch.float64)
    state = {
        "weight_ih_l0": torch.cat([p[f"W_{g}1"] for g in "rsq"]),
        "weight_hh_l0": torch.cat([p[f"U_{g}1"] for g in "rsq"]),
        "bias_ih_l0": torch.cat([p[f"b_{g}1"] for g in "rsq"]),
    }
    zeros = torch.zeros_like(p["b_r1"])
    state["bias_hh_l0"] = torch.cat([zeros, zeros, p["b_e1"]])
    return last(p, torch.func.functional_call(layer, state, x)[0], 3)


def attention(p, x, *, k, heads, causal):
    def projected(letter):
        w = p[f"W_{letter}{k}"].reshape(-1, x.shape[2])
        z = F.linear(x, w, p[f"b_{letter}{k}"].flatten())
        return z.unflatten(2, (heads, -1)).transpose(1, 2)

    o = F.scaled_dot_product_attention(*map(projected, "qkv"), is_causal=causal)
    o = o.transpose(1, 2).flatten(2)
    return F.linear(o, p[f"W_o{k}"].flatten(1), p[f"b_o{k}"])


def one_head(p, x):
    return last(p, attention(p, x, k=1, heads=1, causal=False), 3)


def heads(p, x):
    return last(
        p,
        F.layer_norm(attention(p, x, k=1, heads=2, causal=True), (6,), p["gamma2"], p["beta2"]),
        4,
    )


def plain_attention(p, x):
    return dense(p, F.scaled_dot_product_attention(x, x, x, is_causal=True), 2)


def transformer(p, x):
    a = F.layer_norm(x, (4,), p["gamma1"], p["beta1"])
    x = x + attention(p, a, k=2, heads=2, causal=False)
    a = F.layer_norm(x, (4,), p["gamma4"], p["beta4"])
    x = x + dense(p, F.relu(dense(p, a, 5)), 6)
    return last(p, x, 9)


def embedding(p, x):
    return last(p, torch.tanh(dense(p, F.embedding(x, p["E1"]), 2)), 4)


def bag(p, x):
    return dense(p, F.embedding_bag(x, p["E1"], mode="mean"), 2)


def tied(p, x):
    a = torch.tanh(dense(p, x, 1))
    return dense(p, torch.tanh(dense(p, a, 1)), 3)


ODD = """
# Everything that a file may say
input x[n,c,t]
data m[n,t]
param U[h,c], V[c,h], q[v]
index s: T
size H = 3, V = 7
s[n,c] = sum(t, x[n,c,t]) / T
u[n,h] = relu(sum(c, U[h,c]*s[n,c]))
g[n,c] = sigmoid(sum(h, V[c,h]*u[n,h]))
r[n,c,t] = (sum(s, [s <= t]*softmax(s, x[n,c,s])*x[n,c,t-s+1])
    + max(s, x[n,c,s])*[t % 2 == 0])
e[n,t] = q[m[n,t]]*exp(-x[n,1,t]**2)
k = mean(n, c, s[n,c]**2)
output y[n,c,t] = g[n,c]*r[n,c,t]*k + e[n,t] + x[n,c,2*t-1]
"""


NAMES = """
# Names that a language has already
input x[n,c]
param float[h,c], auto[h], int[h], total[h], params[h], static[c]
size H = 3
print[n,h] = tanh(sum(c, float[h,c]*x[n,c]*static[c]) + auto[h])
range[n,h] = exp(print[n,h])*int[h]
work = mean(n, h, range[n,h]**2)
output zeros[n,h] = range[n,h]*total[h]*work + params[h]
"""


def odd(p, x, m):
    """`ODD` as PyTorch says it; the indices count from 0."""
    steps = x.shape[2]
    s = x.mean(2)
    g = torch.sigmoid(F.relu(s @ p["U"].T) @ p["V"].T)
    weights, rows = F.softmax(x, 2), []
    for t in range(steps):
        row = sum(weights[:, :, k] * x[:, :, t - k] for k in range(t + 1))
        rows.append(row + x.amax(2) * (t % 2))
    e = p["q"][m] * torch.exp(-(x[:, 0] ** 2))
    far = torch.zeros_like(x)
    far[:, :, : (steps + 1) // 2] = x[:, :, ::2]
    return g[:, :, None] * torch.stack(rows, 2) * (s**2).mean() + e[:, None] + far


CASES = {
    "cnn": ("2x4x6, conv(3,3,padding=1):relu, maxpool(2), flatten, 5", cnn),
    "strided": (
        "3x9, conv(4,3,stride=2,padding=2,dilation=2):tanh, avgpool(2,stride=1), flatten, 2",
        strided,
    ),
    "grouped": ("4x7, conv(6,3,groups=2,stride=2), globalmaxpool, 2", grouped),
    "grouped images": ("4x3x5, conv(2,3,groups=2,padding=1):gelu, globalpool, 3", grouped_images),
    "overlapping": ("2x7x5, maxpool(3,stride=2), flatten, 3", overlapping),
    "batchnorm": ("5, 4, batchnorm, softplus, 2", batchnorm),
    "batchnorm of images": ("2x4x5, conv(3,2), batchnorm, globalmaxpool, 2", batchnorm_images),
    "inference": ("5, 4, batchnorm(inference=true), 2:elu", inference),
    "dropout": ("5, 4:silu, dropout(rate=0.25), 2", dropout),
    "norms": ("5, 4, layernorm, rmsnorm, 2", norms),
    "residual": ("5, 4:relu, residual(6:tanh, 4), 2", residual),
    "projected": ("5, residual(4:relu, project), 2", projected),
    "bilinear": ("3, bilinear(4):sigmoid, 2", bilinear),
    "softmaxes": ("3, 5, softmax, 4:softmax", softmaxes),
    "rnn": ("seq(5)x2, rnn(4):tanh, last, 3", rnn),
    "truncated": ("seq(5)x2, rnn(4,truncate=2):tanh, 3", truncated),
    "lstm": ("seq(5)x2, lstm(4), last, 3", lstm),
    "gru": ("seq(5)x2, gru(4), last, 3", gru),
    "attention": ("seq(5)x3, attention, last, 2", one_head),
    "heads": ("seq(5)x6, attention(heads=2,causal=true), layernorm, last, 2", heads),
    "plain attention": ("seq(5)x3, attention(project=false,causal=true), 2", plain_attention),
    "transformer": ("seq(5)x4, transformer(heads=2,hidden=6), last, 2", transformer),
    "embedding": ("seq(4), embedding(7,3), 5:tanh, last, 2", embedding),
    "embedding bag": ("seq(4), embeddingbag(7,3), 2", bag),
    "tied": ("4, 4:tanh, dense(4,tie=1):tanh, 3", tied),
}
"""By name: the layers, and the forward pass from parameters, the input, and other data."""


def point(layers, samples=N, **options):
    """Random parameters, and what is given: by name, tokens counted from 0."""
    made, rng = computation(layers, **options), np.random.default_rng(len(layers))
    params, given = {}, {}
    for one in made.given:
        shape = tuple(samples if str(size) == "N" else int(size) for size in one.sizes)
        value = rng.normal(0, 0.7, shape)
        if one.role == "tokens":
            value = rng.integers(0, 7, shape)
        if one.role == "data":
            value = rng.uniform(0.5, 1.5, shape)
        if one.label == "m":  # of `ODD`
            value = rng.integers(0, 7, shape)
        (params if one.role == "parameter" else given)[one.label] = value
    target = "y" if "y" in given else "target"
    given[target] = given.pop(target)
    return params, given


def torch_gradients(forward, params, given, loss=None):
    """The mean loss, all gradients, and the output, by PyTorch."""
    leaves = {k: torch.tensor(v, requires_grad=True) for k, v in params.items()}
    *inputs, target = (torch.tensor(v) for v in given.values())
    output = forward(leaves, *inputs)
    value = (loss or _half)(output, target) / len(target)
    value.backward()
    grads = {k: v.grad.numpy() for k, v in leaves.items()}
    return value.item(), grads, output.detach().numpy()


def _half(output, target):
    return 0.5 * ((output - target) ** 2).sum()
