"""Handwritten digits: a generated network learns them, and its gradients equal scikit-learn's.

python examples/digits.py [--target T] [--epochs N] [--optimizer O] [--seed N] [--check] [--plot F]

The images are scikit-learn's: 1797 digits of 8 by 8 pixels. bpderive prints the module of a network
with 32 neurons between, and all that learns here is that module: its `init`, `train` and `forward`.
A fifth of the images is held out, always the same ones; printed is how many of them are read right.
`--seed` draws the weights to begin with and the order of the images; `--target` is the kind of
module (numpy, numpy-inplace, python or array-api). `--check` compares its gradients with those of
scikit-learn's MLPClassifier on the same weights, and `--plot` draws the loss (a .png or .svg file).

Needed are bpderive, NumPy and scikit-learn, and matplotlib for `--plot`.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any, TextIO

import numpy as np

import bpderive

LAYERS = "64,32:relu,10"
LOSS = "softmax_cross_entropy"
BATCH = 32
RATES = {"sgd": 0.3, "momentum": 0.02, "adam": 0.002}
"""The length of a step, by the optimizer."""
STARTS: Mapping[str, Callable[[ModuleType, int], dict[str, Any]]] = {
    "numpy": lambda network, seed: network.init(np.random.default_rng(seed), "he"),
    "numpy-inplace": lambda network, seed: network.init(np.random.default_rng(seed), "he"),
    "python": lambda network, seed: network.init(Random(seed), "he"),  # noqa: S311 - no secret
    "array-api": lambda network, seed: network.init(Random(seed), "he", xp=np),  # noqa: S311
}
"""The weights to begin with, by the target."""
PLOTS = (".png", ".svg")
TICKS = [digit * 10.0**power for power in range(-6, 3) for digit in (1, 2, 5)]


# --- The network ---


def make_network(target: str = "numpy") -> ModuleType:
    """The derivation of the network as a module, all of it written by bpderive."""
    network = bpderive.network(LAYERS, loss=LOSS, bias=True)
    return bpderive.load(bpderive.derive(network), target)  # or `bpderive code …`, and import it


# --- The images ---


@dataclass(frozen=True)
class Samples:
    """Images, a row of 64 pixels from 0 to 1 each, and labels, a row with a 1 for the digit."""

    x: Any
    y: Any

    def given(self, target: str) -> tuple[Any, Any]:
        """Both as the target's module takes them: plain Python has lists for arrays."""
        return (self.x.tolist(), self.y.tolist()) if target == "python" else (self.x, self.y)


