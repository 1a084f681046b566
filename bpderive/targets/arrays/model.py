"""Arrays in the making: expressions of NumPy whose axes are named by indices.

In: nothing. Out: `Array`, and how arrays are brought to the axes of others. Must not know:
equations, tensors.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

from sympy import Symbol

from bpderive.targets.layout import ATOM, Brackets, Code, Invoke, Member, Text

Axes: TypeAlias = tuple[Symbol, ...]


@dataclass(frozen=True)
class Window:
    """A view of a tensor whose axes run over windows: what is copied once, and used again.

    `key` tells equal views apart from others; `kernels` are the short axes, along a window.
    """

    key: tuple[object, ...]
    label: str
    kernels: Axes


@dataclass(frozen=True)
class Array:
    """An expression and its axes; a mask is true or false, and no number yet."""

    code: Code
    axes: Axes = ()
    mask: bool = False
    window: Window | None = None
    outer: Symbol | None = None
    """The axis that lies first in memory, where that is not the first one."""

    def at(self, axes: Axes) -> "Array":
        """The same with its axes in the order in which they stand there, the others of length 1."""
        kept = tuple(axis for axis in axes if axis in self.axes)
        found = self.transposed(kept)
        first = next((k for k, axis in enumerate(axes) if axis in kept), len(axes))
        shape = axes[first:]
        if len(shape) == len(kept):
            return found
        items = [":" if axis in kept else "None" for axis in shape]
        while items[-1:] == [":"]:
            items.pop()
        return replace(found, code=subscript(found.code, items), window=None)

    def transposed(self, axes: Axes) -> "Array":
        """The same array with its own axes in another order."""
        if axes == self.axes:
            return self
        places = [self.axes.index(axis) for axis in axes]
        return replace(self, code=transpose(self.code, places), axes=axes, window=None)


@dataclass(frozen=True, eq=False, repr=False)
class Item(Code):
    """`owner[index]`."""

    owner: Code
    index: str

    @cached_property
    def flat(self) -> str:
        return f"{self.owner.flat}[{self.index}]"

    def broken(self, indent: int, column: int, tail: int) -> str:
        """The owner broken, the index after its end."""
        end = f"[{self.index}]"
        return self.owner.lines(indent, column, tail + len(end)) + end


@dataclass(frozen=True, eq=False, repr=False)
class Methods(Code):
    """`owner.reshape(…).swapaxes(…)`: two calls or more, each on a line of its own if need be."""

    owner: Code
    calls: tuple[str, ...]

    @cached_property
    def flat(self) -> str:
        return ".".join((self.owner.flat, *self.calls))

    def broken(self, indent: int, column: int, tail: int) -> str:
        """A call a line; what follows a name stays beside it, and a single one its owner."""
        head, calls = self.owner, self.calls
        if isinstance(head, Text) and head.text.isidentifier():
            head, calls = Text(f"{head.text}.{calls[0]}"), calls[1:]
        if len(calls) < 2:
            owner = Methods(self.owner, self.calls[:-1]) if self.calls[1:] else self.owner
            name, _, argument = self.calls[-1].partition("(")
            return Member(owner, name, argument[:-1]).broken(indent, column, tail)
        lines = (head.lines(indent, column), *(f".{call}" for call in calls))
        return f"\n{' ' * indent}".join(lines)


def method(code: Code, call: str) -> Code:
    """`code.call`."""
    if isinstance(code, Methods):
        return Methods(code.owner, (*code.calls, call))
    return Methods(atom(code), (call,))


def atom(code: Code) -> Code:
    """The code where a member or a subscript can follow."""
    return code if code.level >= ATOM else Brackets(code)


def subscript(code: Code, items: Iterable[str]) -> Code:
    """`x[:, None]`."""
    owner = atom(code)
    if isinstance(owner, Text):
        return Text(f"{owner.flat}[{', '.join(items)}]")
    return Item(owner, ", ".join(items))


def transpose(code: Code, places: Sequence[int]) -> Code:
    """The axes in another order, by the shortest way to say it."""
    if list(places) == [1, 0]:
        return Member(atom(code), "T")
    moved = [k for k, place in enumerate(places) if k != place]
    if len(moved) == 2:
        one, two = moved
        count = len(places)
        ends = (one - count, two - count) if (one, two) == (count - 2, count - 1) else (one, two)
        return method(code, f"swapaxes({ends[0]}, {ends[1]})")
    return method(code, f"transpose({', '.join(map(str, places))})")


def union(arrays: Iterable[Array], order: Axes) -> Axes:
    """All their axes, in the order."""
    present = {axis for array in arrays for axis in array.axes}
    return tuple(axis for axis in order if axis in present)


def reshaped(code: Code, shape: Sequence[str]) -> Code:
    """`x.reshape(8, -1)`."""
    return method(code, f"reshape({', '.join(shape)})")


def summed(code: Code, places: Sequence[int]) -> Code:
    """`x.sum(axis=0)`, over all axes where no places are told."""
    where = f"axis={places[0]}" if len(places) == 1 else f"axis=({', '.join(map(str, places))})"
    if isinstance(code, Text) and code.text.isidentifier():
        return Member(code, "sum", where)
    return Invoke("np.sum", (code, Text(where)))


def natural(arrays: Sequence[Array], order: Axes) -> Axes:
    """All their axes, in the order of the first array that has them all, which is not copied."""
    axes = union(arrays, order)
    full = (array.axes for array in arrays if len(array.axes) == len(axes) and not array.mask)
    return next(full, axes)
