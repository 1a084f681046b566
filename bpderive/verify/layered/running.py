"""What an expression of a file of equations is worked out in: sizes, tensors, numbers.

In: nothing. Out: the protocol of a `Run`. Must not know: the engine; an import contract keeps it
apart.
"""

import ast
from collections.abc import Callable, Mapping
from typing import Any, Protocol

Env = Mapping[str, int]
"""The values of the index letters."""


class Run(Protocol):
    """What an expression is worked out in."""

    numbers: Mapping[str, Any]

    def knows(self, name: str) -> bool:
        """Whether a tensor has this name."""

    def size(self, name: str) -> int:
        """A size by its letter."""

    def range(self, letter: str) -> range:
        """The values of an index letter."""

    def element(self, name: str, indices: tuple[Any, ...]) -> Any:
        """An element of a tensor; zero where there is none."""

    def merged(self, values: list[Any], tree: ast.Tuple) -> Any:
        """Several indices as one."""

    def number(self, text: str) -> Any:
        """A constant."""

    def binds(self, name: str) -> bool:
        """Whether a name in front of a body is an index letter."""

    def scalar(self, name: str, values: list[Any], row: Callable[[], list[Any]]) -> Any:
        """A function by its name; `row` are values of its argument along the last index."""

    def hold(self, key: Any, value: Any) -> Any:
        """A value that is taken as a constant."""

    def pick(self, key: Any, values: list[Any]) -> int:
        """The place of the first largest value."""
