"""A computation made ready for printing: what is not needed left out, the input's gradient kept.

In: a `Computation`. Out: another. Must not know: NumPy.
"""

from collections.abc import Iterable
from dataclasses import replace

from sympy import Indexed, Symbol

from bpderive.functions.conditions import fixed
from bpderive.index import label_of
from bpderive.schedule.model import Computation, Line, Loop
from bpderive.targets.arrays.fusing import Fusing


def with_inputs(computation: Computation) -> Computation:
    """The computation with the gradient of its own input among the results, where it is there."""
    lines = (i.lines if isinstance(i, Loop) else (i,) for i in computation.backward)
    labels = {line.equation.label for found in lines for line in found}
    known = {label for label, _ in computation.gradients}
    more = [
        (given.label, f"delta_{given.label}")
        for given in computation.given
        if given.role == "input" and given.label not in known
    ]
    found = tuple(pair for pair in more if pair[1] in labels)
    return replace(computation, gradients=(*computation.gradients, *found))


def fused(computation: Computation) -> Computation:
    """The computation with indices that are only read as one made one."""
    fusing = Fusing()

    def line(old: Line) -> Line:
        return replace(old, equation=fusing.equation(old.equation))

    def items(old: Iterable[Line | Loop]) -> tuple[Line | Loop, ...]:
        return tuple(item if isinstance(item, Loop) else line(item) for item in old)

    forward, backward = items(computation.forward), items(computation.backward)
    return replace(computation, forward=forward, loss=line(computation.loss), backward=backward)


def checked(lines: Iterable[Line]) -> bool:
    """Whether differences of the loss are its gradient: nothing is taken as constant."""
    return not any(line.equation.rhs.has(fixed) for line in lines)


def needed(computation: Computation) -> tuple[Line | Loop, ...]:
    """The lines of the gradient that a result depends on."""
    wanted = {label for _, label in computation.gradients}
    kept: list[Line | Loop] = []
    for item in reversed(computation.backward):
        lines = item.lines if isinstance(item, Loop) else (item,)
        if wanted & {line.equation.label for line in lines}:
            kept.insert(0, item)
            wanted |= {
                label_of(t) for line in lines for t in line.equation.rhs.atoms(Indexed, Symbol)
            }
    return tuple(kept)
