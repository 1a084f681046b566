"""A PyTorch model's own gradients, by autograd.

In: a traced model, a `Sample`. Out: its output and gradients by our names. Must not know: the
engine.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from bpderive.importers.losses import total
from bpderive.importers.model import Array, Imported, Layer, Sample
from bpderive.importers.torch_tracing import Traced, doubled


@dataclass(frozen=True)
class TorchModel:
    """The graph of a copy in double precision."""

    graph: Any
    traced: Traced
    title: str = "PyTorch's autograd"
    tolerance: float = 1e-9

    def output(self, read: Imported, sample: Sample) -> Array:
        """What the model gives, with masks in the place of its dropouts."""
        return self._run(read, sample).detach().numpy()

    def gradients(self, read: Imported, sample: Sample) -> Mapping[str, Array]:
        """By autograd."""
        import torch

        if not any(True for _ in self.graph.parameters()):
            return {}
        self.graph.zero_grad()
        out = self._run(read, sample)
        y = torch.from_numpy(sample.y).reshape(out.shape)
        total(read, torch)(out, y).backward()
        found = {
            name: torch.zeros_like(one) if one.grad is None else one.grad
            for name, one in self.graph.named_parameters()
        }
        slopes = {name: one.detach().numpy().copy() for name, one in found.items()}
        return {
            name: weight.slope(slopes)
            for name, weight in read.named
            if weight.parameters and not weight.data
        }

    def _run(self, read: Imported, sample: Sample) -> Any:
        import torch
        from torch import fx

        layers = {place.number: place.layer for place in read.places}
        masks = {
            layers[number].node: (torch.from_numpy(mask), _rate(layers[number]))
            for number, mask in sample.masks.items()
        }

        class Masked(fx.Interpreter):  # type: ignore[misc] # it has no types
            """Dropouts with the masks that are given."""

            def run_node(self, n: Any) -> Any:
                if n.name not in masks:
                    return super().run_node(n)
                args, _ = self.fetch_args_kwargs_from_env(n)
                mask, rate = masks[n.name]
                return args[0] * mask / (1 - rate)

        interpreter = Masked(self.graph)
        interpreter.extra_traceback = False
        with torch.enable_grad(), doubled():
            return interpreter.run(torch.from_numpy(sample.x))


def _rate(layer: Layer) -> float:
    """That of a dropout."""
    value = layer.item.get("rate")
    return float(value) if isinstance(value, Fraction) else 0.5
