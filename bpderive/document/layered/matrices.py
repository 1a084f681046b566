"""Matrix form: layers whose equations are products of matrices, for one sample.

In: a `View`. Out: a section, or None where no layer has such a form. What is not plainly of that
form is left out, never guessed. Must not know: words, letters.
"""

from collections.abc import Iterator

from sympy import Expr, Indexed, KroneckerDelta, Mul, Pow, Sum, Symbol, exp

from bpderive.document.blocks import (
    Block,
    Equations,
    Heading,
    Number,
    Paragraph,
    Row,
    Section,
    Words,
)
from bpderive.document.layered.naming import heading
from bpderive.document.layered.view import View
from bpderive.document.mathematics import Matrix
from bpderive.document.request import Request
from bpderive.errors import UnsupportedError
from bpderive.forms.arrays import Apply, Leaf, MatMul, Node, Outer, lower
from bpderive.functions.conditions import Constant, merged
from bpderive.index import Equation, indices_of, label_of
from bpderive.stack.model import Place

AXES = 2
"""A matrix has."""
SOFTMAX = "softmax"
"""The function of the rows of a matrix."""


def matrices(view: View, _request: Request) -> Section | None:
    """Section 6: the forward equations and the results of each layer that has a matrix form."""
    blocks: list[Block] = []
    if not view.stack.samples:
        for place in view.stack.places:
            blocks += _layer(view, place)
    if not blocks:
        return None
    return Section("matrices", (Paragraph(Words("layered.matrices")), *blocks))


def _layer(view: View, place: Place) -> Iterator[Block]:
    """All equations of a layer, or none: a half would have no use."""
    names = view.names(place)
    outer = view.outer(place.number)
    own = [e.renamed(names) for e in place.module.equations]
    back = [e for at, e in view.derivation.numbered if at == place.number and e.label != outer]
    sent = [
        view.equations[view.sent(source)]
        for source in dict.fromkeys(place.sources)
        if view.consumers[source] == (place.number,) and view.sent(source) in view.equations
    ]
    found = [(equation, lowered(equation)) for equation in (*own, *back, *sent)]
    if any(node is None for _, node in found) or not any(_multiplies(n) for _, n in found):
        return
    yield Heading(heading(place, view.stack))
    yield Equations(tuple(_row(view, e, node) for e, node in found if node is not None))
    if any(_is_rows(node) for _, node in found):
        yield Paragraph(Words("layered.by_rows"))


def _is_rows(node: Node | None) -> bool:
    """Whether it is softmax of the rows of a matrix."""
    return isinstance(node, Apply) and node.name == SOFTMAX and len(node.axes) == AXES


def _row(view: View, equation: Equation, node: Node) -> Row:
    lhs = Leaf(equation.indices, equation.label)
    return Row(Matrix(lhs), Matrix(node), Number(view.numbers[equation.label]))


def lowered(equation: Equation) -> Node | None:
    """The right-hand side as an array expression; None where it has no plain one."""
    if len(equation.indices) > AXES or not _plain(equation):
        return None
    rows = _softmax(equation)
    if rows is not None:
        return rows
    try:
        return lower(equation.rhs, equation.indices)
    except UnsupportedError:
        return None


def _plain(equation: Equation) -> bool:
    """Whether it has matrices and vectors only, indices that are letters, and no conditions."""
    tensors = {equation.lhs, *equation.rhs.atoms(Indexed)}
    small = all(len(indices_of(t)) <= AXES and _letters(t) for t in tensors)
    return small and not equation.rhs.has(Constant, KroneckerDelta, merged)


def _letters(tensor: Expr) -> bool:
    indices = indices_of(tensor)
    letters = all(isinstance(i, Symbol) and str(i.name)[0] == "_" for i in indices)
    return letters and len(set(indices)) == len(indices)


def _softmax(equation: Equation) -> Node | None:
    """`exp(u_ts)/Σ_s exp(u_ts)` as softmax of the rows of u, or of a vector."""
    factors = Mul.make_args(equation.rhs)
    above = [f for f in factors if isinstance(f, exp)]
    below = [f.base for f in factors if isinstance(f, Pow) and f.exp == -1]
    if len(factors) != 2 or len(above) != 1 or len(below) != 1 or not isinstance(below[0], Sum):
        return None
    (argument,), last = above[0].args, equation.indices[-1]
    total, limits = below[0].function, below[0].limits
    bound = limits[0][0]
    if len(limits) != 1 or not isinstance(argument, Indexed):
        return None
    if total.xreplace({bound: last}) != above[0] or tuple(argument.indices) != equation.indices:
        return None
    return Apply(equation.indices, SOFTMAX, (Leaf(equation.indices, label_of(argument)),))


def _multiplies(node: Node | None) -> bool:
    """Whether a product of matrices or an outer product is in it."""
    if isinstance(node, MatMul | Outer):
        return True
    parts = (getattr(node, name, ()) for name in ("factors", "terms", "args", "arg", "base"))
    inner = (n for part in parts for n in (part if isinstance(part, tuple) else (part,)))
    return any(_multiplies(n) for n in inner if isinstance(n, Node))
