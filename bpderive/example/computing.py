"""Every number of an example, from the derivation's own scalar forms.

In: a `Derivation` and `Values`. Out: an `Example`. The forward pass is its equations in their
order, the backward pass the deltas from the last layer to the first; no number that is printed
rounded is used rounded. Must not know: where the values come from.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from sympy import Expr, Symbol

from bpderive.derive import Derivation
from bpderive.errors import SpecError
from bpderive.example.model import Example, Numbers, Values, names, parameters, shapes
from bpderive.example.numbers import NoValueError, value_of
from bpderive.forms.numbering import numbering
from bpderive.forms.scalar import definition, delta_form, quantity, reference_of
from bpderive.network import Network

DIGITS = 4
"""Significant digits that are printed, where nobody asks for more."""

DOMAINS: Mapping[str, Callable[[Expr], bool]] = {
    "real": lambda _: True,
    "unit": lambda a: bool(0 < a < 1),
    "positive": lambda a: bool(a > 0),
}
"""Which outputs a loss takes, by its domain."""

Forms = Mapping[str, Expr]
"""Expressions by the names of what they define, in the order of computation."""


def compute(derivation: Derivation, values: Values, digits: int = DIGITS) -> Example:
    """The example of these values.

    Raises:
        SpecError: the loss, or what leads to it, has no value at them.
    """
    return Engine(derivation).example(values, (values.eta,), digits)


class Engine:
    """The expressions of one network, written out once, and worked out at any values."""

    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation
        self.network = derivation.network
        self.forward = self.forms(forward_names(self.network))
        self.backward = self.forms(backward_names(self.network))
        self.gradients = {
            name: delta_form(derivation, reference_of(Symbol(name)))
            for name in parameter_names(derivation)
        }

    def forms(self, found: Iterable[str]) -> Forms:
        """What each of these stands for, one step down."""
        return {name: definition(self.derivation, Symbol(name)) for name in found}

    def example(self, values: Values, rates: Sequence[Expr], digits: int) -> Example:
        """The example at the first of the rates at which the loss falls, or at the last.

        Raises:
            SpecError: a quantity has no value.
        """
        try:
            numbers = work(self.forward, values.numbers)
            numbers = work(self.backward, numbers)
            slopes = {name: value_of(form, numbers) for name, form in self.gradients.items()}
        except NoValueError as error:
            raise SpecError.single(
                f"a quantity has no value at these numbers: {error.args[0]}",
                accepted="other values, such as an output that the loss can take",
            ) from error
        for eta in rates:
            updated = {name: numbers[name] - eta * slope for name, slope in slopes.items()}
            moved = self.after({**values.numbers, **updated})
            if self.inside(moved) and moved["L"] < numbers["L"]:
                break
        return Example(replace(values, eta=eta), numbers, slopes, updated, moved, digits)

    def inside(self, moved: Numbers) -> bool:
        """Whether the loss takes the outputs after the step."""
        inside = DOMAINS[self.network.loss.domain]
        outputs = names(f"a{self.network.depth}", (int(self.network.outputs),))
        return bool(moved) and all(inside(moved[name]) for name in outputs)

    def after(self, numbers: Numbers) -> Numbers:
        """The forward pass after the step; nothing where the loss has no value."""
        with suppress(NoValueError):
            found = work(self.forward, numbers)
            return {name: found[name] for name in self.forward}
        return {}


def work(forms: Forms, numbers: Numbers) -> Numbers:
    """The numbers, and those of the forms, each from what stands before it.

    Raises:
        NoValueError: one has no real value; it is named.
    """
    found = dict(numbers)
    for name, form in forms.items():
        try:
            found[name] = value_of(form, found)
        except NoValueError:
            raise NoValueError(name) from None
    return found


def forward_names(network: Network) -> Iterator[str]:
    """Every z and a, layer by layer; the loss's own stage; the loss."""
    for layer in network.layers:
        for letter in "za":
            yield from names(f"{letter}{layer.index}", (int(layer.width),))
    if network.stage is not None:
        yield from names("p", (int(network.outputs),))
    yield str(quantity("L").name)


def backward_names(network: Network) -> Iterator[str]:
    """Every delta from the last layer to the first, and what has a name on the way (`g1[1]`)."""
    named = numbering(network).named_adjoints
    for layer in reversed(network.layers):
        if layer.index in named:
            yield from names(f"g{layer.index}", (int(layer.width),))
        yield from names(f"delta{layer.index}", (int(layer.width),))


def parameter_names(derivation: Derivation) -> Iterator[str]:
    """Every weight and bias, layer by layer."""
    found = shapes(derivation)
    for layer in derivation.network.layers:
        for letter in parameters(derivation.network):
            label = f"{letter}{layer.index}"
            yield from names(label, found[label])
