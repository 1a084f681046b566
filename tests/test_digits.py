"""The example on real data: every Python target learns to read digits, as scikit-learn would."""

import builtins
import io
import runpy
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from struct import unpack

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn, whose digits are learned, is not installed")
FILE = Path(__file__).resolve().parents[1] / "examples" / "digits.py"
if not FILE.is_file():
    pytest.skip("the examples are not here", allow_module_level=True)


def load():
    spec = spec_from_file_location("digits_example", FILE)
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


digits = load()


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(scope="module")
def samples():
    return digits.load_samples()


@pytest.mark.parametrize("target", digits.STARTS)
def test_each_target_reads_held_out_images(target, capsys):
    assert digits.main(["--target", target, "--check"]) == 0
    first, *epochs, last = capsys.readouterr().out.splitlines()
    assert first.startswith("largest difference from scikit-learn's loss and gradients: ")
    assert len(epochs) == 30
    right, of = last.split("% of ")
    assert float(right) >= 96
    assert of == "359 held-out images are read right"


@pytest.mark.parametrize("optimizer", digits.RATES)
def test_each_optimizer_learns(optimizer, capsys):
    assert digits.main(["--target", "numpy-inplace", "--optimizer", optimizer]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert float(last.split("%")[0]) >= 96


def test_the_held_out_images_are_no_others(samples):
    rest, held = samples
    assert (len(rest.x), len(held.x)) == (1438, 359)
    together = np.concatenate([rest.x, held.x])
    assert len(np.unique(together, axis=0)) == len(together)
    again, _ = digits.load_samples()
    assert np.array_equal(rest.x, again.x)
    assert not np.array_equal(rest.x, digits.load_samples(1)[0].x)
    assert (rest.x.min(), rest.x.max()) == (0, 1)
    assert (rest.y.sum(axis=1) == 1).all()


@pytest.mark.parametrize("target", digits.STARTS)
def test_gradients_equal_those_of_scikit_learn(target, samples):
    network = digits.make_network(target)
    few = digits.Samples(samples[0].x[:200], samples[0].y[:200])
    for seed in (1, 2):
        start = digits.STARTS[target](network, seed)
        assert digits.largest_difference(network, target, start, few) < 1e-14
    assert max(map(np.max, digits.sklearn_gradients(start, few)[1].values())) > 1e-3


def test_a_wrong_gradient_differs_from_scikit_learn(samples, monkeypatch, capsys):
    network = digits.make_network()
    right = network.loss_and_grad

    def wrong(params, x, y):
        loss, grads = right(params, x, y)
        return loss, grads | {"b2": 1.001 * grads["b2"]}

    network.loss_and_grad = wrong
    start = digits.STARTS["numpy"](network, 0)
    assert digits.largest_difference(network, "numpy", start, samples[0]) > 1e-6
    monkeypatch.setattr(digits, "make_network", lambda _: network)
    assert digits.main(["--check"]) == 1
    assert "epoch" not in capsys.readouterr().out


def test_what_is_printed_is_the_history(samples, capsys):
    network = digits.make_network()
    progress = digits.Progress(len(samples[0].x), 3, bar=io.StringIO())
    _, history = digits.train(network, "numpy", samples[0], epochs=3, progress=progress)
    lines = [f"epoch {k:3}: loss {loss:.4f}" for k, loss in enumerate(history, 1)]
    assert capsys.readouterr().out.splitlines() == lines
    assert progress.bar.getvalue() == ""


def test_a_terminal_has_a_bar(capsys):
    progress = digits.Progress(100, 2, bar=Terminal())
    for done in range(1, 9):  # of 4 batches an epoch
        progress(done, 8, 1.0)
    shown = progress.bar.getvalue().split("\r\033[K")
    assert shown[3] == "[###########-------------------] 3/8"
    assert shown[4] == shown[8] == ""  # it makes way for the epoch's line
    assert capsys.readouterr().out.splitlines() == [
        "epoch   1: loss 1.0000",
        "epoch   2: loss 1.0000",
    ]


def test_a_seed_repeats_the_training(samples):
    network = digits.make_network()
    first, second, other = (
        digits.train(network, "numpy", samples[0], epochs=1, seed=seed)[1] for seed in (1, 1, 2)
    )
    assert first == second != other


@pytest.mark.parametrize("name", ["loss.png", "loss.svg"])
def test_the_curve_is_drawn(name, tmp_path, capsys):
    pytest.importorskip("matplotlib", reason="matplotlib, which draws, is not installed")
    contents = []
    for _ in range(2):
        assert digits.main(["--epochs", "2", "--plot", str(tmp_path / name)]) == 0
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]
    if name.endswith("png"):
        assert contents[0].startswith(b"\x89PNG")
        assert unpack(">II", contents[0][16:24]) == (1050, 630)
    else:
        assert b"<svg" in contents[0]
    assert "held-out" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--target", "c"), "invalid choice: 'c'"),
        (("--optimizer", "lbfgs"), "invalid choice: 'lbfgs'"),
        (("--epochs", "0"), "--epochs: a whole number from 1 is needed, not 0"),
        (("--epochs", "1.5"), "--epochs: a whole number from 1 is needed, not 1.5"),
        (("--seed", "-1"), "--seed: a whole number from 0 is needed, not -1"),
        (("--plot", "loss.pdf"), "--plot: a .png or .svg file is needed, not loss.pdf"),
        (("--plot", "nowhere/loss.png"), "--plot: there is no folder nowhere"),
    ],
    ids=" ".join,
)
def test_wrong_options_are_told(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        digits.main(list(arguments))
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("module", "package", "options"),
    [("sklearn", "scikit-learn", []), ("matplotlib", "matplotlib", ["--plot", "loss.png"])],
)
def test_what_is_not_installed_is_told(module, package, options, monkeypatch, capsys):
    found = digits.find_spec
    monkeypatch.setattr(digits, "find_spec", lambda name: None if name == module else found(name))
    with pytest.raises(SystemExit) as stopped:
        digits.main(options)
    assert stopped.value.code == 2
    expected = f"error: {package} is needed, and not installed: pip install {package}\n"
    assert capsys.readouterr().err.endswith(expected)


def test_matplotlib_is_not_needed_without_a_plot(monkeypatch, capsys):
    found = builtins.__import__

    def refuse(name, *args, **options):
        assert not name.startswith("matplotlib")
        return found(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    assert digits.main(["--epochs", "1"]) == 0
    assert "held-out" in capsys.readouterr().out


def test_the_file_runs(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [str(FILE), "--epochs", "1"])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(FILE), run_name="__main__")
    assert stopped.value.code == 0
    assert capsys.readouterr().out.startswith("epoch   1: loss ")
