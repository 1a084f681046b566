"""Which index a Kronecker delta decides, and in which order nested sums are taken for it.

In: a delta, or a nest of sums. Out: the value of an index, or the same nest in another order. Must
not know: rules, networks.

`Σ_i g_i Σ_k w_k δ(S(i-1)+k, p)` may give up i or k. The outer index goes, as in the textbook's
transposed convolution: `Σ_k w_k g[(p-k)/S+1]`, where a position that is no whole number, or out of
range, reads as zero.
"""

from sympy import Add, Expr, Indexed, KroneckerDelta, Mul, Sum, Symbol

from bpderive.index import Partial, indices_of, parts_of, peel, rebuild, sum_over


def solve(delta: Expr, index: Symbol, body: Expr) -> Expr | None:
    """The value of the index at which the delta is one.

    A coefficient other than ±1 is divided by only where something reads at the index, and so is
    zero between whole numbers.
    """
    difference = (delta.args[0] - delta.args[1]).expand()
    coefficient = difference.coeff(index)
    rest = difference - coefficient * index
    if coefficient == 0 or rest.has(index):
        return None
    if coefficient not in (1, -1):
        return _quotient(-rest, coefficient) if read_at(body, index) else None
    return -rest / coefficient


def _quotient(whole: Expr, by: Expr) -> Expr:
    """`(p - k + S)/S → (p - k)/S + 1`."""
    terms = [(term, term / by) for term in Add.make_args(whole.expand())]
    outside = [quotient for _, quotient in terms if quotient.is_integer]
    inside = [term for term, quotient in terms if not quotient.is_integer]
    return Add(*outside, Mul(1 / by, Add(*inside)))


def read_at(body: Expr, index: Symbol) -> bool:
    """Whether every term reads a tensor at the index itself: out of range, it is zero."""
    terms = Add.make_args(body)
    return all(any(_reads(factor, index) for factor in Mul.make_args(term)) for term in terms)


def _reads(factor: Expr, index: Symbol) -> bool:
    """Whether a factor vanishes wherever the index is out of range."""
    if isinstance(factor, Partial):
        return index in parts(factor.denominator)
    if isinstance(factor, Indexed):
        return index in parts(factor)
    if isinstance(factor, Sum):
        return read_at(factor.function, index)
    return isinstance(factor, Add) and read_at(factor, index)


def parts(tensor: Expr) -> tuple[Expr, ...]:
    """The indices of a tensor, those read as one apart."""
    return tuple(part for index in indices_of(tensor) for part in parts_of(index))


def exchanged(expr: Expr) -> Expr:
    """Sums exchanged where a delta between computed indices can decide an outer one."""
    if not expr.args or isinstance(expr, Indexed) or not expr.has(KroneckerDelta):
        return expr
    if isinstance(expr, Sum):
        limits, factors = _flat(expr)
        decided = _decided(limits, factors)
        if decided:
            rest = [limit for limit in limits if limit[0] not in decided]
            inner = [limit for limit in limits if limit[0] in decided]
            return _nest([*rest, *inner], Mul(*factors))
    return rebuild(expr, [exchanged(arg) for arg in expr.args])


Limit = tuple[Symbol, Expr]


def _flat(expr: Expr) -> tuple[list[Limit], list[Expr]]:
    """The sums of a nest, the outermost first, and all factors under them."""
    if isinstance(expr, Sum) and expr.has(KroneckerDelta):
        body, index, size = peel(expr)
        limits, factors = _flat(body)
        return [(index, size), *limits], factors
    if not isinstance(expr, Mul):
        return [], [expr]
    parts = [_flat(factor) for factor in expr.args]
    return [k for limits, _ in parts for k in limits], [f for _, fs in parts for f in fs]


def _decided(limits: list[Limit], factors: list[Expr]) -> set[Symbol]:
    """The indices that deltas between computed indices decide, an outer one before an inner one."""
    found: set[Symbol] = set()
    bound = [index for index, _ in limits]
    for delta in (f for f in factors if isinstance(f, KroneckerDelta)):
        present = [index for index in bound if delta.has(index)]
        rest = Mul(*(f for f in factors if f is not delta))
        if len(present) > 1:
            solvable = (k for k in present if k not in found and solve(delta, k, rest) is not None)
            found.update(k for k in [next(solvable, None)] if k is not None)
    return found


def _nest(limits: list[Limit], body: Expr) -> Expr:
    for index, size in reversed(limits):
        body = sum_over(body, index, size)
    return body
