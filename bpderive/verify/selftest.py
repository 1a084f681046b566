"""The proof, proved: every mistake is planted in a table of networks, and must be caught.

In: a seed. Out: an `Attempt` for every wrong derivation, and an `Outcome` for every mistake. A
mistake is looked for twice: by the steps, and by the oracles, which know nothing of steps. What
cannot be seen on a network is told apart from what is caught. Must not know: words, how an outcome
is printed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import Any

from bpderive.catalog import CATALOG
from bpderive.derive import Derivation, derive
from bpderive.equations import Kind
from bpderive.errors import ProofError
from bpderive.network import build
from bpderive.proof import Check, Skip
from bpderive.spec import Spec, parse_spec
from bpderive.verify import CHECKS, proof_of, steps
from bpderive.verify.evaluate import Numbers
from bpderive.verify.guard import guarded
from bpderive.verify.mistakes import MISTAKES
from bpderive.verify.planting import Planted, Sight, planted
from bpderive.verify.subject import SEED, Subject
from bpderive.weights import ORDERS

NETWORKS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("2,2,2,1", {}),
    ("3,4,2", {"bias": True}),
    ("1,1,1", {"bias": True}),
    ("3,2,3", {"loss": "softmax_cross_entropy", "activation": "relu", "bias": True}),
    ("2,3,3", {"loss": "cross_entropy", "output_activation": "softmax", "activation": "tanh"}),
    ("3,2:tanh,4", {"loss": "mse", "weights": "input_first", "bias": True}),
    ("3,3:softmax,2:tanh", {"loss": "mse", "orientation": "columns", "bias": True}),
    ("2,3:leaky_relu,2", {"loss": "hinge"}),
    ("2,3:hardtanh,2", {"loss": "mae", "reduction": "sum", "bias": True}),
    ("3,2:elu,2", {"loss": "huber", "orientation": "columns"}),
    ("2,2:silu,1", {"loss": "binary_cross_entropy", "output_activation": "sigmoid"}),
    ("2,3,2:softplus", {"activation": "min(max(z, -1/2), 2)", "loss": "poisson"}),
    ("784,128:relu,10", {"loss": "softmax_cross_entropy", "bias": True}),
    ("n0,n1,n2", {"activation": "z*tanh(log(1+exp(z)))", "bias": True}),
    ("2,3*5:tanh,2", {}),
)
"""Each network shows something that the others do not."""
RANDOM = 3
"""So many more are drawn."""


@dataclass(frozen=True)
class Attempt:
    """One mistake at one place: whether it can be seen, and who saw it.

    `steps` says whether a step refuses it, `oracle` names the first of the other families that
    does.
    """

    mistake: str
    network: str
    place: str
    seen: bool
    steps: bool = False
    oracle: str = ""

    @property
    def caught(self) -> bool:
        """Whether the proof refuses it."""
        return self.steps or bool(self.oracle)


@dataclass(frozen=True)
class Outcome:
    """What became of one mistake: `planted = caught + unseen + escaped`.

    `steps` of those that were caught are refused by a step, `oracles` by what knows no steps.
    """

    mistake: str
    attempts: tuple[Attempt, ...]

    @property
    def planted(self) -> int:
        """In how many derivations the mistake was made."""
        return len(self.attempts)

    @property
    def visible(self) -> tuple[Attempt, ...]:
        """Those that can be seen on their network."""
        return tuple(one for one in self.attempts if one.seen)

    @property
    def unseen(self) -> int:
        """How many cannot be seen on their network, and are not wrong there."""
        return self.planted - len(self.visible)

    @property
    def caught(self) -> int:
        """How many the proof refuses."""
        return sum(one.caught for one in self.visible)

    @property
    def steps(self) -> int:
        """How many a step refuses."""
        return sum(one.steps for one in self.visible)

    @property
    def oracles(self) -> int:
        """How many the oracles refuse, which never look at a step."""
        return sum(bool(one.oracle) for one in self.visible)

    @property
    def escaped(self) -> tuple[Attempt, ...]:
        """Those that nothing refuses."""
        return tuple(one for one in self.visible if not one.caught)


def run(seed: int = SEED) -> Iterator[Attempt]:
    """Every mistake in every network of the table, and in some random ones.

    Raises:
        ProofError: the proof refuses a right derivation, so that what it refuses says nothing.
    """
    for spec in (*specs(), *random_specs(seed)):
        yield from attempts(derive(build(spec, CATALOG)), seed)


def report(found: Iterable[Attempt]) -> tuple[Outcome, ...]:
    """What became of each mistake, in the order of the table."""
    told = tuple(found)
    return tuple(
        Outcome(row.id, tuple(one for one in told if one.mistake == row.id)) for row in MISTAKES
    )


def specs() -> Iterator[Spec]:
    """The table of networks."""
    return (parse_spec(layers, **options) for layers, options in NETWORKS)


def attempts(derivation: Derivation, seed: int = SEED) -> Iterator[Attempt]:
    """Every mistake in one derivation; none where its loss has no value.

    Raises:
        ProofError: the proof refuses the right derivation.
    """
    subject = Subject(derivation, quick=True, seed=seed)
    if subject.points is None:
        return
    if not proof_of(subject).passed:
        raise ProofError(f"the proof refuses the right derivation of {name(derivation)}")
    jury = Jury(subject)
    for mistake in MISTAKES:
        yield from map(jury.attempt, planted(derivation, mistake))


@dataclass
class Jury:
    """What judges the mistakes of one network; what all of them need is worked out once."""

    subject: Subject
    around: dict[Kind, list[Numbers]] = field(default_factory=dict)

    @property
    def right(self) -> Derivation:
        """The derivation without a mistake."""
        return self.subject.derivation

    @cached_property
    def sight(self) -> Sight:
        """What can be seen of a mistake on the network."""
        return Sight(self.right)

    def attempt(self, wrong: Planted) -> Attempt:
        """Whether a wrong derivation is refused, and by what."""
        place = f"{wrong.letter} of layer {wrong.layer}"
        mistake, network = wrong.mistake.id, name(self.right)
        if not self.sight.sees(wrong):
            return Attempt(mistake, network, place, seen=False)
        refused = any(map(_failed, self.steps(wrong)))
        return Attempt(mistake, network, place, True, refused, self.oracle(wrong))

    def steps(self, wrong: Planted) -> Iterator[Check | Skip]:
        """The steps of what was changed; the others are those of the right derivation."""
        for kind, derived in wrong.wrong.items():
            if kind not in self.around:
                self.around[kind] = steps.tried(self.right.network, kind, self.subject.seed)
            points = self.around[kind]
            checks = steps.checks(derived, points, "", self.subject.seed) if points else iter(())
            yield from guarded("step", "before", checks)

    def oracle(self, wrong: Planted) -> str:
        """The first family that refuses a derivation without a look at its steps."""
        subject = Subject(
            wrong.derivation, quick=True, seed=self.subject.seed, tried=self.subject.points
        )
        families = (family for family in CHECKS if family.quick and family.id != "steps")
        return next((f.id for f in families if any(map(_differs, f.check(subject)))), "")


def _failed(one: Check | Skip) -> bool:
    return isinstance(one, Check) and not one.passed


def _differs(one: Check | Skip) -> bool:
    """Whether numbers differ, or a gradient has none; that a form is not there shows nothing."""
    return isinstance(one, Check) and not one.passed and (one.count > 0 or one.kind == "gradient")


def name(derivation: Derivation) -> str:
    """A network in a line: its layers and its loss."""
    network = derivation.network
    layers = (f"{layer.width}:{layer.activation.name}" for layer in network.layers)
    return f"{network.inputs},{','.join(layers)} {network.loss.name}"


# --- Random networks ---


def random_specs(seed: int, count: int = RANDOM) -> Iterator[Spec]:
    """Networks whose widths, activations and loss are drawn; the loss can take their outputs."""
    random = Random(seed)
    return (_random(random) for _ in range(count))


RANGES = {"unit": ("unit",), "positive": ("unit", "positive")}
"""Which activations' values lie where a loss asks for them."""


def _random(random: Random) -> Spec:
    loss = random.choice(CATALOG.losses)
    rows = [row for row in CATALOG.activations if row.name not in dict(loss.refuses)]
    last = random.choice(
        [row for row in rows if row.range in RANGES.get(loss.domain, (row.range,))]
    )
    widths = [random.randint(1, 4) for _ in range(random.randint(2, 4))]
    if loss.label == "distribution":
        widths[-1] = max(2, widths[-1])  # one output alone is 1, whatever the parameters
    hidden = [f"{width}:{random.choice(CATALOG.activations).name}" for width in widths[1:-1]]
    layers = ",".join([str(widths[0]), *hidden, f"{widths[-1]}:{last.name}"])
    return parse_spec(
        layers,
        loss=loss.name,
        bias=random.random() < 0.5,
        reduction=random.choice(("mean", "sum")),
        orientation=random.choice(("rows", "columns")),
        weights=random.choice(ORDERS),
    )
