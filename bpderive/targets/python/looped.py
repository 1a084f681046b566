"""A large network in plain Python: one comprehension for each equation, on lists of floats.

In: `Scalars`. Out: the functions of one sample, `_forward` and `_loss`, and the sums of the
gradients over the samples. A sum of products is `dot`; the columns of the weights are taken once.
Must not know any mathematics.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sympy import Symbol

from bpderive.errors import UnsupportedError
from bpderive.forms.arrays import Leaf, Node, Product, Reduce
from bpderive.forms.trees import labels, walk
from bpderive.targets.layout import WIDTH, Code, Invoke, Text, collection, statement
from bpderive.targets.python.printer import ScalarPrinter
from bpderive.targets.scalars import Element, Scalars, needed


@dataclass(frozen=True, eq=False, repr=False)
class Comprehension(Code):
    """`[value for names in source]`; with a `function`, `function(value for …)`."""

    value: Code
    names: str
    source: Code
    function: str = ""

    @property
    def brackets(self) -> tuple[str, str]:
        return ("(", ")") if self.function else ("[", "]")

    @property
    def inner(self) -> str:
        return f"{self.value.flat} for {self.names} in {self.source.flat}"

    @cached_property
    def flat(self) -> str:
        left, right = self.brackets
        return f"{self.function}{left}{self.inner}{right}"

    def broken(self, indent: int, column: int, tail: int) -> str:
        return self.commented(indent, "")

    def commented(self, indent: int, comment: str) -> str:
        """On several lines, with a comment on the first."""
        left, right = self.brackets
        margin, column = " " * (indent + 4), indent + 4
        text = f"{margin}{self.inner}"
        if len(text) > WIDTH:
            head = f"for {self.names} in "
            source = self.source.lines(column, column + len(head))
            text = f"{margin}{self.value.lines(column, column)}\n{margin}{head}{source}"
        return f"{self.function}{left}{comment}\n{text}\n{' ' * indent}{right}"


class RowPrinter(ScalarPrinter):
    """Prints an element of a row as `a1_i`, and sums over an index."""

    def sum(self, node: Reduce, *options: str) -> Code:
        """`dot(w1_i, x)`, or `sum(… for a1_k in a1)`."""
        (index,), body = node.summed, node.arg
        factors = body.factors if isinstance(body, Product) else ()
        if len(factors) == 2 and all(isinstance(f, Leaf) and index in f.axes for f in factors):
            self.helpers.add("dot")
            return Invoke("dot", tuple(_vector(f, index) for f in factors))
        names, source = sources(body, index)
        if isinstance(body, Leaf):
            return Invoke("sum", (source,))
        return Comprehension(self.code(body), names, source, "sum")


def _vector(leaf: Node, index: Symbol) -> Text:
    """The row or column of a leaf along an index: `a1`, or `w1_i`."""
    assert isinstance(leaf, Leaf)  # noqa: S101 - the caller has looked
    rest = [str(axis) for axis in leaf.axes if axis != index]
    return Text("_".join((leaf.label, *rest))) if rest else _container(leaf, index)


def _container(leaf: Leaf, index: Symbol) -> Text:
    """Where a leaf is found along an index: `a1`, `params["W1"]`, or its columns."""
    if leaf.label[0] not in "wb":
        return Text(leaf.label)
    if leaf.axes[0] != index:
        return Text(f"columns[{leaf.label[1:]}]")
    return Text(f'params["{leaf.label.replace("w", "W")}"]')


def sources(value: Node, index: Symbol) -> tuple[str, Code]:
    """`w1_i, b1_i` and `zip(params["W1"], params["b1"], strict=True)`: what the index runs over."""
    leaves = [part for part in walk(value) if isinstance(part, Leaf) and index in part.axes]
    bound = {part.summed[0] for part in walk(value) if isinstance(part, Reduce)}
    found: dict[str, Text] = {}
    for leaf in leaves:
        axes = [str(axis) for axis in leaf.axes if axis not in bound]
        found["_".join((leaf.label, *axes))] = _container(leaf, index)
    if len(found) == 1:
        ((name, container),) = found.items()
        return name, container
    return ", ".join(found), Invoke("zip", (*found.values(), Text("strict=True")))


@dataclass(frozen=True)
class Looped:
    """Prints a network's functions; the names of helpers gather in the printer."""

    scalars: Scalars
    printer: RowPrinter

    def context(self) -> dict[str, Any]:
        """What the template asks for."""
        output = f"a{len(self.scalars.widths) - 1}"
        used = self.used(self.after) | {output}
        states = [row.target for row in self.scalars.forward if row.target in used]
        states = [state for state in states if self.scalars.shapes[state]]
        forward = needed(self.scalars.forward, states)
        args = [name for name in (*states, "y") if name in self.used(self.scalars.loss)]
        turned = self.scalars.program.network.spec.weights == "input_first"
        return {
            "turned": turned,
            "forward": "\n".join([*self.lines(forward), collection("return ", _tuple(states))]),
            "output": str(states.index(output)),
            "loss_states": _unpacked(states, self.used(self.scalars.loss), turned=turned),
            "states": _unpacked(states, self.used(self.after), turned=turned),
            "loss_parameters": ", ".join(f"{name}: Row" for name in args),
            "loss_args": ", ".join(args),
            "loss": "\n".join(self.lines(self.scalars.loss)),
            "backward": "\n".join(self.lines(self.scalars.backward, indent=8)),
        }

    @property
    def after(self) -> tuple[Element, ...]:
        """The loss and the gradient."""
        return (*self.scalars.loss, *self.scalars.backward)

    def used(self, elements: Iterable[Element]) -> set[str]:
        """The tensors in the right-hand sides."""
        return {label for element in elements for label in labels(element.value)}

    def lines(self, elements: Iterable[Element], indent: int = 4) -> Iterator[str]:
        """The statements."""
        for element in elements:
            comment = f"({element.number})"
            if element.shape:
                sizes = ", ".join(map(str, element.shape))
                comment += f" ({sizes}{',' * (len(element.shape) == 1)})"
            if element.accumulated and element.axes:
                margin = " " * indent
                yield f"{margin}{self.accumulated(element)}  # {comment}"
            else:
                yield self.assigned(element, comment, indent)

    def assigned(self, element: Element, comment: str, indent: int) -> str:
        """`a1 = [sigmoid(z1_i) for z1_i in z1]`."""
        head, code = f"{element.target} =", self.row(element)
        head = "return" if element.target == "L" else head
        line = f"{' ' * indent}{head} {code.flat}  # {comment}"
        if isinstance(code, Comprehension) and len(line) > WIDTH:
            return f"{' ' * indent}{head} {code.commented(indent, f'  # {comment}')}"
        return statement(head, code, comment, indent)

    def row(self, element: Element) -> Code:
        """The whole row of a target, or its one number."""
        value = element.value
        if element.row is not None:
            self.printer.helpers.add(element.row)
            return Invoke(element.row, (Text(labels(value)[0]),))
        if not element.axes:
            return self.printer.code(value)
        (index,) = element.axes
        if isinstance(value, Leaf) and value.axes:
            return Text(value.label)
        names, source = sources(value, index)
        code = self.printer.code(value)
        if not names:
            return Text(f"[{code.flat}] * {element.shape[0]}")
        return Comprehension(code, names, source)

    def accumulated(self, element: Element) -> str:
        """`add_outer(grads["W1"], delta1, x)`, or `add_row(grads["b1"], delta1)`."""
        value, name = element.value, f'grads["{element.target[1:]}"]'
        factors = value.factors if isinstance(value, Product) else (value,)
        ordered = sorted(factors, key=lambda f: list(map(str, f.axes)))
        if [f.axes for f in ordered] != [(axis,) for axis in element.axes]:
            raise UnsupportedError(f"the gradient {element.target} is no product of two rows")
        function = ("add_row", "add_outer")[len(ordered) - 1]
        self.printer.helpers.add(function)
        return f"{function}({', '.join((name, *labels_of(ordered)))})"


def labels_of(leaves: Iterable[Node]) -> list[str]:
    """The labels of leaves, in order."""
    return [leaf.label for leaf in leaves if isinstance(leaf, Leaf)]


def _unpacked(states: list[str], used: set[str], *, turned: bool) -> str:
    """`*_, a3 = _forward(params, x)`: those that are used have names."""
    call = f" = _forward(params, {'columns, ' * turned}x)"
    first = next((k for k, state in enumerate(states) if state in used), len(states))
    rest = [state if state in used else "_" for state in states[first:]]
    items = _tuple(states) if not first and len(states) == 1 else [*["*_"][:first], *rest]
    return collection("", items, call, indent=8)


def _tuple(names: list[str]) -> list[str]:
    """The items of a tuple: `a1, a2`, or `(a1,)` where there is but one."""
    return names if len(names) > 1 else [f"({names[0]},)"]
