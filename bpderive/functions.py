"""The scalar functions of formulas, beside SymPy's own (exp, log, tanh, erf, Abs, sign, ...).

In: real SymPy expressions. Out: opaque nodes that know their derivative and nothing else; they
stay as they are written, save that a constant folds. `stable` recognises them where a formula
overflows without them; `to_sympy` rewrites them into standard SymPy, for the oracle. Must
not know: networks, indices, letters, words.

No `Piecewise`, `Max` or `Heaviside` stands in the mathematics: SymPy simplifies them wrongly
under a `Sum` of deltas (sympy issue 27359).
"""

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import mpmath
from sympy import (
    Abs,
    Add,
    Expr,
    Function,
    Gt,
    Heaviside,
    Integer,
    Mul,
    Piecewise,
    Pow,
    Rational,
    Symbol,
    exp,
    log,
    nan,
    sign,
    tanh,
)

from bpderive.errors import DerivationError


@cache
def scalar_symbol(name: str) -> Symbol:
    """The symbol of a formula's variable: real, so that `Abs` and `sign` behave."""
    return Symbol(name, real=True)


def number(constant: Expr) -> Expr:
    """The value of a constant: itself, or a `Float`; 0 where no digit of it is significant.

    SymPy's own `is_positive` may compute minimal polynomials, without any bound on the time.
    """
    value = constant if constant.is_Rational else constant.evalf(15)
    no_digit = value.is_Float and value._prec == 1  # noqa: SLF001 - SymPy tells it only there
    return Integer(0) if no_digit else value


class _Scalar(Function):  # type: ignore[misc] # SymPy has no types
    """A real function of real arguments; SymPy takes its number from `NUMERIC`."""

    is_real = True

    def _eval_mpmath(self) -> tuple[Callable[..., Any], tuple[Expr, ...]]:
        return NUMERIC[self.func], self.args


class sigmoid(_Scalar):
    """`sigmoid(u) = 1/(1 + exp(-u))`, with `sigmoid' = sigmoid (1 - sigmoid)`."""

    nargs = 1
    is_positive = True

    @classmethod
    def eval(cls, u: Expr) -> Expr | None:
        """Fold `sigmoid(0)`."""
        return Rational(1, 2) if u.is_Number and u.is_zero else None

    def fdiff(self, argindex: int = 1) -> Expr:
        """The slope."""
        return self * (1 - self)


class softplus(_Scalar):
    """`softplus(u) = log(1 + exp(u))`, with `softplus' = sigmoid`."""

    nargs = 1
    is_positive = True

    @classmethod
    def eval(cls, u: Expr) -> Expr | None:
        """Fold `softplus(0)`."""
        return log(2) if u.is_Number and u.is_zero else None

    def fdiff(self, argindex: int = 1) -> Expr:
        """The slope."""
        return sigmoid(self.args[0])


class select(_Scalar):
    """`select(u, p, q) = p if u > 0 else q`, with `select' = select(u, p', q')`: a kink has q'."""

    nargs = 3

    @classmethod
    def eval(cls, u: Expr, p: Expr, q: Expr) -> Expr | None:
        """Take the branch of a constant condition, or the value of two equal branches."""
        if p == q:
            return p
        value = number(u) if u.is_number else nan
        return None if not value.is_Number or value is nan else (p if value > 0 else q)

    def fdiff(self, argindex: int = 1) -> Expr:
        """The partial slope: 0 in the condition, the indicator of its side in a branch."""
        return select(self.args[0], Integer(argindex == 2), Integer(argindex == 3))

    def _eval_derivative(self, symbol: Symbol) -> Expr:
        u, p, q = self.args
        return select(u, p.diff(symbol), q.diff(symbol))


class xlogy(_Scalar):
    """`xlogy(x, y) = x log(y)`, and 0 where `x = 0`; the slope in y is `x/y`."""

    nargs = 2

    @classmethod
    def eval(cls, x: Expr, y: Expr) -> Expr | None:
        """Fold `xlogy(0, y)` and `xlogy(x, 1)`."""
        return Integer(0) if (x.is_Number and x.is_zero) or y == 1 else None

    def fdiff(self, argindex: int = 1) -> Expr:
        """The partial slope."""
        x, y = self.args
        return log(y) if argindex == 1 else x / y


class total(_Scalar):
    """`total(u) = sum of u over the whole layer`; an index expression must replace it."""

    nargs = 1
    is_number = False

    def _eval_evalf(self, prec: int) -> None:
        return None

    def fdiff(self, argindex: int = 1) -> Expr:
        """Refuse: the slope of a sum over the layer is no scalar."""
        raise DerivationError(f"{self} depends on the whole layer: it has no scalar slope")


def signum(u: Expr) -> Expr:
    """The sign, with slope 0 everywhere: SymPy's own has a Dirac delta for a slope."""
    return select(u, Integer(1), select(-u, Integer(-1), Integer(0)))


def maximum(u: Expr, v: Expr) -> Expr:
    """The larger; at a tie a constant's slope 0 holds, else that of the second."""
    u, v = (v, u) if u.is_number else (u, v)
    return select(u - v, u, v)


def minimum(u: Expr, v: Expr) -> Expr:
    """The smaller; at a tie a constant's slope 0 holds, else that of the second."""
    u, v = (v, u) if u.is_number else (u, v)
    return select(v - u, u, v)


