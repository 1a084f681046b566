"""Which letter an index gets: chosen when it is printed, never stored in an expression.

In: an expression whose indices are `_1`, `_100003`, `_17c` …, the letters given so far, a
`Notation`. Out: a letter for each. Must not know: how anything is printed.

An index that carries a letter has it, with a prime where that is in scope already. Of the others,
one that is summed over the inputs of a weight reads j, any other k beside a free i; the samples of
a batch read n. No letter is used that is in scope already.
"""

from collections.abc import Mapping
from typing import Any

from sympy import Expr, Indexed, Sum, Symbol

from bpderive.equations import SAMPLES
from bpderive.errors import DerivationError
from bpderive.index import Relative, label_of, parse_label
from bpderive.notation import Notation
from bpderive.notation.model import primed, wish
from bpderive.render.syntax import FIRST

Scope = Mapping[Any, str]
BATCHED = frozenset(("x", "z", "a", "y", "p", "delta", "g", "h"))
"""Tensors that have one axis for one sample, and the samples before it in a batch."""
NEURONS = frozenset(("x", "z", "a", "delta", "g"))
"""Tensors whose index counts the neurons of their layer."""


def scope_of(expr: Expr, given: Scope | None, notation: Notation) -> Scope:
    """The given letters, and one for every other free index of the expression."""
    scope = dict(given or {})
    found = _free(expr, frozenset(scope))
    if not found:
        return scope
    missing = sorted(found, key=lambda index: (len(index.name), index.name))
    if given is None:
        samples = _samples(expr)
        order = sorted(missing, key=lambda index: index not in samples)
        return notation.letters_for(order, samples=order[0] in samples)
    for index in missing:
        scope[index] = bound_letter(index, expr, scope, notation)
    return scope


def _free(expr: Expr, bound: frozenset[Any]) -> set[Symbol]:
    """The indices that wait for a letter (SymPy's `free_symbols` of a sum is slow)."""
    if isinstance(expr, Symbol):
        return {expr} if expr.name[0] == "_" and expr not in bound else set()
    args = expr.args
    if isinstance(expr, Sum):
        args, bound = args[:1], bound.union(limit.args[0] for limit in args[1:])
    elif isinstance(expr, Indexed):
        args = args[1:]
    return set().union(*[_free(arg, bound) for arg in args])


def bound_letter(
    index: Symbol, body: Expr, scope: Scope, notation: Notation, size: Expr = None
) -> str:
    """A letter for an index of the body that is not in scope yet."""
    taken = {letter for letter in scope.values() if letter < FIRST}
    if letter := wish(index):
        return primed(letter, taken)
    first, second, *rest = notation.indices
    position = _position(body, index)
    if size == SAMPLES:
        pool = [*notation.samples, *rest, second, first]
    elif position == 1:
        pool = [second, *rest, first]
    elif position is None and not taken - set(notation.samples):
        pool = [first, second, *rest]
    else:
        pool = [*notation.own_indices, second, first]
    for letter in pool:
        if letter not in taken:
            return letter
    raise DerivationError(f"the notation {notation.name} has no letter left for {index}")


def all_letters(expr: Expr, scope: Scope, notation: Notation) -> Scope:
    """The letters of an expression's free and bound indices, as they are when it is printed."""
    if isinstance(expr, Sum):
        body, *limits = expr.args
        for index, _, size in reversed(limits):
            letter = scope.get(index) or bound_letter(index, body, scope, notation, size)
            scope = {**scope, index: letter}
        return all_letters(body, scope, notation)
    found = dict(scope)
    for arg in () if isinstance(expr, Indexed) else expr.args:
        found |= all_letters(arg, scope, notation)
    return found


def _position(body: Expr, index: Symbol) -> int | None:
    """Whose index of a weight it is: 0 counts neurons, 1 their inputs; None where it is none.

    A tensor of the weight's own layer with the same index tells that it counts neurons, one of the
    layer below that it counts inputs; without either, it is the input's if it comes last.
    """
    weight = _weight(body, index)
    if weight is None:
        return None
    layer = _layer(weight)
    with_it = (t for t in body.atoms(Indexed) if index in t.args[1:] and _name(t) in NEURONS)
    apart = {layer - _layer(tensor) for tensor in with_it} & {0, 1}
    return apart.pop() if len(apart) == 1 else int(weight.args[2] == index)


def _weight(body: Expr, index: Symbol) -> Indexed | None:
    """The first weight that has the index."""
    if isinstance(body, Indexed):
        has_it = len(body.args) == 3 and index in body.args[1:] and _name(body) == "w"
        return body if has_it else None
    found = (_weight(arg, index) for arg in body.args)
    return next((weight for weight in found if weight is not None), None)


def _layer(tensor: Indexed) -> int:
    """The layer of a tensor, counted from the general one where it is named by that."""
    layer = parse_label(label_of(tensor))[1]
    return layer.offset if isinstance(layer, Relative) else layer or 0


def _name(tensor: Indexed) -> str:
    return parse_label(label_of(tensor))[0]


def _samples(expr: Expr) -> set[Expr]:
    """The indices over the samples of a batch."""
    tensors = (t for t in expr.atoms(Indexed) if len(t.indices) == 2)
    return {t.indices[0] for t in tensors if _name(t) in BATCHED}
