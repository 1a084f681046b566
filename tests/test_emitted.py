"""The pytest file beside generated Python code: it passes, and fails on a planted mistake."""

import re
import subprocess
import sys
from functools import cache

import pytest
from generated import FORMULAS, LOSSES

import bpderive
from bpderive.catalog import CATALOG
from bpderive.weights import ORDERS

TARGETS = ("numpy", "numpy-inplace", "python", "array-api")
SYMBOLIC = ("numpy", "array-api")
OUTPUTS = {"real": "linear", "unit": "sigmoid", "positive": "softplus"}
PROBABILITIES = ("cross_entropy", "kl_divergence")
HIDDEN = [row.name for row in CATALOG.activations]
NETWORKS = {
    f"{name}_{k}": {
        "layers": f"3,4:{HIDDEN[2 * k % len(HIDDEN)]},4:{HIDDEN[(2 * k + 1) % len(HIDDEN)]},2",
        "loss": name,
        "output_activation": "softmax" if name in PROBABILITIES else OUTPUTS[row.domain],
        "bias": k % 3 > 0,
        "reduction": ("mean", "sum")[k % 2],
        "weights": ORDERS[k % 3 // 2],
    }
    for k, (name, row) in enumerate(LOSSES.items())
} | {
    "one-layer": {"layers": "1,1"},
    "formula": {"layers": "3,4,2", "activation": FORMULAS[5], "loss": "(a-y)**2/(1+(a-y)**2)"},
    "some 'values'": {"layers": "3,4,2", "loss": "log(a)**2 - y", "bias": True},
    'a "gradient"': {"layers": "3,4,2", "activation": "sqrt(z)", "output_activation": "relu"},
    "réseau\\": {"layers": "2,3*60,1", "bias": True, "output_activation": "relu"},
    "a-name-that-is-as-long-as-a-line-of-text-and-goes-on-for-a-while": {"layers": "2,70,9"},
}
UNNAMED = {"sizes": {"layers": "n0,3,n1,n0", "bias": True}, "size": {"layers": "n,n"}}
UNNAMED["input"] = {"layers": "n0,n1,2", "weights": "input_first", "bias": True}
SQUARE = {"layers": "3,3,3,3", "bias": True}
GRADIENT = "test_the_gradient_is_that_of_the_loss[0]"
MISTAKES = [
    ("numpy", r"a3 - y", "y - a3", GRADIENT),
    ("numpy", r"dW2 = ", "dW2 = 2 * ", GRADIENT),
    ("numpy", r'delta2 @ params\["W2"\]', 'delta2 @ params["W2"].T', GRADIENT),
    ("numpy", r"db1 = (.*) / n", r"db1 = \1", GRADIENT),
    ("numpy", r"dW1 = ", "dW1 = float('nan') * ", GRADIENT),
    ("numpy", r"db1 = ", "db1 = 1e300 * ", GRADIENT),
    ("numpy", r'"b1": db1', '"b1": db1[np.newaxis]', "test_the_gradient_has_the_shapes"),
    ("numpy", r"    return L, grads", "    return 2 * L, grads", "test_the_two_losses_are_one"),
    ("numpy", r"(    delta3 = .*)", r"\1\n    x *= 1.5", "test_inputs_are_not_modified"),
    ("numpy", r"delta3 = a3 - y", "delta3 = a3 - y[::-1]", "test_a_batch_is_the_mean"),
    ("numpy", r"if y\.shape != shape", "if False", "test_wrong_shapes_are_refused[y-size3]"),
    ("numpy", r"keys != SHAPES\.keys\(\)", "False", "test_wrong_names_are_refused"),
    ("numpy", r"- lr \*", "+ lr *", "test_a_step_goes_against_the_gradient"),
    ("numpy", r"default_rng\(seed\)", "default_rng()", "test_training_is_repeatable[sgd]"),
    ("numpy", r"total / len\(x\)", "total", "test_an_epoch_in_one_batch_is_one_step"),
    ("numpy-inplace", r"multiply\(a3, scale", "multiply(a3, -scale", GRADIENT),
    ("numpy-inplace", r"dot\(a1, dW2\)", "dot(2 * a1, dW2)", GRADIENT),
    ("numpy-inplace", r"delta2\.dot\(W2, delta1\)", "delta2.dot(W2.T, delta1)", GRADIENT),
    ("numpy-inplace", r"        if copy:", "        if False:", "test_copies_outlive"),
    ("python", r"a3_2 - y_2", "y_2 - a3_2", GRADIENT),
    ("python", r"dW2_1_3 = ", "dW2_1_3 = 2.0 * ", GRADIENT),
    ("python", r"delta2_2 \* w2_2_1", "delta2_2 * w2_1_2", GRADIENT),
    ("python", r"/ len\(samples\) for slope", "for slope", GRADIENT),
    ("array-api", r"a3 - y", "y - a3", GRADIENT),
    ("array-api", r"dW2 = ", "dW2 = 0.5 * ", GRADIENT),
    ("array-api", r'delta2 @ params\["W2"\]', 'delta2 @ params["W2"].T', GRADIENT),
]
"""A target, what stands in its code and what is put there, and a test that finds it."""


def put(folder, name, target, layers, wrong=None, **options):
    """Write the code of a network and its test; the mistake is a pattern and a text."""
    made = bpderive.generate_files(derived(layers, **options), target, name=name, test=True)
    code, test = made
    if wrong:
        text, count = re.subn(*wrong, made[code])
        assert count, f"nothing is like {wrong[0]}"
        made[code] = text
    for file, text in made.items():
        (folder / file).write_text(text, encoding="utf-8")
    return test


@cache
def derived(layers, **options):
    return bpderive.derive(bpderive.network(layers, **options))


def run(*command, cwd):
    words = [sys.executable, "-I", "-m", *command]
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)


