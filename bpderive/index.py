"""Index expressions: tensors, and equations between them.

In: nothing of a network. Out: `Tensor`, `Equation`, `Partial`, `Fresh`, `instantiate`
and `rename`, on SymPy's `Indexed`, `Sum` and `KroneckerDelta`.
Must not know: layers' meaning, letters of a textbook, words.

Two properties keep substitution safe. Every equation that enters an expression gets fresh bound
indices from a `Fresh` counter (SymPy's own `diff` and `subs` capture bound indices silently), and
the counter belongs to one derivation, so the result does not depend on what ran before.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from sympy import Expr, Indexed, IndexedBase, Integer, Sum, Symbol, Tuple, sympify

from bpderive.errors import DerivationError
from bpderive.functions.conditions import merged


@dataclass(frozen=True)
class Relative:
    """A layer named by its distance from the general layer: `l`, `l-1`, `l+1`."""

    offset: int

    def __str__(self) -> str:
        return "{l}" if self.offset == 0 else f"{{l{self.offset:+d}}}"


ONE = Integer(1)

LayerName = int | Relative | None
LABEL = re.compile(r"([A-Za-z]+(?:_[A-Za-z]+)*(?:\d+_)?)(\d+|\{l(?:[+-]\d+)?\})?")


@cache
def parse_label(label: str) -> tuple[str, LayerName]:
    """Split a reference label into its name and layer: `w{l+1}` → `("w", Relative(1))`."""
    match = LABEL.fullmatch(label)
    if match is None:
        raise DerivationError(f"not a label of a tensor: {label!r}")
    name, layer = match.groups()
    if layer is None:
        return name, None
    return name, Relative(int(layer[2:-1] or 0)) if layer.startswith("{") else int(layer)


@cache
def size_symbol(name: str) -> Symbol:
    """The symbol of a size that is not a number (`n0`, `N`, `n{l}`)."""
    return Symbol(name, integer=True, positive=True)


@dataclass(frozen=True)
class Axis:
    """A range of an index: 1 to `size`, which is an `Integer` or a symbol."""

    name: str
    size: Expr


@dataclass(frozen=True)
class Tensor:
    """A named quantity with its axes; `role` says what it is in the network."""

    name: str
    layer: LayerName
    axes: tuple[Axis, ...]
    role: str

    @property
    def label(self) -> str:
        """The reference text without indices: `w1`, `delta{l+1}`, `x`."""
        return self.name if self.layer is None else f"{self.name}{self.layer}"

    @property
    def sizes(self) -> tuple[Expr, ...]:
        """The range of each index."""
        return tuple(axis.size for axis in self.axes)

    def __getitem__(self, indices: tuple[Expr, ...]) -> Expr:
        return element(self.label, indices)


@cache
def base(label: str) -> IndexedBase:
    """The SymPy base of a tensor, made once a label.

    It is not declared real: that would cost 40 µs an element, and changes nothing, because a
    formula is simplified in real symbols before tensors are put into it.
    """
    return IndexedBase(Symbol(label))


def element(label: str, indices: tuple[Expr, ...]) -> Expr:
    """`w1[i,j]`; a tensor without axes is the plain symbol."""
    return Indexed(base(label), *indices) if indices else Symbol(label)


def label_of(quantity: Expr) -> str:
    """The label of an `Indexed` or of a scalar's symbol."""
    return str(quantity.base.label.name if isinstance(quantity, Indexed) else quantity.name)


def indices_of(quantity: Expr) -> tuple[Expr, ...]:
    """The indices of an `Indexed`, or of what a `Partial` differentiates by; none for a scalar."""
    if isinstance(quantity, Partial):
        return indices_of(quantity.denominator)
    return tuple(quantity.indices) if isinstance(quantity, Indexed) else ()


def letter_of(index: Symbol) -> str:
    """The letter that an index carries; empty where it has none."""
    return str(index.name).lstrip("_0123456789")


def parts_of(index: Expr) -> tuple[Expr, ...]:
    """The index, or those that it merges."""
    return index.parts if isinstance(index, merged) else (index,)


@dataclass
class Fresh:
    """The source of indices of one derivation: no two calls give the same symbol.

    An index may carry the letter that it would like to be printed with: `_17c`.
    """

    count: int = field(default=0)

    def __call__(self, letter: str = "") -> Symbol:
        """A new index."""
        self.count += 1
        return Symbol(f"_{self.count}{letter}", integer=True)

    def like(self, index: Symbol) -> Symbol:
        """A new index with the letter of another."""
        return self(letter_of(index))

    def many(self, number: int) -> tuple[Symbol, ...]:
        """As many new indices as asked for."""
        return tuple(self() for _ in range(number))


