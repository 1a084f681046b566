"""One entry of the Hessian of a small network, written out.

In: `Equations` with numbers for sizes, two elements of parameters. Out: a SymPy expression.
Must not know: layers.
"""

from sympy import Expr, Integer

from bpderive.errors import SpecError, UnsupportedError, quoted
from bpderive.forms.unrolled import element_symbol
from bpderive.second.expanding import Element, Expander
from bpderive.second.model import Equations
from bpderive.second.products import direction, hessian_product, product_of

FORMS = ("delta", "weights")


def hessian_entry(given: Equations, first: Element, second: Element, form: str = "delta") -> Expr:
    """`∂²L/∂first ∂second`, in the forward and backward quantities, or down to the weights.

    Args:
        given: the equations of a derivation.
        first: a parameter's label and the values of its indices.
        second: another.
        form: `delta` leaves z, a and delta as they are; `weights` writes them out.

    Raises:
        SpecError: an unknown form.
        UnsupportedError: a size is a symbol, or the entry would be too long.
    """
    if form not in FORMS:
        message = f"unknown form {quoted(form)} of a Hessian"
        raise SpecError.single(message, accepted=", ".join(FORMS))
    found = {e.label: e for e in hessian_product(given)}
    every = {e.label: e for e in (*given.forward, *given.backward)} if form == "weights" else {}
    at = element_symbol(direction(second[0]), second[1])
    values = {direction(name): {at: Integer(1)} for name in given.parameters}
    missing = (f"r_{name}" for name in given.shapes if f"r_{name}" not in found)
    values |= {name: {} for name in missing}
    expander = Expander({**found, **every}, _shapes(given), values)
    return expander.element(product_of(first[0]), first[1])


def numeric_shapes(given: Equations) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor.

    Raises:
        UnsupportedError: a size is a symbol.
    """
    unknown = sorted({str(s) for sizes in given.shapes.values() for s in sizes if not s.is_Integer})
    if unknown:
        raise UnsupportedError(
            f"to write sums out, {', '.join(unknown)} must be numbers: give the sizes"
        )
    return {label: tuple(int(size) for size in sizes) for label, sizes in given.shapes.items()}


def _shapes(given: Equations) -> dict[str, tuple[int, ...]]:
    shapes = numeric_shapes(given)
    names = {
        name: sizes
        for label, sizes in shapes.items()
        for name in (direction(label), product_of(label), f"r_{label}")
    }
    return {**shapes, **names}
