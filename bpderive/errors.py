"""Every error that bpderive raises on purpose, and how it is worded.

In: what was wrong, where, and what is accepted instead.  Out: exceptions whose `str` is the whole
message for a person, and whose `exit_code` is the command's.  Must not know any other module.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar, Self


class BpderiveError(Exception):
    """The base of all errors that bpderive raises on purpose."""

    exit_code: ClassVar[int] = 1


SHORT = 30
"""A longer remedy of several problems is told once."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with what the user asked for."""

    message: str
    where: str = ""
    accepted: str = ""

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f". Accepted: {self.accepted}" if self.accepted else ""
        return f"{place}{self.message}{remedy}"


class SpecError(BpderiveError):
    """What the user asked for is wrong; all its problems are told at once."""

    exit_code = 2

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(self.problems)

    @classmethod
    def single(cls, message: str, where: str = "", accepted: str = "") -> Self:
        """An error of one problem."""
        return cls((Problem(message, where, accepted),))

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return str(self.problems[0])
        lines = ["several things are wrong:"]
        told = {""}
        for problem in self.problems:
            again = problem.accepted in told and len(problem.accepted) > SHORT
            told.add(problem.accepted)
            lines.append(str(replace(problem, accepted="") if again else problem))
        return "\n  - ".join(lines)


class UnsupportedError(BpderiveError):
    """A fair question that bpderive does not answer (yet, or at this size)."""

    exit_code = 2


class DerivationError(BpderiveError):
    """A fault of bpderive itself: please report it."""

    exit_code = 1


class ProofError(DerivationError):
    """A derivation that its own proof refuses: nothing of it is printed."""


class OutputError(BpderiveError):
    """A file could not be written, or must not be replaced."""

    exit_code = 2


def suggest(word: str, choices: Iterable[str]) -> str:
    """` (did you mean "sigmoid"?)` for the choice nearest to the word, or an empty text."""
    import difflib  # only where an error is being told

    by_lower = {choice.lower(): choice for choice in choices}
    near = difflib.get_close_matches(word[:80].lower(), by_lower, n=1, cutoff=0.6)
    return f' (did you mean "{by_lower[near[0]]}"?)' if near else ""


def quoted(value: object, limit: int = 40) -> str:
    """The user's own words in quotes, on one line and short enough for a message."""
    text = str(value)
    cut = text if len(text) <= limit else f"{text[:limit]}..."
    return '"' + "".join(c if c.isprintable() else repr(c)[1:-1] for c in cut) + '"'
