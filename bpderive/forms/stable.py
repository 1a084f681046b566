"""Losses and activations rewritten where their textbook form overflows.

In: index expressions. Out: equal ones: `log a` after a sigmoid is `-softplus(-z)`; after a softmax
it is a tensor of its own, `log_a`, which the target computes as `log_softmax(z)`. Each row of
`STABLE` is an identity. Must not know: arrays, any target.
"""

from collections.abc import Callable, Mapping

from sympy import Expr, Function, Indexed, Sum, exp, log
from sympy.core.function import AppliedUndef

from bpderive.functions import softplus, total, xlogy
from bpderive.index import element, label_of
from bpderive.network import Network


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


def pulled(expr: Expr) -> Expr:
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
