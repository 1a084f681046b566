"""A spec's items as layers in forward order, each with what comes into it.

In: a `Spec`, and after every layer the sizes of its output. Out: `Request`s, one a layer, or a
`SpecError`. Must not know: what the equations say, gradients.

    walk = Walk(spec)
    for request in walk:
        module = …read rows.text(request.resolved)…
        walk.tell(request, …the sizes of its output, without the samples…)
"""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, replace

from sympy import Expr

from bpderive.checks import place
from bpderive.errors import DerivationError, SpecError
from bpderive.grammar.expanding import opened
from bpderive.grammar.model import Item, Multiple
from bpderive.modules.rows import Resolved, resolve
from bpderive.modules.shapes import ONE, Shape, after, size
from bpderive.spec import PLAIN, Spec, plain

ALONE = Shape("other", ())
"""What comes into a file of equations that is the whole network."""
_FREE = frozenset("SP")


@dataclass(frozen=True)
class Request:
    """One layer to be built: its number, item and file; the numbers of the layers before it.

    `sources` has 0 for the network's input, and is empty for a file that is the whole network.
    `tied` is the number of the layer whose parameters it uses, which has parameters of its own.
    """

    number: int
    item: Item
    resolved: Resolved
    sources: tuple[int, ...]
    tied: int | None = None

    @property
    def where(self) -> str:
        """The place of the item, for messages."""
        return place(self.item.place)

    @property
    def row(self) -> str:
        """The name of the layer, or of the user's file."""
        return self.item.file or self.item.name


Steps = Generator[Request, None, int]
"""Of layers; what it ends with is the number of the last one."""


