"""Each quantity by its label: its letter with the marks of its name and layer.

In: a label (`w{l+1}`, `delta3`, `W_q2`, `x`) and a `Syntax`. Out: a `Quantity`.
Must not know: SymPy.
"""

from collections.abc import Callable
from typing import NamedTuple

from bpderive.errors import DerivationError
from bpderive.index import LayerName
from bpderive.notation import Notation
from bpderive.notation.names import Name
from bpderive.notation.naming import TARGET
from bpderive.notation.own import STAR
from bpderive.render.pieces import ATOM, POWER, Piece, Place
from bpderive.render.roles import key_of, kind_of, place_of
from bpderive.render.syntax import Syntax

Write = Callable[[str], str]


class Quantity(NamedTuple):
    """A label as it is printed, without its indices; `below` is a mark that goes before them.

    `alone` is the text without indices where that differs. `root` says whose derivative it is, and
    is empty where it is none; of the dense network's, that depends on the indices.
    """

    text: str
    below: tuple[str, ...]
    level: int
    place: Place
    key: str
    kind: str
    root: tuple[str, str] | None
    alone: str = ""

    def piece(self, syntax: Syntax, indices: tuple[str, ...]) -> Piece:
        """One element, or the quantity itself where there are no indices."""
        key = self.key + "".join([index.zfill(6) for index in indices])
        lower = self.below + indices
        text = self.text + syntax.subscript(lower) if lower else self.text
        if self.alone and not indices:
            text = self.alone
        piece = Piece(text, self.level, self.place, key, kind=self.kind)
        return (
            piece if self.root is None else derivative(piece, syntax, self.root[len(indices) > 1])
        )


def quantity(label: str, syntax: Syntax) -> Quantity:
    """The quantity of a label."""
    notation = syntax.notation
    text, below, level = _marked(label, syntax.letter, syntax)
    alone = _alone(label, syntax)
    where, key, kind = (
        place_of(label, notation),
        key_of(label, notation),
        kind_of(label, notation),
    )
    return Quantity(text, below, level, where, key, kind, _root(label, syntax), alone)


def _marked(
    label: str, write: Write, syntax: Syntax, axes: int = 0
) -> tuple[str, tuple[str, ...], int]:
    """A letter with the marks above it, or that of the layer below; how tightly it binds."""
    notation = syntax.notation
    name, layer = notation.shown(*notation.parsed(label))
    found = _named(name, layer, notation, axes)
    if found.letter[-1] == STAR:
        return syntax.starred(write(found.letter[:-1])), (), POWER
    text, marks = write(found.letter), [mark(one, syntax) for one in found.marks]
    at = notation.counted(layer, name)
    if at is not None and not notation.marked_below:
        marked = syntax.annotated(text, marks, at) if marks else syntax.marked(text, at)
        return marked, (), POWER
    below = () if at is None else (syntax.layer_text(at),)
    return (syntax.annotated(text, marks, None), below, POWER) if marks else (text, below, ATOM)


def _named(name: str, layer: LayerName, notation: Notation, axes: int) -> Name:
    """What a quantity is called: a matrix in upper case, as the textbook or a file has it."""
    found = notation.named(name, layer)
    letters = notation.matrices if axes == 2 else notation.letters
    textbook = "y" if notation.general and name == TARGET else name
    if not found.marks and textbook in letters and not notation.is_own(name, layer):
        return Name(letters[textbook])
    return notation.matrix(found) if axes == 2 and notation.general else found


def _alone(label: str, syntax: Syntax) -> str:
    """A number of a module has its layer below, where above it would read as a power."""
    notation = syntax.notation
    name, layer = notation.parsed(label)
    bare = notation.layer_mark[0] == "{" and not notation.marked_below
    number = notation.is_own(name, layer) and name not in notation.setting.arrays
    if layer is None or not bare or not number:
        return ""
    return syntax.lowered(mark(notation.named(name, layer), syntax), notation.counted(layer, name))


def mark(one: Name | str, syntax: Syntax) -> str:
    """What stands above a letter: a word, or the name of another quantity."""
    if isinstance(one, str):
        return syntax.word(one)
    text = syntax.letter(one.letter)
    marks = [mark(part, syntax) for part in one.marks]
    return syntax.annotated(text, marks, None) if marks else text


def _root(label: str, syntax: Syntax) -> tuple[str, str] | None:
    """What a derivative without a letter of its own is of: with one index, with several."""
    notation = syntax.notation
    name, layer = notation.parsed(label)
    gradient = notation.is_gradient(name, layer)
    if not gradient and (not notation.by(name, layer) or notation.derivatives == "letter"):
        return None
    return (notation.setting.root,) * 2 if notation.general else ("L", "S")


def derivative(piece: Piece, syntax: Syntax, root: str = "L") -> Piece:
    """The loss's derivative by a quantity, `∂L/∂z` or `dz`; of several samples, their sum's."""
    if syntax.notation.derivatives == "d":
        return piece._replace(text=syntax.differential(piece.text))
    loss = syntax.letter(syntax.notation.letters[root])
    top, bottom = (Piece(syntax.partial + text, POWER) for text in (loss, piece.text))
    return syntax.fraction(top, bottom)._replace(place=piece.place, key=piece.key)


def array(label: str, axes: int, syntax: Syntax) -> Piece:
    """A matrix in bold upper case, a vector in bold lower case, a scalar in its letter.

    Raises:
        DerivationError: the array has more axes than a matrix.
    """
    if axes > 2:
        raise DerivationError(f"no letter for the array {label!r} of {axes} axes")
    notation = syntax.notation
    write = syntax.array_letter if axes else syntax.letter
    text, below, level = _marked(label, write, syntax, axes)
    text += syntax.subscript(below) if below else ""
    piece = Piece(text, level, place_of(label, notation), label, kind=kind_of(label, notation))
    root = _root(label, syntax)
    found = piece if root is None else derivative(piece, syntax, root[axes > 1])
    return syntax.tinted(found, label)
