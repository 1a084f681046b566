"""The layers of a model while it is read: values that flow, and what could not be.

In: what a reader says of each node. Out: `Layer`s, `Problem`s. Must not know: any library of
models.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from bpderive.errors import Problem, quoted
from bpderive.grammar.layers import ADD, LAYERS
from bpderive.grammar.model import Item
from bpderive.grammar.model import Value as Argument
from bpderive.importers.model import Layer, Weight
from bpderive.modules.shapes import LETTERS

_KINDS = {
    "vector": "a vector",
    "signal": "channels and positions",
    "image": "an image",
    "sequence": "a sequence",
    "tokens": "tokens",
}


class Unread(Exception):  # noqa: N818 - no error yet: it is told with others
    """Why a node of the model cannot be read."""

    def __init__(self, reason: str, accepted: str = "") -> None:
        super().__init__(reason)
        self.accepted = accepted


def require(holds: object, reason: str, accepted: str = "") -> None:
    """Refuse what cannot be said.

    Raises:
        Unread: with the reason.
    """
    if not holds:
        raise Unread(reason, accepted)


@dataclass(frozen=True)
class Value:
    """What flows from node to node: the output of a layer (0: the input), seen in some way.

    `axes` are the letters of its kind in the order in which the model has them, `1` for an axis of
    one element that ours has not. The kind is empty where what gives it could not be read.
    """

    layer: int
    kind: str
    axes: tuple[str, ...]
    shape: tuple[int, ...]

    @property
    def lost(self) -> bool:
        """Whether it comes from what could not be read."""
        return not self.kind

    @property
    def plain(self) -> bool:
        """Whether its axes stand as ours do."""
        return self.lost or self.axes == standard(self.kind)

    @property
    def told(self) -> str:
        """In words."""
        return _KINDS.get(self.kind, "an array")


def shown(name: object) -> str:
    """A name of the model's, as a terminal can show it."""
    return quoted(name, 80)[1:-1]


LOST = Value(0, "", (), ())


def standard(kind: str) -> tuple[str, ...]:
    """The letters of a kind's axes in our order."""
    return ("n", *LETTERS[kind])


@dataclass
class Graph:
    """Layers so far, and problems with the names of their nodes."""

    layers: list[Layer] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    made: dict[tuple[Value, str], Value] = field(default_factory=dict)
    """Functions of single elements that are layers already, by what they are of."""

    def note(self, text: str) -> None:
        """Say something once."""
        if text not in self.notes:
            self.notes.append(text)

    def refuse(self, where: str, why: Unread) -> Value:
        """Note what cannot be read; what comes of it is lost."""
        self.problems.append(Problem(str(why), where, why.accepted))
        return LOST


@dataclass(frozen=True)
class Call:
    """One node: its name in the model and in its graph, what it takes and gives there."""

    name: str
    node: str
    what: str
    source: Value
    shape: tuple[int, ...]
    graph: Graph

    @property
    def where(self) -> str:
        """For messages: `rnn (LSTM)`."""
        return f"{self.name} ({self.what})"

    def of(self, source: Value) -> "Call":
        """The same node, for another of its inputs."""
        return replace(self, source=source)

    def layer(  # noqa: PLR0913 - what a layer has
        self,
        item: Item,
        weights: Iterable[Weight] = (),
        *,
        kind: str | None = None,
        axes: tuple[str, ...] | None = None,
        shape: tuple[int, ...] | None = None,
        sources: tuple[Value, ...] = (),
    ) -> Value:
        """Add a layer; `axes` is how the model has what comes out, where that is not our way.

        Raises:
            Unread: it cannot take what comes in.
        """
        sources = sources or (self.source,)
        if any(source.lost for source in sources):
            return LOST
        row = LAYERS.get(item.name, ADD)
        for source in sources:
            require(source.kind in row.takes, f"over {source.told}: {item.name} here takes no such")
            require(source.plain or axes, "axes are exchanged before it, which no layer here says")
        shape = self.shape if shape is None else shape
        given = sources[0].kind if kind is None else kind
        axes = standard(given) if axes is None else axes
        require(len(axes) == len(shape), f"gives {len(shape)} axes, and {len(axes)} are expected")
        sizes = dict(zip(axes, shape, strict=True))
        gives = tuple(sizes[letter] for letter in LETTERS[given])
        taken = dict(zip(sources[0].axes, sources[0].shape, strict=True))
        takes = tuple(taken.get(letter, 1) for letter in LETTERS[sources[0].kind])
        numbers = tuple(source.layer for source in sources)
        own = Layer(self.name, self.node, item, numbers, tuple(weights), takes, gives)
        self.graph.layers.append(own)
        return Value(len(self.graph.layers), given, axes, shape)


def item(
    name: str,
    args: Mapping[str, Argument] = MappingProxyType({}),
    *,
    bias: bool | None = None,
    activation: str | None = None,
) -> Item:
    """An item of some arguments."""
    return Item(name, tuple(args.items()), activation, bias)
