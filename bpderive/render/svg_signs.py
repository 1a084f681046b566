"""What TeX's commands look like as characters, and how wide characters are: tables for `svg_math`.

In: a command or a character. Out: characters, widths in ems (those of the Times kind, which most
serif fonts keep to). Must not know: SVG.
"""

import unicodedata
from collections.abc import Mapping

from bpderive.render.latex_math import ACCENTS as MARKS
from bpderive.render.latex_math import COMMANDS

GREEK: Mapping[str, str] = {
    **{command: letter for letter, command in COMMANDS.items()},
    r"\pi": "π",
    r"\partial": "∂",
}
UPRIGHT: Mapping[str, str] = {
    r"\ldots": "…",
    r"\cdots": "⋯",
    r"\vdots": "⋮",
    r"\infty": "∞",
    r"\ast": "*",
    r"\lbrack": "[",
    r"\rbrack": "]",
    r"\lfloor": "⌊",
    r"\rfloor": "⌋",
    r"\lvert": "|",
    r"\rvert": "|",
    r"\lVert": "‖",
    r"\rVert": "‖",
    r"\{": "{",
    r"\}": "}",
    r"\%": "%",
    r"\#": "#",
    r"\&": "&",
    r"\_": "_",
    r"\$": "$",
    r"\prime": "′",
    "'": "′",
}
RELATIONS: Mapping[str, str] = {
    "=": "=",
    "<": "<",
    ">": ">",
    r"\le": "≤",
    r"\ge": "≥",
    r"\ne": "≠",
    r"\approx": "≈",
    r"\to": "→",
    r"\leftarrow": "←",
    r"\mapsto": "↦",
}
BINARY: Mapping[str, str] = {
    "+": "+",
    "-": "−",
    r"\times": "×",
    r"\cdot": "·",
    r"\odot": "⊙",
    r"\oslash": "⊘",
}
SPACES: Mapping[str, float] = {
    r"\,": 0.17,
    r"\:": 0.22,
    r"\;": 0.28,
    r"\ ": 0.25,
    r"\quad": 1.0,
    r"\qquad": 2.0,
    r"\!": -0.17,
}
_NAMED = "log ln exp tanh sin cos sinh cosh max min arg"
OPERATORS = frozenset("\\" + name for name in _NAMED.split())
ACCENTS: Mapping[str, str] = {command: mark for mark, command in MARKS.items()}

_WIDTHS: Mapping[float, str] = {
    0.25: " .,:;'′",
    0.28: "ijltI|/",
    0.33: "()[]fr-J!",
    0.39: "sze{}ι",
    0.44: "acekvxyg√δπ",
    0.61: "ABEFPRVXYTLZβΔ",
    0.56: "+−=<>≤≥≈×·σωδ",
    0.67: "wCDGHKNOQU",
    0.72: "mM⊙⊘",
    0.85: "W%∞‖",
    1.0: "→←↦…⋯",
}
_BY_CHARACTER = {character: width for width, row in _WIDTHS.items() for character in row}


def character_width(character: str) -> float:
    """The width of a character in ems."""
    if unicodedata.combining(character):
        return 0.0
    known = _BY_CHARACTER.get(character)
    if known is not None:
        return known
    return 1.0 if unicodedata.east_asian_width(character) in "WF" else 0.5
