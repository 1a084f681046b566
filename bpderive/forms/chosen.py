"""The quantity that a form is asked for: read, checked against the network, and its equation.

In: a `Derivation` and reference text. Out: a `Reference` that the network has, and the index
equation of its gradient. Must not know: any form.
"""

from sympy import Expr

from bpderive.derive import Derivation
from bpderive.errors import SpecError, quoted
from bpderive.index import Equation, rename
from bpderive.network import Network
from bpderive.reference import EXAMPLES, Reference, parse
from bpderive.weights import in_order

LETTERS = {"w": "w", "b": "b", "z": "z", "delta": "z", "a": "a", "p": "p"}
"""What a gradient may be asked for, and the tensor it is the derivative with respect to."""


def chosen(derivation: Derivation, text: str, *, whole: bool = False) -> Reference:
    """The reference of a text; where `whole`, a tensor without indices will do (`w1`).

    Raises:
        SpecError: no reference, or none that this network has a gradient of.
    """
    plain = text.replace(" ", "")
    reference = _whole(plain) if whole and "[" not in plain else None
    reference = reference or parse(text)
    _check(derivation.network, reference)
    return reference


def _whole(text: str) -> Reference | None:
    """The reference of a whole tensor: `w1` is read as `w1[1,2]` and loses its indices."""
    example = EXAMPLES.get(text.rstrip("0123456789"))
    if example is None or not example.indices:
        return None
    found = parse(text + str(Reference("", None, example.indices)))
    return Reference(found.name, found.layer)


def equation_of(derivation: Derivation, reference: Reference, *, batch: bool = False) -> Equation:
    """The index equation of the gradient with respect to a reference (`delta1` is that of `z1`)."""
    layer = derivation.network.depth if reference.layer is None else reference.layer
    return derivation.equation(LETTERS[reference.name], layer, batch=batch)


def forward_equation(network: Network, reference: Reference) -> Equation | None:
    """The forward equation of `z`, `a` (of a layer), `p` or `L`; None for x, y and parameters."""
    if reference.name not in ("z", "a", "p", "L"):
        return None
    layer = network.depth if reference.layer is None else reference.layer
    names = network.names(layer)
    key = reference.name if reference.layer is None else f"{reference.name}{{l}}"
    equation = network.graph(network.kind(layer)).by_label[key]
    return Equation(
        rename(equation.lhs, names),
        rename(equation.rhs, names),
        tuple(rename(size, names) for size in equation.sizes),
    )


def _check(network: Network, reference: Reference) -> None:
    """Refuse what the network does not have.

    Raises:
        SpecError: naming what there is.
    """
    if reference.name not in _letters(network):
        reason = "the network has no biases" if reference.name == "b" else "it is not derived"
        raise _refused(network, reference, reason)
    if reference.layer is not None and reference.layer > network.depth:
        raise _refused(network, reference, f"the layers are 1 to {network.depth}")
    for index, size in zip(reference.indices, _sizes(network, reference), strict=False):
        if size.is_Integer and index > size:
            ranges = _ranges(network, reference)
            raise _refused(network, reference, f"its indices run over {ranges}")


def _letters(network: Network) -> tuple[str, ...]:
    without = {"b": network.spec.bias, "p": network.stage is not None}
    return tuple(letter for letter in LETTERS if without.get(letter, True))


def _sizes(network: Network, reference: Reference) -> tuple[Expr, ...]:
    layer = network.layer(network.depth if reference.layer is None else reference.layer)
    if reference.name != "w":
        return (layer.width,)
    return in_order(network.spec.weights, layer.width, layer.inputs)


def _ranges(network: Network, reference: Reference) -> str:
    """`1 to 2, 1 to 3 (neuron, input)`."""
    ranges = ", ".join(f"1 to {size}" for size in _sizes(network, reference))
    roles = ", ".join(in_order(network.spec.weights, "neuron", "input"))
    return f"{ranges} ({roles})" if reference.name == "w" else ranges


def _refused(network: Network, reference: Reference, reason: str) -> SpecError:
    last = "" if network.depth == 1 else " to {letter}{depth}[..]"
    there = (
        "p[..]"
        if letter == "p"
        else f"{letter}1[..]{last.format(letter=letter, depth=network.depth)}"
        for letter in _letters(network)
    )
    message = f"no gradient for {quoted(str(reference))}: {reason}"
    return SpecError.single(message, accepted=", ".join(there))
