"""Random numbers around one kind of layer, at which the steps of its derivation are tried.

In: a kind, its derivations, and what its loss asks. Out: `Scene`s at several random sizes. Must not
know: rules, steps.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from random import Random
from typing import Any

from sympy import Expr, Indexed, Integer, Mul, Sum

from bpderive.backprop import StackDerivation
from bpderive.backprop.kinds import Kind, graph
from bpderive.derive import Derived
from bpderive.equations import Graph
from bpderive.index import Equation, element, indices_of, label_of, parts_of, size_symbol
from bpderive.modules.labels import label as general
from bpderive.verify.arithmetic import MP, STEP, is_real
from bpderive.verify.formulas import COMPLEX, read
from bpderive.verify.layered.lazily import Lazy, Quantities, Scene, Shape, Values
from bpderive.verify.layered.plain import labels_of
from bpderive.verify.layered.sizing import Sizes, Sizing
from bpderive.verify.points import DRAWS, LARGEST, Labels, number, takes

TRIES = 400
COUNT = 2
"""So many random sizes are tried."""
MODERATE = 10**6


@dataclass(frozen=True)
class Surroundings:
    """A kind of layer with its derivations; what lies above a hidden one is linear."""

    kind: Kind
    derived: tuple[Derived, ...]
    labels: Labels
    target: str = "y"

    @cached_property
    def graph(self) -> Graph:
        """Its equations."""
        return graph(self.kind)

    @cached_property
    def equations(self) -> tuple[Equation, ...]:
        """Its equations, and where no loss follows, `S = Σ δ·a` over its output."""
        if self.kind.loss:
            return self.graph.equations
        return (*self.graph.equations, self.linear)

    @property
    def linear(self) -> Equation:
        """`S = Σ δ·a`: the loss as far as this layer sees it."""
        last = self.graph.by_label[general(self.kind.module.output)]
        ((_, above),) = {**self.graph.adjoints, **self.graph.direct}.items()
        body = last.lhs * element(above, indices_of(last.lhs))
        limits = [(i, 1, n) for i, n in zip(last.indices, last.sizes, strict=True)]
        return Equation(self.graph.root, Sum(body, *limits) if limits else body)

    # --- Values ---

    def scene(self, random: Random, tried: Collection[Sizes] = ()) -> Scene | None:
        """Random tensors at random sizes that the layer and the loss can take."""
        sizes = Sizing(self.kind.module, self.equations).random(random, tried)
        if sizes is None:
            return None
        for _ in range(TRIES):
            given = dict(self.given(random, sizes))
            scene = Scene(self.equations, sizes, given, str(self.graph.root), self.named)
            with suppress(ArithmeticError, ValueError, TypeError):
                if self.suits(scene):
                    return scene
        return None

    def numbers(self, random: Random, tried: Collection[Sizes] = ()) -> Quantities | None:
        """What stands in a step: all tensors, and derivatives by their names."""
        scene = self.scene(random, tried)
        if scene is None:
            return None
        tensors: dict[str, Any] = dict(scene.base.tensors)
        for one in self.derived:
            by = label_of(one.partial.denominator)
            if one.named and by in tensors:
                shape = _shape(tensors[by])
                tensors[label_of(one.result.lhs)] = Lazy(shape, _totals(scene, by))
        return Quantities(tensors, scene.sizes, partial=scene.partial, named=self.named, zero=True)

    def suits(self, scene: Scene) -> bool:
        """Whether all numbers are real and moderate, and the loss takes the outputs."""
        tensors = scene.base.tensors
        every = (v for values in tensors.values() for v in values.values())
        if not all(isinstance(v, int) or (is_real(v) and abs(v) < MODERATE) for v in every):
            return False
        y = tensors.get(self.target)
        outputs = tensors[general(self.kind.module.output)]
        if not self.kind.loss or y is None:
            return True
        pairs = ((a, y.get(at)) for at, a in outputs.items())
        return all(abs(a) < LARGEST and takes(self.labels, a, label) for a, label in pairs)

    def given(self, random: Random, sizes: Mapping[str, int]) -> Iterator[tuple[str, Values]]:
        """Random numbers for what no equation defines."""
        module = self.kind.module
        for name, value in module.numbers.items():
            yield general(name), {(): MP.mpf(int(value.p)) / int(value.q)}
        tokens = self.tokens(sizes)
        data = {general(t.name) for t in module.of_role("data")}
        for label, shape in self.shapes(sizes).items():
            places = list(product(*(range(1, size + 1) for size in shape)))
            if label in tokens:
                yield label, {at: random.randint(1, tokens[label]) for at in places}
            elif label == self.target:
                yield label, dict(zip(places, self.targets(shape, random), strict=True))
            elif label in data:
                yield label, {at: abs(number(random)) + MP.mpf(1) / 4 for at in places}
            else:
                yield label, {at: number(random) for at in places}

    def targets(self, shape: Shape, random: Random) -> list[Any]:
        """Labels as the loss asks for them, along the last axis."""
        rows = prod(shape[:-1])
        return [v for _ in range(rows) for v in DRAWS[self.labels.label](random, shape[-1])]

    def shapes(self, sizes: Mapping[str, int]) -> dict[str, Shape]:
        """The shapes of what no equation defines."""
        known = {size_symbol(k): Integer(v) for k, v in sizes.items()}
        module = self.kind.module
        found = {
            general(t.name): tuple(int(a.size.xreplace(known)) for a in t.axes)
            for t in module.tensors
            if t.role != "defined"
        }
        defined = {e.label for e in self.equations}
        for equation in self.equations:
            ranges = dict(zip(equation.indices, equation.sizes, strict=True)) | _bound(equation.rhs)
            for atom in sorted(equation.rhs.atoms(Indexed), key=str):
                if label_of(atom) not in {*found, *defined}:
                    axes = (Mul(*(ranges[p] for p in parts_of(i))) for i in indices_of(atom))
                    found[label_of(atom)] = tuple(int(a.xreplace(known)) for a in axes)
        return found

    def tokens(self, sizes: Mapping[str, int]) -> dict[str, int]:
        """By label, the largest whole number of a tensor whose elements are indices."""
        known = {size_symbol(k): Integer(v) for k, v in sizes.items()}
        module = self.kind.module
        found = {}
        for atom in {a for e in self.equations for a in e.rhs.atoms(Indexed)}:
            for place, index in enumerate(indices_of(atom)):
                for inner in index.atoms(Indexed):
                    axes = next(t.axes for t in module.tensors if general(t.name) == label_of(atom))
                    found[label_of(inner)] = int(axes[place].size.xreplace(known))
        return found

    def named(self, name: str, z: Any) -> Any:
        """An activation, or its slope, at a number."""
        function = read(self.graph.activations[name.removesuffix("'")].formula, COMPLEX)
        if not name.endswith("'"):
            return function({"z": z}, ())
        return function({"z": z + MP.mpc(0, STEP)}, ()).imag / STEP


def tried(surroundings: Surroundings, number: int, seed: int) -> list[Quantities]:
    """Numbers around a kind of layer, at several sizes; none where its loss has no value."""
    random, found = Random(f"{seed}layer {number}"), list[Quantities]()
    for _ in range(COUNT):
        numbers = surroundings.numbers(random, [one.sizes for one in found])
        found += [] if numbers is None else [numbers]
    return found


def kinds(derivation: StackDerivation) -> dict[int, Surroundings]:
    """Every kind of layer, by the first layer that is of it."""
    found: dict[Kind, int] = {}
    for place in derivation.stack.places:
        found.setdefault(derivation.kind(place.number), place.number)
    labels, target = labels_of(derivation.stack), derivation.stack.target.label
    return {
        number: Surroundings(kind, tuple(derivation.derived(number).values()), labels, target)
        for kind, number in found.items()
    }


def _totals(scene: Scene, by: str) -> Any:
    return lambda place: scene.total((by, place))


def _shape(values: Values) -> Shape:
    return values.shape if isinstance(values, Lazy) else max(values)


def _bound(expr: Expr) -> dict[Expr, Expr]:
    """The ranges of the summed indices."""
    return {limit[0]: limit[2] for node in expr.atoms(Sum) for limit in node.limits}
