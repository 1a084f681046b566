"""`bpderive flow` on somebody's model, at its own weights: against PyTorch's gradients."""

import warnings

import pytest

from bpderive.cli import main
from bpderive.findings import model

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

TEXT = """
import torch
from torch import nn

torch.manual_seed(0)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 6))

    def forward(self, x):
        return x + self.inner(x)


deep = nn.Sequential(
    nn.Linear(5, 8), *(m for _ in range(9) for m in (nn.Sigmoid(), nn.Linear(8, 8))), nn.Sigmoid(),
    nn.Linear(8, 2),
)
shallow = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 2))
residual = nn.Sequential(nn.Linear(4, 6), Block(), Block(), nn.Linear(6, 1))
"""


@pytest.fixture
def models(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(TEXT)
    found = {}
    exec(TEXT, found)  # noqa: S102 - the text above
    return found


@pytest.mark.parametrize(
    ("name", "code", "word"),
    [("deep", 1, "vanishing"), ("shallow", 0, "No gradients vanish or explode")],
)
@pytest.mark.usefixtures("models")
def test_a_check_of_a_model(capsys, name, code, word):
    assert main(["flow", f"net.py:{name}", "--check"]) == code
    assert word in capsys.readouterr().out


@pytest.mark.parametrize("name", ["deep", "shallow", "residual"])
def test_gradients_are_those_of_pytorch(models, name):
    """Of as many random samples: their root mean squares differ by sampling alone."""
    import bpderive

    read = bpderive.from_torch(f"net.py:{name}")
    derivation = bpderive.derive(bpderive.network(read.spec))
    ours = model(derivation, read.weights, inputs=800).measurement
    net = models[name].double()
    matrices = [p for p in net.parameters() if p.ndim == 2]
    squares = [0.0] * len(matrices)
    generator = torch.Generator().manual_seed(1)
    outputs, inputs = matrices[-1].shape[0], matrices[0].shape[1]
    for _ in range(800):
        x, y = (torch.randn(n, generator=generator, dtype=torch.double) for n in (inputs, outputs))
        net.zero_grad()
        (0.5 * ((net(x) - y) ** 2).sum()).backward()
        squares = [s + float((p.grad**2).mean()) for s, p in zip(squares, matrices, strict=True)]
    theirs = [(s / 800) ** 0.5 for s in squares]
    assert [one.rms for one in ours.spreads] == pytest.approx(theirs, rel=0.2)


def test_a_model_of_onnx(models, capsys):
    pytest.importorskip("onnx")
    x = torch.zeros(1, 5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(models["deep"].eval(), (x,), "deep.onnx", opset_version=17, dynamo=False)
    capsys.readouterr()
    assert main(["flow", "deep.onnx", "--check"]) == 1
    assert "vanishing" in capsys.readouterr().out
