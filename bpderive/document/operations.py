"""Section 3: the chain rule, the loss, and each activation's slope, derived."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from sympy import Abs, Expr, Function, Symbol, exp

from bpderive.catalog import Activation
from bpderive.derive import Derivation, steps
from bpderive.document.blocks import (
    Block,
    Chain,
    Equations,
    Items,
    Link,
    Paragraph,
    Row,
    Section,
    Words,
)
from bpderive.document.forward import applied, forward_rows
from bpderive.document.mathematics import Formula, Math, Named, Ordered, OrderedSum
from bpderive.document.reasons import chain, links
from bpderive.document.request import Request
from bpderive.document.runs import Run, row
from bpderive.formula import parse
from bpderive.functions import STANDARD, scalar_symbol, select, sigmoid, softplus, tanh, to_sympy
from bpderive.index import Fresh, Partial, element, rename
from bpderive.network import Network
from bpderive.rules import Context


def operations(derivation: Derivation, request: Request) -> Section:
    """Section 3: the chain rule, the loss, and each activation's slope, derived."""
    if request.full:
        from bpderive.document.operations_full import full

        return Section("operations", tuple(full(derivation, request)))
    network = derivation.network
    blocks: list[Block] = [
        Paragraph(Words("operations.chain")),
        Equations(chain_rules()),
        *loss(derivation),
    ]
    for row_ in network.activations.values():
        if row_.name != "linear":
            blocks += activation(derivation, row_)
    return Section("operations", tuple(blocks))


def name_of(row_: Activation) -> Math:
    """A row's name as words; the letter of a formula as mathematics."""
    return Formula(Symbol(row_.name)) if row_.given else Named(row_.name)


def kinks(row_: Activation) -> Iterator[Block]:
    """What is taken for the slope where there is none."""
    if row_.given and row_.definition.has(select, Abs):
        yield Paragraph(Words("operations.formula_kink"))
    if row_.kinks:
        yield Items(tuple(_kink(kink.at, kink.slope, "z") for kink in row_.kinks))


def chain_rules() -> tuple[Row, ...]:
    """The chain rule for `g∘f`, and for `f(g(t), h(t))`."""
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


def loss(derivation: Derivation, *, full: bool = False) -> Iterator[Block]:
    """The loss and its derivative by the output; in full, that of one output in steps first."""
    network = derivation.network
    kind = "_stage" if network.stage else "_formula" if network.loss.given else ""
    name = Named(network.loss.name)
    yield Paragraph(Words(f"operations.loss{kind}", {} if network.loss.given else {"name": name}))
    yield Equations((replace(forward_rows(derivation)[-1], number=None),))
    if network.loss.name == "half_squared_error":
        yield Paragraph(Words("operations.half"))
        if full:
            yield Paragraph(Words("operations.half_kept"))
    if network.loss.label == "distribution":
        yield Paragraph(Words("operations.distribution"))
    if full:
        by, label = (Formula(scalar_symbol(name)) for name in (network.loss.argument, "y"))
        yield Paragraph(Words("operations.one_output", {"by": by, "label": label}))
        from bpderive.document.slope_steps import loss_chain

        yield loss_chain(network.loss)
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


def activation(derivation: Derivation, row_: Activation) -> Iterator[Block]:
    """An activation and its slope, or its Jacobian, in short."""
    name = name_of(row_)
    if not row_.elementwise:
        slots: dict[str, Math | Words] = {"name": name, "z": Formula(Symbol("z"))}
        yield Paragraph(Words("operations.mixing", slots))
        yield from _mixing(derivation, row_)
        return
    kind = "activation_formula" if row_.given else "activation"
    yield Paragraph(Words(f"operations.{kind}", {"name": name}))
    yield Equations((Row(Formula(applied(row_)), Formula(defined(row_))),))
    yield Chain(Formula(_slope(row_)), tuple(_slope_links(row_)))
    yield from kinks(row_)


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
        shown.append((closed.xreplace({a: applied(row_)}), "closed"))
    previous = None
    for expr, reason in shown:
        again = reason == "rearranged" and _value(row_, expr) == previous
        if expr != previous and not again:
            yield Link(Formula(expr), Words(f"operations.{reason}"))
        previous = expr


def _value(row_: Activation, expr: Expr) -> Expr:
    return to_sympy(expr.xreplace({applied(row_): defined(row_)}))


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
