"""What is said, in what order: a derivation as a `Document`.

In: a `Derivation`. Out: a `Document` of sections and blocks, in the order of the article that the
project follows. Must not know: letters, words, formats.
"""

from collections.abc import Iterator

from sympy import Expr, Symbol

from bpderive.catalog import Activation, Loss
from bpderive.derive import Derivation
from bpderive.document.blocks import (
    Block,
    Document,
    Equations,
    Formula,
    Paragraph,
    Plain,
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
    figures,
    gradients,
    index_rows,
    recurrences,
    sharing,
)
from bpderive.document.matrices import descent, matrix
from bpderive.document.operations import operations
from bpderive.document.proof import screen, self_test
from bpderive.document.proof import section as proof_section
from bpderive.document.reasons import chain
from bpderive.document.runs import Run, row
from bpderive.document.weight import one_weight
from bpderive.errors import UnsupportedError
from bpderive.forms.chosen import chosen
from bpderive.forms.scalar import delta_form, symbol_of
from bpderive.index import Partial
from bpderive.network import Network
from bpderive.proof import Proof
from bpderive.reference import Reference

__all__ = ["build", "explain", "headline", "self_test", "summary", "verification"]

LISTED = 1_000_000
"""At most this many gradients are printed one by one."""


def build(
    derivation: Derivation,
    *,
    weight: str | None = None,
    all_weights: bool = False,
    proof: Proof | None = None,
) -> Document:
    """The whole derivation: eight sections, and what a proof of it checked.

    Args:
        derivation: what to write about.
        weight: the reference of the weight that section 4 derives in full; default `w1[1,1]`.
        all_weights: list every gradient, however many there are.
        proof: of this derivation.

    Raises:
        SpecError: `weight` is no reference, or not of this network.
        UnsupportedError: `all_weights` of a network with more than a million of them.
    """
    reference = chosen(derivation, weight or "w1[1,1]")
    if all_weights:
        _check_listing(derivation.network)
    title = Words("title.main", {"layers": Plain(layers(derivation.network))})
    return Document(
        title,
        (
            notation(derivation),
            forward(derivation),
            operations(derivation),
            one_weight(derivation, reference),
            gradients(derivation, all_weights=all_weights),
            sharing(derivation),
            matrix(derivation),
            descent(derivation),
            *((proof_section(proof),) if proof is not None else ()),
        ),
        derivation.network.size_names,
    )


def _check_listing(network: Network) -> None:
    count = parameters(network)
    if count.is_Integer and count > LISTED:
        raise UnsupportedError(
            f"--all-weights would print {count} lines; at most {LISTED} are printed: "
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


def explain(derivation: Derivation, reference: str) -> Document:
    """The steps of one gradient: its paths, the rules applied, and the values put together.

    Raises:
        SpecError: no reference, or not of this network.
    """
    network, at = derivation.network, chosen(derivation, reference)
    partial = Formula(_target(at))
    path = (one_weight(derivation, at),) if at.name in ("w", "b") else ()
    layer = network.depth if at.layer is None else at.layer
    return Document(
        Words("title.explain", {"target": partial}),
        (*path, Section("steps", tuple(_steps(derivation, at, layer)))),
        network.size_names,
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


def summary(derivation: Derivation) -> Document:
    """One screen: the network, the recurrences, the gradients and how much they share."""
    network = derivation.network
    return Document(
        headline(network),
        (
            Section("forward", (Equations(forward_rows(derivation)),)),
            Section("recurrences", (Equations(tuple(recurrences(derivation))),)),
            Section("gradients", (Equations(tuple(index_rows(derivation))),)),
            Section("figures", tuple(figures(derivation))),
        ),
        network.size_names,
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


def verification(derivation: Derivation, proof: Proof) -> Document:
    """One screen: what was checked of a derivation, the digits that came out, the verdict."""
    return screen(proof, headline(derivation.network))
