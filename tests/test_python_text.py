"""The text of a generated module of plain Python: its form, its types, its check of itself."""

import subprocess
import sys
from itertools import pairwise
from random import Random

import pytest
from generated import FORMULAS, load
from plain_python import FORMS, python, source

WIDE = {"loss": "huber", "output_activation": "softmax"}
SAMPLE = {
    "default": ("2,2,2,1", "unrolled", {}),
    "wide": ("3,4,2", "unrolled", {"bias": True, **WIDE}),
    "formula": (
        "3,4,2",
        "unrolled",
        {"activation": FORMULAS[5], "loss": "(a-y)**2/(1+(a-y)**2)", "reduction": "sum"},
    ),
    "looped": (
        "30,20:elu,9:gelu,5:softmax,3",
        "looped",
        {"loss": "softmax_cross_entropy", "bias": True},
    ),
    "loops": ("30,20,3", "looped", {"activation": FORMULAS[5], **WIDE}),
    "deep": ("2,4*400,1", "looped", {"activation": "relu", "output_activation": "exp"}),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated")
    for name, (layers, form, options) in SAMPLE.items():
        text = source(layers, form, **options)
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
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
    flags = ("--strict", "--config-file=", "--cache-dir=.mypy", "--no-error-summary")
    names = [f"{name}.py" for name in SAMPLE]
    found = run("-m", "mypy", *flags, *names, cwd=files)
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("name", [name for name in SAMPLE if name != "deep"])
def test_the_file_needs_the_standard_library_alone(files, name):
    found = run("-I", "-S", "-W", "error", f"{name}.py", cwd=files)
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stdout.startswith("gradient check passed: largest relative error ")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("a1_{} * (1.0 - a1_{})", "a1_{} * (1.0 + a1_{})"),
        ("delta3_{} = a3_{} - y_{}", "delta3_{} = y_{} - a3_{}"),
    ],
)
def test_the_check_finds_a_wrong_gradient(form, right, wrong, capsys):
    text = source("2,2,2,1", form)
    index = "i" if form == "looped" else "1"
    swaps = [line.replace("{}", index) for line in (right, wrong)]
    if form == "looped":
        swaps = [line.partition(" = ")[2] or line for line in swaps]
    assert swaps[0] in text
    assert load(text.replace(*swaps)).main() == 1
    assert capsys.readouterr().out.startswith("gradient check FAILED: ")


def test_the_check_finds_a_gradient_that_is_no_number():
    text = source("2,2,2,1").replace("dW3_1_1 = delta3_1", "dW3_1_1 = math.nan * delta3_1")
    assert load(text).main() == 1


def test_the_check_leaves_out_what_crosses_a_kink():
    text = source("3,10,2", activation="relu")
    near = text.replace("1e-5)", "0.5)").replace("5e-6)", "0.25)")
    assert near != text
    error, compared, left_out = load(near).check(Random(0))
    assert error < 1e-6
    assert compared
    assert left_out


def test_lines_carry_names_numbers_and_shapes():
    text = source("2,2,2,1", bias=True)
    for line in (
        "z1_1 = w1_1_1 * x_1 + w1_1_2 * x_2 + b1_1  # (1)",
        "a1_2 = 0.0 if z1_2 < -709.0 else 1.0 / (1.0 + math.exp(-z1_2))  # (2)",
        "delta3_1 = a3_1 - y_1  # (8)",
        "dW3_1_2 = delta3_1 * a2_2  # (9)",
        "delta2_2 = delta3_1 * w3_1_2 * a2_2 * (1.0 - a2_2)  # (11)",
        "db1_1 = delta1_1  # (16)",
    ):
        assert f"    {line}\n" in text
    text = source("30,20,3", activation="relu", bias=True)
    for line in (
        "a1 = [max(z1_i, 0.0) for z1_i in z1]  # (2) (20,)",
        "delta2 = [a2_i - y_i for a2_i, y_i in zip(a2, y, strict=True)]  # (6) (3,)",
        'add_outer(grads["W1"], delta1, x)  # (10) (20, 30)',
        'add_row(grads["b1"], delta1)  # (11) (20,)',
    ):
        assert f"    {line}\n" in text


def test_the_same_network_has_the_same_text():
    command = (
        "from bpderive import derive, network; from bpderive.program import build; "
        "from bpderive.targets.python import generate; print(generate(build(derive(network("
        "'3,4,2', loss='huber', activation='z*tanh(log(1+exp(z)))', bias=True)))), end='')"
    )
    options = {"loss": "huber", "activation": "z*tanh(log(1+exp(z)))", "bias": True}
    found = run("-c", command, cwd=".")
    assert found.stdout == source("3,4,2", **options), found.stderr


def test_helpers_are_there_only_where_they_are_used():
    assert "def exp(" not in source("2,2,1", activation="elu")
    assert "def sigmoid(" not in source("2,2,1")
    assert "def exp(" in source("2,2,1", activation="exp")
    assert source("2,2,1", activation="silu").count("def sigmoid(") == 1


def test_layers_are_told_shortly():
    for layers, expected in (
        ("2,2,1", "(2, 2, 1)"),
        ("2,4*9,1", "(2, *(4,) * 9, 1)"),
        ("3,3*5", "(*(3,) * 6,)"),
    ):
        assert f"LAYERS = {expected}\n" in source(layers)
        sizes = python(layers).LAYERS
        assert list(python(layers).SHAPES.values()) == [(n, m) for m, n in pairwise(sizes)]
