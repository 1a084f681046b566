"""What is true of the error at the output: whether it is 0 where the prediction is right.

In: a `Derivation`. Out: the sentence that holds for its loss and its output. Must not know: how
anything is printed.
"""

from collections.abc import Mapping

from sympy import Expr, Indexed, IndexedBase, Integer, Symbol

from bpderive.derive import Derivation
from bpderive.document.blocks import Words
from bpderive.functions import scalar_symbol
from bpderive.slopes.extrema import maximum_of

LABELS: Mapping[str, tuple[int, ...]] = {"binary": (0, 1), "sign": (-1, 1), "count": (0, 1)}
"""Labels that are looked at one by one: some formulas cancel for every other number only."""

FEW = ("binary", "sign")
"""There are no other labels."""

SENTENCES = {
    (True, True): "flow.claim_error",
    (True, False): "flow.claim_error_zero",
    (False, True): "flow.claim_error_boundless",
    (False, False): "flow.claim_error_factor",
}


def claim_error(derivation: Derivation) -> Words:
    """The error is a factor of every gradient; what else holds of it."""
    return Words(SENTENCES[vanishes(derivation), is_boundless(derivation)])


def vanishes(derivation: Derivation) -> bool:
    """Whether all gradients are 0 where every prediction is its label."""
    network = derivation.network
    error = derivation.at(network.depth)["z"].shown.rhs
    if not all(_is_zero(error, label) for label in LABELS.get(network.loss.label, ())):
        return False
    equal = {q: IndexedBase("y")[q.indices] for q in error.atoms(Indexed) if _is_prediction(q)}
    return network.loss.label in FEW or error.xreplace(equal).doit().expand() == 0


def _is_prediction(quantity: Indexed) -> bool:
    return str(quantity.base.label).startswith(("a", "p"))


def _is_zero(error: Expr, label: int) -> bool:
    """Whether it is 0 at one label, and not only near it."""
    for letter in ("y", "ap"):
        found = {q: Integer(label) for q in error.atoms(Indexed) if str(q.base.label)[0] in letter}
        error = error.xreplace(found)
    return bool(error.doit() == 0)


def is_boundless(derivation: Derivation) -> bool:
    """Whether a linear output can make the error larger than any number, at the label 0 or 1."""
    network = derivation.network
    if network.layers[-1].activation.name != "linear" or network.loss.stage is not None:
        return False
    error, x = derivation.at(network.depth)["a"].shown.rhs, scalar_symbol("a")
    outputs = {q: x for q in error.atoms(Indexed) if _is_prediction(q)}
    labels = {q: Integer(0) for q in error.atoms(Indexed) if q not in outputs}
    sizes = {s: Integer(1) for s in error.free_symbols if isinstance(s, Symbol)}
    scalar = error.xreplace({**outputs, **labels}).xreplace(sizes)
    return bool(x in scalar.free_symbols and maximum_of(scalar, x).kind == "unbounded")
