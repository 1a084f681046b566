"""What is proved: a derivation, its small model, and the points at which the model is tried.

In: a `Derivation` and a seed. Out: a `Subject`, whose parts are worked out when first asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bpderive.derive import Derivation
from bpderive.network import Network
from bpderive.verify.arithmetic import FLOOR, ROUGH
from bpderive.verify.evaluate import Rows, reference
from bpderive.verify.model import model, oracle_of
from bpderive.verify.oracle import Element, Oracle, Tensor
from bpderive.verify.points import Labels, Points, draw

SEED = 1


@dataclass(frozen=True)
class Subject:
    """A derivation to be proved; `quick` leaves out what needs more than the core, or seconds.

    `tried` are points that were drawn for the same network before.
    """

    derivation: Derivation
    quick: bool = False
    seed: int = SEED
    tried: Points | None = None

    @cached_property
    def model(self) -> Derivation:
        """The same results over a small network."""
        return model(self.derivation, self.seed)

    @property
    def network(self) -> Network:
        """The small network."""
        return self.model.network

    @property
    def own(self) -> bool:
        """Whether the small network is the derived one."""
        return self.model is self.derivation

    @cached_property
    def oracle(self) -> Oracle:
        """The small network's oracle."""
        return oracle_of(self.network)

    @cached_property
    def points(self) -> Points | None:
        """Where the small network is tried; None where its loss has no value."""
        return self.tried or draw(self.oracle, labels_of(self.network), self.seed)

    @cached_property
    def elements(self) -> Mapping[str, tuple[Element, ...]]:
        """The elements of every parameter and inner quantity, by label."""
        found: dict[str, tuple[Element, ...]] = {}
        for element in (*self.oracle.parameters(), *self.oracle.inner()):
            found[element[0]] = (*found.get(element[0], ()), element)
        return found

    @property
    def parameters(self) -> tuple[str, ...]:
        """The labels of weights and biases."""
        return tuple(label for label in self.elements if label[0] in "wb")

    def expected(self, label: str) -> Tensor:
        """The gradient of the batch's loss with respect to a parameter: mean or sum of samples."""
        assert self.points is not None  # noqa: S101 - whoever asks has looked
        slopes = self.points.slopes
        count = len(slopes) if self.network.spec.reduction == "mean" else 1
        return {at: sum(s[label][at] for s in slopes) / count for at in slopes[0][label]}

    @cached_property
    def scales(self) -> Mapping[str, Any]:
        """By label, the size of its derivatives; at least a small part of the largest there is."""
        assert self.points is not None  # noqa: S101 - whoever asks has looked
        sizes = {
            label: max(abs(v) for slopes in self.points.slopes for v in slopes[label].values())
            for label in self.elements
        }
        floor = FLOOR * max(sizes.values())
        return {label: max(size, floor) for label, size in sizes.items()}

    def rough(self, label: str) -> Any:
        """The scale of a label for the machine's numbers."""
        return max(self.scales[label], ROUGH * max(self.scales.values()))


def labels_of(network: Network) -> Labels:
    """What the network's loss asks of its outputs and labels."""
    loss = network.loss
    return Labels(loss.label, loss.domain, tuple(kink.at for kink in loss.kinks))


def name_of(element: Element) -> str:
    """The reference of an element."""
    return reference(*element)


def rows_of(tensor: Tensor) -> Rows:
    """A tensor of one or two indices as rows; of one, as a column."""
    rows: dict[int, list[Any]] = {}
    for (first, *_), value in sorted(tensor.items()):
        rows.setdefault(first, []).append(value)
    return list(rows.values())
