"""An ONNX model, node by node, as layers of ours.

In: a path, maybe the shape of the input. Out: an `Imported`, or a `SpecError` that names everything
that cannot be read. Must not know: what single operators mean.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bpderive.errors import Problem, SpecError
from bpderive.grammar.model import Input
from bpderive.importers.finishing import Found, finished
from bpderive.importers.formulas import Formula, settled
from bpderive.importers.graph import LOST, Call, Graph, Unread, Value, shown, standard
from bpderive.importers.model import Array, Imported
from bpderive.importers.onnx_elements import LAZY
from bpderive.importers.onnx_model import Loaded, input_of, load, values
from bpderive.importers.onnx_nodes import OPERATORS, read
from bpderive.importers.onnx_operation import Operation, Parameter
from bpderive.importers.onnx_original import OnnxModel
from bpderive.importers.torch_recurrent import Hidden, State
from bpderive.importers.torch_tracing import needed

SIZES = ("Shape", "Size")
"""What does not depend on the numbers in an array."""


def read_file(path: str, given: Input | None, loss: str) -> Imported:
    """The model of a file.

    Raises:
        SpecError: it is no model, or holds what cannot be read.
        UnsupportedError: onnx is not installed.
    """
    needed("onnx", "onnx")
    loaded = load(path)
    _check_operators(loaded)
    told = input_of(loaded, given, path)
    reading = Reading(loaded, values(loaded, told, path), told)
    found = Found(reading.graph, reading.output(), told, loss, loaded.parameters)
    return finished(found, OnnxModel(loaded))


def _check_operators(loaded: Loaded) -> None:
    """Refuse what no row reads, all of it at once, before anything is computed.

    Raises:
        SpecError: with every node.
    """
    flows, problems = {loaded.entry.name}, []
    for node in loaded.nodes:
        if flows.isdisjoint(node.input) or node.op_type in SIZES:
            continue
        flows.update(node.output)
        if _kind(node) not in OPERATORS:
            problems.append(Problem(f"no layer here is the operator {_kind(node)}", _name(node)))
    if problems:
        raise SpecError(problems)


def _kind(node: Any) -> str:
    own = node.domain in {"", "ai.onnx"}
    return shown(node.op_type if own else f"{node.domain}.{node.op_type}")


def _name(node: Any) -> str:
    return shown(node.name or node.output[0])


@dataclass
class Reading:
    """Goes through the nodes once; `flowing` has what each name stands for."""

    loaded: Loaded
    values: Mapping[str, Array]
    given: Input
    graph: Graph = field(default_factory=Graph)
    flowing: dict[str, Any] = field(default_factory=dict)

    def output(self) -> Value:
        """What the model gives; what cannot be read is noted."""
        for name, array in self.loaded.parameters.items():
            self.flowing[name] = Parameter(name, array)
        entry = self.loaded.entry.name
        shape = tuple(self.values[entry].shape)
        self.flowing[entry] = Value(0, self.given.kind, standard(self.given.kind), shape)
        for node in self.loaded.nodes:
            try:
                self._node(node)
            except Unread as why:
                lost = self.graph.refuse(f"{_name(node)} ({node.op_type})", why)
                self.flowing |= dict.fromkeys(node.output, lost)
        last = self.loaded.model.graph.output[0].name
        found = self._settled(last)
        if isinstance(found, Value):
            return found
        return self.graph.refuse("the output", Unread("is no layer's output", "one layer's output"))

    def _settled(self, name: str) -> Any:
        try:
            return settled(self.flowing.get(name))
        except Unread as why:
            return self.graph.refuse("the output", why)

    def _node(self, node: Any) -> None:
        inputs = [self.flowing.get(name) if name else None for name in node.input]
        flows = any(isinstance(one, Value | Formula | State | Hidden) for one in inputs)
        if not flows or node.op_type in SIZES:
            self._constant(node, inputs)
            return
        if node.op_type not in LAZY:
            inputs = [settled(one) for one in inputs]
        found = read(self._operation(node, tuple(inputs)))
        several = found if isinstance(found, tuple) else (found,)
        self.flowing |= {n: one for n, one in zip(node.output, several, strict=False) if n}

    def _constant(self, node: Any, inputs: list[Any]) -> None:
        """What does not depend on the numbers that go in; a parameter may be seen another way."""
        for name in node.output:
            self.flowing[name] = self.values.get(name)
        first = inputs[0] if inputs else None
        if isinstance(first, Parameter) and node.op_type == "Identity":
            self.flowing[node.output[0]] = first
        if isinstance(first, Parameter) and node.op_type == "Transpose" and not first.order:
            array = self.values[node.output[0]]
            order = _settings(node).get("perm", list(range(array.ndim))[::-1])
            self.flowing[node.output[0]] = Parameter(first.name, array, tuple(order))

    def _operation(self, node: Any, inputs: tuple[Any, ...]) -> Operation:
        value = self.values.get(node.output[0])
        first = next((one for one in inputs if isinstance(one, Value | Formula)), LOST)
        source = first.base if isinstance(first, Formula) else first
        shape = () if value is None else tuple(value.shape)
        call = Call(_name(node), node.output[0], node.op_type, source, shape, self.graph)
        uses = Counter(name for one in self.loaded.nodes for name in one.input)
        alone = all(uses[name] == 1 for name in node.input)
        return Operation(call, inputs, _settings(node), self.loaded.opset, alone)


def _settings(node: Any) -> dict[str, Any]:
    """The attributes as numbers and texts."""
    from onnx import helper

    def plain(value: Any) -> Any:
        if isinstance(value, bytes):
            return value.decode()
        return [plain(one) for one in value] if isinstance(value, list) else value

    return {one.name: plain(helper.get_attribute_value(one)) for one in node.attribute}