NUMERIC: Mapping[type[Function], Callable[..., Any]] = {
    sigmoid: lambda u: 1 / (1 + mpmath.exp(-u)),
    softplus: lambda u: mpmath.log1p(mpmath.exp(u)),
    select: lambda u, p, q: p if u > 0 else q,
    xlogy: lambda x, y: x * mpmath.log(y) if x else x,
}


def _choice(u: Expr, p: Expr, q: Expr) -> Expr:
    """`p if u > 0 else q`, by a Heaviside step where SymPy would combine nested conditions.

    Unevaluated, as are `Abs` and `sign`: SymPy asks what is known of the argument, in a time that
    is exponential in its depth.
    """
    if not u.has(Piecewise):
        return Piecewise((p, Gt(u, 0, evaluate=False)), (q, True), evaluate=False)
    return q + (p - q) * Heaviside(u, 0, evaluate=False)


STANDARD: Mapping[type[Function], Callable[..., Expr]] = {
    sigmoid: lambda u: 1 / (1 + exp(-u)),
    softplus: lambda u: log(1 + exp(u)),
    select: _choice,
    xlogy: lambda x, y: x * log(y),
    Abs: lambda u: Abs(u, evaluate=False),
    sign: lambda u: sign(u, evaluate=False),
}


def to_sympy(expr: Expr, values: Mapping[Expr, Expr] = MappingProxyType({})) -> Expr:
    """The same expression in SymPy's own functions, symbols replaced by values that already are.

    Only `total` has no such form and stays.
    """
    if not expr.args:
        return values.get(expr, expr)
    args = [to_sympy(arg, values) for arg in expr.args]
    return STANDARD.get(expr.func, expr.func)(*args)


# --- Stable atoms ---


def stable(expr: Expr) -> Expr:
    """The same function without overflow: `log(1+exp(u))`, `1/(1+exp(-u))` and their like."""
    if not expr.args:
        return expr
    args = [stable(arg) for arg in expr.args]
    if any(new is not old for new, old in zip(args, expr.args, strict=True)):
        expr = expr.func(*args)
    return STABLE[expr.func](expr) if expr.func in STABLE else expr


def _one_and(expr: Expr) -> Expr | None:
    """`1 + t → t`, for a sum of two terms."""
    if not isinstance(expr, Add) or len(expr.args) != 2 or expr.args[0] != 1:
        return None
    return expr.args[1]


def _stable_log(expr: Expr) -> Expr:
    """`log(1+exp(u)) → softplus(u)`; `log(σ(u)) → -softplus(-u)`; `log(1-σ(u)) → -softplus(u)`."""
    inner = expr.args[0]
    term = _one_and(inner)
    if isinstance(inner, sigmoid):
        return -softplus(-inner.args[0])
    if isinstance(term, exp):
        return softplus(term.args[0])
    if term is not None and isinstance(-term, sigmoid):
        return -softplus((-term).args[0])
    return expr


def _stable_power(expr: Expr) -> Expr:
    """`(1+exp(u))^-n → σ(-u)^n`."""
    term = _one_and(expr.base)
    if isinstance(term, exp) and expr.exp.is_Rational and expr.exp < 0:
        return sigmoid(-term.args[0]) ** -expr.exp
    return expr


def _stable_product(expr: Expr) -> Expr:
    """A product with the first of its unstable quotients replaced, and so on to the last."""
    for rule in (_sigmoid_quotient, _tanh_quotient, _tanh_from_sigmoid):
        new = rule(expr)
        if new is not None:
            return _stable_product(new) if isinstance(new, Mul) else new
    return expr


def _sigmoid_quotient(expr: Expr) -> Expr | None:
    """`exp(-m u) σ(u)^n → exp((k-m) u) σ(u)^(n-k) σ(-u)^k`, with k the smaller of m and n."""
    for factor in expr.args:
        base, n = factor.as_base_exp()
        for other in expr.args if isinstance(base, sigmoid) else ():
            u = base.args[0]
            m = -other.args[0] / u if isinstance(other, exp) else Integer(0)
            if m.is_Integer and n.is_Integer and m > 0 and n > 0:
                k = min(m, n)
                rest = [arg for arg in expr.args if arg not in (factor, other)]
                return Mul(*rest, exp(other.args[0] + k * u), base ** (n - k), sigmoid(-u) ** k)
    return None


def _tanh_quotient(expr: Expr) -> Expr | None:
    """`(exp(u) - exp(-u))/(exp(u) + exp(-u)) → tanh(u)`."""
    for factor in expr.args:
        base, exponent = factor.as_base_exp()
        if exponent != -1 or not isinstance(base, Add) or len(base.args) != 2:
            continue
        for first, second in (base.args, base.args[::-1]):
            if isinstance(first, exp) and 1 / first == second and first - second in expr.args:
                return expr / (first - second) * base * tanh(first.args[0])
    return None


def _tanh_from_sigmoid(expr: Expr) -> Expr | None:
    """`(1 - exp(-u)) σ(u) → tanh(u/2)`, of either sign."""
    for factor in (f for f in expr.args if isinstance(f, sigmoid)):
        u = factor.args[0]
        for factor_sign, numerator in ((1, 1 - exp(-u)), (-1, exp(-u) - 1)):
            if numerator in expr.args:
                return expr / numerator / factor * factor_sign * tanh(u / 2)
    return None


STABLE: Mapping[type[Expr], Callable[[Expr], Expr]] = {
    log: _stable_log,
    Pow: _stable_power,
    Mul: _stable_product,
}
