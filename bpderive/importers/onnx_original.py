"""An ONNX model's own gradients, by differences of its reference implementation.

In: a loaded model, a `Sample`. Out: its output, and gradients by our names at some elements. Must
not know: the engine.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bpderive.importers.losses import total
from bpderive.importers.model import Array, Imported, Sample, Weight
from bpderive.importers.onnx_model import Loaded, evaluator

STEP = 1e-4
KINK, TINY = 1e-5, 1e-10
"""Differences over two steps that differ by more have crossed a kink, and are left out."""
ELEMENTS = 6
"""So many of each parameter are compared."""


@dataclass(frozen=True)
class OnnxModel:
    """A model in double precision."""

    loaded: Loaded
    title: str = "differences of ONNX's reference"
    tolerance: float = 1e-4

    def output(self, read: Imported, sample: Sample) -> Array:
        """What the model gives."""
        return self._run({}, sample.x)

    def gradients(self, read: Imported, sample: Sample) -> Mapping[str, Array]:
        """By central differences, extrapolated once, at random elements; nan elsewhere."""
        import numpy as np

        random = np.random.default_rng(0)
        learned = ((n, w) for n, w in read.named if w.parameters and not w.data)
        return {name: self._slopes(weight, read, sample, random) for name, weight in learned}

    def _slopes(self, weight: Weight, read: Imported, sample: Sample, random: Array) -> Array:
        """The derivatives by some elements of one tensor of ours."""
        import numpy as np

        (name,) = weight.parameters
        array = np.asarray(self.loaded.parameters[name], dtype=float)
        places = weight.slope({name: np.arange(array.size).reshape(array.shape)})
        found, loss = np.full(places.shape, np.nan), total(read, np)

        def value(at: int, steps: int) -> float:
            moved = array.copy()
            moved.flat[places.flat[at]] += steps * STEP
            out = self._run({name: moved}, sample.x)
            return float(loss(out, sample.y.reshape(out.shape)))

        for at in random.permutation(places.size)[: 2 * ELEMENTS]:
            fine, coarse = (
                (value(at, steps) - value(at, -steps)) / (2 * steps * STEP) for steps in (1, 2)
            )
            if abs(fine - coarse) <= KINK * abs(fine) + TINY:
                found.flat[at] = (4 * fine - coarse) / 3
            if np.isfinite(found).sum() >= ELEMENTS:
                break
        return found

    def _run(self, changed: Mapping[str, Array], x: Array) -> Array:
        """The output; where the file fixes how many samples there are, one by one."""
        import numpy as np

        own = evaluator(self.loaded)
        own.rt_inits_.update(changed)
        entry, batch = self.loaded.entry.name, self.loaded.batch
        with np.errstate(all="ignore"):
            if batch is None:
                return own.run(None, {entry: x})[0]
            rows = [own.run(None, {entry: np.repeat(row[None], batch, axis=0)})[0] for row in x]
        return np.stack([row[0] for row in rows])
