"""What an expectation is told with: means, variances, the quantities of a wide layer.

In: nothing. Out: expressions. Must not know: letters on paper, words.
"""

from sympy import Expr, Function, Symbol, sqrt

from bpderive.document.mathematics import Formula
from bpderive.index import element, size_symbol

MEAN, VARIANCE = Function("E"), Function("Var")
F, SLOPE = Function("f"), Function("f'")
I, J, K = (Symbol(f"_{letter}") for letter in "ijk")
Q, U = Symbol("q", positive=True), Symbol("u", real=True)
CHI, DEPTH, SCALE = Symbol("χ", positive=True), Symbol("d"), Symbol("ξ")
HERE, BELOW, ABOVE = (size_symbol(f"n{{{layer}}}") for layer in ("l", "l-1", "l+1"))
WIDTH = size_symbol("n")
WEIGHT, NEXT, BIAS = Symbol("w{l}"), Symbol("w{l+1}"), Symbol("b{l}")
ANY = Symbol("w")
GAIN = WIDTH * VARIANCE(ANY)
"""What a layer of n inputs multiplies mean squares by, its activation apart."""


def weighted_sum(layer: str = "{l}", index: Expr = I) -> Expr:
    """`z{l}[i]`."""
    return element(f"z{layer}", (index,))


def spread(variance: Expr) -> Expr:
    """A normal number of mean 0 and that variance."""
    return sqrt(variance) * U


def letters(**expressions: Expr) -> dict[str, Formula]:
    """Slots of a sentence."""
    return {name: Formula(expression) for name, expression in expressions.items()}
