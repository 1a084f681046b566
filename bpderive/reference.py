"""Reference text: the one plain-text name of every scalar quantity of a network.

In: text such as `w1[1,2]`.  Out: a frozen `Reference`, whose `str` is that text again; or a
`SpecError`.  `w2[i,j]` is layer 2, its neuron i, its input j, or the other way round where the
network's weights are stored so; layers and indices count from 1. Must not know any network: whether
layer 7 exists is for the caller to say.
"""

import re
from dataclasses import dataclass

from bpderive.errors import SpecError, quoted, suggest

_PATTERN = r"([A-Za-z]{1,20})([0-9]{0,9})(?:\[([0-9]{1,10}(?:,[0-9]{1,10}){0,3})\])?"


@dataclass(frozen=True)
class Reference:
    """One scalar: its tensor's letter, the layer (None for what has no layer), its indices."""

    name: str
    layer: int | None = None
    indices: tuple[int, ...] = ()

    def __str__(self) -> str:
        layer = "" if self.layer is None else self.layer
        indices = f"[{','.join(map(str, self.indices))}]" if self.indices else ""
        return f"{self.name}{layer}{indices}"

    @property
    def tensor(self) -> str:
        """The name of the whole tensor: `w1` of `w1[1,2]`."""
        return str(Reference(self.name, self.layer))


EXAMPLES = {
    "x": Reference("x", None, (1,)),
    "y": Reference("y", None, (1,)),
    "p": Reference("p", None, (1,)),
    "L": Reference("L"),
    "w": Reference("w", 1, (1, 2)),
    "b": Reference("b", 1, (1,)),
    "z": Reference("z", 1, (1,)),
    "a": Reference("a", 1, (1,)),
    "delta": Reference("delta", 1, (1,)),
}
"""One reference of every kind: whether it has a layer, and how many indices."""

_ACCEPTED = ", ".join(map(str, EXAMPLES.values()))


def parse(text: str) -> Reference:
    """The reference of the text, spaces allowed.

    Raises:
        SpecError: where the text is no reference.
    """
    found = re.fullmatch(_PATTERN, text.replace(" ", ""))
    if not found:
        raise SpecError.single(f"{quoted(text)} is not a reference", accepted=_ACCEPTED)
    name, layer, indices = found.groups()
    if name not in EXAMPLES:
        message = f"unknown quantity {quoted(name)}{suggest(name, EXAMPLES)}"
        raise SpecError.single(message, quoted(text), _ACCEPTED)
    numbers = map(int, indices.split(",")) if indices else ()
    reference = Reference(name, int(layer) if layer else None, tuple(numbers))
    _check(reference, text)
    return reference


def _check(reference: Reference, text: str) -> None:
    example = EXAMPLES[reference.name]
    same_kind = (reference.layer is None) == (example.layer is None)
    if not same_kind or len(reference.indices) != len(example.indices):
        message = f"{quoted(text)} has not the form of {quoted(example)}"
        raise SpecError.single(message, accepted=_ACCEPTED)
    if 0 in reference.indices or reference.layer == 0:
        raise SpecError.single(f"layers and indices of {quoted(text)} start at 1")
