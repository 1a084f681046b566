"""Tensors whose elements are worked out when they are asked for, in any order of time.

In: equations, sizes, and the tensors that no equation defines. Out: all tensors, and what one
nudged element makes of them. Must not know: rules, steps.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import product
from typing import Any

from sympy import Expr, Indexed, Symbol

from bpderive.index import Equation, indices_of, label_of, parts_of
from bpderive.verify.arithmetic import MP, STEP
from bpderive.verify.evaluate import Numbers, compiled
from bpderive.verify.oracle import Element

Place = tuple[Any, ...]
Values = Mapping[Place, Any]
Shape = tuple[int, ...]


@cache
def _places(shape: Shape) -> frozenset[Place]:
    return frozenset(product(*(range(1, size + 1) for size in shape)))


class Lazy(Mapping[Place, Any]):
    """A tensor of some shape; each element is worked out once."""

    def __init__(self, shape: Shape, work: Callable[[Place], Any]) -> None:
        self.shape, self.work = shape, work
        self.done: dict[Place, Any] = {}

    def __contains__(self, place: Any) -> bool:
        return place in self.done or place in _places(self.shape)

    def __getitem__(self, place: Place) -> Any:
        if place not in self.done:
            if place not in _places(self.shape):
                raise KeyError(place)
            self.done[place] = self.work(place)
        return self.done[place]

    def __iter__(self) -> Iterator[Place]:
        return product(*(range(1, size + 1) for size in self.shape))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Recorder(Mapping[Place, Any]):
    """A tensor that writes down which of its elements are asked for."""

    def __init__(self, label: str, values: Values, asked: set[Element]) -> None:
        self.label, self.values_, self.asked = label, values, asked

    def __contains__(self, place: Any) -> bool:
        return place in self.values_

    def __getitem__(self, place: Place) -> Any:
        self.asked.add((self.label, place))
        return self.values_[place]

    def __iter__(self) -> Iterator[Place]:
        return iter(self.values_)

    def __len__(self) -> int:
        return len(self.values_)


class Quantities(Numbers):
    """What stands in an expression; nothing is worked out before it is asked for."""

    @cached_property
    def scalars(self) -> Any:
        """Sizes and tensors without indices, by name."""
        return _Scalars(self)


@dataclass
class _Scalars:
    numbers: Quantities

    def __getitem__(self, name: str) -> Any:
        if name in self.numbers.sizes:
            return MP.mpf(self.numbers.sizes[name])
        return self.numbers.tensors[name][()]


@dataclass
class Scene:
    """Equations at some sizes, and the values of what none of them defines.

    `named` works out an activation or its slope; `root` is what is differentiated.
    """

    equations: tuple[Equation, ...]
    sizes: Mapping[str, int]
    given: Mapping[str, Values]
    root: str
    named: Callable[[str, Any], Any]
    slopes: dict[Element, Any] = field(default_factory=dict)
    after: dict[str, dict[str, Equation]] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)
    asked: dict[Element, frozenset[Element]] = field(default_factory=dict)

    @cached_property
    def by_label(self) -> Mapping[str, Equation]:
        """Each equation by what it defines."""
        return {equation.label: equation for equation in self.equations}

    @cached_property
    def base(self) -> Quantities:
        """All tensors, nothing nudged."""
        return self.worked(self.given, self.by_label)

    def number(self, size: Expr) -> int:
        """A size."""
        symbols = {s: self.sizes[s.name] for s in size.free_symbols}
        return int(size.xreplace(symbols))

    def shape(self, equation: Equation) -> Shape:
        """The shape of what an equation defines, axes read as one being one."""
        sizes = iter(equation.sizes)
        found = []
        for index in indices_of(equation.lhs):
            count = 1
            for _ in parts_of(index):
                count *= self.number(next(sizes))
            found.append(count)
        return tuple(found)

    def at(self, equation: Equation, place: Place) -> dict[Symbol, int]:
        """The values of the free indices at a place; several read as one are taken apart."""
        found, sizes = {}, dict(zip(equation.indices, equation.sizes, strict=True))
        for index, position in zip(indices_of(equation.lhs), place, strict=True):
            rest = int(position) - 1
            for part in reversed(parts_of(index)):
                rest, value = divmod(rest, self.number(sizes[part]))
                found[part] = value + 1
        return found

    def worked(
        self,
        known: Mapping[str, Values],
        again: Mapping[str, Equation],
        nudged: Element = ("", ()),
    ) -> Quantities:
        """All tensors; those of `again` anew, and a small imaginary step at one element."""
        tensors: dict[str, Any] = dict(known)
        numbers = Quantities(tensors, self.sizes, named=self.named, zero=True)
        for label, equation in again.items():
            if label not in self.shapes:
                self.shapes[label] = self.shape(equation)
            tensors[label] = Lazy(self.shapes[label], self._work(equation, numbers, nudged))
        label, place = nudged
        if label and label not in again:
            values = known[label]
            tensors[label] = Lazy(
                shape_of(values),
                lambda at: values[at] + MP.mpc(0, STEP) if at == place else values[at],
            )
        return numbers

    def _work(
        self, equation: Equation, numbers: Quantities, nudged: Element
    ) -> Callable[[Place], Any]:
        code, label = compiled(equation.rhs), equation.label

        def work(place: Place) -> Any:
            if nudged[0] and not self._moves((label, place), numbers, nudged):
                value = self.base.tensors[label][place]
            else:
                value = code(numbers, self.at(equation, place))
            return value + MP.mpc(0, STEP) if nudged == (label, place) else value

        return work

    def _moves(self, element: Element, numbers: Quantities, nudged: Element) -> bool:
        """Whether an element's equation asks for anything that a nudge has changed."""
        found, before = numbers.tensors, self.base.tensors
        return nudged in self.reads(element) or any(
            found[label][place] is not before[label][place]
            for label, place in self.reads(element)
            if found[label] is not before[label]
        )

    def reads(self, element: Element) -> frozenset[Element]:
        """The elements that one element's equation asks for; a small nudge asks for no others."""
        if element not in self.asked:
            equation, asked = self.by_label[element[0]], set[Element]()
            tensors: dict[str, Any] = {
                k: Recorder(k, v, asked) for k, v in self.base.tensors.items()
            }
            numbers = Quantities(tensors, self.sizes, named=self.named, zero=True)
            compiled(equation.rhs)(numbers, self.at(equation, element[1]))
            self.asked[element] = frozenset(asked)
        return self.asked[element]

    # --- Derivatives ---

    def partial(self, above: Element, below: Element) -> Any:
        """`∂above/∂below`: of the root in all, of a tensor by its own equation alone."""
        return self.total(below) if above[0] == self.root else self.local(above, below)

    def total(self, below: Element) -> Any:
        """The derivative of the root, by a complex step through all that follows."""
        if below not in self.slopes:
            self.slopes[below] = self._total(below)
        return self.slopes[below]

    def _total(self, below: Element) -> Any:
        label, place = below
        if place not in Lazy(shape_of(self.base.tensors[label]), lambda at: at):
            return MP.mpf(0)
        if label not in self.after:
            affected = self.affected(label)
            self.after[label] = {k: e for k, e in self.by_label.items() if k in affected}
        found = self.worked(self.base.tensors, self.after[label], below)
        return MP.mpc(found.tensors[self.root][()]).imag / STEP

    def local(self, above: Element, below: Element) -> Any:
        """The derivative of one equation's right-hand side, all other tensors as they are."""
        equation, place = self.by_label[above[0]], above[1]
        tensors = self.base.tensors
        for label, at in (above, below):
            if at not in Lazy(shape_of(tensors[label]), lambda at: at):
                return MP.mpf(0)
        if below not in self.reads(above):
            return MP.mpf(0)
        numbers = self.worked(tensors, {}, below)
        value = compiled(equation.rhs)(numbers, self.at(equation, place))
        return MP.mpc(value).imag / STEP

    def affected(self, label: str) -> set[str]:
        """What depends on a tensor, by one equation or more."""
        found: set[str] = set()
        waiting, every = [label], {e.label: uses(e) for e in self.equations}
        while waiting:
            one = waiting.pop()
            new = {name for name, labels in every.items() if one in labels} - found
            found |= new
            waiting.extend(new)
        return found


def uses(equation: Equation) -> set[str]:
    """The labels of what an equation refers to."""
    return {label_of(tensor) for tensor in equation.rhs.atoms(Indexed, Symbol)}


def shape_of(values: Values) -> Shape:
    """The shape of a tensor."""
    return values.shape if isinstance(values, Lazy) else max(values)
