"""The proof of a derivation: its steps, its gradients, its forms and its code, tried in numbers.

In: a `Derivation`. Out: a `Proof`: what was compared with what, and to how many digits it agrees.
To add a family of checks, add its row to `CHECKS`; to add an oracle, a row to `gradients.ORACLES`.
Must not know: letters, words, how a proof is printed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bpderive.derive import Derivation
from bpderive.proof import Check, Proof, Skip
from bpderive.verify import forms, gradients, kinks, programs, slopes, steps, targets
from bpderive.verify.arithmetic import PRECISION
from bpderive.verify.subject import SEED, Subject
from bpderive.verify.versions import versions

__all__ = ["CHECKS", "SEED", "Family", "proof_of", "verify"]


@dataclass(frozen=True)
class Family:
    """One kind of check; `quick` ones need nothing but the core, and little time."""

    id: str
    check: Callable[[Subject], Iterator[Check | Skip]]
    quick: bool = True


CHECKS = (
    Family("steps", steps.check),
    Family("gradients", gradients.check),
    Family("forms", forms.check),
    Family("programs", programs.check),
    Family("kinks", kinks.check),
    Family("slopes", slopes.check),
    Family("targets", targets.check, quick=False),
)


def verify(derivation: Derivation, *, quick: bool = False, seed: int = SEED) -> Proof:
    """Prove a derivation in numbers.

    Args:
        derivation: what is to be proved; its own steps and results, nothing is derived anew.
        quick: leave out what needs more than the core packages, or seconds: SymPy's own
            derivative, the other libraries' gradients, and running the generated code.
        seed: of the random numbers.
    """
    return proof_of(Subject(derivation, quick, seed))


def proof_of(subject: Subject) -> Proof:
    """The proof of a subject."""
    families = [family for family in CHECKS if family.quick or not subject.quick]
    found = [one for family in families for one in family.check(subject)]
    return Proof(
        spec=subject.derivation.network.spec,
        model=subject.oracle.widths,
        own=subject.own,
        sizes=steps.random_sizes(subject.seed),
        samples=len(subject.points.samples) if subject.points is not None else 0,
        seed=subject.seed,
        precision=PRECISION,
        checks=tuple(one for one in found if isinstance(one, Check)),
        skips=tuple(one for one in found if isinstance(one, Skip)),
        versions={} if subject.quick else versions(),
    )
