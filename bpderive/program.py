"""A derivation as a program: assignments of array expressions, in the order of computation.

In: a `Derivation`. Out: a `Program`; targets print it and know no mathematics. Every assignment
carries the number that its equation has in the document. Must not know: any target's syntax.

Equal layers share one array expression, written for the general layer `l`; an assignment's `names`
turn its labels into those of layer 3 or 1000. An activation and its slope are a `Call` of a
`Definition`: a target may write it in place or as a function.

The loss is rewritten where its textbook form overflows: `log a` after a sigmoid is
`-softplus(-z)`; after a softmax it is `log_a = log_softmax(z)`, from which then `a = exp(log_a)`.
Each row of `STABLE` is an identity.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache, cached_property

from sympy import Expr, Function, Indexed, Pow, Sum, exp, log
from sympy.core.function import AppliedUndef

from bpderive.catalog import Activation
from bpderive.derive import Derivation, Derived
from bpderive.forms.arrays import Apply, Axes, Leaf, Node, lower
from bpderive.forms.numbering import Numbering, numbering
from bpderive.functions import scalar_symbol, softplus, total, xlogy
from bpderive.index import element, label_of, rename
from bpderive.network import Graph, Kind, Network

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
    _names: dict[int, Names] = field(default_factory=dict)
    _definitions: dict[str, Definition] = field(default_factory=dict)

    def at(self, layer: int, row: _Row) -> Assignment:
        """The general layer's assignment at a layer."""
        if layer not in self._names:
            self._names[layer] = self.network.names(layer)
        names = self._names[layer]
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
        yield _Row("z{l}", lower(z.rhs, z.indices), z.sizes, lambda at: numbers.forward("z", at))
        value = self.activation(row, graph, "a{l}", "z{l}")
        a = _Row("a{l}", value, z.sizes, lambda at: numbers.forward("a", at))
        yield from self.with_log(a) if last else (a,)
        if last and self.network.stage is not None:
            value = self.activation(self.network.stage, graph, "p", "a{l}")
            yield from self.with_log(_Row("p", value, z.sizes, lambda _: numbers.stage))

    def with_log(self, row: _Row) -> Iterator[_Row]:
        """`log_a = log_softmax(z)`, then `a = exp(log_a)`, where the loss is made of `log_a`."""
        label, call = f"log_{row.target}", row.value
        used = any(isinstance(n, Leaf) and n.label == label for n in walk(self.loss.value))
        if used and isinstance(call, Call):
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
                number = self.numbers.backward
                value = transform(self.lowered(derived, layer), self.slope)
                sizes = derived.result.sizes
                yield _Row(name, value, sizes, lambda at, key=letter: number(key, at))

    def lowered(self, derived: Derived, layer: int) -> Node:
        """The derivative as arrays; only the last layer's holds a size, that of the mean."""
        indices = derived.partial.denominator.indices
        rhs = derived.result.rhs if _has_reciprocal(derived.shown.rhs) else derived.shown.rhs
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
        return self.at(depth, _Row("L", lower(_pulled(rhs), ()), (), lambda _: self.numbers.loss))

    def graph(self, layer: int) -> Graph:
        return self.network.graph(self.network.kind(layer, batch=True))


def _has_reciprocal(expr: Expr) -> bool:
    """Whether something is divided by an array, which a slope written out may cancel."""
    return any(node.exp.is_negative and node.base.has(Indexed) for node in expr.atoms(Pow))


def _definition(name: str, rhs: Expr, indices: Axes) -> Definition:
    value = lower(rhs, indices)
    used = {node.label for node in walk(value) if isinstance(node, Leaf)}
    return Definition(name, tuple(p for p in ("z", "a") if p in used), value)


# --- The loss without overflow ---


def stable(expr: Expr, network: Network) -> Expr:
    """The loss with its logarithms of probabilities written so that they cannot overflow."""
    outputs = {"a{l}": (network.layers[-1].activation.name, "z{l}")}
    if network.stage is not None:
        outputs["p"] = (network.stage.name, "a{l}")

    def one(node: Expr) -> Expr | None:
        value, factor = (node.args[0], 1) if isinstance(node, log) else (node.args[1], node.args[0])
        for atom in value.atoms(Indexed):
            name, source = outputs.get(label_of(atom), ("", ""))
            logarithm = STABLE.get((name, value == atom))
            if logarithm is not None and value in (atom, 1 - atom):
                return factor * logarithm(element(source, atom.indices), atom)
        return None

    nodes = expr.atoms(log, xlogy)
    return expr.xreplace({node: new for node in nodes if (new := one(node)) is not None})


STABLE: Mapping[tuple[str, bool], Callable[[Expr, Expr], Expr]] = {
    ("sigmoid", True): lambda z, _: -softplus(-z),
    ("sigmoid", False): lambda z, _: -softplus(z),
    ("exp", True): lambda z, _: z,
    ("softmax", True): lambda _, a: element(f"log_{label_of(a)}", a.indices),
}
"""`log a` (True) and `log(1 - a)` (False) by the activation that gives `a`."""


def _pulled(expr: Expr) -> Expr:
    """`Σ -u → -Σ u`."""
    sums = {}
    for node in expr.atoms(Sum):
        number, body = node.function.as_coeff_Mul()
        sums[node] = number * Sum(body, *node.limits)
    return expr.xreplace(sums)


def softmax_of(expr: Expr) -> Expr | None:
    """`exp(u)/total(exp(u)) → softmax(u)`, or None."""
    for node in expr.atoms(total):
        if isinstance(node.args[0], exp) and expr == node.args[0] / node:
            function: type[AppliedUndef] = Function("softmax")
            return function(node.args[0].args[0])
    return None


# --- Trees of nodes ---


def walk(node: Node) -> Iterator[Node]:
    """The node and all that it is made of, from the outside in."""
    yield node
    for parts in _parts(node).values():
        for part in parts if isinstance(parts, tuple) else (parts,):
            yield from walk(part)


def transform(node: Node, change: Callable[[Node], Node]) -> Node:
    """The node with every part changed, from the inside out."""
    new = {
        name: tuple(transform(part, change) for part in parts)
        if isinstance(parts, tuple)
        else transform(parts, change)
        for name, parts in _parts(node).items()
    }
    return change(replace(node, **new) if new else node)


def _parts(node: Node) -> dict[str, Node | tuple[Node, ...]]:
    """The fields that hold nodes."""
    values = ((name, getattr(node, name)) for name in _names_of_fields(type(node)))
    return {
        name: value
        for name, value in values
        if isinstance(value, Node)
        or (isinstance(value, tuple) and value and isinstance(value[0], Node))
    }


@cache
def _names_of_fields(kind: type[Node]) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind) if f.name != "axes")
