"""How long the command takes, as ratios within one run: `python benchmarks/cli.py [ROUNDS]`.

The runs are interleaved, so that a slow minute of the machine falls on all of them alike.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

BARE = """
import click
@click.command()
@click.option("--layers", help="The widths.")
def main(layers):
    '''A bare program.'''
main(["--help"])
"""

PYTHON = sys.executable
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
COMMANDS: Mapping[str, Sequence[str]] = {
    "bare": (PYTHON, "-c", BARE),
    "help": (PYTHON, "-m", "bpderive", "--help"),
    "sympy": (PYTHON, "-c", "import sympy"),
    "default": (PYTHON, "-m", "bpderive", "--layers", "2,2,2,1", "--no-verify"),
}
RATIOS = (
    ("bpderive --help", "help", "a bare click program's help", "bare", 1.5),
    ("bpderive --layers 2,2,2,1 --no-verify", "default", 'python -c "import sympy"', "sympy", 1.6),
)


def seconds(words: Sequence[str], folder: Path) -> float:
    """How long one run takes, in a folder of its own."""
    start = perf_counter()
    subprocess.run(words, cwd=folder, env=ENVIRONMENT, stdout=subprocess.DEVNULL, check=True)
    return perf_counter() - start


def measure(commands: Mapping[str, Sequence[str]], rounds: int) -> dict[str, float]:
    """The median of every command."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for name, words in commands.items():
                fresh = Path(tempfile.mkdtemp(dir=folder))
                times[name].append(seconds(words, fresh))
    # the first round writes the byte code of the others
    return {name: median(values[1:]) for name, values in times.items()}


def main() -> None:
    """Print one line for each ratio."""
    medians = measure(COMMANDS, int(sys.argv[1]) if len(sys.argv) > 1 else 15)
    for what, name, against, base, limit in RATIOS:
        ratio = medians[name] / medians[base]
        verdict = "ok" if ratio <= limit else "too slow"
        print(f"{what}: {ratio:.2f} x {against} (at most {limit}: {verdict})")


if __name__ == "__main__":
    main()
