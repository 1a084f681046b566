"""What a list of layers says, as a syntax tree.

In: nothing. Out: frozen data. Must not know: how it was written (text, TOML, Python), whether a
layer fits what comes before it, SymPy.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Union

from bpderive.checks import Path

if TYPE_CHECKING:
    from fractions import Fraction

Shapes = Literal["vector", "signal", "image", "sequence", "tokens"]
"""`vector` [n,c], `signal` [n,c,t], `image` [n,c,u,v], `sequence` [n,t,c], `tokens` [n,t]."""


@dataclass(frozen=True)
class Multiple:
    """A size as so many times the features of what comes into the block around the layer."""

    factor: int

    def __str__(self) -> str:
        return f"{self.factor}*width" if self.factor > 1 else "width"


Value = Union[int, str, bool, "Fraction", Multiple, tuple[int, int]]
"""Of an argument: a number, a symbolic size or another name, true or false, a pair `3x5`."""


@dataclass(frozen=True)
class Input:
    """What goes into the network; sizes as written: channels and rows, or steps and features."""

    kind: Shapes
    sizes: tuple[int | str, ...]

    @property
    def text(self) -> str:
        """As in `--layers`: `1x8x8`, `seq(5)x3`."""
        if self.kind in {"sequence", "tokens"}:
            return f"seq({self.sizes[0]})" + "".join(f"x{size}" for size in self.sizes[1:])
        return "x".join(map(str, self.sizes))


@dataclass(frozen=True)
class Item:
    """One item of the list: a layer, a block of layers, or a file of equations.

    `name` is a key of `LAYERS`, or `group` for `[…]`; `args` are those that were given, by name, in
    the order of the layer's signature. `bias` is None where the spec's holds. `tie` is the number
    of the layer whose parameters it uses. `inner` are the items of a block. `place` is where it was
    written, for messages; it does not count when items are compared.
    """

    name: str
    args: tuple[tuple[str, Value], ...] = ()
    activation: str | None = None
    bias: bool | None = None
    tie: int | None = None
    repeat: int = 1
    inner: tuple["Item", ...] = ()
    place: Path = field(default=(), compare=False)

    def get(self, name: str) -> Value | None:
        """The value of an argument, or None where it was not given."""
        return dict(self.args).get(name)

    @property
    def file(self) -> str | None:
        """The path of a file of equations."""
        return str(self.get("file")) if self.name == "equations" else None

    @property
    def text(self) -> str:
        """As in `--layers`, in one way of writing: `conv(4,3,padding=1):relu`."""
        count = f"*{self.repeat}" if self.repeat > 1 else ""
        if self.name == "activation":
            return (self.activation or self.name) + count
        return self._head() + (f":{self.activation}" if self.activation else "") + count

    def _head(self) -> str:
        if self.name == "group":
            return f"[{','.join(item.text for item in self.inner)}]"
        if self.name == "dense" and self.bias is None and self.tie is None:
            return str(self.get("width"))
        told = [*(item.text for item in self.inner), *self.told_args()]
        return (self.file or self.name) + (f"({','.join(told)})" if told else "")

    def told_args(self) -> Iterator[str]:
        """`4`, `3`, `padding=1`: the arguments and options in brackets."""
        from bpderive.grammar.layers import LAYERS

        required = LAYERS[self.name].required if self.name in LAYERS else ()
        for name, value in self.args:
            if name != "file":
                yield written(value) if name in required else f"{name}={written(value)}"
        if self.bias is not None:
            yield f"bias={written(self.bias)}"
        if self.tie is not None:
            yield f"tie={self.tie}"


def written(value: Value) -> str:
    """A value as in `--layers`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    if isinstance(value, int | str | Multiple):
        return str(value)
    return repr(float(value))
