"""Sections 5 and 6: all the gradients, what repeats in them, and how much of it."""

from collections.abc import Iterator
from fractions import Fraction

from sympy import Expr, Symbol

from bpderive.derive import Derivation
from bpderive.document.blocks import (
    Block,
    Cell,
    Equations,
    Listing,
    Paragraph,
    Row,
    Section,
    Table,
    Words,
)
from bpderive.document.forward import is_small, parameters
from bpderive.document.mathematics import Formula, OrderedSum, Plain
from bpderive.document.reasons import chain
from bpderive.document.request import Request
from bpderive.document.runs import Run, in_letters, numbered, row, runs
from bpderive.document.weight import exact, shown
from bpderive.forms.numbering import numbering
from bpderive.forms.paths import path_factors
from bpderive.forms.routes import route_count, routes
from bpderive.forms.scalar import at_indices, delta_form, quantity, symbol_of
from bpderive.forms.sharing import Sharing, layer_sharing, operations
from bpderive.index import Equation, Partial, rename
from bpderive.network import Layer, Network
from bpderive.reference import Reference, parse
from bpderive.weights import in_order

SHALLOW = 8
"""Down to this depth, a path fits on some lines."""

FEW = 4
"""Up to this many paths, a gradient is printed with all of them."""


def references(network: Network, layer: Layer) -> Iterator[Reference]:
    """The parameters of a layer, in reading order."""
    rows, columns = int(layer.width), int(layer.inputs)
    for i in range(1, rows + 1):
        for j in range(1, columns + 1):
            yield Reference("w", layer.index, in_order(network.spec.weights, i, j))
        if network.spec.bias:
            yield Reference("b", layer.index, (i,))


def gradients(derivation: Derivation, request: Request) -> Section:
    """Section 5: every gradient with its paths where they are few, else by its delta."""
    network = derivation.network
    blocks: list[Block] = []
    if is_small(network) and not network.symbolic:
        blocks += _small(derivation)
    else:
        blocks.append(Paragraph(Words("gradients.index")))
        blocks.append(Equations(tuple(index_rows(derivation))))
        if not network.symbolic and not request.all_weights:
            slots = {"parameters": Formula(parameters(network))}
            blocks.append(Paragraph(Words("gradients.elided", slots)))
    if request.all_weights and not is_small(network) and not network.symbolic:
        blocks += _listings(derivation)
    return Section("gradients", tuple(blocks))


def _small(derivation: Derivation) -> Iterator[Block]:
    network = derivation.network
    few = _few(network)
    yield Paragraph(Words("gradients.intro" if few else "gradients.delta"))
    for layer in network.layers:
        rows = [
            _expanded(derivation, at) if few else _by_delta(derivation, at)
            for at in references(network, layer)
        ]
        yield Equations(tuple(rows))


def _few(network: Network) -> bool:
    """Whether every gradient can be printed with all its paths."""
    return network.depth <= SHALLOW and all(
        _count(network, layer) <= FEW for layer in network.layers
    )


def _count(network: Network, layer: Layer) -> Expr:
    return route_count(network, Reference("w", layer.index, (1, 1)))


def _lhs(reference: Reference) -> Formula:
    return Formula(Partial(Symbol("L"), symbol_of(reference)))


def _by_delta(derivation: Derivation, reference: Reference) -> Row:
    return Row(_lhs(reference), Formula(delta_form(derivation, reference)))


def _expanded(derivation: Derivation, reference: Reference) -> Row:
    paths = (
        path_factors(derivation, reference, route)
        for route in routes(derivation.network, reference)
    )
    return Row(_lhs(reference), OrderedSum(tuple(map(shown, paths))))


def index_rows(derivation: Derivation) -> Iterator[Row]:
    """The gradient of every parameter of a layer, in index form."""
    network, numbers = derivation.network, numbering(derivation.network)
    for run in runs(network):
        for letter in "wb":
            derived = derivation.at(run.first).get(letter)
            if derived is not None:
                number = run.number(
                    numbers.backward(letter, run.first), numbers.backward(letter, run.last)
                )
                indices = in_letters(network, letter, derived.result.indices)
                yield row(run.equation(network, derived.result), number, run.words, indices)


def _listings(derivation: Derivation) -> Iterator[Block]:
    """One line for every parameter of every layer."""
    network = derivation.network
    for layer in network.layers:
        yield Paragraph(Words("gradients.listing", {"layer": numbered(layer.index)}))
        for letter in "wb":
            derived = derivation.at(layer.index).get(letter)
            if derived is not None:
                names = network.names(layer.index)
                sizes = tuple(int(rename(size, names)) for size in derived.result.sizes)
                yield Listing(
                    rename(derived.partial, names),
                    rename(derived.result.rhs, names),
                    derived.result.indices,
                    sizes,
                )


