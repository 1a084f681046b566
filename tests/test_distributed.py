"""The examples for several machines: on Dask arrays, and on a cluster of two local processes."""

import importlib.util
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import numpy as np
import pytest

da = pytest.importorskip("dask.array", reason="Dask is not installed: pip install bpderive[dask]")
distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")

EXAMPLES = Path(__file__).parents[1] / "examples"
pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the examples are not here")


def example(name):
    """An example as a module; its classes ask for it in `sys.modules`."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def arrays():
    return example("dask_arrays")


@pytest.fixture(scope="module")
def training():
    return example("dask_training")


@pytest.fixture(scope="module")
def client():
    options = {"processes": True, "threads_per_worker": 1, "dashboard_address": ":0"}
    with (
        distributed.LocalCluster(n_workers=2, silence_logs=50, **options) as cluster,
        distributed.Client(cluster) as found,
    ):
        yield found


# --- Arrays in chunks ---


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("chunk", [1, 40, 100, 1000])
def test_dask_arrays_equal_numpy(arrays, chunk, reduction):
    network = arrays.make_module(reduction=reduction)
    params = network.init(Random(1), xp=np)
    x, y = arrays.make_samples(101)
    value, grads = network.loss_and_grad(params, x, y)
    found, lazy = arrays.loss_and_grad(network, params, x, y, chunk)
    assert found == pytest.approx(float(value), rel=1e-13)
    assert {type(grad) for grad in lazy.values()} == {np.ndarray}
    assert arrays.largest_difference(lazy, grads) < 1e-13


def test_the_difference_is_relative_to_the_largest_element(arrays):
    one, other = {"a": np.array([4.0, 1.0]), "b": np.zeros(1)}, {"a": np.array([4.0, 2.0])}
    assert arrays.largest_difference({**other, "b": np.full(1, 3.0)}, one) == 0.75


def test_dask_arrays_on_workers(arrays, client):
    """The graph holds NumPy's functions alone: workers need nothing of ours."""
    network = arrays.make_module()
    params = network.init(Random(1), xp=np)
    x, y = arrays.make_samples(101)
    with client.as_current():
        found, lazy = arrays.loss_and_grad(network, params, x, y, 40)
    value, grads = network.loss_and_grad(params, x, y)
    assert found == pytest.approx(float(value), rel=1e-13)
    assert arrays.largest_difference(lazy, grads) < 1e-13
    assert client.run(lambda: "bpderive" in __import__("sys").modules) == dict.fromkeys(
        client.nthreads(), False
    )


# --- Training ---


def shards_of(training, sizes, seed=3):
    x, y = training.make_samples(sum(sizes), seed)
    at = np.cumsum(sizes)[:-1]
    return list(zip(np.split(x, at), np.split(y, at), strict=True)), (x, y)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_shards_of_unequal_sizes_equal_the_full_batch(training, client, reduction):
    network = training.install(client, training.make_code(reduction=reduction))
    start = network.init(np.random.default_rng(0))
    shards, samples = shards_of(training, (1, 70, 30, 2))
    rate = {"mean": 0.5, "sum": 0.005}[reduction]
    given = {"epochs": 4, "lr": rate, "reduction": reduction}
    found = list(training.train(client, network, start, shards, **given))
    expected = start
    for loss, params in found:
        assert loss == pytest.approx(network.loss(expected, *samples), rel=1e-12)
        expected = training.train_alone(network, expected, samples, epochs=1, lr=rate)
        for key, value in expected.items():
            np.testing.assert_allclose(params[key], value, rtol=1e-11, atol=1e-14)
    assert found[-1][0] < found[0][0]


def test_shards_are_spread_over_the_workers(training, client):
    shards, _ = shards_of(training, (1, 2, 3, 4))
    held = training.place(client, shards)
    futures = [future for pair in held for future in pair]
    distributed.wait(futures)
    assert {place for at in client.who_has(futures).values() for place in at} == set(
        client.nthreads()
    )


def test_means_are_weighted_by_the_sizes(training):
    parts = [(1.0, {"W1": np.ones(2)}), (4.0, {"W1": np.array([4.0, 10.0])})]
    loss, grads = training.combine(parts, (2, 1), "mean")
    assert loss == pytest.approx(2)
    np.testing.assert_allclose(grads["W1"], [2, 4])
    loss, grads = training.combine(parts, (2, 1), "sum")
    assert loss == 5
    np.testing.assert_allclose(grads["W1"], [5, 11])


