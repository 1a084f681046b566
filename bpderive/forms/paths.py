"""The path form: the chain rule along every route from a quantity to the loss.

In: a `Derivation` and a `Reference`. Out: the factors of each route, from the loss down, their
products, and the sum over all routes. Must not know: letters, words, arrays.

Every factor is read off a derived equation: `∂L/∂a2[k] = Σ_m delta3[m] w3[m,k]` is linear in the
derivatives above it, and the coefficient of `delta3[m]` is `∂z3[m]/∂a2[k]`. Where an output
layer's slope has cancelled against the loss, or mixes the outputs, `∂L/∂z` is one factor.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from sympy import Add, Expr, Function, Integer, Mul, Symbol
from sympy.core.function import AppliedUndef

from bpderive.catalog import Activation
from bpderive.derive import Derivation
from bpderive.forms.routes import LIMIT, Route, check_count, route_count, routes, stops
from bpderive.forms.scalar import (
    delta_form,
    quantity,
    reference_of,
    symbol_of,
    write_out,
)
from bpderive.reference import Reference

LOSS = Symbol("L")
ADJOINTS = {"z": "delta", "a": "g"}


@dataclass(frozen=True)
class Factor:
    """`∂numerator/∂denominator = value`.

    `slope` is the same by name (`sigmoid'(z2[1])`), where it is the slope of an activation.
    """

    numerator: Symbol
    denominator: Symbol
    value: Expr
    slope: Expr | None = None


def path_factors(derivation: Derivation, reference: Reference, route: Route) -> tuple[Factor, ...]:
    """The factors of one route, from the loss down to the quantity itself."""
    return _Chain(derivation, reference).factors(route)


def path_terms(
    derivation: Derivation, reference: Reference, limit: int = LIMIT
) -> Iterator[tuple[Route, Expr]]:
    """Each route to the loss and the product of its factors.

    Raises:
        UnsupportedError: there are more than `limit` routes, with their number.
    """
    check_count(route_count(derivation.network, reference), str(reference), limit)
    chain = _Chain(derivation, reference)
    return (
        (route, Mul(*(factor.value for factor in chain.factors(route))))
        for route in routes(derivation.network, reference)
    )


def paths_form(derivation: Derivation, reference: Reference, limit: int = LIMIT) -> Expr:
    """The sum over every route, in a, z, w, x and y."""
    return Add(*(term for _, term in path_terms(derivation, reference, limit)))


def error_is_one(derivation: Derivation) -> bool:
    """Whether `∂L/∂z` of the output is one factor: its slope cancelled, or mixes the outputs."""
    depth = derivation.network.depth
    derived = derivation.at(depth)["z"]
    cancelled = any(step.rule == "cancel" for step in derived.steps)
    return cancelled or not derivation.network.layer(depth).activation.elementwise


class _Chain:
    """The factors along the routes of one quantity, each worked out once."""

    def __init__(self, derivation: Derivation, reference: Reference) -> None:
        self.derivation = derivation
        self.reference = reference
        self.one_error = error_is_one(derivation)
        self.links: dict[tuple[Reference, Reference], Factor] = {}
        self.errors: dict[Reference, tuple[Factor, ...]] = {}

    def factors(self, route: Route) -> tuple[Factor, ...]:
        steps = stops(self.derivation.network, self.reference, route)
        links = [self.link(lower, upper) for lower, upper in pairwise(steps)]
        return (*self.error(steps[-1]), *reversed(links), *self.start(steps[0]))

    def start(self, stop: Reference) -> tuple[Factor, ...]:
        """`∂z1[1]/∂w1[1,2] = x[2]`; nothing where the route starts at the quantity itself."""
        if self.reference.name not in ("w", "b"):
            return ()
        value = self.coefficient(self.reference, stop)
        return (Factor(symbol_of(stop), symbol_of(self.reference), value),)

    def link(self, lower: Reference, upper: Reference) -> Factor:
        """`∂upper/∂lower` of two neighbours on a route."""
        if (lower, upper) not in self.links:
            self.links[lower, upper] = self._link(lower, upper)
        return self.links[lower, upper]

    def _link(self, lower: Reference, upper: Reference) -> Factor:
        if upper.name == "a" and self.row(upper).elementwise:
            return self.slope(lower, upper)
        return Factor(symbol_of(upper), symbol_of(lower), self.coefficient(lower, upper))

    def coefficient(self, lower: Reference, upper: Reference) -> Expr:
        """What stands before the derivative by `upper` in the derivative by `lower`."""
        expr = delta_form(self.derivation, lower)
        wanted = quantity(f"{ADJOINTS[upper.name]}{upper.layer}", upper.indices)
        adjoints = [s for s in expr.free_symbols if reference_of(s).name in ADJOINTS.values()]
        return expr.xreplace({symbol: Integer(symbol == wanted) for symbol in adjoints})

    def slope(self, lower: Reference, upper: Reference) -> Factor:
        """`∂a2[1]/∂z2[1] = sigmoid'(z2[1])`."""
        function: type[AppliedUndef] = Function(f"{self.row(upper).name}'")
        slope = function(symbol_of(lower))
        value = write_out(slope, self.derivation.network)
        return Factor(symbol_of(upper), symbol_of(lower), value, None if value == 1 else slope)

    def row(self, at: Reference) -> Activation:
        assert at.layer is not None  # noqa: S101
        return self.derivation.network.layer(at.layer).activation

    def error(self, stop: Reference) -> tuple[Factor, ...]:
        """`∂L/∂stop` at the output, and the output's slope where that is a factor of its own."""
        if stop not in self.errors:
            self.errors[stop] = self._error(stop)
        return self.errors[stop]

    def _error(self, stop: Reference) -> tuple[Factor, ...]:
        if stop.name == "z" and not self.one_error:
            output = Reference("a", stop.layer, stop.indices)
            return (*self.error(output), self.slope(stop, output))
        value = delta_form(self.derivation, stop)
        return (Factor(LOSS, symbol_of(stop), value),)
