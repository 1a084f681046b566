"""PyTorch's recurrent modules: their gates one by one, their layers one after another.

In: a `Seen`. Out: the outputs and the last states. Must not know: how the graph was found.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bpderive.importers import saying
from bpderive.importers.graph import Call, Unread, Value, item, require
from bpderive.importers.model import Weight

if TYPE_CHECKING:
    from bpderive.importers.torch_seen import Seen


@dataclass(frozen=True)
class State:
    """The last states `h` of all layers, [layer, n, h]; `outputs` are the layers' outputs.

    `axis` is where that of the layers stands.
    """

    outputs: tuple[Value, ...]
    axis: int = 0

    def last(self, call: Call, layer: int) -> Value:
        """`h[-1]`: the last step of the outputs of one layer."""
        count = len(self.outputs)
        require(-count <= layer < count, f"there is no layer {layer}")
        return saying.picked(call.of(saying.without_ones(self.outputs[layer])), -1, -1, letter="t")


@dataclass(frozen=True)
class Hidden:
    """What cannot be read where it is used: the cell state of an LSTM."""

    reason: str


GATES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"RNN": ("",), "LSTM": ("_i", "_f", "_g", "_o"), "GRU": ("_r", "_s", "_q")}
)
"""The gates as the rows of a module's weights hold them, in our letters."""


def recurrent(seen: "Seen") -> tuple[Value, Any]:
    """`rnn(units)`, `lstm(units)`, `gru(units)`; several layers are several of them."""
    module, call = seen.module, seen.call
    require(not module.bidirectional, "bidirectional=True", "one direction")
    require(module.batch_first, "batch_first=False", "batch_first=True")
    require(not getattr(module, "proj_size", 0), "proj_size", "proj_size=0")
    start = [one for one in (*seen.args[1:], *seen.named.values()) if one is not call.source]
    require(all(map(_nothing, start)), "a state to begin with", "zeros, or none")
    name = {"RNN": "rnn", "LSTM": "lstm", "GRU": "gru"}[call.what]
    act = module.nonlinearity if call.what == "RNN" else None
    own = item(name, {"units": module.hidden_size}, bias=module.bias, activation=act)
    source, outputs = call.source, []
    shape = (*source.shape[:-1], module.hidden_size)
    for layer in range(module.num_layers):
        source = call.of(source).layer(own, _weights(seen, layer), shape=shape)
        outputs.append(source)
        if layer < module.num_layers - 1 and module.dropout:
            require(not module.training, "dropout between its layers", "dropout=0, or model.eval()")
    state = State(tuple(outputs))
    cell = Hidden("its cell state is used, which no layer here gives")
    return source, (state, cell) if call.what == "LSTM" else state


def _nothing(start: Any) -> bool:
    """Whether a state is zero, or none."""
    if start is None:
        return True
    if isinstance(start, tuple):
        return all(map(_nothing, start))
    if isinstance(start, Value | State | Hidden):
        return False
    return not bool(start.any())


def _weights(seen: "Seen", layer: int) -> Iterator[Weight]:
    gates, size = GATES[seen.call.what], seen.module.hidden_size
    into, back = ("w", "u") if gates == ("",) else ("W", "U")
    for k, gate in enumerate(gates):
        for ours, kind in ((into, "ih"), (back, "hh")):
            name = seen.name(getattr(seen.module, f"weight_{kind}_l{layer}"))
            yield Weight(f"{ours}{gate}", (name,), _rows(k, size))
    if seen.module.bias:
        yield from _biases(seen, layer, gates, size)


def _biases(seen: "Seen", layer: int, gates: tuple[str, ...], size: int) -> Iterator[Weight]:
    """The module has two everywhere; only in a GRU's last gate do they not stand summed."""
    names = [seen.name(getattr(seen.module, f"bias_{kind}_l{layer}")) for kind in ("ih", "hh")]
    for k, gate in enumerate(gates):
        if gate == "_q":
            yield Weight("b_q", (names[0],), _rows(k, size))
            yield Weight("b_e", (names[1],), _rows(k, size))
        else:
            yield Weight(f"b{gate}", tuple(names), _rows(k, size))


def _rows(k: int, size: int) -> Callable[[Any], Any]:
    return lambda array: array[k * size : (k + 1) * size]


def hidden(value: Hidden) -> Unread:
    """Why it cannot be used."""
    return Unread(value.reason)
