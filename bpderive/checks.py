"""Readers that check one value each, and the collector of their problems.

In: any value that a user gave.  Out: the value with its type known, or a `SpecError` that has no
place yet; `Findings` gathers those errors with their places and raises them all at once.  Must not
know what the values are for.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar
from unicodedata import category

from bpderive.errors import Problem, SpecError, quoted, suggest

T = TypeVar("T")
Path = tuple[str | int, ...]
"""Where a value stands: ("layers", 3, "width"), items counted from 1."""

LONGEST = 500
"""So long a line of text may be."""
UNSEEN = frozenset(("Cc", "Cs", "Zl", "Zp"))
TURNING = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
MOST = 20
"""So many problems are told; the rest are counted."""


def line(value: str, what: str) -> str:
    """A line of text that is going to be printed.

    Raises:
        SpecError: it is empty or very long, or holds what no page can show: control characters,
            and those that turn the direction of writing.
    """
    unseen = next((c for c in value if category(c) in UNSEEN or c in TURNING), None)
    if unseen is not None:
        raise SpecError.single(f"{what} holds the character U+{ord(unseen):04X}", accepted="text")
    if not value.strip() or len(value) > LONGEST:
        size = "empty" if not value.strip() else f"{len(value)} characters long"
        raise SpecError.single(f"{what} is {size}", accepted=f"1 to {LONGEST} characters")
    return value


class Findings:
    """The problems found so far, each with its path."""

    def __init__(self) -> None:
        self.problems: list[tuple[Path, Problem]] = []

    def add(self, path: Path, message: str, accepted: str = "") -> None:
        """Note one problem."""
        self.problems.append((path, Problem(message, accepted=accepted)))

    def about(self, *keys: str) -> bool:
        """Whether something is wrong with one of these keys."""
        return any(path[0] in keys for path, _ in self.problems)

    def take(self, path: Path, read: Callable[[object], T], value: object, default: T) -> T:
        """`read(value)`; where that raises, its problems are noted and the default stands in."""
        try:
            return read(value)
        except SpecError as error:
            self.problems.extend((path, problem) for problem in error.problems)
            return default

    def take_each(
        self, path: Path, read: Callable[[T], object], values: Iterable[T | None]
    ) -> None:
        """`read` each different value once; its problems are noted wherever it stands."""
        wrong: dict[T, tuple[Problem, ...]] = {}
        for number, value in enumerate(values, 1):
            if value is not None:
                if value not in wrong:
                    wrong[value] = _problems(read, value)
                self.problems.extend(((*path, number), problem) for problem in wrong[value])

    def unknown(self, path: Path, keys: Iterable[str], known: tuple[str, ...]) -> None:
        """Note every key that is not known."""
        for key in keys:
            if key not in known:
                hint = suggest(key, known) if len(self.problems) < MOST else ""
                self.add((*path, key), f"unknown key {quoted(key)}{hint}", ", ".join(known))

    def check(self, where: Callable[[Path], str]) -> None:
        """Raise the problems at once, if there are any."""
        if not self.problems:
            return
        told = [
            replace(problem, where=", ".join(filter(None, (where(path), problem.where))))
            for path, problem in self.problems[:MOST]
        ]
        more = len(self.problems) - MOST
        raise SpecError([*told, Problem(f"and {more} more")] if more > 0 else told)


def _problems(read: Callable[[T], object], value: T) -> tuple[Problem, ...]:
    try:
        read(value)
    except SpecError as error:
        return error.problems
    return ()


def place(path: Path) -> str:
    """The path in words: `layers, item 3, width`."""
    return ", ".join(f"item {part}" if isinstance(part, int) else _clean(part) for part in path)


def _clean(key: str) -> str:
    return key if len(key) <= 50 and key.isprintable() else quoted(key)


def integer(value: object, what: str, most: int, accepted: str = "") -> int:
    """A whole number from 1 to `most`, given as a number or in ASCII digits."""
    accepted = accepted or f"a whole number from 1 to {most}"
    number = _digits(value, most) if isinstance(value, str) else value
    if not isinstance(number, int) or isinstance(number, bool):
        raise SpecError.single(f"{quoted(value)} is not {what}", accepted=accepted)
    if number < 1:
        raise SpecError.single(f"{what} must be at least 1, not {quoted(value)}", accepted=accepted)
    if number > most:
        raise SpecError.single(
            f"{what} must be at most {most}, not {quoted(value)}", accepted=accepted
        )
    return number


def _digits(value: str, most: int) -> int | None:
    if not re.fullmatch(r"-?[0-9]+", value):
        return None
    if len(value.lstrip("-0")) > len(str(most)):  # int() refuses texts of thousands of digits
        return -1 if value.startswith("-") else most + 1
    return int(value)


def text(value: object) -> str:
    """A text that is not blank, without the space around it."""
    if not isinstance(value, str):
        raise SpecError.single(f"{quoted(value)} is not a text", accepted="a text in quotes")
    if not value.strip():
        raise SpecError.single("the text is empty", accepted="a name or a formula")
    return value.strip()


def truth(value: object) -> bool:
    """True or false, nothing that merely counts as one."""
    if not isinstance(value, bool):
        raise SpecError.single(f"{quoted(value)} is neither true nor false", accepted="true, false")
    return value


def one_of(choices: tuple[str, ...]) -> Callable[[object], str]:
    """A reader that takes the choices alone."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            message = f"unknown value {quoted(value)}{suggest(str(value), choices)}"
            raise SpecError.single(message, accepted=", ".join(choices))
        return value

    return read
