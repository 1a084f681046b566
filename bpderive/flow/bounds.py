"""How large a gradient can be: bounds factor by factor, along paths and layer by layer.

In: a `Derivation`. Out: statements `|u| <= v`. A slope that has no bound stays in the bound.
Must not know: words, letters.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sympy import Add, Expr, Indexed, Integer, KroneckerDelta, Mul, Pow, Sum, exp
from sympy.core.function import AppliedUndef

from bpderive.derive import Derivation
from bpderive.errors import UnsupportedError
from bpderive.flow.largest import JACOBIAN, UP, slope_bounds
from bpderive.flow.rounding import upward
from bpderive.flow.runs import Run, runs
from bpderive.forms.paths import Factor, path_factors
from bpderive.forms.routes import route_count, routes
from bpderive.forms.scalar import symbol_of
from bpderive.functions import Abs, select
from bpderive.index import Equation, Partial
from bpderive.reference import Reference
from bpderive.slopes.nodes import at_most

MOST = 4
"""With more paths, the bound of a weight is given layer by layer."""

DIGITS = 10
FACTORS = 36
SHORT = 6
"""A longer error stands as the derivative that it is."""

# --- Along paths ---


def weight_bound(derivation: Derivation, reference: Reference) -> Expr | None:
    """`|∂L/∂w| <= |error| (Σ over paths of |weights|) (slopes) |input|`; None: too many paths."""
    length = 2 * (derivation.network.depth - (reference.layer or 0)) + 3
    count = route_count(derivation.network, reference) if length < FACTORS else None
    if count is None or not count.is_Integer or count > MOST or count * length > FACTORS:
        return None
    try:
        paths = [
            path_factors(derivation, reference, route)
            for route in routes(derivation.network, reference)
        ]
    except UnsupportedError:  # the error at an output that mixes symbolically many neurons
        return None
    bounds = slope_bounds(derivation.network.activations)
    split = [_split(path, bounds) for path in paths]
    shared = set.intersection(*(set(factors) for factors, _, _ in split))
    common = [factor for factor in split[0][0] if factor in shared]
    rest = Add(*(Mul(*_without(factors, common), Abs(w)) for factors, w, _ in split))
    numbers = _written(split[0][2])
    left = Abs(Partial(paths[0][0].numerator, symbol_of(reference)))
    return at_most(left, Mul(numbers, *common, rest))


def _written(number: Expr) -> Expr:
    """A product of bounds: exact where that is short, else rounded up."""
    return number if len(str(number)) < DIGITS else upward(number, UP)


def _without(factors: list[Expr], common: list[Expr]) -> list[Expr]:
    return [factor for factor in factors if factor not in common]


def _split(
    path: tuple[Factor, ...], bounds: Mapping[str, Expr | None]
) -> tuple[list[Expr], Expr, Expr]:
    """The sizes of error, input and unbounded slopes; the weights' product; the known bounds."""
    sizes: list[Expr] = []
    weights, number = Integer(1), Integer(1)
    for factor in path:
        lower, upper = str(factor.denominator)[0], str(factor.numerator)
        if factor.slope is not None:
            bound = bounds[factor.slope.func.__name__]
            number, sizes = _bounded(number, sizes, bound, factor.slope)
        elif upper == "L" or lower in "wb":
            sizes += [Abs(_shown(factor))] if factor.value != 1 else []
        elif lower == "a":
            weights = weights * factor.value
        elif factor.value != 1:
            bound = JACOBIAN["softmax"] if _is_jacobian(factor) else None
            number, sizes = _bounded(number, sizes, bound, _shown(factor))
    return sizes, weights, number


def _is_jacobian(factor: Factor) -> bool:
    """Whether it is an element of a softmax's Jacobian: its outputs alone stand in it."""
    return all(symbol.name[0] == "a" for symbol in factor.value.free_symbols)


def _bounded(
    number: Expr, sizes: list[Expr], bound: Expr | None, slope: Expr
) -> tuple[Expr, list[Expr]]:
    return (number, [*sizes, Abs(slope)]) if bound is None else (number * bound, sizes)


def _shown(factor: Factor) -> Expr:
    """The factor, or the derivative that it is where it is long."""
    long = factor.value.count_ops() > SHORT or factor.value.has(select)
    return Partial(factor.numerator, factor.denominator) if long else factor.value


# --- Layer by layer ---


@dataclass(frozen=True)
class Bound:
    """`left <= right`; `exact` where they are equal."""

    left: Expr
    right: Expr
    exact: bool = False


def recurrence_bounds(derivation: Derivation) -> Iterator[tuple[Run, Bound, tuple[Expr, ...]]]:
    """`|δ_i| <= s Σ_k |w_ki| |δ_k|` for each run of layers, with its free indices."""
    network = derivation.network
    bounds = slope_bounds(network.activations)
    for run in reversed(runs(network)):
        found = derivation.at(run.first)
        for letter in "az":
            if letter in found and found[letter].named:
                equation = run.equation(network, found[letter].shown)
                last = run.last == network.depth
                yield run, _bound(equation, bounds, last=last), equation.indices


def _bound(equation: Equation, bounds: Mapping[str, Expr | None], *, last: bool) -> Bound:
    left, right = Abs(equation.lhs), equation.rhs
    if not last or right.has(Sum):
        return Bound(left, majorant(right, bounds))
    slopes = any(bounds.get(s.func.__name__) is not None for s in right.atoms(AppliedUndef))
    sizes = Mul(*(_size(factor, bounds) for factor in Mul.make_args(right)))
    return Bound(left, sizes, exact=not slopes)


def majorant(expr: Expr, bounds: Mapping[str, Expr | None]) -> Expr:
    """What is never smaller in size: each term and each factor by its own size."""
    if isinstance(expr, Sum):
        return Sum(majorant(expr.function, bounds), *expr.limits)
    if isinstance(expr, Add | Mul):
        return expr.func(*(majorant(arg, bounds) for arg in expr.args))
    return _size(expr, bounds)


def _size(expr: Expr, bounds: Mapping[str, Expr | None]) -> Expr:
    if isinstance(expr, AppliedUndef):
        bound = bounds.get(expr.func.__name__)
        return Abs(expr) if bound is None else bound
    if isinstance(expr, Pow) and isinstance(expr.base, Indexed):
        return Pow(Abs(expr.base), expr.exp)
    positive = isinstance(expr, KroneckerDelta | exp) or expr.is_positive
    return expr if positive else Abs(expr)
