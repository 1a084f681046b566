"""What windows give back to the elements that they see: the adjoint of pooling and of strides.

In: a sum `Σ_k f((u - k)/S + 1, k)`, which reads zero between the windows, and the `Lowering` of its
line. Out: an array, `f(i, k)` for every window and then added up. Must not know: layers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sympy import Expr, Indexed, Integer, Mul, Sum, Symbol

from bpderive.index import label_of
from bpderive.targets.arrays.model import Array, Axes
from bpderive.targets.arrays.positions import Ranges
from bpderive.targets.arrays.sizes import whole
from bpderive.targets.layout import Invoke, Text

if TYPE_CHECKING:
    from bpderive.targets.arrays.lowering import Lowering

WINDOW = "_7000{}i"


@dataclass(frozen=True)
class Windows:
    """`expr` is the window `index` of `count`, in which `element` is at `inner`."""

    expr: Expr
    index: Symbol
    count: Expr
    element: Symbol
    inner: Symbol

    @property
    def step(self) -> Expr:
        """How far one window is from the next."""
        return 1 / self.expr.coeff(self.element)

    @property
    def wide(self) -> Expr:
        """How far apart the elements of a window are."""
        return -self.expr.coeff(self.inner) * self.step

    @property
    def first(self) -> Expr:
        """The first element of the first window, counted from 0."""
        zero = self.expr.xreplace({self.element: Integer(0), self.inner: Integer(0)})
        return ((1 - zero) * self.step + self.wide - 1).expand()


def spread(lowering: "Lowering", factors: list[Expr], over: set[Symbol]) -> Array | None:
    """The sum, where what is summed along windows is a product, or windows are apart."""
    found = sorted(_windows(lowering, factors, over), key=lambda w: lowering.order.index(w.element))
    if len({w.element for w in found}) < len(found) or not found:
        return None
    rest = over - {w.inner for w in found}
    if rest and all(w.step == 1 for w in found):  # a convolution with all of a tensor's windows
        return None
    body = Mul(*factors).xreplace({w.expr: w.index for w in found})
    if body.free_symbols & {w.element for w in found}:
        return None
    return _written(lowering, body, rest, found)


def _windows(lowering: "Lowering", factors: list[Expr], over: set[Symbol]) -> Iterator[Windows]:
    """An element for each index that only windows have, where all beside them is zero."""
    tensors = [f for f in factors if isinstance(f, Indexed)]
    sizes = lowering.block.shapes
    pairs = {(e, sizes[label_of(t)].sizes[k]) for t in tensors for k, e in enumerate(t.indices)}
    for inner in sorted(over, key=str):
        own = [(e, n) for e, n in pairs if inner in e.free_symbols and e != inner]
        if len(own) != 1:
            continue
        (expr, count), *_ = own
        element = expr.free_symbols & set(lowering.ranges) - {inner}
        new = Symbol(WINDOW.format(len(lowering.ranges)), integer=True)
        found = [Windows(expr, new, count, u, inner) for u in element]
        if len(found) == 1 and not element & over and _regular(found[0]):
            lowering.ranges[new] = count
            yield found[0]


def _regular(windows: Windows) -> bool:
    """Whether windows follow each other in whole steps."""
    expr, (one, two) = windows.expr, (windows.element, windows.inner)
    slopes = expr.coeff(one), expr.coeff(two)
    rest = (expr - slopes[0] * one - slopes[1] * two).expand()
    return bool(
        not any(s.name.startswith("_") for s in rest.free_symbols)
        and all(slope.is_Rational and slope != 0 for slope in slopes)
        and windows.step.is_Integer
        and windows.step > 0
        and windows.wide.is_Integer
        and windows.wide > 0
    )


def _written(
    lowering: "Lowering", body: Expr, rest: set[Symbol], found: list[Windows]
) -> Array | None:
    """`spread(f, …)`, the windows' axes at the places of the elements'."""
    before = lowering.order
    into = {w.element: w.index for w in found}
    own = {w.inner for w in found}
    kept = tuple(a for a in before if a not in own | rest | set(into))
    inner = tuple(a for a in before if a in own)
    windows = tuple(w.index for w in found)
    limits = [(a, 1, lowering.ranges[a]) for a in before if a in rest]
    ends = (*inner, *windows) if limits else (*windows, *inner)
    lowering.order = (*kept, *ends, *(a for a, _, _ in limits))
    array = lowering.value(Sum(body, *limits) if limits else body)
    wanted = tuple(a for a in lowering.order if a in body.free_symbols | own and a not in rest)
    array = _full(array, wanted, lowering.ranges)
    lowering.order = before
    lowering.block.helpers.add("spread")
    places = (Text(_place(w, array.axes, lowering.ranges)) for w in found)
    back = {w.index: w.element for w in found}
    axes = tuple(back.get(a, a) for a in array.axes if a not in own)
    return Array(Invoke("spread", (array.code, *places)), axes)


def _full(array: Array, axes: Axes, ranges: Ranges) -> Array:
    """An array that lacks the axes along windows is the same at each of their places."""
    if set(array.axes) == set(axes):
        return array
    shape = ", ".join(whole(ranges[a]).flat for a in axes)
    code = array.at(axes).code
    return Array(Invoke("np.broadcast_to", (code, Text(f"({shape})"))), axes)


def _place(windows: Windows, axes: Axes, ranges: Ranges) -> str:
    numbers = (ranges[windows.element], windows.first, windows.step, windows.wide)
    places = (axes.index(windows.index), axes.index(windows.inner))
    return f"({', '.join([*map(str, places), *(whole(n).flat for n in numbers)])})"
