"""PyTorch's functions of single elements, which become one activation; and sums of two outputs.

In: an `Applied`. Out: a `Formula` or `Value`, or `Unread`. Must not know: how the graph was found.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from bpderive.importers import saying
from bpderive.importers.formulas import Formula, applied, combined, named, settled
from bpderive.importers.graph import LOST, Call, Value, require
from bpderive.importers.torch_activations import FUNCTIONS as ACTIVATIONS
from bpderive.importers.torch_activations import activation


@dataclass(frozen=True)
class Applied:
    """A function's node; `args` are values that flow, or what is known of the model itself."""

    call: Call
    args: tuple[Any, ...]
    named: Mapping[str, Any]
    name: Callable[[Any], str]

    def told(self, *names: str, **defaults: Any) -> dict[str, Any]:
        """The arguments after the first, by their names in order."""
        return defaults | dict(zip(names, self.args[1:], strict=False)) | dict(self.named)


_SIGNS = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "div": "/", "pow": "**"}


def _arithmetic(of: Applied) -> Any:
    """A sum of two layers' outputs; or a function of each element, by its base and numbers."""
    name = of.call.what.strip("_").removeprefix("i")
    require(of.named.get("alpha", 1) == 1, "alpha", "alpha=1")
    require(len(of.args) == 2 and not of.told().get("rounding_mode"), "rounding_mode", "none")
    first, second = of.args
    flows = [one for one in of.args if isinstance(one, Value | Formula)]
    numbers = all(isinstance(one, int | float | Value | Formula) for one in of.args)
    require(numbers, "with numbers that are no layer's output", "the outputs of two layers")
    if any(one.lost for one in flows if isinstance(one, Value)):
        return LOST
    found = combined(of.call, _SIGNS[name], first, second)
    if found is not None:
        return found
    require(name == "add", "of the outputs of two layers", "their sum")
    one, two = map(settled, flows)
    return saying.added(of.call, one, two)


_UNARY = {
    "neg": "-z",
    "abs": "abs(z)",
    "sqrt": "sqrt(z)",
    "log": "log(z)",
    "erf": "erf(z)",
    "square": "z**2",
}


def _unary(of: Applied) -> Formula:
    return applied(of.call, of.args[0], _UNARY[of.call.what])


def _activated(of: Applied) -> Formula:
    kind, names = ACTIVATIONS[of.call.what]
    return named(of.call, of.args[0], activation(kind, of.told(*names)))


LAZY: Mapping[str, Callable[[Applied], Any]] = MappingProxyType(
    {
        **dict.fromkeys((*_SIGNS, "add_", "iadd", "imul", "isub"), _arithmetic),
        **dict.fromkeys(_UNARY, _unary),
        **dict.fromkeys(ACTIVATIONS, _activated),
    }
)
"""What takes functions of single elements before they are layers."""
