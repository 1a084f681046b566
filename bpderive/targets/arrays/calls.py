"""Functions of arrays: softmax, activations and slopes, logarithms.

In: nodes of an index expression, and the `Lowering` of the line that they stand in. Out: arrays.
Must not know: products and sums.
"""

from typing import TYPE_CHECKING

from sympy import Expr, Indexed, Integer, log
from sympy import Function as SymPyFunction
from sympy.core.function import AppliedUndef

from bpderive.errors import UnsupportedError
from bpderive.index import element, label_of
from bpderive.targets.arrays.model import Array, union
from bpderive.targets.arrays.softmax import normal, softmax_argument
from bpderive.targets.layout import ATOM, Invoke, Text
from bpderive.targets.printer import FUNCTIONS

if TYPE_CHECKING:
    from bpderive.targets.arrays.lowering import Lowering


def softmax(lowering: "Lowering", expr: Expr) -> Array | None:
    """The softmax of `exp(u)/Σ exp(u)`, along the sum's index; a condition hides the rest."""
    found = softmax_argument(expr)
    if found is None:
        return None
    argument, condition, index, rest = found
    value = lowering.value(argument)
    axes = tuple(a for a in lowering.order if a in value.axes)
    if condition is not None:
        mask = lowering.array(condition)
        axes = union((value, mask), lowering.order)
        args = (mask.at(axes).code, value.at(axes).code, Text("-np.inf"))
        value = Array(Invoke("np.where", args), axes)
    lowering.block.helpers.add("softmax")
    place = axes.index(index)
    where = () if place == len(axes) - 1 else (Text(f"axis={place}"),)
    array = Array(Invoke("softmax", (value.at(axes).code, *where)), axes)
    return array if rest == 1 else lowering.quotient(Integer(1), [lowering.array(rest), array], [])


def function(lowering: "Lowering", expr: SymPyFunction) -> Array:
    """A function of each element."""
    name = expr.func.__name__
    arrays = [lowering.value(arg) for arg in expr.args]
    axes = union(arrays, lowering.order)
    known = FUNCTIONS.get(name)
    if known is None:
        raise UnsupportedError(f"no NumPy form for the function {name}")
    if "." not in known:
        lowering.block.helpers.add(known)
    return Array(Invoke(known, tuple(a.at(axes).code for a in arrays)), axes)


def logarithm(lowering: "Lowering", expr: log) -> Array:
    """A logarithm, of probabilities by itself."""
    found = normal(expr, lowering.outputs)
    return function(lowering, expr) if found is None else lowering.array(found)


def activation(lowering: "Lowering", expr: AppliedUndef) -> Array:
    """An activation or its slope, of a tensor that has a name."""
    name = str(expr.func)
    if name.removesuffix("'") not in lowering.functions.activations:
        raise UnsupportedError(f"no NumPy form for the function {name}")
    argument = expr.args[0]
    value = named(lowering, argument)
    given = {"z": value}
    parameters = lowering.functions.parameters(name)
    if "a" in parameters:
        given["a"] = output(lowering, name.removesuffix("'"), argument)
        given["a"] = given["a"].transposed(value.axes)
    code, mask = lowering.functions.call(name, tuple(given[p].code.flat for p in parameters))
    return Array(code, value.axes, mask=mask)


def named(lowering: "Lowering", expr: Expr) -> Array:
    """A value under a name; one that has none gets it on a line before."""
    found = lowering.value(expr)
    if found.code.level == ATOM and "(" not in found.code.flat:
        return found
    name = lowering.block.fresh("u")
    lowering.block.assign(name, found.code, lowering.comment)
    return Array(Text(name), found.axes)


def output(lowering: "Lowering", name: str, argument: Expr) -> Array:
    """`a`, where there is a tensor `a = f(z)`, else `f(z)` anew."""
    if isinstance(argument, Indexed):
        label = lowering.outputs.get((name, label_of(argument)))
        if label is not None:
            return lowering.value(element(label, argument.indices))
    return named(lowering, SymPyFunction(name)(argument))
