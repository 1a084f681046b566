"""The text of a generated array API module: its form, its types, and its check of itself."""

import subprocess
import sys
from random import Random

import pytest
from array_libraries import LIBRARIES, each_library, module, source
from generated import ACTIVATIONS, FORMULAS, load

lib = pytest.fixture(each_library, params=LIBRARIES)


SAMPLE = {
    "default": ("2,2,2,1", {}),
    "one layer": ("3,2", {"output_activation": "softmax", "loss": "cross_entropy"}),
    "deep": ("2,4*1000,1", {"activation": "relu", "bias": True}),
    "symbolic": ("n0,5,n1,n0", {"loss": "mse", "bias": True}),
    "digits": ("784,128:relu,10", {"loss": "softmax_cross_entropy", "bias": True}),
    "wide line": ("3,4,2", {"loss": "huber", "output_activation": "softmax"}),
    "sum": ("3,4,2", {"loss": "poisson", "output_activation": "exp", "reduction": "sum"}),
    "hinge": ("3,4,2", {"loss": "hinge", "output_activation": "tanh"}),
    "counts": ("3,4,2", {"loss": "binary_cross_entropy", "output_activation": "sigmoid"}),
    "all": ("3," + ",".join(f"{k}:{name}" for k, name in enumerate(ACTIVATIONS, 3)), {}),
    **{
        f"formula {k}": ("3,4,2", {"activation": formula, "loss": "(a-y)**2/(1+(a-y)**2)"})
        for k, formula in enumerate(FORMULAS)
    },
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated")
    for name, (layers, options) in SAMPLE.items():
        path = folder / f"{name.replace(' ', '_')}.py"
        path.write_text(source(layers, **options), encoding="utf-8")
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


@pytest.mark.long
def test_the_check_runs_on_every_library(lib, capsys):
    assert module(bias=True, loss="softmax_cross_entropy").main(LIBRARIES[lib.name]) == 0
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
        ("delta1.T / n", "delta1.T"),
        ("delta3 = a3 - y", "delta3 = (a3 - y) * (1 + 1e-5)"),
        ("dW3 = delta3.T / n @ a2", "dW3 = delta3.T / n @ a2 * math.nan"),
    ],
)
def test_the_check_finds_a_wrong_gradient(right, wrong, capsys):
    text = source("2,2,2,1")
    assert right in text
    assert load(text.replace(right, wrong)).main() == 1
    assert capsys.readouterr().out.startswith("gradient check FAILED: ")


def test_the_check_needs_float64():
    jax = pytest.importorskip("jax")
    told = pytest.warns(UserWarning, match="float64")
    refused = pytest.raises(ValueError, match="the check needs float64")
    with jax.enable_x64(False), told, refused:
        module().check(Random(0), jax.numpy)


def test_lines_carry_names_numbers_and_shapes():
    text = source("2,2:relu,2,1", bias=True)
    for line in (
        'z1 = x @ params["W1"].T + params["b1"]  # (1) (N, 2)',
        "a1 = xp.clip(z1, 0, None)  # (2) (N, 2)",
        "L: Array = 0.5 * xp.sum((a3 - y) ** 2) / y.shape[0]  # (7)",
        "delta3 = a3 - y  # (8) (N, 1)",
        "db3 = xp.sum(delta3, axis=0) / n  # (10) (1,)",
        'delta1 = xp.where(z1 > 0, delta2 @ params["W2"], 0)  # (14) (N, 2)',
    ):
        assert f"    {line}\n" in text


def test_helpers_are_there_only_where_they_are_used():
    assert "def " + "sigmoid" not in source("2,2,1", activation="tanh")
    assert "def row_max" not in source("2,2,1")
    assert source("2,2,1", activation="gelu").count("def erf") == 1
