"""The index form: an equation with Σ and indices, in letters that a reader expects.

In: a `Derivation` and a `Reference`, or an `Equation`. Out: SymPy expressions in `Indexed` and
`Sum`, free indices i, j …, the samples n, no letter twice and none that names something else.
Must not know: words, arrays.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, count

from sympy import Expr, Integer, Sum, Symbol, preorder_traversal

from bpderive.derive import Derivation
from bpderive.equations import SAMPLES, Kind
from bpderive.forms.chosen import equation_of
from bpderive.index import Equation, peel
from bpderive.reference import Reference

LETTERS = "ijkmqrstuvh"
SAMPLE = "n"


def index_form(derivation: Derivation, reference: Reference) -> Expr:
    """The gradient as an index expression: of a whole tensor (`w1`), or at its indices."""
    equation = readable(equation_of(derivation, reference), derivation.network.size_names)
    values = map(Integer, reference.indices)
    return equation.rhs.xreplace(dict(zip(equation.indices, values, strict=False)))


def recurrence(derivation: Derivation, kind: Kind) -> tuple[Equation, ...]:
    """The equations of a general layer ℓ of this kind, from its `a` down to its parameters.

    Layers are `{l}`, `{l-1}`, `{l+1}` in the labels, sizes `n{l}` …
    """
    taken = derivation.network.size_names
    return tuple(readable(derived.result, taken) for derived in derivation.kind(kind).values())


def readable(equation: Equation, taken: frozenset[str] = frozenset()) -> Equation:
    """The same equation in readable letters; those that name something are passed over.

    Args:
        equation: in indices of any name.
        taken: letters that name something elsewhere in the same text.
    """
    exprs = (equation.lhs, equation.rhs)
    sizes = dict(zip(equation.indices, equation.sizes, strict=True)) | _bound(equation.rhs)
    names = {s.name for e in (*exprs, *sizes.values()) for s in e.atoms(Symbol) if s not in sizes}
    table = _letters(sizes.items(), taken | names)
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


def _letters(sizes: Iterable[tuple[Symbol, Expr]], taken: frozenset[str]) -> dict[Symbol, Symbol]:
    """A letter for each index, the samples' from n on."""
    plain, samples = _names(LETTERS, taken), _names(SAMPLE, taken)
    return {
        index: Symbol(next(samples if size == SAMPLES else plain), integer=True)
        for index, size in sizes
    }


def _names(letters: str, taken: frozenset[str]) -> Iterator[str]:
    """The letters, then the same numbered, without those that are taken."""
    numbered = (f"{letter}{number}" for number in count(1) for letter in letters)
    return (name for name in chain(letters, numbered) if name not in taken)
