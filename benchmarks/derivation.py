"""How long deriving takes, as ratios within one run: `python benchmarks/derivation.py [ROUNDS]`.

SymPy's cache is emptied before each run. In a large network its `diff` of the flat loss is timed
for some weights, spread over all layers, and scaled to all. CasADi is compared where installed.
"""

import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import pairwise, product
from statistics import median
from time import perf_counter
from typing import Any

from sympy import Expr, Symbol, exp
from sympy.core.cache import clear_cache

from bpderive.catalog import CATALOG
from bpderive.derive import Derivation
from bpderive.derive import derive as derive_network
from bpderive.forms import gradient
from bpderive.network import build
from bpderive.spec import parse_spec

SYMPY = (("8,8,8,1", 136, 1 / 50), ("16,16,16,4", 24, 1 / 1000))
"""Layers, by how many of their weights SymPy differentiates, and the target."""


def derive(layers: str) -> Derivation:
    """From the text of the layers to the derivation."""
    return derive_network(build(parse_spec(layers), CATALOG))


def widths_of(layers: str) -> list[int]:
    """The widths of a text such as 8,8,8,1."""
    return list(map(int, layers.split(",")))


def weights(layers: str) -> Iterator[str]:
    """Every weight of a network by its reference text."""
    widths = widths_of(layers)
    for layer, (inputs, width) in enumerate(pairwise(widths), 1):
        yield from (
            f"w{layer}[{i},{j}]" for i, j in product(range(1, width + 1), range(1, inputs + 1))
        )


def all_gradients(layers: str) -> list[Expr]:
    """Derive the network, and write the gradient of every weight."""
    derivation = derive(layers)
    return [gradient(derivation, name) for name in weights(layers)]


def flat_loss(layers: str, symbol: Callable[[str], Any], exponential: Callable[[Any], Any]) -> Any:
    """Half the squared error of a sigmoid network with a linear output, as one expression."""
    widths = widths_of(layers)
    values = [symbol(f"x[{j + 1}]") for j in range(widths[0])]
    for layer, width in enumerate(widths[1:], 1):
        sums = [
            sum(symbol(f"w{layer}[{i + 1},{j + 1}]") * v for j, v in enumerate(values))
            for i in range(width)
        ]
        last = layer == len(widths) - 1
        values = sums if last else [1 / (1 + exponential(-z)) for z in sums]
    return sum((v - symbol(f"y[{i + 1}]")) ** 2 for i, v in enumerate(values)) / 2


def sympys_diff(layers: str, number: int) -> float:
    """The time in which SymPy differentiates the flat loss by every weight, in seconds."""
    loss, names = flat_loss(layers, Symbol, exp), list(weights(layers))
    timed = names[:: len(names) // number]
    spent = seconds(lambda: [loss.diff(Symbol(name)) for name in timed])
    return spent / len(timed) * len(names)


def casadis_gradient(layers: str) -> float:
    """The time in which CasADi SX builds the flat loss and derives its gradient, in seconds."""
    import casadi

    start = perf_counter()
    symbols: dict[str, Any] = {}

    def symbol(name: str) -> Any:
        return symbols.setdefault(name, casadi.SX.sym(name))

    loss = flat_loss(layers, symbol, casadi.exp)
    casadi.gradient(loss, casadi.vertcat(*(symbols[name] for name in weights(layers))))
    return perf_counter() - start


def seconds(action: Callable[[], object]) -> float:
    """How long an action takes with nothing remembered."""
    clear_cache()
    start = perf_counter()
    action()
    return perf_counter() - start


def medians(rounds: int, *actions: Callable[[], object]) -> list[float]:
    """The median times of actions that are run in turn."""
    times = [[seconds(action) for action in actions] for _ in range(rounds + 1)]
    return [median(column) for column in zip(*times[1:], strict=True)]


def report(what: str, time: float, against: str, base: float, limit: float) -> None:
    """One line: a ratio and its target."""
    ratio = time / base
    verdict = "ok" if ratio <= limit else "MISSED"
    print(f"{what} / {against}: {ratio:.5f} (target {limit:g}) {verdict}")
    print(f"    {time * 1000:.1f} ms / {base * 1000:.1f} ms")


def main() -> None:
    """Print one line for each ratio."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    for layers, base, limit in (("784,128,10", "2,2,2,1", 1.1), ("2,4*1000,1", "2,4*10,1", 3.0)):
        times = medians(rounds, lambda one=layers: derive(one), lambda one=base: derive(one))
        report(f"derive {layers}", times[0], f"derive {base}", times[1], limit)
    for layers, number, limit in SYMPY:
        (ours,) = medians(max(3, rounds // 3), lambda one=layers: all_gradients(one))
        diff = sympys_diff(layers, number)
        report(f"all gradients of {layers}", ours, "SymPy's diff", diff, limit)
    if find_spec("casadi") is None:
        print("derive 784,128,10 / CasADi SX: skipped, casadi is not installed")
        return
    (ours,) = medians(rounds, lambda: derive("784,128,10"))
    report("derive 784,128,10", ours, "CasADi SX", casadis_gradient("784,128,10"), 0.5)


if __name__ == "__main__":
    main()
