"""Pieces of text around the lines: the first lines of functions, shapes, names of equations.

In: names, tensors that are given. Out: text. Must not know: what a function computes.
"""

from collections.abc import Iterable

from sympy import Expr

from bpderive.schedule.model import Given, Line, Loop
from bpderive.targets.arrays.sizes import whole
from bpderive.targets.layout import WIDTH, collection


def told(item: Line | Loop) -> str:
    """`equation (3), of z1`."""
    lines = item.lines if isinstance(item, Loop) else (item,)
    numbers = ", ".join(f"({line.number})" for line in lines)
    labels = ", ".join(line.equation.label for line in lines)
    return f"equation{'s' * (len(lines) > 1)} {numbers}, of {labels}"


def head(name: str, given: Iterable[str], result: str, first: tuple[str, ...] = ()) -> str:
    """`def loss(params: Params, x: Array) -> float:`."""
    items = [*first, *(f"{name}: Array" for name in given)]
    line = f"def {name}({', '.join(items)}) -> {result}:"
    if len(line) <= WIDTH:
        return line
    together = f"    {', '.join(items)}"
    if len(together) <= WIDTH:
        return f"def {name}(\n{together}\n) -> {result}:"
    return collection(f"def {name}", items, f" -> {result}:", "()", indent=0)


def init_head(*, symbolic: bool) -> str:
    """The first line of `init`."""
    if symbolic:
        return (
            "def init(\n"
            '    rng: np.random.Generator, sizes: dict[str, int], scheme: str = "xavier"\n'
            ") -> Params:"
        )
    return 'def init(rng: np.random.Generator, scheme: str = "xavier") -> Params:'


def heads(inputs: list[str], given: list[str]) -> dict[str, str]:
    """The first lines of the functions."""
    params, both = ("params: Params",), "tuple[float, Params]"
    return {
        "forward_head": head("forward", inputs, "Array", params),
        "states_head": head("_forward", inputs, "tuple[Array, ...]", params),
        "loss_head": head("loss", given, "float", params),
        "grad_head": head("loss_and_grad", given, both, params),
        "input_head": head("input_grad", given, "dict[str, Array]", params),
        "backward_head": head("_backward", given, both, params),
    }


def shape_text(given: Given) -> str:
    """`("N", 3)`: numbers, and the names of sizes."""
    items = [item_text(size) for size in given.sizes]
    return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"


def item_text(size: Expr) -> str:
    """A size in a shape: a number, or its name in quotes."""
    return str(size) if size.is_Integer else f'"{size if size.is_Symbol else whole(size).flat}"'


def checked_line(names: list[str]) -> str:
    """The line that checks what is given."""
    args = ", ".join(names)
    return f"params, {args} = _check(params, {args})"


def tuple_items(names: list[str]) -> list[str]:
    """The items of a tuple: one is followed by a comma."""
    return names if len(names) > 1 else [f"({names[0]},)"]


def symbols_of(given: Iterable[Given]) -> list[str]:
    """The names of sizes among the axes."""
    return sorted({str(s) for g in given for size in g.sizes for s in size.free_symbols})
