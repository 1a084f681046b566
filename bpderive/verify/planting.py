"""Plants mistakes in a right derivation, and tells whether one can be seen on its network.

In: a `Derivation` and a `Mistake`. Out: wrong derivations, one for each kind of layer and each
tensor where the mistake can be made, of a sample and of a batch alike. Must not know: how a
derivation is proved; what can be seen is found by comparing right and wrong at random numbers, with
the sizes of the network itself, and exactly at kinks.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from random import Random
from typing import Any

from sympy import Expr, Integer

from bpderive.derive import Derivation, Derived, Step
from bpderive.equations import Kind
from bpderive.index import Equation
from bpderive.network import Network
from bpderive.rules.algebra import fold
from bpderive.rules.rewriting import tidy
from bpderive.verify.arithmetic import MP
from bpderive.verify.evaluate import Numbers
from bpderive.verify.formulas import REAL, read
from bpderive.verify.guard import ERRORS
from bpderive.verify.mistakes import Mistake
from bpderive.verify.place import Place
from bpderive.verify.subject import labels_of
from bpderive.verify.surroundings import Surroundings, boxes

LOOKS = 8
"""So many random tensors are looked at before two expressions count as the same."""
LARGEST = 3
"""What is the same at sizes up to this is the same at any."""


@dataclass(frozen=True)
class Planted:
    """A derivation with one mistake, in the derivative by `letter` of one kind of layer."""

    mistake: Mistake
    letter: str
    layer: int
    derivation: Derivation
    wrong: Mapping[Kind, Derived]


def planted(derivation: Derivation, mistake: Mistake) -> Iterator[Planted]:
    """Every derivation with this mistake; the right one is left as it is."""
    for layer in first_layers(derivation.network):
        for letter in mistake.letters:
            wrong = dict(_wrong(derivation, mistake, layer, letter))
            if wrong:
                sweeps = {
                    kind: {**derivation.kind(kind), letter: derived}
                    for kind, derived in wrong.items()
                }
                broken = Derivation(derivation.network, {**_all(derivation), **sweeps})
                yield Planted(mistake, letter, layer, broken, wrong)


def first_layers(network: Network) -> list[int]:
    """The first layer of each kind."""
    return sorted({network.kind(la.index): la.index for la in reversed(network.layers)}.values())


def _all(derivation: Derivation) -> dict[Kind, dict[str, Derived]]:
    """All that was derived, for samples and for batches."""
    kinds = {
        derivation.network.kind(layer.index, batch=batch)
        for layer in derivation.network.layers
        for batch in (False, True)
    }
    return {kind: dict(derivation.kind(kind)) for kind in kinds}


def _wrong(
    derivation: Derivation, mistake: Mistake, layer: int, letter: str
) -> Iterator[tuple[Kind, Derived]]:
    """The wrong derivative, of a sample and of a batch; only where it has a name of its own."""
    for batch in (False, True):
        kind = derivation.network.kind(layer, batch=batch)
        derived = derivation.kind(kind).get(letter)
        if derived is not None and (derived.named or letter in "wb"):
            place = Place(derivation, kind, letter)
            wrong = mistake.plant(place)
            if wrong is not None and wrong != place.rhs:
                yield kind, _rewritten(place, wrong)


def _rewritten(place: Place, wrong: Expr) -> Derived:
    """The derivative with a wrong end: its last step leads there, and slopes are written out."""
    derived = place.derived
    steps = derived.steps
    if steps[-1].before == place.rhs:  # the step that writes the slopes out
        steps = steps[:-1]
    steps = (*steps[:-1], replace(steps[-1], after=wrong))
    folded = fold(wrong, place.context)
    if folded is not None:
        steps = (*steps, Step("fold", wrong, tidy(folded)))
    return replace(derived, steps=steps, result=replace(derived.result, rhs=steps[-1].after))


# --- What can be seen ---


@dataclass
class Sight:
    """Random numbers around the layers of one network; `drawn` keeps them, as all mistakes do."""

    derivation: Derivation
    drawn: dict[Any, list[Numbers]] = field(default_factory=dict)

    def sees(self, planted: Planted) -> bool:
        """Whether right and wrong differ in some layer, at the network's own sizes."""
        return any(
            self.differ(kind, layer.index, derived.result, planted.letter)
            for kind, derived in planted.wrong.items()
            for layer in self.derivation.network.layers
            if self.derivation.network.kind(layer.index, batch=kind.batch) == kind
        )

    def differ(self, kind: Kind, layer: int, wrong: Equation, letter: str) -> bool:
        """Whether some element differs, or does not exist, at some random numbers."""
        right = self.derivation.kind(kind)[letter].result
        return any(_differ(right, wrong, numbers) for numbers in self.numbers(kind, layer))

    def numbers(self, kind: Kind, layer: int) -> Iterator[Numbers]:
        """Tensors around a layer, with its sizes: any, and such that lie on a kink."""
        network = self.derivation.network
        sizes = _sizes(network, layer)
        key = kind, *sizes.values()
        if key not in self.drawn:
            around = Surroundings(network.graph(kind), labels_of(network), sizes)
            self.drawn[key] = list(_looks(around, network, kind))
        return iter(self.drawn[key])


def _looks(around: Surroundings, network: Network, kind: Kind) -> Iterator[Numbers]:
    for seed in range(LOOKS):
        numbers = around.numbers(Random(seed))
        if numbers is None:
            return
        yield numbers
        yield from islice(_at_kinks(numbers, network, kind), 0 if seed else None)


def _at_kinks(numbers: Numbers, network: Network, kind: Kind) -> Iterator[Numbers]:
    """The same numbers, with the weighted sums or the linear outputs on each kink in turn."""
    row, tensors = network.activations[kind.activation], numbers.tensors
    for kink in row.kinks:
        z = read(kink.at, REAL)({}, ())
        a = read(row.formula, REAL)({"z": z}, ())
        found = {
            "z{l}": dict.fromkeys(tensors["z{l}"], z),
            "a{l}": dict.fromkeys(tensors["a{l}"], a),
        }
        yield replace(numbers, tensors={**tensors, **found}, known={})
    for kink in network.loss.kinks if kind.last and row.name == "linear" else ():
        at = read(kink.at, REAL)
        outputs = {i: at({"y": y}, ()) for i, y in tensors["y"].items()}
        yield replace(numbers, tensors={**tensors, "z{l}": outputs, "a{l}": outputs}, known={})


def _sizes(network: Network, layer: int) -> Mapping[str, int]:
    """The sizes around a layer; a symbol is none of its neighbours'."""
    widths = [network.inputs, *(la.width for la in network.layers), Integer(1)]
    found = [
        min(int(width), LARGEST) if width.is_Integer else 2 + at % 2
        for at, width in enumerate(widths)
    ]
    names = ("n{l-1}", "n{l}", "n{l+1}")
    return {**dict(zip(names, found[layer - 1 : layer + 2], strict=True)), "N": 2}


def _differ(right: Equation, wrong: Equation, numbers: Numbers) -> bool:
    """Whether two right-hand sides of the same indices differ in more than rounding."""
    for values in boxes([numbers.sizes[str(size)] for size in right.sizes]):
        at = dict(zip(right.indices, values, strict=True))
        try:
            found, expected = numbers(wrong.rhs, at), numbers(right.rhs, at)
        except ERRORS:
            return True
        if not abs(found - expected) <= abs(expected) * MP.mpf(10) ** -40:
            return True
    return False
