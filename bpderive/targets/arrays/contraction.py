"""Products that are summed: as matrix products where they are, else elementwise and then summed.

In: the factors as arrays, and what is summed. Out: one array; copies of windows are made on lines
before. Must not know: equations.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from sympy import Expr, Mul, Symbol

from bpderive.targets.arrays.block import Block
from bpderive.targets.arrays.model import Array, Axes, atom, method, natural, reshaped, summed
from bpderive.targets.arrays.sizes import whole
from bpderive.targets.layout import MULTIPLY, Code, Invoke, Member, Text, bracketed, chain

TYPICAL = 32
"""What a size that is no number counts for when orders of products are compared."""


@dataclass(frozen=True)
class Contraction:
    """Combines factors in one line; `order` is the order of axes that is wanted."""

    block: Block
    ranges: Mapping[Symbol, Expr]
    order: Axes
    comment: str

    def weight(self, axes: set[Symbol] | Axes) -> int:
        """How many elements an array of these axes has."""
        sizes = (self.ranges[axis] for axis in axes)
        found = 1
        for size in sizes:
            found *= int(size) if size.is_Integer else TYPICAL
        return found

    # --- Several factors ---

    def total(self, factors: list[Array], over: set[Symbol]) -> Array:
        """The sum of their product."""
        factors = self.absorbed([self.alone(f, factors, over) for f in factors], over)
        while len(factors) > 1:
            one, two = self.best(factors, over)
            rest = [f for f in factors if f is not one and f is not two]
            done = {a for a in over if not any(a in f.axes for f in rest)}
            factors = self.absorbed([*rest, self.pair(one, two, done)], over)
        return self.reduced(factors[0], over)

    def alone(self, factor: Array, factors: list[Array], over: set[Symbol]) -> Array:
        """A factor summed over what no other has."""
        others = {axis for f in factors if f is not factor for axis in f.axes}
        return factor if len(factors) == 1 else self.reduced(factor, over - others)

    def reduced(self, array: Array, over: set[Symbol]) -> Array:
        """The sum along some axes."""
        places = [k for k, axis in enumerate(array.axes) if axis in over]
        if not places:
            return array
        axes = tuple(axis for axis in array.axes if axis not in over)
        if array.mask:
            array = self.number(array)
        if not axes:
            inner = array.code
            code: Code = Invoke("np.sum", (inner,))
            return Array(code)
        if array.window is not None and over & set(array.axes) <= set(array.window.kernels):
            return self.folded("np.add", array, over)
        return Array(summed(array.code, places), axes)

    def largest(self, array: Array, over: set[Symbol]) -> Array:
        """The largest along some axes."""
        if array.window is not None and over <= set(array.window.kernels):
            return self.folded("np.maximum", array, over)
        places = [str(k) for k, axis in enumerate(array.axes) if axis in over]
        where = f"axis={places[0]}" if len(places) == 1 else f"axis=({', '.join(places)})"
        axes = tuple(axis for axis in array.axes if axis not in over)
        return Array(Invoke("np.max", (array.code, Text(where))), axes)

    def folded(self, function: str, array: Array, over: set[Symbol]) -> Array:
        """The elements along windows with a function between them."""
        self.block.helpers.add("folded")
        places = (Text(str(k)) for k, axis in enumerate(array.axes) if axis in over)
        axes = tuple(axis for axis in array.axes if axis not in over)
        return Array(Invoke("folded", (Text(function), array.code, *places)), axes)

    def number(self, array: Array) -> Array:
        """A mask as numbers."""
        if not array.mask:
            return array
        return replace(array, code=Member(atom(array.code), "astype", "dtype"), mask=False)

    def absorbed(self, factors: list[Array], over: set[Symbol]) -> list[Array]:
        """Of three factors or more, one within another multiplies it at once."""
        while len(factors) > 2:
            pairs = [
                (f, g)
                for f in factors
                for g in factors
                if f is not g and set(f.axes) <= set(g.axes) and g.window is None
            ]
            if not pairs:
                return factors
            f, g = min(pairs, key=lambda pair: self.weight(pair[1].axes))
            rest = [h for h in factors if h is not f and h is not g]
            factors = [*rest, self.product([g, f])]
        return factors

    def best(self, factors: list[Array], over: set[Symbol]) -> tuple[Array, Array]:
        """The two whose product costs the least."""

        def cost(pair: tuple[int, int]) -> tuple[int, tuple[int, int]]:
            one, two = (set(factors[k].axes) for k in pair)
            others = {a for k, f in enumerate(factors) if k not in pair for a in f.axes}
            kept = {a for a in one | two if a not in over or a in others}
            rest = [kept, *({*f.axes} for k, f in enumerate(factors) if k not in pair)]
            after = self.weight(set().union(*rest)) if len(factors) > 2 else 0
            return self.weight(one | two) + 8 * self.weight(kept) + after, pair

        count = len(factors)
        _, (i, j) = min(cost((i, j)) for i in range(count) for j in range(i + 1, count))
        return factors[i], factors[j]

    # --- Two factors ---

    def product(self, factors: list[Array]) -> Array:
        """Element by element."""
        if all(f.mask for f in factors):
            factors = [self.number(factors[0]), *factors[1:]]
        axes = natural(factors, self.order)
        codes = [f.at(axes).code for f in factors]
        parts = [bracketed(code, MULTIPLY + (k > 0)) for k, code in enumerate(codes)]
        return Array(chain(MULTIPLY, parts[0], *(("*", part) for part in parts[1:])), axes)

    def pair(self, one: Array, two: Array, over: set[Symbol]) -> Array:
        """The sum of the product of two."""
        shared = set(one.axes) & set(two.axes)
        done = over & shared
        one, two = self.reduced(one, over - shared), self.reduced(two, over - shared)
        left, right = set(one.axes) - shared, set(two.axes) - shared
        if not done:
            return self.product([one, two])
        if left and right:
            return self.matmul(self.number(one), self.number(two), done)
        vector = next((f for f in (two, one) if set(f.axes) == done and len(done) == 1), None)
        if vector is not None and (left or right):
            matrix = self.number(one if vector is two else two)
            axes = tuple(a for a in matrix.axes if a not in done)
            code = matrix.transposed((*axes, *done)).code
            return Array(_times(code, self.number(vector).code), axes)
        return self.reduced(self.product([one, two]), done)

    def matmul(self, one: Array, two: Array, over: set[Symbol]) -> Array:
        """A matrix product, for each value of what both share or of a leading axis."""
        one, two = self.materialised(one), self.materialised(two)
        shared = (set(one.axes) & set(two.axes)) - over
        wanted = tuple(a for a in self.order if a in {*one.axes, *two.axes} - over)
        inner = tuple(a for a in two.axes if a in over)
        outer = [f.outer for f in (one, two) if f.outer in over]
        inner = tuple(sorted(inner, key=lambda a: a not in outer))
        summed_over = self.outermost(one, two, inner)
        head, first, rows, columns = self.split(one, two, shared, wanted)
        if not summed_over and len(inner) == len(columns) == 1 and len(rows) > 1:
            head, rows = (*head, *rows[:-1]), rows[-1:]
        if summed_over:
            head, inner = (inner[0], *head), inner[1:]
        last = two if first is one else one
        code = _times(
            self.matrix(first, head, rows, inner), self.matrix(last, head, inner, columns)
        )
        axes = (*head, *rows, *columns)
        if len(rows) > 1 or len(columns) > 1:
            code = reshaped(code, self.shape(axes))
        found = Array(code, axes)
        return self.reduced(found, {head[0]}) if summed_over else found

    def split(
        self, one: Array, two: Array, shared: set[Symbol], wanted: Axes
    ) -> tuple[Axes, Array, Axes, Axes]:
        """What stands in front, the factor that comes first, and the rows and columns."""
        own = {id(f): set(f.axes) - shared for f in (one, two)}
        for count in range(len(wanted)):
            head, rest = wanted[:count], wanted[count:]
            for first, last in ((one, two), (two, one)):
                rows = tuple(a for a in rest if a in own[id(first)])
                columns = tuple(a for a in rest if a in own[id(last)])
                if rows and columns and rest == (*rows, *columns):
                    return head, first, rows, columns
        head = tuple(a for a in wanted if a in shared)
        rows, columns = (tuple(a for a in wanted if a in own[id(f)]) for f in (one, two))
        return head, one, rows, columns

    def outermost(self, one: Array, two: Array, inner: Axes) -> bool:
        """Whether to multiply for each value of the first summed axis, which saves copies."""
        if len(inner) < 2 or not (one.axes[0] == two.axes[0] == inner[0]):
            return False
        if all(_together(f.axes, inner) for f in (one, two)):
            return False
        groups = [(inner[1:], tuple(a for a in f.axes if a not in inner)) for f in (one, two)]
        near = all(
            _together(f.axes, group)
            for f, pair in zip((one, two), groups, strict=True)
            for group in pair
        )
        outer = self.weight({*one.axes, *two.axes} - set(inner)) * self.weight(inner[:1])
        return near and outer <= 4 * max(self.weight(one.axes), self.weight(two.axes))

    def matrix(self, array: Array, head: Axes, rows: Axes, columns: Axes) -> Code:
        """An operand: what stands in front, then the rows as one axis, and the columns."""
        own = tuple(a for a in head if a in array.axes)
        plain = len(rows) == len(columns) == 1
        turned = not plain and array.axes == (*own, *columns, *rows)
        if turned:
            rows, columns = columns, rows
        found = array.transposed((*own, *rows, *columns))
        first = next((k for k, a in enumerate(head) if a in own), len(head))
        if plain:
            return atom(found.at((*head[first:], *rows, *columns)).code)
        sizes = [self.text((a,)) if a in own else "1" for a in head[first:]]
        code = reshaped(found.code, _short([*sizes, self.text(rows), self.text(columns)]))
        return (
            method(code, "swapaxes(-1, -2)")
            if turned and sizes
            else (Member(code, "T") if turned else code)
        )

    def materialised(self, array: Array) -> Array:
        """Windows copied once into a tensor of their own."""
        window = array.window
        if window is None:
            return array
        positions = _positions(array)
        rest = [a for a in array.axes if a not in positions and a not in window.kernels]
        axes = (*rest, *window.kernels, *positions)
        if window.key not in self.block.views:
            places = tuple(array.axes.index(a) for a in axes)
            name = self.block.fresh(f"{window.label}_windows")
            self.block.views[window.key] = (name, places)
            copied = Invoke("np.ascontiguousarray", (array.transposed(axes).code,))
            self.block.assign(name, copied, self.comment)
        name, places = self.block.views[window.key]
        return Array(Text(name), tuple(array.axes[place] for place in places))

    def shape(self, axes: Axes) -> list[str]:
        """The sizes of axes as texts."""
        return [whole(self.ranges[a]).flat for a in axes]

    def text(self, axes: Axes) -> str:
        """The size of axes read as one."""
        return whole(Mul(*(self.ranges[a] for a in axes))).flat


def _positions(array: Array) -> Axes:
    """Where windows stand: the axis before each kernel's."""
    kernels = array.window.kernels if array.window else ()
    found: list[Symbol] = []
    for before, axis in zip(array.axes, array.axes[1:], strict=False):
        if axis in kernels and before not in kernels:
            found.append(before)
    return tuple(found)


def _short(sizes: list[str]) -> list[str]:
    """Sizes for a reshape; the only one that is no number is -1."""
    names = [size for size in sizes if not size.isdigit()]
    return ["-1" if size in names else size for size in sizes] if len(names) == 1 else sizes


def _together(axes: Axes, group: Axes) -> bool:
    """Whether axes stand beside each other, in this order."""
    places = [axes.index(a) for a in group]
    return all(after == before + 1 for before, after in pairwise(places))


def _times(left: Code, right: Code) -> Code:
    return chain(MULTIPLY, bracketed(left, MULTIPLY + 1), ("@", bracketed(right, MULTIPLY + 1)))
