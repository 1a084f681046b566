"""The first two sections: the layers with their shapes, and what the equations take for granted.

In: a `View`. Out: sections. A convention is told only where some equation makes use of it. Must not
know: words, letters.
"""

from collections.abc import Iterator
from functools import cached_property

from sympy import Add, Expr, Indexed, Mul, Sum, Symbol

from bpderive.document.blocks import (
    Block,
    Cell,
    Items,
    Listed,
    Paragraph,
    Section,
    Table,
    Words,
)
from bpderive.document.layered.figures import figures
from bpderive.document.layered.naming import called, setting, written
from bpderive.document.layered.view import View, shown
from bpderive.document.mathematics import Formula, Plain, Shape
from bpderive.document.request import Request
from bpderive.document.runs import numbered
from bpderive.equations import SAMPLES
from bpderive.functions.conditions import bracket, first_largest, fixed, merged
from bpderive.index import Equation, indices_of, letter_of, parts_of, rename
from bpderive.modules.model import Declared
from bpderive.stack.model import Place

NOTHING = Plain("–")
RECURRENT = "direct_"
"""How the label of a direct derivative begins."""


def overview(view: View, request: Request) -> Section:
    """Section 1: every layer with what comes out of it, its parameters, and what else is given."""
    drawn = figures(view.derivation) if request.figures else ()
    rows = tuple(_layer(view, place) for place in view.stack.places)
    own = tuple(_parameter(view, place, tensor) for place, tensor in view.parameters())
    table = Table(("parameter", "layer", "shape", "count"), own)
    return Section(
        "overview",
        (
            Paragraph(_counted(view)),
            Table(("layer", "kind", "written", "output", "parameters"), rows),
            *((Paragraph(Words("layered.parameters")), table) if own else ()),
            *_data(view),
            *drawn,
        ),
    )


def _counted(view: View) -> Words:
    """How many layers and parameters there are, and what comes in."""
    stack = view.stack
    slots: dict[str, Cell] = {
        "depth": Plain(str(stack.depth)),
        "input": Formula(Symbol(stack.input.label)),
        "shape": Shape(stack.input.sizes),
        "parameters": Formula(total(view)),
    }
    return Words("layered.tokens" if stack.tokens else "layered.network", slots)


def total(view: View) -> Expr:
    """How many numbers the parameters are."""
    return Add(*(Mul(*view.sizes(place, tensor)) for place, tensor in view.parameters()))


def _layer(view: View, place: Place) -> tuple[Cell, ...]:
    """A layer, the shape of what comes out, and how many numbers its parameters are."""
    own = [view.sizes(place, tensor) for tensor in place.module.of_role("parameter")]
    count: Cell = Formula(Add(*(Mul(*sizes) for sizes in own))) if own else NOTHING
    if place.tied is not None:
        count = Words("layered.those", {"layer": numbered(place.tied)})
    kind, text = called(place, view.stack), Plain(written(place))
    return (numbered(place.number), kind, text, Shape(place.output.sizes), count)


def _parameter(view: View, place: Place, tensor: Declared) -> tuple[Cell, ...]:
    sizes = view.sizes(place, tensor)
    name = shown(tensor, place, view.label(place, tensor.name))
    return (name, numbered(place.number), Shape(sizes), Formula(Mul(*sizes)))


def _data(view: View) -> Iterator[Block]:
    """What is given beside the input: masks, statistics."""
    for place in view.stack.places:
        for tensor in place.module.of_role("data"):
            name = view.label(place, tensor.name)
            if name != view.stack.input.label:
                slots: dict[str, Cell] = {
                    "tensor": shown(tensor, place, name),
                    "shape": Shape(view.sizes(place, tensor)),
                    "layer": numbered(place.number),
                }
                yield Paragraph(Words("layered.data", slots))


# --- Conventions ---


def conventions(view: View, _request: Request) -> Section:
    """Section 2: over what the indices run, and what the equations take for granted."""
    used = _Used(view)
    rows = tuple(_ranges(view, place) for place in view.stack.places)
    found = tuple(used.words())
    return Section(
        "conventions",
        (
            Paragraph(_samples(view)),
            *((Items(found),) if found else ()),
            Paragraph(Words("layered.ranges")),
            Table(("layer", "indices"), tuple(row for row in rows if row)),
        ),
    )


def _samples(view: View) -> Words:
    """Whether it is written for one sample, and how the loss of a batch comes from its samples."""
    stack, mean = view.stack, view.stack.spec.reduction == "mean"
    kind = "batch" if stack.samples else "single"
    slots: dict[str, Cell] = {}
    if stack.samples:
        index = Formula(Symbol("_1n", integer=True), (Symbol("_1n", integer=True),))
        slots = {"n": index, "count": Formula(SAMPLES), "total": Formula(Symbol("S"))}
        slots["loss"] = Formula(Symbol("L"))
    return Words(f"layered.{kind}_{'mean' if mean else 'sum'}", slots)


