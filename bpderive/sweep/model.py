"""What a sweep is made of: how a network is drawn, what is measured, which networks.

In: nothing. Out: frozen data, which other processes can be sent. Must not know: SymPy, NumPy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from bpderive.flow.model import Measurement
from bpderive.spec import Spec

Kind = Literal["normal", "uniform", "truncated", "orthogonal", "constant"]
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
AS_GIVEN = "as given"
VALUES = 1024
"""So many gradients of a layer are recorded of each network."""
ELEMENTS = 256
"""And no more of one input."""
WHOLE = 5_000_000
"""Of weights that are given all are recorded, as far as this allows for all layers and inputs."""


@dataclass(frozen=True)
class Drawn:
    """How the tensor of one parameter is drawn: `deviation` times a shape of variance 1.

    A `constant` is that number. An orthogonal tensor has `rows`; its other axes are the columns.
    """

    key: str
    shape: tuple[int, ...]
    kind: Kind
    deviation: float

    @property
    def size(self) -> int:
        """How many numbers there are."""
        size = 1
        for axis in self.shape:
            size *= axis
        return size


@dataclass(frozen=True)
class Plan:
    """All that it takes to measure networks of one kind: their code, and how they are drawn.

    `layers` are the number and the weights of each layer that is measured, `label` what the loss
    takes for labels, `bounds` what bounds the gradients of given weights, pickled. Of a layer, at
    `most` so many gradients of each input are recorded.
    """

    source: str
    target: str
    tensors: tuple[Drawn, ...]
    layers: tuple[tuple[int, str], ...]
    label: str
    inputs: int
    batch: int = 1
    bounds: bytes | None = None
    most: int = ELEMENTS

    @property
    def sizes(self) -> Mapping[str, int]:
        """How many numbers each parameter has."""
        return {tensor.key: tensor.size for tensor in self.tensors}


class Numbers(NamedTuple):
    """What was measured of the gradients of one layer of one network."""

    mean: float
    rms: float
    quantiles: tuple[float, float, float, float, float]
    dead: float
    bound: float | None = None


class Runner(Protocol):
    """Measures networks of one plan, one after another."""

    def network(self, prefix: str, index: int) -> tuple[Numbers, ...]:
        """The layers of one network, which the prefix and the index draw."""

    def each(self, text: str, given: Mapping[str, Any]) -> tuple[tuple[Numbers, ...], ...]:
        """The layers of given weights, for each of the inputs that a text draws."""


@dataclass(frozen=True, order=True)
class Cell:
    """One kind of network of a grid; 0 and "" mean: as in the layers that the grid began with."""

    depth: int
    width: int
    activation: str
    scheme: str
    remedy: str = ""

    @property
    def key(self) -> str:
        """What tells it from the others, in one text."""
        return f"{self.depth}/{self.width}/{self.activation}/{self.scheme}/{self.remedy}"


@dataclass(frozen=True)
class Grid:
    """Which networks are drawn.

    `layers` is a text of `--layers` or a `Spec`. `depths` are numbers of hidden layers, `widths`
    are theirs; where they are empty, they are as in `layers`. `schemes` and `remedies` are names of
    `flow.schemes` and `flow.remedies`; each cell is also measured without a remedy.
    """

    layers: str | Spec
    depths: tuple[int, ...] = ()
    widths: tuple[int, ...] = ()
    activations: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ("xavier",)
    remedies: tuple[str, ...] = ()
    networks: int = 100
    inputs: int = 4
    seed: int = 1


class Asked(NamedTuple):
    """What a measurement is of."""

    scheme: str
    inputs: int
    seed: int
    batch: int = 1


class Row(NamedTuple):
    """One layer of one network, as a line of the file of results has it."""

    layer: int
    parameter: str
    numbers: Numbers


@dataclass(frozen=True)
class Summary:
    """What was measured of one cell."""

    cell: Cell
    measurement: Measurement


@dataclass(frozen=True)
class Results:
    """What came out of a sweep: the rows of each network, by its cell and index.

    `drawn` is the scheme of each cell, which a remedy may have changed, and the samples at a time.
    """

    grid: Grid
    cells: tuple[Cell, ...]
    networks: Mapping[tuple[Cell, int], tuple[Row, ...]]
    drawn: Mapping[Cell, tuple[str, int]]

    @property
    def rows(self) -> tuple[tuple[Cell, int, Row], ...]:
        """Every line, in order."""
        every = sorted(self.networks)
        return tuple((*key, row) for key in every for row in self.networks[key])

    def summary(self) -> tuple[Summary, ...]:
        """The cells in the grid's order, each with its measurement."""
        from bpderive.sweep.spreads import measurement

        return tuple(
            Summary(cell, measurement(self._of(cell), self._asked(cell))) for cell in self.cells
        )

    def _asked(self, cell: Cell) -> Asked:
        scheme, batch = self.drawn[cell]
        return Asked(scheme, self.grid.inputs, self.grid.seed, batch)

    def _of(self, cell: Cell) -> tuple[tuple[Row, ...], ...]:
        return tuple(self.networks[cell, index] for index in range(self.grid.networks))


class Interrupted(KeyboardInterrupt):
    """Somebody pressed Ctrl-C; its text says what is kept, and how to go on."""
