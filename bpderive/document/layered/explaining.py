"""The steps that lead to one derivative: its own, and those of every derivative that it uses.

In: a `View` and a label. Out: blocks, from the loss to the derivative asked for. Must not know:
words, letters.
"""

from collections.abc import Iterator

from sympy import Indexed, Symbol

from bpderive.document.blocks import Block, Equations, Heading, Words
from bpderive.document.layered.naming import heading
from bpderive.document.layered.passes import derivations
from bpderive.document.layered.view import View
from bpderive.index import label_of
from bpderive.modules.labels import delta
from bpderive.stack.model import Place

Found = dict[int, list[str]]
"""By the number of a layer, the names of the tensors by which it was derived."""


def steps(view: View, derivative: str) -> Iterator[Block]:
    """The chains, layer by layer from the loss to that of the derivative."""
    wanted = _needed(view, derivative)
    for place in reversed(view.stack.places):
        names = [
            name
            for name in view.derivation.derived(place.number)
            if name in wanted.get(place.number, ())
        ]
        if names:
            yield Heading(heading(place, view.stack))
            yield from derivations(view, place, tuple(names))
    yield Heading(Words("layered.answer"))
    yield Equations((view.row(view.equations[derivative]),))


def _needed(view: View, derivative: str) -> Found:
    """Which derivatives of which layers stand in an equation, in those that it uses, and so on."""
    found: Found = {}
    waiting, seen = [derivative], set[str]()
    while waiting:
        name = waiting.pop()
        equation = view.equations.get(name)
        if equation is None or name in seen:
            continue
        seen.add(name)
        waiting += sorted({label_of(t) for t in equation.rhs.atoms(Indexed, Symbol)})
        for place, tensor in _sources(view, name):
            found.setdefault(place.number, []).append(tensor)
            _add_unnamed(view, place, found)
    return found


def _add_unnamed(view: View, place: Place, found: Found) -> None:
    """Derivatives without a name are put in where they are used: those of one layer go together."""
    for name, derived in view.derivation.derived(place.number).items():
        role = place.module.by_name[name].role
        if role == "defined" and not derived.named and name not in found[place.number]:
            found[place.number].append(name)


def _sources(view: View, name: str) -> Iterator[tuple[Place, str]]:
    """The layers, and their tensors, by which the derivative of a label was derived."""
    for place in view.stack.places:
        for tensor in view.derivation.derived(place.number):
            role = place.module.by_name[tensor].role
            if role == "input":
                own = view.sent(place.source_of(tensor))
            elif role == "parameter":
                own = f"d{view.label(place, tensor)}"
            else:
                own = str(place.names[delta(tensor)])
            if own == name:
                yield place, tensor