@dataclass(frozen=True)
class Equation:
    """`lhs = rhs`; the indices of `lhs` are free in `rhs`, all others are summed.

    `sizes` are the ranges of the free indices. Several indices may be read as one (`merged`): then
    each of them is free.
    """

    lhs: Expr
    rhs: Expr
    sizes: tuple[Expr, ...] = ()

    @property
    def label(self) -> str:
        """The label of the quantity that it defines."""
        return label_of(self.lhs)

    @property
    def indices(self) -> tuple[Expr, ...]:
        """The free indices."""
        return tuple(part for index in indices_of(self.lhs) for part in parts_of(index))

    def at(self, indices: Sequence[Expr]) -> Expr:
        """What it defines, at other indices."""
        if not self.indices:
            return self.lhs
        return self.lhs.xreplace(dict(zip(self.indices, indices, strict=True)))

    def renamed(self, names: Mapping[str, Expr | str]) -> "Equation":
        """The same equation with other labels and sizes."""
        sizes = tuple(rename(size, names) for size in self.sizes)
        return Equation(rename(self.lhs, names), rename(self.rhs, names), sizes)


class Partial(Expr):  # type: ignore[misc] # SymPy has no types
    """`∂numerator/∂denominator`, not yet worked out."""

    is_commutative = True

    @property
    def numerator(self) -> Expr:
        """What is differentiated."""
        return self.args[0]

    @property
    def denominator(self) -> Expr:
        """With respect to what."""
        return self.args[1]


def sum_over(body: Expr, index: Symbol, size: Expr) -> Expr:
    """`Σ_{index=1}^{size} body`, zero where the body is.

    Made without SymPy's own checks of limits, which cost ten times as much: ours are always
    symbols from 1 to a size. A sum in a sum becomes one with both limits, as in SymPy.
    """
    if body == 0:
        return body
    limits = (Tuple(index, ONE, sympify(size)),)
    if isinstance(body, Sum):
        body, limits = body.function, (*body.limits, *limits)
    made = Expr.__new__(Sum)
    made._args = (body, *limits)  # noqa: SLF001 - as AddWithLimits makes it
    made.is_commutative = body.is_commutative
    return made


def sum_all(body: Expr, indices: Sequence[Symbol], sizes: Sequence[Expr]) -> Expr:
    """The body summed over all these indices, the first outermost."""
    for index, size in reversed(list(zip(indices, sizes, strict=True))):
        body = sum_over(body, index, size)
    return body


def peel(expr: Sum) -> tuple[Expr, Symbol, Expr]:
    """The body, index and size of the outermost sum (SymPy merges nested sums into one)."""
    body, *inner, last = expr.args
    index, _, size = last.args
    for limit in inner:
        body = sum_over(body, limit.args[0], limit.args[2])
    return body, index, size


def rebuild(expr: Expr, args: list[Expr]) -> Expr:
    """The same node over new arguments; itself where nothing changed."""
    return expr if all(a is b for a, b in zip(args, expr.args, strict=True)) else expr.func(*args)


def refresh(expr: Expr, fresh: Fresh) -> Expr:
    """The same expression with new bound indices everywhere."""
    if not expr.has(Sum):
        return expr
    if isinstance(expr, Sum):
        body, index, size = peel(expr)
        new = fresh.like(index)
        return sum_over(refresh(body.xreplace({index: new}), fresh), new, size)
    return rebuild(expr, [refresh(arg, fresh) for arg in expr.args])


def instantiate(equation: Equation, indices: tuple[Expr, ...], fresh: Fresh) -> Expr:
    """The right-hand side at the given free indices, with bound indices of its own."""
    renewed = refresh(equation.rhs, fresh)  # first, or an index could meet a bound namesake
    return renewed.xreplace(dict(zip(equation.indices, indices, strict=True)))


def canonical(expr: Expr) -> Expr:
    """Bound indices numbered by their place, so that equal sums compare equal."""
    return refresh(expr, Fresh(1_000_000)) if expr.has(Sum) else expr


class Names(dict[str, Expr | str]):
    """How labels and sizes read at one place: `{"w{l}": "w3", "n{l}": Integer(2)}`.

    `done` keeps what was renamed already: the equations of a layer share most of their parts.
    """

    def __init__(self, table: Mapping[str, Expr | str]) -> None:
        super().__init__(table)
        self.done: dict[Expr, Expr] = {}


def rename(expr: Expr, names: Mapping[str, Expr | str]) -> Expr:
    """Tensors and sizes renamed by label."""
    names = names if isinstance(names, Names) else Names(names)
    if expr not in names.done:
        names.done[expr] = _renamed(expr, names)
    return names.done[expr]


def _renamed(expr: Expr, names: Names) -> Expr:
    if isinstance(expr, Symbol):
        new = names.get(expr.name, expr)
        return Symbol(new) if isinstance(new, str) else new
    if isinstance(expr, Indexed):
        label = label_of(expr)
        return element(str(names.get(label, label)), tuple(rename(i, names) for i in expr.indices))
    args = tuple(rename(arg, names) for arg in expr.args)
    return expr.func(*args) if args != expr.args else expr
