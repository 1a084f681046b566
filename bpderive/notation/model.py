"""Letters and marks of a textbook: what each quantity is called on paper.

In: checked values. Out: a frozen `Notation`, all of it in Unicode, and the same notation fitted to
a network. Must not know: where it was read, the syntax of any format, words.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from sympy import Symbol

from bpderive.errors import DerivationError, SpecError, quoted
from bpderive.index import LayerName, Relative, letter_of
from bpderive.notation import own
from bpderive.notation.naming import Naming
from bpderive.notation.setting import ADJOINTS, Setting

GENERAL = "ℓ"
"""The general layer's letter where a size of the network has the notation's own."""


@dataclass(frozen=True, eq=False)
class Notation(Naming):
    """The letters of one textbook; keys of tables are the names of reference text (`w`, `L`).

    `layer_mark` stands `above` a letter, or `below` before its indices; `input_layer` is the number
    of the input, and `layer_shift` moves the mark of single quantities; with `input_as_activation`
    the input is that layer's `a`. `derivatives` of the loss have a `letter` (δ), are the quantity
    with a `d` before it (dz), or are written out as `partial` (∂L/∂z). `above` is the index that
    sums over the layer above. `spec` holds what the textbook's equations take for granted.
    """

    name: str
    title: str
    source: str
    general_layer: str
    layer_mark: str
    layer_place: str
    input_layer: int
    input_as_activation: bool
    kronecker: str
    bold: bool
    commas: bool
    derivatives: str
    activation: str
    samples: tuple[str, ...]
    indices: tuple[str, ...]
    above: str
    layer_shift: Mapping[str, int]
    letters: Mapping[str, str]
    matrices: Mapping[str, str]
    functions: Mapping[str, str]
    spec: Mapping[str, Any]
    setting: Setting = field(default_factory=Setting)

    @property
    def marked_below(self) -> bool:
        """Whether the layer's mark stands before the indices."""
        return self.layer_place == "below"

    @property
    def apart(self) -> bool:
        """Whether indices have commas between them."""
        return self.commas or self.marked_below

    @property
    def own_indices(self) -> tuple[str, ...]:
        """The letters of indices but for the first two."""
        return tuple(dict.fromkeys((self.above, *self.indices[2:])))

    def counted(self, layer: LayerName, name: str = "") -> LayerName:
        """A layer as the textbook counts it, where it marks a quantity of that name."""
        shift = self.layer_shift.get("w" if name in self.setting.parameters else name, 0)
        if isinstance(layer, Relative):
            return Relative(layer.offset + shift) if shift else layer
        return None if layer is None else layer + self.input_layer + shift

    def shown(self, name: str, layer: LayerName) -> tuple[str, LayerName]:
        """The quantity and the layer that one is printed as: the output and the input differ."""
        for prefix in ADJOINTS:
            if self.general and name.startswith(prefix) and not self.is_own(name, layer):
                of, at = self.shown(name.removeprefix(prefix), layer)
                name, layer = prefix + of, at
        by = self.by(name, layer)
        if by and (self.derivatives != "letter" or self.is_gradient(name, layer)):
            name = by
        if name == "a" and layer == self.setting.depth and "output" in self.letters:
            return "output", None
        first = name == "x" and layer is None and self.input_as_activation
        return ("a", 0) if first else (name, layer)

    def letters_for(self, indices: Sequence[Any], *, samples: bool = False) -> dict[Any, str]:
        """A letter for each free index, in order; with `samples`, the first counts the samples.

        Raises:
            DerivationError: there are more indices than letters.
        """
        found: dict[Any, str] = {}
        for index in indices:
            if letter := wish(index):
                found[index] = primed(letter, found.values())
        heads = [self.samples[0]] if samples and indices and indices[0] not in found else []
        pool = [letter for letter in (*heads, *self.indices) if letter not in found.values()]
        others = [index for index in indices if index not in found]
        if len(others) > len(pool):
            raise DerivationError(f"the notation {self.name} has too few letters for {indices}")
        found |= dict(zip(others, pool, strict=False))
        return {index: found[index] for index in indices}

    def fitted(self, setting: Setting) -> "Notation":
        """The same notation for a network: its indices clear of letters that name a size.

        Raises:
            SpecError: a size has the letter of a quantity.
        """
        return _fitted(self, setting)


def wish(index: Any) -> str:
    """The letter that `_17c` would like to have; none of `_17`, nor of `_i`, which is a name."""
    numbered = isinstance(index, Symbol) and str(index.name)[:1] == "_"
    return letter_of(index) if numbered and str(index.name)[1].isdigit() else ""


def primed(letter: str, taken: Collection[str]) -> str:
    """The letter with as many primes as it takes to be free: `k''`."""
    while letter in taken:
        letter += "'"
    return letter


@lru_cache(maxsize=64)
def _fitted(notation: Notation, setting: Setting) -> Notation:
    if setting.tensors:
        return own.fitted(notation, setting)
    _check_sizes(notation, setting.sizes)
    letters, functions = dict(notation.letters), dict(notation.functions)
    if setting.staged and letters.get("output") == letters["p"]:
        del letters["output"]
    if notation.activation and setting.activation:
        functions[setting.activation] = notation.activation
    samples, indices = (
        tuple(letter for letter in pool if letter not in setting.sizes)
        for pool in (notation.samples, notation.indices)
    )
    if min(len(samples), len(indices) - 2) < 1:
        raise SpecError.single(
            f"the sizes leave too few letters to the notation {notation.name}",
            accepted="sizes of more than one letter, such as n1",
        )
    above = notation.above if notation.above not in setting.sizes else indices[2]
    general = GENERAL if notation.general_layer in setting.sizes else notation.general_layer
    return replace(
        notation,
        samples=samples,
        indices=indices,
        above=above,
        general_layer=general,
        letters=letters,
        functions=functions,
        setting=setting,
    )


def _check_sizes(notation: Notation, sizes: frozenset[str]) -> None:
    """A size may not read like a quantity: one textbook's label `t`, another's number `m`."""
    named = {**notation.letters, "the activation": notation.activation}
    for name, letter in named.items():
        if letter in sizes and name != "n":
            raise SpecError.single(
                f"a size is called {quoted(letter)}, and so is {name} in the notation "
                f"{notation.name}",
                accepted="another letter for the size, or another notation",
            )
