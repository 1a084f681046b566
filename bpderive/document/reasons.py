"""The recorded steps of a derivation as chains of equalities, each with its reason.

In: `Step`s. Out: `Link`s. A reason is the rule's own sentence, `rule.<id>` in the locale, with the
mathematics that it names; `SLOTS` finds that mathematics in the step. Must not know: words.
"""

from collections.abc import Callable, Mapping, Sequence

from sympy import Expr, Indexed, KroneckerDelta, Mul, Sum
from sympy.core.function import AppliedUndef

from bpderive.derive import Derived, Step
from bpderive.document.blocks import Cell, Chain, Link, Listed, Words
from bpderive.document.mathematics import Formula, Indices
from bpderive.document.runs import Run, in_letters
from bpderive.index import Partial, element, indices_of, label_of, rename
from bpderive.network import Network

LONG = 24
"""A last step with more operations only writes a slope out; section 3 has it."""

Slots = Mapping[str, Sequence[Expr]]
AFTER = frozenset({"through", "names"})
"""Slots that hold what the step has brought, not what it started from."""


def chain(derived: Derived, run: Run, network: Network) -> Chain:
    """How the derivative with respect to one tensor was found."""
    indices = in_letters(network, derived.tensor.name, indices_of(derived.partial))
    names = run.names(network)
    lhs = rename(derived.partial, names)
    found = links(derived.steps, run, network, indices)
    if derived.named:
        name = element(label_of(derived.result.lhs), indices_of(derived.partial))
        reason = Words("rule.name", {"name": Formula(rename(name, names), indices)})
        found = (*found, Link(Formula(rename(name, names), indices), reason))
    return Chain(Formula(lhs, indices), found)


def links(
    steps: tuple[Step, ...], run: Run, network: Network, indices: Indices
) -> tuple[Link, ...]:
    """One link a step, in the run's labels; a long slope stays with its name at the end."""
    names = run.names(network)
    if steps and steps[-1].rule == "fold" and steps[-1].after.count_ops() > LONG:
        steps = steps[:-1]
    return tuple(
        Link(Formula(rename(step.after, names), indices), _reason(step, names, indices))
        for step in steps
    )


def _reason(step: Step, names: Mapping[str, Expr | str], indices: Indices) -> Words:
    """The rule's sentence, its mathematics lettered as in the step before or after."""
    slots: dict[str, Cell] = {}
    found = SLOTS.get(step.rule, _none)(step)
    for name, values in found.items():
        inside = rename(step.after if name in AFTER else step.before, names)
        cells = [Formula(rename(value, names), indices, within=inside) for value in values]
        slots[name] = cells[0] if len(cells) == 1 else Listed(tuple(cells))
    several = "_several" if len(found.get("deltas", ())) > 1 else ""
    return Words(f"rule.{step.rule}{several}", slots)


def _none(_step: Step) -> Slots:
    return {}


def _outer(expr: Expr) -> list[Partial]:
    """The derivatives of the loss in an expression, in a fixed order."""
    found = expr.atoms(Partial)
    return sorted((p for p in found if not isinstance(p.numerator, Indexed)), key=str)


def _chain(step: Step) -> Slots:
    new = [p for p in _outer(step.after) if p not in _outer(step.before)]
    target = next(p for p in _outer(step.before) if p not in _outer(step.after))
    return {"target": [target.denominator], "through": [new[0].denominator]}


def _differentiate(step: Step) -> Slots:
    gone = step.before.atoms(Partial) - step.after.atoms(Partial)
    partial = min(gone, key=str)
    return {"numerator": [partial.numerator], "denominator": [partial.denominator]}


def _gone(step: Step, kind: type) -> list[Expr]:
    """What the step has done away with, in a fixed order."""
    gone = step.before.atoms(kind) - step.after.atoms(kind)
    return sorted(gone, key=lambda node: (len(str(node)), str(node)))


def _collapse(step: Step) -> Slots:
    return {"deltas": _gone(step, KroneckerDelta)}


def _recognise(step: Step) -> Slots:
    new = step.after.atoms(Indexed) - step.before.atoms(Indexed)
    return {"names": sorted(new or step.after.atoms(Indexed), key=str)}


def _adjoint(step: Step) -> Slots:
    gone = [p for p in _outer(step.before) if p not in _outer(step.after)]
    return {"partial": gone[:1]}


def _fact(step: Step) -> Slots:
    gone = [s for s in step.before.atoms(Sum) if isinstance(s.function, Indexed)]
    return {"sum": [min(gone, key=str)]}


def _fold(step: Step) -> Slots:
    return {"slope": _gone(step, AppliedUndef)[:1]}


def _factor(step: Step) -> Slots:
    common = [f for f in Mul.make_args(step.after) if isinstance(f, Indexed)]
    return {"factor": [Mul(*common)]}


SLOTS: Mapping[str, Callable[[Step], Slots]] = {
    "chain": _chain,
    "differentiate": _differentiate,
    "collapse": _collapse,
    "recognise": _recognise,
    "adjoint": _adjoint,
    "fact": _fact,
    "fold": _fold,
    "factor": _factor,
}
