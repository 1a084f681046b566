"""Measures small networks by the generated plain Python code.

In: a `Plan`. Out: `Numbers` by layer. Must not know: NumPy.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from random import Random
from typing import Any

from bpderive.sweep.bounding import Bounds
from bpderive.sweep.drawing import LABELS, SHAPES, tensor
from bpderive.sweep.model import Numbers, Plan
from bpderive.sweep.running import elements, load
from bpderive.sweep.spreads import numbers

Values = Sequence[float]


class Runner:
    """The networks of one plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.module = load(plan.source)
        self.pickers, start = {}, 0
        for tensor_ in plan.tensors:
            chosen = elements(tensor_.size, plan.most)
            self.pickers[tensor_.key] = _picker([start + k for k in chosen])
            start += tensor_.size
        self.bounds = Bounds(plan.bounds, len(plan.layers))
        self.gradients = self._fast if hasattr(self.module, "sample_loss_and_grad") else self._slow

    def network(self, prefix: str, index: int) -> tuple[Numbers, ...]:
        """The layers of one network, which the prefix and the index draw."""
        random = Random(f"{prefix}/{index}")  # noqa: S311 - weights are no secrets
        theta = self._theta(random, None)
        samples = [self._sample(random) for _ in range(self.plan.inputs)]
        found = [self._gradients(theta, *sample) for sample in samples]
        bounds = self.bounds.of(self._params(theta), samples)
        return self._numbers(found, bounds)

    def each(self, text: str, given: Mapping[str, Any]) -> tuple[tuple[Numbers, ...], ...]:
        """The layers of given weights, for each of the inputs that a text draws."""
        random = Random(text)  # noqa: S311 - the same
        theta = self._theta(random, given)
        every = []
        for _ in range(self.plan.inputs):
            sample = self._sample(random)
            bounds = self.bounds.of(self._params(theta), [sample])
            every.append(self._numbers([self._gradients(theta, *sample)], bounds))
        return tuple(every)

    def _theta(self, random: Random, given: Mapping[str, Any] | None) -> list[float]:
        if given is None:
            return list(chain.from_iterable(tensor(random, one) for one in self.plan.tensors))
        return [float(u) for one in self.plan.tensors for u in _flat(given[one.key], one.shape)]

    def _params(self, theta: Values) -> Any:
        return self.module.unflatten(theta)

    def _numbers(self, found: list[Values], bounds: Sequence[float | None]) -> tuple[Numbers, ...]:
        by_layer = (self.pickers[key] for _, key in self.plan.layers)
        return tuple(
            numbers([u for gradient in found for u in pick(gradient)], bound)
            for pick, bound in zip(by_layer, bounds, strict=True)
        )

    def _sample(self, random: Random) -> tuple[Any, ...]:
        """Nested lists for what the code is given: the input, then the labels."""
        module, batch = self.module, self.plan.batch
        if not hasattr(module, "GIVEN"):
            sizes = (module.LAYERS[0], module.LAYERS[-1])
            return tuple(self._given(random, place, (n,)) for place, n in enumerate(sizes, -1))
        found = []
        for place, (name, shape) in enumerate(module.GIVEN.items(), 1 - len(module.GIVEN)):
            sizes_ = tuple(batch if size == "N" else size for size in shape)
            count = getattr(module, "TOKENS", {}).get(name)
            found.append(self._given(random, place, sizes_, count))
        return tuple(found)

    def _given(
        self, random: Random, place: int, shape: tuple[int, ...], count: int | None = None
    ) -> Any:
        """Labels at the last place, tokens where there is a count, else normal numbers."""
        size = math.prod(shape)
        if count is not None:
            return _nested([random.randrange(count) for _ in range(size)], shape)
        draw = LABELS[self.plan.label] if place == 0 else SHAPES["normal"]
        return _nested(draw(random, size, shape[-1] if shape else 1), shape)

    def _gradients(self, theta: Values, *sample: Any) -> Values:
        """The gradients in theta's order; infinite where a number left the range of floats."""
        try:
            return self.gradients(theta, *sample)
        except (ArithmeticError, ValueError):  # ValueError: of the sine of infinity
            return [math.inf] * len(theta)

    def _fast(self, theta: Values, *sample: Any) -> Values:
        _, found = self.module.sample_loss_and_grad(theta, *sample)
        gradients: Values = found
        return gradients

    def _slow(self, theta: Values, *sample: Any) -> Values:
        _, found = self.module.loss_and_grad(self._params(theta), *sample)
        return list(
            chain.from_iterable(_flat(found[one.key], one.shape) for one in self.plan.tensors)
        )


def _picker(places: Sequence[int]) -> Callable[[Values], Iterable[float]]:
    if len(places) == 1:
        return lambda values: (values[places[0]],)
    return itemgetter(*places)


def _nested(values: list[Any], shape: tuple[int, ...]) -> Any:
    if len(shape) < 2:
        return values if shape else values[0]
    step = len(values) // shape[0]
    return [_nested(values[k : k + step], shape[1:]) for k in range(0, len(values), step)]


def _flat(values: Any, shape: tuple[int, ...]) -> Iterable[float]:
    for _ in shape[1:]:
        values = chain.from_iterable(values)
    return values if shape else [values]