def sharing(derivation: Derivation, request: Request) -> Section:
    """Section 6: the recurrence of the deltas, derived; the gradients by it; the figures."""
    network = derivation.network
    blocks: list[Block] = [
        Paragraph(Words("sharing.intro")),
        Equations(tuple(recurrences(derivation))),
        *_numbered(derivation),
        *(_shared(network, request) if request.figures else ()),
        Paragraph(Words("sharing.how")),
        *derivations(derivation),
    ]
    if is_small(network):
        blocks += [
            Paragraph(Words("sharing.written")),
            Equations(tuple(deltas(derivation))),
        ]
        if _few(network):
            rows = [
                _by_delta(derivation, at)
                for layer in network.layers
                for at in references(network, layer)
            ]
            blocks += [Paragraph(Words("sharing.gradients")), Equations(tuple(rows))]
    claims: tuple[Block, ...] = ()
    if request.full:
        from bpderive.document.claims import alike

        claims = tuple(alike(derivation))
    return Section("sharing", (*blocks, *shares(derivation), *claims))


def _shared(network: Network, request: Request) -> Iterator[Block]:
    """The figure of what two weights of one neuron share, one of them the chosen one."""
    from bpderive.document.illustrations import neighbours, shared_block

    pair = neighbours(network, parse(request.weight))
    if pair is not None:
        yield shared_block(network, *pair)


def _numbered(derivation: Derivation) -> Iterator[Block]:
    """The parameters' gradients by number, where section 5 has not given them so."""
    if is_small(derivation.network):
        yield Paragraph(Words("sharing.weights"))
        yield Equations(tuple(index_rows(derivation)))


def recurrences(derivation: Derivation) -> Iterator[Row]:
    """The named derivatives, from the last layer to the first."""
    network, numbers = derivation.network, numbering(derivation.network)
    for run in reversed(runs(network)):
        for letter in "az":
            derived = derivation.at(run.first).get(letter)
            if derived is not None and derived.named:
                number = run.number(
                    numbers.backward(letter, run.first), numbers.backward(letter, run.last)
                )
                yield row(run.equation(network, derived.shown), number, run.words)


def derivations(
    derivation: Derivation, from_layer: int = 1, *, letters: str = "azwb", last: str = "zwb"
) -> Iterator[Block]:
    """The recorded steps of every kind of layer, once, down to a layer.

    `letters` are the tensors whose derivatives are shown, `last` those of the last layer (of
    which section 3 has shown the derivative by the output).
    """
    network = derivation.network
    seen: dict[object, Run] = {}
    for run in reversed(runs(network)):
        if run.last < from_layer:
            continue
        kind = network.kind(run.first)
        if kind in seen:
            slots = {"layer": _name(run), "other": _name(seen[kind])}
            yield Paragraph(Words("sharing.same", slots))
            continue
        seen[kind] = run
        yield Paragraph(Words("sharing.derive", {"layer": _name(run)}))
        for letter, derived in derivation.at(run.first).items():
            if letter in (last if run.last == network.depth else letters):
                yield chain(derived, run, network)


def _name(run: Run) -> Cell:
    return run.words or numbered(run.first)


def deltas(derivation: Derivation, from_layer: int = 1) -> Iterator[Row]:
    """Every delta of every neuron, from the last layer down to a layer."""
    network = derivation.network
    for layer in reversed(network.layers[from_layer - 1 :]):
        names = network.names(layer.index)
        found = derivation.at(layer.index)
        for letter in "az":
            if letter not in found or not found[letter].named:
                continue
            shown = found[letter].shown
            concrete = Equation(rename(shown.lhs, names), rename(shown.rhs, names))
            for neuron in range(1, int(layer.width) + 1):
                lhs = quantity(concrete.label, (neuron,))
                yield Row(Formula(lhs), Formula(at_indices(concrete, (neuron,))))


def shares(derivation: Derivation) -> Iterator[Block]:
    """How much is shared, layer by layer, and what the deltas save; each with its definition."""
    network = derivation.network
    shares = tuple(_shares(derivation))
    if shares:
        yield Paragraph(Words("sharing.share"))
        yield Table(("layer", "shared", "as_one"), shares)
    done = operations(derivation)
    counts = {"paths": exact(done.paths), "deltas": exact(done.deltas)}
    if network.symbolic:
        yield Paragraph(Words("sharing.symbolic", counts))
    else:
        yield Paragraph(Words("sharing.operations", {**counts, "saved": percent(done.saved)}))


def _shares(derivation: Derivation) -> Iterator[tuple[Cell, ...]]:
    network = derivation.network
    for run in runs(network):
        if run.general or network.layer(run.first).inputs == 1:
            continue
        cells = [layer_sharing(derivation, run.first, slopes=way) for way in ("factors", "one")]
        yield (numbered(run.first), *(_share(cell) for cell in cells))


def _share(found: Sharing) -> Words:
    slots = {"shared": exact(found.shared), "total": exact(found.total)}
    if isinstance(found.ratio, Expr) and not found.ratio.is_number:
        return Words("sharing.cell_symbolic", slots)
    return Words("sharing.cell", {**slots, "percent": percent(found.ratio)})


def percent(ratio: Fraction | Expr) -> Plain:
    """A ratio in percent, to one decimal unless it is whole."""
    tenths = round(Fraction(ratio) * 1000)
    if tenths == 1000 and ratio != 1:
        return Plain("> 99.9%")
    return Plain(f"{tenths // 10}%" if tenths % 10 == 0 else f"{tenths / 10}%")
