"""The lines of the NumPy code by themselves: as a listing, and as the cells of a notebook.

In: a `Program`, and an `Example` for the numbers. Out: Python text. The lines are those of the
generated module; structure comes from `templates/code/cells.py.j2`. Must not know: documents.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from textwrap import dedent
from typing import Any

from sympy import Expr

from bpderive.example import Example
from bpderive.program import Assignment, Program
from bpderive.targets.layout import collection
from bpderive.targets.numpy import DRAWS, Module
from bpderive.templating import fill
from bpderive.weights import in_order

MOST = 6
"""A network of more layers has only its first and last ones listed."""
SAMPLES = 3
"""Rows of random samples."""
LONGEST = 200
"""Of so many layers a notebook is no use."""
HEAD = re.compile(r"^# %% (\w+)\n", re.MULTILINE)
OF_PARAMETER = re.compile(r"d?[Wb]\d+")
PARAMETER = re.compile(r'params\["(\w+)"\]')


def listing(program: Program) -> str:
    """The lines that compute the loss and its gradients, each with its equation's number.

    They are the module's, with one name `n` for the number of samples, told before its first use.
    """
    module = Module(program)
    count = "n = len(x)  # N\n" if program.mean else ""
    loss = _lines(module, [program.loss]).replace("/ len(y)", "/ n")
    parts = (
        ("Forward", _lines(module, _shown(program, program.forward))),
        ("Loss", count + loss),
        ("Backward", _lines(module, _shown(program, program.backward))),
    )
    return "\n\n".join(f"# {head}\n{text}" for head, text in parts)


def _shown(program: Program, rows: Iterable[Assignment]) -> list[Assignment | None]:
    """The rows; of many layers those of the first and the last two, with a None between them."""
    depth, found = program.network.depth, list[Assignment | None]()
    for row in rows:
        layer = int(re.sub(r"\D", "", row.target) or depth)
        if depth <= MOST or layer <= 2 or layer > depth - 2:
            found.append(row)
        elif found[-1] is not None:
            found.append(None)
    return found


def _lines(module: Module, rows: Iterable[Assignment | None]) -> str:
    texts = ("    # ..." if row is None else module.line(row) for row in rows)
    return dedent("\n".join(texts))


def cells(program: Program, example: Example | None) -> Mapping[str, tuple[str, ...]]:
    """What a notebook runs, by section: the numbers of the example, or else random ones.

    Nothing for sizes without numbers, and for very many layers.
    """
    network = program.network
    if network.symbolic or network.depth > LONGEST:
        return {}
    module = Module(program)
    forward = _bare(_lines(module, program.forward))
    values: dict[str, Any] = {
        "example": example is not None,
        "given": _drawn(program) if example is None else _given(program, example),
        "forward": forward,
        "loss": _bare(_lines(module, [program.loss])),
        "backward": _bare(_lines(module, program.backward)),
        "update": _update(program),
        "checks": "" if example is None else _checks(program, example),
        "functions": "\n\n\n".join(module.functions()),
    }
    return _split(fill("code/cells.py.j2", **values))


def _bare(text: str) -> str:
    """Parameters by their own names."""
    return PARAMETER.sub(r"\1", text)


def _split(text: str) -> Mapping[str, tuple[str, ...]]:
    """The cells by the section that stands at their heads."""
    _, *parts = HEAD.split(text)
    found: dict[str, tuple[str, ...]] = {}
    for section, body in zip(parts[::2], parts[1::2], strict=True):
        if body.strip():
            found[section] = (*found.get(section, ()), body.strip())
    return found


# --- Numbers ---


def _given(program: Program, example: Example) -> str:
    """`x = np.array([[0.5, -1]])`, the parameters and the learning rate."""
    lines = [
        _array(name, _table(example.given.numbers, label, row=label in ("x", "y")))
        for name, label in _tensors(program)
    ]
    return "\n".join([*lines, f"eta = {_literal(example.given.eta)}"])


def _tensors(program: Program) -> Iterator[tuple[str, str]]:
    """What is given, by its name in the code and by its label."""
    yield from (("x", "x"), ("y", "y"))
    for layer in program.network.layers:
        yield f"W{layer.index}", f"w{layer.index}"
        if program.network.spec.bias:
            yield f"b{layer.index}", f"b{layer.index}"


def _table(numbers: Mapping[str, Expr], label: str, *, row: bool) -> list[list[str]] | list[str]:
    """The elements of a tensor as literals: rows of a matrix, or a list; as a `row`, one sample."""
    found = {name: value for name, value in numbers.items() if name.partition("[")[0] == label}
    rows: dict[str, list[tuple[int, str]]] = {}
    for name, value in found.items():
        *first, last = name.rstrip("]").partition("[")[2].split(",")
        rows.setdefault("".join(first), []).append((int(last), _literal(value)))
    lists = [[text for _, text in sorted(rows[key])] for key in sorted(rows, key=_number)]
    return lists if row or len(lists) > 1 or "," in next(iter(found)) else lists[0]


def _number(text: str) -> int:
    return int(text or 0)


def _array(name: str, table: list[list[str]] | list[str]) -> str:
    """An array on one line, or one row a line."""
    return collection(f"{name} = np.array(", _rows(table), ")", "[]", indent=0)


def _rows(table: list[list[str]] | list[str]) -> list[str]:
    """Each row of a matrix as a list; the elements of a vector as they are."""
    return [item if isinstance(item, str) else f"[{', '.join(item)}]" for item in table]


def _literal(number: Expr) -> str:
    """`0.25`, `1 / 3`, or a decimal of 12 digits."""
    if not number.is_Rational:
        return f"{float(number):.12g}"
    decimal = f"{float(number):.15g}"
    short = len(decimal) <= 12 and "e" not in decimal
    exact = short and 10 ** int(number.q).bit_length() % int(number.q) == 0
    fraction = f"{number.p} / {number.q}"
    return decimal if exact else fraction if len(fraction) <= 12 else f"{float(number):.12g}"


def _drawn(program: Program) -> str:
    """Random numbers, small enough for every activation."""
    network = program.network
    draw = re.sub(r"\bn\b", str(network.outputs), DRAWS[network.loss.label].format(SAMPLES))
    lines = [f"x = rng.normal(size=({SAMPLES}, {network.inputs}))", f"y = {draw}"]
    for layer in network.layers:
        at, width = layer.index, layer.width
        rows, columns = in_order(network.spec.weights, width, layer.inputs)
        lines.append(f"W{at} = rng.normal(size=({rows}, {columns})) / {layer.inputs} ** 0.5")
        lines += [f"b{at} = np.zeros({width})"] if network.spec.bias else []
    return "\n".join([*lines, "eta = 0.1"])


def _update(program: Program) -> str:
    """`W1 = W1 - eta * dW1`."""
    names = [name for name, _ in _tensors(program) if name[0] in "Wb"]
    return "\n".join(f"{name} = {name} - eta * d{name}" for name in names)


# --- Checks ---


def _checks(program: Program, example: Example) -> str:
    """Every quantity, every gradient and every new parameter beside the example's."""
    slopes = {f"d{name}": value for name, value in example.slopes.items()}
    rows = [row.target for row in (*program.forward, *program.backward)]
    pairs = [(row, row.replace("W", "w"), {**example.numbers, **slopes}) for row in rows]
    updated = [(n, label, example.updated) for n, label in _tensors(program) if n[0] in "Wb"]
    items = [f"(before, {_literal(example.loss)})"]
    for name, label, numbers in (*pairs, *updated):
        if any(key.partition("[")[0] == label for key in numbers):
            table = _table(numbers, label, row=not OF_PARAMETER.fullmatch(name))
            items.append(_pair(name, _rows(table)))
    return collection("for found, wanted in ", items, ":", "()", indent=0)


def _pair(name: str, rows: list[str]) -> str:
    """`(W1, [[0.1, 0.2], [0.3, 0.4]])`, a row a line where it is long."""
    line = f"({name}, [{', '.join(rows)}])"
    if len(line) <= 80:
        return line
    inner = "".join(f"        {row},\n" for row in rows)
    return f"({name}, [\n{inner}    ])"
