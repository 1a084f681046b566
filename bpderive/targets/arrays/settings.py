"""What the template of a module asks for: names, switches and constants.

In: a `Module`. Out: text. Must not know: how lines are written.
"""

from typing import TYPE_CHECKING, Any

from bpderive.targets.arrays import words
from bpderive.targets.arrays.heads import (
    checked_line,
    heads,
    init_head,
    item_text,
    shape_text,
    symbols_of,
)
from bpderive.targets.arrays.pieces import training
from bpderive.targets.arrays.preparing import checked
from bpderive.targets.layout import collection
from bpderive.targets.printer import number

if TYPE_CHECKING:
    from bpderive.targets.arrays.file import Module

GIVEN_ROLES = ("input", "tokens", "data", "target")


def signatures(
    module: "Module", inputs: list[str], given: list[str], output: str
) -> dict[str, Any]:
    """The functions' arguments, as they are written and as they are told."""
    told = words.Told(module.computation, module.block)
    return {
        "output": output,
        "inputs_told": told.inputs(GIVEN_ROLES[:3]),
        "output_told": told.output(output, module.shapes[module.computation.output].sizes),
        "inputs_checked": checked_line(inputs),
        **heads(inputs, given),
        "given_told": told.inputs(GIVEN_ROLES),
        "given_checked": checked_line(given),
        "given_args": ", ".join(given),
        "train_typed": "\n".join(f"    {name}: Array," for name in given),
        "first": next((n for n in given if module.by_sample(n)), given[0]),
        "batch_args": ", ".join(f"{n}[rows]" if module.by_sample(n) else n for n in given),
    }


def settings(module: "Module") -> dict[str, Any]:
    """The switches of the template."""
    computation = module.computation
    parameters = [g for g in computation.given if g.role == "parameter"]
    symbolic = any(not s.is_Integer for g in parameters for s in g.sizes)
    ones = sorted(g.label for g in parameters if g.label.startswith("gamma") and len(g.sizes) < 2)
    drawing = words.Drawing(computation, module.lines, module.shapes)
    return {
        **training(),
        "reduction": words.reduction(computation),
        "input_grads": len(computation.gradients) > len(parameters),
        "symbolic": symbolic,
        "init_head": init_head(symbolic=symbolic),
        "shape_name": "axes" if symbolic else "shape",
        "or_size": ", or a size is missing" if symbolic else "",
        "filled": 'np.full(shape, float(key.startswith("gamma")))' if ones else "np.zeros(shape)",
        "plain": "zero, and one for gamma" if ones else "zero",
        "checked": checked(module.lines),
        "trained": computation.samples,
        "mean": computation.mean,
        "bare": not parameters,
        "tokens": bool(drawing.tokens()),
        "weighted": " * len(rows)" if computation.mean else "",
        "averaged": " / count" if computation.mean else "",
        "drawn_sizes": drawing.sizes(symbols_of(parameters)),
        "drawn": drawing.given(),
    }


def constants(module: "Module") -> str:
    """Shapes, and numbers that have names."""
    computation = module.computation
    groups = [("SHAPES", ("parameter",)), ("GIVEN", GIVEN_ROLES)]
    symbolic = bool(symbols_of(g for g in computation.given if g.role == "parameter"))
    rows = ["Shape = tuple[int | str, ...]"]
    for name, roles in groups:
        given = [g for g in computation.given if g.role in roles]
        given.sort(key=lambda g: g.role == "target")
        items = (f'"{g.label}": {shape_text(g)}' for g in given)
        kind = "Shape" if symbolic or name == "GIVEN" else "tuple[int, ...]"
        rows.append(collection(f"{name}: dict[str, {kind}] = ", items, "", "{}", indent=0))
    tokens = words.Drawing(computation, module.lines, module.shapes).tokens()
    if tokens:
        items = (f'"{k}": {item_text(size)}' for k, size in tokens.items())
        rows.append(collection("TOKENS: dict[str, int | str] = ", items, "", "{}", indent=0))
    for label, value in computation.numbers.items():
        sign = "-" if value < 0 else ""
        rows.append(f"{module.block.name(label)} = {sign}{number(abs(value)).text}")
    return "\n".join(rows)
