"""A PyTorch model, node by node, as layers of ours.

In: an `nn.Module`, maybe the shape of its input. Out: an `Imported`, or a `SpecError` that names
everything that cannot be read. Must not know: what single modules and functions mean.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bpderive.errors import Problem, SpecError
from bpderive.grammar.inputs import EXAMPLES
from bpderive.grammar.model import Input
from bpderive.importers.finishing import Found, finished
from bpderive.importers.formulas import Formula, settled
from bpderive.importers.graph import LOST, Call, Graph, Unread, Value, shown, standard
from bpderive.importers.loading import load
from bpderive.importers.model import Imported
from bpderive.importers.torch_elements import LAZY, Applied
from bpderive.importers.torch_functions import read as read_function
from bpderive.importers.torch_modules import read as read_module
from bpderive.importers.torch_original import TorchModel
from bpderive.importers.torch_recurrent import Hidden, State
from bpderive.importers.torch_seen import Seen
from bpderive.importers.torch_tracing import OWN, Traced, entered, needed, run, trace

_IN_PLACE = ("iadd", "imul", "isub")
_ASKS: Mapping[str, str] = {
    "Conv2d": "{}xROWSxCOLUMNS, such as {}x28x28",
    "Conv1d": "{}xPOSITIONS, such as {}x16",
    "RNN": "seq(STEPS)x{}, such as seq(5)x{}",
    "LSTM": "seq(STEPS)x{}, such as seq(5)x{}",
    "GRU": "seq(STEPS)x{}, such as seq(5)x{}",
    "MultiheadAttention": "seq(STEPS)x{}, such as seq(5)x{}",
    "Embedding": "seq(STEPS), such as seq(5)",
    "EmbeddingBag": "seq(STEPS), such as seq(5)",
}
_WIDTHS = ("in_channels", "input_size", "embed_dim")
_VECTORS = {"Linear": "in_features", "Bilinear": "in1_features", "BatchNorm1d": "num_features"}


def read_file(reference: str, given: Input | None, loss: str) -> Imported:
    """The model that `FILE.py:NAME` means.

    Raises:
        SpecError: it is no model, or holds what cannot be read.
        UnsupportedError: torch is not installed.
    """
    needed("torch", "torch")
    import torch

    torch.manual_seed(0)  # a model with random weights has the same at each reading
    model = load(reference)
    if not isinstance(model, torch.nn.Module):
        message = f"{reference.rpartition(':')[2]} is no model but {_kind(model)}"
        accepted = "an nn.Module, or a class or function without arguments that gives one"
        raise SpecError.single(message, reference.rpartition(":")[0], accepted)
    return read(model, given, loss)


def _kind(model: Any) -> str:
    return f"of type {type(model).__name__}"


def read(model: Any, given: Input | None, loss: str) -> Imported:
    """A model as a spec.

    Raises:
        SpecError: it holds what cannot be read.
    """
    model = entered(model)
    graph = trace(model)
    _check_inputs(graph)
    told = given or _input(graph)
    traced = run(graph, told)
    reading = Reading(traced, told)
    output = reading.output()
    reading.unused(model)
    arrays = {
        name: tensor.detach().numpy()
        for name, tensor in (*graph.named_parameters(), *graph.named_buffers())
    }
    found = Found(reading.graph, output, told, loss, arrays)
    return finished(found, TorchModel(graph, traced))


def _check_inputs(graph: Any) -> None:
    """Refuse a second input, unless it may be left out.

    Raises:
        SpecError: with each.
    """
    inputs = [node for node in graph.graph.nodes if node.op == "placeholder"]
    wrong = [node for node in inputs[1:] if not node.args]
    if wrong or not inputs:
        told = "is a second input" if wrong else "takes no input"
        names = [str(node.target) for node in wrong] or ["the model"]
        raise SpecError([Problem(told, name, "a model of one input") for name in names])


def _input(graph: Any) -> Input:
    """What goes in, where the first module tells it.

    Raises:
        SpecError: it does not.
    """
    modules = dict(graph.named_modules())
    for node in graph.graph.nodes:
        if node.op == "call_function" and _called(node) == "linear":
            weight = node.args[1] if len(node.args) > 1 else node.kwargs["weight"]
            return Input("vector", (int(graph.get_parameter(weight.target).shape[1]),))
        module = modules.get(node.target) if node.op == "call_module" else None
        kind = type(module).__name__
        if kind in _VECTORS:
            return Input("vector", (int(getattr(module, _VECTORS[kind])),))
        if kind in _ASKS:
            width = next((getattr(module, k) for k in _WIDTHS if hasattr(module, k)), "")
            accepted = f"--input {_ASKS[kind].format(width, width)}"
            message = f"the size of the input does not follow from {shown(node.target)} ({kind})"
            raise SpecError.single(message, "the input", accepted)
    raise SpecError.single("the model does not tell its size", "the input", f"--input {EXAMPLES}")


@dataclass
class Reading:
    """Goes through the nodes once; `flowing` has what each gives: a `Value`, or what is known."""

    traced: Traced
    given: Input
    graph: Graph = field(default_factory=Graph)
    flowing: dict[str, Any] = field(default_factory=dict)
    inputs: int = 0
    called: dict[Any, Any] = field(default_factory=dict)

    def output(self) -> Value:
        """What the model gives; what cannot be read is noted."""
        for node in self.traced.graph.nodes:
            try:
                self.flowing[node.name] = self._node(node)
            except Unread as why:
                self.flowing[node.name] = self.graph.refuse(self._where(node), why)
        last = self.flowing["output"]
        if isinstance(last, Value):
            return last
        return self.graph.refuse("the output", Unread("is not one array", "one layer's output"))

    def unused(self, model: Any) -> None:
        """Note parameters that no node has, and those that do not learn."""
        kept = {name for name, _ in self.traced.root.named_parameters()}
        own = dict(model.named_parameters())
        for name in sorted(set(own) - kept):
            self.graph.note(f"{shown(name)}: the forward pass does not use it")
        for name in sorted(kept & set(own)):
            if not own[name].requires_grad:
                self.graph.note(f"{shown(name)}: it is frozen there, and has a gradient here")

    # --- One node ---

    def _node(self, node: Any) -> Any:
        if node.op == "placeholder":
            return self._input(node)
        if node.op == "output":
            return self._flow(node.args[0])
        lazy = node.op in {"call_function", "call_method"} and _called(node) in LAZY
        args, named = self._flow(node.args, lazy=lazy), self._flow(node.kwargs, lazy=lazy)
        value = self.traced.values[node.name]
        if node.op == "get_attr" or not any(map(_flows, (*args, *named.values()))):
            return value
        if not _holds_arrays(value) and node.op != "call_module":
            return value  # a size
        if node.op == "call_module":
            return self._module(node, args, named)
        return self._function(node, args, named)

    def _input(self, node: Any) -> Any:
        self.inputs += 1
        value = self.traced.values[node.name]
        if self.inputs > 1:
            return value  # what stands there where nothing is given
        return Value(0, self.given.kind, standard(self.given.kind), tuple(value.shape))

    def _call(self, node: Any, what: str, args: tuple[Any, ...], named: Mapping[str, Any]) -> Call:
        value = self.traced.values[node.name]
        shape = tuple(getattr(value, "shape", getattr(_first(value), "shape", ())))
        every = (*args, *named.values())
        first = next((one for one in every if isinstance(one, Value | Formula)), LOST)
        source = first.base if isinstance(first, Formula) else first
        where = shown(node.target if node.op == "call_module" else node.name)
        return Call(where, node.name, what, source, shape, self.graph)

    def _module(self, node: Any, args: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
        module = self.traced.root.get_submodule(node.target)
        if getattr(module, "inplace", False):
            self._check_in_place(node)
        call = self._call(node, type(module).__name__, args, named)
        seen = Seen(module, call, self.traced.parameter, args, named)
        if named or not all(isinstance(one, Value) for one in args) or call.what == "Dropout":
            return read_module(seen)
        key = (node.target, args)  # called again with the same, it gives the same
        if key not in self.called:
            self.called[key] = read_module(seen)
        return self.called[key]

    def _function(self, node: Any, args: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
        name = _called(node)
        in_place = name in _IN_PLACE or name.endswith("_") or node.kwargs.get("inplace")
        if in_place and not name.startswith("_"):
            self._check_in_place(node)
        call = self._call(node, name, args, named)
        return read_function(Applied(call, args, named, self.traced.parameter))

    def _check_in_place(self, node: Any) -> None:
        """That nobody reads later what is changed in place."""
        order = {one: at for at, one in enumerate(self.traced.graph.nodes)}
        source = node.args[0]
        if any(order[user] > order[node] for user in source.users):
            raise Unread(
                "changes in place what is used again later",
                "a sum or activation that gives a new array",
            )

    def _flow(self, given: Any, *, lazy: bool = False) -> Any:
        """Arguments, with what flows in the place of the nodes."""
        from torch import fx

        def flows(node: Any) -> Any:
            found = self.flowing[node.name]
            return found if lazy else settled(found)

        return fx.node.map_arg(given, flows)

    def _where(self, node: Any) -> str:
        if node.op == "call_module":
            kind = type(self.traced.root.get_submodule(node.target)).__name__
            return f"{shown(node.target)} ({kind})"
        if node.op in {"call_function", "call_method"}:
            return f"{node.name} ({_called(node)})"
        return str(node.name)


def _called(node: Any) -> str:
    """The name of a function of torch's, or of a method; another's has that of its module too."""
    if node.op == "call_method":
        return str(node.target)
    own = str(getattr(node.target, "__module__", "") or "torch.")
    name = str(getattr(node.target, "__name__", node.target))
    return name if f"{own}.".startswith(OWN) or own in OWN else f"{own}.{name}"


def _flows(value: Any) -> bool:
    """Whether something in it depends on the numbers that go in."""
    return any(isinstance(one, Value | State | Hidden | Formula) for one in _leaves(value))


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple | list):
        for one in value:
            yield from _leaves(one)
    elif isinstance(value, dict):
        yield from _leaves(list(value.values()))
    else:
        yield value


def _holds_arrays(value: Any) -> bool:
    import torch

    return any(isinstance(one, torch.Tensor) for one in _leaves(value))


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, tuple) and value else value
