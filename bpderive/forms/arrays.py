"""Index expressions as array expressions: where a sum is a matrix product, and where it is not.

In: the right-hand side of an equation, and the order of its free indices. Out: a tree of `Leaf`,
`Product`, `MatMul`, `Outer`, `Reduce` …, each with its axes; printers for LaTeX, SymPy matrices
and NumPy all read this one tree. Must not know: layers, letters, any target.

A sum over k of two factors that share k and nothing else is a matrix product. With `columns`,
tensors that carry the samples are laid out with the samples last; everything else follows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sympy import Add, Expr, Indexed, Integer, Mul, Pow, Sum, Symbol
from sympy import Function as SymPyFunction

from bpderive.errors import UnsupportedError
from bpderive.index import label_of, parse_label

Axes = tuple[Symbol, ...]
PARAMETERS = frozenset({"w", "b"})


@dataclass(frozen=True)
class Node:
    """An array with one axis for each index, in this order."""

    axes: Axes


@dataclass(frozen=True)
class Leaf(Node):
    """A tensor by its label."""

    label: str


@dataclass(frozen=True)
class Scalar(Node):
    """A number or a size; no axes."""

    value: Expr


@dataclass(frozen=True)
class Apply(Node):
    """A function of each element; `name` is the function's (`sigmoid`, `relu'`, `log`)."""

    name: str
    args: tuple[Node, ...]


@dataclass(frozen=True)
class Power(Node):
    """Each element to a constant power."""

    base: Node
    exponent: Expr


@dataclass(frozen=True)
class Product(Node):
    """Elementwise product; factors with fewer axes are repeated along the others."""

    factors: tuple[Node, ...]


@dataclass(frozen=True)
class Terms(Node):
    """Elementwise sum, with the same repetition."""

    terms: tuple[Node, ...]


@dataclass(frozen=True)
class MatMul(Node):
    """Sum over the last axis of `left` and the first of `right`."""

    left: Node
    right: Node


@dataclass(frozen=True)
class Outer(Node):
    """Every element of one vector times every element of the other."""

    left: Node
    right: Node


@dataclass(frozen=True)
class Transpose(Node):
    """A matrix with its two axes exchanged."""

    arg: Node


@dataclass(frozen=True)
class Reduce(Node):
    """The sum along the given axes of the argument."""

    arg: Node
    summed: Axes


def lower(expr: Expr, order: Axes, *, columns: bool = False) -> Node:
    """The array expression of an index expression, its axes in the order of `order`.

    Raises:
        UnsupportedError: at a node that has no array form.
    """
    return _Lowering(columns).node(expr, order)


@dataclass(frozen=True)
class _Lowering:
    columns: bool

    def node(self, expr: Expr, order: Axes) -> Node:
        if not expr.args or expr.is_number:
            return Scalar((), expr)
        for kind, method in METHODS:
            if isinstance(expr, kind):
                return method(self, expr, order)
        raise UnsupportedError(f"no array form for {expr}")

    def many(self, args: tuple[Expr, ...], order: Axes) -> tuple[Node, ...]:
        return tuple(self.node(arg, order) for arg in args)

    def leaf(self, expr: Expr, order: Axes) -> Node:
        """A tensor, transposed where its own layout is the other way round."""
        label, axes = label_of(expr), tuple(expr.indices)
        if self.columns and parse_label(label)[0] not in PARAMETERS:
            axes = axes[::-1]
        leaf = Leaf(axes, label)
        return leaf if axes == _sorted(axes, order) else Transpose(axes[::-1], leaf)

    def add(self, expr: Expr, order: Axes) -> Node:
        """A sum of terms; a common number stands in front: `2(a − y)`, not `2a − 2y`."""
        content, primitive = _common(expr)
        terms = self.many(textbook_terms(primitive), order)
        return _product((Scalar((), content), Terms(_union(terms, order), terms)), order)

    def power(self, expr: Expr, order: Axes) -> Node:
        """A constant power; one that varies is the function `power(base, exponent)`."""
        base, exponent = self.many(expr.args, order)
        if not isinstance(exponent, Scalar):
            return Apply(_union((base, exponent), order), "power", (base, exponent))
        return Power(base.axes, base, expr.exp)

    def function(self, expr: Expr, order: Axes) -> Node:
        args = self.many(expr.args, order)
        return Apply(_union(args, order), expr.func.__name__, args)

    def mul(self, expr: Expr, order: Axes) -> Node:
        """An outer product where the factors fall into two vectors, else elementwise."""
        factors = expr.as_ordered_factors()
        outer = self.outer(factors, order) if len(order) == 2 else None
        if outer is not None:
            return outer
        return _product(self.many(tuple(factors), order), order)

    def outer(self, factors: Sequence[Expr], order: Axes) -> Node | None:
        """`δ_i a_j → δ aᵀ`, or None where a factor has both indices or one index is missing."""
        sides = [[f for f in factors if _free(f, order) == {index}] for index in order]
        if not all(sides) or any(len(_free(f, order)) > 1 for f in factors):
            return None
        left, right = (self.node(Mul(*side), order) for side in sides)
        product = Outer(order, left, right)
        constant = tuple(Scalar((), f) for f in factors if not _free(f, order))
        return Product(order, (*constant, product)) if constant else product

    def sum(self, expr: Expr, order: Axes) -> Node:
        body, summed = expr.function, tuple(limit[0] for limit in expr.limits)
        product = self.contraction(body, summed[0], order) if len(summed) == 1 else None
        if product is not None:
            return product
        arg = self.node(body, self.natural(body, (*order, *summed)))
        return Reduce(tuple(a for a in arg.axes if a not in summed), arg, summed)

    def natural(self, body: Expr, axes: Axes) -> Axes:
        """The axes in the order of the first tensor that has them all, else as given."""
        tensors = sorted(body.atoms(Indexed), key=label_of)
        full = [t for t in tensors if set(t.indices) == set(axes)]
        return axes if not full else tuple(full[0].indices)[:: -1 if self.columns else 1]

    def contraction(self, body: Expr, index: Symbol, order: Axes) -> Node | None:
        """`Σ_k left[..k] right[k..]`, or None where the factors do not part that way."""
        factors = Mul.make_args(body)
        if len(factors) < 2 or any(index not in f.free_symbols for f in factors):
            return None
        first = next((i for i in order if any(i in f.free_symbols for f in factors)), None)
        left = [f for f in factors if first in f.free_symbols] if first else [factors[0]]
        right = [f for f in factors if f not in left]
        sides = [_free(Mul(*side), order) for side in (left, right)]
        if not right or sides[0] & sides[1] or any(len(side) > 1 for side in sides):
            return None
        return self.matmul(Mul(*left), Mul(*right), index, order)

    def matmul(self, left: Expr, right: Expr, index: Symbol, order: Axes) -> Node:
        one = self.node(left, (*(i for i in order if i in left.free_symbols), index))
        two = self.node(right, (index, *(i for i in order if i in right.free_symbols)))
        return MatMul(one.axes[:-1] + two.axes[1:], one, two)


def _common(expr: Expr) -> tuple[Expr, Expr]:
    """A number and what it multiplies, where that takes fewer digits than the sum as it is."""
    content, primitive = expr.primitive()
    shorter = _digits(primitive) + len(str(content)) < _digits(expr)
    return (content, primitive) if shorter else (Integer(1), expr)


def _digits(expr: Expr) -> int:
    """The length of the coefficients of a sum, a constant term's being one of them."""
    terms = [term.as_coeff_Mul() for term in Add.make_args(expr)]
    return sum(len(str(abs(number))) for number, rest in terms if abs(number) != 1 or rest == 1)


def _product(nodes: tuple[Node, ...], order: Axes) -> Node:
    """A product of factors none of which is a product, its numbers made one in front."""
    parts = [f for node in nodes for f in (node.factors if isinstance(node, Product) else (node,))]
    constant = Mul(*(p.value for p in parts if isinstance(p, Scalar) and p.value.is_number))
    rest = tuple(p for p in parts if not (isinstance(p, Scalar) and p.value.is_number))
    if constant != 1 or not rest:
        rest = (Scalar((), constant), *rest)
    return rest[0] if len(rest) == 1 else Product(_union(rest, order), rest)


def textbook_terms(expr: Expr) -> tuple[Expr, ...]:
    """The terms in reading order: positive before negative, products before single tensors."""
    return tuple(sorted(Add.make_args(expr), key=_term_key))


def _term_key(term: Expr) -> tuple[bool, bool, bool, str]:
    negative = term.as_coeff_Mul()[0].is_negative
    constant = term.is_number
    return (
        bool(negative),
        not term.has(Sum),
        not constant and isinstance(term, Indexed),
        str(term),
    )


def _free(expr: Expr, order: Axes) -> set[Symbol]:
    found: set[Symbol] = expr.free_symbols
    return found & set(order)


def _sorted(axes: Axes, order: Axes) -> Axes:
    return tuple(sorted(axes, key=order.index))


def _union(nodes: tuple[Node, ...], order: Axes) -> Axes:
    present = {axis for node in nodes for axis in node.axes}
    return tuple(axis for axis in order if axis in present)


METHODS: tuple[tuple[type, Callable[[_Lowering, Expr, Axes], Node]], ...] = (
    (Indexed, _Lowering.leaf),
    (Add, _Lowering.add),
    (Mul, _Lowering.mul),
    (Pow, _Lowering.power),
    (Sum, _Lowering.sum),
    (SymPyFunction, _Lowering.function),
)
