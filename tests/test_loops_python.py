"""Plain Python of networks of any layers: as PyTorch computes them."""

import os
import subprocess
import sys
from functools import cache, partial

import numpy as np
import pytest
from generated import ACTIVATIONS, LOSSES, labels, load
from generated import module as dense
from loop_networks import CASES, NAMES, ODD, computation, odd, point, torch_gradients

from bpderive.errors import SpecError, UnsupportedError
from bpderive.targets import LAYERED, TARGETS, files, generate


@cache
def text(layers, **options):
    return generate(computation(layers, **options), "python")


@cache
def module(layers, **options):
    return load(text(layers, **options))


RULES = ["--select", "E,F,W,I,UP,B,SIM,RET,C4", "--ignore", "E741", "--line-length", "88"]


def listed(arrays):
    return {key: value.tolist() for key, value in arrays.items()}


def agree(found, expected, tolerance=1e-10):
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", CASES)
def test_loss_and_gradients_are_those_of_pytorch(name):
    layers, forward = CASES[name]
    params, given = point(layers)
    value, grads, output = torch_gradients(forward, params, given)
    network, arguments = module(layers), [v.tolist() for v in given.values()]
    found, slopes = network.loss_and_grad(listed(params), *arguments)
    assert found == pytest.approx(value, rel=1e-12)
    assert network.loss(listed(params), *arguments) == found
    agree(network.forward(listed(params), *arguments[:-1]), output)
    assert slopes.keys() == params.keys()
    for key, grad in grads.items():
        agree(slopes[key], grad)
        assert np.abs(grad).max() > 0, key


def test_everything_that_a_file_may_say(tmp_path):
    path = tmp_path / "odd.eq"
    path.write_text(ODD)
    layers = f"{path}(C=2,T=5)"
    params, given = point(layers)
    value, grads, output = torch_gradients(odd, params, given)
    network, arguments = module(layers), [v.tolist() for v in given.values()]
    found, slopes = network.loss_and_grad(listed(params), *arguments)
    assert found == pytest.approx(value, rel=1e-12)
    agree(network.forward(listed(params), *arguments[:-1]), output)
    for key, grad in grads.items():
        agree(slopes[key], grad)


# --- Against the dense target ---


def same(layers, stacked, loss, **options):
    """A network of dense layers is the same as one of any layers."""
    other, network = dense(layers, loss=loss, bias=True, **options), module(stacked, loss=loss)
    rng = np.random.default_rng(3)
    params = {k: rng.normal(0, 0.6, shape) for k, shape in other.SHAPES.items()}
    x = rng.normal(size=(4, other.LAYERS[0]))
    y = labels(rng, LOSSES[loss].label, 4, other.LAYERS[-1])
    names = dict(zip(params, network.SHAPES, strict=True))
    own = {names[key]: value.tolist() for key, value in params.items()}
    value, grads = other.loss_and_grad(params, x, y)
    found, slopes = network.loss_and_grad(own, x.tolist(), y.tolist())
    assert found == pytest.approx(value, rel=1e-11)
    for key, grad in grads.items():
        agree(slopes[names[key]], grad, 1e-9)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation(name):
    same(
        f"3,4:{name},2",
        f"3, dense(4):{name}, 2",
        "half_squared_error",
    )


OUTPUTS = {"real": ("linear", "tanh"), "unit": ("sigmoid", "softmax"), "positive": ("exp",)}
PAIRS = [
    (output, row.name)
    for row in LOSSES.values()
    for output in OUTPUTS[row.domain]
    if output not in dict(row.refuses)
]


@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_every_loss(output, loss):
    same(f"3,4:tanh,2:{output}", f"3, dense(4):tanh, 2:{output}", loss)


