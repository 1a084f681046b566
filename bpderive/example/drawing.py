"""Small round numbers from a seed, at which every path of a network shows.

In: a `Derivation` and a seed. Out: an `Example`, or None where no numbers suit the loss. The
numbers of a neuron are drawn again until its weighted sum is moderate, off every kink, unlike its
neighbours' and not where the slope vanishes; the whole until no gradient is 0, if that can be. The
same seed gives the same numbers. Must not know: files.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random

from sympy import Expr, Integer, Rational, Symbol

from bpderive.catalog import Activation
from bpderive.derive import Derivation
from bpderive.errors import SpecError
from bpderive.example.computing import DIGITS, DOMAINS, Engine
from bpderive.example.model import Example, Numbers, Values, names
from bpderive.example.numbers import NoValueError, value_of
from bpderive.functions import scalar_symbol

TRIES, ENOUGH, AGAIN = 24, 5, 40
"""Draws of a whole network: at most, and where no gradient is 0; draws of one neuron."""
SHOWN = 0.005
"""The smallest gradient, at best."""
LARGEST = 3
"""No weighted sum or output is larger, in size."""
FLAT = Rational(1, 20)
"""A slope smaller than this shows too little."""
APART = Rational(1, 50)
"""Two neurons of a layer, and an output and its label, differ by more."""
RATES = (Rational(1, 2), Rational(1, 10), Rational(1, 100), Rational(1, 1000))
"""Learning rates, the first at which the loss falls being taken."""
INPUTS = ((2, 4), (10, 20), (100, 200))
WEIGHTS = ((10, 9), (20, 19), (100, 99))
"""Pools of sizes by what the unit is divided into, and how many: 0.1 to 0.9, 0.05 to 0.95 …"""


def drawn(derivation: Derivation, seed: int = 0) -> Values | None:
    """The values of `worked`."""
    example = worked(derivation, seed)
    return None if example is None else example.given


def worked(
    derivation: Derivation,
    seed: int = 0,
    digits: int = DIGITS,
    rates: Sequence[Expr] = RATES,
) -> Example | None:
    """The example of the first draw at which every gradient shows, else of the best one.

    A draw at which fewer gradients are 0 is better, and then one whose smallest is larger.
    """
    engine, best, most = Engine(derivation), None, (0, 0.0)
    for turn in range(TRIES):
        if best is not None and turn >= (ENOUGH if most[0] == 0 else TRIES):
            break
        draw = _Draw(engine, Random(f"{seed} {turn}"))  # noqa: S311 - no secret
        found = _tried(engine, draw, seed, digits, rates)
        if found is None:
            continue
        sizes = [abs(float(slope)) for slope in found.slopes.values()]
        score = (-sizes.count(0), min(sizes))
        if best is None or score > most:
            best, most = found, score
        if min(sizes) >= SHOWN:
            break
    return best


def _tried(
    engine: Engine, draw: "_Draw", seed: int, digits: int, rates: Sequence[Expr]
) -> Example | None:
    """The example of a draw; None where it does not come to an end, or has no value."""
    try:
        values = Values(draw.numbers(), rates[0], seed)
        found = engine.example(values, rates, digits)
    except (SpecError, NoValueError, StopIteration):
        return None
    return found if found.moved else None


class _Draw:
    """One draw of all numbers, neuron by neuron, as they are computed."""

    def __init__(self, engine: Engine, random: Random) -> None:
        self.engine, self.network, self.random = engine, engine.network, random
        self.found: dict[str, Expr] = {}

    def numbers(self) -> Numbers:
        """Inputs, parameters and labels.

        Raises:
            StopIteration: a neuron finds no numbers.
            NoValueError: an activation has no value.
        """
        count = int(self.network.inputs)
        sizes = self.random.sample(_pool(INPUTS, count), count)
        self.found |= zip(names("x", (count,)), self.signed(sizes), strict=True)
        for layer in self.network.layers:
            self.layer(layer.index, layer.activation)
        outputs = [self.found[name] for name in names(self.last, (int(self.network.outputs),))]
        label = LABELS[self.kind](self.random, outputs)
        self.found |= zip(names("y", (len(label),)), label, strict=True)
        given = {name: value for name, value in self.found.items() if name[0] in "xywb"}
        return {name: given[name] for name in sorted(given, key="xywb".find)} | given

    @property
    def kind(self) -> str:
        """The kind of label; one that is hot in one place would leave single outputs unused."""
        network = self.network
        alone = network.stage is None and network.layers[-1].activation.elementwise
        soft = alone and network.loss.label == "distribution" and network.outputs > 1
        return "soft" if soft else network.loss.label

    @property
    def last(self) -> str:
        """The label of the outputs."""
        return f"a{self.network.depth}"

    def layer(self, at: int, activation: Activation) -> None:
        """The parameters of a layer, and its quantities."""
        forms, sums = self.engine.forward, list(self.own(f"z{at}"))
        rest = _pool(WEIGHTS, sum(len(self.unknown(forms[name])) for name in sums))
        for name in sums:
            used = next(self.neuron(at, activation, name, rest))
            rest = [size for size in rest if size not in used]
        for name in self.own(f"a{at}"):
            self.found[name] = value_of(forms[name], self.found)

    def own(self, label: str) -> Iterator[str]:
        """The names of a layer's elements."""
        return (name for name in self.engine.forward if name.partition("[")[0] == label)

    def unknown(self, form: Expr) -> list[str]:
        """The parameters of a neuron."""
        return sorted(s.name for s in form.atoms(Symbol) if s.name not in self.found)

    def neuron(
        self, at: int, activation: Activation, name: str, rest: list[Expr]
    ) -> Iterator[list[Expr]]:
        """Numbers for one neuron's parameters, kept in `found` where they suit, by their sizes."""
        others = [self.found[other] for other in self.own(f"z{at}") if other in self.found]
        form = self.engine.forward[name]
        row = self.unknown(form)
        for _ in range(AGAIN):
            sizes = self.random.sample(rest, len(row))
            numbers = self.found | dict(zip(row, self.signed(sizes), strict=True))
            z = value_of(form, numbers)
            if self.suits(at, activation, z, others):
                self.found = numbers | {name: z}
                yield sizes

    def signed(self, sizes: Sequence[Expr]) -> list[Expr]:
        """Numbers of these sizes, each of either sign."""
        return [self.random.choice((size, -size)) for size in sizes]

    def suits(self, at: int, activation: Activation, z: Expr, others: Sequence[Expr]) -> bool:
        """Whether a weighted sum is moderate, unlike its neighbours, and its slope shows."""
        if abs(z) > LARGEST or z == 0 or any(abs(z - other) < APART for other in others):
            return False
        if not activation.elementwise:
            return True
        a = value_of(activation.definition, {"z": z})
        last = at == self.network.depth
        inside = DOMAINS[self.network.loss.domain if last else "real"]
        return abs(a) <= LARGEST and inside(a) and _shows(activation, z, a)


