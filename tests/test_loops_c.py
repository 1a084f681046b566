"""C of networks of any layers: compiled without warnings, as PyTorch computes them."""

import ctypes
import re
import subprocess
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from loop_networks import CASES, NAMES, ODD, computation, odd, point, torch_gradients

from bpderive.targets.loops.file import header, source

STRICT = ("-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-O1")
DTYPES = {"double": "float64", "float": "float32"}


@cache
def texts(layers, **options):
    made = computation(layers, **options)
    return source(made, "net"), header(made, "net")


def build(folder, layers, *flags, **options):
    for suffix, text in zip("ch", texts(layers, **options), strict=True):
        (folder / f"net.{suffix}").write_text(text)
    command = ["gcc", *STRICT, *flags, "net.c", "-lm"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def compiled(folder, layers, dtype="double", **options):
    """The library, and the numbers of its header."""
    flags = ["-DBP_FLOAT"] * (dtype == "float")
    build(folder, layers, *flags, "-shared", "-fPIC", "-o", "net.so", **options)
    text = texts(layers, **options)[1]
    found = {k: int(v) for k, v in re.findall(r"#define BP_(\w+) (\d+)\b", text)}
    work = re.search(r"#define BP_WORK(?:\(n\))? (.*) /\*", text)[1].replace("(size_t)", "")
    return SimpleNamespace(
        library=ctypes.CDLL(str(folder / "net.so")),
        work=lambda n: np.full(eval(work, {"n": n}) + 1, np.nan, DTYPES[dtype]),  # noqa: S307
        at={k[3:]: v for k, v in found.items() if k.startswith("AT_")},
        numbers=found,
        dtype=DTYPES[dtype],
    )


def pointer(value):
    if isinstance(value, int):
        return ctypes.c_size_t(value)
    return None if value is None else value.ctypes.data_as(ctypes.c_void_p)


def call(net, name, *args):
    return getattr(net.library, name)(*map(pointer, args))


def arrays(net, params, given):
    flat = np.concatenate([np.ravel(params[key]) for key in net.at]).astype(net.dtype)
    kinds = {"i": np.int32, "f": net.dtype}
    return flat, [np.ascontiguousarray(v, kinds[v.dtype.kind]) for v in given.values()]


def run(net, params, given):
    """The status, the loss, the gradients and the output."""
    flat, rows = arrays(net, params, given)
    n, loss, grads = len(rows[-1]), np.zeros(1, net.dtype), np.full_like(flat, np.nan)
    work = net.work(n)
    work[-1] = 7
    status = call(net, "bp_loss_and_grad", flat, *rows, n, loss, grads, work)
    out = np.full(rows[-1].shape, np.nan, net.dtype)
    assert call(net, "bp_forward", flat, *rows[:-1], n, out, net.work(n)) == status
    again = np.zeros(1, net.dtype)
    assert call(net, "bp_loss", flat, *rows, n, again, net.work(n)) == status
    assert again == loss
    assert work[-1] == 7
    found = {
        k: grads[at : at + params[k].size].reshape(params[k].shape) for k, at in net.at.items()
    }
    return status, loss[0], found, out


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CASES)
def test_loss_and_gradients_are_those_of_pytorch(name, dtype, tmp_path):
    layers, forward = CASES[name]
    params, given = point(layers)
    value, grads, output = torch_gradients(forward, params, given)
    net = compiled(tmp_path, layers, dtype)
    status, loss, found, out = run(net, params, given)
    tolerance = {"double": 1e-10, "float": 2e-4}[dtype]
    assert status == 0
    assert loss == pytest.approx(value, rel=tolerance)
    np.testing.assert_allclose(out, output, rtol=tolerance, atol=tolerance)
    assert found.keys() == grads.keys()
    for key, grad in grads.items():
        scale = np.abs(grad).max()
        assert scale > 0, key
        np.testing.assert_allclose(found[key], grad, rtol=tolerance, atol=tolerance * max(scale, 1))


@pytest.mark.parametrize("name", CASES)
def test_the_check_of_the_gradient(name, tmp_path):
    """A gradient that is truncated is not that of the loss, and the program says so."""
    build(tmp_path, CASES[name][0], "-DBP_MAIN", "-o", "check", "-fsanitize=undefined,address")
    done = subprocess.run([tmp_path / "check"], capture_output=True, text=True, check=False)
    assert done.returncode == (name == "truncated"), done.stdout + done.stderr
    assert not done.stderr
    assert ("gradient check passed" in done.stdout) == (name != "truncated")


