"""Elements of tensors as views of arrays: slices, windows, reshapes, gathered rows.

In: an `Indexed` and the ranges of its indices. Out: an `Array` whose axes are those indices. Must
not know: what is done with it.
"""

from dataclasses import dataclass, field, replace
from typing import TypeVar

from sympy import Expr, Indexed, Integer, Symbol

from bpderive.errors import UnsupportedError
from bpderive.index import label_of
from bpderive.targets.arrays.block import Block
from bpderive.targets.arrays.model import Array, Window, atom, reshaped, subscript, union
from bpderive.targets.arrays.positions import (
    Affine,
    Parts,
    Position,
    Ranges,
    Token,
    Whole,
    position,
)
from bpderive.targets.arrays.sizes import whole
from bpderive.targets.layout import Code, Invoke, Text

Kind = TypeVar("Kind", bound=Position)


def access(tensor: Indexed, ranges: Ranges, block: Block) -> Array:
    """The array of a tensor's elements at all values of its indices.

    Raises:
        UnsupportedError: an index that no array form is known for.
    """
    label, indices = label_of(tensor), tensor.indices
    own = label
    if label in block.where:
        label, place, turn = block.where[label]
        indices = (*indices[:place], Integer(turn + 1), *indices[place:])
    shape = block.shapes[label]
    view = _View(block, ranges, label, Text(block.name(label)))
    pairs = list(zip(indices, shape.sizes, strict=True))
    if block.step is not None:
        pairs = view.now(pairs, own)
    view.axes = [position(e, ranges, size) for e, size in pairs]
    view.sizes = [size for _, size in pairs]
    return view.resolved()


@dataclass
class _View:
    """A view in the making; its axes are indices, or positions that are still to be resolved."""

    block: Block
    ranges: Ranges
    label: str
    code: Code
    axes: list[Position | Symbol] = field(default_factory=list)
    sizes: list[Expr] = field(default_factory=list)
    window: Window | None = None
    step: tuple[int, str] | None = None

    def now(self, pairs: list[tuple[Expr, Expr]], own: str) -> list[tuple[Expr, Expr]]:
        """Inside a loop: the axis that it goes along, at this step or at another."""
        step = self.block.step
        if step is None:
            return pairs
        places = [k for k, (e, _) in enumerate(pairs) if step.index in e.free_symbols]
        if not places:
            if self.label in step.inside:
                raise UnsupportedError(f"{self.label} is used in a loop before it is known")
            return pairs
        if len(places) > 1 or not (pairs[places[0]][0] - step.index).is_Integer:
            raise UnsupportedError(f"no NumPy form for {self.label} at {pairs[places[0]][0]}")
        (place,) = places
        shift = int(pairs[place][0] - step.index)
        if shift:
            self.code = Text(step.shifted[own, place, shift])
            return tensor_rest(pairs, place, own, self.block)
        self.step = (place, step.variable)
        return pairs[:place] + pairs[place + 1 :]

    def resolved(self) -> Array:
        """The array, when every axis is an index."""
        self.whole()
        self.windows()
        self.slices()
        for method in (self.token, self.other, self.parts):
            while method():
                pass
        axes = tuple(axis for axis in self.axes if isinstance(axis, Symbol))
        if len(set(axes)) == len(axes):
            return Array(self.code, axes, window=self.window, outer=self.outer)
        return self.diagonal(axes)

    @property
    def outer(self) -> Symbol | None:
        """The axis that lies first in memory; a view through windows is not told of it."""
        place = self.block.steps.get(self.label)
        if place is None or self.block.step is not None or isinstance(self.code, Invoke):
            return None
        axis = self.axes[place]
        return axis if isinstance(axis, Symbol) else None

    def diagonal(self, axes: tuple[Symbol, ...]) -> Array:
        """An index that stands twice: `np.einsum("aba->ab", w)` is a view."""
        kept = tuple(dict.fromkeys(axes))
        letters = {axis: chr(97 + k) for k, axis in enumerate(kept)}
        spelled = "".join(letters[axis] for axis in axes)
        spec = f'"{spelled}->{"".join(letters[axis] for axis in kept)}"'
        return Array(Invoke("np.einsum", (Text(spec), self.code)), kept)

    # --- Kinds of positions ---

    def whole(self) -> None:
        self.axes = [axis.index if isinstance(axis, Whole) else axis for axis in self.axes]

    def windows(self) -> None:
        """All axes that are seen through windows, or run beyond their ends, at once."""
        places = [
            (k, axis)
            for k, axis in enumerate(self.axes)
            if isinstance(axis, Affine) and not _is_slice(axis, self.sizes[k])
        ]
        if not places:
            return
        self.stepped()
        wide = [f"({k}, {axis.dilate})" for k, axis in places if axis.dilate > 1]
        if wide:
            self.block.helpers.add("dilated")
            self.code = Invoke("dilated", (self.code, *map(Text, wide)))
        self.block.helpers.add("windows")
        new = {k: _sorted(axis) for k, axis in places}
        texts = (_place(k, axis, new[k]) for k, axis in places)
        self.code = Invoke("windows", (self.code, *map(Text, texts)))
        axes: list[Position | Symbol] = []
        for k, axis in enumerate(self.axes):
            axes += [step[0] for step in new[k]] if k in new else [axis]
        self.replace_axes(axes)
        if any(len(steps) > 1 for steps in new.values()):
            key = (self.label, self.code.flat)
            kernels = tuple(step[0] for steps in new.values() for step in steps[1:])
            self.window = Window(key, self.label, kernels)

    def stepped(self) -> None:
        """Take the step of the loop by itself."""
        if self.step is not None:
            place, variable = self.step
            self.code, self.step = subscript(self.code, [*[":"] * place, variable]), None

    def slices(self) -> None:
        """Slices and single elements, in one pair of brackets."""
        items, axes = [], []
        for axis, size in zip(self.axes, self.sizes, strict=True):
            if not isinstance(axis, Affine):
                items.append(":")
                axes.append(axis)
                continue
            items.append(_slice(axis, size))
            axes += list(axis.indices)
        if self.step is not None:
            items.insert(*self.step)
        if any(item != ":" for item in items):
            while items[-1] == ":":
                items.pop()
            self.code = subscript(self.code, items)
        self.replace_axes(axes)

    def replace_axes(self, axes: list[Position | Symbol]) -> None:
        """New axes; the sizes of those that are still to be resolved stay known."""
        known = {id(axis): size for axis, size in zip(self.axes, self.sizes, strict=True)}
        self.sizes = [
            self.ranges[axis] if isinstance(axis, Symbol) else known[id(axis)] for axis in axes
        ]
        self.axes = axes

    def pending(self, kind: type[Kind]) -> tuple[int, Kind] | None:
        """The first axis with a position of exactly this kind."""
        found = ((k, axis) for k, axis in enumerate(self.axes) if type(axis) is kind)
        return next(found, None)

    def token(self) -> bool:
        """Rows that data tell: `E[x]`, tokens counted from 0."""
        found = self.pending(Token)
        if found is None:
            return False
        place, axis = found
        tokens = access(axis.tensor, self.ranges, self.block)
        code = whole_tokens(tokens.code, label_of(axis.tensor), self.block)
        self.gather(place, replace(tokens, code=code), "")
        return True

    def gather(self, place: int, index: Array, below: str) -> None:
        """The elements of one axis at an array of places."""
        if place == 0 and not below:
            self.code = subscript(self.code, [index.code.flat])
        elif not below:
            self.code = Invoke("np.take", (self.code, index.code, Text(f"axis={place}")))
        else:
            self.block.helpers.add("picked")
            args = (self.code, Text(str(place)), index.code)
            more = () if below == "1" else (Text(below),)
            self.code = Invoke("picked", (*args, *more))
        self.replace_axes([*self.axes[:place], *index.axes, *self.axes[place + 1 :]])

    def other(self) -> bool:
        """Any other position: its values as an array."""
        found = self.pending(Position)
        if found is None:
            return False
        place, expr = found[0], found[1].expr
        if expr.has(Indexed):
            raise UnsupportedError(f"no NumPy form for {self.label} at {expr}")
        above, below = (expr - 1).together().as_numer_denom()
        self.gather(place, places(above, self.ranges), str(below))
        return True

    def parts(self) -> bool:
        """An axis that several indices share."""
        found = self.pending(Parts)
        if found is None:
            return False
        place, indices = found[0], found[1].indices
        sizes = [whole(size).flat for size in self.sizes]
        inner = [whole(self.ranges[index]).flat for index in indices]
        self.code = reshaped(self.code, [*sizes[:place], *inner, *sizes[place + 1 :]])
        self.replace_axes([*self.axes[:place], *indices, *self.axes[place + 1 :]])
        return True


