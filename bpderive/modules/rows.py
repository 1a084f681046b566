"""The catalogue of layers: which file of equations a layer means, and what its arguments are there.

In: an item, the shape that comes in. Out: `Resolved`, the file with its sizes and numbers; a
`SpecError` where the layer does not fit. A layer of the list is one row of `ROWS` here and one of
`grammar.LAYERS`. Must not know: what the equations say, gradients, what else is in the network.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from sympy import Expr, Rational

from bpderive import sources
from bpderive.checks import place
from bpderive.errors import SpecError
from bpderive.grammar.layers import LAYERS
from bpderive.grammar.model import Item, Multiple
from bpderive.locate import templates
from bpderive.modules.fitting import check_shape, check_window, divisor
from bpderive.modules.shapes import ONE, Shape, size

if TYPE_CHECKING:
    from fractions import Fraction

MAX_BYTES = 100_000
"""A file of equations may have."""


@dataclass(frozen=True)
class Resolved:
    """A file of equations (a name in `templates/layers`, or a user's path) and what it is told.

    `sizes` and `numbers` override those of the file; `activation` is what `act` stands for, None
    where the layer has none; `leading` are the letters of `*`; `gives` is the kind of shape that
    comes out, None where the file says it.
    """

    file: str
    own: bool = True
    sizes: Mapping[str, Expr] = field(default_factory=dict)
    numbers: Mapping[str, Rational] = field(default_factory=dict)
    activation: str | None = None
    bias: bool = False
    leading: tuple[str, ...] = ("n",)
    gives: str | None = None


@dataclass(frozen=True)
class Asked:
    """An item, the shape that comes in, and the features of the block around it."""

    item: Item
    shape: Shape
    width: Expr | None = None

    @property
    def where(self) -> str:
        """The place of the item, for messages."""
        return place(self.item.place)

    def size(self, name: str, default: object = None) -> Expr:
        """An argument as a size."""
        value = self.item.get(name)
        if isinstance(value, Multiple):
            return value.factor * (self.shape.features if self.width is None else self.width)
        return size(default if value is None else value)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """An argument that is true or false."""
        value = self.item.get(name)
        return default if value is None else value is True


Told = Callable[[Asked, Resolved], Resolved]


@dataclass(frozen=True)
class Row:
    """The file for each kind of shape (`*`: for all), and the symbol of each argument in it."""

    files: Mapping[str, str]
    sizes: Mapping[str, str] = field(default_factory=dict)
    numbers: tuple[str, ...] = ()
    told: Told | None = None


def _with(found: Resolved, suffix: str, **sizes: Expr) -> Resolved:
    return replace(found, file=found.file + suffix, sizes={**found.sizes, **sizes})


def _windowed(asked: Asked, found: Resolved) -> Resolved:
    """A window of two sides, and whether it fits; `K` alone means a square one."""
    kernel = asked.item.get("kernel")
    sides = [size(side) for side in (kernel if isinstance(kernel, tuple) else (kernel, kernel))]
    sides = sides[: len(asked.shape.positions)] if not isinstance(kernel, tuple) else sides
    check_window(
        asked.where, asked.shape, sides, asked.size("padding", 0), asked.size("dilation", 1)
    )
    sizes = {**found.sizes, **dict(zip("KL", sides, strict=False))}
    if "S" in sizes and len(sides) > 1 and asked.item.name != "conv":
        sizes["Q"] = sizes["S"]
    return replace(found, sizes=sizes)


def _grouped(asked: Asked, found: Resolved) -> Resolved:
    """`conv(out,kernel,groups=G)`: each group makes out/G channels of its own."""
    found, groups = _windowed(asked, found), asked.size("groups", 1)
    if groups == ONE:
        return replace(found, sizes={k: v for k, v in found.sizes.items() if k != "G"})
    divisor(asked.where, groups, asked.shape.features, "groups", "channels that come in")
    divisor(asked.where, groups, found.sizes["O"], "groups", "channels that go out")
    return _with(found, "_groups", O=found.sizes["O"] / groups)


def _inference(asked: Asked, found: Resolved) -> Resolved:
    return _with(found, "_inference") if asked.flag("inference") else found


def _truncated(_: Asked, found: Resolved) -> Resolved:
    return _with(found, "_truncated") if "B" in found.sizes else found


def _rate(asked: Asked, found: Resolved) -> Resolved:
    """What is dropped is not everything."""
    rate = found.numbers.get("rate", Rational(0))
    if rate >= 1:
        raise SpecError.single(f"a rate of {rate} drops everything", asked.where, "a rate below 1")
    return found


def _headed(asked: Asked, found: Resolved) -> Resolved:
    """One head, several, or none with weights; causal or not."""
    heads, causal = asked.size("heads", 1), "_causal" * asked.flag("causal")
    if not asked.flag("project", default=True):
        if heads != ONE or asked.item.tie is not None or asked.item.bias is not None:
            message = "attention without weights has one head, no biases, and nothing to be tied"
            raise SpecError.single(message, asked.where, "attention(project=false)")
        return _with(replace(found, bias=False), f"_plain{causal}")
    if heads == ONE:
        return _with(found, causal)
    divisor(asked.where, heads, asked.shape.features, "heads", "features")
    return _with(found, f"_heads{causal}", H=heads)


_PLACES = ("signal", "image")


def _by_rank(name: str, first: int = 1) -> Mapping[str, str]:
    return {kind: f"{name}{rank}d" for rank, kind in enumerate(_PLACES, first)}


_CONV = {"out": "O", "stride": "S", "padding": "P", "dilation": "D", "groups": "G"}
_WORDS = {"vocab": "V", "dim": "D"}
_FLAT = {**_by_rank("flatten", 2), "sequence": "flatten2d"}
_NORM = {"vector": "batchnorm0d", **_by_rank("batchnorm")}

ROWS: Mapping[str, Row] = MappingProxyType(
    {
        "dense": Row({"*": "dense"}, {"width": "I"}),
        "conv": Row(_by_rank("conv"), _CONV, told=_grouped),
        "maxpool": Row(_by_rank("maxpool"), {"stride": "S"}, told=_windowed),
        "avgpool": Row(_by_rank("avgpool"), {"stride": "S"}, told=_windowed),
        "globalpool": Row(_by_rank("globalpool")),
        "globalmaxpool": Row(_by_rank("globalmaxpool")),
        "flatten": Row(_FLAT),
        "embedding": Row({"*": "embedding"}, _WORDS),
        "embeddingbag": Row({"*": "embeddingbag"}, _WORDS),
        "batchnorm": Row(_NORM, numbers=("eps",), told=_inference),
        "layernorm": Row({"*": "layernorm"}, numbers=("eps",)),
        "rmsnorm": Row({"*": "rmsnorm"}, numbers=("eps",)),
        "dropout": Row({"*": "dropout"}, numbers=("rate",), told=_rate),
        "rnn": Row({"*": "rnn"}, {"units": "I", "truncate": "B"}, told=_truncated),
        "lstm": Row({"*": "lstm"}, {"units": "H", "truncate": "B"}, told=_truncated),
        "gru": Row({"*": "gru"}, {"units": "H", "truncate": "B"}, told=_truncated),
        "last": Row({"*": "last"}),
        "attention": Row({"*": "attention"}, told=_headed),
        "bilinear": Row({"*": "bilinear"}, {"out": "I"}),
        "activation": Row({"*": "activation"}),
        "add": Row({"*": "add"}),
    }
)
"""One row a layer; blocks are made of others, and a user's file is its own row."""


def resolve(
    item: Item,
    shape: Shape,
    spec_bias: bool,
    activation: str | None = None,
    width: Expr | None = None,
) -> Resolved:
    """The file of equations of an item, and what it is told.

    Args:
        item: a layer, no block.
        shape: what comes in.
        spec_bias: whether layers have biases that do not say it themselves.
        activation: the one that the layer has, the spec's options considered.
        width: the features of what comes into the block around it.

    Raises:
        SpecError: the layer cannot take what comes in, or its arguments do not fit it.
    """
    bias = spec_bias if item.bias is None else item.bias
    if item.file is not None:
        return _of_file(item, shape, bias, activation)
    check_shape(item, shape)
    row, asked = ROWS[item.name], Asked(item, shape, width)
    found = Resolved(
        file=row.files.get(shape.kind) or row.files["*"],
        sizes={row.sizes[name]: asked.size(name) for name, _ in item.args if name in row.sizes},
        numbers={name: _rational(value) for name, value in item.args if name in row.numbers},
        activation=activation,
        bias=bias and item.name in LAYERS and LAYERS[item.name].biased,
        leading=shape.leading,
        gives=(item.name in LAYERS and LAYERS[item.name].gives) or shape.kind,
    )
    return row.told(asked, found) if row.told else found


def _of_file(item: Item, shape: Shape, bias: bool, activation: str | None) -> Resolved:
    """A user's file: arguments of one capital letter are sizes, the others numbers."""
    given = {name: value for name, value in item.args if name != "file"}
    sizes = {name for name in given if len(name) == 1 and name.isupper()}
    for name in sorted(set(given) - sizes):
        if isinstance(given[name], str):
            message = f"{name} is a number of the file, and here is a name"
            raise SpecError.single(message, place(item.place), f"{name}=0.5")
    for name in sorted(sizes):
        if not isinstance(given[name], int | str):
            message = f"{name} is a size, and here is a fraction"
            raise SpecError.single(message, place(item.place), f"{name}=3")
    return Resolved(
        file=str(item.file),
        own=False,
        sizes={name: size(given[name]) for name in given if name in sizes},
        numbers={name: _rational(given[name]) for name in given if name not in sizes},
        activation=activation,
        bias=bias,
        leading=shape.leading,
    )


def _rational(value: "Fraction | object") -> Rational:
    return Rational(value)


def text(found: Resolved) -> tuple[str, str]:
    """The text of the file, and what messages call it.

    Raises:
        SpecError: a user's file cannot be read, or is too long.
    """
    if not found.own:
        return sources.read(found.file, "a file of equations", MAX_BYTES)
    path = templates() / "layers" / f"{found.file}.eq"
    return path.read_text("utf-8"), path.name
