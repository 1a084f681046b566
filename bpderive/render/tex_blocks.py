"""Tables, program texts and the head of a LaTeX file.

In: blocks and a `Writer`. Out: what goes between the marks that the templates write. Must not know:
the order of blocks, which document it is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bpderive.document.blocks import LARGE, Cell, Table, Words
from bpderive.render.breaking import width
from bpderive.render.colours import COLOURS, FAINT, PALE, Shade
from bpderive.render.guests import lone_guest
from bpderive.render.writer import Writer
from bpderive.wording import Language

FACTOR = r">{\everymath{\displaystyle}}l"
"""The column of a table that holds derivatives."""

ROOM = 82
"""Characters that a line of a table holds, the space between its columns counted."""

GAP = 3
LEAST = 0.18
"""Of the line, what a column of sentences gets at least."""

CODE = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "$": r"\$",
        "&": r"\&",
        "#": r"\#",
        "%": r"\%",
        "_": r"\_",
        "^": r"\textasciicircum{}",
        "~": r"\textasciitilde{}",
        "'": r"\textquotesingle{}",
        "`": r"\textasciigrave{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "-": "{-}",
        " ": r"\ ",
    }
)
"""Program texts: nothing turns into a ligature, and every space counts."""

SHADES = {**COLOURS, "faint": FAINT, "pale": PALE, "ground": Shade("#F3F4F6", "#20242A")}
"""The colours that a file defines: of the roles, of what stands back, behind what is set apart."""


def code(text: str) -> list[str]:
    """The lines of a program text."""
    return [line.translate(CODE) for line in text.rstrip("\n").split("\n")]


def columns(writer: Writer, table: Table, room: int = ROOM) -> str:
    """A letter or a width for each column; where a table is too wide, its sentences are wrapped."""
    wide = [_widest(writer, table, at) for at in range(len(table.columns))]
    told = [any(isinstance(row[at], Words) for row in table.rows) for at in range(len(wide))]
    over = sum(wide) + GAP * len(wide) - room
    shares: dict[int, float] = {}
    if over > 0 and any(told):
        shares = _shares(wide, told, room)
    marks = (
        rf">{{\raggedright\arraybackslash}}p{{{shares[at]:.2f}\linewidth}}"
        if at in shares
        else (FACTOR if name in LARGE else "l")
        for at, name in enumerate(table.columns)
    )
    return "".join(marks)


def _shares(wide: Sequence[int], told: Sequence[bool], room: int) -> dict[int, float]:
    """Of the line, what each column of sentences gets: what the others leave, by its length."""
    fixed = sum(w for w, sentence in zip(wide, told, strict=True) if not sentence)
    left = 1 - (fixed + GAP * len(wide)) / room
    total = sum(w for w, sentence in zip(wide, told, strict=True) if sentence)
    return {
        at: max(LEAST, left * w / total)
        for at, (w, sentence) in enumerate(zip(wide, told, strict=True))
        if sentence
    }


def _widest(writer: Writer, table: Table, at: int) -> int:
    cells: list[Cell] = [row[at] for row in table.rows]
    texts = [writer.column(table.columns[at]), *map(writer.slot, cells)]
    return max(columns_of(text) for text in texts)


def columns_of(text: str) -> int:
    """The width of a sentence with its mathematics; a Chinese character is two letters wide."""
    from unicodedata import east_asian_width

    wide = sum(east_asian_width(character) in "WF" for character in text)
    return width(text.replace("$", "")) + wide


def families(language: Language) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The fonts of a language, by what each family is for."""
    return (
        ("serif", language.serif),
        ("sans", language.sans or language.serif),
        ("mono", language.mono or language.serif),
    )


def head(language: Language) -> Mapping[str, Any]:
    """What the file's head needs: how the language is set, and the colours."""
    return {
        "setting": language,
        "guest_of": lambda document: lone_guest(document, language),
        "remedy": lambda own: own.package or own.serif[0],
        "families": families,
        "colours": tuple((name, shade.light[1:]) for name, shade in SHADES.items()),
    }
