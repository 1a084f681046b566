"""The proof of a derivation of any layers: its steps, its gradients and its code, in numbers.

In: a `StackDerivation`. Out: a `Proof`. To add a family of checks, add its row to `CHECKS`; to add
an oracle, a row to `gradients.ORACLES`. Must not know: letters, words, how a proof is printed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from bpderive.backprop import StackDerivation
from bpderive.errors import UnsupportedError
from bpderive.proof import Check, Proof, Skip
from bpderive.verify.arithmetic import PRECISION
from bpderive.verify.guard import ERRORS
from bpderive.verify.layered import gradients, steps, targets
from bpderive.verify.layered.plain import widths
from bpderive.verify.layered.repeated import shortened
from bpderive.verify.layered.subject import StackSubject
from bpderive.verify.subject import SEED
from bpderive.verify.versions import versions

__all__ = ["CHECKS", "Family", "proof_of", "verify_stack"]


@dataclass(frozen=True)
class Family:
    """One kind of check; `quick` ones need nothing but the core, and little time.

    `kind` and `against` say what failed where one cannot be made.
    """

    id: str
    check: Callable[[StackSubject], Iterator[Check | Skip]]
    kind: str
    against: str
    quick: bool = True


def _steps(subject: StackSubject) -> Iterator[Check | Skip]:
    """Every step of every kind of layer."""
    for number, around in subject.around.items():
        yield from steps.check(around, subject.tried[number], f"layer {number}", subject.seed)


def _sizes(subject: StackSubject) -> tuple[dict[str, int], ...]:
    """The sizes at which steps were tried, each with the first layer of its kind."""
    return tuple(
        {"layer": number, **numbers.sizes}
        for number, points in subject.tried.items()
        for numbers in points
    )


CHECKS = (
    Family("steps", _steps, "step", "before"),
    Family("gradients", gradients.check, "gradient", "complex_step"),
    Family("targets", targets.check, "code", "numpy", quick=False),
)


def verify_stack(derivation: StackDerivation, *, quick: bool = False, seed: int = SEED) -> Proof:
    """Prove a derivation of any layers in numbers.

    Args:
        derivation: what is to be proved; its own steps and results, nothing is derived anew. Of
            many equal layers in a row two are tried: their results are the same.
        quick: leave out what needs more than the core packages, or seconds.
        seed: of the random numbers.
    """
    fewer = shortened(derivation)
    found = proof_of(StackSubject(fewer, quick, seed))
    whole = derivation.stack.spec
    return found if fewer is derivation else replace(found, spec=whole, own=False)


def proof_of(subject: StackSubject) -> Proof:
    """The proof of a subject."""
    found: list[Check | Skip] = []
    for family in CHECKS:
        if family.quick or not subject.quick:
            found += _made(family, subject)
    stack = subject.derivation.stack
    try:
        small, samples = subject.small, int(subject.oracle.shape[0])
    except UnsupportedError:
        small, samples = stack, 0
    try:
        sizes = _sizes(subject)
    except (*ERRORS, RecursionError):  # the checks say so
        sizes = ()
    return Proof(
        spec=stack.spec,
        model=widths(small),
        own=widths(small) == widths(stack),
        sizes=sizes,
        samples=samples,
        seed=subject.seed,
        precision=PRECISION,
        checks=tuple(one for one in found if isinstance(one, Check)),
        skips=tuple(one for one in found if isinstance(one, Skip)),
        versions={} if subject.quick else versions(),
    )


def _made(family: Family, subject: StackSubject) -> list[Check | Skip]:
    """What a family finds; what cannot be worked out has failed, what is not for it is left out."""
    found: list[Check | Skip] = []
    try:
        found.extend(family.check(subject))
    except UnsupportedError as error:
        found.append(Skip(family.kind, family.against, str(error)))
    except (*ERRORS, RecursionError) as error:
        place = f"{type(error).__name__}: {error}"
        found.append(Check(family.kind, "all", family.against, 0, 0, 1, place))
    return found
