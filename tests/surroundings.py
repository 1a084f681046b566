"""The tensors around one general layer as numbers, and what a step of a derivation is at them.

A `Partial` is worked out as a central difference through the layer's forward equations, a slope
`f'(z)` as one of the formula of the catalogue's row.
"""

import random
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any

from evaluate import Values
from oracle import LABELS, MP, STEP, formula, takes
from sympy import Indexed, Integer, Sum, Symbol

from bpderive.catalog import CATALOG
from bpderive.index import Partial, indices_of, label_of

SIZES = {"n{l-1}": 2, "n{l}": 3, "n{l+1}": 2, "N": 2}


@dataclass
class Surroundings:
    """The tensors around a layer of a graph, by `w{l}[1,2]`; what is above it acts linearly."""

    graph: Any
    loss: Any
    random: random.Random
    given: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        for _ in range(1000):
            self.given = dict(self.inputs())
            if self.suits(self.forward()):
                return
        raise AssertionError(f"no tensors suit {self.loss.name}")

    def suits(self, point):
        """Whether the loss can take the layer's outputs."""
        outputs = [n for n in point if n.startswith("a{l}[")]
        return self.hidden or all(
            takes(self.loss, point[n], point[n.replace("a{l}", "y")]) for n in outputs
        )

    @property
    def hidden(self):
        return bool(self.graph.adjoints)

    def inputs(self):
        """Random numbers for whatever no equation defines."""
        defined = {equation.label for equation in self.graph.equations}
        found = {atom for e in self.graph.equations for atom in e.rhs.atoms(Indexed)}
        above = [a for e in self.graph.equations for a in [e.lhs] if e.label in self.graph.adjoints]
        for atom in sorted(found, key=str):
            if label_of(atom) not in defined | {"y"}:
                yield from self.numbers(label_of(atom), self.sizes(atom))
        for atom in above:
            yield from self.numbers(self.graph.adjoints[label_of(atom)], self.sizes(atom))
        if not self.hidden:
            yield from self.labels(next(a for a in found if label_of(a) == "y"))

    def sizes(self, atom):
        """The ranges of a tensor's indices, as ints: found where an equation runs over them."""
        ranges = {}
        for e in self.graph.equations:
            ranges |= dict(zip(e.indices, e.sizes, strict=True))
            ranges |= {lim[0]: lim[2] for s in e.rhs.atoms(Sum) for lim in s.limits}
        return [SIZES[str(ranges[index])] for index in indices_of(atom)]

    def numbers(self, label, sizes):
        for at in boxes(sizes):
            yield name(label, at), MP.mpf(self.random.randint(-99, 99)) / 61

    def labels(self, atom):
        *samples, width = self.sizes(atom)
        for at in boxes(samples):
            row = LABELS[self.loss.label](self.random, width)
            yield from ((name("y", (*at, k + 1)), value) for k, value in enumerate(row))

    def forward(self, nudged=None, by=0):
        """All tensors and the root; one element may be nudged as it is worked out."""
        point = {**SIZES, **self.given}
        if nudged in point:
            point[nudged] += by
        for equation in self.graph.equations:
            for at in boxes([SIZES[str(size)] for size in equation.sizes]):
                env = dict(zip(equation.indices, map(Integer, at), strict=True))
                key = name(equation.label, at)
                value = Values(point, undefined=self.undefined)(equation.rhs, env)
                point[key] = value + by if key == nudged else value
        if self.hidden:
            point[str(self.graph.root)] = sum(
                value * point["z" + key.removeprefix("delta")]
                for key, value in self.given.items()
                if key.startswith("delta")
            )
        return point

    def undefined(self, function, argument, at, values):
        """An activation at a number, or its slope, by the text of its formula."""
        row = formula(CATALOG.activation(function.removesuffix("'")).formula)
        z = values(argument, at)
        if not function.endswith("'"):
            return row({"z": z}, ())
        return (row({"z": z + STEP}, ()) - row({"z": z - STEP}, ())) / (2 * STEP)

    def partial(self, expr, at, values):
        """`∂numerator/∂denominator` as a central difference."""
        element, by = ends(values, expr.denominator, at), ends(values, expr.numerator, at)
        if (element, by) not in self.slopes:
            up, down = self.forward(element, STEP)[by], self.forward(element, -STEP)[by]
            self.slopes[element, by] = (up - down) / (2 * STEP)
        return self.slopes[element, by]

    @cached_property
    def slopes(self):
        return {}

    @cached_property
    def values(self):
        """The evaluator of steps, in which the named derivatives have their values too."""
        point = self.forward()
        values = Values(point, partial=self.partial, undefined=self.undefined)
        for letter, label in (("z", "delta{l}"), ("a", "g{l}")):
            for key in [key for key in point if key.startswith(f"{letter}{{l}}[")]:
                root = self.graph.root
                wanted = Partial(root, Symbol(key))
                point[label + key[key.index("[") :]] = self.partial(wanted, {}, values)
        return values


def boxes(sizes):
    return product(*(range(1, size + 1) for size in sizes))


def name(label, at):
    return f"{label}[{','.join(map(str, at))}]" if at else label


def ends(values, quantity, at):
    return values.name(quantity, at) if isinstance(quantity, Indexed) else quantity.name
