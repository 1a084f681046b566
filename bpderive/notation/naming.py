"""Which letter a label has: the textbook's, or one that follows from a module's own name.

In: labels and names. Out: names on paper, and what a derivative is by. Must not know: marks of
layers, formats.
"""

import re
from collections.abc import Mapping
from functools import cached_property
from unicodedata import normalize

from bpderive.errors import DerivationError
from bpderive.index import LayerName, parse_label
from bpderive.notation import own
from bpderive.notation.names import Name
from bpderive.notation.setting import ADJOINTS, DERIVED, Setting

HIDDEN = frozenset("ghn")
"""Names of a dense network that a network of modules may use for others."""
TARGET = "target"
"""The target's name where a file has a `y` of its own."""
UPPER = re.compile("[A-ZΓΔΘΛΞΦΨΩ][\u0302-\u0304]?")
"""What a matrix can be called."""


class Naming:
    """What a notation says of names."""

    name: str
    letters: Mapping[str, str]
    matrices: Mapping[str, str]
    setting: Setting

    @property
    def general(self) -> bool:
        """Whether it is fitted to a network of modules, with names of their own."""
        return bool(self.setting.tensors)

    @cached_property
    def own_names(self) -> Mapping[str, Name]:
        """The printed names of the modules' tensors."""
        return own.own_names(self.setting)

    def is_own(self, name: str, layer: LayerName = None) -> bool:
        """Whether it is a module's tensor, and no quantity that every textbook has."""
        if name not in self.own_names or name in own.KEPT:
            return False
        return self.setting.alone or layer is not None or name not in self.letters

    def named(self, name: str, layer: LayerName = None) -> Name:
        """The letter of a quantity, and the marks of its name.

        Raises:
            DerivationError: it is neither the textbook's nor the network's.
        """
        if self.is_own(name, layer):
            found = self.own_names[name]
            like = found.marks and found.letter in own.SAME
            return Name(self.letters[found.letter], found.marks) if like else found
        name = "y" if name == TARGET and self.general else name
        if name in self.letters and not (self.general and name in HIDDEN):
            return Name(self.letters[name])
        for prefix, accent in ADJOINTS.items():
            if self.general and name.startswith(prefix):
                of = self.named(name.removeprefix(prefix), layer)
                return Name(self.letters["delta"] + accent, (of,))
        raise DerivationError(f"the notation {self.name} has no letter for {name!r}")

    def by(self, name: str, layer: LayerName = None) -> str:
        """What a derivative of the loss is by; empty where it is none."""
        if self.is_own(name, layer):
            return ""
        if self.general and name.startswith("delta_"):
            return name.removeprefix("delta_")
        if name in DERIVED and not (self.general and name != "delta"):
            return DERIVED[name]
        return name[1:] if self.is_gradient(name, layer) else ""

    def matrix(self, found: Name) -> Name:
        """A module's matrix in upper case, where that is no other quantity of the network."""
        upper = Name(found.letter.upper(), found.marks)
        tables = (self.letters, self.matrices)
        used = {letter for table in tables for name, letter in table.items() if name not in HIDDEN}
        clashes = not upper.marks and upper.letter in used | self.setting.sizes
        if clashes or upper in self.own_names.values():
            return found
        return upper if UPPER.fullmatch(normalize("NFD", upper.letter)) else found

    def parsed(self, label: str) -> tuple[str, LayerName]:
        """The name and the layer of a label; in a single file, `W2` is a name."""
        name = label.removesuffix("_")
        if self.setting.alone and any(
            name.removeprefix(prefix) in self.own_names for prefix in ("", "d", *ADJOINTS)
        ):
            return name, None
        name, layer = parse_label(label)
        return name.removesuffix("_"), layer

    def is_gradient(self, name: str, layer: LayerName = None) -> bool:
        """Whether it is the derivative by a tensor: `dw`, `dW_q`; not `data`."""
        return name[:1] == "d" and name[1:] in self.own_names and not self.is_own(name, layer)