def check(*options, cwd):
    return run("pytest", "-q", "-W", "error", "-p", "no:cacheprovider", *options, cwd=cwd)


@pytest.fixture(scope="module")
def emitted(tmp_path_factory):
    """The code and tests of all networks, those of a target in a folder."""
    top = tmp_path_factory.mktemp("emitted")
    for target in TARGETS:
        folder = top / f"for-{target}"  # ruff takes a folder's name for a package's
        folder.mkdir()
        networks = NETWORKS | (UNNAMED if target in SYMBOLIC else {})
        for name, network in networks.items():
            put(folder, name, target, **network)
    return top


@pytest.mark.parametrize("target", TARGETS)
def test_the_code_passes(emitted, target):
    found = check("--tb=short", cwd=emitted / f"for-{target}")
    assert found.returncode == 0, found.stdout
    assert " skipped" not in found.stdout


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
def test_the_file_is_as_ruff_leaves_it(emitted, arguments):
    pytest.importorskip("ruff")
    files = [str(path) for path in emitted.glob("*/test_*.py")]
    found = run("ruff", *arguments, "--isolated", "--no-cache", *files, cwd=emitted)
    assert found.returncode == 0, found.stdout


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    """Which tests fail on which mistake, as pytest tells them."""
    folder = tmp_path_factory.mktemp("mistaken")
    for k, (target, right, wrong, _) in enumerate(MISTAKES):
        put(folder, f"mistake{k}", target, wrong=(right, wrong), **SQUARE)
    return check("--tb=no", "-rfE", cwd=folder).stdout


@pytest.mark.parametrize("k", range(len(MISTAKES)), ids=lambda k: "-".join(MISTAKES[k][::2]))
def test_a_mistake_is_found(failed, k):
    assert f"FAILED test_mistake{k}.py::{MISTAKES[k][-1]}" in failed


def test_a_wrong_gradient_is_told_by_its_place(tmp_path):
    put(tmp_path, "my-net", "python", wrong=("dW2_1_3 = ", "dW2_1_3 = 2.0 * "), **SQUARE)
    told = check(cwd=tmp_path).stdout
    assert re.search(r"W2\[0, 2\]: gradient \S+, by differences", told)
    assert re.search(r"all of W2: gradient", told)
    assert not re.search(r"W1\[.*: gradient", told)


def test_a_loss_that_is_nowhere_defined_is_told(tmp_path):
    put(tmp_path, "nowhere", "numpy", "2,2", loss="log(-1 - a**2) + y")
    found = check(cwd=tmp_path)
    assert found.returncode == 1
    assert "the loss has a gradient at hardly any of 10000 random samples" in found.stdout