def load_samples(split: int = 0) -> tuple[Samples, Samples]:
    """The images to learn from, and a fifth of all that is held out, drawn by the seed `split`."""
    from sklearn.datasets import load_digits

    pixels, digits = load_digits(return_X_y=True)
    x, y = pixels / 16, np.eye(10)[digits]
    order = np.random.default_rng(split).permutation(len(x))
    held, rest = np.split(order, [len(x) // 5])
    return Samples(x[rest], y[rest]), Samples(x[held], y[held])


# --- Training ---


@dataclass
class Progress:
    """Prints the loss of each epoch as it ends, and on a terminal a bar meanwhile."""

    samples: int
    epochs: int
    out: TextIO = field(default_factory=lambda: sys.stdout)
    bar: TextIO = field(default_factory=lambda: sys.stderr)
    _sum: float = 0.0

    def __call__(self, done: int, total: int, loss: float) -> None:
        """What `train` calls after each batch."""
        steps = total // self.epochs  # of an epoch; its last batch has what remains
        epoch, step = divmod(done - 1, steps)
        ends = step == steps - 1
        self._sum += float(loss) * (self.samples - step * BATCH if ends else BATCH)
        if self.bar.isatty():
            full = "#" * (30 * done // total)
            self.bar.write("\r\033[K" + ("" if ends else f"[{full:-<30}] {done}/{total}"))
            self.bar.flush()
        if ends:
            print(f"epoch {epoch + 1:3}: loss {self._sum / self.samples:.4f}", file=self.out)
            self._sum = 0.0


def train(  # noqa: PLR0913 - the options by name
    network: ModuleType,
    target: str,
    samples: Samples,
    *,
    epochs: int = 30,
    optimizer: str = "adam",
    seed: int = 0,
    progress: Callable[[int, int, float], object] | None = None,
) -> tuple[dict[str, Any], list[float]]:
    """The parameters that the module has learned, and the loss of each epoch."""
    params, history = network.train(
        STARTS[target](network, seed),
        *samples.given(target),
        epochs=epochs,
        batch=BATCH,
        lr=RATES[optimizer],
        optimizer=optimizer,
        seed=seed,
        progress=progress,
    )
    return params, history


def accuracy(network: ModuleType, target: str, params: Mapping[str, Any], held: Samples) -> float:
    """How many of the images have their largest output at their digit."""
    x, _ = held.given(target)
    found = np.argmax(network.forward(params, x), axis=1)
    return float(np.mean(found == np.argmax(held.y, axis=1)))


# --- scikit-learn's gradients ---


def sklearn_gradients(params: Mapping[str, Any], samples: Samples) -> tuple[float, dict[str, Any]]:
    """The loss of MLPClassifier with these weights, and its gradient.

    One step of length 1 on all samples, without penalty or momentum, takes the gradient away from
    the weights: it is what they were before, less what they are then.
    """
    from sklearn.neural_network import MLPClassifier

    depth = len(params) // 2
    before = {key: np.array(value) for key, value in params.items()}
    digits = np.argmax(samples.y, axis=1)
    plain = {"solver": "sgd", "learning_rate_init": 1.0, "momentum": 0.0, "alpha": 0.0}
    classifier = MLPClassifier(
        [len(before[f"b{k}"]) for k in range(1, depth)],
        batch_size=len(samples.x),
        shuffle=False,
        **plain,
    )
    classifier.partial_fit(samples.x, digits, classes=range(10))  # it now has weights: replace them
    for k in range(depth):
        classifier.coefs_[k][:] = before[f"W{k + 1}"].T
        classifier.intercepts_[k][:] = before[f"b{k + 1}"]
    classifier.partial_fit(samples.x, digits)
    after = {f"W{k}": value.T for k, value in enumerate(classifier.coefs_, 1)}
    after |= {f"b{k}": value for k, value in enumerate(classifier.intercepts_, 1)}
    return classifier.loss_, {key: before[key] - after[key] for key in before}


def largest_difference(
    network: ModuleType, target: str, params: Mapping[str, Any], samples: Samples
) -> float:
    """The largest difference of the module's loss and gradients from scikit-learn's."""
    expected, slopes = sklearn_gradients(params, samples)
    loss, grads = network.loss_and_grad(params, *samples.given(target))
    differences = [np.abs(np.asarray(grads[key]) - slopes[key]).max() for key in slopes]
    return float(max(abs(float(loss) - expected), *differences))


# --- The curve ---


def draw(history: list[float], title: str, file: Path) -> None:
    """The loss of each epoch as a picture."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, NullLocator, StrMethodFormatter

    with rc_context({"svg.hashsalt": "digits", "font.size": 11, "axes.titlesize": 12}):
        figure = Figure(figsize=(7, 4.2), layout="constrained")
        axes = figure.subplots()
        epochs = range(1, len(history) + 1)
        axes.plot(epochs, history, color="#0b6e99", linewidth=2, marker="o", markersize=4)
        axes.set_yscale("log")
        axes.set_yticks([tick for tick in TICKS if min(history) / 1.6 < tick < max(history) * 1.6])
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.set_xlim(0.5, len(history) + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
        axes.set_xlabel("epoch")
        axes.set_ylabel("loss, the mean over the images")
        axes.set_title(title, loc="left", pad=12)
        axes.grid(visible=True, color="#e3e3e3")
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(file, dpi=150, metadata={"Date": None} if file.suffix == ".svg" else None)


# --- The command ---


def count(text: str) -> int:
    """A whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number from 1 is needed, not {text}")
    return int(text)


def seed(text: str) -> int:
    """A whole number from 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"a whole number from 0 is needed, not {text}")
    return int(text)


def picture(text: str) -> Path:
    """A file that a picture can be written to."""
    path = Path(text)
    if path.suffix not in PLOTS:
        raise argparse.ArgumentTypeError(f"a .png or .svg file is needed, not {text}")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {path.parent}")
    return path


def read(arguments: list[str] | None) -> argparse.Namespace:
    """The options; what is wrong in them, or not installed, ends the program with a message."""
    parser = argparse.ArgumentParser(
        description="Train a generated network on scikit-learn's handwritten digits."
    )
    parser.add_argument("--target", choices=STARTS, default="numpy", help="the kind of module")
    parser.add_argument("--epochs", type=count, default=30, help="how often each image is met")
    parser.add_argument("--optimizer", choices=RATES, default="adam", help="what takes the steps")
    parser.add_argument("--seed", type=seed, default=0, help="of the weights and the order")
    parser.add_argument(
        "--check", action="store_true", help="compare with scikit-learn's gradients"
    )
    parser.add_argument("--plot", type=picture, metavar="FILE", help="draw the loss: .png or .svg")
    given = parser.parse_args(arguments)
    needed = {"sklearn": "scikit-learn"} | ({"matplotlib": "matplotlib"} if given.plot else {})
    for module, package in needed.items():
        if find_spec(module) is None:
            parser.error(f"{package} is needed, and not installed: pip install {package}")
    return given


def main(arguments: list[str] | None = None) -> int:
    """Train, and print what came of it."""
    given = read(arguments)
    network, (samples, held) = make_network(given.target), load_samples()
    if given.check:
        start = STARTS[given.target](network, given.seed)
        difference = largest_difference(network, given.target, start, samples)
        print(f"largest difference from scikit-learn's loss and gradients: {difference:.1e}")
        if not difference < 1e-12:
            return 1
    params, history = train(
        network,
        given.target,
        samples,
        epochs=given.epochs,
        optimizer=given.optimizer,
        seed=given.seed,
        progress=Progress(len(samples.x), given.epochs),
    )
    right = accuracy(network, given.target, params, held)
    print(f"{right:.1%} of {len(held.x)} held-out images are read right")
    if given.plot:
        title = f"{LAYERS} ({given.target}): {right:.1%} of held-out digits are read right"
        draw(history, title, given.plot)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
