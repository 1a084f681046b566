"""How large the derivatives of a network of any layers can be: its own equations, made majorants.

In: a `StackDerivation`. Out: for each named derivative a `LayerBound`. Nothing is written for any
kind of layer: each term and each factor of an equation counts by its size, a slope by its largest
size. What has no bound stays as its absolute value. Must not know: words, letters.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from sympy import Add, Expr, Indexed, Integer, KroneckerDelta, Mul, Pow, Sum, exp
from sympy.core.function import AppliedUndef

from bpderive.backprop import StackDerivation
from bpderive.catalog import Activation
from bpderive.flow.largest import largest, slope_bounds
from bpderive.functions import Abs, scalar_symbol
from bpderive.functions.conditions import bracket, first_largest
from bpderive.index import Equation, label_of
from bpderive.slopes.nodes import at_most

TESTS = (KroneckerDelta, bracket, first_largest, exp)
"""What is never negative."""


@dataclass(frozen=True)
class LayerBound:
    """`|left| <= right` of one named derivative of layer `number`; 0 is the network's input.

    `indices` are its free indices, of the ranges `sizes`. `exact` where both sides are equal;
    `parameter` where it is the gradient of a parameter.
    """

    number: int
    label: str
    indices: tuple[Expr, ...]
    sizes: tuple[Expr, ...]
    left: Expr
    right: Expr
    exact: bool
    parameter: bool

    @property
    def statement(self) -> Expr:
        """The inequality."""
        return at_most(self.left, self.right)


def layered_bounds(derivation: StackDerivation) -> tuple[LayerBound, ...]:
    """Of every named derivative, in the order of computation, parameters included."""
    majorants = Majorants(derivation)
    return tuple(_bound(majorants, number, one) for number, one in derivation.numbered)


def _bound(majorants: "Majorants", number: int, equation: Equation) -> LayerBound:
    right = majorants.of(equation.rhs)
    return LayerBound(
        number,
        equation.label,
        equation.indices,
        equation.sizes,
        Abs(equation.lhs),
        right,
        right == Abs(equation.rhs) or majorants.whole(equation.rhs),
        equation.label in majorants.gradients,
    )


@dataclass(frozen=True)
class Slope:
    """The closed form of a slope, at the indices of the equation of its activation."""

    labels: frozenset[str]
    indices: tuple[Expr, ...]
    form: Expr
    most: Expr

    def at(self, quantity: Indexed) -> Expr:
        """The closed form at the indices of one of its quantities."""
        return self.form.xreplace(dict(zip(self.indices, quantity.indices, strict=True)))


@dataclass(frozen=True)
class Majorants:
    """What is never smaller in size than the expressions of one derivation."""

    derivation: StackDerivation

    @cached_property
    def named(self) -> frozenset[str]:
        """The labels of all derivatives, whose sums are taken apart."""
        return frozenset(equation.label for equation in self.derivation.backward)

    @cached_property
    def gradients(self) -> frozenset[str]:
        """The labels of the gradients of parameters."""
        places = self.derivation.stack.places
        own = ((p, tensor) for p in places for tensor in p.module.of_role("parameter"))
        return frozenset(f"d{p.names.get(f'{t.name}{{l}}', t.name)}" for p, t in own)

    @cached_property
    def bounds(self) -> Mapping[str, Expr | None]:
        """By the name of a slope that is not written out, the most that it can be."""
        return slope_bounds(self.derivation.stack.activations)

    @cached_property
    def slopes(self) -> Mapping[str, tuple[Slope, ...]]:
        """By the label of an activation's value or argument, its slope's closed form."""
        found: dict[str, tuple[Slope, ...]] = {}
        for equation in self.derivation.forward:
            slope = _slope(equation, self.derivation.stack.activations)
            for label in slope.labels if slope is not None else ():
                found[label] = (*found.get(label, ()), slope)  # type: ignore[arg-type] # not None
        return found

    def of(self, expr: Expr) -> Expr:
        """The majorant of an expression: of a sum term by term, of a product factor by factor."""
        if isinstance(expr, Sum):
            return Sum(self.of(expr.function), *expr.limits)
        if isinstance(expr, Add) and not self._derives(expr):
            return Abs(expr)
        if isinstance(expr, Add):
            return Add(*map(self.of, expr.args))
        number, rest = self._bounded(expr)
        factors = (self.of(arg) if isinstance(arg, Add | Sum) else self._size(arg) for arg in rest)
        return Mul(number, *factors)

    def whole(self, expr: Expr) -> bool:
        """Whether the majorant of an expression is its size: a product without known slopes."""
        _, rest = self._bounded(expr)
        plain = not any(isinstance(arg, Sum) or self._split(arg) for arg in rest)
        return plain and Mul(*rest) == expr and not expr.has(AppliedUndef)

    def _split(self, expr: Expr) -> bool:
        return isinstance(expr, Add) and self._derives(expr)

    def _derives(self, expr: Expr) -> bool:
        """Whether derivatives stand in it."""
        return any(label_of(tensor) in self.named for tensor in expr.atoms(Indexed))

    def _bounded(self, expr: Expr) -> tuple[Expr, tuple[Expr, ...]]:
        """The largest sizes of the slopes among the factors, and the other factors."""
        number: Expr = Integer(1)
        for form, most in self._forms(expr):
            rest = _without(expr, form)
            while rest is not None:
                number, expr = number * most, rest
                rest = _without(expr, form)
        return number, Mul.make_args(expr)

    def _forms(self, expr: Expr) -> Iterator[tuple[Expr, Expr]]:
        """The slopes that may be among the factors, at the indices that stand there."""
        factors = (arg for arg in Mul.make_args(expr) if not isinstance(arg, Sum))
        tensors = {tensor for factor in factors for tensor in factor.atoms(Indexed)}
        for tensor in sorted(tensors, key=str):
            for slope in self.slopes.get(label_of(tensor), ()):
                yield slope.at(tensor), slope.most

    def _size(self, expr: Expr) -> Expr:
        if isinstance(expr, AppliedUndef):
            bound = self.bounds.get(expr.func.__name__)
            return Abs(expr) if bound is None else bound
        if isinstance(expr, Pow) and expr.exp.is_Rational and not expr.is_number:
            base = expr.base if expr.base.is_positive else Abs(expr.base)
            return Pow(base, expr.exp)
        positive = isinstance(expr, TESTS) or expr.is_positive
        return expr if positive else Abs(expr)


def _slope(equation: Equation, rows: Mapping[str, Activation]) -> Slope | None:
    """The slope of an equation `a[i] = f(z[i])`, where its largest size is known."""
    value, rhs = equation.lhs, equation.rhs
    row = rows.get(rhs.func.__name__) if isinstance(rhs, AppliedUndef) else None
    if row is None or not row.elementwise or not all(index.is_Symbol for index in value.args[1:]):
        return None
    most, argument = largest(row), rhs.args[0]
    if most is None or not isinstance(argument, Indexed) or argument.indices != value.indices:
        return None
    z, a = scalar_symbol("z"), scalar_symbol("a")
    form = row.slope_expr.xreplace({z: argument, a: value})
    labels = frozenset((label_of(value), label_of(argument)))
    return None if form.is_number else Slope(labels, tuple(value.indices), form, most)


def _without(product: Expr, factor: Expr) -> Expr | None:
    """The product divided by a factor that stands in it, above or below, else None."""
    have, want = product.as_powers_dict(), factor.as_powers_dict()
    if not all(_holds(have.get(base), power) for base, power in want.items()):
        return None
    left = dict(have)
    for base, power in want.items():
        left[base] = left[base] - power
    return Mul(*(Pow(base, power) for base, power in left.items()))


def _holds(have: Expr | None, want: Expr) -> bool:
    if have is None or not have.is_Integer or not want.is_Integer:
        return False
    return bool(have * want > 0 and abs(have) >= abs(want))
