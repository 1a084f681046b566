"""The tensors around one general layer as numbers, and the derivatives between them.

In: a `Graph`, sizes, and what the loss asks. Out: `Numbers` at which a step of a derivation can be
worked out: a `Partial` is a complex step through the layer's forward equations, a slope `f'(z)` one
of the activation's own text. Must not know: rules, steps.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import islice, product
from random import Random
from typing import Any

from sympy import Expr, Indexed, Sum

from bpderive.equations import Graph
from bpderive.index import Equation, indices_of, label_of
from bpderive.verify.arithmetic import MP, STEP, is_real
from bpderive.verify.evaluate import Numbers, compiled
from bpderive.verify.formulas import COMPLEX, read
from bpderive.verify.oracle import Element, Tensor
from bpderive.verify.points import DRAWS, LARGEST, Labels, number, takes

TRIES = 500
LIVELY = 12
"""So many suitable tensors are looked at for such where no two slopes are alike."""
Indices = tuple[int, ...]


@dataclass(frozen=True)
class Surroundings:
    """A layer's graph at some sizes; what lies above a hidden layer is linear, by its deltas."""

    graph: Graph
    labels: Labels
    sizes: Mapping[str, int]

    def numbers(self, random: Random) -> Numbers | None:
        """Random tensors that the layer and the loss can take; None where there are none.

        Of several, those at which the first neuron's slope is least like the others': with kinks,
        all could be alike, and a slope that is dropped would not show.
        """
        best, found = -1, None
        for point in islice(self.suitable(random), LIVELY):
            unlike = self.unlike(point)
            if unlike > best:
                best, found = unlike, point
            if best == len(point["z{l}"]) - 1:
                break
        return _At(self, found).numbers() if found is not None else None

    def suitable(self, random: Random) -> Iterator[dict[str, Tensor]]:
        """Random tensors that the layer and the loss can take.

        A neuron whose outputs the loss refuses is drawn again, and the others stay.
        """
        refused, given = set[int](), dict[str, Tensor]()
        for _ in range(TRIES):
            drawn = dict(self.given(random))
            given = {**given, **self.again(drawn, refused, given)} if refused else drawn
            refused = set()
            with suppress(ArithmeticError, ValueError, TypeError):
                point = self.forward(given)
                refused = self.refused(point)
                if not refused and _moderate(point):
                    yield point

    def unlike(self, point: Mapping[str, Tensor]) -> int:
        """How many neurons have another slope than the first, and are not dead.

        All, where an activation has no slope of its own.
        """
        name = getattr(self.graph.by_label["a{l}"].rhs.func, "__name__", "")
        first, *others = point["z{l}"].values()
        if name not in self.graph.activations:
            return len(others)
        avoided = (0, self.named(f"{name}'", first))
        return sum(self.named(f"{name}'", z) not in avoided for z in others)

    @property
    def hidden(self) -> bool:
        """Whether a layer follows, and not the loss."""
        return bool(self.graph.adjoints)

    # --- What no equation defines ---

    def given(self, random: Random) -> Iterator[tuple[str, Tensor]]:
        """Random numbers for the inputs of the equations, and for the deltas of the layer above."""
        tensors = self.tensors()
        for label in sorted(set(tensors) - set(self.graph.by_label) - {"y"}):
            yield label, {at: number(random) for at in boxes(tensors[label])}
        for label, delta in self.graph.adjoints.items():
            sizes = self.shape(self.graph.by_label[label])
            yield delta, {at: number(random) for at in boxes(sizes)}
        if "y" in tensors:
            *samples, width = tensors["y"]
            rows = {at: DRAWS[self.labels.label](random, width) for at in boxes(samples)}
            yield "y", {(*at, k): v for at, row in rows.items() for k, v in enumerate(row, 1)}

    def again(
        self, drawn: Mapping[str, Tensor], neurons: set[int], given: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """The weights and biases that are given, those of some neurons as they were drawn."""
        dense = self.graph.by_label["z{l}"]
        found = {label_of(t): indices_of(t).index(dense.indices[-1]) for t in _owned(dense)}
        return {
            label: {at: (drawn if at[k] in neurons else given)[label][at] for at in given[label]}
            for label, k in found.items()
        }

    def tensors(self) -> dict[str, list[int]]:
        """The shape of every tensor on a right-hand side, read off the ranges of its indices."""
        found: dict[str, list[int]] = {}
        for equation in self.graph.equations:
            ranges = dict(zip(equation.indices, equation.sizes, strict=True)) | _bound(equation)
            for atom in equation.rhs.atoms(Indexed):
                found[label_of(atom)] = [self.size(ranges[index]) for index in indices_of(atom)]
        return found

    def size(self, size: Expr) -> int:
        """A size, as a number."""
        return int(size) if size.is_Integer else self.sizes[size.name]

    def shape(self, equation: Equation) -> list[int]:
        """The shape of what an equation defines."""
        return [self.size(size) for size in equation.sizes]

    # --- The forward pass ---

    def forward(self, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """All tensors and the root."""
        return self.recomputed(dict(given), set(given))

    def nudged(self, point: Mapping[str, Tensor], element: Element, by: Any) -> dict[str, Tensor]:
        """The same after a change of one element; what does not depend on it is as it was."""
        label, indices = element
        tensor = point[label]
        changed = {**tensor, indices: tensor[indices] + by}
        return self.recomputed({**point, label: changed}, {label})

    def recomputed(self, tensors: dict[str, Tensor], changed: set[str]) -> dict[str, Tensor]:
        """The equations worked out again that hold something changed, in their order."""
        numbers, first = Numbers(tensors, self.sizes, named=self.named), set(changed)
        for equation in self.graph.equations:
            if equation.label in first or not changed & labels(equation.rhs):
                continue
            code, indices = compiled(equation.rhs), equation.indices
            numbers.known.clear()
            tensors[equation.label] = {
                at: code(numbers, dict(zip(indices, at, strict=True)))
                for at in boxes(self.shape(equation))
            }
            changed.add(equation.label)
        if self.hidden:
            tensors[str(self.graph.root)] = {(): self.linear(tensors)}
        return tensors

    def linear(self, tensors: Mapping[str, Tensor]) -> Any:
        """`Σ δ z` over the layer above: the loss as far as this layer sees it."""
        return sum(
            value * tensors[label][at]
            for label, delta in self.graph.adjoints.items()
            for at, value in tensors[delta].items()
        )

    def named(self, name: str, z: Any) -> Any:
        """An activation, or its slope, at a number."""
        function = read(self.graph.activations[name.removesuffix("'")].formula, COMPLEX)
        if not name.endswith("'"):
            return function({"z": z}, ())
        return function({"z": z + MP.mpc(0, STEP)}, ()).imag / STEP

    def refused(self, point: Mapping[str, Tensor]) -> set[int]:
        """The neurons of the output whose values the loss cannot take."""
        outputs = {} if self.hidden else point["a{l}"]
        y = point.get("y", {})
        return {
            at[-1]
            for at, a in outputs.items()
            if not (is_real(a) and abs(a) < LARGEST and takes(self.labels, a, y.get(at)))
        }


@dataclass
class _At:
    """Surroundings at given tensors; `nudged` keeps the forward passes that were needed."""

    surroundings: Surroundings
    point: dict[str, Tensor]
    passes: dict[Element, dict[str, Tensor]] = field(default_factory=dict)

    def numbers(self) -> Numbers:
        """What stands in a step: the named derivatives have their values too."""
        surroundings, root = self.surroundings, (str(self.surroundings.graph.root), ())
        tensors = dict(self.point)
        for label, name in (("z{l}", "delta{l}"), ("a{l}", "g{l}")):
            tensors[name] = {at: self.partial(root, (label, at)) for at in self.point[label]}
        return Numbers(tensors, surroundings.sizes, partial=self.partial, named=surroundings.named)

    def partial(self, above: Element, below: Element) -> Any:
        """`∂above/∂below`, by a complex step."""
        if below not in self.passes:
            step = MP.mpc(0, STEP)
            self.passes[below] = self.surroundings.nudged(self.point, below, step)
        label, indices = above
        return MP.mpc(self.passes[below][label][indices]).imag / STEP


def _moderate(point: Mapping[str, Tensor]) -> bool:
    """Whether all numbers are real, and none so large that digits are lost."""
    values = [value for tensor in point.values() for value in tensor.values()]
    return all(is_real(value) and abs(value) < 10**6 for value in values)


def _owned(dense: Equation) -> list[Indexed]:
    """The tensors of a weighted sum that have an index of its neuron: its weights and its bias."""
    found = (t for t in dense.rhs.atoms(Indexed) if dense.indices[-1] in indices_of(t))
    return sorted(found, key=str)


@cache
def labels(expr: Expr) -> frozenset[str]:
    """The labels of the tensors in an expression."""
    return frozenset(label_of(atom) for atom in expr.atoms(Indexed))


def _bound(equation: Equation) -> dict[Expr, Expr]:
    """The ranges of the summed indices."""
    return {limit[0]: limit[2] for node in equation.rhs.atoms(Sum) for limit in node.limits}


def boxes(sizes: list[int]) -> Iterator[Indices]:
    """All values of indices that run from 1 to these sizes."""
    return product(*(range(1, size + 1) for size in sizes))
