"""The proof of networks of any layers, proved: every mistake is planted, and must be caught.

In: a seed. Out: an `Attempt` for every wrong derivation: who saw it, and whether it can be seen at
all. A mistake is looked for twice: by the steps, and by the oracles. Must not know: words.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from random import Random
from typing import Any

from bpderive.backprop import StackDerivation, derive_stack
from bpderive.catalog import CATALOG
from bpderive.derive import Derived
from bpderive.errors import ProofError
from bpderive.index import Equation
from bpderive.proof import Check, Skip, listed
from bpderive.spec import parse_spec
from bpderive.stack import build
from bpderive.verify.arithmetic import FLOOR, digits
from bpderive.verify.evaluate import compiled
from bpderive.verify.guard import ERRORS
from bpderive.verify.layered import gradients, proof_of, steps
from bpderive.verify.layered.lazily import Quantities
from bpderive.verify.layered.mistakes import MISTAKES, Mistake
from bpderive.verify.layered.subject import StackSubject
from bpderive.verify.layered.surroundings import COUNT, kinds, tried
from bpderive.verify.selftest import Attempt, Outcome
from bpderive.verify.subject import SEED

NETWORKS = (
    "2x5,conv(2,2,padding=1):tanh,maxpool(2),flatten,2",
    "1x4x4,conv(2,2,stride=2),avgpool(2,stride=1),globalpool,2",
    "seq(3)x2,rnn(2):tanh,last,2",
    "seq(4)x2,rnn(2,truncate=2):tanh,2",
    "seq(3)x2,gru(2),2",
    "seq(3)x2,lstm(2),last,2",
    "seq(3)x4,attention(heads=2,causal=true),layernorm,2",
    "seq(3),embedding(4,2),rmsnorm,last,2",
    "2x3,batchnorm,residual(conv(2,3,padding=1):relu),globalpool,2:softmax",
    "3,bilinear(2):sigmoid,dropout(0.5),2",
)
"""Each has layers that the others do not."""
MOST, FEW = 3, 1
"""So many places of one mistake in one derivative are tried, drawn at random; of all networks."""
LOOKS = 4
"""So many random tensors are looked at before two expressions count as the same."""


@dataclass(frozen=True)
class Planted:
    """A derivation with one mistake in one derivative of one kind of layer."""

    mistake: Mistake
    number: int
    name: str
    wrong: Derived
    derivation: StackDerivation


def run(
    seed: int = SEED, networks: tuple[str, ...] = NETWORKS, most: int = FEW
) -> Iterator[Attempt]:
    """Every mistake in every network of the table, `most` times in one derivative.

    Raises:
        ProofError: the proof refuses a right derivation, so that what it refuses says nothing.
    """
    for text in networks:
        derivation = derive_stack(build(parse_spec(text, bias=True), CATALOG))
        yield from attempts(derivation, seed, most)


def attempts(derivation: StackDerivation, seed: int = SEED, most: int = MOST) -> Iterator[Attempt]:
    """Every mistake in one derivation; none where its loss has no value.

    Raises:
        ProofError: the proof refuses the right derivation.
    """
    network = listed(derivation.stack.spec)
    subject = StackSubject(derivation, seed=seed)
    if subject.point is None:
        return
    if not proof_of(replace(subject, quick=True)).passed:
        raise ProofError(f"the proof refuses the right derivation of {network}")
    jury = Jury(network, subject)
    for mistake in MISTAKES:
        found = planted(derivation, mistake, Random(f"{seed}{network}"), most)
        yield from map(jury.attempt, found)


def report(found: Iterator[Attempt]) -> tuple[Outcome, ...]:
    """What became of each mistake, in the order of the table."""
    told = tuple(found)
    return tuple(
        Outcome(row.id, tuple(one for one in told if one.mistake == row.id)) for row in MISTAKES
    )


def planted(
    derivation: StackDerivation, mistake: Mistake, random: Random, most: int
) -> Iterator[Planted]:
    """Derivations with this mistake in each derivative that has a name."""
    for number in kinds(derivation):
        for name, right in derivation.derived(number).items():
            wrongs = [w for w in mistake.plant(right.result.rhs) if w != right.result.rhs]
            for wrong in random.sample(wrongs, min(most, len(wrongs))) if right.named else ():
                yield _planted(derivation, mistake, number, name, wrong)


def _planted(
    derivation: StackDerivation, mistake: Mistake, number: int, name: str, rhs: Any
) -> Planted:
    right = dict(derivation.derived(number))
    one = right[name]
    last = replace(one.steps[-1], after=rhs)
    result = Equation(one.result.lhs, rhs, one.result.sizes)
    wrong = replace(one, steps=(*one.steps[:-1], last), result=result)
    sweeps = {**derivation._sweeps, derivation.kind(number): {**right, name: wrong}}  # noqa: SLF001
    return Planted(mistake, number, name, wrong, StackDerivation(derivation.stack, sweeps))


@dataclass
class Jury:
    """What judges the mistakes of one network; what all of them need is worked out once."""

    network: str
    subject: StackSubject

    @cached_property
    def points(self) -> dict[int, list[Quantities]]:
        """Random numbers around each kind of layer."""
        seed = self.subject.seed
        return {
            number: [
                point
                for look in range(LOOKS // COUNT)
                for point in tried(around, number, seed + 100 * look)
            ]
            for number, around in self.subject.around.items()
        }

    def attempt(self, one: Planted) -> Attempt:
        """Whether a wrong derivation is refused, and by what."""
        place, mistake = f"{one.name} of layer {one.number}", one.mistake.id
        if not self.sees(one):
            return Attempt(mistake, self.network, place, seen=False)
        return Attempt(mistake, self.network, place, True, self.steps(one), self.oracle(one))

    def sees(self, one: Planted) -> bool:
        """Whether right and wrong differ at some random numbers in more than rounding."""
        right = self.subject.derivation.derived(one.number)[one.name].result
        try:
            code = compiled(one.wrong.result.rhs)
            pairs = [
                (code(numbers, at), compiled(right.rhs)(numbers, at))
                for numbers in self.points[one.number]
                for at in _every(right, numbers)
            ]
        except ERRORS:
            return True
        return digits(pairs, FLOOR) < steps.WANTED

    def steps(self, one: Planted) -> bool:
        """Whether a step refuses it."""
        points = self.points[one.number][:COUNT]
        try:
            found = [*steps.checks(one.wrong, points, "", self.subject.seed)]
        except ERRORS:
            return True
        return any(map(_failed, found))

    def oracle(self, one: Planted) -> str:
        """What refuses it without a look at its steps."""
        subject = replace(self.subject, derivation=one.derivation)
        for name in ("small", "oracle", "point", "expected", "watch"):  # the same for all mistakes
            subject.__dict__[name] = getattr(self.subject, name)
        try:
            refused = any(map(_failed, gradients.compared(subject)))
        except (*ERRORS, RecursionError):
            refused = True
        return "gradients" if refused else ""


def _every(equation: Equation, numbers: Quantities) -> Iterator[dict[Any, int]]:
    """All values of the free indices."""
    table = {s: numbers.sizes[s.name] for size in equation.sizes for s in size.free_symbols}
    sizes = [int(size.xreplace(table)) for size in equation.sizes]
    for values in product(*(range(1, size + 1) for size in sizes)):
        yield dict(zip(equation.indices, values, strict=True))


def _failed(one: Check | Skip) -> bool:
    return isinstance(one, Check) and not one.passed
