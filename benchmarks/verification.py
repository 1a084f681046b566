"""What a proof costs, as ratios within one run: `python benchmarks/verification.py [ROUNDS]`.

Whole processes are interleaved. The second ratio is taken within one process too, where neither
side pays for imports, and without PyTorch and JAX, since not everyone has them.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

from cli import PYTHON, measure

import bpderive
from bpderive.files import write_all
from bpderive.verify import gradients

LARGE = "784,128,10"
RUN = (PYTHON, "-m", "bpderive")
ALONE = f"""
from bpderive.cli import main
from bpderive.verify import gradients
gradients.ORACLES = tuple(row for row in gradients.ORACLES if row.id not in ("jax", "torch"))
main(["verify", "--layers", "{LARGE}"])
"""
COMMANDS = {
    "without": (*RUN, "--layers", "2,2,2,1", "--no-verify"),
    "with": (*RUN, "--layers", "2,2,2,1"),
    "code": (*RUN, "--layers", LARGE, "--format", "numpy", "--no-verify"),
    "verify": (*RUN, "verify", "--layers", LARGE),
    "alone": (PYTHON, "-c", ALONE),
}


def seconds(work: Callable[[], object], rounds: int) -> float:
    """The median time of some work."""
    times = []
    for _ in range(rounds):
        start = perf_counter()
        work()
        times.append(perf_counter() - start)
    return median(times)


def within(rounds: int) -> float:
    """Verifying a large network, against deriving it and writing its code, in one process."""
    with tempfile.TemporaryDirectory() as folder:

        def write() -> None:
            derivation = bpderive.derive(bpderive.network(LARGE))
            write_all([(Path(folder, "network.py"), bpderive.generate(derivation))])

        derivation = bpderive.derive(bpderive.network(LARGE))
        bpderive.verify(derivation)  # imports
        base = seconds(write, rounds)
    return seconds(lambda: bpderive.verify(derivation), rounds) / base


def main() -> None:
    """Print one line for each ratio."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    medians = measure(COMMANDS, rounds)
    added = medians["with"] / medians["without"] - 1
    print(f"verifying 2,2,2,1 adds {added:.2f} of the command without it (at most 0.4)")
    alone, whole = (medians[name] / medians["code"] for name in ("alone", "verify"))
    print(f"bpderive verify {LARGE}: {alone:.1f} x writing its code (at most 10)")
    print(f"with PyTorch and JAX, where they are installed: {whole:.1f}")
    print(f"with them, in one process: {within(rounds):.1f}")
    gradients.ORACLES = tuple(row for row in gradients.ORACLES if row.id not in ("jax", "torch"))
    print(f"without them, in one process: {within(rounds):.1f}")


if __name__ == "__main__":
    main()
