"""An independent network of any layers: plain loops over scalars, from the texts of its files.

In: a `Layer` for each place, in plain data, and tensors by label. Out: every quantity of the
forward pass, in any numbers; its derivatives by a complex step, and by extrapolated differences.
Must not know: the engine, nor any module that the engine is made of; an import contract keeps it
apart.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from math import prod
from typing import Any

from bpderive.verify.arithmetic import MP, STEP
from bpderive.verify.formulas import COMPLEX, REAL, Domain
from bpderive.verify.formulas import read as formula
from bpderive.verify.layered.plans import Layer, Plan, Shape
from bpderive.verify.layered.trees import value
from bpderive.verify.layered.watching import Stepped, Watch

__all__ = ["Layer", "Oracle", "Watch"]

Indices = tuple[int, ...]
Tensor = dict[Indices, Any]
Element = tuple[str, Indices]
Point = Mapping[str, Tensor]
"""Every tensor by its label, its elements by their indices from 1."""
NOWHERE: Element = ("", ())


@dataclass(frozen=True)
class Oracle:
    """A network by the texts of its layers and formulas.

    Args:
        layers: in forward order.
        shape: of the input; the samples are its first axis, where `samples`.
        loss: of one output `a` (`p` after a stage) and its label `y`.
        stage: is applied along the last axis before the loss is.
        mean_of_outputs: whether a sample's loss is the mean over its outputs, or the sum.
        mean: whether the loss is the mean over the samples.
        formulas: of activations, by name.
        numbered: whether labels end in the number of the layer.
    """

    layers: tuple[Layer, ...]
    shape: Shape
    loss: str
    stage: str = ""
    mean_of_outputs: bool = False
    mean: bool = True
    samples: bool = True
    formulas: Mapping[str, str] = field(default_factory=dict)
    input: str = "x"
    target: str = "y"
    numbered: bool = True

    @cached_property
    def plans(self) -> tuple[Plan, ...]:
        """Every layer with its sizes and labels."""
        found: list[Plan] = []
        ends = [(self.input, self.shape)]
        for number, layer in enumerate(self.layers, 1):
            taken = [ends[source] for source in layer.sources]
            plan = Plan(layer, number, {}, [shape for _, shape in taken], self.numbered)
            names = [entry.name for entry in plan.file.entries]
            plan.inputs = dict(zip(names, [label for label, _ in taken], strict=True))
            found.append(plan)
            ends.append(plan.output)
        return tuple(found)

    @property
    def output(self) -> tuple[str, Shape]:
        """The network's output and its shape."""
        return self.plans[-1].output

    def parameters(self) -> dict[str, Shape]:
        """The shape of every parameter, by label, in forward order."""
        return {k: s for plan in self.plans for k, s in plan.of_role("param").items()}

    def data(self) -> dict[str, Shape]:
        """The shape of what is given beside the input and the target."""
        return {k: s for plan in self.plans for k, s in plan.of_role("data").items()}

    def inner(self) -> dict[str, Shape]:
        """The shape of all that equations define."""
        return {k: s for plan in self.plans for k, s in plan.of_role("defined").items()}

    @cached_property
    def tokens(self) -> dict[str, int]:
        """By the label of what is read as an index, the largest whole number that it may be.

        It has no derivative.
        """
        found: dict[str, int] = {}
        for plan in self.plans:
            for name, most in plan.tokens.items():
                found[name] = min(most, found.get(name, most))
        return found

    def first(self, label: str) -> int:
        """The first layer that changes with a tensor; 0 where it is the input."""
        owners = (p.number for p in self.plans if label in p.labels.values())
        return next(owners, 0) if label != self.input else 0

    def forward(
        self,
        point: Point,
        domain: Domain = REAL,
        nudged: Element = NOWHERE,
        by: Any = 0,
        watch: Watch | None = None,
    ) -> dict[str, Tensor]:
        """Every quantity, the losses as `S` (the sum over the samples) and `L`.

        One element may be nudged as it is worked out; of a point that has all quantities, those
        below it stay.
        """
        found, watch = dict(point), Watch() if watch is None else watch
        label, indices = nudged
        if label in point:
            found[label] = {**point[label], indices: point[label][indices] + by}
        whole = "L" not in point or not label
        first = 1 if whole else self.first(label)
        for plan in self.plans[max(first - 1, 0) :]:
            LayerRun(plan, found, domain, watch, self.formulas, (nudged, by)).fill()
        return found | _loss(self, found, domain)

    def complex_step(self, point: Point, element: Element, root: str = "S") -> Any:
        """`∂S/∂element = Im S(element + ih)/h` (Squire and Trapp, 1998)."""
        found = self.forward(point, COMPLEX, element, MP.mpc(0, STEP), Stepped())
        return MP.mpc(found[root][()]).imag / STEP

    def differences(self, point: Point, element: Element, watch: Watch) -> Any:
        """`∂S/∂element` by central differences, extrapolated once (Richardson, 1911).

        `watch` are the constants of the pass at the point itself, without which they would move.
        """
        step, fixed = MP.mpf(10) ** -20, Watch(watch.held, {}, open=False)

        def central(h: Any) -> Any:
            ends = (self.forward(point, REAL, element, by, fixed)["S"][()] for by in (h, -h))
            return (next(ends) - next(ends)) / (2 * h)

        return (4 * central(step / 2) - central(step)) / 3


