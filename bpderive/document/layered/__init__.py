"""A network of any layers as a `Document`: what is said of it, in what order.

In: a `StackDerivation`, a `Request`. Out: a `Document`, for one sample, or for a batch where the
derivation is, and saying which. Must not know: letters, words, formats.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import count

from bpderive.backprop import StackDerivation, derive_stack
from bpderive.checks import line
from bpderive.document.blocks import Block, Cell, Document, Equations, Figure, Section, Words
from bpderive.document.layered.explaining import steps
from bpderive.document.layered.gradients import descent, gradients
from bpderive.document.layered.matrices import matrices
from bpderive.document.layered.naming import bare, setting
from bpderive.document.layered.overview import conventions, overview, total
from bpderive.document.layered.passes import backward, forward, loss_rows
from bpderive.document.layered.references import chosen
from bpderive.document.layered.view import View
from bpderive.document.layered.weight import blocks, one_weight, wanted
from bpderive.document.mathematics import Formula, Named, Plain
from bpderive.document.proof import section as proof_section
from bpderive.document.request import DERIVATION, NOTES, Request
from bpderive.errors import Problem, SpecError, UnsupportedError, quoted, suggest
from bpderive.stack import for_one as one_sample
from bpderive.stack.model import Stack

__all__ = ["SECTIONS", "build", "explain", "for_one", "headline", "setting", "summary"]


def _code(_view: View, request: Request) -> Section | None:
    """The lines of the generated code, where a target has made them."""
    if request.code is None:
        return None
    from bpderive.document.code import lines_of

    return lines_of(request.code)


def _flow(view: View, request: Request) -> Section:
    """The gradient problem; a document without it does without its modules."""
    from bpderive.document.layered.flow import flow

    return flow(view, request)


Builder = Callable[[View, Request], Section | None]

SECTIONS: Mapping[str, Builder] = {
    "overview": overview,
    "conventions": conventions,
    "forward": forward,
    "backward": backward,
    "gradients": gradients,
    "matrices": matrices,
    "weight": one_weight,
    "descent": descent,
    "flow": _flow,
    "code": _code,
}
"""Every section by its id, in order; one that has nothing to say of a network is left out."""

USUAL: Mapping[tuple[str, ...], tuple[str, ...]] = {
    DERIVATION: tuple(name for name in SECTIONS if name != "flow"),
    NOTES: tuple(SECTIONS),
}
"""What stands for the sections of a dense network's derivation, and of its notes."""


def for_one(derivation: StackDerivation) -> StackDerivation:
    """The same network for one sample, as a reader meets it first; itself where samples mix."""
    stack = one_sample(derivation.stack)
    return derivation if stack.samples == derivation.stack.samples else derive_stack(stack)


def build(derivation: StackDerivation, request: Request) -> Document:
    """The sections that are asked for; those of a dense network's default mean all of them.

    Raises:
        SpecError: no such section; the weight is no reference, or not of this network.
        UnsupportedError: numbers, a translation or every gradient are asked for.
    """
    _check(request)
    view = View(derivation)
    wanted(view, request.weight)
    names = USUAL.get(request.sections, request.sections)
    built = (SECTIONS[name](view, request) for name in names)
    found = [section for section in built if section is not None]
    if request.cells:
        from bpderive.document.code import with_cells

        found = with_cells(found, request.cells)
    if request.proof is not None:
        found.append(proof_section(request.proof))
    return Document(
        _title(derivation.stack, request),
        tuple(_numbered(found)),
        setting(derivation.stack),
        tuple(Words("title.line", {"text": Plain(one)}) for one in request.by),
    )


def _title(stack: Stack, request: Request) -> Words:
    if request.title is not None:
        return Words("title.given", {"title": Plain(request.title)})
    return Words("title.main", {"layers": Plain(layers(stack))})


def layers(stack: Stack) -> str:
    """The layers as they were asked for, the input first; of files, names without folders."""
    spec = stack.spec
    items = [*([spec.input.text] if spec.input else []), *(item.text for item in spec.items)]
    return ", ".join(bare(text) for text in items)


def _numbered(sections: list[Section]) -> Iterator[Section]:
    """The sections, their figures numbered through."""
    numbers = count(1)
    for section in sections:
        yield replace(section, blocks=tuple(_number(block, numbers) for block in section.blocks))


def _number(block: Block, numbers: Iterator[int]) -> Block:
    return replace(block, number=next(numbers)) if isinstance(block, Figure) else block


REFUSED: tuple[tuple[str, str], ...] = (
    ("example", "numbers are worked out for dense networks only"),
    ("translate", "a translation into another notation is for dense networks only"),
    ("all_weights", "the gradients are not listed one by one: the index form stands for all"),
)
"""What a dense network's document can have, and why this one cannot."""


def _check(request: Request) -> None:
    """Refuse sections that there are not, and what is for dense networks only."""
    if request.sections not in (DERIVATION, NOTES):
        unknown = [name for name in request.sections if name not in SECTIONS]
        problems = [
            Problem(
                f"unknown section {quoted(name)} of such a network{suggest(name, SECTIONS)}",
                accepted=", ".join(SECTIONS),
            )
            for name in unknown
        ]
        twice = sorted({n for n in request.sections if request.sections.count(n) > 1})
        problems += [Problem(f"the section {name} is asked for twice") for name in twice]
        if problems:
            raise SpecError(problems)
    for name, reason in REFUSED:
        if getattr(request, name):
            raise UnsupportedError(reason)
    if request.title is not None:
        line(request.title, "the title")
    for text in request.by:
        line(text, "a line under the title")


def explain(derivation: StackDerivation, reference: str) -> Document:
    """The steps of one gradient: its sum written out, then every rule on the way from the loss.

    Raises:
        SpecError: no reference, or not of this network.
    """
    view = View(derivation)
    element = chosen(view, reference)
    target = Formula(element.partial(derivation.stack.root))
    return Document(
        Words("title.explain", {"target": target}),
        (
            Section("weight", tuple(blocks(view, element))),
            Section("steps", tuple(steps(view, element.derivative))),
        ),
        setting(derivation.stack),
    )


def summary(derivation: StackDerivation) -> Document:
    """One screen: the forward pass, what is sent back, the gradients."""
    view = View(derivation)
    own = {f"d{view.label(place, tensor.name)}" for place, tensor in view.parameters()}
    sent = tuple(view.row(e) for e in derivation.backward if e.label not in own)
    found = tuple(view.row(e) for e in derivation.backward if e.label in own)
    rows = (*map(view.row, derivation.forward[:-1]), *loss_rows(view))
    return Document(
        headline(derivation),
        (
            Section("forward", (Equations(rows),)),
            Section("backward", (Equations(sent),)),
            *((Section("gradients", (Equations(found),)),) if found else ()),
        ),
        setting(derivation.stack),
    )


def headline(derivation: StackDerivation) -> Words:
    """The network in one line."""
    stack = derivation.stack
    loss = Plain(stack.loss.formula) if stack.loss.given else Named(stack.loss.name)
    slots: dict[str, Cell] = {"layers": Plain(layers(stack)), "loss": loss}
    slots["parameters"] = Formula(total(View(derivation)))
    return Words("title.summary_layers", slots)
