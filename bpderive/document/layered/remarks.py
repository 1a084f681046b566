"""What is worth saying of a layer's derivatives, where its equations are of a certain form.

In: a `View` and a `Place`. Out: remarks, by ids. Gradients are never told in words: a remark says
how to read what was derived. Must not know: words, letters.
"""

from collections.abc import Callable, Iterator

from sympy import Expr, Indexed, KroneckerDelta, Symbol

from bpderive.document.blocks import Block, Cell, Remark, Words
from bpderive.document.layered.view import View
from bpderive.document.mathematics import Formula
from bpderive.functions.conditions import first_largest, fixed, merged
from bpderive.index import Equation, indices_of, label_of
from bpderive.stack.model import Place

Told = Callable[[View, Place], Iterator[Words]]


def before(view: View, place: Place) -> Iterator[Block]:
    """What is good to know before the steps."""
    for told in (_selector, _stopped, _recurrent):
        yield from map(Remark, told(view, place))


def after(view: View, place: Place) -> Iterator[Block]:
    """What the results show."""
    for told in (_transposed, _normalised, _summed, _rows):
        yield from map(Remark, told(view, place))


def _selector(_view: View, place: Place) -> Iterator[Words]:
    """Where the largest stands does not change with a small change of the elements."""
    if any(isinstance(e.rhs, first_largest) for e in place.module.equations):
        yield Words("layered.constant")


def _stopped(_view: View, place: Place) -> Iterator[Words]:
    if any(e.rhs.has(fixed) for e in place.module.equations):
        yield Words("layered.stopped")


def _recurrent(view: View, place: Place) -> Iterator[Words]:
    """An output that the next step takes in again: the direct and the total derivative."""
    if not place.module.recurrent:
        return
    step = Symbol(f"_1{place.module.recurrent[0]}", integer=True)
    yield Words("layered.recurrence", {"t": Formula(step, (step,))})
    outer = view.outer(place.number)
    if outer.startswith("direct_"):
        own = outer.removeprefix("direct_")
        total = f"delta_{own}"
        slots: dict[str, Cell] = {"output": Formula(Symbol(own)), "direct": Formula(Symbol(outer))}
        if total in view.equations:
            yield Words("layered.total", {**slots, "total": Formula(Symbol(total))})
        else:
            yield Words("layered.total_unnamed", slots)


def _backward(view: View, place: Place) -> tuple[Equation, ...]:
    """The equations of what a layer sends back, in its own labels."""
    found = view.derivation.derived(place.number)
    inputs = (found[t.name] for t in place.module.of_role("input") if t.name in found)
    return tuple(derived.result for derived in inputs)


def _transposed(view: View, place: Place) -> Iterator[Words]:
    """The weights of a convolution, run over the derivatives instead of the input."""
    weights = {f"{t.name}{{l}}" for t in place.module.of_role("parameter")}
    for equation in _backward(view, place):
        tensors = equation.rhs.atoms(Indexed)
        sent = [t for t in tensors if label_of(t).startswith(("delta", "direct"))]
        if any(map(_computed, sent)) and weights & {label_of(t) for t in tensors}:
            yield Words("layered.transposed")
            return


def _computed(tensor: Expr) -> bool:
    """Whether it is read at an index that is computed."""
    return any(not (isinstance(i, Symbol | merged) or i.is_Integer) for i in indices_of(tensor))


def _normalised(_view: View, place: Place) -> Iterator[Words]:
    """The three ways on which an input of a normalisation acts, of which two are sums."""
    removed = place.module.eliminate
    if {"mu", "sigma"} <= removed:
        yield Words("layered.three_terms")
    elif "rho" in removed:
        yield Words("layered.two_terms")


def _summed(_view: View, place: Place) -> Iterator[Words]:
    """The same weights at every step: the gradient adds up the steps."""
    if place.module.recurrent and place.module.of_role("parameter"):
        step = Symbol(f"_1{place.module.recurrent[0]}", integer=True)
        yield Words("layered.over_time", {"t": Formula(step, (step,))})


def _rows(view: View, place: Place) -> Iterator[Words]:
    """Rows of a table that are looked up: only those that occur have a gradient."""
    for name, derived in view.derivation.derived(place.number).items():
        tokens = {
            i for d in derived.result.rhs.atoms(KroneckerDelta) for i in d.args
            if isinstance(i, Indexed)
        }  # fmt: skip
        if tokens and place.module.by_name[name].role == "parameter":
            yield Words("layered.occurring")
            return
