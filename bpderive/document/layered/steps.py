"""The steps that were recorded for one kind of layer, as chains with reasons, at one place.

In: a `Derived` in general labels, a `Place`. Out: a `Chain`. A reason is the rule's own sentence,
with the mathematics that it names, read off the step. Must not know: words, letters.
"""

import re
from collections.abc import Callable, Mapping

from sympy import Add, Expr, Indexed, KroneckerDelta, Mul, Sum, Symbol
from sympy.core.function import AppliedUndef

from bpderive.derive import Derived, Step
from bpderive.document.blocks import Cell, Chain, Link, Listed, Words
from bpderive.document.mathematics import Formula, Indices
from bpderive.index import Names, Partial, element, indices_of, label_of, parts_of, rename

Reason = tuple[str, Mapping[str, tuple[Expr, ...]]]
AFTER = frozenset({"through", "names", "direct"})
"""Slots that hold what a step has brought, not what it started from."""
_LABEL = re.compile(r"[A-Za-z_]\w*\{l\}")
_INDEX = re.compile(r"_\d+[a-z]*")


def chain(derived: Derived, names: Names, *, named: bool) -> Chain:
    """How a derivative was found; with `named`, its name at the end."""
    indices = free(derived)
    links = [link(step, names, indices) for step in derived.steps if shows(step)]
    if named:
        name = rename(element(label_of(derived.result.lhs), indices_of(derived.partial)), names)
        links.append(Link(Formula(name, indices), Words("rule.name")))
    return Chain(Formula(rename(derived.partial, names), indices), tuple(links))


def part(derived: Derived, names: Names) -> Chain:
    """The same for what is sent back through one layer of several: begun after the chain rule."""
    indices = free(derived)
    first, *rest = derived.steps
    lhs = Formula(rename(first.after, names), indices)
    return Chain(lhs, tuple(link(step, names, indices) for step in rest if shows(step)))


def shows(step: Step) -> bool:
    """Whether a reader sees that something has changed: a number before a sum is always so set."""
    return step.rule != "pull" or _numbers_out(step.before) != _numbers_out(step.after)


def _numbers_out(expr: Expr) -> Expr:
    """The same with numbers before sums."""
    if not expr.args or isinstance(expr, Indexed | Partial):
        return expr
    if isinstance(expr, Sum):
        number, rest = _numbers_out(expr.function).as_independent(Symbol, Indexed, as_Add=False)
        return number * Sum(rest, *expr.limits)
    return expr.func(*map(_numbers_out, expr.args))


def free(derived: Derived) -> Indices:
    """The free indices, those read as one apart."""
    return tuple(k for index in indices_of(derived.partial) for k in parts_of(index))


def link(step: Step, names: Names, indices: Indices) -> Link:
    """One more equality, in the labels of the place."""
    id_, found = REASONS.get(step.rule, _plain)(step)
    slots: dict[str, Cell] = {}
    for name, values in found.items():
        inside = rename(step.after if name in AFTER else step.before, names)
        cells = tuple(Formula(rename(v, names), indices, within=inside) for v in values)
        slots[name] = cells[0] if len(cells) == 1 else Listed(cells)
    return Link(Formula(rename(step.after, names), indices), Words(id_, slots))


def signature(derived: Derived) -> str:
    """The steps but for names: two derivatives with equal ones were found in the same way."""
    text = ";".join(f"{step.rule}:{step.after}" for step in derived.steps)
    for pattern, mark in ((_LABEL, "T"), (_INDEX, "i")):
        names = dict.fromkeys(pattern.findall(text))
        marks = {name: f"{mark}{k}" for k, name in enumerate(names)}
        text = "".join(marks.get(one, one) for one in re.split(f"({pattern.pattern})", text))
    return text


# --- The reason of each rule ---


def _plain(step: Step) -> Reason:
    return f"rule.{step.rule}", {}


def _outer(expr: Expr) -> list[Partial]:
    """The derivatives of the loss in an expression."""
    found = expr.atoms(Partial)
    return sorted((p for p in found if not isinstance(p.numerator, Indexed)), key=str)


