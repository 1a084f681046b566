"""What `bpderive verify` and the default command do with a proof.

In: a `Derivation` and options.  Out: one screen and whether it holds; a certificate as a file.
Must not know: how anything is checked.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bpderive.api import verify
from bpderive.cli import console
from bpderive.derive import Derivation
from bpderive.document import self_test as mistakes
from bpderive.document import verification
from bpderive.errors import ProofError
from bpderive.files import write_all
from bpderive.proof import Proof
from bpderive.render import screen as shown
from bpderive.verify.selftest import Attempt, attempts, report, run


def checked(derivation: Derivation, at: Callable[[str], None]) -> Proof:
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
    derivation: Derivation, given: Mapping[str, Any], at: Callable[[str], None]
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
    derivation: Derivation | None, seed: int, at: Callable[[str], None]
) -> tuple[str, bool]:
    """The table of mistakes, planted and caught, and whether none escaped.

    They are planted in one derivation, or, without one, in a table of networks.
    """

    def told() -> Iterator[Attempt]:
        for attempt in run(seed) if derivation is None else attempts(derivation, seed):
            at(f"planting mistakes in {attempt.network}")
            yield attempt

    outcomes = report(told())
    counts = [
        (o.mistake, (o.planted, o.caught, o.steps, o.oracles, o.unseen, len(o.escaped)))
        for o in outcomes
    ]
    escaped = [(a.mistake, a.network, a.place) for o in outcomes for a in o.escaped]
    passed = not escaped and any(one.planted for one in outcomes)
    document = mistakes(counts, escaped)
    return shown(document, console.width()), passed
