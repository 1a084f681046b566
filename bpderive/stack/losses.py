"""The loss of a network's last output, as an equation written for its general labels.

In: a row of the catalogue of losses, the last module. Out: the equation. Must not know: places.
"""

from sympy import Expr, Integer, Mul, Symbol

from bpderive.catalog import Loss
from bpderive.functions import scalar_symbol
from bpderive.functions.conditions import merged
from bpderive.index import Axis, Equation, Fresh, Tensor, element, sum_over
from bpderive.modules.labels import label
from bpderive.modules.model import Module

SAMPLE = "n"


def loss_equation(row: Loss, module: Module, target: str, root: str) -> Equation:
    """The loss, summed over the outputs, and over the samples where there are any.

    Where the row takes the mean over the outputs, that is over all axes but the samples'.
    """
    fresh = Fresh(300_000)
    declared = module.by_name[module.output]
    letters = [k for axis in declared.axes for k in axis.name.split(",")]
    symbols = {k: fresh(k) for k in letters}
    indices = tuple(_index(axis, symbols, module) for axis in declared.axes)
    values = {row.argument: element(label(declared.name), indices), "y": element(target, indices)}
    body = row.definition.xreplace({scalar_symbol(k): v for k, v in values.items()})
    constant, body = body.as_coeff_Mul()
    for letter in reversed(letters):
        body = sum_over(body, symbols[letter], module.range_of(letter))
    return Equation(Symbol(root), constant * _scale(row, letters, module) * body)


def _index(axis: Axis, symbols: dict[str, Symbol], module: Module) -> Expr:
    parts = axis.name.split(",")
    if len(parts) == 1:
        return symbols[parts[0]]
    return merged(*(x for k in parts for x in (symbols[k], module.range_of(k))))


def _scale(row: Loss, letters: list[str], module: Module) -> Expr:
    if row.combine != "mean":
        return Integer(1)
    return 1 / Mul(*(module.range_of(k) for k in letters if k != SAMPLE))


def target_of(output: Tensor, taken: frozenset[str]) -> Tensor:
    """What the output is compared with: `y`, or `target` where the network has a y of its own."""
    name = "target" if "y" in taken else "y"
    return Tensor(name, None, output.axes, "target")
