"""What is said, in what order: a derivation as a `Document`.

In: a `Derivation`. Out: a `Document` of sections and blocks, in the order of the article that the
project follows. Must not know: letters, words, formats.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from itertools import count
from typing import TYPE_CHECKING

from sympy import Expr, Symbol

from bpderive.catalog import Activation, Loss
from bpderive.checks import line
from bpderive.derive import Derivation
from bpderive.document.blocks import (
    Block,
    Document,
    Equations,
    Figure,
    Paragraph,
    Row,
    Section,
    Words,
)
from bpderive.document.forward import (
    forward,
    forward_rows,
    is_small,
    notation,
    parameters,
)
from bpderive.document.gradients import (
    deltas,
    derivations,
    gradients,
    index_rows,
    recurrences,
    shares,
    sharing,
)
from bpderive.document.mathematics import Formula, Plain
from bpderive.document.matrices import descent, matrix
from bpderive.document.operations import operations
from bpderive.document.proof import screen, self_test
from bpderive.document.proof import section as proof_section
from bpderive.document.reasons import chain
from bpderive.document.request import DERIVATION, FIRST, LEVELS, NOTES, Request
from bpderive.document.runs import Run, row
from bpderive.document.weight import one_weight
from bpderive.errors import Problem, SpecError, UnsupportedError, quoted, suggest
from bpderive.forms.chosen import chosen
from bpderive.forms.scalar import delta_form, symbol_of
from bpderive.index import Partial
from bpderive.network import Network
from bpderive.notation import Setting
from bpderive.proof import Proof
from bpderive.reference import Reference

__all__ = [
    "DERIVATION",
    "FIRST",
    "LEVELS",
    "NOTES",
    "SECTIONS",
    "Request",
    "build",
    "explain",
    "headline",
    "self_test",
    "summary",
    "verification",
]

if TYPE_CHECKING:  # a dense network does without
    from bpderive.backprop import StackDerivation

DEFAULT = Request()
LISTED = 1_000_000
"""At most this many gradients are printed one by one."""


def build(derivation: "Derivation | StackDerivation", request: Request = DEFAULT) -> Document:
    """The sections that are asked for, and what a proof of the derivation checked.

    Raises:
        SpecError: no such section or level; the weight is no reference, or not of this network.
        UnsupportedError: `all_weights` of a network with more than a million of them; of layers of
            any kind, what is for dense networks only.
    """
    if not isinstance(derivation, Derivation):
        from bpderive.document import layered  # a dense network does without

        return layered.build(layered.for_one(derivation), request)
    _check(derivation, request)
    title = Words("title.main", {"layers": Plain(layers(derivation.network))})
    if request.title is not None:
        title = Words("title.given", {"title": Plain(request.title)})
    found = [SECTIONS[name](derivation, request) for name in request.sections]
    if request.cells:
        from bpderive.document.code import with_cells

        found = with_cells(found, request.cells)
    if request.proof is not None:
        found.append(proof_section(request.proof))
    return Document(
        title,
        tuple(_numbered(found)),
        setting(derivation.network),
        tuple(Words("title.line", {"text": Plain(line)}) for line in request.by),
    )


Builder = Callable[[Derivation, Request], Section]


def _later(name: str) -> Builder:
    """The builder of a section that the default command leaves out: imported when it is wanted."""

    def built(derivation: Derivation, request: Request) -> Section:
        module = import_module(f"bpderive.document.{name}")
        builder: Builder = getattr(module, name)
        return builder(derivation, request)

    return built


SECTIONS: Mapping[str, Builder] = {
    "notation": notation,
    "forward": forward,
    "operations": operations,
    "weight": one_weight,
    "gradients": gradients,
    "sharing": sharing,
    "matrix": matrix,
    "descent": descent,
    "example": _later("example"),
    "flow": _later("flow"),
    "code": _later("code"),
}
"""Every section by its id, in the order of the article."""


def _check(derivation: Derivation, request: Request) -> None:
    """Refuse sections, a level and a weight that there are not."""
    problems = [
        Problem(
            f"unknown section {quoted(name)}{suggest(name, SECTIONS)}", accepted=", ".join(SECTIONS)
        )
        for name in request.sections
        if name not in SECTIONS
    ]
    if request.level not in LEVELS:
        problems.append(
            Problem(f"unknown level {quoted(request.level)}", accepted=", ".join(LEVELS))
        )
    twice = [name for name, times in Counter(request.sections).items() if times > 1]
    problems += [Problem(f"the section {name} is asked for twice") for name in twice]
    if problems:
        raise SpecError(problems)
    if request.title is not None:
        line(request.title, "the title")
    for text in request.by:
        line(text, "a line under the title")
    if chosen(derivation, request.weight).name not in ("w", "b"):
        raise SpecError.single(
            f"{quoted(request.weight)} is no weight", accepted="a weight or a bias, such as w1[1,2]"
        )
    if request.all_weights:
        _check_listing(derivation.network)


def _numbered(sections: Iterable[Section]) -> Iterator[Section]:
    """The sections, their figures numbered through."""
    numbers = count(1)
    for section in sections:
        yield replace(section, blocks=tuple(_number(block, numbers) for block in section.blocks))


def _number(block: Block, numbers: Iterator[int]) -> Block:
    return replace(block, number=next(numbers)) if isinstance(block, Figure) else block


def _check_listing(network: Network) -> None:
    listed = parameters(network)
    if listed.is_Integer and listed > LISTED:
        raise UnsupportedError(
            f"--all-weights would print {listed} lines; at most {LISTED} are printed: "
            "do without it, and the index form stands for them all"
        )


def layers(network: Network) -> str:
    """The sizes with dashes between them, runs of equal ones shortened: `2-4×1000-1`."""
    sizes = [network.inputs, *(layer.width for layer in network.layers)]
    runs: list[tuple[str, int]] = []
    for size in map(str, sizes):
        if runs and runs[-1][0] == size:
            runs[-1] = (size, runs[-1][1] + 1)
        else:
            runs.append((size, 1))
    shown = ([f"{size}×{count}"] if count > 4 else [size] * count for size, count in runs)
    return "-".join(part for parts in shown for part in parts)


def setting(network: Network) -> Setting:
    """What the letters of a notation depend on."""
    elementwise = [row.name for row in network.activations.values() if row.elementwise]
    own = [name for name in elementwise if name != "linear"]
    return Setting(
        network.size_names,
        network.depth,
        network.stage is not None,
        own[0] if len(own) == 1 else "",
    )


def explain(derivation: "Derivation | StackDerivation", reference: str) -> Document:
    """The steps of one gradient: its paths, the rules applied, and the values put together.

    Raises:
        SpecError: no reference, or not of this network.
    """
    if not isinstance(derivation, Derivation):
        from bpderive.document import layered  # a dense network does without

        return layered.explain(layered.for_one(derivation), reference)
    network, at = derivation.network, chosen(derivation, reference)
    partial = Formula(_target(at))
    path = (one_weight(derivation, Request(weight=reference)),) if at.name in ("w", "b") else ()
    layer = network.depth if at.layer is None else at.layer
    return Document(
        Words("title.explain", {"target": partial}),
        (*path, Section("steps", tuple(_steps(derivation, at, layer)))),
        setting(network),
    )


def _target(at: Reference) -> Expr:
    """What is explained: a delta is a derivative itself."""
    symbol = symbol_of(at)
    return symbol if at.name == "delta" else Partial(Symbol("L"), symbol)


def _steps(derivation: Derivation, at: Reference, layer: int) -> Iterator[Block]:
    """The chain of the gradient itself, then of every delta that it uses, up to the loss."""
    network = derivation.network
    letter = "z" if at.name == "delta" else at.name
    if letter in "wb":
        yield chain(derivation.at(layer)[letter], Run(layer, layer), network)
    yield from derivations(derivation, from_layer=layer, letters="az", last="paz")
    if is_small(network):
        yield Paragraph(Words("sharing.written"))
        rows = tuple(deltas(derivation, from_layer=layer))
        target = Row(Formula(_target(at)), Formula(delta_form(derivation, at)))
        yield Equations(rows if at.name == "delta" else (*rows, target))
    elif letter in "wbz":
        yield Paragraph(Words("sharing.answer"))
        yield Equations((_answer(derivation, at, letter, layer),))


def _answer(derivation: Derivation, at: Reference, letter: str, layer: int) -> Row:
    """The gradient itself: a parameter's at its own indices, a delta's for any neuron."""
    if letter == "z":
        return row(derivation.equation(letter, layer))
    return Row(Formula(_target(at)), Formula(delta_form(derivation, at)))


def _called(row: Activation | Loss) -> str:
    """A row's name, or the formula that a user gave."""
    return row.formula if row.given else row.name


