"""The program that every target prints, run in many digits: what it computes is the gradient.

In: a `Subject`. Out: a `Check` of the loss and of every gradient that its program assigns, against
the oracle. What remains to be shown of a target is its spelling. Must not know: any target.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from sympy import Symbol

from bpderive.forms.arrays import (
    Apply,
    Leaf,
    MatMul,
    Node,
    Outer,
    Power,
    Product,
    Reduce,
    Scalar,
    Terms,
    Transpose,
)
from bpderive.program import Assignment, Call, build
from bpderive.proof import Check, Skip
from bpderive.verify.arithmetic import MP, digits
from bpderive.verify.evaluate import Numbers, compiled, scalars
from bpderive.verify.guard import refusing
from bpderive.verify.oracle import Tensor
from bpderive.verify.subject import Subject

WANTED = 40
Axes = tuple[Symbol, ...]


@dataclass(frozen=True)
class Array:
    """Numbers over the values of some indices, in this order."""

    axes: Axes
    data: Tensor

    @property
    def sizes(self) -> dict[Symbol, int]:
        """The range of each index."""
        last = max(self.data) if self.data else ()
        return dict(zip(self.axes, last, strict=True))

    def at(self, values: Mapping[Symbol, int]) -> Any:
        """The number at the values of its own indices."""
        return self.data[tuple(values[axis] for axis in self.axes)]


@dataclass
class Machine:
    """The arrays by label, and the number of samples."""

    arrays: dict[str, Tensor]
    samples: int

    def run(self, assignment: Assignment) -> None:
        """Do one assignment."""
        names = assignment.names
        found = self.value(assignment.value, lambda label: self.arrays[_name(label, names)])
        self.arrays[assignment.target] = found.data

    def value(self, node: Node, tensor: Callable[[str], Tensor]) -> Array:
        """The numbers of an array expression."""
        if isinstance(node, Leaf):
            return Array(node.axes, tensor(node.label))
        if isinstance(node, Scalar):
            return Array((), {(): compiled(node.value)(Numbers({}, {"N": self.samples}), {})})
        if isinstance(node, Call):
            return self.call(node, tensor)
        return METHODS[type(node)](self, node, tensor)

    def call(self, node: Call, tensor: Callable[[str], Tensor]) -> Array:
        """A definition at other arrays, its indices replaced by those of the call."""
        definition = node.definition
        given = dict(zip(definition.parameters, map(_label, node.args), strict=True))
        found = self.value(definition.value, lambda label: tensor(given[label]))
        if len(found.axes) == len(node.axes):
            return Array(node.axes, found.data)
        return found

    def elementwise(self, function: Callable[..., Any], node: Node, parts: list[Array]) -> Array:
        """A function of the elements at the same values of the indices."""
        sizes = {axis: size for part in parts for axis, size in part.sizes.items()}
        data = {}
        for at in product(*(range(1, sizes[axis] + 1) for axis in node.axes)):
            values = dict(zip(node.axes, at, strict=True))
            data[at] = function(*(part.at(values) for part in parts))
        return Array(node.axes, data)

    def apply(self, node: Apply, tensor: Callable[[str], Tensor]) -> Array:
        parts = [self.value(arg, tensor) for arg in node.args]
        if node.name in ROWS:
            return Array(node.axes, ROWS[node.name](parts[0].data))
        return self.elementwise(FUNCTIONS[node.name], node, parts)

    def power(self, node: Power, tensor: Callable[[str], Tensor]) -> Array:
        exponent = compiled(node.exponent)(Numbers({}), {})
        whole = int(exponent) if exponent == int(exponent) else exponent
        return self.elementwise(lambda u: _power(u, whole), node, [self.value(node.base, tensor)])

    def product(self, node: Product, tensor: Callable[[str], Tensor]) -> Array:
        parts = [self.value(factor, tensor) for factor in node.factors]
        return self.elementwise(lambda *factors: MP.fprod(factors), node, parts)

    def terms(self, node: Terms, tensor: Callable[[str], Tensor]) -> Array:
        parts = [self.value(term, tensor) for term in node.terms]
        return self.elementwise(lambda *terms: sum(terms), node, parts)

    def matmul(self, node: MatMul, tensor: Callable[[str], Tensor]) -> Array:
        """`Σ_k left[.., k] right[k, ..]`; both sides must have the same range of k."""
        left, right = self.value(node.left, tensor), self.value(node.right, tensor)
        if (
            left.axes[-1] != right.axes[0]
            or left.sizes[left.axes[-1]] != right.sizes[right.axes[0]]
        ):
            raise ValueError("the sides of a matrix product do not fit")
        return _contracted(left, right, node.axes, left.axes[-1])

    def outer(self, node: Outer, tensor: Callable[[str], Tensor]) -> Array:
        parts = [self.value(side, tensor) for side in (node.left, node.right)]
        return self.elementwise(lambda u, v: u * v, node, parts)

    def transpose(self, node: Transpose, tensor: Callable[[str], Tensor]) -> Array:
        found = self.value(node.arg, tensor)
        return Array(node.axes, {at[::-1]: value for at, value in sorted(found.data.items())})

    def reduce(self, node: Reduce, tensor: Callable[[str], Tensor]) -> Array:
        found = self.value(node.arg, tensor)
        data: Tensor = {}
        for at, value in found.data.items():
            values = dict(zip(found.axes, at, strict=True))
            key = tuple(values[axis] for axis in node.axes)
            data[key] = data.get(key, MP.mpf(0)) + value
        return Array(node.axes, data)


def _power(base: Any, exponent: Any) -> Any:
    """A power; no number at a pole, which may lie in a branch that is not chosen."""
    return MP.nan if base == 0 and exponent < 0 else base**exponent


def _contracted(left: Array, right: Array, axes: Axes, index: Symbol) -> Array:
    sizes = {**left.sizes, **right.sizes}
    data = {}
    for at in product(*(range(1, sizes[axis] + 1) for axis in axes)):
        values = dict(zip(axes, at, strict=True))
        data[at] = sum(
            left.at({**values, index: k}) * right.at({**values, index: k})
            for k in range(1, sizes[index] + 1)
        )
    return Array(axes, data)


def _label(leaf: Leaf) -> str:
    return leaf.label


def _name(label: str, names: Mapping[str, Any]) -> str:
    """A label of the general layer, as it reads here: `log_a{l}` → `log_a3`."""
    prefix, label = ("log_", label[4:]) if label.startswith("log_") else ("", label)
    return prefix + str(names.get(label, label))


def _softmax(data: Tensor) -> Tensor:
    """`exp(u_k)/Σ exp(u)` along the last index."""
    totals: Tensor = {}
    for at, value in data.items():
        totals[at[:-1]] = totals.get(at[:-1], MP.mpf(0)) + MP.exp(value)
    return {at: MP.exp(value) / totals[at[:-1]] for at, value in data.items()}


ROWS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "softmax": _softmax,
    "log_softmax": lambda data: {at: MP.log(value) for at, value in _softmax(data).items()},
}
"""Functions of a whole row."""
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "sigmoid": lambda u: 1 / (1 + MP.exp(-u)),
    "softplus": lambda u: MP.log(1 + MP.exp(u)),
    "select": lambda u, p, q: p if u > 0 else q,
    "xlogy": lambda x, y: x * MP.log(y) if x else x,
    "power": MP.power,
    "Abs": scalars.absolute,
    "sign": scalars.sign,
    **{
        name: getattr(MP, name)
        for name in ("exp", "log", "tanh", "sinh", "cosh", "sin", "cos", "erf")
    },
}
METHODS: Mapping[type[Node], Callable[[Machine, Any, Callable[[str], Tensor]], Array]] = {
    Apply: Machine.apply,
    Power: Machine.power,
    Product: Machine.product,
    Terms: Machine.terms,
    MatMul: Machine.matmul,
    Outer: Machine.outer,
    Transpose: Machine.transpose,
    Reduce: Machine.reduce,
}


@refusing("program", "oracles")
def check(subject: Subject) -> Iterator[Check | Skip]:
    """The loss and every gradient that the program assigns, over the batch of all samples."""
    if subject.points is None:
        yield Skip("program", "oracles", "no_point")
        return
    program, samples = build(subject.model), subject.points.samples
    machine = Machine(batched(samples, ("x", "y")), len(samples))
    machine.arrays |= {label: samples[0][label] for label in subject.parameters}
    for assignment in (*program.forward, program.loss, *program.backward):
        machine.run(assignment)
    count = len(samples) if program.mean else 1
    loss = sum(sample["L"][()] for sample in samples)
    pairs = [(machine.arrays["L"][()], loss)]
    yield Check("program", "L", "oracles", 1, digits(pairs), WANTED)
    for label in subject.parameters:
        found = machine.arrays[f"d{label.upper() if label[0] == 'w' else label}"]
        pairs = [(found[at] / count, value) for at, value in subject.expected(label).items()]
        agreed = digits(pairs, subject.scales[label])
        yield Check("program", label, "oracles", len(pairs), agreed, WANTED)


def batched(samples: tuple[dict[str, Tensor], ...], labels: tuple[str, ...]) -> dict[str, Tensor]:
    """The tensors of all samples as arrays whose first index counts the samples."""
    return {
        label: {(n, *at): v for n, s in enumerate(samples, 1) for at, v in s[label].items()}
        for label in labels
    }
