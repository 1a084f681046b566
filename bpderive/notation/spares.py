"""Letters that give way: those of quantities that few networks have.

In: a `Notation` that was built upon another, and the keys that its own file has. Out: the same, but
where the file gives a letter that was such a quantity's, the latter has another. Must not know:
where the notation was read.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bpderive.notation.alphabet import RESERVED
from bpderive.notation.model import Notation

SPARE: Mapping[str, Mapping[str, str]] = {
    "letters": {"g": "gcfqγχ", "h": "hcfqγχ", "S": "STRQ"},
    "matrices": {"g": "GCFQΓ", "h": "HCFQΓ"},
}
"""By table and quantity, the letters that it can have."""


def settled(notation: Notation, given: Mapping[str, Any]) -> Notation:
    """The notation without clashes that its file did not ask for."""
    for table, quantities in SPARE.items():
        for name, pool in quantities.items():
            if name not in given.get(table, {}):
                notation = _settled(notation, table, name, pool)
    return notation


def _settled(notation: Notation, table: str, name: str, pool: str) -> Notation:
    letters: Mapping[str, str] = getattr(notation, table)
    taken = _taken(notation, table, name)
    free = [letter for letter in pool if letter not in taken]
    if letters.get(name) not in taken or not free:
        return notation
    changes: dict[str, Any] = {table: {**letters, name: free[0]}}
    return replace(notation, **changes)


def _taken(notation: Notation, table: str, name: str) -> set[str]:
    """Every letter that means something else."""
    own = {other: getattr(notation, other) for other in SPARE}
    own[table] = {key: letter for key, letter in own[table].items() if key != name}
    letters = {letter for found in own.values() for letter in found.values()}
    letters |= {*notation.functions.values(), *notation.indices, *notation.samples}
    more = (notation.activation, notation.general_layer, notation.kronecker, notation.above)
    return letters | {*more, RESERVED, "d"}
