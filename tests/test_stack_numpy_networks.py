"""The NumPy target of networks of a spec: as PyTorch computes them, and nothing left unwritten."""

from functools import cache

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from loop_networks import CASES, computation, dense, point, torch_gradients  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812 - as everybody calls it

from bpderive.targets.arrays import generate  # noqa: E402
from bpderive.targets.modules import module  # noqa: E402


@cache
def text(layers):
    return generate(computation(layers))


@pytest.fixture
def poisoned(monkeypatch):
    """Memory that nobody has written yet holds no numbers."""
    real = np.empty

    def empty(shape, dtype=float, **options):
        found = real(shape, dtype, **options)
        if found.dtype.kind == "f":
            found.fill(np.nan)
        return found

    monkeypatch.setattr(np, "empty", empty)
    monkeypatch.setattr(np, "empty_like", lambda a, dtype=None: empty(a.shape, dtype or a.dtype))


def same(layers, forward, change=lambda value: value):
    """Loss, output and gradients are PyTorch's."""
    params, given = point(layers)
    params = {key: change(value) for key, value in params.items()}
    given = {key: v if v.dtype.kind == "i" else change(v) for key, v in given.items()}
    value, grads, output = torch_gradients(forward, params, given)
    network = module(text(layers), "network")
    found, slopes = network.loss_and_grad(params, *given.values())
    assert found == pytest.approx(value, rel=1e-12)
    inputs = list(given.values())[:-1]
    np.testing.assert_allclose(network.forward(params, *inputs), output, rtol=1e-10, atol=1e-12)
    assert slopes.keys() == grads.keys()
    for key, grad in grads.items():
        np.testing.assert_allclose(slopes[key], grad, rtol=1e-9, atol=1e-11, err_msg=key)


@pytest.mark.usefixtures("poisoned")
@pytest.mark.parametrize("name", CASES)
def test_equals_pytorch(name):
    same(*CASES[name])


# --- Recurrent layers, whole and in pieces ---


def rnn(p, x, k, every=None):
    a, steps = torch.zeros(len(x), len(p[f"w{k}"]), dtype=x.dtype), []
    for t in range(x.shape[1]):
        a = a.detach() if every and t % every == 0 else a
        a = torch.tanh(dense(p, x[:, t], k) + F.linear(a, p[f"u{k}"]))
        steps.append(a)
    return torch.stack(steps, 1)


def lstm(p, x, k, every=None):
    def gate(g, a, t):
        return F.linear(x[:, t], p[f"W_{g}{k}"], p[f"b_{g}{k}"]) + F.linear(a, p[f"U_{g}{k}"])

    a = c = torch.zeros(len(x), len(p[f"b_i{k}"]), dtype=x.dtype)
    steps = []
    for t in range(x.shape[1]):
        if every and t % every == 0:
            a, c = a.detach(), c.detach()
        i, f, o = (torch.sigmoid(gate(g, a, t)) for g in "ifo")
        c = f * c + i * torch.tanh(gate("g", a, t))
        a = o * torch.tanh(c)
        steps.append(a)
    return torch.stack(steps, 1)


def gru(p, x, k, every=None):
    def gate(g, a, t):
        return F.linear(x[:, t], p[f"W_{g}{k}"], p[f"b_{g}{k}"]) + F.linear(a, p[f"U_{g}{k}"])

    a, steps = torch.zeros(len(x), len(p[f"b_r{k}"]), dtype=x.dtype), []
    for t in range(x.shape[1]):
        a = a.detach() if every and t % every == 0 else a
        r, s = (torch.sigmoid(gate(g, a, t)) for g in "rs")
        z = F.linear(x[:, t], p[f"W_q{k}"], p[f"b_q{k}"])
        q = torch.tanh(z + r * F.linear(a, p[f"U_q{k}"], p[f"b_e{k}"]))
        a = (1 - s) * q + s * a
        steps.append(a)
    return torch.stack(steps, 1)


