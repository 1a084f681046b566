"""The named functions: what each is by definition, and how its slope gets its closed form.

In: the argument of a function. Out: its definition, and the forms that lead from the derivative of
that definition to the closed form. To add a function, add a row. Must not know: rules, words.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sympy import Add, Expr, Integer, Mul, exp, log

from bpderive.functions import sigmoid, softplus, tanh


@dataclass(frozen=True)
class Form:
    """One more form of a slope: the reason's id, the factors in their order, what it names."""

    rule: str
    factors: tuple[Expr, ...]
    at: Expr | None = None

    @property
    def expr(self) -> Expr:
        """The product."""
        return Mul(*self.factors)


@dataclass(frozen=True)
class Known:
    """A named function."""

    definition: Callable[[Expr], Expr]
    forms: Callable[[Expr], tuple[Form, ...]]


def _sigmoid(u: Expr) -> tuple[Form, ...]:
    """`e/(1+e)² = 1/(1+e) · e/(1+e) = 1/(1+e) (1 - 1/(1+e))`."""
    e = exp(-u)
    one = 1 / (1 + e)
    more = Mul(Add(1 + e, -1, evaluate=False), one, evaluate=False)
    return (
        Form("split_product", (one, e * one)),
        Form("add_subtract", (one, more)),
        Form("split_sum", (one, 1 - one)),
        Form("name", (sigmoid(u), 1 - sigmoid(u)), sigmoid(u)),
    )


def _tanh(u: Expr) -> tuple[Form, ...]:
    """`((e+1/e)² - (e-1/e)²)/(e+1/e)² = 1 - ((e-1/e)/(e+1/e))²`."""
    above, below = exp(u) - exp(-u), exp(u) + exp(-u)
    return (
        Form("split_sum", (1 - (above / below) ** 2,)),
        Form("name", (1 - tanh(u) ** 2,), tanh(u)),
    )


def _softplus(u: Expr) -> tuple[Form, ...]:
    """`e/(1+e) = 1/(1/e + 1)`."""
    return (
        Form("reduce", (1 / (1 + exp(-u)),), exp(u)),
        Form("name", (sigmoid(u),), sigmoid(u)),
    )


KNOWN: Mapping[type[Expr], Known] = {
    sigmoid: Known(lambda u: Integer(1) / (1 + exp(-u)), _sigmoid),
    tanh: Known(lambda u: (exp(u) - exp(-u)) / (exp(u) + exp(-u)), _tanh),
    softplus: Known(lambda u: log(1 + exp(u)), _softplus),
}