def _chain(step: Step) -> Reason:
    """Through which quantities; and, beside them, what the layers above send."""
    before, after = _outer(step.before), _outer(step.after)
    target = next(p for p in before if p not in after).denominator
    through = tuple(p.denominator for p in after if p not in before)
    above = tuple(t for t in Add.make_args(step.after) if isinstance(t, Indexed))
    if above:
        return "layered.chain_direct", {"target": (target,), "through": through, "direct": above}
    id_ = "layered.chain_several" if len(through) > 1 else "rule.chain"
    return id_, {"target": (target,), "through": through}


def _differentiate(step: Step) -> Reason:
    gone = sorted(step.before.atoms(Partial) - step.after.atoms(Partial), key=str)
    numerators = tuple(dict.fromkeys(p.numerator for p in gone))
    id_ = "layered.differentiate_several" if len(numerators) > 1 else "rule.differentiate"
    return id_, {"numerator": numerators, "denominator": (gone[0].denominator,)}


def _collapse(step: Step) -> Reason:
    gone = _told_once(_gone(step, KroneckerDelta), step.before)
    computed = any(not _simple(index) for delta in gone for index in delta.args)
    several = "_several" if len(gone) > 1 else ""
    if computed:
        return f"layered.collapse{several}", {"deltas": gone}
    return f"rule.collapse{several}", {"deltas": gone}


def _told_once(gone: tuple[Expr, ...], before: Expr) -> tuple[Expr, ...]:
    """Deltas of several terms that read alike are named once."""
    terms = [[d for d in gone if term.has(d)] for term in Add.make_args(before)]
    found: dict[tuple[str, ...], list[Expr]] = {}
    for term in terms:
        alike: dict[tuple[str, ...], list[Expr]] = {}
        for delta in term:
            alike.setdefault(tuple(sorted(map(_lettered, delta.args))), []).append(delta)
        for key, deltas in alike.items():
            if len(deltas) > len(found.get(key, ())):
                found[key] = deltas
    kept = {delta for deltas in found.values() for delta in deltas}
    return tuple(delta for delta in gone if delta in kept)


def _lettered(index: Expr) -> str:
    """An index with its letters alone."""
    return _INDEX.sub(lambda match: match[0].lstrip("_0123456789"), str(index))


def _simple(index: Expr) -> bool:
    return isinstance(index, Symbol) or bool(index.is_Integer)


def _gone(step: Step, kind: type) -> tuple[Expr, ...]:
    """What the step has done away with, in a fixed order."""
    gone = step.before.atoms(kind) - step.after.atoms(kind)
    return tuple(sorted(gone, key=lambda node: (len(str(node)), str(node))))


def _recognise(step: Step) -> Reason:
    new = _present(step.after) - _present(step.before)
    return "layered.recognise", {"names": tuple(sorted(new, key=str))}


def _present(expr: Expr) -> set[Expr]:
    """The tensors in an expression, but for what derivatives are by."""
    bare = expr.xreplace({p: Symbol("_") for p in expr.atoms(Partial)})
    return set(bare.atoms(Indexed))


def _adjoint(step: Step) -> Reason:
    after = _outer(step.after)
    gone = tuple(p for p in _outer(step.before) if p not in after)
    return "layered.adjoint_several" if len(gone) > 1 else "rule.adjoint", {"partial": gone}


def _fact(step: Step) -> Reason:
    gone = [s for s in step.before.atoms(Sum) if isinstance(s.function, Indexed)]
    return "rule.fact", {"sum": (min(gone, key=str),)}


def _fold(step: Step) -> Reason:
    return "rule.fold", {"slope": _gone(step, AppliedUndef)}


def _factor(step: Step) -> Reason:
    common = Mul(*(f for f in Mul.make_args(step.after) if isinstance(f, Indexed)))
    if common == 1:
        return "layered.factor", {}
    return "rule.factor", {"factor": (common,)}


REASONS: Mapping[str, Callable[[Step], Reason]] = {
    "chain": _chain,
    "differentiate": _differentiate,
    "collapse": _collapse,
    "recognise": _recognise,
    "adjoint": _adjoint,
    "fact": _fact,
    "fold": _fold,
    "factor": _factor,
}
"""By rule, the id of its sentence and the mathematics in it."""
