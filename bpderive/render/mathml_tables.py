r"""What each sign of our LaTeX is in MathML: characters, operators, brackets, spaces, faces.

In: nothing. Out: tables from a command to its character or attributes. Must not know: how a
formula is read.
"""

from collections.abc import Mapping

from bpderive.render.latex_math import COMMANDS

CHARACTERS: Mapping[str, str] = {
    **{command: character for character, command in COMMANDS.items()},
    r"\pi": "π",
    r"\infty": "∞",
    r"\ast": "∗",
    r"\partial": "∂",
}
BINARY: Mapping[str, str] = {
    "+": "+",
    "-": "−",
    r"\cdot": "·",
    r"\times": "×",
    r"\odot": "⊙",
    r"\oslash": "⊘",
}
RELATIONS: Mapping[str, str] = {
    "=": "=",
    "<": "&lt;",
    ">": "&gt;",
    r"\le": "≤",
    r"\ge": "≥",
    r"\ne": "≠",
    r"\approx": "≈",
    r"\to": "→",
    r"\leftarrow": "←",
    r"\mapsto": "↦",
}
OPEN: Mapping[str, str] = {
    "(": "(",
    "[": "[",
    r"\lbrack": "[",
    r"\lfloor": "⌊",
    r"\{": "{",
    r"\lvert": "|",
    r"\lVert": "‖",
}
CLOSE: Mapping[str, str] = {
    ")": ")",
    "]": "]",
    r"\rbrack": "]",
    r"\rfloor": "⌋",
    r"\}": "}",
    r"\rvert": "|",
    r"\rVert": "‖",
}
SPACES: Mapping[str, str] = {
    r"\,": ".1667em",
    r"\;": ".2778em",
    r"\ ": ".3333em",
    r"\!": "-.1667em",
    r"\quad": "1em",
    r"\qquad": "2em",
}
ACCENTS: Mapping[str, str] = {r"\hat": "^", r"\tilde": "~", r"\bar": "¯"}
UPRIGHT = ' mathvariant="normal"'
FACES: Mapping[str, str] = {
    r"\mathrm": UPRIGHT,
    r"\mathsf": ' class="bp-sans"',
    r"\mathbf": ' class="bp-bold"',
    r"\boldsymbol": ' class="bp-bold bp-slanted"',
}
NO_SPACE = ' lspace="0" rspace="0"'
PRIME = '<mo lspace=".03em" rspace="0">′</mo>'
TALL_PRIME = f'<mpadded voffset="-.55em"><mo{NO_SPACE} mathsize="1.4em">′</mo></mpadded>'
"""The prime of what is tall stands higher than letters do, and is no smaller."""

APART = frozenset(("ordinary", "fence", "fraction", "function", "close"))
"""Between two of these a space in the source is a thin space, as TeX sets fences apart."""


ENVIRONMENTS: Mapping[str, tuple[str, str]] = {"cases": ("{", ""), "bmatrix": ("[", "]")}
SCRIPTS: tuple[Mapping[str, str], Mapping[str, str]] = (
    {"^": "msup", "_": "msub", "_^": "msubsup"},
    {"^": "mover", "_": "munder", "_^": "munderover"},
)
BLANK = 0xE200
"""The first of the characters that stand for a number to be filled in."""
