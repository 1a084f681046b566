"""All gradient lines of 784,128,10 in LaTeX, against CasADi deriving them: `python documents.py`.

CasADi (`pip install casadi`) is optional: without it the memory is measured alone. Imports are
excluded from both times; the two are taken in turn, in one run.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from itertools import pairwise
from statistics import median
from time import perf_counter

LAYERS = (784, 128, 10)
LINES = sum(m * n for m, n in pairwise(LAYERS))
ROUNDS = 3
LIMIT_RATIO, LIMIT_MEGABYTES = 0.5, 300


def ours() -> None:
    """Derive, and print one line of LaTeX for every weight."""
    import bpderive

    network = bpderive.network(LAYERS)
    text = bpderive.render(bpderive.derive(network), "latex", all_weights=True)
    lines = text.count(r"\noindent $\displaystyle \frac{\partial L}")
    if lines != LINES:
        raise SystemExit(f"{lines} lines, expected {LINES}")


def casadi() -> None:
    """The gradient of the flat loss with respect to every weight, as CasADi's SX derives it."""
    from casadi import SX, gradient, sumsqr, vertcat

    x, y = SX.sym("x", LAYERS[0]), SX.sym("y", LAYERS[-1])
    weights, a = [], x
    for number, (m, n) in enumerate(pairwise(LAYERS), 1):
        w = SX.sym(f"w{number}", n, m)
        weights.append(w)
        z = w @ a
        a = z if number == len(LAYERS) - 1 else 1 / (1 + (-z).exp())
    loss = sumsqr(a - y) / 2
    gradient(loss, vertcat(*(w.reshape((-1, 1)) for w in weights)))


def seconds(run: Callable[[], None]) -> float:
    """How long a run takes."""
    start = perf_counter()
    run()
    return perf_counter() - start


MEMORY = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
"""


def megabytes() -> int:
    """The peak memory of the whole command."""
    words = [sys.executable, "-m", "bpderive", "--layers", "784,128,10", "--all-weights"]
    command = [sys.executable, "-c", MEMORY, *words, "--format", "latex"]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            command, cwd=folder, env=os.environ, capture_output=True, check=True, text=True
        )
    return int(done.stdout)


def main() -> None:
    """Print the figures."""
    peak = megabytes()
    print(f"memory of the command: {peak} MB (under {LIMIT_MEGABYTES})")
    if importlib.util.find_spec("casadi") is None:
        print("casadi is not installed: no ratio")
        return
    seconds(ours)  # imports
    seconds(casadi)
    times = [(seconds(ours), seconds(casadi)) for _ in range(ROUNDS)]
    one, other = (median(column) for column in zip(*times, strict=True))
    print(f"{LINES} gradient lines in LaTeX: {one / other:.2f} x CasADi SX (at most {LIMIT_RATIO})")


if __name__ == "__main__":
    main()
