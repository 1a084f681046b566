"""Sections 1 and 2: the notation and the forward pass."""

from collections.abc import Iterator

from sympy import Expr, Function, Integer, KroneckerDelta, Symbol

from bpderive.catalog import Activation
from bpderive.derive import Derivation
from bpderive.document.blocks import Block, Equations, Number, Paragraph, Row, Section, Table, Words
from bpderive.document.mathematics import Formula, Plain, Shape
from bpderive.document.request import Request
from bpderive.document.runs import Run, numbered, row, runs
from bpderive.document.translation import book, conventions, translation
from bpderive.equations import SAMPLES
from bpderive.forms.numbering import numbering
from bpderive.forms.scalar import quantity, unroll
from bpderive.functions import scalar_symbol
from bpderive.index import Equation, element
from bpderive.network import Network
from bpderive.weights import in_order

SMALL = 120
"""Up to this many parameters, every neuron and every weight gets a line."""


def parameters(network: Network) -> Expr:
    """How many weights and biases the network has."""
    bias = int(network.spec.bias)
    return sum((la.width * (la.inputs + bias) for la in network.layers), Integer(0))


def is_small(network: Network) -> bool:
    """Whether everything can be written out."""
    return not network.symbolic and bool(parameters(network) <= SMALL)


def notation(derivation: Derivation, request: Request) -> Section:
    """Section 1: the layers, and every symbol with its shape."""
    network, other = derivation.network, request.translate
    symbols = _symbols(network)
    return Section(
        "notation",
        (
            Paragraph(
                Words(
                    "notation.network",
                    {
                        "depth": Plain(str(network.depth)),
                        "counted": numbered(network.depth),
                        "input": numbered(0),
                        "inputs": Formula(network.inputs),
                        "outputs": Formula(network.outputs),
                        "parameters": Formula(parameters(network)),
                    },
                )
            ),
            *(_figure(network) if request.figures else ()),
            _layers(network),
            Paragraph(
                Words(
                    "notation.weight",
                    {
                        "mark": Words("notation.mark"),
                        "order": Words(f"notation.{network.spec.weights}"),
                    },
                )
            ),
            *conventions(network, always=request.full or request.conventions),
            symbols,
            *(_translated(derivation, other, symbols) if other is not None else ()),
        ),
    )


def _figure(network: Network) -> Iterator[Block]:
    from bpderive.document.illustrations import network_block  # most documents have no figures

    yield network_block(network)


def _translated(derivation: Derivation, other: str, symbols: Table) -> tuple[Block, ...]:
    """The table that translates to another notation; a symbol stands in both tables' rows."""
    there = book(derivation.network, other)
    both = zip(symbols.rows, _symbols(there.network).rows, strict=True)
    return translation(derivation, there, both)


def _layers(network: Network) -> Table:
    rows = []
    for run in runs(network):
        layer = network.layer(run.first)
        at = run.words or numbered(run.first)
        function = (
            Words("activation.linear")
            if layer.activation.name == "linear"
            else Formula(applied(layer.activation))
        )
        shape = Shape(in_order(network.spec.weights, layer.width, layer.inputs))
        rows.append((at, Formula(layer.width), function, Plain(layer.activation.name), shape))
    return Table(("layer", "neurons", "activation", "name", "weights"), tuple(rows))


def applied(row: Activation) -> Expr:
    """The activation at z, by its name."""
    return Function(row.name)(scalar_symbol("z"))


def _symbols(network: Network) -> Table:
    """Every symbol, its shape for one sample and for a batch, and what it is."""
    size, below = Symbol("n{l}"), Symbol("n{l-1}")
    i, j = Symbol("_i"), Symbol("_j")
    order = network.spec.weights
    weights = in_order(order, size, below)
    vector, top = ((size,), (SAMPLES, size)), Symbol(f"n{network.depth}")
    rows: list[tuple[str, Expr, tuple[Expr, ...], tuple[Expr, ...]]] = [
        ("x", element("x", (j,)), (Symbol("n0"),), (SAMPLES, Symbol("n0"))),
        ("w", element("w{l}", in_order(order, i, j)), weights, weights),
        *([("b", element("b{l}", (i,)), (size,), (size,))] if network.spec.bias else []),
        ("z", element("z{l}", (i,)), *vector),
        ("a", element("a{l}", (i,)), *vector),
        *([("p", element("p", (i,)), (top,), (SAMPLES, top))] if network.stage else []),
        ("y", element("y", (i,)), (top,), (SAMPLES, top)),
        ("L", Symbol("L"), (), ()),
        ("n", Symbol("n{l}"), (), ()),
        ("N", SAMPLES, (), ()),
        *([("g", element("g{l}", (i,)), *vector)] if numbering(network).named_adjoints else []),
        ("delta", element("delta{l}", (i,)), *vector),
        ("kronecker", KroneckerDelta(i, j), (), ()),
        ("eta", Symbol("eta"), (), ()),
    ]
    cells = []
    for name, expr, one, batch in rows:
        flip = network.spec.orientation == "columns" and name not in ("w", "b")
        cells.append(
            (
                Formula(expr, (i, j)),
                Shape(one),
                Shape(batch[::-1] if flip else batch),
                Words(f"symbol.{name}", {"i": Formula(i, (i, j)), "j": Formula(j, (i, j))}),
            )
        )
    return Table(("symbol", "one", "batch", "meaning"), tuple(cells))


def forward(derivation: Derivation, _request: Request) -> Section:
    """Section 2: every layer's equations, in index form and neuron by neuron."""
    network = derivation.network
    blocks: list[Block] = [
        Paragraph(Words("forward.index")),
        Equations(forward_rows(derivation)),
    ]
    if is_small(network):
        blocks += [Paragraph(Words("forward.scalar")), *_neurons(network)]
    elif network.symbolic:
        blocks.append(Paragraph(Words("forward.symbolic")))
    else:
        blocks.append(Paragraph(Words("forward.elided", {"limit": Plain(str(SMALL))})))
    return Section("forward", tuple(blocks))


def forward_rows(derivation: Derivation) -> tuple[Row, ...]:
    """The forward equations in index form, the loss last."""
    network, numbers = derivation.network, numbering(derivation.network)
    rows = [
        row(
            run.equation(network, _forward_equation(network, letter, run.first)),
            run.number(numbers.forward(letter, run.first), numbers.forward(letter, run.last)),
            run.words,
        )
        for run in runs(network)
        for letter in "za"
    ]
    graph = network.graph(network.kind(network.depth))
    top = Run(network.depth, network.depth)
    if network.stage is not None:
        rows.append(row(top.equation(network, graph.by_label["p"]), Number(numbers.stage)))
    return (*rows, row(top.equation(network, graph.by_label["L"]), Number(numbers.loss)))


def _forward_equation(network: Network, letter: str, layer: int) -> Equation:
    return network.graph(network.kind(layer)).by_label[f"{letter}{{l}}"]


def _neurons(network: Network) -> Iterator[Block]:
    """Each layer's z and a, neuron by neuron."""
    for layer in network.layers:
        run = Run(layer.index, layer.index)
        rows = []
        for neuron in range(1, int(layer.width) + 1):
            for letter in "za":
                equation = run.equation(network, _forward_equation(network, letter, layer.index))
                values = {i: Integer(neuron) for i in equation.indices}
                rhs = unroll(equation.rhs, values)
                lhs = quantity(equation.label, (neuron,))
                rows.append(Row(Formula(lhs), Formula(rhs)))
        yield Paragraph(Words("forward.layer", {"layer": numbered(layer.index)}))
        yield Equations(tuple(rows))
