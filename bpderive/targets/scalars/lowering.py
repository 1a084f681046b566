"""Array assignments as the elements of one sample.

In: a `Program`. Out: its `Scalars`. Matrix products and sums along axes become sums over an index;
a sum over the samples becomes a flag. A sum that is the same for all elements is computed first,
as `s1`, `s2` …; so is a row that a softmax is taken of, as `t1` …, unless it is a tensor. Must not
know any syntax.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import count

from sympy import Symbol

from bpderive.errors import DerivationError, UnsupportedError
from bpderive.forms.arrays import (
    Apply,
    Axes,
    Leaf,
    MatMul,
    Node,
    Outer,
    Product,
    Reduce,
    Scalar,
    Terms,
    Transpose,
)
from bpderive.forms.trees import transform, walk
from bpderive.program import Assignment, Definition, Names, Program
from bpderive.targets import describe
from bpderive.targets.definitions import Definitions, named_parts
from bpderive.targets.scalars.model import Element, Function, Scalars, blocks
from bpderive.targets.scalars.tidying import tidy
from bpderive.targets.spelling import spell

OWN = tuple(map(Symbol, "ij"))
"""The indices of a target."""
SUMMED = Symbol("k")
ROWS = ("softmax", "log_softmax")
"""Functions of a whole row."""
TAKEN = re.compile(r"[wWbst]\d+|\w+_(\d+|[ijk])|theta|[ijk]")
"""What elements and their indices may be called."""


def lower(program: Program, reserved: frozenset[str] = frozenset()) -> Scalars:
    """The program for one sample.

    Args:
        program: what to compute.
        reserved: names that no function of an activation may have.

    Raises:
        UnsupportedError: sizes that are no numbers.
    """
    describe.need_numbers(program)
    definitions = ScalarDefinitions(program.definitions, reserved)
    lowering = _Lowering(program, definitions)
    stages = [program.forward, (program.loss,), program.backward]
    forward, loss, backward = (
        tuple(element for row in rows for element in lowering.elements(row)) for rows in stages
    )
    functions = tuple(definitions.of_numbers())
    return Scalars(
        program, forward, loss, backward, functions, definitions.names, mean=program.mean
    )


@dataclass(frozen=True)
class ScalarDefinitions(Definitions):
    """Definitions as functions of numbers; one that mixes a layer is written in place."""

    def taken(self, name: str) -> bool:
        """Whether an element may have the name."""
        return super().taken(name) or bool(TAKEN.fullmatch(name))

    @cached_property
    def written(self) -> Mapping[str, bool]:
        """Whether a definition is a function."""
        found = super().written
        return {row.name: found[row.name] and not _mixes(row.value) for row in self.rows}

    def of_numbers(self) -> Iterator[Function]:
        """The functions."""
        for row in self.rows:
            if self.written[row.name]:
                yield _function(row, self.names[row.name])


def _mixes(node: Node) -> bool:
    """Whether an element depends on others of its layer."""
    parts = list(walk(node))
    rows = (isinstance(part, Apply) and part.name in ROWS for part in parts)
    return any(rows) or any(isinstance(part, Reduce) for part in parts)


def _function(row: Definition, name: str) -> Function:
    value = transform(spell(row.value), lambda part: replace(part, axes=()))
    parts, value = named_parts(value, row.parameters)
    return Function(name, row.name, row.parameters, tuple(parts), value)


@dataclass(frozen=True)
class _Lowering:
    """Lowers a kind of assignment once; `_counts` numbers what is computed first."""

    program: Program
    definitions: ScalarDefinitions
    _kinds: dict[int, tuple[Node, bool]] = field(default_factory=dict)
    _counts: dict[str, Iterator[int]] = field(
        default_factory=partial(defaultdict, lambda: count(1))
    )

    def elements(self, row: Assignment) -> Iterator[Element]:
        """The assignment, after what is computed first for it."""
        if id(row.value) not in self._kinds:
            self._kinds[id(row.value)] = _one_sample(self.definitions.expand(row.value))
        value, accumulated = self._kinds[id(row.value)]
        value = transform(value, lambda part: _named(part, row.names))
        axes = OWN[: len(row.shape) - (not accumulated)]
        sizes = {axis: int(size) for axis, size in zip(axes, row.shape[-len(axes) :], strict=False)}
        make = _Maker(row.number, sizes, self.shapes)
        sums, value = self.hoisted(value, whole=bool(axes))
        yield from (make(label, (), part) for label, part in sums)
        if not (isinstance(value, Apply) and value.name in ROWS):
            yield make(row.target, axes, value, accumulated=accumulated)
            return
        (arg,) = value.args
        if not isinstance(arg, Leaf):
            label = self.fresh("t")
            yield make(label, axes, arg)
            arg = Leaf(axes, label)
        yield make(row.target, axes, arg, row=value.name)

    def fresh(self, letter: str) -> str:
        return f"{letter}{next(self._counts[letter])}"

    def hoisted(self, value: Node, *, whole: bool) -> tuple[list[tuple[str, Node]], Node]:
        """The sums that are the same for all elements, each with a name; and the rest.

        A sum within a sum comes before it. With `whole`, a sum that is in no other is named too.
        """
        sums: list[tuple[str, Node]] = []
        while found := next(_constants(value, whole=whole), None):
            sums.append((self.fresh("s"), found))
            value = transform(value, _swap(found, Leaf((), sums[-1][0])))
        return sums, value

    @cached_property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The sizes of every tensor of a sample."""
        program = self.program
        widths = tuple(map(int, program.widths))
        shapes = {"x": widths[:1], "y": widths[-1:], "p": widths[-1:], "log_p": widths[-1:]}
        shapes |= {block.label: block.shape for block in blocks(program)}
        letters = ("z", "a", "log_a", "g", "delta")
        layers = enumerate(widths[1:], 1)
        return shapes | {f"{c}{layer}": (n,) for layer, n in layers for c in letters}


