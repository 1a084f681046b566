"""What section 1 says of conventions, and the table that translates to another notation.

In: a `Derivation`, the name of another notation. Out: blocks. Must not know: which notation the
document is printed in; mathematics that is to stand in the other one says so (`InNotation`).
"""

from collections.abc import Iterator
from dataclasses import replace

from sympy import Expr, Symbol

from bpderive.derive import Derivation
from bpderive.document.blocks import (
    Block,
    Cell,
    Equality,
    Formula,
    Indices,
    InNotation,
    Items,
    Math,
    Paragraph,
    Plain,
    Table,
    Words,
)
from bpderive.document.runs import Run, in_letters, numbered
from bpderive.index import Equation, element, indices_of
from bpderive.network import Network
from bpderive.notation import load
from bpderive.spec import Spec
from bpderive.weights import in_order

HALVES = {"half_squared_error": "half", "squared_error": "no_half"}
"""Losses that differ in a factor of one half alone."""

Symbols = tuple[tuple[Cell, ...], ...]


def conventions(network: Network) -> Items:
    """What the equations take for granted, one sentence each."""
    spec = network.spec
    names = [f"samples_{spec.orientation}", f"weights_{spec.weights}", f"loss_{spec.reduction}"]
    half = HALVES.get(spec.loss)
    return Items(tuple(Words(f"convention.{name}") for name in [*names, *filter(None, [half])]))


def translation(derivation: Derivation, other: str, symbols: Symbols) -> tuple[Block, ...]:
    """Every quantity and the main equations in two notations, and what differs beside letters.

    Args:
        derivation: of the network.
        other: the name of a notation, or the path of one's TOML file.
        symbols: rows of the table of symbols: the first cell is its formula, the last its meaning.

    Raises:
        SpecError: there is no such notation.
    """
    book = load(other)
    rows = [
        (formula, InNotation(formula, other), meaning)
        for formula, *_, meaning in symbols
        if isinstance(formula, Formula)
    ]
    equations = [(equation, InNotation(equation, other)) for equation in _equations(derivation)]
    return (
        Paragraph(Words("translation.intro", {"book": Plain(book.title)})),
        Table(("here", "there", "meaning"), tuple(rows)),
        Paragraph(Words("translation.equations")),
        Table(("ours", "theirs"), tuple(equations)),
        Items(tuple(_differences(derivation.network, other, replace(Spec(()), **book.spec)))),
    )


def _equations(derivation: Derivation) -> Iterator[Equality]:
    """Forward, the error at the output, the recurrence, the gradients of a hidden layer."""
    network = derivation.network
    top = Run(network.depth, network.depth)
    alike = len({network.kind(layer.index) for layer in network.layers[:-1]}) == 1
    hidden = Run(1, network.depth - 1) if alike else Run(1, 1)
    forward = network.graph(network.kind(1)).by_label
    yield from (_equality(hidden, network, forward[f"{letter}{{l}}"], letter) for letter in "za")
    found = [(top, "z")] if network.depth > 1 else []
    for run, letter in (*found, (hidden, "z"), (hidden, "w"), (hidden, "b")):
        derived = derivation.at(run.first).get(letter)
        if derived is not None:
            yield _equality(run, network, derived.shown, letter)


def _equality(run: Run, network: Network, equation: Equation, letter: str) -> Equality:
    indices = in_letters(network, letter, indices_of(equation.lhs))
    named = run.equation(network, equation)
    return Equality(Formula(named.lhs, indices), Formula(named.rhs, indices))


def _differences(network: Network, other: str, there: Spec) -> Iterator[Words]:
    """How layers are counted; then each convention in which the other's equations differ."""
    here = network.spec
    first = Formula(*_first_weight(network))
    slots: dict[str, Math] = {"here": numbered(0), "weight": first}
    slots |= {"there": InNotation(numbered(0), other), "other": InNotation(first, other)}
    yield Words("translation.layers", slots)
    if there.orientation != here.orientation:
        yield Words(f"translation.samples_{there.orientation}")
    if there.weights != here.weights:
        yield Words(f"translation.weights_{there.weights}")
    halves = [HALVES.get(spec.loss) for spec in (here, there)]
    if None not in halves and halves[0] != halves[1]:
        yield Words(f"translation.{halves[1]}")


def _first_weight(network: Network) -> tuple[Expr, Indices]:
    i, j = Symbol("_i"), Symbol("_j")
    return element("w1", in_order(network.spec.weights, i, j)), (i, j)
