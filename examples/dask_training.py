"""Training on several machines: each worker has a shard of the samples, one step is taken for all.

python examples/dask_training.py [--scheduler ADDRESS] [--shards N] [--epochs N] [--seed N]

bpderive prints a NumPy module; Dask sends its file to the workers. In every epoch each worker
computes the gradient of its shard, the gradients are averaged by the sizes of the shards (or added,
where the loss is a sum), and the step is taken here. That is training on all samples at once, to
rounding; printed is the largest difference from it. Where a worker is lost, Dask gives its shard to
another one and computes again what is missing. Workers elsewhere need Dask and NumPy.
"""

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.util import module_from_spec, spec_from_file_location
from operator import getitem
from pathlib import Path
from types import ModuleType
from typing import Any
from zlib import crc32

import numpy as np
from distributed import Client, Future, KilledWorker, LocalCluster

import bpderive

LAYERS = "64,32:relu,10"
LOSS = "softmax_cross_entropy"
WAIT = 30
"""For so many seconds, a worker is waited for."""
Params = dict[str, Any]
Shard = tuple[Any, Any]
"""Samples and labels."""


class SchedulerError(Exception):
    """The scheduler does not answer, or has no workers."""


# --- The module, here and on the workers ---


def make_code(layers: str = LAYERS, **options: Any) -> str:
    """The derivation of a network as the text of a NumPy module."""
    network = bpderive.network(layers, **{"loss": LOSS, "bias": True, **options})
    return bpderive.generate(bpderive.derive(network), "numpy")


def install(client: Client, code: str) -> ModuleType:
    """The module of a text, imported here and on every worker, those that come later too.

    Its functions then go over the wire by name. The name holds the text's checksum, so that no
    worker takes one network for another.
    """
    name = f"network_{crc32(code.encode()):08x}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{name}.py")
        path.write_text(code, encoding="utf-8")
        client.upload_file(str(path))
        spec = spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None  # noqa: PT018, S101 - it is a .py file
        sys.modules[name] = module = module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


# --- Samples ---


def make_samples(count: int, seed: int = 0) -> Shard:
    """Random samples, each labelled by the largest of ten random directions in it."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 64))
    return x, np.eye(10)[(x @ rng.normal(size=(64, 10))).argmax(axis=1)]


def split(x: Any, y: Any, count: int) -> list[Shard]:
    """The samples in so many shards, of sizes as equal as can be."""
    return list(zip(np.array_split(x, count), np.array_split(y, count), strict=True))


def place(client: Client, shards: Sequence[Shard]) -> list[list[Future]]:
    """The shards among the workers, as futures of x and y.

    They go there as results of tasks and not by `client.scatter`: what was scattered is gone with
    its worker, and results Dask makes anew elsewhere. Where the workers can read the samples
    themselves, put a function that reads a shard in the place of `tuple`.

    Raises:
        SchedulerError: the scheduler has no worker.
    """
    try:
        client.wait_for_workers(1, timeout=WAIT)
    except TimeoutError as error:
        raise SchedulerError(f"no worker came in {WAIT} seconds") from error
    pairs = [client.submit(tuple, shard, pure=False) for shard in shards]
    return [[client.submit(getitem, pair, k, pure=False) for k in (0, 1)] for pair in pairs]


# --- Training ---


def combine(
    parts: Sequence[tuple[float, Params]], sizes: Sequence[int], reduction: str
) -> tuple[float, Params]:
    """The loss and gradient of all samples, from those of the shards.

    Of means, the mean weighted by the sizes: L = Σ N_k L_k / Σ N_k. Of sums, the sum.
    """
    total = sum(sizes)
    weights = [size / total if reduction == "mean" else 1.0 for size in sizes]
    weighted = list(zip(weights, parts, strict=True))
    loss = sum(weight * value for weight, (value, _) in weighted)
    keys = parts[0][1]
    return loss, {key: sum(weight * grads[key] for weight, (_, grads) in weighted) for key in keys}


def gradients(
    client: Client, network: ModuleType, params: Params, held: Sequence[Sequence[Future]]
) -> list[tuple[float, Params]]:
    """Each shard's loss and gradient, computed where the shard is."""
    everywhere = client.submit(dict, params, pure=False)  # sent once; workers hand it on
    run = network.loss_and_grad
    return list(client.gather([client.submit(run, everywhere, *xy, pure=False) for xy in held]))


def train(  # noqa: PLR0913 - options
    client: Client,
    network: ModuleType,
    params: Params,
    shards: Sequence[Shard],
    *,
    epochs: int = 20,
    lr: float = 0.5,
    reduction: str = "mean",
) -> Iterator[tuple[float, Params]]:
    """After each epoch, the loss before its step and the parameters after it."""
    held, sizes = place(client, shards), [len(x) for x, _ in shards]
    for _ in range(epochs):
        parts = gradients(client, network, params, held)
        loss, grads = combine(parts, sizes, reduction)
        params = network.step(params, grads, lr)
        yield loss, params


def train_alone(
    network: ModuleType, params: Params, samples: Shard, *, epochs: int = 20, lr: float = 0.5
) -> Params:
    """The same on this machine, all samples at once."""
    for _ in range(epochs):
        params = network.step(params, network.loss_and_grad(params, *samples)[1], lr)
    return params


# --- The command ---


@contextlib.contextmanager
def connected(scheduler: str | None) -> Iterator[Client]:
    """A client of a scheduler; or of two workers on this machine, where none is named."""
    if scheduler is not None:
        try:
            client = Client(scheduler, timeout="5s")
        except (OSError, ValueError) as error:
            raise SchedulerError(f"no Dask scheduler at {scheduler}: {error}") from error
        with client:
            yield client
        return
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")
    with cluster, Client(cluster) as client:
        yield client


def run(client: Client, given: argparse.Namespace) -> float:
    """Train on the workers and alone; the largest difference of the parameters."""
    network = install(client, make_code())
    start = params = network.init(np.random.default_rng(given.seed))
    samples = make_samples(given.samples, given.seed)
    shards = split(*samples, given.shards)
    epochs = train(client, network, start, shards, epochs=given.epochs)
    for epoch, (loss, new) in enumerate(epochs, 1):
        print(f"epoch {epoch}: loss {loss:.6f}", flush=True)
        params = new
    alone = train_alone(network, start, samples, epochs=given.epochs)
    return max(float(np.abs(params[key] - alone[key]).max()) for key in alone)


def options(arguments: list[str] | None) -> argparse.Namespace:
    """What the command line says; every number is 1 or more, but the seed."""
    parser = argparse.ArgumentParser(description="Data-parallel training by dask.distributed.")
    parser.add_argument("--scheduler", help="of the form tcp://HOST:PORT; else two workers here")
    parser.add_argument("--shards", type=int, default=3, help="how many parts the samples are in")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    if min(given.shards, given.epochs, given.samples) < 1 or given.seed < 0:
        parser.error("--shards, --epochs and --samples must be 1 or more, --seed 0 or more")
    if given.shards > given.samples:
        parser.error(f"{given.samples} samples do not fill {given.shards} shards")
    return given


def main(arguments: list[str] | None = None) -> int:
    """Read the options, train, and print how near it is to training alone."""
    given = options(arguments)
    try:
        with connected(given.scheduler) as client:
            difference = run(client, given)
    except (SchedulerError, KilledWorker) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"largest difference from training alone: {difference:.1e}")
    return 0 if difference < 1e-10 else 1


if __name__ == "__main__":
    raise SystemExit(main())
