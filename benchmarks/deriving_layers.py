"""How long deriving any layer takes, as ratios in one run: `python benchmarks/deriving_layers.py`.

Every row of the catalogue against a dense layer; sizes; depth; twelve transformer blocks against
one. SymPy's cache and ours are emptied before each run; the best of some runs counts.
"""

import sys
from collections.abc import Callable
from time import perf_counter

from sympy.core.cache import clear_cache

from bpderive.backprop import derive_stack
from bpderive.catalog import CATALOG
from bpderive.spec import parse_spec
from bpderive.stack import build, building

DENSE = "seq(4)x6, 5:tanh, last, 1"
LAYERS = (
    "8x9, conv(4,3):relu, flatten, 1",
    "3x8x8, conv(4,3,padding=1):relu, flatten, 1",
    "4x8x8, conv(4,3,groups=2):relu, flatten, 1",
    "3x8x8, maxpool(2), flatten, 1",
    "3x8x8, avgpool(2), flatten, 1",
    "3x8x8, globalpool, 1",
    "3x8x8, batchnorm, flatten, 1",
    "8, layernorm, 1",
    "8, rmsnorm, 1",
    "8, dropout, 1",
    "seq(5), embedding(7,4), last, 1",
    "seq(5), embeddingbag(7,4), 1",
    "seq(4)x6, rnn(5), last, 1",
    "seq(4)x6, gru(5), last, 1",
    "seq(4)x6, lstm(5), last, 1",
    "seq(4)x6, attention, last, 1",
    "seq(4)x6, attention(heads=2,causal), last, 1",
    "6, bilinear(3):tanh, 1",
    "6, residual(6:relu,6), 1",
)
BLOCKS = ("seq(4)x6, transformer(heads=2), last, 1", "seq(4)x6, [transformer(heads=2)]*12, last, 1")
SIZES = ("3x8x8, conv(4,3):relu, flatten, 1", "64x256x256, conv(128,7):relu, flatten, 1000")


def derived(layers: str) -> int:
    """Derive a network and write all its equations; how many derivatives there are."""
    stack = build(parse_spec(layers, CATALOG.names, bias=True), CATALOG)
    return len(derive_stack(stack).numbered)


def best(run: Callable[[], int], rounds: int) -> tuple[float, int]:
    """The shortest time in seconds, and what the run gave."""
    times, found = [], 0
    for _ in range(rounds):
        clear_cache()
        building._module.cache_clear()  # noqa: SLF001 - a first derivation is timed
        start = perf_counter()
        found = run()
        times.append(perf_counter() - start)
    return min(times), found


def main(rounds: int) -> None:
    """Print the table."""
    derived(DENSE)
    base, count = best(lambda: derived(DENSE), rounds)
    print(f"{DENSE}: {base * 1e3:.0f} ms, {count} derivatives")
    print("layer | derivatives | ratio | ratio a derivative")
    for layers in LAYERS:
        seconds, own = best(lambda layers=layers: derived(layers), rounds)
        print(f"{layers} | {own} | {seconds / base:.2f} | {seconds / base * count / own:.2f}")
    for name, pair in (("twelve blocks / one", BLOCKS), ("large / small", SIZES)):
        small, large = (best(lambda layers=layers: derived(layers), rounds)[0] for layers in pair)
        print(f"{name}: {large / small:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
