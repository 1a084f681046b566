r"""Mathematics in Typst.

In: what `Printer` decided. Out: Typst's mathematics, without the dollar signs. Letters stand as
they are (`δ`), names of several letters in quotes; a comma that is printed is `\,`, one between
arguments is bare; brackets that do not grow are `\(`. No name of a user's reaches it but in
letters, digits and the underscores between them.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from bpderive.errors import DerivationError
from bpderive.index import LayerName, Relative
from bpderive.render.breaking import break_lines
from bpderive.render.latex_math import OPERATORS
from bpderive.render.pieces import ATOM, CASES, POWER, PRODUCT, SUM, Piece, merged
from bpderive.render.printer import Printer
from bpderive.render.typst_width import TYPST, width

ACCENTS: Mapping[str, str] = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "macron"}
FRACTION = "frac("
TALL = (FRACTION, "lr(", "inline(")
"""What TeX sets apart from its neighbours, and Typst does not."""
LARGE = ("sum", "log")
"""What both set apart."""
_COMMA = re.compile(r"(?<!\\), ")


class TypstMath(Printer):
    """Prints expressions and arrays as Typst."""

    minus = "-"
    times = " × "
    approximately = "≈"
    arrow = " → "
    assign = " ← "
    partial = "∂"
    prime = "'"
    pi = "π"
    euler = "e"
    dot = " ⋅ "
    hadamard = " ⊙ "
    divided = " ⊘ "
    ellipsis = "…"
    each = "⊙ "
    frobenius = "_(upright(F))"
    thin = " thin "
    comma = r"\,"
    modulo = ' thick "mod" thick '
    relations: Mapping[str, str] = {"<": "<", ">": ">", "<=": "≤", ">=": "≥", "=": "="}

    def width(self, text: str) -> int:
        return width(text)

    def broken(self, terms: Sequence[str], room: int) -> list[str]:
        return break_lines(terms, room, TYPST)

    def coloured(self, text: str, role: str) -> str:
        return f"text(fill: #bp-{role},{text})"

    def letter(self, character: str) -> str:
        base, accent = _accented(character)
        if not base.isalpha():
            raise DerivationError(f"no Typst for the letter {character!r}")
        text = base if len(base) == 1 else f'"{base}"'
        return f"{accent}({text})" if accent else text

    def bold(self, character: str) -> str:
        base, accent = _accented(character)
        letter = f"upright({self.letter(base)})" if base.isascii() else self.letter(base)
        text = f"bold({letter})"
        return f"{accent}({text})" if accent else text

    def differential(self, text: str) -> str:
        return f"d {text}"

    def layer_text(self, layer: LayerName) -> str:
        if isinstance(layer, Relative):
            return f"{self.layer}{layer.offset:+d}" if layer.offset else self.layer
        return str(layer)

    def marked(self, letter: str, layer: LayerName) -> str:
        mark = self.notation.layer_mark.format(layer=self.layer_text(layer))
        return f"{letter}^({mark})"

    def superscripted(self, letter: str, mark: str) -> str:
        return f"{letter}^({mark})"

    def starred(self, letter: str) -> str:
        return f"{letter}^(*)"

    def word(self, text: str) -> str:
        return f"upright({text})" if len(text) == 1 else f'"{_plain(text)}"'

    def floored(self, piece: Piece) -> str:
        return f"floor({_guarded(piece.text)})"

    def arg_max(self, indices: Sequence[str], body: str) -> str:
        return f"arg max_({self.comma.join(indices)}) {body}"

    def several(self, indices: Sequence[str]) -> str:
        return rf"\({self.comma.join(indices)}\)"

    def over(self, top: str, bottom: str) -> str:
        return rf"{top}\/{bottom}"

    def scripted(self, indices: Sequence[str]) -> str:
        if self.spaced(indices):
            return f"_({self.separator(indices).join(indices)})"
        together = "".join(indices)
        return f"_({together if together.isdigit() else ' '.join(indices)})"

    def sized(self, base: str, layer: LayerName) -> str:
        head, *rest = base.split("_")
        parts = [_name(part) for part in rest if part]
        below = r"\,".join([*parts, self.layer_text(layer)])
        return f"{_name(head)}_({below})"

    def function(self, name: str) -> str:
        if name in OPERATORS:
            return name
        if len(name) == 1:
            return self.letter(name)
        if name[1:].isdigit():
            return f"{_name(name[0])}_({name[1:]})"
        head, *rest = [f'"{_plain(part)}"' for part in name.split("_") if part]
        below = r"\,".join(rest)
        return f"{head}_({below})" if rest else head

    def application(self, symbol: str, argument: Piece) -> str:
        inside = self.bracketed(argument)
        return f"{symbol}{' ' if inside[0].isalpha() else ''}{inside}"

    def function_power(self, function: Piece, exponent: str) -> str | None:
        symbol = re.split(r"\\\(|lr\(", function.text, maxsplit=1)[0].strip()
        if symbol not in OPERATORS:
            return None
        return f"{symbol}^({exponent}){function.text[len(symbol) :]}"

    def exponential(self, argument: Piece) -> Piece:
        sign = self.minus if argument.negative else ""
        if argument.tall or self.notation.general:
            whole = argument._replace(text=sign + argument.text, negative=False)
            text = f"exp {self.bracketed(whole)}"
            return whole._replace(text=text, level=ATOM, kind="", open=False)
        place = argument.place._replace(plain=False)
        return Piece(f"e^({sign}{argument.text})", POWER, place, argument.key)

    def logarithm(self, argument: Piece, *, bare: bool) -> str:
        return f"log {argument.text}" if bare else f"log {self.bracketed(argument)}"

    def bracketed(self, piece: Piece) -> str:
        text = _guarded(piece.text)
        return f"lr(({text}))" if piece.tall else rf"\({text}\)"

    def bars(self, piece: Piece, *, double: bool = False) -> str:
        return f"{'norm' if double else 'abs'}({_guarded(piece.text)})"

    def iverson(self, condition: str) -> str:
        return rf"\[{_guarded(condition)}\]"

    def cases(self, rows: Sequence[tuple[Piece, str]]) -> Piece:
        lines = [f"{self.signed([value])} quad & {condition}" for value, condition in rows]
        text = f"cases({','.join(map(_guarded, lines))})"
        return Piece(text, CASES, merged([value for value, _ in rows]), tall=True)

    def fraction(self, top: Piece, bottom: Piece, *, small: bool = False) -> Piece:
        text = f"frac({_guarded(top.text)},{_guarded(bottom.text)})"
        text = f"inline({text})" if small else text
        return Piece(text, PRODUCT, merged([top, bottom]), top.key + bottom.key, tall=not small)

    def decimal(self, digits: str, *, cut: bool) -> str:
        return digits + (self.ellipsis if cut else "")

    def power(self, base: str, exponent: str) -> str:
        return f"{base}^({exponent})"

    def root(self, radicand: Piece) -> str:
        return f"sqrt({_guarded(radicand.text)})"

    def sum_sign(self, index: str, size: str) -> str:
        return f"sum_({index}=1)^({size})" if index else "sum"

    def transposed(self, text: str, *, marked: bool) -> str:
        mark = "^(upright(sans(T)))"
        return rf"\({text}\){mark}" if marked else f"{text}{mark}"

    def grid(self, rows: Sequence[Sequence[str]]) -> str:
        body = ";".join(",".join(map(_guarded, row)) for row in rows)
        return f'mat(delim: "[",{body})'

    def ones(self) -> str:
        return "bold(upright(1))"

    def gap(self, left: Piece, right: Piece) -> str:
        if right.text.startswith(LARGE):
            return " "
        if right.text.startswith(TALL) or left.text.startswith(FRACTION):
            return " thin "
        if left.kind == "number" and "." not in left.text and left.level == ATOM:
            return ""
        if left.kind == "number" and left.level == PRODUCT and right.text.startswith(r"\("):
            return ""
        return "" if left.place.plain and right.level <= SUM else " thin "


def _accented(character: str) -> tuple[str, str]:
    """A letter without its accent, and the accent's name in Typst."""
    base, *marks = list(unicodedata.normalize("NFD", character))
    accents = [ACCENTS[mark] for mark in marks if mark in ACCENTS]
    return (base, accents[0]) if accents else (character, "")


def _guarded(text: str) -> str:
    """The text with its commas marked as such, so that they part no arguments."""
    return _COMMA.sub(r"\\, ", text)


def _name(text: str) -> str:
    """A letter, or a name in quotes."""
    return _plain(text) if len(text) == 1 else f'"{_plain(text)}"'


def _plain(name: str) -> str:
    """A user's name, which only letters and digits may be part of."""
    if not (name.isascii() and name.isalnum()):
        raise DerivationError(f"no Typst for the name {name!r}")
    return name
