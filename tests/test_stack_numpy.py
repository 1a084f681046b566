"""The NumPy target of a computation: equations written by hand, their code against PyTorch."""

import subprocess
import sys

import numpy as np
import pytest
import sympy
from sympy import Integer

from bpderive.errors import UnsupportedError
from bpderive.targets.arrays import generate
from bpderive.targets.modules import module

torch = pytest.importorskip("torch")

from written_equations import computation  # noqa: E402
from written_networks import CASES  # noqa: E402 - it needs PyTorch


def drawn(made, rng, sizes):
    """Random arrays for what is given; sizes that are no numbers get some."""
    found = {}
    for g in made.given:
        shape = tuple(
            int(s.xreplace({t: Integer(5 if str(t) == "N" else 4) for t in s.free_symbols}))
            for s in g.sizes
        )
        tokens = g.role == "tokens"
        found[g.label] = rng.integers(sizes["V"], size=shape) if tokens else rng.normal(size=shape)
        if g.label == "y" and made.loss.equation.rhs.has(sympy.log):
            found[g.label] = rng.dirichlet(np.ones(shape[-1]), shape[:-1])
    return found


def generated(name):
    text, given, output, _, numbers, mean, sizes = CASES[name]
    made = computation(text, given, sizes, mean=mean, output=output, numbers=numbers, name=name)
    return made, generate(made)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", list(CASES))
def test_equals_torch(name, dtype):
    made, text = generated(name)
    found = module(text, name)
    rng = np.random.default_rng(3)
    arrays = {
        k: v if v.dtype.kind == "i" else v.astype(dtype)
        for k, v in drawn(made, rng, CASES[name][-1]).items()
    }
    params = {g.label: arrays[g.label] for g in made.given if g.role == "parameter"}
    rest = [
        arrays[g.label]
        for g in sorted(
            (g for g in made.given if g.role != "parameter"), key=lambda g: g.role == "target"
        )
    ]
    tensors = {k: torch.tensor(v, requires_grad=v.dtype.kind == "f") for k, v in arrays.items()}
    output, loss = CASES[name][3](**tensors)
    loss.backward()
    close = {"rtol": 1e-9, "atol": 1e-10} if dtype == np.float64 else {"rtol": 2e-3, "atol": 2e-4}
    targets = sum(g.role == "target" for g in made.given)
    mine = found.forward(params, *rest[: len(rest) - targets])
    np.testing.assert_allclose(mine, output.detach(), **close)
    value, grads = found.loss_and_grad(params, *rest)
    assert value == pytest.approx(loss.item(), rel=close["rtol"])
    assert found.loss(params, *rest) == value
    assert set(grads) == set(params)
    if any(label not in params for label, _ in made.gradients):
        grads = grads | found.input_grad(params, *rest)
    for label, _ in made.gradients:
        np.testing.assert_allclose(grads[label], tensors[label].grad, **close, err_msg=label)
        assert grads[label].dtype == dtype


# --- The module around the equations ---


def test_conv_of_a_window_longer_than_its_places():
    """The kernel is longer than the output: which axis is which does not change the values."""
    _, text = generated("conv")
    assert "x_windows" in text
    assert text.count("windows(x,") == 1  # copied once, for both passes


