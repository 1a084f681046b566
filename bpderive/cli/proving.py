"""What `bpderive verify` and the default command do with a proof.

In: a `Derivation` and options.  Out: one screen and whether it holds; a certificate as a file.
Must not know: how anything is checked.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bpderive.api import verify
from bpderive.cli import console
from bpderive.document import self_test as mistakes
from bpderive.document import verification
from bpderive.errors import ProofError
from bpderive.files import write_all
from bpderive.proof import Proof
from bpderive.render import screen as shown
from bpderive.verify.selftest import Attempt, Outcome, attempts, report, run

if TYPE_CHECKING:  # a dense network does without
    from bpderive.backprop import AnyDerivation


def checked(derivation: "AnyDerivation", at: Callable[[str], None]) -> Proof:
    """The quick proof of a derivation that is about to be printed.

    Raises:
        ProofError: it does not hold.
    """
    at("verifying")
    proof = verify(derivation, quick=True)
    if proof.failures:
        worst = proof.failures[0]
        agrees = f"{worst.subject} agrees to {worst.digits} digits of {worst.wanted}"
        raise ProofError(
            f"the derivation fails its own proof: {worst.kind} against {worst.against}: "
            f"{agrees if worst.count else worst.place}; nothing was written. "
            "bpderive verify tells more"
        )
    return proof


def proved(
    derivation: "AnyDerivation", given: Mapping[str, Any], at: Callable[[str], None]
) -> tuple[str, bool]:
    """The screen of a full proof, and whether it holds; its certificate is written where asked."""
    path = given["proof"]
    at("verifying")
    proof = verify(derivation, seed=given["seed"])
    screen = shown(verification(derivation, proof), console.width())
    if path is None:
        return screen, proof.passed
    text = proof.certificate().removesuffix("\n}\n") + ",\n"  # the stamp follows
    write_all([(Path(path), text)], force=given["force"])
    return f"{screen}\n\nFiles\n  {path}", proof.passed


def self_test(
    derivation: "AnyDerivation | None", seed: int, at: Callable[[str], None]
) -> tuple[str, bool]:
    """The tables of mistakes, planted and caught, and whether none escaped.

    They are planted in one derivation, or, without one, in tables of networks.
    """

    def told(found: Iterator[Attempt]) -> Iterator[Attempt]:
        for attempt in found:
            at(f"planting mistakes in {attempt.network}")
            yield attempt

    outcomes = [report(told(found)) for found, report in _planted(derivation, seed)]
    dense, layered = ([(one.mistake, _counts(one)) for one in found] for found in outcomes)
    every = [one for found in outcomes for one in found]
    escaped = [(a.mistake, a.network, a.place) for one in every for a in one.escaped]
    passed = not escaped and any(one.planted for one in every)
    return shown(mistakes(dense, escaped, layered), console.width()), passed


Report = Callable[[Iterator[Attempt]], tuple[Outcome, ...]]


def _planted(
    derivation: "AnyDerivation | None", seed: int
) -> tuple[tuple[Iterator[Attempt], Report], tuple[Iterator[Attempt], Report]]:
    """Mistakes in dense layers, and in layers of any kinds, each with what counts them."""
    from bpderive.backprop import StackDerivation
    from bpderive.verify.layered import selftest as of_layers

    none = iter(()), _nothing
    if derivation is None:
        return (run(seed), report), (of_layers.run(seed), of_layers.report)
    if isinstance(derivation, StackDerivation):
        return none, (of_layers.attempts(derivation, seed), of_layers.report)
    return (attempts(derivation, seed), report), none


def _nothing(_found: Iterator[Attempt]) -> tuple[Outcome, ...]:
    return ()


def _counts(one: Outcome) -> tuple[int, ...]:
    return one.planted, one.caught, one.steps, one.oracles, one.unseen, len(one.escaped)
