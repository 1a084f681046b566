"""What a format must know to print mathematics: its contract, one method a construct.

In: letters and texts that are printed already. Out: text. A format implements every method, and
knows nothing of SymPy or of the order of things: `Printer` decides that.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from bpderive.index import LayerName
from bpderive.notation import Notation
from bpderive.render.pieces import Piece
from bpderive.render.roles import role_of

LEFT, RIGHT = "\ue000", "\ue001"
"""Marks around subscripts that are filled in later; `Printer.lines` uses them."""
BLANK = 0xE100
"""The first of the characters that stand for an index to be filled in."""
FIRST = chr(BLANK)
SIGNS = frozenset("+-−")
"""Signs of an index that is computed."""


class Syntax(ABC):
    """One format of mathematics, in the letters of a notation."""

    minus: str
    times: str
    arrow: str
    assign: str
    approximately: str
    partial: str
    prime: str
    pi: str
    euler: str
    dot: str
    hadamard: str
    divided: str
    ellipsis: str
    frobenius: str
    each: str
    relations: Mapping[str, str]
    comma = ","
    """Between the marks of a letter, and between indices."""
    thin = ""
    """A small space."""
    modulo: str

    colours: bool
    """Whether quantities have the colours of their roles."""

    def __init__(self, notation: Notation) -> None:
        self.notation = notation
        self.colours = False

    @property
    def layer(self) -> str:
        """The general layer's letter."""
        return self.letter(self.notation.general_layer)

    @abstractmethod
    def letter(self, character: str) -> str:
        """A letter of the notation: `δ`, `ŷ`, `W`."""

    @abstractmethod
    def bold(self, character: str) -> str:
        """The letter of a vector or a matrix."""

    @abstractmethod
    def layer_text(self, layer: LayerName) -> str:
        """`3`, or `ℓ−1` for a relative one; it is counted already."""

    @abstractmethod
    def marked(self, letter: str, layer: LayerName) -> str:
        """A letter with its layer mark above; the layer is counted already."""

    @abstractmethod
    def superscripted(self, letter: str, mark: str) -> str:
        """A letter with a mark above it, which is printed already."""

    @abstractmethod
    def starred(self, letter: str) -> str:
        """A letter that something else has too: that of the target, where a module has a `y`."""

    @abstractmethod
    def word(self, text: str) -> str:
        """A word, or a single letter, that stands upright."""

    @abstractmethod
    def floored(self, piece: Piece) -> str:
        """The largest whole number that is not larger."""

    @abstractmethod
    def arg_max(self, indices: Sequence[str], body: str) -> str:
        """The indices at which the body is largest."""

    @abstractmethod
    def scripted(self, indices: Sequence[str]) -> str:
        """A subscript of these indices; `spaced` says whether they have commas between them."""

    @abstractmethod
    def sized(self, base: str, layer: LayerName) -> str:
        """The size `n` of a layer, or a user's symbolic size such as `h12`."""

    @abstractmethod
    def function(self, name: str) -> str:
        """A function's symbol, from its name or its letter in the notation."""

    @abstractmethod
    def function_power(self, function: Piece, exponent: str) -> str | None:
        """`tanh²(z)` from `tanh(z)`; None where the function's symbol is a letter: `σ(z)²`."""

    @abstractmethod
    def exponential(self, argument: Piece) -> Piece:
        """`e` to the argument."""

    @abstractmethod
    def logarithm(self, argument: Piece, *, bare: bool) -> str:
        """The logarithm; `bare` where the argument could go without brackets."""

    @abstractmethod
    def bracketed(self, piece: Piece) -> str:
        """The piece (without its sign) in round brackets."""

    @abstractmethod
    def bars(self, piece: Piece, *, double: bool = False) -> str:
        """The absolute value, or the norm."""

    @abstractmethod
    def iverson(self, condition: str) -> str:
        """`[z > 0]`: 1 where it holds, else 0."""

    @abstractmethod
    def cases(self, rows: Sequence[tuple[Piece, str]]) -> Piece:
        """Values and the conditions under which they hold."""

    @abstractmethod
    def fraction(self, top: Piece, bottom: Piece, *, small: bool = False) -> Piece:
        """A quotient; `small` for a number beside a flat expression."""

    @abstractmethod
    def decimal(self, digits: str, *, cut: bool) -> str:
        """A decimal number; `cut` where more digits follow."""

    @abstractmethod
    def power(self, base: str, exponent: str) -> str:
        """A power, its base bracketed already."""

    @abstractmethod
    def root(self, radicand: Piece) -> str:
        """The square root."""

    @abstractmethod
    def sum_sign(self, index: str, size: str) -> str:
        """The sign of a sum over `index` from 1 to `size`; without limits where both are empty."""

    @abstractmethod
    def transposed(self, text: str, *, marked: bool) -> str:
        """A matrix (or what is bracketed) transposed; `marked` where it has a layer mark."""

    @abstractmethod
    def grid(self, rows: Sequence[Sequence[str]]) -> str:
        """A matrix by its elements; a vector is a matrix of one column."""

    @abstractmethod
    def ones(self) -> str:
        """The vector of ones."""

    @abstractmethod
    def gap(self, left: Piece, right: Piece) -> str:
        """What stands between two factors."""

    def application(self, symbol: str, argument: Piece) -> str:
        """A function's symbol and its argument (or several, with commas between them)."""
        return symbol + self.bracketed(argument)

    @abstractmethod
    def coloured(self, text: str, role: str) -> str:
        """A quantity in the colour that its role has in the figures."""

    def tinted(self, piece: Piece, label: str) -> Piece:
        """A quantity in its role's colour, where colours are wanted."""
        role = role_of(label, self.notation) if self.colours else None
        return piece._replace(text=self.coloured(piece.text, role)) if role else piece

    def annotated(self, letter: str, marks: Sequence[str], layer: LayerName) -> str:
        """A letter with the marks of its name, and that of its layer after them."""
        if layer is not None:
            marks = [*marks, self.notation.layer_mark.format(layer=self.layer_text(layer))]
        return self.superscripted(letter, self.comma.join(marks))

    def lowered(self, letter: str, layer: LayerName) -> str:
        """A number with its layer's mark below."""
        return letter + self.subscript((self.layer_text(layer),))

    def counter(self, letter: str) -> str:
        """The letter of an index, with its primes."""
        return letter.replace("'", self.prime) if letter[-1] == "'" else letter

    def computed(self, text: str) -> str:
        """An index that is computed, as it stands among indices."""
        return text

    def several(self, indices: Sequence[str]) -> str:
        """Several indices that are read as one: `(c, t)`."""
        return f"({self.comma.join(indices)})"

    def over(self, top: str, bottom: str) -> str:
        """A quotient in one line."""
        return f"{top}/{bottom}"

    def size(self, letter: str) -> str:
        """A size that has a single letter."""
        return letter

    def array_letter(self, character: str) -> str:
        """The letter of a vector or a matrix, in bold where the notation has it so."""
        return self.bold(character) if self.notation.bold else self.letter(character)

    def differential(self, text: str) -> str:
        """`dz`, the derivative of the loss by z."""
        return self.letter("d") + text

    def layer_number(self, layer: LayerName) -> str:
        """A layer's number as the notation counts, for a sentence."""
        return self.layer_text(self.notation.counted(layer))

    def spaced(self, indices: Sequence[str]) -> bool:
        """Whether indices have commas between them: where one has two characters, or always."""
        return self.notation.apart or not all(len(i.rstrip("'′")) == 1 for i in indices)

    def separator(self, indices: Sequence[str]) -> str:
        """What stands between indices; where one is computed, the next stands apart."""
        if not self.spaced(indices):
            return ""
        computed = any(SIGNS.intersection(index) for index in indices)
        return self.comma + self.thin if self.notation.general and computed else self.comma

    def subscript(self, indices: Sequence[str]) -> str:
        """`scripted`, or the marks of a subscript that is filled in later."""
        if max(indices) >= FIRST:
            return f"{LEFT}{','.join(indices)}{RIGHT}"
        return self.scripted(indices)

    def signed(self, pieces: Sequence[Piece]) -> str:
        """Terms with their signs: `a − b + c`."""
        return " ".join(self.signs(pieces))

    def signs(self, pieces: Sequence[Piece]) -> list[str]:
        """Each term with its sign; the first without a plus."""
        texts = [
            f"{self.minus} {piece.text}" if piece.negative else f"+ {piece.text}"
            for piece in pieces
        ]
        head = pieces[0]
        texts[0] = f"{self.minus}{head.text}" if head.negative else head.text
        return texts
