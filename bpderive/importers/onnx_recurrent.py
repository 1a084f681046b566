"""ONNX's recurrent operators: their gates one by one.

In: an `Operation`. Out: the outputs and the last states. Must not know: graphs.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from bpderive.importers.formulas import Formula
from bpderive.importers.graph import Value, item, require
from bpderive.importers.model import Array, Weight
from bpderive.importers.onnx_operation import Operation, Parameter, flat, known, parameter
from bpderive.importers.torch_recurrent import Hidden, State

_GATES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"RNN": ("",), "LSTM": ("_i", "_o", "_f", "_g"), "GRU": ("_s", "_r", "_q")}
)
"""In the order of the file, in our letters."""


_OWN = {"RNN": ["Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"]}


def recurrent(of: Operation) -> tuple[Any, ...]:
    """`rnn(units)`, `lstm(units)`, `gru(units)`, in one direction."""
    told, what = of.settings, of.call.what
    direction = told.get("direction", "forward")
    require(direction == "forward", f"direction={direction}", "one direction, forward")
    acts = told.get("activations", _OWN[what])
    plain = acts == _OWN[what] or (what == "RNN" and acts == ["Relu"])
    require(plain, f"activations={acts}", f"activations={_OWN[what]}")
    require("clip" not in told and not told.get("input_forget"), "clip or input_forget", "neither")
    linear = what != "GRU" or told.get("linear_before_reset")
    require(linear, "linear_before_reset=0", "linear_before_reset=1, as PyTorch has it")
    names = {4: "sequence_lens", 5: "an initial state", 6: "an initial cell", 7: "peepholes"}
    for at, name in names.items():
        given = known(of.input(at))
        zero = given is None or (not isinstance(given, Value | State | Formula) and not given.any())
        whole = at == 4 and given is not None and set(flat(given)) == {_steps(of)}
        require(zero or whole, f"has {name}", f"no {name}, or zeros")
    return _read_recurrent(of, acts[0].lower() if what == "RNN" else None)


def _steps(of: Operation) -> int:
    axes = of.call.source.axes
    return of.call.source.shape[axes.index("t")] if "t" in axes else -1


def _read_recurrent(of: Operation, act: str | None) -> tuple[Any, ...]:
    what, source = of.call.what, of.call.source
    into, back = parameter(of.input(1), "W"), parameter(of.input(2), "R")
    bias = of.input(3)
    size = back.array.shape[2]
    own = item(what.lower(), {"units": size}, bias=bias is not None, activation=act)
    weights = list(_matrices(of, into, back))
    weights += [] if bias is None else _biases(what, parameter(bias, "B"), size)
    batch_first = bool(of.settings.get("layout"))
    axes = ("n", "t", "1", "c") if batch_first else ("t", "1", "n", "c")
    expected = tuple(letter for letter in axes if letter != "1")
    require(
        source.lost or source.axes == expected,
        "axes are exchanged before it",
        "steps, samples, features",
    )
    shape = [*source.shape[:2], size]
    shape.insert(axes.index("1"), 1)
    out = of.call.layer(own, weights, axes=axes, shape=tuple(shape))
    cell = Hidden("its cell state is used, which no layer here gives")
    state = State((out,), int(batch_first))
    return (out, state, cell) if what == "LSTM" else (out, state)


def _matrices(of: Operation, into: Parameter, back: Parameter) -> list[Weight]:
    gates, size = _GATES[of.call.what], back.array.shape[2]
    names = ("w", "u") if gates == ("",) else ("W", "U")
    return [
        given.weight(f"{name}{gate}", _rows(k, size))
        for k, gate in enumerate(gates)
        for name, given in zip(names, (into, back), strict=True)
    ]


def _rows(k: int, size: int) -> Callable[[Array], Array]:
    return lambda array: array[0, k * size : (k + 1) * size]


def _biases(what: str, bias: Parameter, size: int) -> list[Weight]:
    """The file has two everywhere; only in a GRU's last gate do they not stand summed."""
    gates, found = _GATES[what], []
    for k, gate in enumerate(gates):
        first, second = _rows(k, size), _rows(k + len(gates), size)
        if gate == "_q":
            found += [bias.weight("b_q", first), bias.weight("b_e", second)]
        else:
            found.append(bias.weight(f"b{gate}", _sum(first, second), back=first))
    return found


def _sum(one: Callable[[Array], Array], two: Callable[[Array], Array]) -> Callable[[Array], Array]:
    return lambda array: one(array) + two(array)
