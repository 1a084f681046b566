"""Lines of a Python module around its loops: heads of functions, tuples, calls.

In: names and lines. Out: text as `ruff format` leaves it. Must not know: equations.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from sympy import Pow

from bpderive.targets.layout import Code, Invoke, Text, collection


def head(name: str, parameters: list[str], returns: str) -> str:
    """`def forward(params: Params, x: Any) -> list[Any]:`."""
    tail = f" -> {returns}:"
    code = Invoke(f"def {name}", tuple(map(Text, parameters)))
    return code.lines(0, 0, len(tail)) + tail


def statement(head: str, code: Code) -> str:
    """`head code` in a function."""
    return f"    {head}{code.lines(4, 4 + len(head))}"


def checked(names: list[str]) -> str:
    """`params, x = _check(params, x)`."""
    head = f"{', '.join(['params', *names])} = "
    return statement(head, Invoke("_check", tuple(map(Text, ["params", *names]))))


def is_root(rhs: Any) -> bool:
    """Whether it is the root of something that a positive number is added to."""
    return bool(
        isinstance(rhs, Pow)
        and rhs.exp.is_positive
        and rhs.base.is_Add
        and any(term.is_number and term.is_positive for term in rhs.base.args)
    )


def strings(labels: Iterable[str]) -> str:
    """The items of a tuple of strings."""
    texts = [f'"{label}"' for label in labels]
    return ", ".join(texts) + "," * (len(texts) == 1)


def value_of(lines: list[str]) -> Iterator[str]:
    """Lines whose last assignment, that of L, is what is returned."""
    last = max(k for k, line in enumerate(lines) if line.startswith("    L = "))
    yield from lines[:last]
    yield lines[last].replace("    L = ", "    return ", 1)
    yield from lines[last + 1 :]


def words_of(lines: Iterable[str]) -> set[str]:
    """The names in lines of code."""
    return set(re.findall(r"[A-Za-z_]\w*", re.sub(r"  # .*", "", "\n".join(lines))))


def unpacked(states: list[str], used: set[str], source: str) -> str:
    """`_, a1 = states`, with names for those that are used."""
    names = [state if state in used else "_" for state in states]
    while names[:2] == ["_", "_"]:
        names = names[1:]
    if names[:1] == ["_"] and len(names) < len(states):
        names[0] = "*_"
    items = names if len(names) > 1 else [f"({names[0]},)"]
    return collection("", items, f" = {source}")


def opened(states: list[str], used: set[str]) -> list[str]:
    """`_, a1 = states`, where one of them is used."""
    return [unpacked(states, used, "states")] if used & set(states) else []


def returned(states: list[str]) -> str:
    """`return z1, a1`."""
    return collection("return ", states if len(states) > 1 else [f"({states[0]},)"])


def call(function: str, names: Iterable[str], *more: str) -> str:
    """`_forward(params, x)`."""
    return f"{function}({', '.join(['params', *names, *more])})"


def heads(inputs: list[str], given: list[str], compared: list[str]) -> dict[str, str]:
    """The first lines of functions, and the calls of one by another.

    Args:
        inputs: what the layers take.
        given: the same, and the target.
        compared: what the loss takes beside the layers' states.
    """
    params, states = "params: Params", "states: tuple[Any, ...]"
    every = [params, *(f"{name}: Sequence[Any]" for name in given)]
    inner = [params, *(f"{name}: Any" for name in given)]
    loss = [*(f"{name}: Any" for name in compared), states]
    forward = call("_forward", inputs)
    inner_loss = Invoke("_loss", tuple(map(Text, [*compared, forward])))
    return {
        "forward_head": head("forward", every[:-1], "list[Any]"),
        "loss_head": head("loss", every, "float"),
        "grad_head": head("loss_and_grad", every, "tuple[float, Params]"),
        "inner_forward_head": head("_forward", inner[:-1], "tuple[Any, ...]"),
        "inner_loss_head": head("_loss", loss, "float"),
        "backward_head": head("_backward", [*inner, states], "Params"),
        "inputs_checked": checked(inputs),
        "given_checked": checked(given),
        "loss_call": statement("return ", inner_loss),
        "grad_calls": f"    states = {forward}\n"
        f"    L = _loss({', '.join([*compared, 'states'])})\n"
        f"    return L, {call('_backward', given, 'states')}",
    }
