"""How many slopes stand on the way of a gradient, and the largest that their product can be.

In: a `Derivation`. Out: for each run of layers `Passed`, for each layer `Share`: exact numbers.
Must not know: words, letters.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from sympy import Add, Expr, Integer, Mul, Pow, Sum

from bpderive.backprop import AnyDerivation
from bpderive.catalog import Activation
from bpderive.derive import Derivation
from bpderive.flow.largest import is_reached, largest
from bpderive.flow.runs import LAYER, Run, runs
from bpderive.slopes.extrema import maximal_slope


def bending(derivation: Derivation) -> tuple[Activation, ...]:
    """The activations whose slopes are factors of gradients, in order of first use."""
    found = {row.name: row for row in on_the_way(derivation)}
    return tuple(found.values())


def on_the_way(derivation: Derivation) -> Iterator[Activation]:
    """The activation of each layer that has one, and whose slope is a factor of gradients."""
    layers = derivation.network.layers
    for layer in layers[:-1] if cancels(derivation) else layers:
        if layer.activation.name != "linear":
            yield layer.activation


def cancels(derivation: Derivation) -> bool:
    """Whether nothing of the slope of the output is left in the error."""
    derived = derivation.at(derivation.network.depth)["z"]
    if derivation.network.layers[-1].activation.elementwise:
        return any(step.rule == "cancel" for step in derived.steps)
    return not derived.shown.rhs.has(Sum)


@dataclass(frozen=True)
class Passed:
    """The slopes that a gradient of a layer has as factors on each path: how many, which bounds.

    `slopes` maps the largest size of a slope to how often it occurs; None is one without a bound.
    """

    run: Run
    count: Expr
    slopes: Mapping[Expr | None, Expr]

    @property
    def product(self) -> Expr | None:
        """The largest product of these slopes; None where one has no bound."""
        if None in self.slopes:
            return None
        return Mul(*(Pow(base, n) for base, n in self.slopes.items() if base is not None))


def passed(derivation: Derivation) -> tuple[Passed, ...]:
    """For each run of layers, from the first to the last."""
    network = derivation.network
    cancelled = cancels(derivation)
    above: dict[Expr | None, Expr] = {}
    found = []
    for run in reversed(runs(network)):
        row = network.layer(run.first).activation
        own = run.last < network.depth or not cancelled
        bends = row.name != "linear" and own
        here = dict(above)
        if bends:
            bound = largest(row)
            more = run.last - LAYER + 1 if run.general else Integer(1)
            here[bound] = here.get(bound, Integer(0)) + more
            above[bound] = above.get(bound, Integer(0)) + run.last - run.first + 1
        found.append(Passed(run, Add(*here.values()), here))
    return tuple(reversed(found))


@dataclass(frozen=True)
class Share:
    """What the slopes let through to the weights of one layer, for scripts and screens.

    `product` is the largest product of the `count` slopes on each path, exact where every bound
    is; None where one has no bound. `attained` says whether gradients with this product exist;
    then `places` are the weighted sums at which the slopes of the layers above are largest.
    """

    number: int
    parameter: str
    count: Expr
    product: Expr | None
    attained: bool
    places: tuple[Expr | None, ...]

    @property
    def lost(self) -> Expr | None:
        """The percentage that is lost at least; None where nothing has to be."""
        if self.product is None or self.product > 1:
            return None
        return 100 * (1 - self.product)


def shares(derivation: AnyDerivation) -> tuple[Share, ...]:
    """For each layer of a dense network, from the first to the last; of other networks none."""
    if not isinstance(derivation, Derivation):
        return ()
    found = list(_down(derivation, cancels(derivation)))
    return tuple(reversed(found))


def _down(derivation: Derivation, cancelled: bool) -> Iterator[Share]:
    """From the last layer to the first, one slope more at each that has one."""
    depth, bounds = derivation.network.depth, dict[str, Expr | None]()
    count, product, rows = Integer(0), Integer(1), dict[str, Activation]()
    for layer in reversed(derivation.network.layers):
        row = layer.activation
        if row.name != "linear" and not (cancelled and layer.index == depth):
            if row.name not in rows:
                rows[row.name], bounds[row.name] = row, largest(row)
            bound = bounds[row.name]
            count = count + 1
            product = None if product is None or bound is None else product * bound
        yield Share(layer.index, f"w{layer.index}", count, product, *_reached(tuple(rows.values())))


@lru_cache(maxsize=64)
def _reached(rows: tuple[Activation, ...]) -> tuple[bool, tuple[Expr | None, ...]]:
    """Whether all of these slopes are largest somewhere, and where."""
    if not all(map(is_reached, rows)):
        return False, ()
    return True, tuple(dict.fromkeys(maximal_slope(row).at for row in rows))