class Walk:
    """Goes through the layers once; `shapes` are those known so far, by number, 0 the input."""

    def __init__(self, spec: Spec) -> None:
        for name in PLAIN:
            plain(name, getattr(spec, name))
        self.spec = spec
        self.shapes: dict[int, Shape] = {}
        self._requests: dict[int, Request] = {}
        if spec.input is not None:
            self.shapes[0] = Shape.of_input(spec.input)

    def __iter__(self) -> Iterator[Request]:
        yield from self._items(self.spec.items, 0, None, last=True)

    def tell(self, request: Request, sizes: Iterable[Expr]) -> Shape:
        """Note the sizes of a layer's output, without the samples; its shape."""
        source = self.shapes[request.sources[0]].kind if request.sources else "other"
        kind = request.resolved.gives
        found = after(source, sizes) if kind is None else Shape(kind, tuple(map(size, sizes)))
        self.shapes[request.number] = found
        return found

    # --- Each of these ends with the number of its last layer ---

    def _items(
        self, items: tuple[Item, ...], source: int, block: Expr | None, *, last: bool
    ) -> Steps:
        for at, item in enumerate(items):
            for turn in range(item.repeat):
                final = last and at == len(items) - 1 and turn == item.repeat - 1
                source = yield from self._item(item, source, block, last=final)
        return source

    def _item(self, item: Item, source: int, block: Expr | None, *, last: bool) -> Steps:
        if item.name in {"group", "transformer"}:
            return (yield from self._items(opened(item), source, block, last=last))
        if item.name == "residual":
            return (yield from self._residual(item, source))
        return (yield from self._layer(item, (source,), block, last=last))

    def _residual(self, item: Item, source: int) -> Steps:
        """`f(x) + x`, or `f(x) + w x`; then the activation asked for."""
        width = self._shape(source).features
        branch = yield from self._items(item.inner, source, width, last=False)
        skip = source
        if item.get("project"):
            projection = self._projection(item, self._shape(source), self._shape(branch))
            skip = yield from self._layer(projection, (source,), None, last=False)
        self._check_sum(item, branch, skip)
        end = yield from self._layer(
            Item("add", place=item.place), (branch, skip), None, last=False
        )
        if item.activation is None:
            return end
        act = Item("activation", activation=item.activation, place=item.place)
        return (yield from self._layer(act, (end,), None, last=False))

    def _layer(
        self, item: Item, sources: tuple[int, ...], block: Expr | None, *, last: bool
    ) -> Steps:
        shapes = [self._shape(source) for source in sources]
        activation = self.spec.activation_of(item, last=last)
        item = _sized(item, shapes[0], block)
        resolved = resolve(item, shapes[0], self.spec.bias, activation, block)
        number = len(self._requests) + 1
        alone = self.spec.input is None
        request = Request(number, item, resolved, () if alone else sources, self._root(item))
        self._requests[number] = request
        if request.tied is not None:
            self._check_tie(request, self._requests[request.tied])
        yield request
        if number not in self.shapes:
            raise DerivationError(f"nobody told the sizes of layer {number}")
        return number

    # --- Shapes ---

    def _shape(self, number: int) -> Shape:
        return ALONE if self.spec.input is None and number == 0 else self.shapes[number]

    def _check_sum(self, item: Item, branch: int, skip: int) -> None:
        """That what is added has the same axes."""
        given, wanted = self._shape(branch), self._shape(skip)
        if given != wanted:
            message = f"the block gives {given}, and it is added to {wanted}"
            fits = given.kind == wanted.kind and not item.get("project")
            accepted = "residual(…,project)" if fits else "layers that keep the shape"
            raise SpecError.single(message, place(item.place), accepted)

    def _projection(self, item: Item, source: Shape, branch: Shape) -> Item:
        """A linear map of what comes in, to what the branch gives: `w x`, or a convolution by 1."""
        out = ("width", _value(branch.features))
        if source.kind not in {"signal", "image"}:
            return Item("dense", (out,), "linear", bias=False, place=item.place)
        stride = _stride(source, branch)
        args = (("out", out[1]), ("kernel", 1), *((("stride", stride),) if stride > 1 else ()))
        return Item("conv", args, "linear", bias=False, place=item.place)

    # --- Ties ---

    def _root(self, item: Item) -> int | None:
        """The layer that has the parameters, however long the chain of ties."""
        number = item.tie
        while number is not None and (further := self._requests[number].tied) is not None:
            number = further
        return number

    def _check_tie(self, request: Request, other: Request) -> None:
        """That the parameters have the same sizes."""
        if self._weights(request) != self._weights(other):
            message = f"its parameters have other sizes than those of layer {other.number}"
            accepted = f"what layer {other.number} has: {other.item.text}"
            raise SpecError.single(message, f"{request.where}, tie", accepted)

    def _weights(self, request: Request) -> tuple[object, ...]:
        """What the sizes of a layer's parameters depend on."""
        found, source = request.resolved, self._shape(request.sources[0])
        fed = None if request.item.name.startswith("embedding") else source.features
        free = _FREE | ({"D"} if request.item.name == "conv" else set())
        sizes = {name: value for name, value in found.sizes.items() if name not in free | {"B"}}
        return fed, tuple(sorted(sizes.items())), found.bias


def _sized(item: Item, shape: Shape, block: Expr | None) -> Item:
    """The item with its width in numbers, where it is a multiple of the block's."""
    if not any(isinstance(value, Multiple) for _, value in item.args):
        return item
    width = shape.features if block is None else block
    if not width.is_Integer:
        return item
    told = [(n, v.factor * int(width) if isinstance(v, Multiple) else v) for n, v in item.args]
    return replace(item, args=tuple(told))


def _value(width: Expr) -> int | str:
    return int(width) if width.is_Integer else str(width)


def _stride(source: Shape, branch: Shape) -> int:
    """The stride with which a convolution by 1 gives as many positions as the branch has."""
    lengths = zip(source.positions, branch.positions, strict=False)
    found = {-(-int(a) // int(b)) for a, b in lengths if a.is_Integer and b.is_Integer and b > 0}
    return found.pop() if len(found) == 1 else int(ONE)
