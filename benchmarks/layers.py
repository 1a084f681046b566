"""The generated code of layers beyond dense ones, over PyTorch's eager forward and backward.

python benchmarks/layers.py [PART …]

The parts are `conv`, `pool`, `lstm` and `attention`; without one, all of them. One thread for both,
the same weights, the loss with its gradients by all parameters, in float32; both gradients are
compared before anything is timed. Where OpenBLAS has better kernels for this processor than it
takes by itself, all is measured with those too (OPENBLAS_CORETYPE).
"""

import one_thread  # noqa: F401, I001 - before NumPy: it sets its threads

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from subprocess import run
from typing import Any

import numpy as np
import torch
from timing import medians

from bpderive.backprop import derive_stack
from bpderive.catalog import CATALOG
from bpderive.schedule import build as schedule
from bpderive.spec import parse_spec
from bpderive.stack import build
from bpderive.targets.arrays import generate
from bpderive.targets.modules import module

BEST = "SkylakeX"  # OpenBLAS's kernels for processors with AVX-512
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Case:
    """Layers, a batch, and the bound of the ratio; `output` is PyTorch's, of parameters and x."""

    layers: str
    batch: int
    bound: float
    make: Callable[[dict[str, Any]], tuple[list[Any], Callable[[Any], Any]]]


def conv(given: dict[str, Any]) -> tuple[list[Any], Callable[[Any], Any]]:
    """`torch.nn.Conv2d` and a relu."""
    layer = torch.nn.Conv2d(1, 8, 3)
    with torch.no_grad():
        layer.weight[:], layer.bias[:] = given["w1"], given["b1"]
    return [layer.weight, layer.bias], lambda x: torch.relu(layer(x))


def pool(given: dict[str, Any]) -> tuple[list[Any], Callable[[Any], Any]]:
    """The same, and the largest of each four."""
    leaves, output = conv(given)
    return leaves, lambda x: torch.nn.functional.max_pool2d(output(x), 2)


def lstm(given: dict[str, Any]) -> tuple[list[Any], Callable[[Any], Any]]:
    """`torch.nn.LSTM`; of its two biases, one is zero."""
    layer = torch.nn.LSTM(64, 64, batch_first=True)
    rows = zip((layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0), "WUb", strict=True)
    with torch.no_grad():
        for tensor, name in rows:
            tensor[:] = torch.cat([given[f"{name}_{gate}1"] for gate in "ifgo"])
        layer.bias_hh_l0.zero_()
    return [layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0], lambda x: layer(x)[0]


def attention(given: dict[str, Any]) -> tuple[list[Any], Callable[[Any], Any]]:
    """Four products and a softmax, as one writes them by hand."""
    linear = torch.nn.functional.linear
    weights = [given[f"W_{k}1"].clone().requires_grad_() for k in "qkvo"]
    biases = [given[f"b_{k}1"].clone().requires_grad_() for k in "qkvo"]

    def output(x: Any) -> Any:
        q, k, v = (linear(x, w, b) for w, b in zip(weights[:3], biases[:3], strict=True))
        p = torch.softmax(q @ k.transpose(1, 2) / 8, -1)
        return linear(p @ v, weights[3], biases[3])

    return [*weights, *biases], output


CASES: Mapping[str, Case] = {
    "conv": Case("1x28x28, conv(8,3):relu", 64, 1.5, conv),
    "pool": Case("1x28x28, conv(8,3):relu, maxpool(2)", 64, 1.5, pool),
    "lstm": Case("seq(50)x64, lstm(64)", 32, 1.5, lstm),
    "attention": Case("seq(128)x64, attention", 8, 1.2, attention),
}


def given(case: Case, shapes: Any, names: Any) -> tuple[Arrays, list[np.ndarray]]:
    """The same parameters, samples and labels for both."""
    rng = np.random.default_rng(0)
    params = {k: rng.normal(0, 0.1, shape).astype("float32") for k, shape in shapes.items()}
    sizes = {k: tuple(case.batch if n == "N" else n for n in shape) for k, shape in names.items()}
    return params, [rng.normal(size=shape).astype("float32") for shape in sizes.values()]


def functions(case: Case) -> dict[str, Callable[[], object]]:
    """Ours and PyTorch's, of the same weights.

    Raises:
        AssertionError: their gradients differ.
    """
    spec = parse_spec(case.layers, bias=True)
    found = module(generate(schedule(derive_stack(build(spec, CATALOG)))), "layers")
    params, (x, y) = given(case, found.SHAPES, found.GIVEN)
    tensors = {key: torch.tensor(value) for key, value in params.items()}
    leaves, output = case.make(tensors)
    samples, labels = torch.tensor(x), torch.tensor(y)

    def theirs() -> None:
        for leaf in leaves:
            leaf.grad = None
        (((output(samples) - labels) ** 2).sum() / (2 * case.batch)).backward()

    theirs()
    compare(found.loss_and_grad(params, x, y)[1], leaves)
    return {"ours": partial(found.loss_and_grad, params, x, y), "PyTorch": theirs}


def compare(grads: Arrays, leaves: list[Any]) -> None:
    """Refuse gradients that are not the same numbers, whatever their order."""
    mine = np.sort(np.concatenate([g.ravel() for g in grads.values()]))
    theirs = np.sort(np.concatenate([leaf.grad.numpy().ravel() for leaf in leaves]))
    np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-3 * np.abs(theirs).max())


def table(names: list[str]) -> Iterator[str]:
    """Ours over PyTorch's: below 1 is faster."""
    yield f"{'':36}{'batch':>6}{'ours':>11}{'PyTorch':>11}{'ratio':>8}{'bound':>8}"
    for case in (CASES[name] for name in names):
        found = medians(functions(case))
        ours, theirs = found["ours"], found["PyTorch"]
        times = f"{ours * 1e3:8.2f} ms{theirs * 1e3:8.2f} ms"
        yield f"{case.layers:36}{case.batch:6}{times}{ours / theirs:8.2f}{case.bound:8.1f}"


def best_kernels(names: list[str]) -> Iterator[str]:
    """The same with OpenBLAS's kernels for AVX-512, where the processor has it."""
    flags = Path("/proc/cpuinfo")
    if os.environ.get("OPENBLAS_CORETYPE") == BEST or not flags.exists():
        return
    if "avx512f" not in flags.read_text():
        return
    yield f"With OPENBLAS_CORETYPE={BEST}:"
    environment = os.environ | {"OPENBLAS_CORETYPE": BEST}
    command = [sys.executable, __file__, *names]
    yield run(command, env=environment, check=True, capture_output=True, text=True).stdout


def main() -> None:
    """Print the parts."""
    torch.set_num_threads(1)
    names = sys.argv[1:] or list(CASES)
    for part in (table, best_kernels):
        for line in part(names):
            print(line, flush=True)


if __name__ == "__main__":
    main()