def _pool(pools: Sequence[tuple[int, int]], count: int) -> list[Expr]:
    """At least so many different sizes, as round as can be."""
    parts, most = next((pool for pool in pools if pool[1] >= count), pools[-1])
    return [Rational(k, parts) for k in range(1, max(most, count) + 1)]


def _shows(activation: Activation, z: Expr, a: Expr) -> bool:
    """Whether the slope is there, and not that of a kink."""
    at = {str(scalar_symbol(name)): value for name, value in (("z", z), ("a", a))}
    return bool(abs(value_of(activation.slope_expr, at)) >= FLAT)


# --- Labels ---


def _real(random: Random, outputs: Sequence[Expr]) -> list[Expr]:
    """One more or less than the output, rounded to tenths: near it, and never at it."""
    sides = [random.choice((-1, 1)) for _ in outputs]
    return [
        Rational(round(float(a) * 10) + 10 * s, 10) for a, s in zip(outputs, sides, strict=True)
    ]


def _distribution(random: Random, outputs: Sequence[Expr]) -> list[Expr]:
    hot = random.randrange(len(outputs))
    return [Integer(at == hot) for at in range(len(outputs))]


def _soft(random: Random, outputs: Sequence[Expr]) -> list[Expr]:
    """Probabilities that are all above 0."""
    parts = random.sample(range(1, len(outputs) + 2), len(outputs))
    return [Rational(part, sum(parts)) for part in parts]


def _sign(random: Random, outputs: Sequence[Expr]) -> list[Expr]:
    """A sign for which a margin is missing, where one of the two has one."""
    return [Integer(-1 if a >= 1 else 1 if a <= -1 else random.choice((-1, 1))) for a in outputs]


LABELS: Mapping[str, Callable[[Random, Sequence[Expr]], list[Expr]]] = {
    "real": _real,
    "binary": lambda random, outputs: [Integer(random.randint(0, 1)) for _ in outputs],
    "sign": _sign,
    "count": lambda random, outputs: [Integer(random.randint(1, 3)) for _ in outputs],
    "distribution": _distribution,
    "soft": _soft,
}
