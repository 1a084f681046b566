"""A generated module on Dask arrays: samples in chunks, on all cores or on several machines.

python examples/dask_arrays.py [--scheduler ADDRESS] [--samples N] [--chunk N] [--seed N]

bpderive prints the module of the target `array-api`; NumPy arrays and Dask arrays go through the
same lines. Printed is the largest difference between the two. Without a scheduler, Dask computes
with the threads of this process. Workers elsewhere need Dask and NumPy, and no file of ours.
"""

import argparse
import contextlib
import sys
from collections.abc import Mapping
from random import Random
from types import ModuleType
from typing import Any

import dask
import dask.array as da
import numpy as np
from distributed import Client

import bpderive

LAYERS = "64,32:relu,10"
LOSS = "softmax_cross_entropy"


def make_module(layers: str = LAYERS, **options: Any) -> ModuleType:
    """The derivation of a network as a module for any array library."""
    network = bpderive.network(layers, **{"loss": LOSS, "bias": True, **options})
    return bpderive.load(bpderive.derive(network), "array-api")  # or `bpderive code …`, and import


def make_samples(count: int, seed: int = 0) -> tuple[Any, Any]:
    """Random samples, each labelled by the largest of ten random directions in it."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 64))
    return x, np.eye(10)[(x @ rng.normal(size=(64, 10))).argmax(axis=1)]


def in_chunks(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as Dask arrays of one chunk each: every chunk of samples needs them whole."""
    return {key: da.from_array(value, chunks=-1) for key, value in arrays.items()}


def loss_and_grad(
    network: ModuleType, params: Mapping[str, Any], x: Any, y: Any, chunk: int
) -> tuple[Any, dict[str, Any]]:
    """The loss and its gradient, as NumPy arrays, with `chunk` samples at a time.

    One call of `dask.compute` for all: the forward pass, which they share, is run once.
    """
    rows, labels = (da.from_array(array, chunks=(chunk, -1)) for array in (x, y))
    found: tuple[Any, dict[str, Any]] = dask.compute(
        *network.loss_and_grad(in_chunks(params), rows, labels)
    )
    return found


def largest_difference(found: Mapping[str, Any], expected: Mapping[str, Any]) -> float:
    """The largest difference of two gradients, relative to the largest element."""
    scale = max(float(np.abs(value).max()) for value in expected.values())
    return max(float(np.abs(found[key] - expected[key]).max()) for key in expected) / scale


def connected(scheduler: str | None) -> contextlib.AbstractContextManager[Any]:
    """Dask on the workers of a scheduler; or on this process's threads, where none is named.

    Raises:
        ConnectionError: the scheduler does not answer.
    """
    if scheduler is None:
        return contextlib.nullcontext()
    try:
        return Client(scheduler, timeout="5s")
    except (OSError, ValueError) as error:
        raise ConnectionError(f"no Dask scheduler at {scheduler}: {error}") from error


def run(samples: int, chunk: int, seed: int) -> float:
    """Both computations; their largest difference."""
    network = make_module()
    params = network.init(Random(seed), xp=np)  # noqa: S311 - a start, no secret
    x, y = make_samples(samples, seed)
    value, grads = network.loss_and_grad(params, x, y)
    lazy_value, lazy_grads = loss_and_grad(network, params, x, y, chunk)
    print(f"loss with NumPy {float(value):.15f}, with Dask {float(lazy_value):.15f}")
    return largest_difference(lazy_grads, grads)


def main(arguments: list[str] | None = None) -> int:
    """Read the options, compute, and print the difference."""
    parser = argparse.ArgumentParser(description="A generated module on Dask arrays.")
    parser.add_argument("--scheduler", help="of the form tcp://HOST:PORT; else this process alone")
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--chunk", type=int, default=1_000, help="samples in a chunk")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    if min(given.samples, given.chunk) < 1 or given.seed < 0:
        parser.error("--samples and --chunk must be 1 or more, --seed 0 or more")
    try:
        place = connected(given.scheduler)
    except ConnectionError as error:
        print(error, file=sys.stderr)
        return 2
    with place:
        difference = run(given.samples, given.chunk, given.seed)
    print(f"largest difference of the gradients, relative: {difference:.1e}")
    return 0 if difference < 1e-12 else 1


if __name__ == "__main__":
    raise SystemExit(main())
