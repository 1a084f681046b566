"""The graph of a module at a general place: its equations, and what its output's derivative is.

In: a `Module`, and the loss where it follows. Out: a `Graph` for the rules. Must not know: how many
layers there are.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Expr, Indexed, Symbol

from bpderive.equations import Graph
from bpderive.functions.conditions import first_largest
from bpderive.index import Equation, Relative, Tensor, label_of
from bpderive.modules.labels import delta, direct, label
from bpderive.modules.model import Module

HERE = Relative(0)
ROLES = {"input": "activation", "parameter": "weight", "data": "target", "defined": "activation"}


@dataclass(frozen=True)
class Kind:
    """What two places must have in common for their derivations to be the same."""

    module: Module
    loss: tuple[Equation, ...]
    root: str
    unit: frozenset[str] = frozenset()

    def __hash__(self) -> int:
        return hash((self.module.title, self.module.equations, self.loss, self.root))


def outer(module: Module) -> str:
    """The label under which the derivative by the output comes from above.

    Where the output goes back into the module itself, that is only a part of its derivative.
    """
    inside = any(label(module.output) in used(e) for e in module.equations)
    return direct(module.output) if inside else delta(module.output)


def used(equation: Equation) -> set[str]:
    """The labels of what an equation refers to."""
    return {label_of(tensor) for tensor in equation.rhs.atoms(Indexed, Symbol)}


def tensor(module: Module, name: str) -> Tensor:
    """A tensor of the module, at the general place."""
    declared = module.by_name[name]
    return Tensor(name, HERE, declared.axes, ROLES[declared.role])


def graph(kind: Kind) -> Graph:
    """The equations of a kind, and what is known of the derivatives of their tensors."""
    module = kind.module
    out, above = label(module.output), outer(module)
    inside = above == direct(module.output)
    ends = not kind.loss
    return Graph(
        root=Symbol(kind.root),
        equations=(*module.equations, *kind.loss),
        own=(),
        adjoints={out: above} if ends and not inside else {},
        parameters=frozenset(label(t.name) for t in module.of_role("parameter")),
        unit_sums=kind.unit,
        activations=module.activations,
        direct={out: above} if ends and inside else {},
        constant=constants(module.equations),
    )


def constants(equations: tuple[Equation, ...]) -> frozenset[str]:
    """What does not change with what it is made of: where the largest stands."""
    return frozenset(e.label for e in equations if isinstance(e.rhs, first_largest))


def recurrent(equations: tuple[Equation, ...]) -> frozenset[str]:
    """The labels whose derivative is needed before it is derived: of a later step."""
    places: Mapping[str, int] = {e.label: k for k, e in enumerate(equations)}
    return frozenset(
        e.label
        for k, e in enumerate(equations)
        if any(places.get(name, -1) >= k for name in used(e))
    )


def terms(expr: Expr) -> int:
    """How many different tensors an expression refers to."""
    return len({label_of(t) for t in expr.atoms(Indexed)})
