"""How much of their work two gradients share, and what the deltas save: exact counts.

In: a `Derivation`. Out: `Sharing` (shared factors of all factors) and `Operations`
(multiplications), by recurrence over the layers, in integers, or in symbols where sizes are
symbols. Must not know: letters, words.

What is counted. A gradient is expanded into its paths (`routes`), each path a product of factors:

- the error `∂L/∂a` at its output: 1. An output slope that cancels against the loss (softmax with
  cross entropy: `a − y`), or that mixes the outputs, is part of the error;
- each weight on the way above the gradient's own: 1;
- each slope: by `slopes="factors"` the factors of its closed form (`a(1−a)`: 2, `1−a²`: 1), by
  `slopes="one"` 1 in any case; a linear activation has none. Where a hidden layer mixes its
  neurons (softmax), the entry `∂a_k/∂z_i` is the slope, and every path splits into one for each k;
- the input of a weight: 1; of a bias: none.

Numbers (the 2 of a squared error) are not counted. A factor is shared by two paths if it is the
same quantity in both; a slope is shared as a whole. Of the paths of the second gradient, the one
that has most in common with a path of the first counts for it. The total is the first's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Literal, TypeAlias

from sympy import Expr, Integer, Mul

from bpderive.derive import Derivation
from bpderive.equations import HERE
from bpderive.errors import SpecError
from bpderive.forms.chosen import chosen
from bpderive.forms.paths import error_is_one
from bpderive.forms.scalar import at_indices, quantity
from bpderive.index import Equation, rename
from bpderive.network import Network
from bpderive.reference import Reference

Slopes = Literal["factors", "one"]
Count: TypeAlias = int | Expr


@dataclass(frozen=True)
class Sharing:
    """`shared` of the `total` factors of the first gradient stand in the second too."""

    shared: Count
    total: Count

    @property
    def ratio(self) -> Fraction | Expr:
        """The shared part of the whole: 7/8."""
        return _ratio(self.shared, self.total)


@dataclass(frozen=True)
class Operations:
    """Multiplications for all the gradients of a network: path by path, and with the deltas."""

    paths: Count
    deltas: Count

    @property
    def saved(self) -> Fraction | Expr:
        """The part of the multiplications that the deltas save."""
        return _ratio(self.paths - self.deltas, self.paths)


def sharing(
    derivation: Derivation, first: str, second: str, *, slopes: Slopes = "factors"
) -> Sharing:
    """The factors of the first gradient that the second has too: 14 of 16 for 2,2,2,1.

    Args:
        derivation: of the network.
        first: a weight or bias, such as `w1[1,1]`.
        second: another, such as `w1[1,2]`; it may be of another neuron or layer.
        slopes: count a slope as the `factors` of its closed form, or as `one`.

    Raises:
        SpecError: not a weight or bias of this network.
    """
    counts = _Counts(derivation, slopes)
    return counts.compare(_parameter(derivation, first), _parameter(derivation, second))


def layer_sharing(derivation: Derivation, layer: int, *, slopes: Slopes = "factors") -> Sharing:
    """What the gradients of two weights into the same neuron of a layer share."""
    paths, factors = _Counts(derivation, slopes).levels(layer)[layer]
    return Sharing(factors, factors + paths)


def operations(derivation: Derivation, *, slopes: Slopes = "one") -> Operations:
    """Multiplications for the gradients of all weights and biases: 54 become 20 for 2,2,2,1.

    A product of m factors takes m − 1, and nothing is kept from one path to the next, nor from
    one gradient to the next; with the deltas, each is worked out once. Additions are not counted.
    With `slopes="one"` the slopes are taken as given numbers.
    """
    counts = _Counts(derivation, slopes)
    by_paths: Count = 0
    by_deltas: Count = 0
    for layer, paths, factors in counts.climb():
        by_paths = by_paths + counts.by_paths(layer, paths, factors)
        by_deltas = by_deltas + counts.by_deltas(layer)
    return Operations(by_paths, by_deltas)


def _parameter(derivation: Derivation, text: str) -> Reference:
    reference = chosen(derivation, text)
    if reference.name not in ("w", "b"):
        message = f"only gradients of parameters are compared, not of {reference}"
        raise SpecError.single(
            message, accepted="two weights or biases, such as w1[1,1] and w1[1,2]"
        )
    return reference


def _layer(reference: Reference) -> int:
    assert reference.layer is not None  # noqa: S101
    return reference.layer


def _ratio(part: Count, whole: Count) -> Fraction | Expr:
    if isinstance(part, int) and isinstance(whole, int):
        return Fraction(part, whole)
    return (Integer(part) / whole).cancel() if isinstance(part, int) else (part / whole).cancel()


@dataclass(frozen=True)
class _Counts:
    """The counts of one network."""

    derivation: Derivation
    slopes: Slopes

    @property
    def network(self) -> Network:
        return self.derivation.network

    def width(self, layer: int) -> Count:
        size = self.network.layer(layer).width if layer else self.network.inputs
        return int(size) if size.is_Integer else size

    def mixes(self, layer: int) -> bool:
        inside = layer < self.network.depth
        return inside and not self.network.layer(layer).activation.elementwise

    def ways(self, layer: int) -> Count:
        """How many neurons' `a` one `z` of the layer acts on."""
        return self.width(layer) if self.mixes(layer) else 1

    def climb(self) -> Iterator[tuple[int, Count, Count]]:
        """From the last layer to the first: paths from one `z` to the loss, factors on them all.

        Nothing is kept, for the numbers of a very deep network are long.
        """
        paths: Count = 1
        factors: Count = self.error
        yield self.network.depth, paths, factors
        for layer in range(self.network.depth - 1, 0, -1):
            ways, above = self.ways(layer), self.width(layer + 1)
            factors = above * (ways * (factors + paths) + paths * self.slope(layer))
            paths = ways * above * paths
            yield layer, paths, factors

    def levels(self, *wanted: int) -> dict[int, tuple[Count, Count]]:
        """Paths and factors of the wanted layers."""
        return {layer: (paths, f) for layer, paths, f in self.climb() if layer in wanted}

    @cached_property
    def error(self) -> int:
        """The factors of `∂L/∂z` at an output."""
        last = self.network.layers[-1].activation
        return 1 if error_is_one(self.derivation) else 1 + self.count(last.slope_expr)

    def slope(self, layer: int) -> Count:
        """The factors of all slopes `∂a_k/∂z_i` of one `z_i` of the layer, over k."""
        own, other = self.entries[self.network.layer(layer).activation.name]
        return own + (self.ways(layer) - 1) * other

    @cached_property
    def entries(self) -> dict[str, tuple[int, int]]:
        """By activation: the factors of `∂a_i/∂z_i`, and of `∂a_k/∂z_i` for another k."""
        rows = {layer.activation.name: layer for layer in self.network.layers[:-1]}
        return {
            name: (self.count(la.activation.slope_expr), 0)
            if la.activation.elementwise
            else self.mixed(la.index)
            for name, la in rows.items()
        }

    def mixed(self, layer: int) -> tuple[int, int]:
        """The entries of an activation that mixes, read off a layer of two neurons."""
        result = self.derivation.at(layer)["z"].result
        rhs = rename(result.rhs, {f"n{HERE}": Integer(2)})
        expr = at_indices(Equation(result.lhs, rhs), (1,))
        adjoints = [quantity(f"g{HERE}", (k,)) for k in (1, 2)]
        own, other = (
            self.count(expr.xreplace({adjoint: Integer(adjoint == one) for adjoint in adjoints}))
            for one in adjoints
        )
        return own, other

    def count(self, expr: Expr) -> int:
        """The factors of a product, numbers not counted; at most one if slopes are `one`."""
        number = sum(not factor.is_number for factor in Mul.make_args(expr))
        return min(number, 1) if self.slopes == "one" else number

    def ends(self, reference: Reference) -> tuple[int, int | None]:
        """The neuron of a parameter, and the input of a weight."""
        if reference.name == "w":
            return self.network.ends(reference.indices)
        return reference.indices[0], None

    def total(self, reference: Reference, paths: Count, factors: Count) -> Count:
        """The factors of a gradient, its own input included."""
        return factors + paths if reference.name == "w" else factors

    def compare(self, first: Reference, second: Reference) -> Sharing:
        """The factors of the first, and those of them that the second has too."""
        one, other = _layer(first), _layer(second)
        levels = self.levels(one, one + 1, other, other + 1)
        paths, factors = levels[one]
        total = self.total(first, paths, factors)
        if one < other:
            apart = (self.width(other) - 1) * self.apart(other, levels)
            return Sharing(self.between(one, other) * (levels[other][1] + apart), total)
        neurons, inputs = zip(*map(self.ends, (first, second)), strict=True)
        same_neuron = one > other or len(set(neurons)) == 1
        common = factors if same_neuron else self.apart(one, levels)
        same_input = one == other and first.name == "w" and len(set(inputs)) == 1
        return Sharing(common + paths if same_input else common, total)

    def apart(self, layer: int, levels: dict[int, tuple[Count, Count]]) -> Count:
        """What the paths of two different neurons of a layer share: what lies above."""
        if layer == self.network.depth:
            return 0
        paths, factors = levels[layer + 1]
        weights = paths if self.mixes(layer) else 0
        return self.ways(layer) * self.width(layer + 1) * (factors + weights)

    def between(self, low: int, high: int) -> Count:
        """How many ways lead from a neuron of a layer to one neuron of a higher layer."""
        count: Count = self.ways(low)
        for layer in range(low + 1, high):
            count = count * self.width(layer) * self.ways(layer)
        return count

    def by_paths(self, layer: int, paths: Count, factors: Count) -> Count:
        """Multiplications of the gradients of a layer's parameters, path by path."""
        width, inputs = self.width(layer), self.width(layer - 1)
        biases = width * (factors - paths) if self.network.spec.bias else 0
        return width * inputs * factors + biases

    def by_deltas(self, layer: int) -> Count:
        """Multiplications of a layer's deltas and of its weights' gradients."""
        width, inputs = self.width(layer), self.width(layer - 1)
        if layer == self.network.depth:
            return width * (self.error - 1) + width * inputs
        return width * (self.width(layer + 1) + self.slope(layer)) + width * inputs
