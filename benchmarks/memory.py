"""How much a process grows by one step of a large network: `python memory.py ours` or `torch`.

It prints the bytes between what the process held before, its parameters and samples among it, and
the most it held during the loss and its gradient. What a library sets up once is set up before, by
a step of a small network. Linux only.
"""

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import one_thread  # before NumPy

BATCH = 1024
STATUS = Path("/proc/self/status")


def held(what: str) -> int:
    """The bytes that the process holds (VmRSS), or held at most (VmHWM)."""
    found = re.search(rf"{what}:\s+(\d+) kB", STATUS.read_text())
    assert found  # noqa: S101 - Linux has both
    return int(found[1]) * 1024


def growth(step: Callable[[], object]) -> int:
    """What one step takes at most."""
    Path("/proc/self/clear_refs").write_text("5")  # the most so far is what is held now
    before = held("VmRSS")
    step()
    return held("VmHWM") - before


def ours(widths: tuple[int, ...], batch: int) -> Callable[[], object]:
    """One step of the code in place, its workspace included."""
    import numpy as np

    import bpderive
    from bpderive.targets.modules import module

    layers = ",".join(map(str, widths))
    network = bpderive.network(layers, activation="relu", loss="softmax_cross_entropy")
    code = module(bpderive.generate(bpderive.derive(network), "numpy-inplace"), "memory")
    rng = np.random.default_rng(0)
    params = {key: value.astype(np.float32) for key, value in code.init(rng, "he").items()}
    x = rng.normal(size=(batch, widths[0])).astype(np.float32)
    y = np.eye(widths[-1], dtype=np.float32)[rng.integers(widths[-1], size=batch)]
    return lambda: code.compile(batch, np.float32)(params, x, y)


def torch(widths: tuple[int, ...], batch: int) -> Callable[[], object]:
    """One step of PyTorch's autograd."""
    from itertools import pairwise

    import torch

    torch.set_num_threads(1)
    weights = [torch.randn(n, m).mul_(m**-0.5).requires_grad_() for m, n in pairwise(widths)]
    x = torch.randn(batch, widths[0])
    y = torch.nn.functional.one_hot(torch.randint(0, widths[-1], (batch,)), widths[-1]).float()

    def step() -> None:
        a = x
        for weight in weights[:-1]:
            a = torch.relu(a @ weight.T)
        torch.nn.functional.cross_entropy(a @ weights[-1].T, y).backward()

    return step


KINDS: Mapping[str, Callable[[tuple[int, ...], int], Callable[[], object]]] = {
    "ours": ours,
    "torch": torch,
}


def main() -> None:
    """Print the growth in bytes."""
    one_thread.set_up()
    make = KINDS[sys.argv[1]]
    make((64, 64, 10), 8)()
    print(growth(make((1024, 1024, 1024, 1024, 10), BATCH)))


if __name__ == "__main__":
    main()
