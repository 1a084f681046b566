"""A textbook's letters in a network of any layers, whose tensors have names of their own.

In: a `Notation` and the `Setting` of the network. Out: the same notation, in which no two things of
the network look alike: a letter of the textbook gives way to what a file of equations calls so.
Must not know: how a network is built, formats.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bpderive.notation.names import Name, natural, spelled

if TYPE_CHECKING:
    from bpderive.notation.model import Notation
    from bpderive.notation.setting import Setting

LAYER = "ℓ"
"""The general layer: other letters may count something in a file of equations."""
KEPT = frozenset("xwbza")
"""Names of tensors that have the textbook's letters in any module."""
SAME = frozenset("za")
"""Of these, a marked name has the textbook's letter too: `z_f` is a sum where z is one."""
STAR = "*"
"""Put after the target's letter where a file has that itself: no tensor and no index has one."""
SPARE: Mapping[str, tuple[str, ...]] = {
    "L": tuple("LJCE"),
    "S": tuple("SRQ"),
    "N": tuple("NM"),
    "eta": tuple("ηαλκ"),
    "y": (STAR,),
    "p": ("ŷ", "p", "output"),
    "delta": tuple("δε"),
}
"""Letters of the network itself, each with those that it can have."""
COMPARED = frozenset("yp")
"""Of these, what the loss compares: the targets and the outputs."""


def own_names(setting: "Setting") -> Mapping[str, Name]:
    """The printed name of each tensor of a module, no two alike."""
    found: dict[str, Name] = {}
    for name in setting.tensors:
        tries = (natural(name), spelled(name), Name(name.strip("_").replace("_", "")))
        taken = set(found.values())
        found[name] = next((tried for tried in tries if tried not in taken), tries[-1])
    return found


def fitted(notation: "Notation", setting: "Setting") -> "Notation":
    """The notation for these tensors: what would look like one of them has another letter."""
    own = own_names(setting)
    fixed = {name.letter for key, name in own.items() if key not in KEPT and not name.marks}
    heads = {name.letter for name in own.values() if name.marks} - SAME
    taken = fixed | setting.sizes | (heads & {notation.letters[name] for name in SAME})
    letters = dict(notation.letters) | _kept(notation.letters, setting, taken)
    taken |= {letters[name] for name in KEPT}
    moved = {name for name in KEPT if letters[name] != notation.letters[name]}
    matrices = {
        name: name.upper() if name in moved else letter
        for name, letter in notation.matrices.items()
    }
    for name, pool in SPARE.items():
        tries = (letters[name], *(letters[name] + t if t == STAR else t for t in pool))
        letters[name] = next((t for t in tries if t not in taken), letters[name])
        taken |= {letters[name]} if name != "p" else set()
        if name in COMPARED and letters[name] != notation.letters[name]:
            matrices[name] = letters[name].upper()
    stage = {letters["p"]} if setting.staged else set()
    if letters.get("output") in taken | stage:
        del letters["output"]
    symbols = {**notation.functions, **_activation(notation, setting)}
    functions = {key: symbol for key, symbol in symbols.items() if symbol not in taken}
    kronecker = "δ" if notation.kronecker in taken else notation.kronecker
    changes: dict[str, Any] = {"letters": letters, "matrices": matrices, "functions": functions}
    changes |= {"general_layer": LAYER, "kronecker": kronecker, "setting": setting}
    return replace(notation, **changes)


def _kept(
    letters: Mapping[str, str], setting: "Setting", taken: set[str] | frozenset[str]
) -> dict[str, str]:
    """The textbook's letters for inputs, weights and outputs; those that are taken: the file's."""
    kept = {name: letters[name] for name in sorted(KEPT)}
    present = KEPT & set(setting.tensors)
    while clash := next(_clashes(kept, present, taken), ""):
        kept[clash] = clash
    return kept


def _clashes(
    kept: Mapping[str, str], present: frozenset[str], taken: set[str] | frozenset[str]
) -> Iterator[str]:
    """Names whose letter stands for something else too, and is not their own."""
    for name, letter in kept.items():
        others = {kept[other] for other in present - {name}}
        if letter != name and letter in taken | others:
            yield name


def _activation(notation: "Notation", setting: "Setting") -> dict[str, str]:
    """The symbol of a network's only activation, where the textbook has one."""
    if not (notation.activation and setting.activation):
        return {}
    return {setting.activation: notation.activation}
