"""Activations and slopes in generated code: written in place where they are short, else functions.

In: a program's definitions. Out: array expressions with the short ones put in, and the text of a
Python function for each of the others. Must not know: layers, the module's template.
"""

import keyword
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count

from bpderive.forms.arrays import Apply, Leaf, Node
from bpderive.forms.trees import transform, walk
from bpderive.program import Call, Definition
from bpderive.targets.layout import statement
from bpderive.targets.printer import Printer
from bpderive.targets.spelling import is_mask, spell

SHORT = 32
"""The longest expression, in characters, that is written in place."""
LOCALS = "tuvwrsqcdef"
TAKEN = re.compile(r"[xynLp]|(z|a|g|delta|dW|db)\d+|_.*|[A-Z]+")


@dataclass(frozen=True)
class Definitions:
    """The definitions of a program; `reserved` are names that no function may have."""

    rows: tuple[Definition, ...]
    reserved: frozenset[str]

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The function's name of each definition: `relu'` → `relu_slope`."""
        names: dict[str, str] = {}
        for row in self.rows:
            name = re.sub(r"\W", "_", row.name.replace("'", "_slope"))
            while name in names.values() or self.taken(name):
                name += "_"
            names[row.name] = name
        return names

    def taken(self, name: str) -> bool:
        """Whether the module uses the name already, or Python does."""
        return name in self.reserved or keyword.iskeyword(name) or bool(TAKEN.fullmatch(name))

    @cached_property
    def written(self) -> Mapping[str, bool]:
        """Whether a definition is a function: long, or with a part that is best named."""
        return {row.name: not _is_short(row) for row in self.rows}

    def expand(self, node: Node) -> Node:
        """The node with the short definitions in place of their calls, spelled."""
        return spell(transform(node, self._expanded))

    def inlined(self, node: Node) -> Node:
        """The node with every definition in place of its calls, spelled."""
        return spell(transform(node, _inlined))

    def _expanded(self, node: Node) -> Node:
        if isinstance(node, Call) and self.written[node.definition.name]:
            return node
        return _inlined(node)

    def functions(self, helpers: set[str], *, slopes: bool = True) -> Iterable[str]:
        """The functions' texts; the names of those that NumPy lacks are added to `helpers`."""
        for row in self.rows:
            if self.written[row.name] and (slopes or not row.name.endswith("'")):
                yield _function(row, self.names[row.name], helpers)


def _inlined(node: Node) -> Node:
    if not isinstance(node, Call):
        return node
    row = node.definition
    labels = {p: arg.label for p, arg in zip(row.parameters, node.args, strict=True)}
    axes = dict(zip(row.value.axes, node.axes, strict=False))
    return transform(row.value, lambda part: _renamed(part, labels, axes))


def _renamed(node: Node, labels: Mapping[str, str], axes: Mapping[object, object]) -> Node:
    node = replace(node, axes=tuple(axes.get(axis, axis) for axis in node.axes))
    return replace(node, label=labels[node.label]) if isinstance(node, Leaf) else node


def _is_short(row: Definition) -> bool:
    node = spell(row.value)
    return len(Printer({}).code(node).flat) <= SHORT and not _repeated(node)


def _function(row: Definition, name: str, helpers: set[str]) -> str:
    """`def gelu_slope(z): …`, with names for the parts that occur twice."""
    printer = Printer({}, helpers=helpers)
    parts, value = named_parts(spell(row.value), row.parameters)
    parameters = ", ".join(f"{parameter}: Array" for parameter in row.parameters)
    slope = row.name.endswith("'")
    target = "slope" if slope else "a"
    lines = [
        f"def {name}({parameters}) -> Array:",
        f'    """Return {f"the slope of {row.name[:-1]}" if slope else row.name} at z."""',
    ]
    for label, part in parts:
        lines.append(statement(f"{label} =", printer.code(part), row.name, bare=True))
    lines.append(statement(f"{target}: Array =", printer.code(value), row.name, bare=True))
    return "\n".join([*lines, f"    return {target}"])


# --- Parts that occur more than once ---


def named_parts(node: Node, taken: Iterable[str]) -> tuple[list[tuple[str, Node]], Node]:
    """Functions that occur twice, each with a name, in order of computation; and the rest."""
    names = (f"{letter}{turn or ''}" for turn in count() for letter in LOCALS)
    letters = (name for name in names if name not in set(taken))
    parts: list[tuple[str, Node]] = []
    while repeated := _repeated(node, *(part for _, part in parts)):
        part = max(repeated, key=lambda p: len(list(walk(p))))
        label = next(letters)
        swap = _swap(part, Leaf(part.axes, label))
        parts = [(name, transform(other, swap)) for name, other in parts]
        node = transform(node, swap)
        parts.insert(0, (label, part))
    return parts, node


def _swap(old: Node, new: Node) -> Callable[[Node], Node]:
    return lambda part: new if part == old else part


def _repeated(*nodes: Node) -> list[Node]:
    """The functions that are called more than once with the same arguments."""
    calls = Counter(part for node in nodes for part in walk(node) if isinstance(part, Apply))
    return [part for part, count in calls.items() if count > 1 and not is_mask(part)]
