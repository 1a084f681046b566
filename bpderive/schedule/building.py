"""What is computed in which order: a derivation as a program for any target.

In: a `StackDerivation`. Out: a `Computation`. Must not know: any target's syntax.
"""

from collections.abc import Iterator

from sympy import Symbol

from bpderive.backprop import StackDerivation
from bpderive.index import Axis, Names, label_of, rename
from bpderive.modules.labels import label
from bpderive.schedule.model import Computation, Given, Line
from bpderive.schedule.order import ordered
from bpderive.stack.model import Place, Stack


def build(derivation: StackDerivation) -> Computation:
    """The computation of a network's loss and of all its gradients."""
    stack = derivation.stack
    forward = [
        Line(equation.renamed(place.names), 0, place.number)
        for place in stack.places
        for equation in place.module.equations
    ]
    loss = Line(derivation.loss, 0, stack.depth)
    backward = [Line(equation, 0, number) for number, equation in derivation.numbered]
    if not stack.alone:  # nobody asks for the derivative by the input
        backward = [line for line in backward if line.equation.label != stack.sent]
    lines = _numbered([*forward, loss, *backward])
    middle = len(forward)
    return Computation(
        name=stack.spec.slug,
        layers=tuple(place.text for place in stack.places),
        given=tuple(_given(stack)),
        forward=tuple(ordered(lines[:middle])),
        loss=lines[middle],
        backward=tuple(ordered(lines[middle + 1 :])),
        gradients=tuple(_gradients(stack)),
        output=stack.output.label,
        numbers=stack.numbers,
        activations=stack.activations,
        mean=stack.spec.reduction == "mean" and stack.samples,
        samples=stack.samples,
    )


def _numbered(lines: list[Line]) -> list[Line]:
    """The equations counted as in the document: forward, the loss, backward."""
    return [Line(line.equation, k, line.layer) for k, line in enumerate(lines, 1)]


def _given(stack: Stack) -> Iterator[Given]:
    role = "tokens" if stack.tokens else "input"
    yield _tensor(stack.input.label, stack.input.axes, role, 0)
    yield _tensor(stack.target.label, stack.target.axes, "target", stack.depth)
    for place in stack.places:
        for tensor in place.module.tensors:
            own = str(place.names[label(tensor.name)])
            kept = tensor.role == "parameter" and place.tied is None
            if kept or (tensor.role == "data" and own != stack.input.label):
                axes = tuple(Axis(a.name, rename(a.size, Names(place.names))) for a in tensor.axes)
                yield _tensor(own, axes, tensor.role, place.number)


def _tensor(name: str, axes: tuple[Axis, ...], role: str, layer: int) -> Given:
    letters, sizes = tuple(a.name for a in axes), tuple(a.size for a in axes)
    return Given(name, letters, sizes, role, layer)  # type: ignore[arg-type] # one of its roles


def _gradients(stack: Stack) -> Iterator[tuple[str, str]]:
    for place in stack.places:
        yield from () if place.tied else _own(place)


def _own(place: Place) -> Iterator[tuple[str, str]]:
    for tensor in place.module.of_role("parameter"):
        own = label_of(Symbol(str(place.names[label(tensor.name)])))
        yield own, f"d{own}"
