"""What cannot be worked out is refused: a wrong derivation may not even fit its network.

In: a family's check. Out: the same, where what raises is a `Check` that failed; its place says why.
"""

from collections.abc import Callable, Iterator
from functools import wraps

from bpderive.errors import BpderiveError
from bpderive.proof import Check, Skip
from bpderive.verify.subject import Subject

Found = Iterator[Check | Skip]
Family = Callable[[Subject], Found]
ERRORS = (BpderiveError, LookupError, ValueError, TypeError, ArithmeticError, AttributeError)
"""What an expression raises whose indices, shapes or functions do not fit."""


def guarded(kind: str, against: str, checks: Found) -> Found:
    """The checks; one that cannot be made has failed, and is the last."""
    try:
        yield from checks
    except ERRORS as error:
        place = f"{type(error).__name__}: {error}"
        yield Check(kind, "all", against, count=0, digits=0, wanted=1, place=place)


def refusing(kind: str, against: str) -> Callable[[Family], Family]:
    """A family of checks that does not raise."""

    def decorate(check: Family) -> Family:
        return wraps(check)(lambda subject: guarded(kind, against, check(subject)))

    return decorate
