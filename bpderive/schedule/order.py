"""Equations in an order in which they can be computed, those that need each other in loops.

In: equations. Out: lines and loops. Must not know: what the equations are about.
"""

from collections.abc import Iterator, Sequence

from sympy import Expr, Indexed, Integer, Symbol

from bpderive.errors import DerivationError
from bpderive.index import Equation, indices_of, label_of, letter_of
from bpderive.schedule.model import Line, Loop


def ordered(lines: Sequence[Line]) -> Iterator[Line | Loop]:
    """The lines in an order of computation; a circle over an earlier or later step is a loop.

    Raises:
        DerivationError: a circle that no order of steps resolves.
    """
    by_label = {line.equation.label: line for line in lines}
    for group in _groups(lines, by_label):
        first = group[0]
        if len(group) == 1 and first.equation.label not in _needs(first.equation):
            yield first
        else:
            yield _loop(group)


def _needs(equation: Equation) -> dict[str, None]:
    found = sorted(equation.rhs.atoms(Indexed, Symbol), key=str)
    return dict.fromkeys(label_of(tensor) for tensor in found)


def _groups(lines: Sequence[Line], by_label: dict[str, Line]) -> Iterator[list[Line]]:
    """Tarjan's strongly connected components: what needs each other, after all that it needs."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[Line]] = []

    def visit(label: str) -> None:
        number[label] = low[label] = len(number)
        stack.append(label)
        for other in _needs(by_label[label].equation):
            if other in by_label and other not in number:
                visit(other)
                low[label] = min(low[label], low[other])
            elif other in stack:
                low[label] = min(low[label], number[other])
        if low[label] == number[label]:
            group: list[str] = []
            while not group or group[-1] != label:
                group.append(stack.pop())
            place = {line.equation.label: k for k, line in enumerate(lines)}
            found.append([by_label[one] for one in sorted(group, key=place.__getitem__)])

    for line in lines:
        if line.equation.label not in number:
            visit(line.equation.label)
    yield from found


def _loop(group: list[Line]) -> Loop:
    labels = {line.equation.label for line in group}
    axis, upward = _direction(group, labels)
    lines = tuple(_sorted(group, labels))
    places = [_place(line.equation, axis) for line in lines]
    indices = tuple(line.equation.indices[k] for line, k in zip(lines, places, strict=True))
    return Loop(axis, lines[0].equation.sizes[places[0]], upward, lines, indices)


def _place(equation: Equation, axis: str) -> int:
    letters = [letter_of(index) for index in equation.indices]
    return letters.index(axis)


def _shifts(line: Line, labels: set[str]) -> Iterator[tuple[Symbol, Expr]]:
    """The free indices by which a line looks at another step, and by how much."""
    for tensor in line.equation.rhs.atoms(Indexed):
        if label_of(tensor) in labels:
            for index in indices_of(tensor):
                for own in line.equation.indices:
                    shift = index - own
                    if shift.is_Integer and shift != 0:
                        yield own, shift


def _direction(group: list[Line], labels: set[str]) -> tuple[str, bool]:
    found = {
        (letter_of(own), bool(shift < 0)) for line in group for own, shift in _shifts(line, labels)
    }
    if len(found) != 1:
        names = ", ".join(sorted(labels))
        raise DerivationError(f"no order of computation for {names}, which need each other")
    return found.pop()


def _sorted(group: list[Line], labels: set[str]) -> list[Line]:
    """Within one step: what a line needs at the same step stands before it."""
    done: set[str] = set()
    waiting = list(group)
    found: list[Line] = []
    while waiting:
        ready = next((w for w in waiting if _same_step(w, labels) <= done), None)
        if ready is None:
            raise DerivationError(f"no order within a step for {', '.join(sorted(labels))}")
        waiting.remove(ready)
        found.append(ready)
        done.add(ready.equation.label)
    return found


def _same_step(line: Line, labels: set[str]) -> set[str]:
    """The labels of the loop that a line reads at its own step."""
    found = set()
    for tensor in line.equation.rhs.atoms(Indexed):
        label = label_of(tensor)
        if label in labels and not any(
            (index - own) not in (0, Integer(0)) and (index - own).is_Integer
            for index in indices_of(tensor)
            for own in line.equation.indices
        ):
            found.add(label)
    return found