@pytest.mark.parametrize("name", ["cnn", "heads", "embedding"])
def test_the_check_in_single_precision(name, tmp_path):
    build(tmp_path, CASES[name][0], "-DBP_MAIN", "-DBP_FLOAT", "-o", "check")
    done = subprocess.run([tmp_path / "check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_everything_that_a_file_may_say(tmp_path):
    path = tmp_path / "odd.eq"
    path.write_text(ODD)
    layers = f"{path}(C=2,T=5)"
    params, given = point(layers)
    value, grads, output = torch_gradients(odd, params, given)
    status, loss, found, out = run(compiled(tmp_path, layers), params, given)
    assert status == 0
    assert loss == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(out, output, rtol=1e-10, atol=1e-10)
    for key, grad in grads.items():
        np.testing.assert_allclose(found[key], grad, rtol=1e-10, atol=1e-10)


def test_names_that_c_has_already(tmp_path):
    path = tmp_path / "names.eq"
    path.write_text(NAMES)
    build(tmp_path, f"{path}(C=2)", "-DBP_MAIN", "-o", "check")
    done = subprocess.run([tmp_path / "check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_large_numbers(tmp_path):
    layers = "2, dense(3):sigmoid, 3:softmax"
    net = compiled(tmp_path, layers, loss="cross_entropy")
    params, _ = point(layers)
    params = {key: np.full_like(value, 900.0) for key, value in params.items()}
    params["b2"] = np.array([0.0, 1000.0, -1000.0])
    given = {"x": np.array([[-3.0, 2.0], [3.0, -3.0]]), "y": np.array([[1.0, 0, 0], [0, 1.0, 0]])}
    status, loss, found, _ = run(net, params, given)
    assert status == 0
    assert loss == pytest.approx(500)
    np.testing.assert_allclose(found["b2"], [-0.5, 0.5, 0], atol=1e-9)


def test_what_is_wrong_is_told(tmp_path):
    layers = CASES["embedding"][0]
    net = compiled(tmp_path, layers)
    params, given = point(layers)
    flat, (x, y) = arrays(net, params, given)
    loss, grads = np.full(1, np.nan), np.full_like(flat, np.nan)
    net.library.bp_message.restype = ctypes.c_char_p

    def told(x, y, n, loss):
        status = call(net, "bp_loss_and_grad", flat, x, y, n, loss, grads, net.work(3))
        return net.library.bp_message(status).decode()

    assert told(None, y, 3, loss) == "a pointer is NULL"
    assert told(x, y, 3, None) == "a pointer is NULL"
    assert "no samples" in told(x, y, 0, loss)
    for token in (-1, 7):
        wrong = x.copy()
        wrong[2, 1] = token
        assert told(wrong, y, 3, loss) == "a token is out of range"
        assert told(wrong, y, 2, loss) == "all is well"
        grads[:] = np.nan
    assert np.isnan(grads).all()
    assert told(x, y, 3, loss) == "all is well"
    assert np.isfinite(grads).all()


def test_a_number_alone_is_no_whole_number(tmp_path):
    """`1 / 3` is 0 in C."""
    layers, options = "2, dense(3), 2", {"activation": "z*z + 1/3"}
    net = compiled(tmp_path, layers, **options)
    params, given = point(layers)
    rows = given["x"] @ params["w1"].T + params["b1"]
    expected = (rows**2 + 1 / 3) @ params["w2"].T + params["b2"]
    np.testing.assert_allclose(run(net, params, given)[3], expected, rtol=1e-12)


def test_optimizers(tmp_path):
    layers = CASES["norms"][0]
    net = compiled(tmp_path, layers)
    params, given = point(layers)
    flat, rows = arrays(net, params, given)
    seed = np.array([5], np.uint64)
    assert call(net, "bp_init", flat, 4, seed) == 0
    at, size = net.at["gamma2"], params["gamma2"].size
    assert (flat[at : at + size] == 1).all()
    assert (flat[net.at["b1"] :][: params["b1"].size] == 0).all()
    assert np.abs(flat[: params["w1"].size]).min() > 0
    losses = []
    for _ in range(30):
        loss, grads = np.zeros(1), np.zeros_like(flat)
        assert call(net, "bp_loss_and_grad", flat, *rows, 3, loss, grads, net.work(3)) == 0
        net.library.bp_step(pointer(flat), pointer(grads), ctypes.c_double(0.05))
        losses.append(loss[0])
    assert losses[-1] < losses[0] / 2
