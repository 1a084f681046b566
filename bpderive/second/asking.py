"""What is asked of second order: the methods that a derivation has for it.

In: `Equations`, references to elements. Out: SymPy expressions, equations. Must not know: layers.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping

from sympy import Expr
from sympy.core.function import AppliedUndef

from bpderive.catalog import Activation
from bpderive.differentiation import differentiate
from bpderive.errors import SpecError, quoted, suggest
from bpderive.functions import scalar_symbol, to_sympy
from bpderive.index import Equation
from bpderive.second.expanding import Element
from bpderive.second.model import Equations
from bpderive.second.products import hessian_product, jvp, vjp
from bpderive.second.scalars import hessian_entry

REFERENCE = re.compile(r"([A-Za-z]\w*)(?:\[([0-9, ]*)\])?")


class SecondOrder(ABC):
    """Second derivatives, and products with Hessian and Jacobian, of one sample's loss."""

    @property
    @abstractmethod
    def equations(self) -> Equations:
        """All equations of the derivation."""

    def hessian(self, first: str, second: str, form: str = "delta") -> Expr:
        """The second derivative of the loss of one sample by two elements of parameters.

        Args:
            first: such as `w1[1,2]`.
            second: another, or the same.
            form: `delta` (in the quantities of both passes) or `weights` (in x, y, parameters).

        Raises:
            SpecError: no such parameters or form.
            UnsupportedError: it would be too long, or a size is a symbol.
        """
        given = self.equations
        pair = [chosen(each, given.parameters, given) for each in (first, second)]
        return standard(hessian_entry(given, pair[0], pair[1], form), given.activations)

    def hessian_product(self) -> tuple[Equation, ...]:
        """The product of the Hessian with a direction `v_w1`, …: equations of `Hv_w1`, and so on.

        They read the quantities of the forward and of the backward pass by their names.
        """
        return hessian_product(self.equations)

    def jvp(self) -> tuple[Equation, ...]:
        """The change `t_a1`, … of every quantity along a direction `v_w1`, …, `v_x`."""
        return jvp(self.equations)

    def vjp(self) -> tuple[Equation, ...]:
        """The gradients `Jv_w1`, … of the outputs, weighted by `v_` and the output's name."""
        return vjp(self.equations)


def chosen(reference: str, table: Mapping[str, object], given: Equations) -> Element:
    """A label of a table, and the values of the indices.

    Raises:
        SpecError: there is no such quantity, or it has no such element.
    """
    match = REFERENCE.fullmatch(str(reference).strip())
    label = match.group(1) if match else ""
    if match is None or label not in table:
        known = ", ".join(given.parameters)
        hint = suggest(label, table)
        raise SpecError.single(f"no quantity {quoted(reference)}{hint}", accepted=known)
    at = tuple(int(k) for k in (match.group(2) or "").replace(" ", "").split(",") if k)
    shape = given.shapes[given.gradients.get(label, label)]
    inside = all(not s.is_Integer or 1 <= k <= s for k, s in zip(at, shape, strict=False))
    if len(at) != len(shape) or not inside or min(at, default=1) < 1:
        ends = ([1] * len(shape), shape)
        wanted = " to ".join(f"{label}[{','.join(map(str, end))}]" for end in ends)
        raise SpecError.single(
            f"no element {quoted(reference)}", accepted=wanted if shape else label
        )
    return label, at


def standard(expr: Expr, activations: Mapping[str, Activation]) -> Expr:
    """The same in SymPy's own functions, activations and their slopes by their formulas."""
    argument = scalar_symbol("z")

    def formula(node: Expr) -> Expr:
        name = node.func.__name__
        row = activations[name.rstrip("'")]
        found = row.definition
        for _ in range(len(name) - len(row.name)):
            found = differentiate(found, argument)
        return found.xreplace({argument: node.args[0]})

    return to_sympy(expr.replace(lambda node: isinstance(node, AppliedUndef), formula))