def tensor_rest(
    pairs: list[tuple[Expr, Expr]], place: int, own: str, block: Block
) -> list[tuple[Expr, Expr]]:
    """What remains of the axes at another step; a part of a whole has been taken there."""
    gone = {place, block.where[own][1]} if own in block.where else {place}
    return [pair for k, pair in enumerate(pairs) if k not in gone]


def whole_tokens(code: Code, label: str, block: Block) -> Code:
    """Tokens as positions from 0: data that are no tokens by their kind count from 0 as well."""
    return code if block.shapes[label].tokens else Text(f"{atom(code).flat}.astype(int)")


def places(expr: Expr, ranges: Ranges) -> Array:
    """The values of an expression of indices, over all of them."""
    indices = tuple(sorted(expr.free_symbols & set(ranges), key=lambda s: s.name))
    names = {}
    for index in indices:
        count = whole(ranges[index] + 1).flat
        names[index] = Array(Text(f"np.arange(1, {count})"), (index,)).at(indices).code
    return Array(whole(expr, names), union([Array(Text(""), indices)], indices))


def _is_slice(axis: Affine, size: Expr) -> bool:
    if axis.steps:
        return (
            len(axis.steps) == 1 and axis.dilate == 1 and axis.steps[0][2] > 0 and axis.inside(size)
        )
    return axis.dilate == 1 and axis.inside(size)


def _slice(axis: Affine, size: Expr) -> str:
    """`1:5`, `::2`, or the place of a single element."""
    if not axis.steps:
        last = axis.start == size - 1 and not size.is_Integer
        return "-1" if last else whole(axis.start).flat
    _, length, step = axis.steps[0]
    first = "" if axis.start == 0 else whole(axis.start).flat
    end = (axis.start + (length - 1) * step + 1).expand()
    stop = "" if (end - size).is_nonnegative else whole(end).flat
    return f"{first}:{stop}" + (f":{step}" if step > 1 else "")


def _sorted(axis: Affine) -> tuple[tuple[Symbol, Expr, int], ...]:
    """Positions first, then what runs along a window, which is shorter."""
    if all(length.is_Integer for _, length, _ in axis.steps):
        return tuple(sorted(axis.steps, key=lambda step: -int(step[1])))
    return axis.steps


def _place(place: int, axis: Affine, steps: tuple[tuple[Symbol, Expr, int], ...]) -> str:
    pairs = [f"({whole(length).flat}, {step})" for _, length, step in steps]
    return f"({', '.join([str(place), whole(axis.start).flat, *pairs])})"
