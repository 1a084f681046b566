"""The layers of a model as items: sums as residual blocks, shared weights as ties, equal runs.

In: `Layer`s that take each other's outputs. Out: items, and each layer with its number there; what
no list of items says is noted. Must not know: any library of models.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby

from bpderive.errors import Problem
from bpderive.grammar.model import Item
from bpderive.importers.graph import shown
from bpderive.importers.model import Layer, Placed

SUM = "add"


@dataclass(frozen=True)
class Block:
    """A sum: the number of its layer, and the paths from where they part."""

    at: int
    branch: tuple["int | Block", ...]
    skip: int | None


Part = int | Block


@dataclass
class Assembling:
    """Layers count from 1, as in `sources`; the placed ones are numbered as the grammar does."""

    layers: Sequence[Layer]
    problems: list[Problem] = field(default_factory=list)
    placed: list[Placed] = field(default_factory=list)
    seen: dict[tuple[object, ...], int] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)

    def items(self, output: int) -> tuple[Item, ...]:
        """The network that ends with a layer."""
        parts = tuple(self._chain(output, 0))
        found = () if self.problems else tuple(self._items(parts))
        self._unused(output)
        return compact(found)

    def layer(self, number: int) -> Layer:
        """By its number as it was found."""
        return self.layers[number - 1]

    # --- Where paths part and meet ---

    @cached_property
    def _before(self) -> list[int]:
        """What every path to a layer goes through last; 0 is the input."""
        before = [0]
        for layer in self.layers:
            one, *other = layer.sources
            line = set(_line(before, one))
            before.append(next(k for k in _line(before, other[0]) if k in line) if other else one)
        return before

    def _chain(self, end: int, start: int) -> list[Part]:
        """From `start`, which it does not hold, to `end`."""
        found: list[Part] = []
        while end != start:
            layer, fork = self.layer(end), self._before[end]
            found.append(self._block(end, fork) if layer.item.name == SUM else end)
            end = fork
        return found[::-1]

    def _block(self, at: int, fork: int) -> Block:
        first, second = (tuple(self._chain(k, fork)) for k in self.layer(at).sources)
        for branch, skip in ((first, second), (second, first)):
            if branch and not skip:
                return Block(at, branch, None)
        for branch, skip in ((first, second), (second, first)):
            (last, *more) = skip
            if not more and isinstance(last, int) and self._projects(last, at):
                return Block(at, branch, last)
        message = "both paths to the sum hold layers"
        accepted = (
            "a path without layers, or with one linear map: a Linear without bias, or a "
            "convolution by 1 without bias or padding"
        )
        self.problems.append(Problem(message, self.layer(at).name, accepted))
        return Block(at, first, None)

    def _projects(self, at: int, end: int) -> bool:
        """Whether a layer is what `residual(…,project)` has beside its branch."""
        layer, gives = self.layer(at), self.layer(end).gives
        args = dict(layer.item.args)
        if layer.item.bias or layer.item.name not in {"dense", "conv"}:
            return False
        if layer.item.name == "dense":
            return True
        strides = {-(-a // b) for a, b in zip(layer.takes[1:], gives[1:], strict=True)}
        plain = args.get("kernel") == 1 and not {"padding", "groups"} & set(args)
        return plain and strides == {args.get("stride", 1)}

    # --- Items, in the order of the numbers ---

    def _items(self, parts: tuple[Part, ...]) -> Iterator[Item]:
        waiting: Item | None = None
        for part in parts:
            own = self._residual(part) if isinstance(part, Block) else self._placed(part)
            if waiting is not None and own.name == "activation" and _takes(waiting, own):
                waiting = replace(waiting, activation=own.activation)
                self._fold(waiting)
                continue
            if waiting is not None:
                yield waiting
            waiting = own
        if waiting is not None:
            yield waiting

    def _fold(self, waiting: Item) -> None:
        """An activation after its colon is no layer of its own, but behind a residual block."""
        if waiting.name != "residual":
            self.placed.pop()

    def _residual(self, block: Block) -> Item:
        inner = tuple(self._items(block.branch))
        if block.skip is not None:
            self._placed(block.skip)
        self._placed(block.at)
        args = (("project", True),) if block.skip is not None else ()
        return Item("residual", args, inner=inner)

    def _placed(self, at: int) -> Item:
        layer, number = self.layer(at), len(self.placed) + 1
        shared = [w.parameters for w in layer.weights if w.parameters and not w.data]
        key = (layer.item.name, *shared)
        tied = self.seen.setdefault(key, number) if shared else number
        if tied == number:
            self._check_shared(layer)
        self.placed.append(Placed(number, layer, tied if tied != number else None))
        return replace(layer.item, tie=tied if tied != number else None)

    def _check_shared(self, layer: Layer) -> None:
        """That no part of the weights is that of another layer."""
        for name in dict.fromkeys(n for w in layer.weights if not w.data for n in w.parameters):
            other = self.used.setdefault(name, layer.name)
            if other != layer.name:
                message = f"its weights {shown(name)} are those of {other}"
                accepted = "weights shared with a layer of the same kind, all of them"
                self.problems.append(Problem(message, layer.name, accepted))

    def _unused(self, output: int) -> None:
        """Note what nothing uses, and what is used where no block says it."""
        if self.problems:
            return
        ends = {k for layer in self.layers for k in layer.sources} | {output}
        for at, layer in enumerate(self.layers, 1):
            times = sum(place.layer is layer for place in self.placed)
            if times == 0 and not self._folded(at):
                told = "" if at in ends else ", and nothing uses it"
                message = f"is computed beside the way to the output{told}"
                self.problems.append(Problem(message, layer.name, "a layer that the output needs"))
            elif times > 1:
                message = "its output goes more than one way, which do not meet in one sum"
                accepted = "blocks in each other, each with one sum at its end"
                self.problems.append(Problem(message, layer.name, accepted))

    def _folded(self, at: int) -> bool:
        """Whether an activation stands after its layer's colon."""
        layer = self.layer(at)
        source = layer.sources[0]
        before = self.layer(source).item if source else None
        known = any(place.layer is self.layers[source - 1] for place in self.placed)
        return (
            layer.item.name == "activation"
            and before is not None
            and known
            and _takes(before, layer.item)
        )