@dataclass(frozen=True)
class _Maker:
    """Makes the elements of one assignment."""

    number: int
    own: Mapping[Symbol, int]
    shapes: Mapping[str, tuple[int, ...]]

    def __call__(
        self, target: str, axes: Axes, value: Node, *, accumulated: bool = False, row: str = ""
    ) -> Element:
        sizes = dict(self.own) if axes else {}
        leaves = [part for part in walk(value) if isinstance(part, Leaf)]
        for leaf in leaves:
            sizes |= zip(leaf.axes, self.shapes.get(leaf.label, ()), strict=False)
        for part in walk(value):
            if isinstance(part, Reduce) and part.summed[0] not in sizes:
                raise UnsupportedError(f"a sum over an index that nothing has, in {target}")
        return Element(target, axes, value, self.number, sizes, accumulated, row or None)


def _named(node: Node, names: Names) -> Node:
    """A label of the general layer as that of the assignment's."""
    if not isinstance(node, Leaf):
        return node
    prefix, label = ("log_", node.label[4:]) if node.label.startswith("log_") else ("", node.label)
    return replace(node, label=prefix + str(names.get(label, label)))


def _swap(old: Node, new: Node) -> Callable[[Node], Node]:
    return lambda part: new if part == old else part


def _constants(value: Node, *, whole: bool) -> Iterator[Reduce]:
    """The sums without indices of their own that hold no other sum, from the outside in."""
    sums = _sums(value)
    named = sums if whole else [part for one in sums for part in _sums(one.arg)]
    yield from (part for part in named if not _free(part) and not _sums(part.arg))


def _sums(node: Node) -> list[Reduce]:
    return [part for part in walk(node) if isinstance(part, Reduce)]


def _free(node: Reduce) -> set[Symbol]:
    """The indices of the tensors in a sum, save its own."""
    return {axis for part in walk(node) for axis in part.axes} - {*node.summed}


# --- One sample ---


def _one_sample(value: Node) -> tuple[Node, bool]:
    """The value without the axis of the samples; whether it was summed over them."""
    value = transform(value, _explicit)
    own = value.axes
    samples = {
        part.axes[0] for part in walk(value) if isinstance(part, Leaf) and not _is_parameter(part)
    }
    accumulated = any(isinstance(p, Reduce) and samples & {*p.summed} for p in walk(value))
    if accumulated and not _linear(value, samples):
        raise DerivationError("a sum over the samples is not the outermost")
    value = transform(value, lambda part: _without(part, samples))
    letters = dict(zip((axis for axis in own if axis not in samples), OWN, strict=False))
    letters |= _letters(value)
    return tidy(transform(value, lambda part: _relabelled(part, letters))), accumulated


def _explicit(node: Node) -> Node:
    """`left @ right → Σ_k left right`, the weights first; a sum for each index.

    Numbers and sums come before a product's other factors: the error, then its slope.
    """
    if isinstance(node, Product):
        return replace(node, factors=tuple(sorted(node.factors, key=_rank)))
    if isinstance(node, Transpose):
        return node.arg
    if isinstance(node, Outer):
        return Product(node.axes, (node.left, node.right))
    if isinstance(node, MatMul):
        summed = tuple(axis for axis in node.left.axes if axis in node.right.axes)
        sides = sorted((node.left, node.right), key=lambda side: not _is_parameter(side))
        return Reduce(node.axes, Product((*node.axes, *summed), tuple(sides)), summed)
    if isinstance(node, Reduce) and len(node.summed) > 1:
        first, *rest = node.summed
        inner = replace(node, axes=(*node.axes, first), summed=tuple(rest))
        return Reduce(node.axes, _explicit(inner), (first,))
    return node


def _rank(node: Node) -> int:
    return 0 if isinstance(node, Scalar) else 1 if isinstance(node, Reduce) else 2


def _is_parameter(node: Node) -> bool:
    return isinstance(node, Leaf) and node.label[0] in "wb"


def _linear(node: Node, samples: set[Symbol]) -> bool:
    """Whether every sum over the samples is outermost, save for constant factors and terms."""
    if isinstance(node, Reduce):
        if {*node.summed} & samples:
            return True
        return _linear(node.arg, samples)
    if isinstance(node, Product):
        rest = [part for part in node.factors if not isinstance(part, Scalar)]
        return len(rest) == 1 and _linear(rest[0], samples)
    return isinstance(node, Terms) and all(_linear(term, samples) for term in node.terms)


def _without(node: Node, samples: set[Symbol]) -> Node:
    """A node of one sample."""
    if isinstance(node, Reduce) and {*node.summed} <= samples:
        return node.arg
    return replace(node, axes=tuple(axis for axis in node.axes if axis not in samples))


def _letters(value: Node) -> dict[Symbol, Symbol]:
    """The index that a sum runs over is k; a sum within a sum must not know the other's."""
    sums = _sums(value)
    if any(one.summed[0] in _free(part) for one in sums for part in _sums(one.arg)):
        raise UnsupportedError("this target has no form for a sum within a sum, over both indices")
    return {one.summed[0]: SUMMED for one in sums}


def _relabelled(node: Node, letters: Mapping[Symbol, Symbol]) -> Node:
    node = replace(node, axes=tuple(letters.get(axis, axis) for axis in node.axes))
    if isinstance(node, Reduce):
        return replace(node, summed=tuple(letters.get(axis, axis) for axis in node.summed))
    return node
