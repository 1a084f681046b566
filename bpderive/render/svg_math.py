r"""Mathematics as placed characters, for pictures: no font of mathematics is needed.

In: LaTeX as `LatexMath` prints it. Out: a `Setting`, characters and lines with their places in ems,
real sub- and superscripts one over the other. Must not know: SVG's marks, colours.

Only what our own printer yields is read; anything else raises.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

from bpderive.errors import DerivationError
from bpderive.render.svg_setting import (
    AXIS,
    EMPTY,
    PAD,
    RULE,
    SCRIPT,
    UP,
    Bar,
    Setting,
    letters,
    limits,
    scripts,
    side_by_side,
)
from bpderive.render.svg_signs import (
    ACCENTS,
    BINARY,
    GREEK,
    OPERATORS,
    RELATIONS,
    SPACES,
    UPRIGHT,
)

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[^\s]|\s+", re.DOTALL)


@lru_cache(4096)
def setting(latex: str) -> Setting:
    """A formula, set.

    Raises:
        DerivationError: a command that our printer does not use.
    """
    return _Reader(_TOKEN.findall(latex)).row(1.0)


class _Reader:
    """Reads tokens of LaTeX from the first to the last."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1] if self.at <= len(self.tokens) else ""

    def skip_spaces(self) -> None:
        while self.peek().isspace():
            self.at += 1

    def row(self, size: float, *ends: str) -> Setting:
        """Everything up to a closing token, which is read too."""
        parts: list[Setting] = []
        self.skip_spaces()
        while self.at < len(self.tokens) and self.peek() not in ends:
            part = self.scripted(size)
            if part.kind == "binary" and (not parts or parts[-1].kind in _OPENING):
                part = replace(part, kind="ordinary")
            parts.append(part)
            self.skip_spaces()
        self.at += 1
        return side_by_side(parts)

    def scripted(self, size: float) -> Setting:
        """One item with what is raised and lowered."""
        base = self.item(size)
        above = below = EMPTY
        while self.peek() in ("^", "_", "'"):
            sign = self.next()
            if sign == "'":
                above = side_by_side([above, letters("′", size * SCRIPT)])
            elif sign == "^":
                above = side_by_side([above, self.item(size * SCRIPT)])
            else:
                below = self.item(size * SCRIPT)
        if above is EMPTY and below is EMPTY:
            return base
        if base.kind == "sum":
            return limits(base, above, below, size)
        return scripts(base, above, below, size)

    def item(self, size: float) -> Setting:
        self.skip_spaces()
        token = self.next()
        method = _COMMANDS.get(token)
        if method is not None:
            return method(self, size)
        return _sign(token, size)

    def argument(self) -> str:
        """The text of a group, not set."""
        self.skip_spaces()
        if self.next() != "{":
            raise DerivationError("a picture's text lacks a brace")
        depth, found = 1, []
        while depth:
            token = self.next()
            depth += (token == "{") - (token == "}")
            found.append(token)
        return "".join(found[:-1])

    # --- Commands ---

    def styled(self, size: float, *, italic: bool = False, bold: bool = False) -> Setting:
        text = self.argument()
        plain = "".join(GREEK.get(t, UPRIGHT.get(t, t)) for t in _TOKEN.findall(text))
        return letters(plain, size, italic=italic, bold=bold)

    def words(self, size: float) -> Setting:
        return letters(self.argument().translate(_SHOWN), size)

    def coloured(self, size: float) -> Setting:
        """A picture has its colours elsewhere."""
        self.argument()
        return self.item(size)

    def accented(self, accent: str, size: float) -> Setting:
        base = self.item(size)
        last = base.runs[-1]
        if len(unicodedata.normalize("NFC", last.text + accent)) > len(last.text):
            return _marked(base, accent, size)
        return replace(base, runs=(*base.runs[:-1], replace(last, text=last.text + accent)))

    def fraction(self, size: float) -> Setting:
        inner = size * (SCRIPT if size == 1.0 else 0.9)
        top, bottom = self.item(inner), self.item(inner)
        width = max(top.width, bottom.width) + 2 * PAD * size
        axis, room = AXIS * size, (RULE + 0.08) * size
        upper = top.moved((width - top.width) / 2, axis + room + top.down)
        lower = bottom.moved((width - bottom.width) / 2, axis - room - bottom.up)
        bar = Bar((0.02, axis), (width - 0.02, axis))
        return Setting(
            width, upper.up, lower.down, upper.runs + lower.runs, (*upper.bars, *lower.bars, bar)
        )

    def root(self, size: float) -> Setting:
        inside = self.item(size)
        sign, top = letters("√", size), inside.up + 0.06
        bar = Bar((sign.width, top), (sign.width + inside.width, top))
        both = side_by_side([sign, inside])
        return replace(both, bars=(*both.bars, bar), up=top + RULE)

    def fenced(self, size: float) -> Setting:
        r"""`\left( … \right)`: brackets as high as what they hold."""
        opening = self.next()
        inside = self.row(size, r"\right")
        closing = self.next()
        high = max(inside.up, inside.down + 0.5) / UP
        grown = max(1.0, min(high, 2.2))
        fences = [
            letters(UPRIGHT.get(sign, sign), grown * size).moved(0, (1 - grown) * 0.25 * size)
            for sign in (opening, closing)
        ]
        return side_by_side([fences[0], inside, fences[1]])

    def summed(self, size: float) -> Setting:
        big = letters("∑", 1.3 * size).moved(0, -0.12 * size)
        return replace(big, width=0.95 * size, kind="sum")

    def group(self, size: float) -> Setting:
        return self.row(size, "}")


