"""Puts modules in their places, one after another.

In: requests in forward order: which file, what its letters are, whose outputs it takes. Out: a
`Stack`. Must not know: how layers are asked for.
"""

from dataclasses import dataclass, field, replace
from functools import lru_cache

from sympy import Rational

from bpderive.catalog import Activation, Catalog
from bpderive.index import Axis, Tensor, parse_label
from bpderive.modules.labels import label
from bpderive.modules.model import Module
from bpderive.modules.reader import read
from bpderive.modules.samples import single
from bpderive.stack.model import Place
from bpderive.stack.placing import (
    Asked,
    Numbered,
    bind,
    checked,
    concrete,
    names_of,
    size_of,
)


@dataclass(frozen=True)
class Wanted:
    """A kind of layer: its file's text, and what `act`, the biases and the numbers are there."""

    source: str
    file: str
    activation: Activation | None
    bias: bool
    leading: tuple[str, ...]
    numbers: tuple[tuple[str, Rational], ...] = ()


@lru_cache(maxsize=256)
def _module(wanted: "Wanted", catalog: Catalog, *, samples: bool) -> Module | None:
    """The module that is asked for, or None where it mixes samples and they are left out."""
    found = read(
        wanted.source,
        wanted.file,
        activation=wanted.activation,
        bias=wanted.bias,
        leading=wanted.leading,
        catalog=catalog,
    )
    found = replace(found, numbers={**found.numbers, **dict(wanted.numbers)})
    return found if samples else single(found)


@dataclass
class Building:
    """The places so far; `samples` says whether tensors keep the axis of the samples."""

    input: Tensor
    catalog: Catalog
    samples: bool
    alone: bool = False
    places: list[Place] = field(default_factory=list)

    def output(self, number: int) -> Tensor:
        """What a place gives; 0 is the network's input."""
        return self.places[number - 1].output if number else self.input

    def add(
        self, wanted: Wanted, asked: Asked, sources: tuple[int, ...], tied: int | None = None
    ) -> Place | None:
        """Put a layer in its place; None where its module is."""
        module = _module(wanted, self.catalog, samples=self.samples)
        if module is None:
            return None
        number = len(self.places) + 1
        inputs = tuple(self.output(source) for source in sources)
        alone = self.alone and number == 1
        if alone:  # what the file leaves open stays a symbol
            open_sizes = {str(k): k for k in module.ranges.values() if str(k) not in module.sizes}
            asked = replace(asked, sizes={**open_sizes, **asked.sizes})
        sizes = bind(module, inputs, asked)
        checked(module, sizes, asked)
        incoming = module.of_role("input") or module.of_role("data")[:1]
        labels = {t.name: given.label for t, given in zip(incoming, inputs, strict=False)}
        names = names_of(module, labels, sizes, Numbered(number, tied or number, alone))
        own = module.by_name[module.output]
        axes = tuple(Axis(axis.name, size_of(axis, module, sizes)) for axis in own.axes)
        tensor = _tensor(concrete(own.name, number, alone=alone), axes)
        place = Place(
            number,
            asked.row,
            asked.text,
            module,
            sources,
            names,
            tensor,
            tied,
            wanted.source,
            wanted.activation,
            wanted.bias,
        )
        self.places.append(place)
        return place

    def taken(self) -> frozenset[str]:
        """The labels in use."""
        own = (str(p.names[label(t.name)]) for p in self.places for t in p.module.tensors)
        return frozenset(own)


def _tensor(text: str, axes: tuple[Axis, ...]) -> Tensor:
    name, layer = parse_label(text)
    return Tensor(name, layer, axes, "activation")


def sized(tensor: Tensor, *, samples: bool) -> Tensor:
    """The network's input with the axis of the samples, or without."""
    axes = tensor.axes if samples else tuple(a for a in tensor.axes if a.name != "n")
    return replace(tensor, axes=axes)
