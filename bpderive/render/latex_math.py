r"""Mathematics in LaTeX that pdflatex with amsmath, KaTeX (strict) and MathJax accept alike.

In: what `Printer` decided. Out: LaTeX, without \operatorname, \mbox and \phantom, which GitHub
refuses. No name of a user's reaches it but in letters, digits and the underscores between them.
"""

import unicodedata
from collections.abc import Mapping, Sequence

from bpderive.errors import DerivationError
from bpderive.index import LayerName, Relative
from bpderive.render.colours import COLOURS
from bpderive.render.pieces import ATOM, CASES, POWER, PRODUCT, SUM, Piece, merged
from bpderive.render.printer import Printer

_NAMES = "alpha beta gamma delta zeta eta theta kappa lambda mu nu xi rho sigma tau chi psi omega"
_CAPITALS = "Gamma Delta Theta Lambda Xi Phi Psi Omega"
COMMANDS: Mapping[str, str] = {
    **{
        letter: f"\\{name}"
        for letter, name in zip("αβγδζηθκλμνξρστχψω", _NAMES.split(), strict=True)
    },
    **{letter: f"\\{name}" for letter, name in zip("ΓΔΘΛΞΦΨΩ", _CAPITALS.split(), strict=True)},
    "ε": r"\epsilon",
    "φ": r"\varphi",
    "ℓ": r"\ell",
}
ACCENTS: Mapping[str, str] = {"\u0302": r"\hat", "\u0303": r"\tilde", "\u0304": r"\bar"}
OPERATORS = frozenset(["log", "ln", "exp", "tanh", "sin", "cos", "sinh", "cosh", "max", "min"])
FRACTION, TEXT_FRACTION = r"\frac", r"\tfrac"
_CLOSED = (r"\right)", (r"\right)", r"\right)}"))
"""How a function ends whose brackets grow: without and with colours."""

INNER = (r"\sum", r"\left(", r"\left\l", r"\frac", r"\log")
"""What TeX itself sets apart from its neighbours."""


