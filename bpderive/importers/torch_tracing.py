"""A PyTorch module as a graph of nodes, each with the value that it has for some input.

In: an `nn.Module`, the shape of its input. Out: `Traced`. Must not know: layers of ours.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from bpderive.errors import SpecError, UnsupportedError
from bpderive.grammar.inputs import EXAMPLES
from bpderive.grammar.model import Input
from bpderive.importers.loading import told

SAMPLES = 5
"""So many go through the model when it is traced."""
OWN = ("torch.", "_operator", "builtins", "math")
"""Modules whose functions may stand in a graph."""


@dataclass(frozen=True)
class Traced:
    """The graph of a copy in double precision; `values` are those of each node by its name."""

    graph: Any
    root: Any
    values: Mapping[str, Any]
    names: Mapping[int, str]

    def parameter(self, tensor: Any) -> str:
        """The name of a parameter or buffer in the model; shared ones have their first name."""
        return self.names[id(tensor)]


def copied(model: Any) -> Any:
    """In double precision; what depends on the precision stays what it was."""
    import torch

    for name, parameter in model.named_parameters():
        if torch.nn.parameter.is_lazy(parameter):
            told = f"the size of {name} is not known yet"
            raise SpecError.single(told, "the model", "a model that has been called once")
    root = deepcopy(model).cpu()
    for module in root.modules():
        if type(module).__name__ == "RMSNorm" and getattr(module, "eps", 0) is None:
            kinds = [parameter.dtype for parameter in root.parameters()]
            module.eps = torch.finfo((kinds or [torch.get_default_dtype()])[0]).eps
    return root.double().requires_grad_(True)


@contextmanager
def doubled() -> Iterator[None]:
    """Let what a forward makes of its own, such as zeros, be in double precision."""
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def entered(model: Any) -> Any:
    """A model whose forward calls modules: a single one of torch's in a row of its own."""
    import torch

    own = type(model).__module__.startswith("torch.nn")
    return torch.nn.Sequential(model) if own and type(model) is not torch.nn.Sequential else model


def trace(model: Any) -> Any:
    """The graph of a copy.

    Raises:
        SpecError: its forward depends on the numbers that go through it, or cannot be followed.
    """
    from torch import fx

    copy = copied(model)
    try:
        with doubled():
            return fx.symbolic_trace(copy)
    except Exception as error:
        message = f"its forward cannot be followed: {told(error)}"
        accepted = (
            "a forward that calls modules and functions of torch in one order, whatever the numbers"
        )
        raise SpecError.single(message, type(model).__name__, accepted) from error


def run(graph: Any, given: Input) -> Traced:
    """The values of all nodes for some input.

    Raises:
        SpecError: the model does not take such an input.
    """
    import torch
    from torch import fx

    sizes = tuple(size for size in given.sizes if isinstance(size, int))
    if len(sizes) < len(given.sizes):
        raise SpecError.single(
            f"the input {given.text} has sizes without numbers", "--input", EXAMPLES
        )
    tokens = given.kind == "tokens"
    shape = (SAMPLES, *sizes)
    x = torch.zeros(shape, dtype=torch.long) if tokens else torch.rand(shape).double()
    interpreter = fx.Interpreter(graph, garbage_collect_values=False)
    interpreter.extra_traceback = False
    try:
        with torch.no_grad(), doubled():
            interpreter.run(x)
    except Exception as error:
        message = f"the model does not take the input {given.text}: {told(error)}"
        raise SpecError.single(message, "--input", EXAMPLES) from error
    values = {node.name: value for node, value in interpreter.env.items()}
    named = (*graph.named_parameters(), *graph.named_buffers())
    return Traced(graph.graph, graph, values, {id(one): name for name, one in named})


def needed(library: str, extra: str) -> None:
    """Refuse to go on without a library.

    Raises:
        UnsupportedError: it is not installed.
    """
    from importlib.util import find_spec

    if find_spec(library) is None:
        raise UnsupportedError(
            f"reading such a model needs {library}: pip install 'bpderive[{extra}]'"
        )
