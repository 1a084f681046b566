"""PyTorch's own modules for every layer of the catalogue: one row a case, the sizes unequal."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import product
from random import Random
from typing import Any

from bpderive.locate import templates

FOLDER = templates() / "layers"


@dataclass(frozen=True)
class Case:
    """A file of equations and the function of PyTorch's that computes the same.

    `module` takes torch, the tensors by name, the input, and the sizes. `item` is the layer as a
    spec asks for it, with its input; empty where it is part of others alone.
    """

    file: str
    shape: tuple[int, ...]
    module: Callable[[Any, Mapping[str, Any], Any, Mapping[str, int]], Any]
    sizes: Mapping[str, int] = field(default_factory=dict)
    activation: str = ""
    bias: bool = True
    tokens: int = 0
    item: str = ""

    def __str__(self):
        parts = [self.file, *(f"{k}{v}" for k, v in self.sizes.items()), self.activation]
        return "-".join(filter(None, (*parts, f"{len(self.shape)}d", "" if self.bias else "free")))

    @property
    def text(self):
        return (FOLDER / f"{self.file}.eq").read_text(encoding="utf-8")

    def drawn(self, shapes, random):
        """Random tensors by label; variances are positive, masks 0 or 1."""
        return {label: _drawn(label, shape, random) for label, shape in shapes.items()}

    def input(self, random):
        if self.tokens:
            return {at: random.randint(1, self.tokens) for at in places(self.shape)}
        return _drawn("x", self.shape, random)


def places(shape):
    return product(*(range(1, size + 1) for size in shape))


def _drawn(label, shape, random: Random):
    if label.startswith("var"):
        return {at: random.uniform(0.5, 2) for at in places(shape)}
    if label.startswith("m1"):
        return {at: float(random.randint(0, 1)) for at in places(shape)}
    return {at: random.gauss(0, 0.7) for at in places(shape)}


def tensor(torch, values, shape):
    """A dict from indices to values, as an array."""
    rows = torch.tensor(list(map(float, values.values())), dtype=torch.float64)
    return rows.reshape(shape)


# --- The modules ---


def _called(torch, module, weights, *args, **options):
    """A module with our weights, which PyTorch differentiates by."""
    given = {name: value for name, value in weights.items() if value is not None}
    return torch.func.functional_call(module.double(), given, args, options)


def _act(torch, case_activation, z):
    if not case_activation:
        return z
    return {"tanh": torch.tanh, "relu": torch.relu, "softmax": lambda u: torch.softmax(u, -1)}[
        case_activation
    ](z)


def linear(torch, p, x, _s):
    module = torch.nn.Linear(p["w"].shape[1], p["w"].shape[0], bias="b" in p)
    return _called(torch, module, {"weight": p["w"], "bias": p.get("b")}, x)


def conv(dims):
    def run(torch, p, x, s):
        groups = s.get("G", 1)
        w = p["w"] if groups == 1 else p["w"].flatten(0, 1)
        bias = p["b"].flatten() if "b" in p else None
        layer = getattr(torch.nn, f"Conv{dims}d")
        module = layer(
            x.shape[1],
            w.shape[0],
            tuple(w.shape[2:]),
            stride=s.get("S", 1),
            padding=s.get("P", 0),
            dilation=s.get("D", 1),
            groups=groups,
            bias=bias is not None,
        )
        return _called(torch, module, {"weight": w, "bias": bias}, x)

    return run


def pool(kind, dims):
    def run(torch, _p, x, s):
        kernel = (s["K"], s.get("L", s["K"]))[:dims]
        stride = s.get("S", s["K"])
        return getattr(torch.nn, f"{kind}Pool{dims}d")(kernel, stride=stride)(x)

    return run


def whole_pool(kind, dims):
    return lambda torch, _p, x, _s: getattr(torch.nn, f"Adaptive{kind}Pool{dims}d")(1)(x).flatten(1)


def batch_norm(dims, *, train):
    def run(torch, p, x, _s):
        module = getattr(torch.nn, f"BatchNorm{max(dims, 1)}d")(x.shape[1]).double().train(train)
        weights = {"weight": p["gamma"], "bias": p["beta"]}
        if not train:
            weights |= {"running_mean": p["mu"], "running_var": p["var"]}
        return _called(torch, module, weights, x)

    return run


def layer_norm(torch, p, x, _s):
    return _called(
        torch, torch.nn.LayerNorm(x.shape[-1]), {"weight": p["gamma"], "bias": p["beta"]}, x
    )


def rms_norm(torch, p, x, _s):
    return _called(torch, torch.nn.RMSNorm(x.shape[-1], eps=1e-5), {"weight": p["gamma"]}, x)


def _recurrent(torch, module, x, weights, biases):
    """A recurrent module; `biases` are of the input, and of the state."""
    rows = {"weight_ih_l0": weights[0], "weight_hh_l0": weights[1]}
    rows |= {"bias_ih_l0": biases[0], "bias_hh_l0": biases[1]}
    return _called(torch, module, rows, x)[0]


def rnn(nonlinearity):
    def run(torch, p, x, _s):
        w, b = p["w"], p.get("b")
        b = torch.zeros(w.shape[0], dtype=w.dtype) if b is None else b
        module = torch.nn.RNN(w.shape[1], w.shape[0], nonlinearity=nonlinearity, batch_first=True)
        return _recurrent(torch, module, x, (w, p["u"]), (b, torch.zeros_like(b)))

    return run


def _pieces(torch, module, x, size, weights, biases):
    """Pieces of some steps; the state that is handed on is no longer part of the graph."""
    rows = {"weight_ih_l0": weights[0], "weight_hh_l0": weights[1]}
    rows |= {"bias_ih_l0": biases[0], "bias_hh_l0": biases[1]}
    found, state = [], ()
    for piece in x.split(size, dim=1):
        out, after = _called(torch, module, rows, piece, *state)
        cut = tuple(h.detach() for h in after) if isinstance(after, tuple) else after.detach()
        found, state = [*found, out], (cut,)
    return torch.cat(found, 1)


def rnn_truncated(torch, p, x, s):
    w, biases = p["w"], (p["b"], torch.zeros_like(p["b"]))
    module = torch.nn.RNN(w.shape[1], w.shape[0], batch_first=True)
    return _pieces(torch, module, x, s["B"], (w, p["u"]), biases)


def lstm(torch, p, x, s):
    stacked = [torch.cat([p[f"{name}_{gate}"] for gate in "ifgo"]) for name in "WUb"]
    module = torch.nn.LSTM(x.shape[2], p["W_i"].shape[0], batch_first=True)
    biases, steps = (stacked[2], torch.zeros_like(stacked[2])), s.get("B", x.shape[1])
    return _pieces(torch, module, x, steps, stacked[:2], biases)


def gru(torch, p, x, s):
    stacked = [torch.cat([p[f"{name}_{gate}"] for gate in "rsq"]) for name in "WUb"]
    zero = torch.zeros_like(p["b_r"])
    module = torch.nn.GRU(x.shape[2], p["W_r"].shape[0], batch_first=True)
    state = torch.cat([zero, zero, p["b_e"]])
    return _pieces(torch, module, x, s.get("B", x.shape[1]), stacked[:2], (stacked[2], state))


def attention(*, causal):
    def run(torch, p, x, s):
        channels = x.shape[2]
        module = torch.nn.MultiheadAttention(
            channels, s.get("H", 1), batch_first=True, bias="b_q" in p
        )
        rows = {"in_proj_weight": torch.cat([p[f"W_{k}"].reshape(-1, channels) for k in "qkv"])}
        rows["out_proj.weight"] = p["W_o"].reshape(channels, channels)
        if "b_q" in p:
            rows["in_proj_bias"] = torch.cat([p[f"b_{k}"].flatten() for k in "qkv"])
            rows["out_proj.bias"] = p["b_o"]
        steps = x.shape[1]
        mask = torch.ones(steps, steps).triu(1).bool() if causal else None
        return _called(torch, module, rows, x, x, x, need_weights=False, attn_mask=mask)[0]

    return run


def plain_attention(*, causal):
    def run(torch, _p, x, _s):
        return torch.nn.functional.scaled_dot_product_attention(x, x, x, is_causal=causal)

    return run


def embedding(torch, p, x, _s):
    return _called(torch, torch.nn.Embedding(*p["E"].shape), {"weight": p["E"]}, x.long() - 1)


def embedding_bag(torch, p, x, _s):
    module = torch.nn.EmbeddingBag(*p["E"].shape, mode="mean")
    return _called(torch, module, {"weight": p["E"]}, x.long() - 1)


def bilinear(torch, p, x, _s):
    outputs, inputs, _ = p["w"].shape
    module = torch.nn.Bilinear(inputs, inputs, outputs, bias="b" in p)
    return _called(torch, module, {"weight": p["w"], "bias": p.get("b")}, x, x)


def dropout(_torch, p, x, _s):
    return x * p["m"] / 0.5


def _activated(run, name):
    return lambda torch, p, x, s: _act(torch, name, run(torch, p, x, s))


def _flat(_torch, _p, x, _s):
    return x.flatten(1)


IMAGE, SIGNAL, STEPS = (2, 3, 5, 4), (2, 3, 7), (2, 4, 3)
CASES = (
    Case("dense", (3, 2), linear, {"I": 4}, item="dense"),
    Case("dense", (2, 4, 3), linear, {"I": 2}, bias=False),
    Case("dense", (3, 2), _activated(linear, "softmax"), {"I": 4}, "softmax"),
    Case("conv1d", SIGNAL, conv(1), {"O": 4, "K": 2}),
    Case("conv1d", SIGNAL, conv(1), {"O": 4, "K": 3, "S": 2, "P": 1, "D": 2}, bias=False),
    Case("conv1d", SIGNAL, _activated(conv(1), "tanh"), {"O": 2, "K": 2, "P": 1}, "tanh"),
    Case("conv1d_groups", (2, 6, 5), conv(1), {"G": 3, "O": 2, "K": 2, "P": 1, "S": 2}),
    Case("conv1d_groups", (2, 3, 5), conv(1), {"G": 3, "O": 2, "K": 2}, bias=False),
    Case("conv2d", IMAGE, conv(2), {"O": 2, "K": 2}),
    Case("conv2d", IMAGE, conv(2), {"O": 4, "K": 3, "L": 2, "S": 2, "P": 1}),
    Case("conv2d", IMAGE, conv(2), {"O": 2, "K": 2, "P": 1, "D": 2, "S": 3}, bias=False),
    Case("conv2d_groups", (2, 4, 5, 4), conv(2), {"G": 2, "O": 3, "K": 2, "P": 1}),
    Case("maxpool1d", SIGNAL, pool("Max", 1), {"K": 2}),
    Case("maxpool1d", SIGNAL, pool("Max", 1), {"K": 3, "S": 2}),
    Case("maxpool2d", IMAGE, pool("Max", 2), {"K": 2}),
    Case("maxpool2d", IMAGE, pool("Max", 2), {"K": 3, "L": 2, "S": 1, "Q": 1}),
    Case("avgpool1d", SIGNAL, pool("Avg", 1), {"K": 3, "S": 2}),
    Case("avgpool2d", IMAGE, pool("Avg", 2), {"K": 2}),
    Case("avgpool2d", IMAGE, pool("Avg", 2), {"K": 3, "L": 2, "S": 1, "Q": 1}),
    Case("globalpool1d", SIGNAL, whole_pool("Avg", 1)),
    Case("globalpool2d", IMAGE, whole_pool("Avg", 2)),
    Case("globalmaxpool1d", SIGNAL, whole_pool("Max", 1)),
    Case("globalmaxpool2d", IMAGE, whole_pool("Max", 2)),
    Case("batchnorm0d", (4, 3), batch_norm(0, train=True)),
    Case("batchnorm1d", SIGNAL, batch_norm(1, train=True)),
    Case("batchnorm2d", (3, 2, 4, 3), batch_norm(2, train=True)),
    Case("batchnorm0d_inference", (4, 3), batch_norm(0, train=False)),
    Case("batchnorm1d_inference", SIGNAL, batch_norm(1, train=False)),
    Case("batchnorm2d_inference", IMAGE, batch_norm(2, train=False)),
    Case("layernorm", (2, 4), layer_norm),
    Case("layernorm", STEPS, layer_norm),
    Case("rmsnorm", (2, 4), rms_norm),
    Case("rmsnorm", STEPS, rms_norm),
    Case("rnn", STEPS, rnn("tanh"), {"I": 2}, "tanh"),
    Case("rnn", STEPS, rnn("relu"), {"I": 2}, "relu", bias=False),
    Case("rnn_truncated", (2, 5, 3), rnn_truncated, {"I": 2, "B": 2}, "tanh"),
    Case("lstm", STEPS, lstm, {"H": 2}),
    Case("lstm_truncated", (2, 5, 3), lstm, {"H": 2, "B": 2}),
    Case("gru", STEPS, gru, {"H": 2}),
    Case("gru_truncated", (2, 5, 3), gru, {"H": 2, "B": 2}),
    Case("attention", (2, 3, 4), attention(causal=False)),
    Case("attention", (2, 3, 4), attention(causal=False), bias=False),
    Case("attention_causal", (2, 3, 4), attention(causal=True)),
    Case("attention_heads", (2, 3, 6), attention(causal=False), {"H": 2}),
    Case("attention_heads_causal", (2, 4, 6), attention(causal=True), {"H": 3}, bias=False),
    Case("attention_plain", (2, 3, 4), plain_attention(causal=False)),
    Case("attention_plain_causal", (2, 3, 4), plain_attention(causal=True)),
    Case("embedding", (2, 4), embedding, {"V": 5, "D": 3}, tokens=5),
    Case("embeddingbag", (2, 4), embedding_bag, {"V": 5, "D": 3}, tokens=5),
    Case("bilinear", (3, 2), bilinear, {"I": 4}),
    Case("dropout", (3, 2), dropout),
    Case("dropout", STEPS, dropout),
    Case("flatten2d", SIGNAL, _flat),
    Case("flatten3d", IMAGE, _flat),
    Case("last", STEPS, lambda _torch, _p, x, _s: x[:, -1]),
    Case("add", STEPS, lambda _torch, _p, x, _s: x + x),
    Case("copy", STEPS, lambda _torch, _p, x, _s: x),
    Case("activation", STEPS, _activated(lambda _t, _p, x, _s: x, "tanh"), {}, "tanh"),
    Case("activation", STEPS, _activated(lambda _t, _p, x, _s: x, "softmax"), {}, "softmax"),
)
