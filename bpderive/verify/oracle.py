"""An independent network: plain loops over scalars, from the texts of the catalogue's rows.

In: widths and texts. Out: every quantity of the forward pass, in any numbers; its derivatives by a
complex step, and by extrapolated differences. Must not know: the engine, nor any module that the
engine is made of; an import contract keeps it apart.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from bpderive.verify.arithmetic import MP, STEP
from bpderive.verify.formulas import COMPLEX, REAL, Domain, read

Indices = tuple[int, ...]
Tensor = dict[Indices, Any]
Point = Mapping[str, Tensor]
"""Every tensor by its label (`w1`, `x`, `a2`, `L`), its elements by their indices from 1."""
Element = tuple[str, Indices]


@dataclass(frozen=True)
class Oracle:
    """A dense network by the texts of its formulas; `stage` is applied before the loss is."""

    widths: tuple[int, ...]
    activations: tuple[str, ...]
    loss: str
    stage: str = ""
    mean_of_outputs: bool = False
    bias: bool = False
    input_first: bool = False
    """Whether a weight's first index is its input's."""

    @property
    def depth(self) -> int:
        """The number of layers; the input is not counted."""
        return len(self.activations)

    def parameters(self) -> Iterator[Element]:
        """Every weight, and every bias."""
        for layer in _to(self.depth):
            rows, columns = self.widths[layer], self.widths[layer - 1]
            yield from ((f"w{layer}", at) for at in product(*map(_to, self.weight(rows, columns))))
            if self.bias:
                yield from ((f"b{layer}", (i,)) for i in _to(rows))

    def weight(self, neuron: int, source: int) -> Indices:
        """The indices of the weight from an input to a neuron; of their counts, its shape."""
        return (source, neuron) if self.input_first else (neuron, source)

    def inner(self) -> Iterator[Element]:
        """The quantities between the parameters and the loss."""
        for layer in _to(self.depth):
            yield from ((f"{t}{layer}", (i,)) for t in "za" for i in _to(self.widths[layer]))
        if self.stage:
            yield from (("p", (i,)) for i in _to(self.widths[-1]))

    def forward(
        self, point: Point, domain: Domain = REAL, nudged: Element = ("", ()), by: Any = 0
    ) -> dict[str, Tensor]:
        """Every quantity, the loss as `L`; one element may be nudged as it is worked out."""
        return _Pass(self, dict(point), domain, nudged, by).run()

    def outputs(self, point: Point, domain: Domain = REAL) -> dict[str, Tensor]:
        """Every quantity up to the last layer's output, before the loss."""
        return _Pass(self, dict(point), domain, ("", ()), 0).layers()

    def complex_step(self, point: Point, element: Element) -> Any:
        """`∂L/∂element`, exact to about h²."""
        return self.inner_slope(point, element, ("L", ()))

    def inner_slope(self, point: Point, below: Element, above: Element) -> Any:
        """`∂above/∂below = Im above(below + ih)/h` of two quantities (Squire and Trapp, 1998)."""
        found = self.forward(point, COMPLEX, below, MP.mpc(0, STEP))
        return MP.mpc(found[above[0]][above[1]]).imag / STEP

    def differences(self, point: Point, element: Element) -> Any:
        """`∂L/∂element` by central differences, extrapolated once (Richardson, 1911).

        Of a step h the error is c h²; from h and h/2 that term cancels, so that h⁴ is left.
        """
        step = MP.mpf(10) ** -20
        wide, narrow = (self.central(point, element, h) for h in (step, step / 2))
        return (4 * narrow - wide) / 3

    def central(self, point: Point, element: Element, step: Any) -> Any:
        """`(L(+h) − L(−h))/2h`."""
        up, down = (self.forward(point, REAL, element, h)["L"][()] for h in (step, -step))
        return (up - down) / (2 * step)


@dataclass
class _Pass:
    """One run through the network."""

    oracle: Oracle
    point: dict[str, Tensor]
    domain: Domain
    nudged: Element
    by: Any

    def run(self) -> dict[str, Tensor]:
        label, indices = self.nudged
        if label in self.point:
            tensor = self.point[label]
            self.point[label] = {**tensor, indices: tensor[indices] + self.by}
        self.layers()
        self.put("L", {(): self.loss()})
        return self.point

    def layers(self) -> dict[str, Tensor]:
        """The weighted sums and outputs of the layers."""
        for layer in range(self.first, self.oracle.depth + 1):
            self.dense(layer)
            self.apply(self.oracle.activations[layer - 1], f"z{layer}", f"a{layer}")
        return self.point

    @property
    def first(self) -> int:
        """The layer to begin with: where a point has all quantities, that of the nudged one."""
        label, known = self.nudged[0], "L" in self.point
        if not known or not label:
            return 1
        return int(label[1:]) if label[1:] else self.oracle.depth + (label == "p")

    def put(self, label: str, tensor: Tensor) -> None:
        if label == self.nudged[0]:
            tensor[self.nudged[1]] = tensor[self.nudged[1]] + self.by
        self.point[label] = tensor

    def dense(self, layer: int) -> None:
        w, b = self.point[f"w{layer}"], self.point.get(f"b{layer}")
        below = self.point["x" if layer == 1 else f"a{layer - 1}"]
        z: Tensor = {}
        for i in _to(self.oracle.widths[layer]):
            z[i,] = sum(w[self.oracle.weight(i, j)] * value for (j,), value in below.items())
            if b is not None:
                z[i,] = z[i,] + b[i,]
        self.put(f"z{layer}", z)

    def apply(self, text: str, source: str, target: str) -> None:
        function, z = read(text, self.domain), self.point[source]
        layer = tuple(z.values())
        self.put(target, {i: function({"z": value}, layer) for i, value in z.items()})

    def loss(self) -> Any:
        letter, last = "a", f"a{self.oracle.depth}"
        if self.oracle.stage:
            self.apply(self.oracle.stage, last, "p")
            letter = last = "p"
        function, y = read(self.oracle.loss, self.domain), self.point["y"]
        terms = [function({letter: value, "y": y[i]}, ()) for i, value in self.point[last].items()]
        return sum(terms) / len(terms) if self.oracle.mean_of_outputs else sum(terms)


def _to(number: int) -> range:
    return range(1, number + 1)
