"""A call of a PyTorch module, as its reader sees it.

In: nothing. Out: frozen data. Must not know: what modules mean.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bpderive.importers.graph import Call, require
from bpderive.importers.model import Weight


@dataclass(frozen=True)
class Seen:
    """A call of a module; `name` gives the name of a tensor of its own in the model."""

    module: Any
    call: Call
    name: Callable[[Any], str]
    args: tuple[Any, ...]
    named: Mapping[str, Any]

    def weight(self, ours: str, theirs: str, lay: Callable[[Any], Any] | None = None) -> Weight:
        """One of our tensors that is one of the module's."""
        name = (self.name(getattr(self.module, theirs)),)
        return Weight(ours, name) if lay is None else Weight(ours, name, lay)

    def affine(self) -> list[Weight]:
        """w, and b where there is one."""
        weights = [self.weight("w", "weight")]
        return weights if self.module.bias is None else [*weights, self.weight("b", "bias")]

    def alone(self) -> None:
        """Refuse further arguments."""
        told = [str(one) for one in (*self.args[1:], *self.named.values()) if one is not None]
        require(not told, "is called with more than its input", "one input")
