"""A node of an ONNX model, as the readers of operators see it.

In: nothing. Out: frozen data. Must not know: what operators mean.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bpderive.importers.graph import Call, require
from bpderive.importers.model import Array, Weight, same


@dataclass(frozen=True)
class Parameter:
    """An array of the file, maybe seen through a transposition."""

    name: str
    array: Array
    order: tuple[int, ...] = ()

    def weight(self, ours: str, lay: Callable[[Array], Array] = same, **more: Any) -> Weight:
        """One of our tensors that is this one, laid out further."""
        if not self.order:
            return Weight(ours, (self.name,), lay, **more)
        return Weight(ours, (self.name,), lambda array: lay(array.transpose(self.order)), **more)


@dataclass(frozen=True)
class Operation:
    """A node; `inputs` are values that flow, parameters, other arrays, or None."""

    call: Call
    inputs: tuple[Any, ...]
    settings: Mapping[str, Any]
    opset: int
    alone: bool

    def input(self, at: int) -> Any:
        """An input, None where it is not given."""
        return self.inputs[at] if at < len(self.inputs) else None

    def numbers(self, name: str, at: int) -> list[int] | None:
        """A list of whole numbers, which is a setting or an input, as the version has it."""
        found = self.settings.get(name, known(self.input(at)))
        return None if found is None else [int(one) for one in flat(found)]


def known(given: Any) -> Any:
    """The array of a parameter; anything else as it is."""
    return given.array if isinstance(given, Parameter) else given


def flat(given: Any) -> Sequence[Any]:
    """Numbers in a row."""
    return list(given.ravel().tolist() if hasattr(given, "ravel") else given)


def parameter(given: Any, what: str) -> Parameter:
    """An input that must be an array of the file.

    Raises:
        Unread: it is computed.
    """
    require(isinstance(given, Parameter), f"its {what} is no array of the file", "a stored array")
    return given  # type: ignore[no-any-return] # it is one


def single(value: float) -> float:
    """A setting, which the file has in single precision, as it was meant."""
    return float(f"{value:.7g}")
