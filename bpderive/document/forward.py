"""Sections 1 to 3: the notation, the forward pass, and the operations that the rest uses."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from sympy import Abs, Expr, Function, Integer, KroneckerDelta, Symbol, exp, tanh

from bpderive.catalog import Activation
from bpderive.derive import Derivation, steps
from bpderive.document.blocks import (
    Block,
    Chain,
    Equations,
    Formula,
    Items,
    Link,
    Math,
    Number,
    Ordered,
    OrderedSum,
    Paragraph,
    Plain,
    Row,
    Section,
    Shape,
    Table,
    Words,
)
from bpderive.document.reasons import chain, links
from bpderive.document.runs import Run, row, runs
from bpderive.forms.numbering import numbering
from bpderive.forms.scalar import quantity, unroll
from bpderive.formula import parse
from bpderive.functions import STANDARD, scalar_symbol, select, sigmoid, softplus, to_sympy
from bpderive.index import Equation, Fresh, Partial, element, rename
from bpderive.network import SAMPLES, Network
from bpderive.rules import Context

SMALL = 120
"""Up to this many parameters, every neuron and every weight gets a line."""


def parameters(network: Network) -> Expr:
    """How many weights and biases the network has."""
    bias = int(network.spec.bias)
    return sum((la.width * (la.inputs + bias) for la in network.layers), Integer(0))


def is_small(network: Network) -> bool:
    """Whether everything can be written out."""
    return not network.symbolic and bool(parameters(network) <= SMALL)


def notation(derivation: Derivation) -> Section:
    """Section 1: the layers, and every symbol with its shape."""
    network = derivation.network
    return Section(
        "notation",
        (
            Paragraph(
                Words(
                    "notation.network",
                    {
                        "depth": Plain(str(network.depth)),
                        "inputs": Formula(network.inputs),
                        "outputs": Formula(network.outputs),
                        "parameters": Formula(parameters(network)),
                    },
                )
            ),
            _layers(network),
            Paragraph(Words("notation.weight")),
            _symbols(network),
        ),
    )


def _layers(network: Network) -> Table:
    rows = []
    for run in runs(network):
        layer = network.layer(run.first)
        at = run.words or Formula(Integer(run.first))
        function = (
            Words("activation.linear")
            if layer.activation.name == "linear"
            else Formula(_applied(layer.activation))
        )
        shape = Shape((layer.width, layer.inputs))
        rows.append((at, Formula(layer.width), function, Plain(layer.activation.name), shape))
    return Table(("layer", "neurons", "activation", "name", "weights"), tuple(rows))


def _applied(row: Activation) -> Expr:
    return Function(row.name)(scalar_symbol("z"))


def _symbols(network: Network) -> Table:
    """Every symbol, its shape for one sample and for a batch, and what it is."""
    size, below = Symbol("n{l}"), Symbol("n{l-1}")
    i, j = Symbol("_i"), Symbol("_j")
    vector, top = ((size,), (SAMPLES, size)), Symbol(f"n{network.depth}")
    rows: list[tuple[str, Expr, tuple[Expr, ...], tuple[Expr, ...]]] = [
        ("x", element("x", (j,)), (Symbol("n0"),), (SAMPLES, Symbol("n0"))),
        ("w", element("w{l}", (i, j)), (size, below), (size, below)),
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


def forward(derivation: Derivation) -> Section:
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
        yield Paragraph(Words("forward.layer", {"layer": Formula(Integer(layer.index))}))
        yield Equations(tuple(rows))


def operations(derivation: Derivation) -> Section:
    """Section 3: the chain rule, the loss, and each activation's slope, derived."""
    network = derivation.network
    blocks: list[Block] = [
        Paragraph(Words("operations.chain")),
        Equations(_chain_rules()),
        *_loss(derivation),
    ]
    for row_ in network.activations.values():
        if row_.name != "linear":
            blocks += _activation(derivation, row_)
    return Section("operations", tuple(blocks))


def _chain_rules() -> tuple[Row, ...]:
    t, g, h, f = Symbol("t"), Symbol("g"), Symbol("h"), Symbol("f")
    one, other = (Ordered((Partial(f, via), Partial(via, t))) for via in (g, h))
    return (
        Row(Formula(Partial(f, t)), one, condition=Words("operations.composed", {"g": Formula(g)})),
        Row(
            Formula(Partial(f, t)),
            OrderedSum((one, other)),
            condition=Words("operations.several", {"g": Formula(g), "h": Formula(h)}),
        ),
    )


