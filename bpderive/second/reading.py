"""A derivation of either kind as plain lists of equations.

In: a `Derivation` or a `StackDerivation`. Out: `Equations`. Must not know: what is derived of them.
"""

from collections.abc import Iterable, Iterator

from sympy import Expr, Mul, Symbol

from bpderive.backprop import StackDerivation
from bpderive.backprop.kinds import constants
from bpderive.derive import Derivation
from bpderive.functions.conditions import merged
from bpderive.index import Axis, Equation, Names, Partial, element, indices_of, rename
from bpderive.modules.labels import label
from bpderive.second.model import Equations, Shape


def of_stack(derivation: StackDerivation) -> Equations:
    """The equations of a network of any layers."""
    stack = derivation.stack
    parameters: dict[str, Shape] = {}
    shapes: dict[str, Shape] = {
        stack.input.label: stack.input.sizes,
        stack.target.label: stack.target.sizes,
    }
    for place in stack.places:
        for tensor in place.module.tensors:
            own = str(place.names[label(tensor.name)])
            sizes = _sizes(tensor.axes, Names(place.names))
            shapes.setdefault(own, sizes)
            if tensor.role == "parameter":
                parameters[own] = sizes
    shapes.update(_defined((*derivation.forward, *derivation.backward)))
    return Equations(
        forward=derivation.forward,
        backward=derivation.backward,
        parameters=parameters,
        gradients={name: f"d{name}" for name in parameters},
        inputs={} if stack.tokens else {stack.input.label: stack.input.sizes},
        output=stack.output.label,
        activations=stack.activations,
        constant=constants(derivation.forward),
        shapes=shapes,
    )


def of_dense(derivation: Derivation) -> Equations:
    """The equations of a network of dense layers, for one sample."""
    network = derivation.network
    forward: list[Equation] = []
    backward: list[Equation] = []
    parameters: dict[str, Shape] = {}
    for layer in network.layers:
        graph = network.graph(network.kind(layer.index))
        own = graph.equations if layer.index == network.depth else graph.equations[:2]
        forward += [e.renamed(network.names(layer.index)) for e in own]
    for layer in reversed(network.layers):
        for letter, found in derivation.at(layer.index).items():
            equation = found.result.renamed(network.names(layer.index))
            if letter in "wb":
                name = f"{letter}{layer.index}"
                parameters[name] = equation.sizes
                equation = _named(equation, f"d{name}")
            if not isinstance(equation.lhs, Partial):
                backward.append(equation)
    shapes = _defined((*forward, *backward))
    shapes |= parameters | {"x": (network.inputs,), "y": (network.outputs,)}
    return Equations(
        forward=tuple(forward),
        backward=tuple(backward),
        parameters=dict(sorted(parameters.items(), key=lambda item: item[0][1:].zfill(9))),
        gradients={name: f"d{name}" for name in parameters},
        inputs={"x": (network.inputs,)},
        output=f"a{network.depth}",
        activations=network.activations,
        constant=frozenset(),
        shapes=shapes,
    )


def _named(equation: Equation, name: str) -> Equation:
    return Equation(element(name, indices_of(equation.lhs)), equation.rhs, equation.sizes)


def _sizes(axes: Iterable[Axis], names: Names) -> Shape:
    return tuple(rename(axis.size, names) for axis in axes)


def _defined(equations: Iterable[Equation]) -> dict[str, Shape]:
    """The sizes of what equations define."""
    return {e.label: tuple(_axes(e)) for e in equations if not isinstance(e.lhs, Symbol)}


def _axes(equation: Equation) -> Iterator[Expr]:
    sizes = dict(zip(equation.indices, equation.sizes, strict=True))
    for index in indices_of(equation.lhs):
        yield Mul(*index.sizes) if isinstance(index, merged) else sizes[index]