def _ranges(view: View, place: Place) -> tuple[Cell, ...]:
    """`o = 1, …, 4`: every letter of a layer's equations."""
    seen: dict[str, Expr] = {}
    for equation in place.module.equations:
        known = dict(zip(equation.indices, equation.sizes, strict=True))
        sums = sorted(equation.rhs.atoms(Sum), key=str)
        known |= {limit[0]: limit[2] for one in sums for limit in reversed(one.limits)}
        for index, size in known.items():
            seen.setdefault(letter_of(index), _sized(size, view, place))
    cells = tuple(_range(letter, size) for letter, size in seen.items() if letter != "")
    return (numbered(place.number), Listed(cells)) if cells else ()


def _sized(size: Expr, view: View, place: Place) -> Expr:
    return rename(size, view.names(place))


def _range(letter: str, size: Expr) -> Words:
    index = Symbol(f"_1{letter}", integer=True)
    slots: dict[str, Cell] = {
        "index": Formula(index, (index,)),
        "last": Formula(size),
    }
    return Words("layered.range", slots)


class _Used:
    """Which conventions the equations make use of."""

    def __init__(self, view: View) -> None:
        self.view = view
        derivation = view.derivation
        self.every: tuple[Equation, ...] = (*derivation.forward, *derivation.backward)

    @cached_property
    def tensors(self) -> set[Indexed]:
        """All tensors, with the indices that they have somewhere."""
        return {t for e in self.every for t in e.rhs.atoms(Indexed)}

    @cached_property
    def indices(self) -> set[Expr]:
        """All indices of tensors."""
        own = {i for e in self.every for i in indices_of(e.lhs)}
        return own | {i for t in self.tensors for i in indices_of(t)}

    def has(self, kind: type) -> Expr | None:
        """Some node of a kind."""
        found = sorted((n for e in self.every for n in e.rhs.atoms(kind)), key=str)
        return found[0] if found else None

    def words(self) -> Iterator[Words]:
        """What has to be told."""
        if any(_is_computed(index) for index in self.indices):
            yield Words("layered.outside")
        yield from self._tokens()
        yield from self._merged()
        if self.has(bracket) is not None:
            yield Words("layered.bracket")
        if self.has(first_largest) is not None:
            yield Words("layered.selector")
        if self.has(fixed) is not None:
            yield Words("layered.stop")
        yield from self._target()
        yield from self._derivatives()

    def _target(self) -> Iterator[Words]:
        """What the output is compared with, where a module has a `y` of its own."""
        stack = self.view.stack
        if "y" in setting(stack).tensors:
            labels = {"target": stack.target.label, "output": stack.places[-1].output.label}
            slots = {slot: Formula(Symbol(label)) for slot, label in labels.items()}
            yield Words("layered.target", slots)

    def _tokens(self) -> Iterator[Words]:
        found = [t for t in self.tensors if any(isinstance(i, Indexed) for i in indices_of(t))]
        if found:
            first = min(found, key=str)
            index = next(i for i in indices_of(first) if isinstance(i, Indexed))
            letters = _free(first)
            slots = {
                "row": Formula(first, letters),
                "token": Formula(index, letters, within=first),
            }
            yield Words("layered.lookup", slots)

    def _merged(self) -> Iterator[Words]:
        found = sorted((i for i in self.indices if isinstance(i, merged)), key=str)
        if found:
            index = found[0]
            yield Words("layered.merged", {"indices": Formula(index, parts_of(index))})

    def _derivatives(self) -> Iterator[Words]:
        """What δ with a mark means, and, of recurrent layers, δ with a tilde."""
        labels = [e.label for e in self.view.derivation.backward]
        named = [name for name in labels if name.startswith("delta_")]
        slots = {"loss": Formula(Symbol(self.view.stack.root))}
        if named:
            of = named[0].removeprefix("delta_")
            pair = {"delta": Formula(Symbol(named[0])), "of": Formula(Symbol(of))}
            yield Words("layered.delta", {**slots, **pair})
        if any(name.startswith("delta") and not name.startswith("delta_") for name in labels):
            of = next(n for n in labels if n.startswith("delta") and not n.startswith("delta_"))
            pair = {"delta": Formula(Symbol(of)), "of": Formula(Symbol(of.replace("delta", "z")))}
            yield Words("layered.delta_z", {**slots, **pair})
        direct = [name for name in labels if name.startswith(RECURRENT)]
        if direct:
            own = direct[0].removeprefix(RECURRENT)
            pair = {"direct": Formula(Symbol(direct[0])), "of": Formula(Symbol(own))}
            yield Words("layered.direct", pair)


def _free(tensor: Indexed) -> tuple[Expr, ...]:
    found = sorted(tensor.free_symbols - {tensor.base.label}, key=str)
    return tuple(s for s in found if str(s).startswith("_"))


def _is_computed(index: Expr) -> bool:
    plain = isinstance(index, Symbol | merged | Indexed) or index.is_Integer
    return not plain
