"""The derivative of a scalar definition as chains of equalities, each with its reason.

In: rows of the catalogue. Out: blocks. A reason is the rule's own sentence, `slope_rule.<id>`, with
the mathematics that it names. Must not know: words, networks.
"""

from collections.abc import Callable, Iterator, Mapping

from sympy import Expr, Function, Symbol

from bpderive.catalog import Activation, Loss
from bpderive.document.blocks import Block, Cell, Chain, Link, Paragraph, Table, Words
from bpderive.document.mathematics import Formula, Math, Ordered, OrderedSum
from bpderive.functions import scalar_symbol
from bpderive.slopes.nodes import primed
from bpderive.slopes.rules import CHAIN
from bpderive.slopes.steps import Step, activation_steps, definition_steps, loss_steps, needed

U, V, C, N = (Symbol(letter, real=True) for letter in "uvcn")
Z = scalar_symbol("z")


def activation_chain(row: Activation) -> Chain:
    """`f'(z) = (definition)' = …`, down to the closed form."""
    return _named(row.name, activation_steps(row), row)


def _named(name: str, steps: tuple[Step, ...], row: Activation | None = None) -> Chain:
    start = Link(Formula(steps[0].before), Words("slope_rule.definition"))
    return Chain(Formula(Function(f"{name}'")(Z)), (start, *links(steps, row)))


def helpers(row: Activation, shown: set[str]) -> Iterator[Block]:
    """The slopes of the named functions that a definition holds, where none has shown them."""
    for function in needed(activation_steps(row)):
        name = function.__name__
        if name not in shown:
            shown.add(name)
            yield Paragraph(Words("operations.helper", {"function": Formula(function(Z))}))
            yield _named(name, definition_steps(function(Z), Z))


def loss_chain(row: Loss) -> Chain:
    """`(formula)' = …` of one output."""
    steps = loss_steps(row)
    return Chain(Formula(steps[0].before), links(steps))


def links(steps: tuple[Step, ...], row: Activation | None = None) -> tuple[Link, ...]:
    """One link a step."""
    return tuple(Link(_shown(step), _reason(step, row)) for step in steps)


def _shown(step: Step) -> Math:
    return Ordered(step.factors) if len(step.factors) > 1 else Formula(step.after)


def _reason(step: Step, row: Activation | None) -> Words:
    find = SLOTS.get(step.rule)
    return Words(f"slope_rule.{step.rule}", find(step, row) if find else {})


Slots = Mapping[str, Cell]


def _chain(step: Step, _row: Activation | None) -> Slots:
    function = step.at[0]
    slope = CHAIN[function.func](U)
    return {"function": Formula(function), "u": Formula(U), "slope": Formula(slope)}


def _first(step: Step, _row: Activation | None) -> Slots:
    return {"name": Formula(step.at[0])}


def _closed(step: Step, row: Activation | None) -> Slots:
    assert row is not None  # noqa: S101
    return {"name": Formula(Function(row.name)(Z)), "definition": Formula(step.at[0])}


SLOTS: Mapping[str, Callable[[Step, Activation | None], Slots]] = {
    "chain": _chain,
    "name": _first,
    "reduce": _first,
    "closed": _closed,
}

DU, DV = primed(U, Z), primed(V, Z)
STATEMENTS: Mapping[str, tuple[Expr, Math]] = {
    "sum": (U + V, Formula(DU + DV)),
    "constant": (C * U, Ordered((C, DU))),
    "product": (U * V, OrderedSum((Ordered((DU, V)), Ordered((U, DV))))),
    "reciprocal": (1 / U, Formula(-DU / U**2)),
    "quotient": (U / V, Formula((DU * V - U * DV) / V**2)),
    "power": (U**N, Ordered((N, U ** (N - 1), DU))),
    "chain": (Function("f")(U), Ordered((Function("f'")(U), DU))),
}
"""The rules in letters, for the table of those that a section uses."""


def rule_table(rows: tuple[Activation | Loss, ...]) -> Table | None:
    """The rules that the derivations of some rows use."""
    used = set()
    for row in rows:
        steps = activation_steps(row) if isinstance(row, Activation) else loss_steps(row)
        used |= {"sum" if step.rule == "terms" else step.rule for step in steps}
        for function in needed(steps):
            used |= {step.rule for step in definition_steps(function(Z), Z)}
    found = [
        (Words(f"rule_name.{rule}"), Formula(primed(of, Z)), result)
        for rule, (of, result) in STATEMENTS.items()
        if rule in used
    ]
    return Table(("rule", "derivative", "is"), tuple(found)) if found else None
