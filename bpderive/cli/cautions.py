"""What a network may be warned of: legal, derived as asked, and yet likely not meant.

In: a `Network`.  Out: one sentence for each caution, with its remedy.  Must not know: how it is
told.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bpderive.network import Network
from bpderive.spec import Spec

if TYPE_CHECKING:
    from bpderive.stack import Stack

CONTAINS = {
    "positive": ("positive", "unit"),
    "unit": ("unit",),
}
"""The ranges of an activation that lie inside a loss's domain."""

DOMAINS = {"positive": "above 0", "unit": "between 0 and 1"}

OUTPUTS = {"binary": "sigmoid", "distribution": "softmax", "count": "exp"}
"""The output activation that fits a loss's labels."""

FROM_LOGITS = {
    "binary_cross_entropy": "binary_cross_entropy_with_logits",
    "cross_entropy": "softmax_cross_entropy",
}


def cautions(network: "Network | Stack") -> Iterator[str]:
    """Every caution of a network; those of other layers than dense ones are errors already."""
    if not isinstance(network, Network):
        return
    yield from _domain(network)
    yield from _unused(network)
    yield from _constants(network)


def _domain(network: Network) -> Iterator[str]:
    loss, last = network.loss, network.layers[-1].activation
    if loss.domain == "real" or last.range in CONTAINS[loss.domain]:
        return
    remedy = f"--output-activation {OUTPUTS[loss.label]}" if loss.label in OUTPUTS else ""
    if loss.name in FROM_LOGITS:
        remedy += f" or --loss {FROM_LOGITS[loss.name]}"
    yield (
        f"the loss {loss.name} takes the logarithm of outputs that must lie "
        f"{DOMAINS[loss.domain]}, and those of {last.name} need not: use {remedy}"
    )


def _unused(network: Network) -> Iterator[str]:
    if network.depth == 1 and network.spec.activation != Spec.activation:
        yield (
            "there is no hidden layer, so --activation is not used: "
            "use --output-activation for the only layer"
        )


def _constants(network: Network) -> Iterator[str]:
    for layer in network.layers:
        if layer.activation.name == "softmax" and layer.width == 1:
            yield (
                f"layer {layer.index} is a softmax of one neuron: its output is always 1, and no "
                "gradient passes through it; use sigmoid, or two neurons"
            )
    if network.stage is not None and network.outputs == 1:
        yield (
            f"the loss {network.loss.name} applies {network.stage.name} to one output, which is "
            "always 1; use binary_cross_entropy_with_logits, or two outputs"
        )