@pytest.mark.parametrize("name", list(CASES))
def test_text_is_linted_formatted_and_the_same_twice(name, tmp_path):
    _, text = generated(name)
    assert text == generated(name)[1]
    file = tmp_path / "network.py"
    file.write_text(text, encoding="utf-8")
    for command in (["check", "--select", "E,F,W"], ["format", "--check", "--line-length", "88"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "--line-length=100", str(file)]
            if command[0] == "check"
            else [sys.executable, "-m", "ruff", *command, "--isolated", str(file)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["conv", "embedding", "lstm", "maxpool", "squeeze"])
def test_its_own_check_passes(name, capsys):
    _, text = generated(name)
    assert module(text, name).main() == 0
    assert "passed" in capsys.readouterr().out


def test_its_own_check_sees_a_wrong_gradient():
    _, text = generated("lstm")
    wrong = text.replace("delta_z[:, t, 0] = delta_c[:, t]", "delta_z[:, t, 0] = -delta_c[:, t]")
    assert wrong != text
    error, _, _ = module(wrong, "lstm").check(np.random.default_rng(0))
    assert error > 1e-3


def test_training_lowers_the_loss():
    found = module(generated("embedding")[1], "embedding")
    rng = np.random.default_rng(1)
    params = found.init(rng)
    x, y = rng.integers(7, size=(40, 6)), np.eye(4)[rng.integers(4, size=40)]
    _, history = found.train(params, x, y, epochs=20, lr=0.05, optimizer="adam")
    assert history[-1] < 0.9 * history[0]


def test_gates_are_one_product():
    _, text = generated("lstm")
    assert text.count("@ U.reshape(") == 2  # one each way
    assert "U = np.stack(" in text


def test_sizes_without_numbers_are_asked_for():
    found = module(generated("squeeze")[1], "squeeze")
    with pytest.raises(ValueError, match="sizes must have a number for C"):
        found.init(np.random.default_rng(0), {"H": 2})
    params = found.init(np.random.default_rng(0), {"H": 2, "C": 3})
    x = np.ones((5, 4, 6))
    with pytest.raises(ValueError, match=r"x must have shape \(N, C, T\) = \(5, 3, 6\)"):
        found.loss(params, x, x)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x + 7, "x must hold whole numbers from 0 to 6"),
        (lambda x: x - 1, "x must hold whole numbers from 0 to 6"),
        (lambda x: x + 0.5, "x must hold whole numbers"),
        (lambda x: x[0], r"x must have shape \(N, T\)"),
    ],
)
def test_wrong_tokens(change, message):
    found = module(generated("embedding")[1], "embedding")
    params = found.init(np.random.default_rng(0))
    with pytest.raises(ValueError, match=message):
        found.forward(params, change(np.zeros((2, 5), int)))


def test_wrong_parameters():
    found = module(generated("rnn")[1], "rnn")
    params = found.init(np.random.default_rng(0))
    x, y = np.ones((3, 4, 2)), np.ones((3, 2))
    with pytest.raises(ValueError, match="missing b1, unknown none"):
        found.loss_and_grad({k: v for k, v in params.items() if k != "b1"}, x, y)
    with pytest.raises(ValueError, match=r"w1 must have shape \(3, 2\), got \(2, 3\)"):
        found.loss_and_grad({**params, "w1": params["w1"].T}, x, y)


UNKNOWN = """
    z1[n,i] = x[n,i]*mystery(x[n,i])
    loss S = sum(n, i, (z1[n,i] - y[n,i])**2)
"""


def test_what_has_no_form_is_named():
    made = computation(UNKNOWN, ("input x[n,i]", "target y[n,i]"), {"I": 3}, output="z1")
    with pytest.raises(UnsupportedError, match=r"equation \(1\), of z1: .*mystery"):
        generate(made)


def test_positions_that_are_not_affine():
    """Every second element twice, and what lies beyond the end is zero."""
    text = """
    z1[n,i] = x[n,floor((i+1)/2)+2]
    loss S = sum(n, i, (z1[n,i] - y[n,i])**2)
    """
    made = computation(text, ("input x[n,j]", "target y[n,i]"), {"I": 6, "J": 4}, output="z1")
    x = np.arange(1.0, 9.0).reshape(2, 4)
    expected = x[:, [2, 2, 3, 3, 3, 3]] * [1, 1, 1, 1, 0, 0]
    found = module(generate(made), "z1").forward({}, x)
    np.testing.assert_array_equal(found, expected)


def test_stopped_parts_have_no_check_by_differences():
    text = """
    z1[n,i] = w1[i]*fixed(w1[i]*x[n,i])
    loss S = sum(n, i, (z1[n,i] - y[n,i])**2)
    dw1[i] = sum(n, 2*(z1[n,i] - y[n,i])*w1[i]*x[n,i])
    gradient w1 dw1
    """
    given = ("input x[n,i]", "parameter w1[i]", "target y[n,i]")
    found = module(generate(computation(text, given, {"I": 3}, output="z1")), "stopped")
    assert not hasattr(found, "check")
    assert "taken as a constant" in found.__doc__
    x, y, w = np.ones((2, 3)), np.zeros((2, 3)), np.array([1.0, 2.0, 3.0])
    _, grads = found.loss_and_grad({"w1": w}, x, y)
    np.testing.assert_allclose(grads["w1"], 2 * 2 * w**3)
