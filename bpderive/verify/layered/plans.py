"""A layer at its place: which sizes its letters have, and which labels its tensors.

In: plain data, `Layer`, and the shapes of what it takes. Out: a `Plan`. Must not know: the engine;
an import contract keeps it apart.
"""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any

from bpderive.verify.layered.reading import Axes, File, Named, indices_of, read, stars
from bpderive.verify.layered.trees import whole

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """One layer as it was asked for.

    Args:
        text: of its file.
        sources: the layers whose outputs it takes; 0 is the network's input.
        sizes: those that are given, by their letters.
        numbers: constants that are given, as texts.
        activation: the formula of `act`.
        bias: whether it has what stands with a `?`.
        tied: the layer whose parameters it uses, its own number if none.
    """

    text: str
    sources: tuple[int, ...]
    sizes: Mapping[str, int] = field(default_factory=dict)
    numbers: Mapping[str, str] = field(default_factory=dict)
    activation: str = "z"
    bias: bool = True
    tied: int = 0


@dataclass
class Plan:
    """A layer with all of its sizes and labels; `suffix` is its number, or nothing."""

    layer: Layer
    number: int
    inputs: Mapping[str, str]
    shapes: Sequence[Shape]
    numbered: bool = True

    @cached_property
    def file(self) -> File:
        """What the text says."""
        axes = stars(self.layer.text)
        return read(self.layer.text, len(self.shapes[0]) - axes if axes >= 0 else 0)

    @cached_property
    def known(self) -> dict[str, int]:
        """The sizes that are given, and those that the shapes of the inputs tell."""
        found = dict(self.layer.sizes)
        for entry, shape in zip(self.file.entries, self.shapes, strict=True):
            for letters, size in zip(entry.axes, shape, strict=True):
                unknown = [a for a in letters if self.axis(a) not in found]
                rest = prod(found[self.axis(a)] for a in letters if a not in unknown)
                if len(unknown) > 1 or (not unknown and rest != size) or size % rest:
                    raise ValueError(f"an axis of {entry.name} has size {size}, not {rest}")
                found |= {self.axis(a): size // rest for a in unknown}
        return found

    def axis(self, letter: str) -> str:
        """The name of a letter's size."""
        tree = self.file.letters.get(letter)
        name = getattr(tree, "id", None)
        return str(name) if name else letter.upper()

    def size(self, name: str) -> int:
        """A size by its letter: given, told by an input, or defined.

        Raises:
            LookupError: it is none of these.
        """
        if name not in self.known:
            found = whole(self.file.sizes[name])(self, {})
            if found != int(found):
                raise LookupError(f"size {name} is {found}")
            self.known[name] = int(found)
        return self.known[name]

    def range(self, letter: str) -> range:
        """The values of an index letter."""
        tree = self.file.letters.get(letter)
        size = whole(tree)(self, {}) if tree is not None else self.size(letter.upper())
        return range(1, int(size) + 1)

    def shape(self, axes: Axes) -> Shape:
        """The shape of a tensor."""
        return tuple(prod(len(self.range(letter)) for letter in letters) for letters in axes)

    def split(self, axes: Axes, indices: Sequence[int]) -> dict[str, int]:
        """The values of all letters of some axes; of several in one, the last runs fastest."""
        found: dict[str, int] = {}
        for letters, index in zip(axes, indices, strict=True):
            rest = index - 1
            for letter in reversed(letters):
                rest, found[letter] = divmod(rest, len(self.range(letter)))
                found[letter] += 1
        return found

    def present(self, tensor: Named) -> bool:
        """Whether the layer has it."""
        return self.layer.bias or not tensor.optional

    def label(self, name: str) -> str:
        """What a tensor is called in the network."""
        if name in self.inputs:
            return self.inputs[name]
        tensor = self.file.tensors[name]
        shared = tensor.role == "param" and self.layer.tied
        return label(name, self.layer.tied if shared else self.number, numbered=self.numbered)

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """What each tensor is called."""
        return {name: self.label(name) for name in self.file.tensors}

    def of_role(self, role: str) -> dict[str, Shape]:
        """The shapes of the layer's own tensors of a role, by label."""
        tensors = [t for t in self.file.of_role(role) if self.present(t)]
        own = [t for t in tensors if t.name not in self.inputs]
        return {self.labels[t.name]: self.shape(t.axes) for t in own}

    @cached_property
    def tokens(self) -> dict[str, int]:
        """By the label of what is read as an index, the largest whole number that it may be."""
        found: dict[str, int] = {}
        for node in (n for e in self.file.equations for n in ast.walk(e.body)):
            for axis, index in enumerate(
                indices_of(node) if isinstance(node, ast.Subscript) else ()
            ):
                size = self.shape(self.file.tensors[_name(node)].axes)[axis]
                for inner in ast.walk(index):
                    if isinstance(inner, ast.Subscript):
                        label = self.labels[_name(inner)]
                        found[label] = min(size, found.get(label, size))
        return found

    @property
    def output(self) -> tuple[str, Shape]:
        """The output's label and shape."""
        tensor = self.file.tensors[self.file.output]
        return self.labels[tensor.name], self.shape(tensor.axes)

    def merged(self, values: list[Any], tree: Any) -> Any:
        """Refused: a size has no letters."""
        raise ValueError("a size is no index")


def _name(node: Any) -> str:
    return str(node.value.id)


def label(name: str, number: int, *, numbered: bool = True) -> str:
    """`z2`; `W2_3` where the name ends in a digit."""
    if not numbered:
        return name
    return f"{name}_{number}" if name[-1].isdigit() else f"{name}{number}"
