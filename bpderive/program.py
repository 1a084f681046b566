"""A derivation as a program: assignments of array expressions, in the order of computation.

In: a `Derivation`. Out: a `Program`; targets print it and know no mathematics. Every assignment
carries the number that its equation has in the document. Must not know: any target's syntax.

Equal layers share one array expression, written for the general layer `l`; an assignment's `names`
turn its labels into those of layer 3 or 1000. An activation and its slope are a `Call` of a
`Definition`: a target may write it in place or as a function.

Where the loss is made of `log_a` after a softmax, there is `log_a = log_softmax(z)`, and then
`a = exp(log_a)`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

from sympy import Expr, Indexed, Integer

from bpderive.catalog import Activation
from bpderive.derive import Derivation, Derived
from bpderive.equations import Graph, Kind
from bpderive.forms.arrays import Apply, Axes, Leaf, Node, Product, Scalar, Terms, lower
from bpderive.forms.numbering import Numbering, numbering
from bpderive.forms.stable import pulled, softmax_of, stable
from bpderive.forms.trees import labels, transform, walk
from bpderive.functions import scalar_symbol
from bpderive.index import element, rename
from bpderive.network import Network

Names = Mapping[str, Expr | str]


@dataclass(frozen=True)
class Definition:
    """A function of a layer's arrays `z` and `a`: an activation (`relu`) or a slope (`relu'`)."""

    name: str
    parameters: tuple[str, ...]
    value: Node


@dataclass(frozen=True)
class Call(Node):
    """A definition at the arrays of a layer."""

    definition: Definition
    args: tuple[Leaf, ...]


@dataclass(frozen=True)
class Assignment:
    """`target = value`, with its equation's number and the sizes of the target's axes.

    The labels in `value` are those of the general layer; `names` says what they are here.
    """

    target: str
    value: Node
    names: Names
    number: int
    shape: tuple[Expr, ...]


@dataclass(frozen=True)
class Program:
    """What is computed, in order.

    The loss and the gradients `dW`, `db` are sums over the samples; `mean` divides them by N.
    """

    network: Network
    forward: tuple[Assignment, ...]
    loss: Assignment
    backward: tuple[Assignment, ...]
    mean: bool

    @property
    def widths(self) -> tuple[Expr, ...]:
        """The sizes of the input and of every layer."""
        return (self.network.inputs, *(layer.width for layer in self.network.layers))

    @cached_property
    def definitions(self) -> tuple[Definition, ...]:
        """The definitions that are called, in order of first use."""
        values = {id(row.value): row.value for row in (*self.forward, self.loss, *self.backward)}
        calls = (n for value in values.values() for n in walk(value) if isinstance(n, Call))
        return tuple({call.definition.name: call.definition for call in calls}.values())


def build(derivation: Derivation) -> Program:
    """The program of a derivation, over a batch with the samples as rows."""
    network = derivation.network
    builder = _Builder(derivation, network, numbering(network))
    layers = [(builder.kind(layer.index), layer.index) for layer in network.layers]
    return Program(
        network=network,
        forward=tuple(builder.at(layer, row) for kind, layer in layers for row in kind.forward),
        loss=builder.loss,
        backward=tuple(
            builder.at(layer, row) for kind, layer in reversed(layers) for row in kind.backward
        ),
        mean=network.spec.reduction == "mean",
    )


@dataclass(frozen=True)
class _Row:
    """An assignment of the general layer; `number` counts its equations."""

    target: str
    value: Node
    sizes: tuple[Expr, ...]
    number: Callable[[int], int]


@dataclass(frozen=True)
class _Rows:
    """The assignments of one kind of layer."""

    forward: tuple[_Row, ...]
    backward: tuple[_Row, ...]


GRADIENTS = {"a": "g{l}", "z": "delta{l}", "w": "dW{l}", "b": "db{l}"}


@dataclass(frozen=True)
class _Builder:
    """Lowers each kind of layer once, and hands its rows to every layer of the kind."""

    derivation: Derivation
    network: Network
    numbers: Numbering
    _kinds: dict[Kind, _Rows] = field(default_factory=dict)
    _definitions: dict[str, Definition] = field(default_factory=dict)

    def at(self, layer: int, row: _Row) -> Assignment:
        """The general layer's assignment at a layer."""
        names = self.network.names(layer)
        shape = tuple(names.get(size.name, size) for size in row.sizes)
        target = row.target.replace("{l}", str(layer))
        return Assignment(target, row.value, names, row.number(layer), shape)

    def kind(self, layer: int) -> _Rows:
        kind = self.network.kind(layer, batch=True)
        if kind not in self._kinds:
            self._kinds[kind] = _Rows(
                tuple(self.forward(layer)),
                tuple(self.backward(layer)),
            )
        return self._kinds[kind]

    def forward(self, layer: int) -> Iterator[_Row]:
        graph, numbers = self.graph(layer), self.numbers
        z, row = graph.by_label["z{l}"], self.network.layer(layer).activation
        last = layer == self.network.depth
        yield _Row("z{l}", lower(z.rhs, z.indices), z.sizes, partial(numbers.forward, "z"))
        value = self.activation(row, graph, "a{l}", "z{l}")
        a = _Row("a{l}", value, z.sizes, partial(numbers.forward, "a"))
        yield from self.with_log(a) if last else (a,)
        if last and self.network.stage is not None:
            value = self.activation(self.network.stage, graph, "p", "a{l}")
            yield from self.with_log(_Row("p", value, z.sizes, lambda _: numbers.stage))

    def with_log(self, row: _Row) -> Iterator[_Row]:
        """`log_a = log_softmax(z)`, then `a = exp(log_a)`, where the loss is made of `log_a`."""
        label, call = f"log_{row.target}", row.value
        if label in labels(self.loss.value) and isinstance(call, Call):
            yield replace(row, target=label, value=Apply(call.axes, "log_softmax", call.args))
            row = replace(row, value=Apply(call.axes, "exp", (Leaf(call.axes, label),)))
        yield row

    def activation(self, row: Activation, graph: Graph, target: str, source: str) -> Node:
        """`f(z)` as a call, or `z` itself where the layer is linear."""
        equation = graph.by_label[target]
        if isinstance(equation.rhs, Indexed):
            return lower(equation.rhs, equation.indices)
        if row.name not in self._definitions:
            z = element("z", equation.indices)
            rhs = row.definition.xreplace({scalar_symbol("z"): z})
            if not row.elementwise:
                rhs = softmax_of(rhs) or rename(equation.rhs, {source: "z"})
            self._definitions[row.name] = _definition(row.name, rhs, equation.indices)
        definition = self._definitions[row.name]
        return Call(equation.indices, definition, (Leaf(equation.indices, source),))

    def backward(self, layer: int) -> Iterator[_Row]:
        found = self.derivation.at(layer, batch=True)
        for letter, name in GRADIENTS.items():
            derived = found.get(letter)
            if derived is not None and (derived.named or letter in "wb"):
                value = filled(transform(self.lowered(derived, layer), self.slope), derived)
                number = partial(self.numbers.backward, letter)
                yield _Row(name, value, derived.result.sizes, number)

    def lowered(self, derived: Derived, layer: int) -> Node:
        """The derivative as arrays; only the last layer's holds a size, that of the mean."""
        indices = derived.partial.denominator.indices
        rhs = derived.shown.rhs
        if layer == self.network.depth:
            rhs = rename(rhs, {"n{l}": self.network.outputs})
        return lower(rhs, indices)

    def slope(self, node: Node) -> Node:
        """`f'(z)` → a call of its closed form in `z` and `a`."""
        if not isinstance(node, Apply) or not node.name.endswith("'"):
            return node
        if node.name not in self._definitions:
            row = self.network.activations[node.name[:-1]]
            at = {scalar_symbol(name): element(name, node.axes) for name in "az"}
            rhs = row.slope_expr.xreplace(at)
            self._definitions[node.name] = _definition(node.name, rhs, node.axes)
        definition = self._definitions[node.name]
        args = tuple(Leaf(node.axes, f"{name}{{l}}") for name in definition.parameters)
        return Call(node.axes, definition, args)

    @cached_property
    def loss(self) -> Assignment:
        depth = self.network.depth
        rhs = self.graph(depth).by_label["S"].rhs
        rhs = stable(rename(rhs, {"n{l}": self.network.outputs}), self.network)
        return self.at(depth, _Row("L", lower(pulled(rhs), ()), (), lambda _: self.numbers.loss))

    def graph(self, layer: int) -> Graph:
        return self.network.graph(self.network.kind(layer, batch=True))


def filled(value: Node, derived: Derived) -> Node:
    """`1 → 1 + 0·a`: the error of a loss that is linear in the outputs is one number for all."""
    indices = derived.partial.denominator.indices
    if value.axes or derived.tensor.name not in "az":
        return value
    nothing = Product(indices, (Scalar((), Integer(0)), Leaf(indices, "a{l}")))
    return Terms(indices, (value, nothing))


def _definition(name: str, rhs: Expr, indices: Axes) -> Definition:
    value = lower(rhs, indices)
    return Definition(name, tuple(reversed(labels(value))), value)
