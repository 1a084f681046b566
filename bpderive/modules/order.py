"""In which order tensors are defined, and what may refer to an earlier step.

In: what is defined so far, an equation. Out: the letters of recurrence; a `SpecError` at a circle.
Must not know: the language.
"""

from collections.abc import Mapping
from typing import Protocol

from sympy import Expr, Indexed, Symbol

from bpderive.index import label_of
from bpderive.modules.model import Declared
from bpderive.modules.text import Statement


class Defined(Protocol):
    """What is declared and defined so far."""

    tensors: dict[str, Declared]
    defined: set[str]
    recurrent: dict[str, None]


def check_order(
    so_far: Defined,
    name: str,
    value: Expr,
    free: Mapping[str, Symbol],
    statement: Statement,
) -> None:
    """What is not defined yet may stand in an equation at an earlier step only.

    Raises:
        SpecError: it stands there at the same step.
    """
    for tensor in sorted(value.atoms(Indexed), key=str):
        other = label_of(tensor).removesuffix("{l}").removesuffix("_")
        if so_far.tensors[other].role != "defined" or other in so_far.defined:
            continue
        steps = [k for k, own in free.items() if any(_earlier(i, own) for i in tensor.indices)]
        if not steps:
            place = statement.text.find(f"{other}[", statement.text.find("="))
            told = "needs itself" if other == name else "is defined later, or in a circle with it"
            wanted = f"tensors defined above, or an earlier step such as {other}[n,t-1,i]"
            message = f"{name} refers to {other}, which {told}"
            raise statement.error(max(place, 0), message, wanted)
        so_far.recurrent[steps[0]] = None


def _earlier(index: Expr, symbol: Symbol) -> bool:
    """Whether an index is `symbol - 1`, `symbol - 2` and so on."""
    shift = index - symbol
    return bool(shift.is_Integer and shift < 0)
