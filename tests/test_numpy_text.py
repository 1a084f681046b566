"""The text of a generated NumPy module: its form, its types, and its check of itself."""

import subprocess
import sys

import numpy as np
import pytest
from generated import ACTIVATIONS, FORMULAS, load, module, source

from bpderive.catalog import CATALOG
from bpderive.derive import derive
from bpderive.errors import SpecError
from bpderive.network import build as lay_out
from bpderive.program import build as plan
from bpderive.spec import parse_spec
from bpderive.targets import generate

SAMPLE = {
    "default": ("2,2,2,1", {}),
    "one layer": ("3,2", {"output_activation": "softmax", "loss": "cross_entropy"}),
    "deep": ("2,4*1000,1", {"activation": "relu", "bias": True}),
    "symbolic": ("n0,5,n1,n0", {"loss": "mse", "bias": True}),
    "digits": ("784,128:relu,10", {"loss": "softmax_cross_entropy"}),
    "wide line": ("3,4,2", {"loss": "huber", "output_activation": "softmax"}),
    "sum": ("3,4,2", {"loss": "poisson", "output_activation": "exp", "reduction": "sum"}),
    "all": ("3," + ",".join(f"{k}:{name}" for k, name in enumerate(ACTIVATIONS, 3)), {}),
    **{
        f"formula {k}": ("3,4,2", {"activation": formula, "loss": "(a-y)**2/(1+(a-y)**2)"})
        for k, formula in enumerate(FORMULAS)
    },
}


@pytest.fixture(scope="module", params=["numpy", "numpy-inplace"])
def files(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated")
    for name, (layers, options) in SAMPLE.items():
        if request.param == "numpy" or "n0" not in layers:
            path = folder / f"{name.replace(' ', '_')}.py"
            path.write_text(source(layers, target=request.param, **options), encoding="utf-8")
    return folder


def run(*command, cwd):
    return subprocess.run(
        [sys.executable, *command], cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("format", "--diff"),
        ("check",),
        ("check", "--select=E,F,W,I,UP,B,SIM,RUF,C4,RET,PIE,PERF"),
        ("check", "--select=D", "--config=lint.pydocstyle.convention='google'"),
    ],
    ids=" ".join,
)
def test_the_module_is_as_ruff_leaves_it(files, arguments):
    pytest.importorskip("ruff")
    found = run("-m", "ruff", *arguments, "--isolated", "--no-cache", ".", cwd=files)
    assert found.returncode == 0, found.stdout


@pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.0.0", reason="NumPy 1 types every sum as a bool"
)
def test_the_module_has_types(files):
    pytest.importorskip("mypy")
    names = [path.name for path in files.iterdir() if path.suffix == ".py"]
    flags = ("--strict", "--config-file=", "--cache-dir=.mypy", "--no-error-summary")
    found = run("-m", "mypy", *flags, *names, cwd=files)
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("name", [name for name in SAMPLE if name != "deep"])
def test_the_module_passes_its_own_check(name, capsys):
    layers, options = SAMPLE[name]
    assert module(layers, **options).main() == 0
    assert capsys.readouterr().out.startswith("gradient check passed: largest relative error ")


def test_the_file_runs_its_check(files):
    found = run("default.py", cwd=files)
    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith("gradient check passed: largest relative error ")
    assert found.stdout.count("\n") == 1


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("* a1 * (1 - a1)", "* a1 * (1 + a1)"),
        ("* a1 * (1 - a1)", ""),
        ("delta1.T / n", "delta1.T"),
        ("delta3 = a3 - y", "delta3 = y - a3"),
        ("delta3 = a3 - y", "delta3 = (a3 - y) * (1 + 1e-5)"),
        ('"W1": dW1', '"W1": dW1.T'),
        ("dW3 = delta3.T / n @ a2", "dW3 = delta3.T / n @ a2 * np.nan"),
    ],
)
def test_the_check_finds_a_wrong_gradient(right, wrong, capsys):
    text = source("2,2,2,1")
    assert right in text
    assert load(text.replace(right, wrong)).main() == 1
    assert capsys.readouterr().out.startswith("gradient check FAILED: ")


def test_the_check_leaves_out_what_crosses_a_kink():
    text = source("3,40,2", activation="relu")
    near = text.replace("1e-5)", "0.5)").replace("5e-6)", "0.25)")
    assert near != text
    error, compared, left_out = load(near).check(np.random.default_rng(0))
    assert error < 1e-6
    assert compared
    assert left_out


# --- The text ---


def test_lines_carry_names_numbers_and_shapes():
    text = source("2,2,2,1", bias=True)
    for line in (
        'z1 = x @ params["W1"].T + params["b1"]  # (1) (N, 2)',
        "a1 = sigmoid(z1)  # (2) (N, 2)",
        "L = 0.5 * np.sum((a3 - y) ** 2) / len(y)  # (7)",
        "delta3 = a3 - y  # (8) (N, 1)",
        "db3 = delta3.sum(axis=0) / n  # (10) (1,)",
        'delta1 = (delta2 @ params["W2"]) * a1 * (1 - a1)  # (14) (N, 2)',
    ):
        assert f"    {line}\n" in text


def test_the_same_network_has_the_same_text():
    command = (
        "from bpderive import *; print(generate(derive(network('3,4,2', loss='huber', "
        "activation='z*tanh(log(1+exp(z)))', bias=True)), 'numpy'), end='')"
    )
    options = {"loss": "huber", "activation": "z*tanh(log(1+exp(z)))", "bias": True}
    found = run("-c", command, cwd=".")
    assert found.stdout == source("3,4,2", **options), found.stderr


def test_helpers_are_there_only_where_they_are_used():
    assert "def " + "sigmoid" not in source("2,2,1", activation="tanh")
    assert "def erf" not in source("2,2,1")
    assert source("2,2,1", activation="gelu").count("def erf") == 1


def test_conventions_at_kinks_are_told():
    assert "relu'(0) = 0." in source("2,2,1", activation="relu")
    assert "hinge is 0 at a = 1/y" in source("2,2,1", loss="hinge")
    assert "kink" not in source("2,2,1").partition("import")[0]


def test_unknown_target():
    program = plan(derive(lay_out(parse_spec("2,1"), CATALOG)))
    with pytest.raises(SpecError, match=r'unknown target "nmpy" \(did you mean "numpy"\?\)'):
        generate(program, "nmpy")