def _loss(derivation: Derivation) -> Iterator[Block]:
    network = derivation.network
    kind = "_stage" if network.stage else "_formula" if network.loss.given else ""
    name = Plain(network.loss.name.replace("_", " "))
    yield Paragraph(Words(f"operations.loss{kind}", {} if network.loss.given else {"name": name}))
    yield Equations((replace(forward_rows(derivation)[-1], number=None),))
    if network.loss.name == "half_squared_error":
        yield Paragraph(Words("operations.half"))
    if network.loss.label == "distribution":
        yield Paragraph(Words("operations.distribution"))
    yield Paragraph(Words("operations.by_stage" if network.stage else "operations.by_output"))
    found = derivation.at(network.depth)
    for letter in "pa":
        if letter in found:
            yield chain(found[letter], Run(network.depth, network.depth), network)
    if network.loss.given and network.loss.definition.has(select, Abs):
        yield Paragraph(Words("operations.formula_kink"))
    if network.loss.kinks:
        yield Items(tuple(_kink(kink.at, kink.slope, "a") for kink in network.loss.kinks))


def _kink(at: str, slope: str, name: str) -> Words:
    slots = {
        "name": Formula(scalar_symbol(name)),
        "at": Formula(parse(at, ("a", "y", "z"))),
        "slope": Formula(parse(slope, ("a", "y", "z"))),
    }
    return Words("operations.kink", slots)


def _activation(derivation: Derivation, row_: Activation) -> Iterator[Block]:
    name: Math = Formula(Symbol(row_.name)) if row_.given else Plain(row_.name.replace("_", " "))
    if not row_.elementwise:
        slots: dict[str, Math | Words] = {"name": name, "z": Formula(Symbol("z"))}
        yield Paragraph(Words("operations.mixing", slots))
        yield from _mixing(derivation, row_)
        return
    kind = "activation_formula" if row_.given else "activation"
    yield Paragraph(Words(f"operations.{kind}", {"name": name}))
    yield Equations((Row(Formula(_applied(row_)), Formula(defined(row_))),))
    yield Chain(Formula(_slope(row_)), tuple(_slope_links(row_)))
    if row_.given and row_.definition.has(select, Abs):
        yield Paragraph(Words("operations.formula_kink"))
    if row_.kinks:
        yield Items(tuple(_kink(kink.at, kink.slope, "z") for kink in row_.kinks))


WRITTEN: Mapping[type, Callable[..., Expr]] = {
    sigmoid: STANDARD[sigmoid],
    softplus: STANDARD[softplus],
    tanh: lambda u: (exp(u) - exp(-u)) / (exp(u) + exp(-u)),
}
"""What an activation that is one function by itself is defined as."""


def defined(row_: Activation) -> Expr:
    """The definition as a textbook writes it: `1/(1 + exp(-z))`, not the function's own name."""
    definition = row_.definition
    written = WRITTEN.get(definition.func)
    return definition if written is None else written(*definition.args)


def _slope(row_: Activation) -> Expr:
    return Function(f"{row_.name}'")(scalar_symbol("z"))


def _slope_links(row_: Activation) -> Iterator[Link]:
    """The definition differentiated; then the closed form, from its own definition."""
    z, a = scalar_symbol("z"), scalar_symbol("a")
    shown = [(defined(row_).diff(z), "differentiated")]
    if row_.slope is not None:
        closed = row_.slope_expr
        if closed.has(a) and not closed.has(select):
            shown.append((closed.xreplace({a: defined(row_)}), "rearranged"))
        shown.append((closed.xreplace({a: _applied(row_)}), "closed"))
    previous = None
    for expr, reason in shown:
        value = to_sympy(expr.xreplace({_applied(row_): defined(row_)}))
        if expr != previous and not (reason == "rearranged" and value == previous):
            yield Link(Formula(expr), Words(f"operations.{reason}"))
        previous = expr


def _mixing(derivation: Derivation, row_: Activation) -> Iterator[Block]:
    """An activation of the whole layer: its definition, and its Jacobian derived by the rules."""
    network = derivation.network
    layer = next(la.index for la in network.layers if la.activation.name == row_.name)
    run = Run(layer, layer)
    graph = network.graph(network.kind(layer))
    equation = graph.by_label["a{l}"]
    yield Equations((row(run.equation(network, equation)),))
    fresh = Fresh()
    k, i = fresh(), fresh()
    jacobian = Partial(element("a{l}", (k,)), element("z{l}", (i,)))
    found = steps(jacobian, Context(graph, {}, fresh))
    yield Chain(run_formula(run, network, jacobian, (k, i)), links(found, run, network, (k, i)))


def run_formula(run: Run, network: Network, expr: Expr, indices: tuple[Expr, ...]) -> Formula:
    """An expression of the general layer, in the run's labels."""
    return Formula(rename(expr, run.names(network)), indices)
