"""What a quantity is in its network: its place among factors, its colour, its order in a text.

In: a label, and a `Notation` that knows the network's names. Out: a `Place`, a role, a key.
Must not know: any format, SymPy.

In a dense network a factor's place is its layer's. In any other network it is its role: derivatives
come first, then parameters, slopes and the other tensors, conditions, and what is summed last.
"""

from collections.abc import Callable, Mapping

from bpderive.index import LayerName, Relative
from bpderive.notation import Notation
from bpderive.notation.setting import ADJOINTS
from bpderive.render.colours import ROLES
from bpderive.render.pieces import STEP, TOP, Place

SUMMED, CONDITION, TENSOR, TARGET, SLOPE, PARAMETER, DERIVATIVE = (TOP + rank for rank in range(7))
GIVEN = frozenset(("y", "target"))
"""What the outputs are compared with."""
BIASES = frozenset(("b", "beta", "bias"))


def place_of(label: str, notation: Notation) -> Place:
    """Where a quantity stands among the factors of a product."""
    name, layer = notation.parsed(label)
    if not notation.general:
        return place(name, layer)
    if is_derivative(name, layer, notation):
        return Place(DERIVATIVE)
    if is_parameter(name, notation):
        return Place(PARAMETER)
    given = name in GIVEN and not notation.is_own(name, layer)
    return Place(TARGET if given else TENSOR, plain=True)


def is_derivative(name: str, layer: LayerName, notation: Notation) -> bool:
    """Whether it is a derivative of the loss with a name of its own."""
    if notation.is_own(name, layer):
        return False
    return bool(notation.by(name, layer)) or name.startswith(tuple(ADJOINTS))


def is_parameter(name: str, notation: Notation) -> bool:
    """Whether it is a parameter of a module."""
    return name in notation.setting.parameters


def kind_of(label: str, notation: Notation) -> str:
    """`bias` for what comes last in a sum."""
    name, _ = notation.parsed(label)
    head = name.partition("_")[0].rstrip("0123456789")
    if notation.general and not is_parameter(name, notation):
        return ""
    return "bias" if head in BIASES else ""


def key_of(label: str, notation: Notation) -> str:
    """What sorts quantities of one place: the order of the text, the name, the layer."""
    name, layer = notation.parsed(label)
    at = layer.offset + 1 if isinstance(layer, Relative) else layer or 0
    if not notation.general:
        return f"{name}{at:06d}"
    by = notation.by(name, layer) or name
    tensors = notation.setting.tensors
    order = tensors.index(by) if by in tensors else len(tensors)
    return f"{order:04d}{name}{at:06d}"


def role_of(label: str, notation: Notation) -> str | None:
    """The role whose colour a quantity has; None for the colour of the text."""
    name, layer = notation.parsed(label)
    if name in ROLES and not notation.is_own(name, layer):
        return ROLES[name]
    if is_parameter(name, notation):
        return "bias" if kind_of(label, notation) else "weight"
    return "error" if is_derivative(name, layer, notation) else None


def place(name: str, layer: LayerName) -> Place:
    """Where a quantity of a dense network stands between the input and the loss."""
    at = layer.offset if isinstance(layer, Relative) else layer or 0
    return PLACES[name](at) if name in PLACES else Place(TENSOR)


def _derivative(layer: int) -> Place:
    return Place(STEP * layer + 3, layer, up=True)


PLACES: Mapping[str, Callable[[int], Place]] = {
    "x": lambda _: Place(2, plain=True),
    "w": lambda layer: Place(STEP * layer, layer - 1),
    "b": lambda layer: Place(STEP * layer),
    "z": lambda layer: Place(STEP * layer + 1, plain=True),
    "a": lambda layer: Place(STEP * layer + 2, plain=True),
    "y": lambda _: Place(TOP, plain=True),
    "p": lambda _: Place(TOP - 1, plain=True),
    "delta": _derivative,
    "g": _derivative,
    "h": _derivative,
    **dict.fromkeys(("L", "S", "N", "n", "eta"), lambda _: Place(TOP)),
}
