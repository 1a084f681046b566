"""Mathematics as it is said aloud: `the partial derivative of L with respect to w 1 1 of layer 1`.

In: what `Printer` decided, and a `Wording` with the words (its tables `spoken` and `letter`). Out:
words in one line, the same for the same formula and never for two; where a part ends is said only
where a listener could not tell. Must not know: any format.
"""

import unicodedata
from collections.abc import Mapping, Sequence

from bpderive.index import LayerName, Relative
from bpderive.notation import Notation
from bpderive.render.pieces import ATOM, CASES, POWER, PRODUCT, Piece, merged
from bpderive.render.printer import Printer
from bpderive.render.spoken_marks import ABOVE, BELOW, HERE, placed, small_letters
from bpderive.wording import Wording

PARTIAL = "\uf101"
"""Before a quantity of a derivative."""
EACH = "\uf102"
"""Before an exponent that is taken element by element."""
ACCENTS: Mapping[str, str] = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "bar"}
POWERS: Mapping[str, str] = {"2": "squared", "3": "cubed"}
NEIGHBOURS: Mapping[int, str] = {1: "layer_next", -1: "layer_previous"}
SIGNS = {"<": "less", ">": "greater", "<=": "at_most", ">=": "at_least", "=": "equals"}


class SpokenMath(Printer):
    """Says expressions and arrays."""

    partial = PARTIAL
    each = EACH
    frobenius = ""

    def __init__(self, notation: Notation, wording: Wording) -> None:
        super().__init__(notation)
        self.wording = wording
        self._single: set[str] = set()
        self._units: set[str] = set()
        self._lower = small_letters(notation)
        for name in ("times", "arrow", "assign", "hadamard", "divided", "modulo"):
            setattr(self, name, f" {self.say(name)} ")
        for name in ("minus", "approximately", "pi", "euler", "ellipsis"):
            setattr(self, name, self.say(name))
        self.prime = f" {self.say('prime')}"
        self.dot = self.times
        self.relations = {sign: self.say(name) for sign, name in SIGNS.items()}

    def in_notation(self, notation: Notation) -> "SpokenMath":
        return SpokenMath(notation, self.wording)

    def say(self, key: str, **slots: str) -> str:
        """The words of the language, with others in their slots."""
        return "".join(
            literal + (slots[slot] if slot else "")
            for literal, slot in self.wording.pieces(f"spoken.{key}")
        )

    def single(self, text: str) -> bool:
        """Whether it is one quantity or one number, so that nobody can hear it wrong."""
        number = text.removeprefix(f"{self.minus} ").replace(".", "")
        return text in self._single or number.isdigit()

    def scoped(self, key: str, *, inside: str, end: bool) -> str:
        """Words around a part, and where it ends unless that is plain."""
        said = self.say(key, inside=inside)
        return f"{said}{self.say(f'{key}_end')}" if end else said

    # --- Quantities ---

    def element(self, label: str, indices: tuple[str, ...]) -> Piece:
        return self.tinted(super().element(label, indices), label)

    def tinted(self, piece: Piece, label: str) -> Piece:
        """A quantity, its indices where they are said."""
        text = placed(piece.text)
        if piece.level >= POWER:
            self._single.add(text)
        return piece._replace(text=text)

    def subscript(self, indices: Sequence[str]) -> str:
        return f"{BELOW}{super().subscript(indices)}{ABOVE}"

    def coloured(self, text: str, role: str) -> str:
        return text

    def letter(self, character: str) -> str:
        base, *marks = list(unicodedata.normalize("NFD", character))
        accents = [ACCENTS[mark] for mark in marks if mark in ACCENTS]
        if not accents:
            return self._letter(character)
        return self.say(accents[0], letter=self._letter(base))

    def _letter(self, character: str) -> str:
        """Its name; a capital is told from the small letter where the notation has both."""
        small = character.lower()
        if character == small or small not in self._lower:
            return self._name(character)
        return self.say("capital", letter=character if character.isascii() else self._name(small))

    def _name(self, character: str) -> str:
        """A Greek letter's name in the language, and that of l; any other stands for itself."""
        if len(character) > 1 or (character.isascii() and character != "l"):
            return character
        *_, name = unicodedata.name(character).lower().split()
        key = f"letter.{name}"
        return self.wording.sentences.get(key, character)

    def bold(self, character: str) -> str:
        return self.array_letter(character)

    def array_letter(self, character: str) -> str:
        """A matrix has a capital; a small letter is a vector's where the notation has it bold."""
        matrix = unicodedata.normalize("NFD", character)[0].isupper()
        letter = self.letter(character.lower())
        if not (matrix or self.notation.bold):
            return letter
        return self.say("matrix" if matrix else "vector", letter=letter)

    def differential(self, text: str) -> str:
        return self.say("differential", quantity=text)

    def layer_text(self, layer: LayerName) -> str:
        if not isinstance(layer, Relative):
            return str(layer)
        if not layer.offset:
            return self.layer
        sign = self.say("plus") if layer.offset > 0 else self.minus
        return f"{self.layer} {sign} {abs(layer.offset)}"

    def at(self, layer: LayerName) -> str:
        """`layer 2`, `layer ell`, `the next layer`."""
        offset = layer.offset if isinstance(layer, Relative) else 0
        if offset in NEIGHBOURS:
            return self.say(NEIGHBOURS[offset])
        return self.say("layer", layer=self.layer_text(layer))

    def marked(self, letter: str, layer: LayerName) -> str:
        return self.say("marked", quantity=letter + HERE, layer=self.at(layer))

    def annotated(self, letter: str, marks: Sequence[str], layer: LayerName) -> str:
        for mark in marks:
            letter = self.superscripted(letter, mark.replace(HERE, ""))
        text = letter + HERE
        return text if layer is None else self.say("marked", quantity=text, layer=self.at(layer))

    def superscripted(self, letter: str, mark: str) -> str:
        return self.say("annotated", quantity=letter, mark=mark)

    def starred(self, letter: str) -> str:
        return self.say("target") + HERE

    def word(self, text: str) -> str:
        return self.letter(text)

    def size(self, letter: str) -> str:
        """A size's capital is told from the small letter of its index."""
        return self._unit(self.letter(letter)) if self.notation.general else letter

    def counter(self, letter: str) -> str:
        text = super().counter(letter)
        return self._unit(text) if self.notation.general else text

    def _unit(self, text: str) -> str:
        """A letter that nobody can hear wrong, though it may have several words."""
        self._units.add(text)
        self._single.add(text)
        return text

    def lowered(self, letter: str, layer: LayerName) -> str:
        return self.say("marked", quantity=letter, layer=self.at(layer))

    def scripted(self, indices: Sequence[str]) -> str:
        """One after the other; where one is computed, it is told where they end."""
        if all(index in self._units or " " not in index for index in indices):
            return "".join([f" {index}" for index in indices])
        return " " + self.say("indices", inside=", ".join(indices))

    def several(self, indices: Sequence[str]) -> str:
        return self.say("several", inside=" ".join(indices))

    def sized(self, base: str, layer: LayerName) -> str:
        text = self.say("marked", quantity=base.replace("_", " "), layer=self.at(layer))
        self._single.add(text)
        return text

    # --- Functions ---

    def function(self, name: str) -> str:
        return self.letter(name) if len(name) == 1 else name.replace("_", " ")

    def application(self, symbol: str, argument: Piece) -> str:
        return self.say("applied", function=symbol, argument=self.bracketed(argument))

    def function_power(self, function: Piece, exponent: str) -> str | None:
        return None

    def exponential(self, argument: Piece) -> Piece:
        exponent = self.signed([argument])
        text = self.power(self.euler, exponent)
        place = argument.place._replace(plain=False)
        return Piece(text, POWER, place, argument.key)

    def logarithm(self, argument: Piece, *, bare: bool) -> str:
        return self.scoped("logarithm", inside=argument.text, end=not self.single(argument.text))

    def bracketed(self, piece: Piece) -> str:
        return piece.text if self.single(piece.text) else self.say("bracket", inside=piece.text)

    def bars(self, piece: Piece, *, double: bool = False) -> str:
        key = "norm" if double else "absolute"
        return self.scoped(key, inside=piece.text, end=not self.single(piece.text))

    def iverson(self, condition: str) -> str:
        return self.say("indicator", condition=condition)

    def cases(self, rows: Sequence[tuple[Piece, str]]) -> Piece:
        lines = [
            self.say("case", value=self.signed([value]), condition=condition)
            for value, condition in rows
        ]
        text = self.say("cases", inside=", ".join(lines))
        return Piece(text, CASES, merged([value for value, _ in rows]))

    # --- Products and sums ---

    def fraction(self, top: Piece, bottom: Piece, *, small: bool = False) -> Piece:
        place, key = merged([top, bottom]), top.key + bottom.key
        if top.text.startswith(PARTIAL):
            of, by = (p.text.removeprefix(PARTIAL) for p in (top, bottom))
            return Piece(self.say("derivative", of=of, by=by), PRODUCT, place, key)
        if (top.text, bottom.text) == ("1", "2"):
            return Piece(self.say("half"), PRODUCT, place, key)
        short = self.single(top.text) and self.single(bottom.text)
        name = "over" if short else "fraction"
        text = self.say(name, top=top.text, bottom=bottom.text)
        return Piece(text, PRODUCT if short else ATOM, place, key)

    def over(self, top: str, bottom: str) -> str:
        return self.say("over", top=top, bottom=bottom)

    def floored(self, piece: Piece) -> str:
        return self.scoped("floor", inside=piece.text, end=not self.single(piece.text))

    def arg_max(self, indices: Sequence[str], body: str) -> str:
        return self.say("arg_max", indices=" ".join(indices), inside=body)

    def decimal(self, digits: str, *, cut: bool) -> str:
        return f"{digits} {self.ellipsis}" if cut else digits

    def power(self, base: str, exponent: str) -> str:
        if exponent.startswith(EACH):
            raised = self.power(base, exponent.removeprefix(EACH))
            return self.say("each", inside=raised)
        if exponent in POWERS:
            return self.say(POWERS[exponent], inside=base)
        end = not self.single(exponent.removeprefix(f"{self.minus} "))
        return self.scoped("power", inside=self.say("raised", base=base, power=exponent), end=end)

    def root(self, radicand: Piece) -> str:
        return self.scoped("root", inside=radicand.text, end=not self.single(radicand.text))

    def sum_sign(self, index: str, size: str) -> str:
        return self.say("sum", index=index, size=size) if index else self.say("total")

    def transposed(self, text: str, *, marked: bool) -> str:
        return self.say("transposed", inside=text)

    def grid(self, rows: Sequence[Sequence[str]]) -> str:
        if all(len(row) == 1 for row in rows):
            return self.say("column", inside=", ".join(row[0] for row in rows))
        return self.say("rows", inside="; ".join(", ".join(row) for row in rows))

    def ones(self) -> str:
        return self.say("ones")

    def gap(self, left: Piece, right: Piece) -> str:
        return self.times

    def signs(self, pieces: Sequence[Piece]) -> list[str]:
        """Terms with their signs and a pause after a long one; a sum that ends early says so."""
        plus, last, said = self.say("plus"), len(pieces) - 1, list[str]()
        for k, piece in enumerate(pieces):
            sign = self.minus if piece.negative else plus if k else ""
            end = self.say("sum_end") if piece.kind == "sum" and k < last else ""
            end += "" if k == last or self.single(piece.text) else ","
            said.append(f"{sign} {placed(piece.text)}{end}".lstrip())
        return said
