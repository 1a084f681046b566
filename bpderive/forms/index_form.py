"""The index form: an equation with Σ and indices, in letters that a reader expects.

In: a `Derivation` and a `Reference`, or an `Equation`. Out: SymPy expressions in `Indexed` and
`Sum`, free indices i, j …, the samples n, no letter twice and none that names something else.
Must not know: words, arrays.
"""

from collections.abc import Iterable, Iterator

from sympy import Expr, Integer, Sum, Symbol, preorder_traversal

from bpderive.derive import Derivation
from bpderive.forms.chosen import equation_of
from bpderive.index import Equation, peel
from bpderive.network import SAMPLES, Kind
from bpderive.reference import Reference

LETTERS = "ijkmqrstuvh"
SAMPLE = "n"


def index_form(derivation: Derivation, reference: Reference) -> Expr:
    """The gradient as an index expression: of a whole tensor (`w1`), or at its indices."""
    equation = readable(equation_of(derivation, reference))
    values = map(Integer, reference.indices)
    return equation.rhs.xreplace(dict(zip(equation.indices, values, strict=False)))


def recurrence(derivation: Derivation, kind: Kind) -> tuple[Equation, ...]:
    """The equations of a general layer ℓ of this kind, from its `a` down to its parameters.

    Layers are `{l}`, `{l-1}`, `{l+1}` in the labels, sizes `n{l}` …
    """
    return tuple(readable(derived.result) for derived in derivation.kind(kind).values())


def readable(equation: Equation) -> Equation:
    """The same equation in readable letters; those that name a tensor or a size are passed over."""
    exprs = (equation.lhs, equation.rhs)
    sizes = dict(zip(equation.indices, equation.sizes, strict=True)) | _bound(equation.rhs)
    taken = {s.name for e in exprs for s in e.atoms(Symbol)} | {str(s) for s in sizes.values()}
    table = _letters(sizes.items(), taken - {index.name for index in sizes})
    lhs, rhs = (expr.xreplace(table) for expr in exprs)
    return Equation(lhs, rhs, equation.sizes)


def _bound(expr: Expr) -> dict[Symbol, Expr]:
    """The summed indices and their sizes, outermost first."""
    found: dict[Symbol, Expr] = {}
    for node in preorder_traversal(expr):
        while isinstance(node, Sum):
            node, index, size = peel(node)  # noqa: PLW2901
            found.setdefault(index, size)
    return found


def _letters(sizes: Iterable[tuple[Symbol, Expr]], taken: set[str]) -> dict[Symbol, Symbol]:
    """A letter for each index, the samples' from n on."""
    plain, samples = _names(LETTERS, taken), _names(SAMPLE, taken)
    return {
        index: Symbol(next(samples if size == SAMPLES else plain), integer=True)
        for index, size in sizes
    }


def _names(letters: str, taken: set[str]) -> Iterator[str]:
    """The letters, then the first of them numbered, without those that are taken."""
    rounds = (f"{letter}{mark}" for mark in _marks() for letter in letters)
    return (name for name in rounds if name not in taken)


def _marks() -> Iterator[str]:
    yield ""
    number = 0
    while True:
        number += 1
        yield str(number)