def test_two_networks_do_not_meet(training, client):
    """A worker keeps both modules, each under a name of its own."""
    one = training.install(client, training.make_code())
    other = training.install(client, training.make_code("64,5,10"))
    assert one.__name__ != other.__name__
    for network in (one, other):
        start = network.init(np.random.default_rng(0))
        shards, samples = shards_of(training, (5, 6))
        [(loss, _)] = training.train(client, network, start, shards, epochs=1)
        assert loss == pytest.approx(network.loss(start, *samples))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes cannot be killed so")
@pytest.mark.parametrize("killed", [1, 2], ids=["one", "both"])
def test_lost_workers(training, client, killed):
    """Their shards are computed by others, or by those that the cluster starts instead."""
    network = training.install(client, training.make_code())
    start = network.init(np.random.default_rng(0))
    shards, samples = shards_of(training, (30, 71, 52))
    epochs = training.train(client, network, start, shards, epochs=4)
    next(epochs)
    processes = list(client.run(os.getpid).values())
    for process in processes[:killed]:
        os.kill(process, signal.SIGKILL)
    *_, (_, params) = epochs
    assert not set(processes[:killed]) & set(client.run(os.getpid).values())
    expected = training.train_alone(network, start, samples, epochs=4)
    for key, value in expected.items():
        np.testing.assert_allclose(params[key], value, rtol=1e-11, atol=1e-14)


def test_a_scheduler_without_workers_is_told(training, monkeypatch, capsys):
    monkeypatch.setattr(training, "WAIT", 0.2)
    options = {"dashboard_address": ":0", "silence_logs": 50}
    with distributed.LocalCluster(n_workers=0, **options) as cluster:
        assert training.main(["--scheduler", cluster.scheduler_address, "--samples", "9"]) == 2
    assert capsys.readouterr().err == "no worker came in 0.2 seconds\n"


# --- The commands ---


@pytest.mark.parametrize("name", ["dask_arrays", "dask_training"])
@pytest.mark.parametrize("address", ["nonsense", "tcp://127.0.0.1:1"])
def test_a_scheduler_that_does_not_answer_is_told(name, address, request, monkeypatch, capsys):
    module = request.getfixturevalue(name.removeprefix("dask_"))
    client = module.Client
    monkeypatch.setattr(module, "Client", lambda where, **_: client(where, timeout="0.3s"))
    assert module.main(["--scheduler", address]) == 2
    assert capsys.readouterr().err.startswith(f"no Dask scheduler at {address}: ")


@pytest.mark.parametrize(
    "words", ["--epochs 0", "--shards 0", "--samples 2 --shards 3", "--seed -1", "--epochs x"]
)
def test_wrong_options_are_told(training, words, capsys):
    with pytest.raises(SystemExit) as stop:
        training.main(words.split())
    assert stop.value.code == 2
    assert words.split()[0] in capsys.readouterr().err.replace("samples", "--samples")


def test_the_commands_run(training, client, arrays, capsys):
    address = client.scheduler.address
    words = ["--scheduler", address, "--samples", "200", "--seed", "4"]
    assert training.main([*words, "--epochs", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:13] for line in lines[:2]] == ["epoch 1: loss", "epoch 2: loss"]
    assert lines[2].startswith("largest difference from training alone: ")
    assert arrays.main([*words, "--chunk", "60"]) == 0
    assert "largest difference of the gradients, relative: " in capsys.readouterr().out
    assert arrays.main(["--samples", "200", "--chunk", "60"]) == 0


def test_the_script_starts_its_own_workers():
    command = [sys.executable, "dask_training.py", "--epochs", "2", "--samples", "100"]
    found = subprocess.run(command, cwd=EXAMPLES, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert found.stdout.count("\n") == 3
    assert found.stderr == ""


# --- The page ---


def test_the_page_runs():
    page = (EXAMPLES.parent / "docs" / "distributed.md").read_text(encoding="utf-8")
    [block] = re.findall(r"```python\n(.*?)```", page, re.S)
    found = {}
    exec(block, found)  # noqa: S102 - our own page
    assert 0 < found["loss"] < 20
    assert found["grads"]["W1"].shape == (32, 64)


def test_the_same_run_again_is_the_same(training, client):
    network = training.install(client, training.make_code())
    start = network.init(np.random.default_rng(0))
    shards, _ = shards_of(training, (30, 71, 52))
    one, other = (list(training.train(client, network, start, shards, epochs=3)) for _ in "ab")
    assert [loss for loss, _ in one] == [loss for loss, _ in other]
    for key, value in one[-1][1].items():
        np.testing.assert_array_equal(other[-1][1][key], value)
