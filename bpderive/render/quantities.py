"""Each quantity by its label: its letter with the layer mark, and its place in the network.

In: a label (`w{l+1}`, `delta3`, `x`) and a `Syntax`. Out: a `Quantity`. Must not know: SymPy.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from bpderive.errors import DerivationError
from bpderive.index import LayerName, Relative, parse_label
from bpderive.notation import DERIVED
from bpderive.render.pieces import ATOM, POWER, STEP, TOP, Piece, Place
from bpderive.render.syntax import Syntax


class Quantity(NamedTuple):
    """A label as it is printed, without its indices; `below` is a mark that goes before them.

    `derived` says that it is the derivative of the loss by what is printed.
    """

    text: str
    below: tuple[str, ...]
    level: int
    place: Place
    key: str
    kind: str
    derived: bool

    def piece(self, syntax: Syntax, indices: tuple[str, ...]) -> Piece:
        """One element, or the quantity itself where there are no indices."""
        key = self.key + "".join([index.zfill(6) for index in indices])
        lower = self.below + indices
        text = self.text + syntax.subscript(lower) if lower else self.text
        piece = Piece(text, self.level, self.place, key, kind=self.kind)
        return derivative(piece, syntax, several=len(indices) > 1) if self.derived else piece


def quantity(label: str, syntax: Syntax) -> Quantity:
    """The quantity of a label.

    Raises:
        DerivationError: the notation has no letter for it.
    """
    name, layer = parse_label(label)
    text, below, level = _marked(label, syntax.notation.letters, syntax.letter, syntax)
    where, kind = place(name, layer), BIAS.get(name, "")
    return Quantity(text, below, level, where, _key(name, layer), kind, _derived(name, syntax))


def _marked(
    label: str, letters: Mapping[str, str], write: Callable[[str], str], syntax: Syntax
) -> tuple[str, tuple[str, ...], int]:
    """A letter with the mark above it, or else that below; how tightly it binds."""
    notation = syntax.notation
    name, layer = notation.shown(*parse_label(label))
    if name not in letters:
        raise DerivationError(f"the notation {notation.name} has no letter for {label!r}")
    text, at = write(letters[name]), notation.counted(layer, name)
    if at is None:
        return text, (), ATOM
    if notation.marked_below:
        return text, (syntax.layer_text(at),), ATOM
    return syntax.marked(text, at), (), POWER


def _derived(name: str, syntax: Syntax) -> bool:
    """Whether the quantity is a derivative that has no letter of its own."""
    return name in DERIVED and syntax.notation.derivatives != "letter"


def derivative(piece: Piece, syntax: Syntax, *, several: bool = False) -> Piece:
    """The loss's derivative by a quantity, `∂L/∂z` or `dz`; of several samples, their sum's."""
    if syntax.notation.derivatives == "d":
        return piece._replace(text=syntax.differential(piece.text))
    loss = syntax.letter(syntax.notation.letters["S" if several else "L"])
    top, bottom = (Piece(syntax.partial + text, POWER) for text in (loss, piece.text))
    return syntax.fraction(top, bottom)._replace(place=piece.place, key=piece.key)


def array(label: str, axes: int, syntax: Syntax) -> Piece:
    """A matrix in bold upper case, a vector in bold lower case, a scalar in its letter.

    Raises:
        DerivationError: the notation has no letter for it.
    """
    name, layer = parse_label(label)
    if axes > 2:
        raise DerivationError(f"no letter for the array {label!r} of {axes} axes")
    letters = syntax.notation.matrices if axes == 2 else syntax.notation.letters
    write = syntax.array_letter if axes else syntax.letter
    text, below, level = _marked(label, letters, write, syntax)
    text += syntax.subscript(below) if below else ""
    piece = Piece(text, level, place(name, layer), label, kind=BIAS.get(name, ""))
    found = derivative(piece, syntax, several=axes > 1) if _derived(name, syntax) else piece
    return syntax.tinted(found, label)


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
