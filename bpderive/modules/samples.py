"""A module for one sample: the same equations without the axis of the samples.

In: a `Module` whose tensors have an axis `n`. Out: the module without it, or None where samples
are mixed, as batch normalisation does. Must not know: networks.
"""

from dataclasses import replace

from sympy import Expr, Indexed

from bpderive.index import Equation, element, label_of, rebuild
from bpderive.modules.labels import label
from bpderive.modules.model import Declared, Module

SAMPLE = "n"


def single(module: Module) -> Module | None:
    """The module for one sample."""
    size = module.ranges.get(SAMPLE)
    if size is None:
        return module
    if any(equation.rhs.has(size) for equation in module.equations) or _shared(module):
        return None
    places = {label(tensor.name): _place(tensor) for tensor in module.tensors}
    return replace(
        module,
        tensors=tuple(
            replace(t, axes=tuple(axis for axis in t.axes if axis.name != SAMPLE))
            for t in module.tensors
        ),
        equations=tuple(_single(equation, places) for equation in module.equations),
    )


def _shared(module: Module) -> bool:
    """Whether a parameter has samples, or a tensor that the output needs has them not first."""
    return any(SAMPLE in axis.name for t in module.of_role("parameter") for axis in t.axes)


def _place(tensor: Declared) -> int | None:
    names = [axis.name for axis in tensor.axes]
    return names.index(SAMPLE) if SAMPLE in names else None


def _single(equation: Equation, places: dict[str, int | None]) -> Equation:
    place = places[equation.label]
    sizes = (
        equation.sizes if place is None else (*equation.sizes[:place], *equation.sizes[place + 1 :])
    )
    return Equation(_without(equation.lhs, places), _without(equation.rhs, places), sizes)


def _without(expr: Expr, places: dict[str, int | None]) -> Expr:
    if isinstance(expr, Indexed):
        place = places.get(label_of(expr))
        indices = [_without(i, places) for k, i in enumerate(expr.indices) if k != place]
        return element(label_of(expr), tuple(indices))
    return rebuild(expr, [_without(arg, places) for arg in expr.args]) if expr.args else expr