RECURRENT = {
    "seq(5)x2, rnn(2,truncate=2):tanh, last, 2": lambda p, x: dense(p, rnn(p, x, 1, 2)[:, -1], 3),
    "seq(7)x3, rnn(4,truncate=3):tanh, 2": lambda p, x: dense(p, rnn(p, x, 1, 3), 2),
    "seq(7)x3, lstm(2,truncate=3), last, 4": lambda p, x: dense(p, lstm(p, x, 1, 3)[:, -1], 3),
    "seq(7)x2, lstm(2,truncate=2)": lambda p, x: lstm(p, x, 1, 2),
    "seq(5)x3, gru(4,truncate=2), last, 2": lambda p, x: dense(p, gru(p, x, 1, 2)[:, -1], 3),
    "seq(5)x3, gru(3,truncate=1)": lambda p, x: gru(p, x, 1, 1),
    "seq(3)x2, lstm(4,truncate=5)": lambda p, x: lstm(p, x, 1, 5),
    "seq(4)x3, rnn(4):tanh, lstm(2), gru(5), last, 1": lambda p, x: dense(
        p, gru(p, lstm(p, rnn(p, x, 1), 2), 3)[:, -1], 5
    ),
    "seq(6)x3, rnn(4,truncate=2):tanh, gru(2,truncate=4), lstm(3,truncate=3)": lambda p, x: lstm(
        p, gru(p, rnn(p, x, 1, 2), 2, 4), 3, 3
    ),
    "seq(4)x3, residual(rnn(3):tanh), 2": lambda p, x: dense(p, x + rnn(p, x, 1), 3),
}


@pytest.mark.usefixtures("poisoned")
@pytest.mark.parametrize("layers", RECURRENT)
def test_recurrent_layers_equal_pytorch(layers):
    same(layers, RECURRENT[layers])


@pytest.mark.usefixtures("poisoned")
@pytest.mark.parametrize("gate", range(4))
def test_what_is_not_written_shows(gate):
    """The test's own test: without one of the lines, its part of the gates holds no numbers."""
    layers = CASES["lstm"][0]
    rows = text(layers).split("\n")
    (row,) = (k for k, line in enumerate(rows) if f"delta_z1[:, t, {gate}] =" in line)
    broken = module("\n".join(rows[:row] + rows[row + 1 :]), "broken")
    params, given = point(layers)
    _, slopes = broken.loss_and_grad(params, *given.values())
    assert np.isnan(slopes["U_i1"]).any() or np.isnan(slopes["U_g1"]).any()


# --- Pooling ---


def pooled(kind, kernel, stride):
    def forward(p, x):
        w = p["w1"]
        z = (F.conv1d if x.ndim == 3 else F.conv2d)(x, w, p["b1"])
        pool = getattr(F, f"{kind}_pool{x.ndim - 2}d")
        return pool(z, kernel, stride).flatten(1)

    return forward


POOLS = [
    (kind, shape, kernel, stride)
    for kind in ("max", "avg")
    for shape, kernel, stride in (
        ("2x6x4", 2, 2),  # windows fill the image
        ("2x7x9", 2, 2),  # a rest of one at each end
        ("2x7x8", 3, 2),  # they overlap
        ("2x5x6", 3, 1),
        ("2x7x8", 2, 3),  # gaps between them
        ("2x5x4", 4, 4),  # one window in a direction, larger than its places
        ("3x9", 3, 3),
        ("3x10", 4, 3),
        ("2x11x10", 9, 1),  # too many elements to go through one by one
    )
]


@pytest.mark.parametrize(("kind", "shape", "kernel", "stride"), POOLS)
def test_pooling_equals_pytorch(kind, shape, kernel, stride):
    layers = f"{shape}, conv(3,1), {kind}pool({kernel},stride={stride}), flatten"
    same(layers, pooled(kind, kernel, stride))


@pytest.mark.parametrize("kernel", [2, 9])
def test_of_equal_elements_the_first_is_the_largest(kernel):
    layers = f"2x10x9, conv(3,1), maxpool({kernel},stride=1), flatten"
    same(layers, pooled("max", kernel, 1), np.round)


@pytest.mark.parametrize("layers", ["2x6x4, conv(3,1), maxpool(2)", "2x7x8, conv(3,1), avgpool(3)"])
def test_pooling_goes_back_without_zeros_between(layers):
    """No tensor is larger than what is pooled: windows give back what they took."""
    source = text(f"{layers}, flatten, 2")
    assert " spread(" in source.partition("def _backward")[2]
    assert "dilated(" not in source
    assert "einsum" not in source


def test_what_is_no_number_stays_visible():
    network = module(text("2x4, conv(3,1), maxpool(2), flatten"), "network")
    params, given = point("2x4, conv(3,1), maxpool(2), flatten")
    given["x"][0, 0, 1] = np.nan
    output = network.forward(params, given["x"])
    assert np.isnan(output[0]).any()
    assert np.isfinite(output[1:]).all()
