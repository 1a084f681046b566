"""A network of any layers: each a module at its place, with the names that it has there.

In: nothing. Out: frozen data. Must not know: gradients, letters, words.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sympy import Expr, Rational

from bpderive.catalog import Activation, Catalog, Loss
from bpderive.index import Equation, Tensor
from bpderive.modules.labels import derivative
from bpderive.modules.model import Module
from bpderive.spec import Spec


@dataclass(frozen=True)
class Place:
    """One layer of the network.

    `number` counts from 1 in forward order; `row` is its row of the catalogue of layers, or the
    name of its file; `text` is how it was asked for; `sources` are the numbers of the layers whose
    outputs it takes, 0 being the network's input. `names` turns the module's general labels and
    sizes into those of this place. `tied` is the number of the layer whose parameters it uses.
    `source` is the text of its file, `activation` what `act` is there (None: nothing), `bias`
    whether it has what stands with a `?`: an oracle reads the text by itself.
    """

    number: int
    row: str
    text: str
    module: Module
    sources: tuple[int, ...]
    names: Mapping[str, Expr | str]
    output: Tensor
    tied: int | None = None
    source: str = ""
    activation: Activation | None = None
    bias: bool = False

    def source_of(self, name: str) -> int:
        """The number of the layer from which one of its inputs comes."""
        taken = [t.name for t in self.module.of_role("input")]
        return self.sources[taken.index(name)]


@dataclass(frozen=True)
class Stack:
    """A network of modules, ready to be derived. Build it with `stack.build`.

    `samples` says whether its tensors have the axis `n` of the samples of a batch; `alone`, that it
    is a single file of equations, whose names stay as they are (`U`, not `U1`).
    `loss_equations` are written for the last module's general output; `added` is how many places
    were put behind the layers asked for, because the loss wants them.
    """

    spec: Spec
    input: Tensor
    places: tuple[Place, ...]
    loss: Loss
    target: Tensor
    loss_equations: tuple[Equation, ...]
    samples: bool
    catalog: Catalog = field(compare=False, repr=False)
    alone: bool = False
    added: int = 0

    @property
    def output(self) -> Tensor:
        """What the network gives: the output of the last layer that was asked for."""
        return self.places[-1 - self.added].output

    @property
    def sent(self) -> str:
        """The label of the derivative by the network's input: `delta_x`."""
        return derivative(self.input.name)

    @property
    def root(self) -> str:
        """What is differentiated: the loss `L`, or with samples their sum `S`."""
        return "S" if self.samples else "L"

    @property
    def tokens(self) -> bool:
        """Whether the input is whole numbers, by which nothing can be differentiated."""
        return not self.places[0].module.of_role("input")

    @property
    def depth(self) -> int:
        """The number of layers."""
        return len(self.places)

    def place(self, number: int) -> Place:
        """Layer 1 … depth."""
        return self.places[number - 1]

    @cached_property
    def activations(self) -> Mapping[str, Activation]:
        """The activations in use, by name."""
        rows = (row for place in self.places for row in place.module.activations.items())
        return dict(rows)

    @cached_property
    def numbers(self) -> Mapping[str, Rational]:
        """Every constant by its label."""
        return {
            str(place.names.get(f"{name}{{l}}", name)): value
            for place in self.places
            for name, value in place.module.numbers.items()
        }
