"""ONNX's operators on single elements, which become one activation; and sums of two outputs.

In: an `Operation`. Out: a `Formula` or `Value`, or `Unread`. Must not know: graphs.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from bpderive.importers import saying
from bpderive.importers.formulas import Formula, applied, combined, named, number, settled
from bpderive.importers.graph import LOST, Value, require
from bpderive.importers.onnx_operation import Operation, Parameter, known, single
from bpderive.importers.onnx_sums import bias_of

_UNARY: Mapping[str, str] = MappingProxyType(
    {
        "Relu": "max(z, 0)",
        "Tanh": "tanh(z)",
        "Sigmoid": "sigmoid(z)",
        "Softplus": "log(1 + exp(z))",
        "Softsign": "z/(1 + abs(z))",
        "Exp": "exp(z)",
        "Erf": "erf(z)",
        "Abs": "abs(z)",
        "Neg": "-z",
        "Log": "log(z)",
        "Sqrt": "sqrt(z)",
        "Reciprocal": "1/z",
        "Mish": "z*tanh(log(1 + exp(z)))",
        "HardSwish": "where(z < 3, where(z > -3, z*(z + 3)/6, 0), z)",
    }
)


def _unary(of: Operation) -> Formula:
    return applied(of.call, of.inputs[0], _UNARY[of.call.what])


def _sloped(of: Operation) -> Formula:
    """Activations with numbers of their own."""
    a = number(
        single(
            of.settings.get(
                "alpha", {"LeakyRelu": 0.01, "Elu": 1.0, "HardSigmoid": 0.2}[of.call.what]
            )
        )
    )
    b = number(single(of.settings.get("beta", 0.5)))
    text = {
        "LeakyRelu": f"where(z > 0, z, {a}*z)",
        "Elu": f"where(z > 0, z, {a}*(exp(z) - 1))",
        "HardSigmoid": f"where({a}*z + {b} < 1, where({a}*z + {b} > 0, {a}*z + {b}, 0), 1)",
    }[of.call.what]
    return applied(of.call, of.inputs[0], text)


def _selu(of: Operation) -> Formula:
    require(not of.settings, "alpha or gamma", "neither")
    return named(of.call, of.inputs[0], "selu")


def _gelu(of: Operation) -> Formula:
    tanh = of.settings.get("approximate") == "tanh"
    return named(of.call, of.inputs[0], "gelu_tanh" if tanh else "gelu")


def _clipped(of: Operation) -> Formula:
    low = of.settings.get("min", known(of.input(1)))
    high = of.settings.get("max", known(of.input(2)))
    text = "z"
    if low is not None:
        text = f"where(z > {number(low)}, z, {number(low)})"
    if high is not None:
        text = f"where(z < {number(high)}, {text}, {number(high)})"
    return applied(of.call, of.inputs[0], text)


_REAL = (1, 10, 11, 16)
"""Single, half, double precision and bfloat16, as the standard numbers them."""
_SIGNS = {"Add": "+", "Sub": "-", "Mul": "*", "Div": "/", "Pow": "**"}


def _binary(of: Operation) -> Any:
    first, second = (_scalar(one) for one in of.inputs)
    flows = [one for one in (first, second) if isinstance(one, Value | Formula)]
    stored = [one for one in (first, second) if isinstance(one, Parameter)]
    if of.call.what == "Add" and stored and isinstance(flows[0], Value):
        return _with_bias(of, flows[0], stored[0])
    require(
        not stored, "an array of the file for all samples", "a bias after a product of matrices"
    )
    found = combined(of.call, _SIGNS[of.call.what], first, second)
    if found is not None:
        return found
    require(of.call.what == "Add", "of the outputs of two layers", "their sum")
    one, two = map(settled, flows)
    return saying.added(of.call, one, two)


def _scalar(given: Any) -> Any:
    """A number where an array has only one element."""
    array = known(given)
    single = hasattr(array, "size") and not isinstance(given, Value | Formula) and array.size == 1
    return float(array.ravel()[0]) if single else given


def _with_bias(of: Operation, source: Value, stored: Parameter) -> Value:
    """A product of matrices, and then its bias."""
    if source.lost:
        return LOST
    at = source.layer - 1
    before = of.call.graph.layers[at] if source.layer else None
    fits = (
        before is not None
        and before.item.name == "dense"
        and before.item.bias is False
        and of.alone
    )
    require(fits, "an array of the file for all samples", "a bias after a product of matrices")
    assert before is not None  # noqa: S101 - it was required
    bias = bias_of(stored, before.gives[-1])
    own = replace(before.item, bias=True)
    of.call.graph.layers[at] = replace(before, item=own, weights=(*before.weights, bias))
    return source


def unchanged(of: Operation) -> Any:
    """What gives what it takes."""
    return of.inputs[0]


def _cast(of: Operation) -> Any:
    """From one precision to another; never to whole numbers, but of tokens."""
    tokens = isinstance(of.inputs[0], Value) and of.inputs[0].kind in {"tokens", ""}
    require(tokens or of.settings.get("to") in _REAL, "to whole numbers", "real numbers")
    return of.inputs[0]


LAZY: Mapping[str, Callable[[Operation], Any]] = MappingProxyType(
    {
        **dict.fromkeys(_UNARY, _unary),
        **dict.fromkeys(("LeakyRelu", "Elu", "HardSigmoid"), _sloped),
        **dict.fromkeys(_SIGNS, _binary),
        "Selu": _selu,
        "Gelu": _gelu,
        "Clip": _clipped,
        "Identity": unchanged,
        "Cast": _cast,
    }
)
"""What takes functions of single elements before they are layers."""
