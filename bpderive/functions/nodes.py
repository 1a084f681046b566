"""The nodes: functions of SymPy that stay as they are written, and know their derivative.

In: real SymPy expressions. Out: nodes; constants fold. Must not know what rewrites them.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import mpmath
import sympy
from sympy import Expr, Function, Integer, Rational, Symbol, log, nan

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
    _eval_derivative = Function._eval_derivative  # noqa: SLF001 - by `fdiff`, in every subclass

    def as_real_imag(self, deep: bool = True, **_hints: Any) -> tuple[Expr, Expr]:
        return self, Integer(0)

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


def _turned(u: Expr) -> bool:
    """Whether `-u` is the simpler: `f(-z)` is written `-f(z)` or `f(z)` where that is the same."""
    return bool(u.could_extract_minus_sign())


class tanh(_Scalar, sympy.tanh):  # type: ignore[misc] # SymPy has no types
    """`tanh(u)`, with `tanh' = 1 - tanh²`."""

    @classmethod
    def eval(cls, u: Expr) -> Expr | None:
        """`tanh(0) → 0`; `tanh(-u) → -tanh(u)`."""
        return Integer(0) if u == 0 else -cls(-u) if _turned(u) else None

    def fdiff(self, argindex: int = 1) -> Expr:
        """The slope."""
        return 1 - self**2


class sinh(_Scalar, sympy.sinh):  # type: ignore[misc] # SymPy has no types
    """`sinh(u)`, with `sinh' = cosh`."""

    @classmethod
    def eval(cls, u: Expr) -> Expr | None:
        """`sinh(0) → 0`; `sinh(-u) → -sinh(u)`."""
        return Integer(0) if u == 0 else -cls(-u) if _turned(u) else None

    def fdiff(self, argindex: int = 1) -> Expr:
        """The slope."""
        return cosh(self.args[0])


class cosh(_Scalar, sympy.cosh):  # type: ignore[misc] # SymPy has no types
    """`cosh(u)`, with `cosh' = sinh`."""

    is_positive = True

    @classmethod
    def eval(cls, u: Expr) -> Expr | None:
        """`cosh(0) → 1`; `cosh(-u) → cosh(u)`."""
        return Integer(1) if u == 0 else cls(-u) if _turned(u) else None

    def fdiff(self, argindex: int = 1) -> Expr:
        """The slope."""
        return sinh(self.args[0])


class sign(_Scalar, sympy.sign):  # type: ignore[misc] # SymPy has no types
    """`sign(u)`, the slope of `Abs`; its own is taken as 0."""

    @classmethod
    def eval(cls, u: Expr) -> Expr | None:
        """Fold a constant; `sign(-u) → -sign(u)`."""
        value = number(u) if u.is_number else nan
        if value.is_Number and value is not nan:
            return Integer(bool(value > 0) - bool(value < 0))
        return -cls(-u) if _turned(u) else None

    def fdiff(self, argindex: int = 1) -> Expr:
        """The slope."""
        return Integer(0)


class Abs(_Scalar, sympy.Abs):  # type: ignore[misc] # SymPy has no types
    """`Abs(u) = |u|`, with `Abs' = sign`."""

    is_nonnegative = True

    @classmethod
    def eval(cls, u: Expr) -> Expr | None:
        """Fold a constant and `| |u| |`; `|-2u| → 2|u|`."""
        value = number(u) if u.is_number else nan
        if value.is_Number and value is not nan:
            return -u if value < 0 else u
        if isinstance(u, cls):
            return u
        constant, rest = u.as_coeff_Mul()
        if constant not in (1, -1):
            return abs(constant) * cls(rest)
        return cls(-u) if _turned(u) else None

    def fdiff(self, argindex: int = 1) -> Expr:
        """The slope."""
        return sign(self.args[0])


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
        """Fold `xlogy(0, y)`; a constant y has its logarithm, whatever x is."""
        if x == 0:
            return Integer(0)
        return x * log(y) if y.is_number else None

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
    tanh: mpmath.tanh,
    sinh: mpmath.sinh,
    cosh: mpmath.cosh,
    sign: mpmath.sign,
    Abs: abs,
}
