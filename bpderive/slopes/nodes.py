"""What stands in a derivation of a slope: a derivative not yet worked out, and a bound.

In: real expressions. Out: nodes that stay as they are. Must not know: rules, networks.
"""

from sympy import Expr


class primed(Expr):  # type: ignore[misc] # SymPy has no types
    """`(u)'`, the derivative of `u` by a variable, not yet worked out."""

    is_commutative = True
    is_real = True

    @property
    def expr(self) -> Expr:
        """What is differentiated."""
        return self.args[0]

    @property
    def variable(self) -> Expr:
        """With respect to what."""
        return self.args[1]


class at_most(Expr):  # type: ignore[misc] # SymPy has no types
    """The statement `left <= right`."""

    is_commutative = True

    @property
    def left(self) -> Expr:
        """The smaller side."""
        return self.args[0]

    @property
    def right(self) -> Expr:
        """The bound."""
        return self.args[1]


class norm(Expr):  # type: ignore[misc] # SymPy has no types
    """`‖array‖`: the norm of a whole tensor, by its label and the number of its axes.

    Of a matrix its largest singular value, of a vector its length.
    """

    is_commutative = True
    is_real = True
    is_nonnegative = True

    @property
    def label(self) -> str:
        """The label of the tensor."""
        return str(self.args[0].name)

    @property
    def axes(self) -> int:
        """How many axes it has."""
        return int(self.args[1])
