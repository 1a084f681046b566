"""The text of `--layers` as raw items.

In: a text, and its place in messages. Out: `Raw` items; what is wrong is noted with its column.
Must not know: layers, sizes, SymPy.

    list  = item {"," item}
    item  = head ["(" [arg {"," arg}] ")"] ["x" SIZE] {":" NAME | "*" COUNT}
    head  = NAME | WIDTH | SIZE "x" SIZE … | PATH.eq | "[" list "]"
    arg   = [NAME "="] value | item
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bpderive.checks import Findings, Path
from bpderive.errors import SpecError, quoted
from bpderive.grammar.raw import Given, Raw

DEEPEST = 12
"""So many brackets may stand in each other."""
LONGEST = 200_000
"""So many characters a list may have."""

BLOCKS = ("[", "residual")
"""What holds items in its brackets,"""
WORDS = ("project",)
"""and words that may stand between them."""

_PAIRS = {"(": ")", "[": "]"}
_FILE = re.compile(r"[^,()\[\]]*?\.eq(?=\s*(?:[(:*]|$))")
_HEAD = re.compile(r"[^()\[\]:*]*")
_MARK = re.compile(r"\s*([:*])\s*([^:*]*)")
_KEY = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*=(?!=)\s*")
_SHAPE = "an item such as 4:relu, conv(4,3):relu or conv(4,3)*2"


@dataclass(frozen=True)
class Piece:
    """A part of the text, without the space around it, and the column of its first character."""

    text: str
    column: int

    def part(self, start: int, end: int | None = None) -> "Piece":
        """From one character to another."""
        whole = self.text[start:end]
        lead = len(whole) - len(whole.lstrip())
        return Piece(whole.strip(), self.column + start + lead)


def read(text: str, found: Findings, path: Path) -> list[Raw]:
    """The items of a list; their numbers go into their places."""
    pieces = _pieces(text, found, path)
    told = [(piece, (*path, number)) for number, piece in enumerate(pieces, 1)]
    return [raw for piece, at in told for raw in Reader(found).item(piece, at)]


def read_one(text: str, found: Findings, path: Path) -> Raw | None:
    """The only item of a text that is itself an item of a list."""
    pieces = _pieces(text, found, path)
    if len(pieces) > 1:
        found.add(path, f"{len(pieces)} items in one text", "a text for each item")
        return None
    return next((raw for piece in pieces for raw in Reader(found).item(piece, path)), None)


def _pieces(text: str, found: Findings, path: Path) -> list[Piece]:
    checked = found.take(path, check, text, None)
    return [] if checked is None else split(Piece(checked, 1).part(0))


def check(text: object) -> str:
    """Refuse a text whose brackets do not match, that is too long, or nested too deeply.

    Raises:
        SpecError: with the column.
    """
    words = str(text)
    if len(words) > LONGEST:
        message = f"{len(words)} characters are too many"
        raise SpecError.single(message, accepted=f"at most {LONGEST}")
    opened: list[tuple[str, int]] = []
    for column, mark in enumerate(words, 1):
        if mark in _PAIRS:
            opened.append((mark, column))
        elif mark in _PAIRS.values():
            last, _ = opened.pop() if opened else ("", 0)
            if _PAIRS.get(last) != mark:
                raise _unmatched(f"{quoted(mark)} closes no bracket", column)
        if len(opened) > DEEPEST:
            where = f"column {column}"
            raise SpecError.single("brackets are nested too deeply", where, f"at most {DEEPEST}")
    if opened:
        mark, column = opened[-1]
        raise _unmatched(f"{quoted(mark)} is not closed", column)
    return words


def _unmatched(message: str, column: int) -> SpecError:
    return SpecError.single(message, f"column {column}", "brackets in pairs")


def split(piece: Piece) -> list[Piece]:
    """At the commas outside brackets."""
    depth, start, found = 0, 0, []
    for at, mark in enumerate(piece.text):
        depth += (mark in "([") - (mark in ")]")
        if mark == "," and depth == 0:
            found.append(piece.part(start, at))
            start = at + 1
    return [*found, piece.part(start)]


def closing(text: str, start: int) -> int:
    """Where the bracket that opens at `start` is closed."""
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] in "([") - (text[at] in ")]")
        if depth == 0:
            return at
    return len(text) - 1


@dataclass(frozen=True)
class Reader:
    """Reads pieces, and notes what is wrong with them."""

    found: Findings

    def at(self, path: Path, piece: Piece) -> Path:
        """The place of a piece."""
        return (*path, f"column {piece.column}") if piece.column > 1 else path

    def item(self, piece: Piece, path: Path) -> Iterator[Raw]:
        """One item, or nothing where it cannot be read."""
        place = self.at(path, piece)
        if not piece.text:
            self.found.add(place, "the item is empty", _SHAPE)
            return
        matched = _FILE.match(piece.text) or _HEAD.match(piece.text)
        raw = Raw(matched[0].strip() if matched else "", place)
        end = len(piece.text) - len(piece.text[len(matched[0]) if matched else 0 :].lstrip())
        if end < len(piece.text) and piece.text[end] in _PAIRS:
            raw, end = self._brackets(raw, piece, end, path)
        if raw.name == "":
            self.found.add(place, f"no layer stands before {quoted(piece.text)}", _SHAPE)
            return
        yield from self._marks(raw, piece.part(end))

    def _brackets(self, raw: Raw, piece: Piece, start: int, path: Path) -> tuple[Raw, int]:
        """The arguments, or the items of a group."""
        close = closing(piece.text, start)
        inside, group = piece.part(start + 1, close), piece.text[start] == "["
        if group and raw.name:
            self.found.add(raw.place, "square brackets hold items alone", "[conv(4,3),relu]*2")
        pieces = split(inside) if inside.text else []
        name = "[" if group else raw.name
        args = tuple(self._given(one, path, block=name in BLOCKS) for one in pieces)
        return replace(raw, name=name, args=args, bare=False), close + 1

    def _given(self, piece: Piece, path: Path, *, block: bool) -> Given:
        """One argument, which is an item in a block."""
        place = self.at(path, piece)
        key = _KEY.match(piece.text)
        if key:
            return Given(piece.text[key.end() :].strip(), key[1], place)
        if not block or piece.text in WORDS:
            return Given(piece.text, None, place)
        return Given(piece.text, None, place, next(self.item(piece, path), None), block=True)

    def _marks(self, raw: Raw, rest: Piece) -> Iterator[Raw]:
        """`x3`, `:relu` and `*2` after an item."""
        text = rest.text
        after = re.match(r"x\s*([A-Za-z0-9]*)\s*", text)
        if after and not raw.bare:
            raw, text = replace(raw, after=after[1]), text[after.end() :]
            if not raw.after:
                self.found.add(raw.place, "a size is missing after x", "a size such as seq(5)x3")
        marks, end = [], 0
        while matched := _MARK.match(text, end):
            marks.append(matched)
            end = matched.end()
        if text[end:].strip():
            self.found.add(raw.place, f"{quoted(text[end:])} after the item", _SHAPE)
            return
        told = [mark[1] for mark in marks]
        if len(set(told)) < len(told):
            self.found.add(raw.place, "more than one activation or count", _SHAPE)
            return
        values = {mark[1]: mark[2].strip() for mark in marks}
        yield replace(raw, activation=values.get(":"), repeat=values.get("*", 1))
