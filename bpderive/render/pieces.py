"""Printed pieces of mathematics, and the textbook's order of factors and of terms.

In: pieces, each with its text, how tightly it binds, and its place between input and loss. Out:
the same pieces in reading order. Must not know: SymPy, any format.

SymPy sorts factors by its own canon; a textbook sorts by role: along a path from the output's
error towards the input, `(a³ − y) w³ a²(1 − a²) w² x`; in a recurrence from the slope upwards,
`σ′(z¹ᵢ) Σₖ w²ₖᵢ δ²ₖ`.
"""

from collections.abc import Sequence
from typing import NamedTuple

CASES, SUM, HADAMARD, PRODUCT, POWER, ATOM = range(6)
"""How tightly a piece binds. CASES must stand alone; POWER has a mark that a second would hit."""

TOP = 4_000_000_000
NOWHERE = -TOP
STEP = 4
"""Places of one layer: its weights 0, z 1, a 2, derivatives 3."""


class Place(NamedTuple):
    """Where a piece belongs between the input (low) and the loss (high).

    `reach` is the lowest layer that a named derivative in it has been carried down to; `up` holds
    a named derivative (δ), `down` an error (a − y) or an unnamed derivative; `plain` is a single
    tensor that is neither parameter nor derivative.
    """

    at: int = NOWHERE
    reach: int = TOP
    up: bool = False
    down: bool = False
    plain: bool = False


ANYWHERE = Place()


class Piece(NamedTuple):
    """A printed expression; `negative` says that a minus belongs before the text.

    `key` sorts pieces of the same place; `tall` needs growing brackets; `open` reaches as far
    right as it can (`Σ`, `log`); `kind` is "number", "bias", "sum" or "quotient" where it matters.
    """

    text: str
    level: int = ATOM
    place: Place = ANYWHERE
    key: str = ""
    negative: bool = False
    tall: bool = False
    open: bool = False
    kind: str = ""


def merged(pieces: Sequence[Piece]) -> Place:
    """The place of an expression that holds these pieces."""
    if not pieces:
        return ANYWHERE
    at, reach, up, down, _ = zip(*[piece.place for piece in pieces], strict=True)
    return Place(max(at), min(reach), True in up, True in down)


def flipped(piece: Piece) -> Piece:
    """The same with the other sign."""
    return piece._replace(negative=not piece.negative)


def unsigned(pieces: Sequence[Piece]) -> list[Piece]:
    """The same without their signs."""
    return [piece._replace(negative=False) if piece.negative else piece for piece in pieces]


def odd(pieces: Sequence[Piece]) -> bool:
    """Whether their product is negative."""
    return sum([piece.negative for piece in pieces]) % 2 == 1


def by_role(pieces: Sequence[Piece]) -> list[Piece]:
    """The factors of a product from the loss to the input, or upwards in a recurrence."""
    if len(pieces) < 2:
        return list(pieces)
    return _sorted(pieces, 1) if _rises(pieces) else from_loss(pieces)


def from_loss(pieces: Sequence[Piece]) -> list[Piece]:
    """Factors in the order of a path: `((W²)ᵀ δ²) ⊙ σ′(z¹)`."""
    return _sorted(pieces, -1)


def _sorted(pieces: Sequence[Piece], sign: int) -> list[Piece]:
    """By place; at one place, a tensor before what is made of it: `a(1 − a)`."""
    return sorted(
        pieces, key=lambda p: (sign * p.place.at, p.key, not p.place.plain, -p.level, p.text)
    )


def _rises(pieces: Sequence[Piece]) -> bool:
    """A product of a named derivative is a recurrence, unless an input ends it: `δᵢ aⱼ`."""
    if not any(p.place.up for p in pieces) or any(p.place.down for p in pieces):
        return False
    reach = min(p.place.reach for p in pieces)
    slopes = {p.place.at for p in pieces if not p.place.plain}
    return not any(
        p.place.plain and p.place.at // STEP < reach and p.place.at not in slopes for p in pieces
    )


def by_reading(pieces: Sequence[Piece]) -> list[Piece]:
    """The terms of a sum: positive before negative, Σ before the bias, `1 − a`, `z + 1`."""
    last = any(p.place.plain and not p.negative for p in pieces)
    return sorted(pieces, key=lambda p: (p.negative, _rank(p, last), p.key, p.text))


def _rank(piece: Piece, number_last: bool) -> int:
    """Single quantities, products, Σ, biases; a number first, beside a single quantity last."""
    if piece.kind == "number":
        return 5 if number_last or piece.negative else 0
    if piece.kind == "bias":
        return 4
    return 3 if piece.kind == "sum" else 2 if piece.level < POWER else 1