@dataclass
class LayerRun:
    """One layer, worked out element by element as they are asked for."""

    plan: Plan
    found: dict[str, Tensor]
    domain: Domain
    watch: Watch
    formulas: Mapping[str, str]
    nudge: tuple[Element, Any]

    def __post_init__(self) -> None:
        plan = self.plan
        self.zero = self.number("0")
        self.labels, self.range, self.size = plan.labels, plan.range, plan.size
        self.numbers: dict[str, Any] = {
            name: self.number(plan.layer.numbers.get(name, text))
            for name, text in plan.file.numbers.items()
        }
        self.bodies = {one.name: (one.axes, value(one.body)) for one in plan.file.equations}
        self.shapes = {name: plan.shape(t.axes) for name, t in plan.file.tensors.items()}
        self.waiting: set[tuple[str, Indices]] = set()

    def fill(self) -> None:
        """All elements of all tensors, in their order."""
        for name in self.bodies:
            self.found[self.labels[name]] = {}
        for name in self.bodies:
            for indices in product(*(range(1, size + 1) for size in self.shapes[name])):
                self.element(name, indices)
        for label in map(self.labels.__getitem__, self.bodies):
            self.found[label] = dict(sorted(self.found[label].items()))

    def knows(self, name: str) -> bool:
        """Whether a tensor has this name."""
        return name in self.labels

    def element(self, name: str, indices: Indices) -> Any:
        """An element of a tensor; zero outside of it, and between its places."""
        shape = self.shapes[name]
        outside = not all(1 <= i <= n and i == int(i) for i, n in zip(indices, shape, strict=True))
        if outside or not self.plan.present(self.plan.file.tensors[name]):
            return self.zero
        tensor = self.found[self.labels[name]]
        if indices not in tensor:
            tensor[indices] = self.worked_out(name, indices)
        return tensor[indices]

    def worked_out(self, name: str, indices: Indices) -> Any:
        """An element by its equation, which may ask for others.

        Raises:
            ValueError: it depends on itself.
        """
        if (name, indices) in self.waiting:
            raise ValueError(f"{name}{list(indices)} depends on itself")
        self.waiting.add((name, indices))
        axes, body = self.bodies[name]
        result = body(self, self.plan.split(axes, indices))
        self.waiting.remove((name, indices))
        element, by = self.nudge
        return result + by if element == (self.labels[name], indices) else result

    def number(self, text: str) -> Any:
        """A constant."""
        return self.domain.number(text)

    def merged(self, values: list[Any], tree: Any) -> Any:
        """Several indices as one; out of range, where one of them is."""
        sizes = [len(self.range(part.id)) for part in tree.elts]
        if not all(1 <= index <= size for index, size in zip(values, sizes, strict=True)):
            return 0
        position = 0
        for index, size in zip(values, sizes, strict=True):
            position = position * size + index - 1
        return position + 1

    def binds(self, name: str) -> bool:
        """Whether a name in front of a body is an index letter."""
        return not self.knows(name) or bool(self.shapes[name])

    def scalar(self, name: str, values: list[Any], row: Callable[[], list[Any]]) -> Any:
        """A function by its name: the activation asked for, one of the catalogue, or a plain one.

        `row` is asked where the formula holds a sum over the whole layer.
        """
        given = self.plan.layer.activation if name == "act" else self.formulas.get(name)
        names = ("z", "u", "v")[: len(values)]
        text = given or (f"{name}({','.join(names)})" if values else name)
        layer = row() if "sum(" in text else ()
        return formula(text, self.domain)(dict(zip(names, values, strict=True)), layer)

    def hold(self, key: Any, found: Any) -> Any:
        """A value that is taken as a constant."""
        return self.watch.hold((self.plan.number, key), found)

    def pick(self, key: Any, found: list[Any]) -> int:
        """The place of the first largest value; plain numbers may be equal, as 0 after a relu."""
        plain = all(isinstance(value, float | int) for value in found)
        real = float if plain else self.domain.real
        return self.watch.pick((self.plan.number, key), found, real)


def _loss(oracle: Oracle, point: Point, domain: Domain) -> dict[str, Tensor]:
    """The stage, and the loss of all samples: its sum and, where asked for, its mean."""
    label, shape = oracle.output
    outputs, letter, found = point[label], "a", dict[str, Tensor]()
    if oracle.stage:
        outputs, letter = _staged(oracle.stage, outputs, domain), "p"
        found["p"] = outputs
    function, y = formula(oracle.loss, domain), point[oracle.target]
    terms = [function({letter: a, "y": y[at]}, ()) for at, a in outputs.items()]
    total = sum(terms, domain.number("0"))
    if oracle.mean_of_outputs:
        total = total / domain.number(str(prod(shape[1:] if oracle.samples else shape)))
    count = shape[0] if oracle.samples and oracle.mean else 1
    return found | {"S": {(): total}, "L": {(): total / domain.number(str(count))}}


def _staged(text: str, outputs: Tensor, domain: Domain) -> Tensor:
    """A function of rows: of the outputs that differ in their last index alone."""
    rows: dict[Indices, list[Any]] = {}
    for at, a in outputs.items():
        rows.setdefault(at[:-1], []).append(a)
    function = formula(text, domain)
    return {at: function({"z": a}, rows[at[:-1]]) for at, a in outputs.items()}


def elements(shapes: Mapping[str, Shape]) -> Iterator[Element]:
    """Every element of some tensors."""
    for label, shape in shapes.items():
        yield from ((label, at) for at in product(*(range(1, size + 1) for size in shape)))