def summary(derivation: "Derivation | StackDerivation") -> Document:
    """One screen: the network, the recurrences, the gradients and how much they share."""
    if not isinstance(derivation, Derivation):
        from bpderive.document import layered  # a dense network does without

        return layered.summary(layered.for_one(derivation))
    network = derivation.network
    return Document(
        headline(network),
        (
            Section("forward", (Equations(forward_rows(derivation)),)),
            Section("recurrences", (Equations(tuple(recurrences(derivation))),)),
            Section("gradients", (Equations(tuple(index_rows(derivation))),)),
            Section("figures", tuple(shares(derivation))),
        ),
        setting(network),
    )


def headline(network: Network) -> Words:
    """The network in one line."""
    return Words(
        "title.summary",
        {
            "layers": Plain(layers(network)),
            "activations": Plain(", ".join(map(_called, network.activations.values()))),
            "loss": Plain(_called(network.loss)),
            "parameters": Formula(parameters(network)),
        },
    )


def verification(derivation: "Derivation | StackDerivation", proof: Proof) -> Document:
    """One screen: what was checked of a derivation, the digits that came out, the verdict."""
    if not isinstance(derivation, Derivation):
        from bpderive.document import layered

        return screen(proof, layered.headline(derivation))
    return screen(proof, headline(derivation.network))
