"""Each quantity by its label: its letter with the layer mark, and its place in the network.

In: a label (`w{l+1}`, `delta3`, `x`) and a `Syntax`. Out: a `Quantity`. Must not know: SymPy.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from bpderive.errors import DerivationError
from bpderive.index import LayerName, Relative, parse_label
from bpderive.render.pieces import ATOM, POWER, STEP, TOP, Piece, Place
from bpderive.render.syntax import Syntax


class Quantity(NamedTuple):
    """A label as it is printed, without its indices."""

    text: str
    level: int
    place: Place
    key: str
    kind: str

    def piece(self, subscript: str, indices: tuple[str, ...]) -> Piece:
        """One element, or the quantity itself where there are no indices."""
        key = self.key + "".join(index.zfill(6) for index in indices)
        return Piece(self.text + subscript, self.level, self.place, key, kind=self.kind)


def quantity(label: str, syntax: Syntax) -> Quantity:
    """The quantity of a label.

    Raises:
        DerivationError: the notation has no letter for it.
    """
    name, layer = parse_label(label)
    letter = syntax.notation.letters.get(name)
    if letter is None:
        raise DerivationError(f"the notation {syntax.notation.name} has no letter for {label!r}")
    text = syntax.letter(letter)
    text = text if layer is None else syntax.marked(text, layer)
    level = ATOM if layer is None else POWER
    return Quantity(text, level, place(name, layer), _key(name, layer), BIAS.get(name, ""))


def array(label: str, axes: int, syntax: Syntax) -> Piece:
    """A matrix in bold upper case, a vector in bold lower case, a scalar in its letter.

    Raises:
        DerivationError: the notation has no letter for it.
    """
    name, layer = parse_label(label)
    letters = syntax.notation.matrices if axes == 2 else syntax.notation.letters
    if axes > 2 or name not in letters:
        raise DerivationError(f"no letter for the array {label!r} of {axes} axes")
    text = syntax.bold(letters[name]) if axes else syntax.letter(letters[name])
    level = ATOM if layer is None else POWER
    text = text if layer is None else syntax.marked(text, layer)
    return Piece(text, level, place(name, layer), label, kind=BIAS.get(name, ""))


def place(name: str, layer: LayerName) -> Place:
    """Where a quantity stands between the input and the loss."""
    at = layer.offset if isinstance(layer, Relative) else layer or 0
    return PLACES.get(name, _elsewhere)(at)


def _key(name: str, layer: LayerName) -> str:
    at = layer.offset + 1 if isinstance(layer, Relative) else layer or 0
    return f"{name}{at:06d}"


def _elsewhere(_layer: int) -> Place:
    return Place(TOP)


def _derivative(layer: int) -> Place:
    return Place(STEP * layer + 3, layer, up=True)


BIAS: Mapping[str, str] = {"b": "bias"}
PLACES: Mapping[str, Callable[[int], Place]] = {
    "x": lambda _: Place(2, plain=True),
    "w": lambda layer: Place(STEP * layer, layer - 1),
    "b": lambda layer: Place(STEP * layer),
    "z": lambda layer: Place(STEP * layer + 1, plain=True),
    "a": lambda layer: Place(STEP * layer + 2, plain=True),
    "y": lambda _: Place(TOP, plain=True),
    "p": lambda _: Place(TOP - 1, plain=True),
    "delta": _derivative,
    "g": _derivative,
    "h": _derivative,
}
