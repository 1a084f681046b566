"""What is proved: a derivation of any layers, its small twin, and the point at which it is tried.

In: a `StackDerivation` and a seed. Out: a `StackSubject`, whose parts are worked out when first
asked for.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from random import Random
from typing import Any

from bpderive.backprop import StackDerivation
from bpderive.stack.model import Stack
from bpderive.verify.arithmetic import FLOOR, MP, ROUGH, STEP, is_real
from bpderive.verify.formulas import COMPLEX, FLOAT, Domain, read
from bpderive.verify.layered.lazily import Quantities, Scene, Shape, Values
from bpderive.verify.layered.oracle import Element, Oracle, Tensor, Watch, elements
from bpderive.verify.layered.plain import labels_of, oracle_of
from bpderive.verify.layered.surroundings import Surroundings, kinds, tried
from bpderive.verify.layered.twins import twin
from bpderive.verify.points import DECIDED, DRAWS, LARGEST, Labels, number, takes

TRIES, LIVELY = 60, 6
"""So many draws for numbers that suit, and so many of those for such at which gradients show."""
SOME, FEW = 4, 3
"""Elements of each tensor whose derivatives a quick proof looks at; of each inner quantity."""


@dataclass(frozen=True)
class StackSubject:
    """A derivation to be proved; `quick` leaves out what needs more than the core, or seconds."""

    derivation: StackDerivation
    quick: bool = False
    seed: int = 1

    @cached_property
    def small(self) -> Stack:
        """A stack of the same kinds with numbers for all sizes.

        Raises:
            UnsupportedError: no small sizes were found.
        """
        return twin(self.derivation.stack, self.seed)

    @cached_property
    def model(self) -> StackDerivation:
        """The same results over the small stack."""
        return StackDerivation(self.small, self.derivation._sweeps)  # noqa: SLF001 - the same

    @cached_property
    def oracle(self) -> Oracle:
        """The small stack's oracle."""
        return oracle_of(self.small)

    @cached_property
    def around(self) -> dict[int, Surroundings]:
        """Every kind of layer, by the first layer that is of it."""
        return kinds(self.derivation)

    @cached_property
    def tried(self) -> dict[int, list[Quantities]]:
        """Random numbers around each kind of layer, for its steps."""
        return {number: tried(one, number, self.seed) for number, one in self.around.items()}

    @property
    def labels(self) -> Labels:
        """What the loss asks of outputs and labels."""
        return labels_of(self.derivation.stack)

    # --- The point ---

    @cached_property
    def watch(self) -> Watch:
        """What the pass at the point held constant, and where its largest values stood."""
        return Watch()

    @cached_property
    def point(self) -> dict[str, Tensor] | None:
        """All quantities at random numbers; None where the loss has no value."""
        for domain in (DECIDED, FLOAT):  # away from kinks, if it can be
            found = self._liveliest(domain)
            if found is not None:
                return self.oracle.forward(found, watch=self.watch)
        return None

    def _liveliest(self, domain: Domain) -> dict[str, Tensor] | None:
        """Random numbers that the loss takes; of several, those at which most gradients show."""
        random, found, best = Random(self.seed), None, -1
        for _ in range(LIVELY):
            given = self._given(random, domain)
            if given is None:
                break
            shown, most = self._shows(given, random)
            if shown > best:
                found, best = given, shown
            if shown == most:
                break
        return found

    def _given(self, random: Random, domain: Domain) -> dict[str, Tensor] | None:
        tries = (self._drawn(random) for _ in range(TRIES))
        return next((given for given in tries if self._suits(given, domain)), None)

    def _drawn(self, random: Random) -> dict[str, Tensor]:
        oracle = self.oracle
        found = {label: _numbers(shape, random) for label, shape in oracle.parameters().items()}
        for label, shape in oracle.data().items():
            found[label] = {at: abs(v) + 0.25 for at, v in _numbers(shape, random).items()}
        found[oracle.input] = _numbers(oracle.shape, random)
        for label, most in oracle.tokens.items():
            found[label] = {at: random.randint(1, most) for at in found[label]}
        rows = {at[:-1] for _, at in elements({"": oracle.output[1]})}
        width = oracle.output[1][-1]
        labels = {row: DRAWS[self.labels.label](random, width) for row in sorted(rows)}
        found[oracle.target] = {
            (*row, k): v for row, values in labels.items() for k, v in enumerate(values, 1)
        }
        return found

    def _suits(self, given: Mapping[str, Tensor], domain: Domain) -> bool:
        plain = {k: {at: _plain(v) for at, v in tensor.items()} for k, tensor in given.items()}
        with suppress(ArithmeticError, ValueError, TypeError):
            found = self.oracle.forward(plain, domain)
            label, _ = self.oracle.output
            every = [float(v) for tensor in found.values() for v in tensor.values()]
            outputs, y = found["p" if self.oracle.stage else label], found[self.oracle.target]
            pairs = ((a, y[at]) for at, a in outputs.items())
            taken = (takes(self.labels, a, own) and abs(a) < LARGEST for a, own in pairs)
            moderate = all(isfinite(v) and abs(v) < 1e6 for v in every)
            return moderate and (bool(self.oracle.stage) or all(taken))
        return False

    def _shows(self, given: dict[str, Tensor], random: Random) -> tuple[int, int]:
        """How many parameters' gradients show in some elements, and how many could."""
        point = self.oracle.forward(given)
        chosen = [
            random.choice(list(elements({label: shape})))
            for label, shape in self.oracle.parameters().items()
            for _ in range(2)
        ]
        real = all(is_real(v) for v in point["S"].values())
        return sum(self.oracle.complex_step(point, e) != 0 for e in chosen) * real, len(chosen)

    # --- What was derived, at the point ---

    @cached_property
    def derived(self) -> Quantities:
        """Every quantity and every derivative, by the derivation's own equations alone."""
        assert self.point is not None  # noqa: S101 - whoever asks has looked
        oracle = self.oracle
        names = (*oracle.parameters(), *oracle.data(), oracle.input, oracle.target)
        given = {name: self.seen(name, self.point[name]) for name in names}
        return quantities(self.model, given, oracle.shape[0])

    def seen(self, label: str, tensor: Tensor) -> Tensor:
        """A tensor as the derivation has it: where that has no samples, of the one there is."""
        if self.small.samples or not self._sampled(label):
            return tensor
        return {at[1:]: value for at, value in tensor.items()}

    def _sampled(self, label: str) -> bool:
        """Whether the oracle's tensor has an axis of samples, where the derivation has none."""
        if label in (self.oracle.input, self.oracle.target):
            return True
        for plan in self.oracle.plans:
            for name, own in plan.labels.items():
                if own == label:
                    return plan.file.tensors[name].axes[:1] in ((("n",),), (("lead1",),))
        return False

    # --- Scales ---

    @cached_property
    def expected(self) -> dict[str, Tensor]:
        """The derivative of the summed loss by each parameter, and by the input: complex steps.

        Of a quick proof at some elements; at all where it is zero at those.
        """
        return {k: self._stepped(k, list(elements({k: s}))) for k, s in self.differentiable.items()}

    def _stepped(self, label: str, every: list[Element]) -> Tensor:
        assert self.point is not None  # noqa: S101 - whoever asks has looked
        first = Random(f"{self.seed}{label}").sample(every, min(SOME, len(every)))
        found: Tensor = {}
        for _, at in sorted(first if self.quick else every):
            found[at] = self.oracle.complex_step(self.point, (label, at))
        if any(found.values()) or len(found) == len(every):
            return found
        return {at: self.oracle.complex_step(self.point, (label, at)) for _, at in every}

    @property
    def differentiable(self) -> dict[str, Shape]:
        """The shapes of the parameters, and of an input that is no tokens."""
        oracle = self.oracle
        own = {} if oracle.input in oracle.tokens else {oracle.input: oracle.shape}
        return self.oracle.parameters() | own

    def scale(self, label: str, part: Any = FLOOR) -> Any:
        """The size of a tensor's derivatives; at least a small part of the largest there is."""
        sizes = {k: max(map(abs, slopes.values())) for k, slopes in self.expected.items()}
        return max(sizes.get(label, MP.mpf(0)), part * max(sizes.values(), default=MP.mpf(1)))

    def rough(self, label: str) -> Any:
        """The scale of a label for the machine's numbers."""
        return self.scale(label, ROUGH)

    @cached_property
    def inner(self) -> tuple[Element, ...]:
        """Some elements of every inner quantity."""
        random, chosen = Random(self.seed), []
        for label, shape in self.oracle.inner().items():
            every = list(elements({label: shape}))
            chosen += random.sample(every, min(2 if self.quick else FEW, len(every)))
        return tuple(chosen)


def quantities(
    derivation: StackDerivation, given: Mapping[str, Values], samples: int
) -> Quantities:
    """All that a derivation's equations define, at the values of what they do not."""
    stack = derivation.stack

    def named(name: str, z: Any) -> Any:
        formula = stack.activations[name.removesuffix("'")].formula
        function = read(formula, COMPLEX)
        if not name.endswith("'"):
            return function({"z": z}, ())
        return function({"z": z + MP.mpc(0, STEP)}, ()).imag / STEP

    numbers = {k: {(): MP.mpf(int(v.p)) / int(v.q)} for k, v in stack.numbers.items()}
    equations = (*derivation.forward, *derivation.backward)
    return Scene(equations, {"N": samples}, {**given, **numbers}, stack.root, named).base


def _numbers(shape: Shape, random: Random) -> Tensor:
    return {at: number(random) for _, at in elements({"": shape})}


def _plain(value: Any) -> Any:
    return value if isinstance(value, int) else float(value)
