"""Mathematics in Unicode, for a terminal: `δ¹ᵢ = σ′(z¹ᵢ) Σₖ w²ₖᵢ δ²ₖ`.

In: what `Printer` decided. Out: one line of text. What has no super- or subscript form stands
behind `^` or `_`. No braces and no backslashes: `breaking` tells LaTeX by them.
"""

from collections.abc import Mapping, Sequence

from bpderive.index import LayerName, Relative
from bpderive.render.pieces import ATOM, POWER, PRODUCT, SUM, Piece, merged
from bpderive.render.printer import Printer

UP = str.maketrans("0123456789+-()ℓlTnijk", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ˡˡᵀⁿⁱʲᵏ")
DOWN = str.maketrans("0123456789+-−()ℓlaehijkmnoprstuvx,", "₀₁₂₃₄₅₆₇₈₉₊₋₋₍₎ₗₗₐₑₕᵢⱼₖₘₙₒₚᵣₛₜᵤᵥₓ,")
FRACTIONS: Mapping[tuple[str, str], str] = {("1", "2"): "½", ("1", "4"): "¼", ("3", "4"): "¾"}


class UnicodeMath(Printer):
    """Prints expressions and arrays as Unicode text."""

    minus = "−"
    approximately = "≈"
    times = " × "
    arrow = " → "
    assign = " ← "
    partial = "∂"
    prime = "′"
    pi = "π"
    euler = "e"
    dot = " · "
    hadamard = " ⊙ "
    divided = " ⊘ "
    ellipsis = "…"
    frobenius = ""
    each = "⊙"
    modulo = " mod "
    relations: Mapping[str, str] = {"<": "<", ">": ">", "<=": "≤", ">=": "≥", "=": "="}

    def letter(self, character: str) -> str:
        return character

    def bold(self, character: str) -> str:
        return character

    def layer_text(self, layer: LayerName) -> str:
        if isinstance(layer, Relative):
            return f"{self.layer}{layer.offset:+d}" if layer.offset else self.layer
        return str(layer)

    def marked(self, letter: str, layer: LayerName) -> str:
        mark = self.notation.layer_mark.format(layer=self.layer_text(layer))
        return f"{letter}{_script(mark, UP, '^')}"

    def superscripted(self, letter: str, mark: str) -> str:
        """Always behind `^` and in brackets, so that no index below reads as a part of it."""
        return f"{letter}^({mark})"

    def starred(self, letter: str) -> str:
        return f"{letter}*"

    def word(self, text: str) -> str:
        return text

    def floored(self, piece: Piece) -> str:
        return f"⌊{piece.text}⌋"

    def arg_max(self, indices: Sequence[str], body: str) -> str:
        return f"argmax{_script(self.comma.join(indices), DOWN, '_')} {body}"

    def computed(self, text: str) -> str:
        return text.replace(" + ", "+").replace(f" {self.minus} ", self.minus)

    def scripted(self, indices: Sequence[str]) -> str:
        return _script(("," if self.spaced(indices) else "").join(indices), DOWN, "_")

    def sized(self, base: str, layer: LayerName) -> str:
        return f"{base}{_script(self.layer_text(layer), DOWN, '_')}"

    def function(self, name: str) -> str:
        plain = len(name) > 1 and name[1:].isdigit()
        return name[0] + _script(name[1:], DOWN, "_") if plain else name

    def function_power(self, function: Piece, exponent: str) -> str | None:
        symbol, _, _ = function.text.partition("(")
        raised = exponent.translate(UP)
        if len(symbol) == 1 or _lacks(raised, UP):
            return None
        return f"{symbol}{raised}{function.text[len(symbol) :]}"

    def exponential(self, argument: Piece) -> Piece:
        whole = argument._replace(text=self.signed([argument]), negative=False)
        place = argument.place._replace(plain=False)
        return Piece(f"exp({whole.text})", ATOM, place, argument.key)

    def logarithm(self, argument: Piece, *, bare: bool) -> str:
        return f"log {argument.text}" if bare else f"log({argument.text})"

    def bracketed(self, piece: Piece) -> str:
        return f"({piece.text})"

    def bars(self, piece: Piece, *, double: bool = False) -> str:
        return f"‖{piece.text}‖" if double else f"|{piece.text}|"

    def iverson(self, condition: str) -> str:
        return f"[{condition}]"

    def cases(self, rows: Sequence[tuple[Piece, str]]) -> Piece:
        """Each value times 1 where it holds: `z [z > 0] + 0.01z [z ≤ 0]`."""
        terms = []
        for value, condition in rows:
            mask = Piece(f"[{condition}]")
            if value.text == "1":
                terms.append(mask._replace(negative=value.negative))
            elif value.text != "0":
                text = f"{self.bracketed(value) if value.level <= SUM else value.text} {mask.text}"
                terms.append(Piece(text, PRODUCT, negative=value.negative))
        if len(terms) == 1:
            return terms[0]
        return Piece(self.signed(terms), SUM, merged([value for value, _ in rows]))

    def fraction(self, top: Piece, bottom: Piece, *, small: bool = False) -> Piece:
        place, key = merged([top, bottom]), top.key + bottom.key
        vulgar = FRACTIONS.get((top.text, bottom.text))
        if vulgar is not None:
            return Piece(vulgar, ATOM, place, key, kind="number")
        over = self.bracketed(top) if top.level <= SUM or top.kind == "quotient" else top.text
        under = self.bracketed(bottom) if bottom.level < POWER else bottom.text
        return Piece(f"{over}/{under}", PRODUCT, place, key, kind="quotient")

    def decimal(self, digits: str, *, cut: bool) -> str:
        return digits + (self.ellipsis if cut else "")

    def power(self, base: str, exponent: str) -> str:
        return f"{base}{_script(exponent, UP, '^')}"

    def root(self, radicand: Piece) -> str:
        return f"√{self.bracketed(radicand) if radicand.level < ATOM else radicand.text}"

    def sum_sign(self, index: str, size: str) -> str:
        return f"Σ{_script(index, DOWN, '_')}" if index else "Σ"

    def transposed(self, text: str, *, marked: bool) -> str:
        return f"{text}ᵀ"

    def grid(self, rows: Sequence[Sequence[str]]) -> str:
        """`[0.5, −1; 2, 0.25]`: a semicolon ends a row; of a column, `[0.5; 2]`."""
        return f"[{'; '.join(', '.join(row) for row in rows)}]"

    def ones(self) -> str:
        return "𝟏"

    def coloured(self, text: str, role: str) -> str:
        return text

    def gap(self, left: Piece, right: Piece) -> str:
        if left.kind == "number" and left.level == ATOM:
            apart = left.text[-1] == "…" or right.text[0] in "Σ√0123456789"
            return " " if apart or right.kind == "quotient" else ""
        if left.place.plain and right.level <= SUM:
            return ""
        return " · " if "quotient" in (left.kind, right.kind) else " "


def _lacks(text: str, table: Mapping[int, int]) -> bool:
    """Whether a character of the text has no form in the table."""
    return bool(text.translate(dict.fromkeys(table.values())))


def _script(text: str, table: Mapping[int, int], sign: str) -> str:
    """The text raised or lowered; behind `^` or `_` where a character has no such form."""
    raised = text.translate(table)
    if not _lacks(raised, table):
        return raised
    closed = text.rstrip("′").isalnum() or text.startswith("[") or _is_bracketed(text)
    return f"{sign}{text}" if closed else f"{sign}({text})"


def _is_bracketed(text: str) -> bool:
    """Whether its first bracket closes at its end: `(c,u,v)`, not `(c,u),(v,w)`."""
    return text[0] == "(" and text[-1] == ")" and "(" not in text[1:]