class LatexMath(Printer):
    """Prints expressions and arrays as LaTeX."""

    minus = "-"
    times = r" \times "
    approximately = r"\approx"
    arrow = r" \to "
    assign = r" \leftarrow "
    partial = r"\partial "
    prime = "'"
    pi = r"\pi"
    euler = "e"
    dot = r" \cdot "
    hadamard = r" \odot "
    divided = r" \oslash "
    ellipsis = r"\ldots"
    each = r"\odot "
    frobenius = r"_{\mathrm{F}}"
    thin = r"\,"
    modulo = r"\;\mathrm{mod}\;"
    relations: Mapping[str, str] = {"<": "<", ">": ">", "<=": r"\le", ">=": r"\ge", "=": "="}

    def letter(self, character: str) -> str:
        base, accent = _accented(character)
        text = COMMANDS.get(base, base)
        if text == base and not (base.isascii() and base.isalpha()):
            raise DerivationError(f"no LaTeX for the letter {character!r}")
        text = text if len(base) == 1 else rf"\mathrm{{{text}}}"
        return f"{accent}{{{text}}}" if accent else text

    def bold(self, character: str) -> str:
        base, accent = _accented(character)
        command = r"\boldsymbol" if base in COMMANDS else r"\mathbf"
        text = f"{command}{{{COMMANDS.get(base, base)}}}"
        return f"{accent}{{{text}}}" if accent else text

    def layer_text(self, layer: LayerName) -> str:
        if isinstance(layer, Relative):
            return f"{self.layer}{layer.offset:+d}" if layer.offset else self.layer
        return str(layer)

    def marked(self, letter: str, layer: LayerName) -> str:
        mark = self.notation.layer_mark.format(layer=self.layer_text(layer))
        return f"{letter}^{{{mark}}}"

    def superscripted(self, letter: str, mark: str) -> str:
        return f"{letter}^{{{mark}}}"

    def starred(self, letter: str) -> str:
        return rf"{letter}^{{\ast}}"

    def word(self, text: str) -> str:
        return rf"\mathrm{{{_plain(text)}}}"

    def floored(self, piece: Piece) -> str:
        return rf"\lfloor {piece.text} \rfloor"

    def arg_max(self, indices: Sequence[str], body: str) -> str:
        return rf"\arg\max_{{{','.join(indices)}}} {body}"

    def scripted(self, indices: Sequence[str]) -> str:
        return f"_{{{self.separator(indices).join(indices)}}}"

    def sized(self, base: str, layer: LayerName) -> str:
        head, *rest = base.split("_")
        below = [rf"\mathrm{{{_plain(part)}}}" for part in rest if part]
        return f"{_name(head)}_{{{','.join([*below, self.layer_text(layer)])}}}"

    def function(self, name: str) -> str:
        if name in OPERATORS:
            return rf"\{name}"
        if len(name) == 1:
            return self.letter(name)
        if name[1:].isdigit():
            return f"{_plain(name[0])}_{{{name[1:]}}}"
        head, *rest = [rf"\mathrm{{{_plain(part)}}}" for part in name.split("_") if part]
        return f"{head}_{{{','.join(rest)}}}" if rest else head

    def function_power(self, function: Piece, exponent: str) -> str | None:
        symbol = function.text.partition("(")[0].removesuffix(r"\left")
        if symbol[1:] not in OPERATORS:
            return None
        return f"{symbol}^{{{exponent}}}{function.text[len(symbol) :]}"

    def exponential(self, argument: Piece) -> Piece:
        sign = self.minus if argument.negative else ""
        if argument.tall or self.notation.general:
            whole = argument._replace(text=sign + argument.text, negative=False)
            text = rf"\exp{self.bracketed(whole)}"
            return whole._replace(text=text, level=ATOM, kind="", open=False)
        text = f"e^{{{sign}{argument.text.replace(TEXT_FRACTION, FRACTION)}}}"
        place = argument.place._replace(plain=False)
        return Piece(text, POWER, place, argument.key)

    def logarithm(self, argument: Piece, *, bare: bool) -> str:
        return rf"\log {argument.text}" if bare else rf"\log{self.bracketed(argument)}"

    def bracketed(self, piece: Piece) -> str:
        return rf"\left({piece.text}\right)" if piece.tall else f"({piece.text})"

    def bars(self, piece: Piece, *, double: bool = False) -> str:
        left, right = (r"\lVert", r"\rVert") if double else (r"\lvert", r"\rvert")
        if piece.tall:
            return rf"\left{left} {piece.text} \right{right}"
        return f"{left} {piece.text} {right}"

    def iverson(self, condition: str) -> str:
        return rf"\lbrack {condition} \rbrack"

    def cases(self, rows: Sequence[tuple[Piece, str]]) -> Piece:
        lines = [f"{self.signed([value])} & {condition}" for value, condition in rows]
        body = r" \\ ".join(lines)
        text = rf"\begin{{cases}} {body} \end{{cases}}"
        return Piece(text, CASES, merged([value for value, _ in rows]), tall=True)

    def fraction(self, top: Piece, bottom: Piece, *, small: bool = False) -> Piece:
        command = r"\tfrac" if small else r"\frac"
        text = f"{command}{{{top.text}}}{{{bottom.text}}}"
        return Piece(text, PRODUCT, merged([top, bottom]), top.key + bottom.key, tall=not small)

    def decimal(self, digits: str, *, cut: bool) -> str:
        return digits + (self.ellipsis if cut else "")

    def power(self, base: str, exponent: str) -> str:
        return f"{base}^{{{exponent}}}"

    def root(self, radicand: Piece) -> str:
        return rf"\sqrt{{{radicand.text}}}"

    def sum_sign(self, index: str, size: str) -> str:
        return rf"\sum_{{{index}=1}}^{{{size}}}" if index else r"\sum"

    def transposed(self, text: str, *, marked: bool) -> str:
        return rf"({text})^{{\mathsf{{T}}}}" if marked else rf"{text}^{{\mathsf{{T}}}}"

    def grid(self, rows: Sequence[Sequence[str]]) -> str:
        body = r" \\ ".join(" & ".join(row) for row in rows)
        return rf"\begin{{bmatrix}} {body} \end{{bmatrix}}"

    def ones(self) -> str:
        return r"\mathbf{1}"

    def coloured(self, text: str, role: str) -> str:
        return rf"\textcolor{{bp{role}}}{{{text}}}"

    def gap(self, left: Piece, right: Piece) -> str:
        if right.text.startswith(FRACTION) and left.text.startswith(FRACTION):
            return r"\,"
        if right.text.startswith(INNER) or left.text.endswith(_CLOSED[self.colours]):
            return " "
        if left.kind == "number" and "." not in left.text and left.level == ATOM:
            return ""
        if left.kind == "number" and left.level == PRODUCT and right.text[0] == "(":
            return ""
        return "" if left.place.plain and right.level <= SUM else r"\,"


class HexMath(LatexMath):
    """The same with colours as KaTeX and MathJax read them, without a preamble."""

    def coloured(self, text: str, role: str) -> str:
        return rf"\textcolor{{{COLOURS[role].light}}}{{{text}}}"


def _accented(character: str) -> tuple[str, str]:
    """A letter without its accent, and the accent's command."""
    base, *marks = list(unicodedata.normalize("NFD", character))
    accents = [ACCENTS[mark] for mark in marks if mark in ACCENTS]
    return (base, accents[0]) if accents else (character, "")


def _plain(name: str) -> str:
    """A user's name, which only letters and digits may be part of."""
    if not (name.isascii() and name.isalnum()):
        raise DerivationError(f"no LaTeX for the name {name!r}")
    return name


def _name(name: str) -> str:
    """One letter in italics, more in roman."""
    return _plain(name) if len(name) == 1 else rf"\mathrm{{{_plain(name)}}}"
