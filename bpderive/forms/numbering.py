"""The number of each equation: one numbering for the document's pages and the code's comments.

Forward equations come first, layer by layer, then the loss, then the backward equations from the
last layer to the first. In: a `Network`. Out: numbers, by arithmetic. Must not know formats.
"""

from dataclasses import dataclass

from bpderive.network import Network


@dataclass(frozen=True)
class Numbering:
    """Where each equation stands, counted from 1."""

    depth: int
    staged: bool
    bias: bool
    named_adjoints: frozenset[int]

    def forward(self, letter: str, layer: int) -> int:
        """The number of `z` or `a` of a layer."""
        return 2 * layer - (letter == "z")

    @property
    def stage(self) -> int:
        """The number of the loss's own stage, `p = softmax(a)`."""
        return 2 * self.depth + 1

    @property
    def loss(self) -> int:
        """The number of the loss."""
        return 2 * self.depth + 1 + self.staged

    def backward(self, letter: str, layer: int) -> int:
        """The number of the derivative with respect to `a`, `z`, `w` or `b` of a layer."""
        above = self.depth - layer
        adjoints = sum(other > layer for other in self.named_adjoints)
        start = self.loss + above * (2 + self.bias) + adjoints
        own = layer in self.named_adjoints
        return start + {"a": 1, "z": 1 + own, "w": 2 + own, "b": 3 + own}[letter]


def numbering(network: Network) -> Numbering:
    """The numbering of a network's equations."""
    hidden = network.layers[:-1]
    named = frozenset(la.index for la in hidden if not la.activation.elementwise)
    return Numbering(network.depth, network.stage is not None, network.spec.bias, named)
