"""What a sweep costs, as ratios within one run: `python benchmarks/flow.py [PART …]`.

The parts are `depth`, `sample` and `workers`. A sample is a network's share of drawing its
weights, one input, the call of the code in place, recording gradients and, in the end, their
statistics; it is compared with that call alone, in one thread. Workers are compared by a sweep of
many networks, without and with a second process.
"""

import one_thread  # noqa: F401, I001 - before NumPy: it sets its threads

import sys
from collections.abc import Iterator
from dataclasses import replace
from statistics import median
from subprocess import run

import numpy as np
from timing import medians

import bpderive
from bpderive.flow.schemes import SCHEMES
from bpderive.sweep.arrays import BOUNDED
from bpderive.sweep.model import Plan
from bpderive.sweep.plans import coded, plan
from bpderive.sweep.running import runner

LAYERS = ("2,64*10,1", "256,256*4,10")
INPUTS = (4, 32)
ROUNDS = 3
TOGETHER = BOUNDED  # networks in a row, as a sweep has them
SWEEP = """
import os, sys, time
from bpderive import sweep
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, range(os.cpu_count()))
grid = sweep.Grid("2,64*10,1", activations=("tanh",), schemes=("xavier", "he"), networks=8000)
start = time.perf_counter()
sweep.run(grid, workers=int(sys.argv[1]))
print(time.perf_counter() - start)
"""


def sample() -> Iterator[str]:
    """A sample over a call of the code in place; with bounds, one network in 32 has them."""
    yield f"{'':16}{'inputs':>7}{'call':>10}{'sample':>10}{'ratio':>7}{'with bound':>12}"
    for layers in LAYERS:
        derivation = bpderive.derive(bpderive.network(layers))
        code = coded(derivation)
        for inputs in INPUTS:
            yield _row(layers, inputs, _times(plan(code, SCHEMES["xavier"], inputs)))


def _row(layers: str, inputs: int, found: dict[str, float]) -> str:
    call = found["call"]
    plain, whole = (found[name] / inputs / TOGETHER for name in ("plain", "whole"))
    times = f"{call * 1e6:7.1f} µs{plain * 1e6:7.1f} µs"
    return f"{layers:16}{inputs:7}{times}{plain / call:7.2f}{whole / call:13.2f}"


def _times(whole: Plan) -> dict[str, float]:
    """A call, and some networks in a row without and with bounds."""
    plain, bounded = runner(replace(whole, bounds=None)), runner(whole)
    x, y = (np.ones((1, plain.module.LAYERS[at])) for at in (0, -1))
    return medians(
        {
            "call": lambda: plain.call(plain.params, x, y),
            "plain": lambda: [plain.network("1", index) for index in range(TOGETHER)],
            "whole": lambda: [bounded.network("1", index) for index in range(TOGETHER)],
        }
    )


def workers() -> Iterator[str]:
    """The time of a sweep with one process over that with two, each in a process of its own."""
    pairs = [(_seconds(1), _seconds(2)) for _ in range(ROUNDS)]
    ratio = median(one / two for one, two in pairs)
    one, two = pairs[-1]
    yield f"one process over two: {ratio:.2f} (the last: {one:.1f} s, {two:.1f} s)"


def _seconds(number: int) -> float:
    command = [sys.executable, "-c", SWEEP, str(number)]
    return float(run(command, check=True, capture_output=True, text=True).stdout)


DEEP = ("2,64*10,1", "2,64*1000,1")


def depth() -> Iterator[str]:
    """Bounds, expectation, dangers and remedies of a thousand layers over those of ten."""
    found = medians({layers: lambda layers=layers: _found(layers) for layers in DEEP})
    short, long = (found[layers] for layers in DEEP)
    times = f"{short * 1e3:.0f} ms, {long * 1e3:.0f} ms"
    yield f"{DEEP[1]} over {DEEP[0]}: {long / short:.2f} ({times})"


def _found(layers: str) -> object:
    return bpderive.flow(bpderive.derive(bpderive.network(layers)), measure=False)


PARTS = {"depth": depth, "sample": sample, "workers": workers}


def main() -> None:
    """Print the parts."""
    for name in sys.argv[1:] or PARTS:
        for line in PARTS[name]():
            print(line, flush=True)


if __name__ == "__main__":
    main()
