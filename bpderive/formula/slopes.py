"""Whether the derivative of a formula can be written down.

In: the expression of a formula. Out: nothing, or a `SpecError`. Must not know: networks.
"""

from sympy import Dummy, Expr

from bpderive.differentiation import differentiate
from bpderive.errors import SpecError, quoted
from bpderive.formula.limits import MAX_MIXED, MAX_SLOPE, UNREAL, size_of
from bpderive.functions import scalar_symbol, total


def check_slopes(definition: Expr, name: str, text: str, *, flat: bool = False) -> None:
    """Refuse a formula whose derivative by a name cannot be written down.

    Args:
        definition: what `parse` made of the formula; a sum over the layer counts as a name too.
        name: the name to differentiate by.
        text: the formula, for messages.
        flat: whether a derivative that is 0 everywhere will do.

    Raises:
        SpecError: the derivative is 0, too long, or no finite real number.
    """
    sums = {node: Dummy(real=True) for node in definition.atoms(total)}
    parts = [part.xreplace(sums) for part in (definition, *(node.args[0] for node in sums))]
    names = (scalar_symbol(name), *sums.values())
    own, *inner = ([differentiate(part, symbol) for symbol in names] for part in parts)
    slopes = [slope for found in (own, *inner) for slope in found]
    where = f"formula {quoted(text, 60)}"
    if not flat and not any(own):
        message = f"its derivative by {name} is 0 everywhere, so that nothing could be learned"
        raise SpecError.single(message, where, "a formula that changes smoothly somewhere")
    if any(slope.has(*UNREAL) for slope in slopes):
        message = "its derivative is not a finite real number"
        raise SpecError.single(message, where, "a formula with a finite real derivative")
    if sum(map(size_of, slopes)) > (MAX_MIXED if sums else MAX_SLOPE):
        message = "its derivative is too long to be written down"
        raise SpecError.single(message, where, "fewer factors, or less nested inside each other")
