"""What a document shall hold: its sections, how much of each, and what comes from elsewhere.

In: what a caller asks for. Out: a frozen `Request` that every section's builder is given. Must not
know: what the sections say.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bpderive.flow.model import Measurement
from bpderive.proof import Proof

if TYPE_CHECKING:
    from bpderive.example import Example

DERIVATION = (
    "notation",
    "forward",
    "operations",
    "weight",
    "gradients",
    "sharing",
    "matrix",
    "descent",
)
"""The sections of the default command."""

NOTES = (*DERIVATION, "example", "flow", "code")
"""The sections of course notes."""

FIRST = "w1[1,1]"
"""The weight that is derived in full where none is named."""
LEVELS = ("brief", "full")


@dataclass(frozen=True)
class Request:
    """What a document shall hold.

    `weight` is derived in full; `conventions` says what the equations take for granted even where
    it is the usual; `translate` names another notation; `example` holds numbers, `code` the lines
    of the generated code, `cells` by section what a notebook runs; `by` are lines under the title.
    Gradients at initialisation are expected of weights drawn by `scheme`; `measured` are those of
    drawn networks, for one scheme each, and `remedied` those of the deep network that the remedies
    are compared on, by remedy.
    """

    weight: str = FIRST
    all_weights: bool = False
    proof: Proof | None = None
    sections: tuple[str, ...] = DERIVATION
    level: str = "brief"
    figures: bool = False
    conventions: bool = False
    translate: str | None = None
    example: "Example | None" = None
    code: str | None = None
    cells: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    title: str | None = None
    by: tuple[str, ...] = ()
    scheme: str = "xavier"
    measured: tuple[Measurement, ...] = ()
    remedied: Mapping[str, Measurement] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        """Whether every step is wanted."""
        return self.level == "full"
