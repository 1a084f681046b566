"""What a pass takes as given: values that are held constant, and where the largest stand.

In: numbers as they come up. Out: those of the first pass. Must not know: the engine; an import
contract keeps it apart.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bpderive.verify.arithmetic import MP


@dataclass
class Watch:
    """What a pass takes as given: values held constant, and the places of largest values.

    One that is `open` writes them down, by where they came up; another reads them.
    """

    held: dict[Any, Any] = field(default_factory=dict)
    picked: dict[Any, int] = field(default_factory=dict)
    open: bool = True

    def hold(self, key: Any, found: Any) -> Any:
        """`stop(u)`: the value that was seen first."""
        return self.held.setdefault(key, found) if self.open else self.held[key]

    def pick(self, key: Any, values: list[Any], real: Callable[[Any], Any]) -> int:
        """The place of the first largest value, by real parts."""
        if not self.open and key in self.picked:
            return self.picked[key]
        best = 0
        for k, found in enumerate(values):
            best = k if real(found) > real(values[best]) else best
        self.picked[key] = best
        return best


class Stepped(Watch):
    """Of complex numbers with a small step in them: what is held constant loses the step."""

    def hold(self, key: Any, found: Any) -> Any:
        """The real part."""
        return MP.mpf(MP.re(found))