def test_large_numbers():
    """Neither a softmax nor its logarithm overflows, and no sigmoid."""
    network = module("2, dense(3):sigmoid, 3:softmax", loss="cross_entropy")
    params = {k: (np.ones(s) * 900).tolist() for k, s in network.SHAPES.items()}
    x, y = [[-3.0, 2.0], [3.0, -3.0]], [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    params["b2"] = [0.0, 1000.0, -1000.0]
    assert network.loss(params, x, y) == pytest.approx(500)
    params["b2"] = [0.0, 600.0, -1000.0]
    _, grads = network.loss_and_grad(params, x, y)
    agree(grads["b2"], [-0.5, 0.5, 0.0], 1e-6)


# --- What is refused ---


def test_targets_that_have_dense_layers_only():
    made = computation("3x5, conv(2,3), flatten, 1")
    for target in set(TARGETS) - set(LAYERED):
        with pytest.raises(UnsupportedError, match=r"dense layers only.*numpy, python, c"):
            generate(made, target)
    with pytest.raises(SpecError, match="unknown target"):
        generate(made, "pyton")


@pytest.mark.parametrize("target", ["python", "c"])
def test_sizes_must_be_numbers(target, tmp_path):
    path = tmp_path / "odd.eq"
    path.write_text(ODD)
    with pytest.raises(UnsupportedError, match=r"sizes as numbers.*C, T.*file\.eq\(H=4\)"):
        generate(computation(str(path)), target)


def arguments(layers, **options):
    params, given = point(layers, **options)
    return listed(params), [v.tolist() for v in given.values()]


def test_what_is_wrong_is_told():
    layers = CASES["embedding"][0]
    network, (params, (x, y)) = module(layers), arguments(layers)
    for wrong, message in (
        ((params, x[:-1], y), r"y must have shape \(N, 2\), got \(3, 2\)"),
        ((params, [row[:-1] for row in x], y), r"x must have shape \(N, 4\)"),
        ((params, [[7] * 4] * 3, y), "x must hold whole numbers from 0 to 6"),
        ((params, [[1.0] * 4] * 3, y), "x must hold whole numbers"),
        ((params, x, [["a", 0.0]] * 3), "y must hold real numbers"),
        ((params, [], []), "there are no samples"),
        (({**params, "w2": [1.0]}, x, y), r"params w2 must have shape \(5, 3\)"),
        (({"w2": [1.0]}, x, y), "keys of params: missing E1"),
    ):
        with pytest.raises(ValueError, match=message):
            network.loss_and_grad(*wrong)
    summed = module(layers, reduction="sum")
    assert summed.loss(params, [], []) == 0


# --- The module as a whole ---


@pytest.mark.parametrize("name", ["cnn", "embedding", "dropout", "heads", "lstm"])
def test_training_lowers_the_loss(name):
    layers = CASES[name][0]
    network, (params, given) = module(layers), arguments(layers)
    for optimizer, lr in (("sgd", 0.02), ("momentum", 0.01), ("adam", 0.02)):
        new, history = network.train(
            params, *given, epochs=15, batch=2, lr=lr, optimizer=optimizer, decay=1e-4
        )
        assert history[-1] < history[0]
        assert network.loss(new, *given) < network.loss(params, *given)
    assert network.unflatten(network.flatten(params)) == params


@pytest.mark.parametrize("name", CASES)
def test_the_check_of_the_gradient(name, capsys):
    """A gradient that is truncated is not that of the loss, and the module says so."""
    network = module(CASES[name][0])
    status = network.main()
    assert status == (name == "truncated")
    assert ("FAILED" in capsys.readouterr().out) == (name == "truncated")
    assert ("takes as a constant" in " ".join(network.__doc__.split())) == (name == "truncated")


@pytest.mark.parametrize("name", CASES)
def test_the_text_is_as_ruff_leaves_it(name, tmp_path):
    path = tmp_path / "net.py"
    path.write_text(text(CASES[name][0]))
    for command in (["format", "--check", "--line-length", "88"], ["check", *RULES]):
        ruff = [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", str(path)]
        done = subprocess.run(ruff, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_text_is_always_the_same():
    layers = CASES["transformer"][0]
    assert text(layers) == generate(computation.__wrapped__(layers), "python")


def depth(layers, label):
    """How deep loops are nested where a tensor is made."""
    lines = text(layers).splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith(f"    {label} = zeros("))
    deepest = 0
    for line in lines[start + 1 :]:
        indent = (len(line) - len(line.lstrip())) // 4
        if indent == 1 and not line.startswith("    for "):
            return deepest
        deepest = max(deepest, indent) if line.lstrip().startswith("for ") else deepest
    raise AssertionError(label)


@pytest.mark.parametrize(
    ("layers", "label", "deepest"),
    [
        ("5, 4, layernorm, 2", "delta1", 2),
        ("5, 4, batchnorm, 2", "delta1", 2),
        ("5, 4, rmsnorm, 2", "delta1", 2),
        ("5, 4, softmax, 2", "delta1", 2),
        ("seq(5)x3, attention, last, 2", "delta_u1", 3),
        ("seq(5)x3, attention, last, 2", "p1", 3),
        ("seq(4), embedding(7,3), last, 2", "dE1", 3),
    ],
)
def test_no_sum_is_worked_out_again_and_again(layers, label, deepest):
    assert depth(layers, label) == deepest


def test_names_that_python_has_already(tmp_path):
    path = tmp_path / "names.eq"
    path.write_text(NAMES)
    network = module(f"{path}(C=2)")
    assert network.main() == 0


@pytest.mark.parametrize("name", ["cnn", "embedding", "dropout", "softmaxes", "gru"])
@pytest.mark.parametrize("target", LAYERED)
def test_the_test_beside_the_code_passes_and_finds_a_mistake(name, target, tmp_path):
    written = files(computation(CASES[name][0]), target, "net", test=True)
    for file, content in written.items():
        (tmp_path / file).write_text(content)
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "test_net.py"]
    # kept bytecode would hide a mistake of the same length, made within the same second
    fresh = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    run = partial(subprocess.run, command, cwd=tmp_path, env=fresh, capture_output=True, text=True)
    done = run(check=False)
    assert done.returncode == 0, done.stdout
    code = tmp_path / next(iter(written))
    wrong = planted(code.read_text())
    assert wrong != code.read_text()
    code.write_text(wrong)
    done = run(check=False)
    assert done.returncode == 1, done.stdout


def planted(content):
    """The code with a mistake in the first derivative."""
    for sign in (" - y[", " - y  #", " - y\n"):
        if sign in content:
            head, _, tail = content.rpartition(sign)
            return head + sign.replace("-", "+") + tail
    raise AssertionError(content)


def test_a_truncated_gradient_has_no_test_against_differences():
    made = computation(CASES["truncated"][0])
    with pytest.raises(UnsupportedError, match="leaves out what goes through stop"):
        files(made, "python", test=True)
