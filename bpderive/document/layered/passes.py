"""The forward pass layer by layer, and the backward pass by kinds of layers.

In: a `View`. Out: sections. The first layer of a kind, from the loss on, has every step with its
reason; another of the same kind has its results. Must not know: words, letters.
"""

from collections.abc import Iterator

from bpderive.backprop.kinds import Kind
from bpderive.derive import Derived
from bpderive.document.blocks import Block, Cell, Equations, Heading, Paragraph, Row, Section, Words
from bpderive.document.layered.naming import heading, listed
from bpderive.document.layered.remarks import after, before
from bpderive.document.layered.steps import chain, free, part, signature
from bpderive.document.layered.view import View
from bpderive.document.mathematics import Formula, Named, Plain
from bpderive.document.request import Request
from bpderive.document.runs import numbered
from bpderive.equations import mean_equation
from bpderive.index import Names, Partial, rename
from bpderive.stack.model import Place


def forward(view: View, _request: Request) -> Section:
    """Section 3: the equations of every layer, then the loss."""
    blocks: list[Block] = [Paragraph(Words("layered.forward"))]
    for place in view.stack.places:
        names = view.names(place)
        rows = tuple(view.row(e.renamed(names)) for e in place.module.equations)
        blocks += [Heading(heading(place, view.stack)), Equations(rows)]
    blocks += [Heading(_loss(view)), Equations(tuple(loss_rows(view)))]
    return Section("forward", tuple(blocks))


def _loss(view: View) -> Words:
    row = view.stack.loss
    if row.given:
        return Words("layered.loss_formula", {"formula": Plain(row.formula)})
    return Words("layered.loss", {"name": Named(row.name)})


def loss_rows(view: View) -> Iterator[Row]:
    """The loss; of a batch, also how it comes from the sum over the samples."""
    yield view.row(view.derivation.loss)
    if view.stack.samples:
        mean = mean_equation(view.stack.spec.reduction)
        yield Row(Formula(mean.lhs), Formula(mean.rhs))


def backward(view: View, _request: Request) -> Section:
    """Section 4: from the loss to the input."""
    blocks: list[Block] = [Paragraph(Words("layered.backward"))]
    seen: dict[Kind, int] = {}
    for place in reversed(view.stack.places):
        blocks.append(Heading(heading(place, view.stack)))
        blocks += _layer(view, place, seen)
    if len(view.consumers.get(0, ())) > 1 and view.stack.sent in view.equations:
        blocks += [Heading(Words("layered.input")), *_added(view, 0)]
    return Section("backward", tuple(blocks))


def _layer(view: View, place: Place, seen: dict[Kind, int]) -> Iterator[Block]:
    """What comes in from above, the steps, what is remarkable, and the results with numbers."""
    if len(view.consumers.get(place.number, ())) > 1:
        yield from _added(view, place.number)
    kind = view.derivation.kind(place.number)
    if kind in seen:
        slots = {"layer": numbered(place.number), "other": numbered(seen[kind])}
        yield Paragraph(Words("sharing.same", slots))
    else:
        seen[kind] = place.number
        yield from before(view, place)
        yield from derivations(view, place, tuple(view.derivation.derived(place.number)))
    rows = tuple(_results(view, place))
    if rows:
        yield Paragraph(Words("layered.results"))
        yield Equations(rows)
    if seen[kind] == place.number:
        yield from after(view, place)
    yield from _shared(view, place)


def _added(view: View, source: int) -> Iterator[Block]:
    """What several layers send back to one adds up."""
    several = view.consumers[source]
    slots = {"layers": listed(several)}
    if source:
        yield Paragraph(Words("layered.several", {**slots, "layer": numbered(source)}))
    else:
        yield Paragraph(Words("layered.several_input", slots))
    yield Equations((view.row(view.equations[view.sent(source)]),))


def derivations(view: View, place: Place, wanted: tuple[str, ...]) -> Iterator[Block]:
    """Derivatives of a layer; those found in the same way as one before, by their result."""
    names = view.names(place)
    seen: dict[str, Derived] = {}
    alike: list[Derived] = []
    for name in wanted:
        derived = view.derivation.derived(place.number)[name]
        role = place.module.by_name[name].role
        mark = f"{role} {signature(derived)}"
        model = derived if _is_part(view, place, name) else seen.setdefault(mark, derived)
        if model is not derived:
            if alike and alike[0] is not model:
                yield from _likewise(alike, names)
                alike = []
            alike = [*(alike or [model]), derived]
            continue
        yield from _likewise(alike, names)
        alike = []
        yield from _derived(view, place, name)
    yield from _likewise(alike, names)


def _is_part(view: View, place: Place, name: str) -> bool:
    """Whether several layers send something back to a tensor, and this is one of them."""
    if place.module.by_name[name].role != "input":
        return False
    return len(view.consumers[place.source_of(name)]) > 1


def _derived(view: View, place: Place, name: str) -> Iterator[Block]:
    """One derivative, step by step."""
    names, derived = view.names(place), view.derivation.derived(place.number)[name]
    if _is_part(view, place, name):
        by = Formula(rename(derived.partial.denominator, names), free(derived))
        slots: dict[str, Cell] = {"tensor": by, "layer": numbered(place.number)}
        yield Paragraph(Words("layered.through", slots))
        yield part(derived, names)
        return
    own = not isinstance(derived.result.lhs, Partial)
    yield chain(derived, names, named=own and place.module.by_name[name].role == "defined")


def _likewise(alike: list[Derived], names: Names) -> Iterator[Block]:
    """Derivatives that were found as the first of them was, by their results."""
    if alike:
        model, *others = alike
        of = Formula(rename(model.partial, names), free(model))
        yield Paragraph(Words("layered.likewise", {"of": of}))
        yield Equations(tuple(_found(derived, names) for derived in others))


def _found(derived: Derived, names: Names) -> Row:
    """A derivative and what it is."""
    indices = free(derived)
    lhs, rhs = rename(derived.partial, names), rename(derived.result.rhs, names)
    return Row(Formula(lhs, indices), Formula(rhs, indices))


def _results(view: View, place: Place) -> Iterator[Row]:
    """The numbered equations of a layer, and what it sends back where it alone does."""
    outer = view.outer(place.number)
    for number, equation in view.derivation.numbered:
        if number == place.number and equation.label != outer:
            yield view.row(equation)
    for source in dict.fromkeys(place.sources):
        sent = view.equations.get(view.sent(source))
        if view.consumers[source] == (place.number,) and sent is not None:
            yield view.row(sent)


def _shared(view: View, place: Place) -> Iterator[Block]:
    """Parameters that several layers use: their gradients add up, at the first of them."""
    users = [p.number for p in view.stack.places if (p.tied or p.number) == place.number]
    if place.tied is not None:
        yield Paragraph(Words("layered.tied", {"layer": numbered(place.tied)}))
    elif len(users) > 1:
        yield Paragraph(Words("layered.tied_sum", {"layers": listed(tuple(users))}))
