"""Products with the Hessian and with the Jacobian, as index equations.

In: `Equations`. Out: equations in order of computation. A direction of the parameter `w1` is
`v_w1`, the product's part `Hv_w1`; what is derived on the way from `a1` is `r_a1`. Along a
direction, the change of `a1` is `t_a1`. Must not know: layers.
"""

from collections.abc import Mapping
from dataclasses import replace

from sympy import Add, Expr, Indexed, Integer, Mul, Symbol

from bpderive.backprop.kinds import recurrent
from bpderive.derive import checked, opened, steps
from bpderive.equations import Graph
from bpderive.index import (
    Equation,
    Fresh,
    Partial,
    element,
    indices_of,
    label_of,
    letter_of,
    sum_all,
)
from bpderive.modules.labels import derivative
from bpderive.rules import Context
from bpderive.second.model import Equations, Shape

ROOT = "R"


def direction(label: str) -> str:
    """The label of a direction."""
    return f"v_{label}"


def product_of(label: str) -> str:
    """The label of the Hessian product's part."""
    return f"Hv_{label}"


def hessian_product(given: Equations) -> tuple[Equation, ...]:
    """`H v` for every parameter, and what is computed on the way to it.

    It reads the forward and backward quantities by their names.
    """
    fresh = Fresh(500_000)
    root = _directed(given, fresh)
    every = (*given.forward[:-1], *_used(given), root)
    return _swept(every, given, fresh)


def _used(given: Equations) -> tuple[Equation, ...]:
    """The backward equations, with nothing that only the input's derivative needs."""
    unwanted = {derivative(name) for name in given.inputs}
    return tuple(e for e in given.backward if e.label not in unwanted)


def _directed(given: Equations, fresh: Fresh) -> Equation:
    """`R = Σ v ∂L/∂θ` over all parameters."""
    terms = []
    for label, sizes in given.parameters.items():
        indices = fresh.many(len(sizes))
        body = element(direction(label), indices) * element(given.gradients[label], indices)
        body = sum_all(body, indices, sizes)
        terms.append(body)
    return Equation(Symbol(ROOT), Add(*terms))


def _swept(every: tuple[Equation, ...], given: Equations, fresh: Fresh) -> tuple[Equation, ...]:
    """The derivatives of the last equation by everything before it, backwards."""
    graph = _graph(every, given)
    known: dict[str, Equation] = {}
    context = Context(graph, known, fresh)
    order = [
        (e.label, e.lhs, e.sizes) for e in reversed(every[:-1]) if e.label not in given.constant
    ]
    wanted = {name: element(name, fresh.many(len(s))) for name, s in given.parameters.items()}
    order += [(name, wanted[name], given.parameters[name]) for name in given.parameters]
    found = []
    for label, lhs, sizes in order:
        name = product_of(label) if label in given.parameters else f"r_{label}"
        own = _derived(label, lhs, sizes, name, context)
        if isinstance(own.rhs, Indexed) and label not in (*given.parameters, *graph.adjoints):
            known[label] = Equation(
                Partial(graph.root, element(label, indices_of(own.lhs))), own.rhs
            )
            continue
        known[label] = own
        found.append(own)
    return tuple(e for e in found if e.rhs != 0 or e.label.startswith("Hv_"))


def _graph(every: tuple[Equation, ...], given: Equations) -> Graph:
    later = {label: f"r_{label}" for label in recurrent(every)}
    return Graph(
        root=Symbol(ROOT),
        equations=every,
        own=(),
        adjoints=later,
        parameters=frozenset(given.parameters),
        unit_sums=frozenset(),
        activations=given.activations,
        constant=given.constant,
    )


def _derived(label: str, lhs: Expr, sizes: Shape, name: str, context: Context) -> Equation:
    """`∂R/∂T`, by name."""
    indices = [context.fresh(letter_of(i)) for i in _flat(lhs)]
    at = lhs.xreplace(dict(zip(_flat(lhs), indices, strict=True)))
    if not context.consumers(label):
        return Equation(element(name, indices_of(at)), Integer(0), sizes)
    found = checked(opened(Partial(context.graph.root, at), context))
    return Equation(element(name, indices_of(at)), found[-1].after, sizes)


def _flat(lhs: Expr) -> tuple[Expr, ...]:
    return Equation(lhs, lhs).indices


def jvp(given: Equations) -> tuple[Equation, ...]:
    """How every quantity changes along a direction of the parameters and of the input.

    The direction is `v_w1` …, `v_x`; the change of `a1` is `t_a1`, and that of the output the JVP.
    """
    fresh = Fresh(600_000)
    moving = {name: direction(name) for name in (*given.parameters, *given.inputs)}
    moving |= {e.label: f"t_{e.label}" for e in given.forward if e.label not in given.constant}
    graph = replace(_graph(given.forward, given), root=Symbol("none"), adjoints={})
    found = []
    for equation in given.forward:
        if equation.label in given.constant:
            continue
        rhs = _moved(equation, moving, Context(graph, {}, fresh), given)
        found.append(Equation(_renamed(equation.lhs, moving[equation.label]), rhs, equation.sizes))
    return tuple(found)


def _renamed(lhs: Expr, label: str) -> Expr:
    return element(label, tuple(indices_of(lhs)))


def _moved(
    equation: Equation, moving: Mapping[str, str], context: Context, given: Equations
) -> Expr:
    """`Σ_U Σ_k ∂T/∂U_k t_U_k` over everything that the equation refers to."""
    labels = dict.fromkeys(
        label_of(t) for t in sorted(equation.rhs.atoms(Indexed, Symbol), key=str)
    )
    terms = []
    for label in (one for one in labels if one in moving):
        sizes = given.shapes[label]
        indices = context.fresh.many(len(sizes))
        body = Partial(equation.lhs, element(label, indices)) * element(moving[label], indices)
        body = sum_all(body, indices, sizes)
        terms.append(body)
    expr = Add(*terms)
    return steps(expr, context)[-1].after if expr.has(Partial) else expr


def vjp(given: Equations) -> tuple[Equation, ...]:
    """The gradient of `Σ v a` over the outputs `a`, by every parameter: the VJP with the weights v.

    The weights of the output `a2` are `v_a2`, the part of a parameter `Hv_…` reads `r_…`: see
    `hessian_product`; here `R = Σ v a`.
    """
    fresh = Fresh(700_000)
    sizes = given.shapes[given.output]
    indices = fresh.many(len(sizes))
    body = Mul(element(direction(given.output), indices), element(given.output, indices))
    body = sum_all(body, indices, sizes)
    every = (*given.forward[:-1], Equation(Symbol(ROOT), body))
    swept = _swept(every, given, fresh)
    return tuple(_named(e) for e in swept)


def _named(equation: Equation) -> Equation:
    """`Hv_w1 → Jv_w1`: of the Jacobian, not of the Hessian."""
    label = equation.label
    if not label.startswith("Hv_"):
        return equation
    return Equation(_renamed(equation.lhs, f"Jv_{label[3:]}"), equation.rhs, equation.sizes)
