"""The reverse sweep through one module: every tensor's derivative, with its steps.

In: a `Kind`. Out: for each tensor of the module a `Derived`. Which derivative gets a name of its
own comes from the equations alone. Must not know: places, letters, words.
"""

from dataclasses import replace

from sympy import Add, Expr, Indexed, Sum, Symbol

from bpderive.backprop.kinds import Kind, constants, graph, recurrent, tensor, terms
from bpderive.derive import Derived, checked, opened
from bpderive.functions.conditions import merged
from bpderive.index import Equation, Fresh, Partial, Tensor, element, indices_of, label_of
from bpderive.modules.labels import delta, gradient, label
from bpderive.modules.model import Module
from bpderive.rules import Context


def sweep(kind: Kind) -> dict[str, Derived]:
    """Derive `∂root/∂T` for every tensor of the module, from its output backwards."""
    whole, module = graph(kind), kind.module
    later = {name: _delta_label(name) for name in recurrent(module.equations)}
    whole = replace(whole, adjoints={**whole.adjoints, **later})
    fresh, known, found = Fresh(), dict[str, Equation](), dict[str, Derived]()
    for name in _order(kind):
        each = _derive(tensor(module, name), kind, Context(whole, known, fresh))
        known[label(name)] = each.result
        found[name] = each
    return found


def _delta_label(general: str) -> str:
    return delta(general.removesuffix("{l}").removesuffix("_"))


def _order(kind: Kind) -> list[str]:
    """The tensors to derive by: backwards, then the parameters, then the inputs."""
    module = kind.module
    fixed = constants(module.equations)
    defined = [e.label for e in reversed(module.equations) if e.label not in fixed]
    given = graph(kind).adjoints
    names = {label(t.name): t.name for t in module.tensors}
    own = [names[one] for one in defined if one not in given]
    return [*own, *(t.name for role in ("parameter", "input") for t in module.of_role(role))]


def _derive(by: Tensor, kind: Kind, context: Context) -> Derived:
    indices = _indices(by, kind.module, context.fresh)
    partial = Partial(context.graph.root, element(label(by.name), indices))
    found = checked(opened(partial, context))
    rhs = found[-1].after
    sizes = tuple(size for axis in by.axes for size in _sizes(axis.name, axis.size, kind.module))
    lhs = _name(by, kind, rhs, context)
    lhs = partial if lhs is None else element(lhs, indices)
    return Derived(by, partial, found, Equation(lhs, rhs, sizes))


def _indices(by: Tensor, module: Module, fresh: Fresh) -> tuple[Expr, ...]:
    """New indices for a tensor; several where its axis is read as several."""
    return tuple(_index(axis.name, _sizes(axis.name, axis.size, module), fresh) for axis in by.axes)


def _index(name: str, sizes: tuple[Expr, ...], fresh: Fresh) -> Expr:
    letters = name.split(",")
    symbols = [fresh(letter) for letter in letters]
    if len(symbols) == 1:
        return symbols[0]
    return merged(*(part for pair in zip(symbols, sizes, strict=True) for part in pair))


def _sizes(name: str, size: Expr, module: Module) -> tuple[Expr, ...]:
    if "," not in name:
        return (size,)
    return tuple(module.range_of(letter) for letter in name.split(","))


def computed(rhs: Expr) -> bool:
    """Whether something is read at a computed index: then what is read there may be zero."""
    indices = (index for t in rhs.atoms(Indexed) for index in indices_of(t))
    return any(not isinstance(i, Symbol | merged) and not i.is_Integer for i in indices)


def _name(by: Tensor, kind: Kind, rhs: Expr, context: Context) -> str | None:
    """Shared derivatives get a name: of parameters, and of what is used in several places."""
    module = kind.module
    if module.by_name[by.name].role == "parameter":
        return gradient(by.name)
    if module.by_name[by.name].role == "input":
        return delta(by.name)
    own = label(by.name)
    if own in recurrent(module.equations):
        return delta(by.name)
    if by.name in module.eliminate:
        return None
    equation = context.graph.by_label[own]
    if computed(equation.rhs):
        return delta(by.name)
    holds = {label_of(atom) for atom in equation.rhs.atoms(Indexed, Symbol)}
    mixes = rhs.has(Sum) or isinstance(rhs, Add)
    several = terms(equation.rhs) > 1 or equation.rhs.has(Sum)
    return delta(by.name) if holds & context.graph.parameters or (mixes and several) else None
