"""How large a formula may be: in text, in numbers, and in what comes out.

In: an expression. Out: whether, or by how much, it is within the bounds.
"""

from sympy import Expr, I, nan, oo, zoo

from bpderive.functions import select

MAX_LENGTH = 500
MAX_NODES = 200
MAX_DEPTH = 60
MAX_DIGITS = 40
MAX_EXPONENT = 32
MAX_DENOMINATOR = 100  # of an exponent: SymPy's time grows with it
MAX_SCALE = 40  # of a numeral's e-notation
MAX_BITS = 512  # of any constant that comes out
MAX_SIZE = 400  # nodes of what comes out: `max(u, v)` holds u and v twice, nested ones 4, 8 times
MAX_SLOPE = 1000  # nodes of a slope: a product of n factors has n terms of n factors
MAX_MIXED = 300  # with a sum over the layer: its slope is written down after every rule

EXPONENTS = (
    f"exponents from -{MAX_EXPONENT} to {MAX_EXPONENT}, at most two decimals or p/q, q <= 100"
)
UNREAL = (I, nan, zoo, oo, -oo)


def size_of(expr: Expr) -> int:
    """The number of nodes, as often as they are written: a condition stands in both cases."""
    sizes: dict[Expr, int] = {}

    def size(node: Expr) -> int:
        if node not in sizes:
            written = (*node.args, node.args[0]) if isinstance(node, select) else node.args
            sizes[node] = 1 + sum(map(size, written))
        return sizes[node]

    return size(expr)


def is_plain(exponent: Expr) -> bool:
    """Whether a rational exponent is within the bounds."""
    return abs(exponent) <= MAX_EXPONENT and getattr(exponent, "q", 1) <= MAX_DENOMINATOR
