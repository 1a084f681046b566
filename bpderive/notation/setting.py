"""What the letters of a notation depend on in a network, and the names of derivatives.

In: nothing. Out: frozen data. Must not know: notations.
"""

from collections.abc import Mapping
from dataclasses import dataclass

ADJOINTS: Mapping[str, str] = {"delta_": "", "direct_": "\u0303"}
"""How the names of a module's derivatives begin, and the accent over their letter.

A direct one is what reaches a recurrent layer's output from the layers above alone.
"""

DERIVED: Mapping[str, str] = {"delta": "z", "g": "a", "h": "p"}
"""What each named derivative of the loss is by."""


@dataclass(frozen=True)
class Setting:
    """What the letters depend on in a network.

    `sizes` are names of symbolic sizes, `staged` says that the loss makes `p` of the outputs,
    `activation` is the only activation that there is. A network of modules has `tensors`, the names
    of tensors and numbers in their files, in the order of the text; `parameters` are some of them,
    and `arrays` those that have axes; `alone` says that the names stand without layers, `root` what
    derivatives with a name are of.
    """

    sizes: frozenset[str] = frozenset()
    depth: int = 0
    staged: bool = False
    activation: str = ""
    tensors: tuple[str, ...] = ()
    parameters: frozenset[str] = frozenset()
    arrays: frozenset[str] = frozenset()
    alone: bool = False
    root: str = "L"
