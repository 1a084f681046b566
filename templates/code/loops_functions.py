"""Functions that the generated loops of plain Python take from here when they use them."""

from typing import Any


def zeros(size: int, *sizes: int) -> list[Any]:
    """Return zeros in nested lists."""
    return [zeros(*sizes) for _ in range(size)] if sizes else [0.0] * size
