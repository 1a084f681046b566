"""Section 3 in full: every derivative in steps from its definition, its plot, its maximum.

In: a `Derivation`. Out: blocks. It is imported only when it is asked for: the default command does
without it. Must not know: words.
"""

from collections.abc import Iterator

from sympy import Symbol

from bpderive.catalog import Activation
from bpderive.derive import Derivation
from bpderive.document.blocks import Block, Equations, Figure, Heading, Paragraph, Row, Words
from bpderive.document.figures.plots import activation_figure
from bpderive.document.forward import applied
from bpderive.document.mathematics import Formula
from bpderive.document.maxima import maximum, slope_of
from bpderive.document.operations import activation, chain_rules, defined, kinks, loss, name_of
from bpderive.document.request import Request
from bpderive.document.slope_steps import activation_chain, helpers, rule_table
from bpderive.functions import scalar_symbol
from bpderive.slopes.extrema import maximal_slope

TOLD = {
    True: ("operations.caption", "operations.alternative"),
    False: ("operations.caption_plain", "operations.alternative_plain"),
}
"""Caption and text of a plot, by whether the largest slope is drawn in it."""


def full(derivation: Derivation, request: Request) -> Iterator[Block]:
    """Every derivative in steps from its definition, with its plot and its maximum."""
    network = derivation.network
    rows = [r for r in network.activations.values() if r.name != "linear"]
    yield Heading(Words("operations.chain_title"))
    yield Paragraph(Words("operations.chain"))
    yield Equations(chain_rules())
    table = rule_table((network.loss, *(r for r in rows if r.elementwise)))
    if table is not None:
        slots = {"u": Formula(Symbol("u")), "v": Formula(Symbol("v")), "z": Formula(Symbol("z"))}
        yield Paragraph(Words("operations.rules", slots))
        yield table
    yield Heading(Words("operations.loss_title"))
    yield from loss(derivation, full=True)
    shown = {r.name for r in rows}
    for row_ in rows:
        yield Heading(Words("operations.activation_title", {"name": name_of(row_)}))
        if row_.elementwise:
            yield from _slope_in_full(row_, shown, request)
        else:
            yield from activation(derivation, row_)


def _slope_in_full(row_: Activation, shown: set[str], request: Request) -> Iterator[Block]:
    """The definition, the slope in steps, what holds at kinks, the plot, the maximum."""
    yield Paragraph(Words("operations.given" if row_.given else "operations.defined"))
    yield Equations((Row(Formula(applied(row_)), Formula(defined(row_))),))
    yield from helpers(row_, shown)
    yield Paragraph(Words("operations.steps", {"z": Formula(scalar_symbol("z"))}))
    yield activation_chain(row_)
    yield from kinks(row_)
    if request.figures:
        slots = {"function": Formula(applied(row_)), "slope": Formula(slope_of(row_))}
        established = maximal_slope(row_).value is not None
        caption, told = (Words(id_, slots) for id_ in TOLD[established])
        yield Figure(f"activation-{row_.name}", activation_figure(row_), caption, told)
    yield from maximum(row_)
