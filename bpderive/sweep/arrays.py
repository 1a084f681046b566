"""Measures networks by the generated NumPy code: in place where all layers are dense.

In: a `Plan`. Out: `Numbers` by layer. The code in place writes all gradients into one block of
memory, the same at every call; those that are recorded are copied from there at once. Statistics
are taken at the end of a network. Must not know: how anything is derived.
"""

from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import Any

import numpy as np

from bpderive.sweep.bounding import Bounds
from bpderive.sweep.drawing_arrays import LABELS, Array, Source, tensors
from bpderive.sweep.model import QUANTILES, Numbers, Plan
from bpderive.sweep.running import elements, load

Params = dict[str, Array]
Recorder = Callable[[Params, Array], object]


BOUNDED = 32
"""One network of so many is bounded: that costs as much as several samples."""


class Runner:
    """The networks of one plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.module = load(plan.source)
        compiled = getattr(self.module, "compile", None)
        self.call = compiled(plan.batch, float) if compiled else self.module.loss_and_grad
        self.theta = np.zeros(sum(plan.sizes.values()))
        self.flat = _parts(self.theta, plan)
        self.params = {one.key: self.flat[one.key].reshape(one.shape) for one in plan.tensors}
        chosen = [np.array(elements(plan.sizes[key], plan.most)) for _, key in plan.layers]
        counts = [len(places) for places in chosen]
        self.ends = [0, *accumulate(counts)]
        self.columns = _columns(counts, self.ends)
        keys = [key for _, key in plan.layers]
        self.record = (self._in_block if compiled else _apart)(keys, chosen, self.ends)
        self.bounds = Bounds(plan.bounds, len(plan.layers))

    def network(self, prefix: str, index: int) -> tuple[Numbers, ...]:
        """The layers of one network, which the prefix and the index draw."""
        recorded, samples = self._recorded(f"{prefix}/{index}", None)
        bounds = self.bounds if index % BOUNDED == 0 else Bounds(None, len(self.plan.layers))
        with np.errstate(all="ignore"):
            return self._numbers(recorded, bounds.of(self.params, samples))

    def each(self, text: str, given: Mapping[str, Any]) -> tuple[tuple[Numbers, ...], ...]:
        """The layers of given weights, for each of the inputs that a text draws."""
        recorded, samples = self._recorded(text, given)
        with np.errstate(all="ignore"):
            bounds = self.bounds.of(self.params, samples)
            return tuple(self._numbers(recorded[k : k + 1], bounds) for k in range(len(recorded)))

    def _recorded(self, text: str, given: Mapping[str, Any] | None) -> tuple[Array, list[Any]]:
        source = Source(text)
        self._set(source, given)
        samples = list(zip(*self._samples(source), strict=True))
        recorded = np.empty((len(samples), self.ends[-1]))
        call, record, params = self.call, self.record, self.params
        with np.errstate(all="ignore"):
            for sample, row in zip(samples, recorded, strict=True):
                record(call(params, *sample)[1], row)
        return recorded, samples

    def _set(self, source: Source, given: Mapping[str, Any] | None) -> None:
        if given is None:
            tensors(source, self.plan.tensors, self.theta, self.flat)
        for key, value in (given or {}).items():
            self.params[key][...] = value

    def _samples(self, source: Source) -> list[Array]:
        """For what the code is given, the input and then the labels, an array of all samples."""
        module, inputs, batch = self.module, self.plan.inputs, self.plan.batch
        if not hasattr(module, "GIVEN"):
            shapes: dict[str, tuple[int | str, ...]]
            shapes = {"x": ("N", module.LAYERS[0]), "y": ("N", module.LAYERS[-1])}
        else:
            shapes = module.GIVEN
        *_, last = shapes
        tokens, found = getattr(module, "TOKENS", {}), []
        for name, shape in shapes.items():
            sizes = (inputs, *(batch if size == "N" else int(size) for size in shape))
            if name in tokens:
                found.append(source.rng.integers(tokens[name], size=sizes))
            else:
                found.append(LABELS[self.plan.label if name == last else "real"](source, sizes))
        return found

    def _in_block(self, keys: list[str], chosen: list[Array], _ends: list[int]) -> Recorder:
        """Copies from the one block that holds all gradients, whose arrays stay the same."""
        with np.errstate(all="ignore"):
            _, grads = self.call(self.params, *(a[0] for a in self._samples(Source(""))))
        block = grads[keys[0]].base
        start = block.ctypes.data
        skipped = -start % 8
        numbers = block[skipped : skipped + (len(block) - skipped) // 8 * 8].view(float)
        begins = [(grads[key].ctypes.data - start - skipped) // 8 for key in keys]
        every = np.concatenate([at + places for at, places in zip(begins, chosen, strict=True)])
        return lambda _grads, row: numbers.take(every, out=row, mode="wrap")

    def _numbers(self, recorded: Array, bounds: Any) -> tuple[Numbers, ...]:
        found: dict[int, Numbers] = {}
        for layers, columns in self.columns:
            values = recorded[:, columns].reshape(len(recorded), len(layers), -1)
            for place, numbers in zip(layers, _statistics(values.swapaxes(0, 1)), strict=True):
                found[place] = numbers._replace(bound=bounds[place])
        return tuple(found[place] for place in range(len(found)))


def _parts(theta: Array, plan: Plan) -> dict[str, Array]:
    """The part of each parameter."""
    ends = list(accumulate(plan.sizes.values()))
    return dict(zip(plan.sizes, np.split(theta, ends[:-1]), strict=True))


def _columns(counts: list[int], ends: list[int]) -> list[tuple[list[int], Any]]:
    """Layers of which equally many gradients are recorded, with their columns of the record."""
    found = []
    for count in sorted(set(counts)):
        layers = [place for place, own in enumerate(counts) if own == count]
        parts = [np.arange(ends[place], ends[place] + count) for place in layers]
        found.append((layers, np.concatenate(parts)))
    return found


def _apart(keys: list[str], chosen: list[Array], ends: list[int]) -> Recorder:
    """Copies from each gradient by itself."""
    parts = list(zip(keys, chosen, ends, ends[1:], strict=False))

    def record(grads: Params, row: Array) -> None:
        for key, places, begin, end in parts:
            grads[key].take(places, out=row[begin:end], mode="wrap")

    return record


def _statistics(values: Array) -> list[Numbers]:
    """Of each layer, whose gradients are along the other axes."""
    sizes = np.abs(values.reshape(len(values), -1))
    sizes.sort(axis=1)
    if np.isnan(sizes[:, -1]).any():  # they come last
        sizes[np.isnan(sizes)] = np.inf
    largest = sizes[:, -1]
    with np.errstate(all="ignore"):
        scale = np.where((largest > 0) & (largest < np.inf), largest, 1)
        shares = sizes / scale[:, np.newaxis]
        means = shares.mean(axis=1) * scale
        roots = np.sqrt(np.square(shares).mean(axis=1)) * scale
    quantiles = _quantiles(sizes)
    dead = np.count_nonzero(sizes == 0, axis=1) / sizes.shape[1]
    columns = (means.tolist(), roots.tolist(), quantiles.tolist(), dead.tolist())
    return [Numbers(a, b, tuple(q), d) for a, b, q, d in zip(*columns, strict=True)]


def _quantiles(ordered: Array) -> Array:
    """Between two values as far as each share says, of rows in order."""
    places = np.array(QUANTILES) * (ordered.shape[1] - 1)
    low = np.floor(places).astype(int)
    below, above = ordered[:, low], ordered[:, np.minimum(low + 1, ordered.shape[1] - 1)]
    with np.errstate(all="ignore"):
        found = below + (above - below) * (places - low)
    return np.where((below == above) | (places == low), below, found)