MARKS = {"\u0302": "\u02c6", "\u0303": "\u02dc", "\u0304": "\u00af"}
"""Accents as characters of their own."""

TALL = frozenset("bdfhkltβδθλ")


def _marked(base: Setting, accent: str, size: float) -> Setting:
    """A letter with an accent of its own over it: fonts lack most such pairs."""
    last = base.runs[-1]
    mark = letters(MARKS[accent], size)
    tall = last.text in TALL or last.text.isupper()
    lean = 0.08 if last.italic else 0.0
    over = mark.moved((base.width - mark.width) / 2 + lean * size, 0.22 * size if tall else 0.0)
    return replace(base, runs=base.runs + over.runs, up=max(base.up, over.up))


_OPENING = ("binary", "relation", "open")
_SHOWN = str.maketrans({"\ue010": "{", "\ue011": "}", "\ue012": "\\"})
_HIDDEN = str.maketrans({"{": "\ue010", "}": "\ue011", "\\": "\ue012"})


def words(text: str) -> str:
    r"""Words for a formula: `\text{…}`, with nothing in them that would be read as a command."""
    return rf"\text{{{text.translate(_HIDDEN)}}}" if text else ""


def _accent(sign: str) -> Callable[[_Reader, float], Setting]:
    return lambda reader, size: reader.accented(sign, size)


_COMMANDS: Mapping[str, Callable[[_Reader, float], Setting]] = {
    "{": _Reader.group,
    r"\frac": _Reader.fraction,
    r"\tfrac": _Reader.fraction,
    r"\sqrt": _Reader.root,
    r"\left": _Reader.fenced,
    r"\sum": _Reader.summed,
    r"\text": _Reader.words,
    r"\mathrm": _Reader.styled,
    r"\mathsf": _Reader.styled,
    r"\mathbf": lambda reader, size: reader.styled(size, bold=True),
    r"\boldsymbol": lambda reader, size: reader.styled(size, italic=True, bold=True),
    r"\mathit": lambda reader, size: reader.styled(size, italic=True),
    r"\textcolor": _Reader.coloured,
    r"\displaystyle": lambda _reader, _size: EMPTY,
    **{command: _accent(sign) for command, sign in ACCENTS.items()},
}


def _sign(token: str, size: float) -> Setting:
    """A single sign."""
    for table, kind in ((BINARY, "binary"), (RELATIONS, "relation")):
        if token in table:
            return replace(letters(table[token], size), kind=kind)
    if token in SPACES:
        return Setting(SPACES[token] * size, 0.0, 0.0)
    if token in OPERATORS:
        return side_by_side([letters(token[1:], size), Setting(0.1 * size, 0.0, 0.0)])
    if token in GREEK:
        return letters(GREEK[token], size, italic=GREEK[token].islower())
    if token in UPRIGHT or len(token) == 1:
        text = UPRIGHT.get(token, token)
        found = letters(text, size, italic=text.isalpha() and token not in UPRIGHT)
        return replace(found, kind="open") if token in "([" else found
    raise DerivationError(f"no picture of {token!r}")
