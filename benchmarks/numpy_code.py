"""The generated NumPy code against the network's matrix products alone, in one run.

python benchmarks/numpy_code.py

The floor computes the same matrix products with `np.dot(out=)` into arrays made before. The two
take turns, with one thread for the BLAS; printed are the medians and their ratio. Only the ratios
mean something, and only on a machine that does nothing else.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is imported

from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np

import bpderive

SECONDS = 1.0  # for each case
CASES = (
    ("784,128:relu,10", 256, "float32", "softmax_cross_entropy"),
    ("784,128:sigmoid,10", 256, "float32", "softmax_cross_entropy"),
    ("784,128:sigmoid,10", 256, "float32", "half_squared_error"),
    ("784,128:gelu,10", 256, "float32", "softmax_cross_entropy"),
    ("784,128:relu,10", 256, "float64", "softmax_cross_entropy"),
    ("784,128:relu,10", 32, "float32", "softmax_cross_entropy"),
    ("784,128:relu,10", 1, "float32", "softmax_cross_entropy"),
    ("1024,1024,1024,1024,10", 256, "float32", "softmax_cross_entropy"),
    ("2,2,2,1", 1, "float64", "half_squared_error"),
)


def floor(widths: tuple[int, ...], batch: int, dtype: str) -> Callable[[], None]:
    """The matrix products of one forward and one backward pass."""
    rng = np.random.default_rng(0)
    layers = list(zip(widths[1:], widths[:-1], strict=True))
    weights = [rng.normal(size=shape).astype(dtype) for shape in layers]
    arrays = [rng.normal(size=(batch, width)).astype(dtype) for width in widths]
    outputs = [np.empty_like(array) for array in arrays]
    gradients = [np.empty_like(weight) for weight in weights]

    def products() -> None:
        for k, weight in enumerate(weights):
            np.dot(arrays[k], weight.T, out=outputs[k + 1])
        for k in reversed(range(len(weights))):
            np.dot(arrays[k + 1].T, arrays[k], out=gradients[k])
            if k:
                np.dot(arrays[k + 1], weights[k], out=outputs[k])

    return products


def code(layers: str, batch: int, dtype: str, loss: str) -> Callable[[], object]:
    """`loss_and_grad` at random parameters and samples."""
    module = bpderive.load(bpderive.derive(bpderive.network(layers, loss=loss)))
    rng = np.random.default_rng(0)
    params = {key: value.astype(dtype) for key, value in module.init(rng).items()}
    inputs, outputs = module.LAYERS[0], module.LAYERS[-1]
    x = rng.normal(size=(batch, inputs)).astype(dtype)
    y = np.eye(outputs, dtype=dtype)[rng.integers(outputs, size=batch)]
    return lambda: module.loss_and_grad(params, x, y)


def seconds(function: Callable[[], object]) -> float:
    """The time of one call."""
    start = perf_counter()
    function()
    return perf_counter() - start


def main() -> None:
    """Print a line for each case."""
    print(f"{'layers':24}{'batch':>6}  {'type':8} {'loss':22}{'floor':>10}{'code':>10}  ratio")
    for layers, batch, dtype, loss in CASES:
        widths = tuple(int(item.partition(":")[0]) for item in layers.split(","))
        pair = floor(widths, batch, dtype), code(layers, batch, dtype, loss)
        warm = [sum(map(seconds, pair)) for _ in range(5)]
        rounds = round(min(2000, max(20, SECONDS / min(warm))))
        times = [[seconds(function) for function in pair] for _ in range(rounds)]
        below, above = (median(column) for column in zip(*times, strict=True))
        line = f"{layers:24}{batch:6}  {dtype:8} {loss:22}"
        print(f"{line}{below * 1e6:7.0f} us{above * 1e6:7.0f} us{above / below:7.3f}")


if __name__ == "__main__":
    main()
