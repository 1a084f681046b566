"""Readers of one value each: sizes, counts, windows, decimals, names.

In: a text, or a value of TOML or Python. Out: the value with its type known, or a `SpecError`
without a place. Must not know: layers, SymPy.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from bpderive.checks import integer
from bpderive.errors import SpecError, quoted

if TYPE_CHECKING:
    from bpderive.grammar.layers import Kind
    from bpderive.grammar.model import Value

MAX_SIZE = 10**9
MAX_COUNT = 100_000
SIZE = re.compile(r"[A-Za-z]|[A-Za-z]{1,12}[0-9]{1,6}")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
SIZES = (
    f"a whole number from 1 to {MAX_SIZE}, or a symbolic size: "
    "one letter, or letters and then digits, such as n1"
)
_DECIMAL = re.compile(r"([0-9]{1,20}\.?[0-9]{0,20}|\.[0-9]{1,20})(e-?[0-9]{1,2})?")
_DECIMALS = "a number from 0, such as 0.5 or 1e-5"


def size(value: object) -> int | str:
    """A number, or a symbol such as `n1`."""
    if isinstance(value, str) and SIZE.fullmatch(value):
        return value
    return integer(value, "a size", MAX_SIZE, SIZES)


def count(value: object) -> int:
    """A whole number from 1."""
    return integer(value, "a count", MAX_COUNT)


def whole(value: object) -> int:
    """A whole number from 0."""
    if str(value) == "0":
        return 0
    return integer(value, "a whole number", MAX_COUNT, f"a whole number from 0 to {MAX_COUNT}")


def window(value: object) -> int | tuple[int, int]:
    """`3`, or `3x5` (in TOML also [3, 5]): rows and columns."""
    parts = value.split("x") if isinstance(value, str) and "x" in value else value
    if isinstance(parts, list | tuple) and len(parts) == 2:
        return count(parts[0]), count(parts[1])
    accepted = f"a whole number from 1 to {MAX_COUNT}, or two: 3x5"
    return integer(value, "a size of a window", MAX_COUNT, accepted)


def decimal(value: object) -> "Value":
    """A number that is not negative, exactly as it is written."""
    from fractions import Fraction  # an import of some milliseconds, seldom wanted

    shown = repr(value) if isinstance(value, float) else str(value)
    if isinstance(value, bool) or not _DECIMAL.fullmatch(shown.lower().replace("+", "")):
        below = shown.startswith("-") and _DECIMAL.fullmatch(shown[1:].lower().replace("+", ""))
        told = "is below zero" if below else "is not a number"
        raise SpecError.single(f"{quoted(value)} {told}", accepted=_DECIMALS)
    return Fraction(shown)


def truth(value: object) -> bool:
    """`true` or `false`, in TOML and Python the values themselves."""
    told = {"true": True, "false": False}.get(value) if isinstance(value, str) else value
    if not isinstance(told, bool):
        raise SpecError.single(f"{quoted(value)} is neither true nor false", accepted="true, false")
    return told


def number(value: object) -> "Value":
    """What a file of equations may be told: a size, or a decimal number."""
    text = str(value)
    plain = SIZE.fullmatch(text) or re.fullmatch("-?[0-9]+", text)
    return size(value) if plain else decimal(value)


def sizes_of(name: str) -> list[str] | None:
    """`1x8x8` at its marks, or None: two or more sizes, of which one has a digit."""
    parts = [part.strip() for part in name.split("x")]
    alike = all(re.fullmatch(r"-?[0-9]+", part) or SIZE.fullmatch(part) for part in parts)
    several = len(parts) > 1 and any(character.isdigit() for character in name)
    return parts if alike and several else None


READERS: "Mapping[Kind, Callable[[object], Value]]" = MappingProxyType(
    {
        "size": size,
        "count": count,
        "whole": whole,
        "window": window,
        "decimal": decimal,
        "truth": truth,
    }
)