def _line(before: list[int], at: int) -> Iterator[int]:
    """What every path to a layer goes through, from itself to the input."""
    while at:
        yield at
        at = before[at]
    yield 0


def _takes(before: Item, activation: Item) -> bool:
    """Whether an activation may stand after the item's colon."""
    mixing = activation.activation in {"softmax", "log_softmax"}
    kinds = {"dense", "bilinear"} if mixing else {"dense", "bilinear", "conv", "residual"}
    fits = activation.activation != "log_softmax"
    return before.activation is None and before.name in kinds and fits


# --- Shorter ways of writing ---


def compact(items: Sequence[Item]) -> tuple[Item, ...]:
    """Transformers by their name, equal neighbours with a count."""
    items = tuple(_transformers(items))
    found: list[Item] = []
    for one, run in groupby(items):
        same = tuple(run)
        alone = any(item.tie is not None for item in (one, *one.inner))
        found += same if alone else [replace(one, repeat=one.repeat * len(same))]
    return tuple(found)


def _transformers(items: Sequence[Item]) -> Iterator[Item]:
    at = 0
    while at < len(items):
        block = _transformer(items[at : at + 2])
        yield block or items[at]
        at += 2 if block else 1


def _transformer(pair: Sequence[Item]) -> Item | None:
    """The item of two residual blocks that are `transformer(…)`, or None."""
    shapes = [[one.name for one in block.inner] for block in pair]
    if shapes != [["layernorm", "attention"], ["layernorm", "dense", "dense"]]:
        return None
    (first, attention), (second, up, down) = (block.inner for block in pair)
    every = (*pair, first, attention, second, up, down)
    plain = not (pair[0].args or pair[1].args or first.args or second.args)
    plain &= {one.activation for one in (*pair, down)} == {None} and up.activation is not None
    plain &= len({one.bias for one in (attention, up, down)}) == 1
    if not plain or any(one.tie is not None for one in every) or up.activation == "softmax":
        return None
    width, hidden = down.get("width"), up.get("width")
    assert isinstance(width, int)  # noqa: S101 - of a model, whose sizes are numbers
    heads = tuple((name, value) for name, value in attention.args if name == "heads")
    told = (("hidden", hidden),) if hidden != 4 * width else ()
    causal = tuple((name, value) for name, value in attention.args if name == "causal")
    if attention.get("project") is not None:
        return None
    own = None if up.activation == "relu" else up.activation
    return Item("transformer", (*heads, *told, *causal), own, attention.bias)
