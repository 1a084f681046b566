"""What a layer is called, and what the letters of a notation depend on in such a network.

In: a `Place`, a `Stack`. Out: words by id, a `Setting`. Must not know: languages, formats.
"""

from collections.abc import Iterator

from bpderive.document.blocks import Cell, Listed, Words
from bpderive.document.mathematics import Plain
from bpderive.document.runs import numbered
from bpderive.modules.rows import ROWS
from bpderive.notation import Setting
from bpderive.stack.model import Place, Stack

COPY = "copy"
"""The row of a layer that only hands its input on; `ROWS` has those that one can ask for."""


def called(place: Place, stack: Stack) -> Cell:
    """A layer's name: that of its row, or the title of a user's file."""
    row = "activation" if place.row in stack.activations else place.row
    if row in ROWS or row == COPY:
        return Words(f"layer.{row}")
    return Plain(place.module.title or written(place))


def written(place: Place) -> str:
    """How the layer was asked for."""
    return bare(place.text)


def bare(text: str) -> str:
    """An item of a list of layers; of a file, its name without the folders."""
    head, bracket, rest = text.partition("(")
    return (head.rsplit("/", 1)[-1] if ".eq" in head else head) + bracket + rest


def heading(place: Place, stack: Stack) -> Words:
    """`Layer 3: max pooling, maxpool(2)`."""
    slots = {"number": numbered(place.number), "name": called(place, stack)}
    if written(place) in {place.row, place.module.title}:
        return Words("layered.plain_heading", slots)
    return Words("layered.heading", {**slots, "written": Plain(written(place))})


def listed(numbers: tuple[int, ...]) -> Cell:
    """The numbers of layers."""
    return Listed(tuple(numbered(number) for number in numbers))


def setting(stack: Stack) -> Setting:
    """What the letters of a notation depend on."""
    own = [name for name, row in stack.activations.items() if row.elementwise]
    sizes = {str(s) for p in stack.places for v in p.names.values() for s in _symbols(v)}
    return Setting(
        sizes=frozenset(sizes - {"N"}),
        depth=stack.depth,
        activation=own[0] if len(own) == 1 else "",
        tensors=tuple(dict.fromkeys(_tensors(stack))),
        parameters=frozenset(
            t.name for place in stack.places for t in place.module.of_role("parameter")
        ),
        arrays=frozenset(t.name for p in stack.places for t in p.module.tensors if t.axes),
        alone=stack.alone,
        root=stack.root,
    )


def _symbols(value: object) -> Iterator[object]:
    yield from () if isinstance(value, str) else getattr(value, "free_symbols", ())


def _tensors(stack: Stack) -> Iterator[str]:
    """The names of all tensors and numbers; an input is called as what comes in."""
    for place in stack.places:
        for tensor in place.module.tensors:
            if stack.alone or tensor.role != "input":
                yield tensor.name
        yield from place.module.numbers
    yield stack.input.label
