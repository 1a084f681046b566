"""The rules of derivation: an ordered table of (id, function).

In: an index expression and a `Context`. Out: a new expression, or None where the rule does not
apply. No rule knows a layer, a letter or a word; what a rule says to a reader stands in
`templates/locale/` under its id, and which mathematics it names is read off the step.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sympy import Add, Expr, KroneckerDelta, Mul, Sum
from sympy.core.function import AppliedUndef

from bpderive.index import Partial
from bpderive.rules.algebra import cancel, fact, factor, fold, pull
from bpderive.rules.calculus import adjoint, chain, collapse, direct
from bpderive.rules.recognition import centred, recognise
from bpderive.rules.rewriting import Context, node_types, tidy

__all__ = ["RULES", "Context", "Rule", "node_types", "tidy"]

Apply = Callable[[Expr, Context], Expr | None]


@dataclass(frozen=True)
class Rule:
    """One rule: its id, its function, and the kind of node without which it cannot apply."""

    id: str
    apply: Apply
    about: type


RULES: tuple[Rule, ...] = (
    Rule("chain", chain, Partial),
    Rule("differentiate", direct, Partial),
    Rule("collapse", collapse, KroneckerDelta),
    Rule("centred", centred, Sum),
    Rule("recognise", recognise, Mul),
    Rule("adjoint", adjoint, Partial),
    Rule("pull", pull, Sum),
    Rule("cancel", cancel, Mul),
    Rule("fact", fact, Sum),
    Rule("factor", factor, Add),
    Rule("fold", fold, AppliedUndef),
)
