"""Whether a layer fits what comes before it.

In: an item, the shape that comes in. Out: nothing, or a `SpecError` that says what to put between
them. Must not know: equations, files.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sympy import Expr

from bpderive.checks import place
from bpderive.errors import SpecError
from bpderive.grammar.layers import ADD, LAYERS
from bpderive.grammar.model import Item
from bpderive.modules.shapes import Shape

_NEEDS: Mapping[str, str] = MappingProxyType(
    {
        "vector": "a vector",
        "signal": "channels and positions",
        "image": "channels and positions",
        "sequence": "a sequence",
        "tokens": "tokens",
    }
)
_INPUTS: Mapping[str, str] = MappingProxyType(
    {
        "vector": "8",
        "signal": "8x16",
        "image": "1x8x8",
        "sequence": "seq(5)x3",
        "tokens": "seq(5)",
    }
)
_BETWEEN: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("signal", "vector"): "flatten or globalpool before it",
        ("image", "vector"): "flatten or globalpool before it",
        ("sequence", "vector"): "last or flatten before it",
        ("tokens", "vector"): "embedding(vocab,dim) or embeddingbag(vocab,dim) before it",
        ("tokens", "sequence"): "embedding(vocab,dim) before it",
    }
)
"""What turns the first kind into the second."""


def check_shape(item: Item, shape: Shape) -> None:
    """That a layer takes such a shape.

    Raises:
        SpecError: it does not; `conv needs channels and positions (8x16 or 1x8x8), and here …`.
    """
    takes = LAYERS.get(item.name, ADD).takes
    if shape.kind in takes:
        return
    needs = " or ".join(dict.fromkeys(_NEEDS[kind] for kind in takes))
    told = " or ".join(_INPUTS[kind] for kind in takes)
    between = next((_BETWEEN[shape.kind, k] for k in takes if (shape.kind, k) in _BETWEEN), "")
    message = f"{item.name} needs {needs} ({told}), and here {_be(shape)}"
    accepted = f"put {between}" if between else f"an input such as {told}"
    raise SpecError.single(message, place(item.place), _batchnorm(item, shape) or accepted)


def _be(shape: Shape) -> str:
    told = str(shape)
    return f"{'is' if told.startswith('1 ') else 'are'} {told}"


def _batchnorm(item: Item, shape: Shape) -> str:
    """Norms that fit where others do not."""
    if item.name in {"layernorm", "rmsnorm"} and shape.kind in {"signal", "image"}:
        return "batchnorm, which takes channels; or flatten before it"
    fits = item.name == "batchnorm" and shape.kind == "sequence"
    return "layernorm, which takes sequences; or last before it" if fits else ""


def check_window(
    where: str, shape: Shape, sides: Sequence[Expr], padding: Expr, dilation: Expr
) -> None:
    """That a window has as many sides as there are positions, and is no longer than they are.

    Raises:
        SpecError: it does not fit.
    """
    if len(sides) != len(shape.positions):
        message = f"a window of {len(sides)} sides, and here {_be(shape)}"
        raise SpecError.single(message, where, "one size")
    for side, length in zip(sides, shape.positions, strict=True):
        reach, room = dilation * (side - 1) + 1, length + 2 * padding
        if (room - reach).is_negative:
            padded = " with the padding" if padding != 0 else ""
            message = f"a window of {reach} is longer than the {room} positions{padded}"
            raise SpecError.single(message, where, f"a window of at most {room}")


def divisor(where: str, parts: Expr, whole: Expr, what: str, of: str) -> None:
    """That so many groups or heads have equal shares.

    Raises:
        SpecError: they have not, or that cannot be told of a size without a number.
    """
    if not (whole / parts).is_integer:
        message = f"{whole} {of} cannot be divided among {parts} {what}"
        raise SpecError.single(message, where, f"a number of {what} that divides {whole}")
