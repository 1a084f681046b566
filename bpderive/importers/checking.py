"""Whether the derivation's gradients are the model's own: the generated code beside the original.

In: an `Imported`. Out: the largest relative difference for each parameter. Must not know: any
library of models.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType

from bpderive.api import derive, load, network
from bpderive.catalog import CATALOG, Loss
from bpderive.errors import UnsupportedError
from bpderive.importers.model import Array, Imported, Sample

SAMPLES = 4
FLOOR = 1e-6
"""Of the largest gradient: what is smaller counts as so large, for it is zero but for rounding."""


@dataclass(frozen=True)
class Compared:
    """One parameter, or the output: the largest difference, by the largest element."""

    name: str
    difference: float
    elements: int


def check(read: Imported, seed: int = 0) -> tuple[Compared, ...]:
    """The output first, then each parameter, at random inputs and the model's own weights.

    Raises:
        UnsupportedError: the loss is not finite there.
    """
    import numpy as np

    code = _code(read)
    given = _drawn(read, code, np.random.default_rng(seed))
    params = {key: read.weights[key] for key in code.SHAPES}
    sample = Sample(given["x"], given[_target(code)], _masks(read, given))
    out = code.forward(params, *(given[name] for name in _names(code)[:-1]))
    loss, ours = code.loss_and_grad(params, *given.values())
    theirs = read.original.gradients(read, sample)
    if not np.isfinite([loss, *map(np.nansum, theirs.values())]).all():
        message = f"the loss {read.loss} is not finite at what the model gives"
        raise UnsupportedError(message)
    own = np.asarray(read.original.output(read, sample)).reshape(out.shape)
    out, own = _ended(read, out, own)
    largest = max((float(np.nanmax(np.abs(one))) for one in theirs.values()), default=0.0)
    rows = [_compared("output", out, own, FLOOR)]
    rows += [_compared(key, ours[key], one, FLOOR * largest) for key, one in theirs.items()]
    return tuple(rows)


def _compared(name: str, ours: Array, theirs: Array, floor: float) -> Compared:
    import numpy as np

    known = ~np.isnan(theirs)
    scale = max(float(np.max(np.abs(theirs[known]), initial=0.0)), floor, np.finfo(float).tiny)
    off = float(np.max(np.abs(ours - theirs)[known], initial=0.0)) / scale
    return Compared(name, off, int(known.sum()))


def _ended(read: Imported, ours: Array, theirs: Array) -> tuple[Array, Array]:
    """Both outputs, with the stage that our loss puts behind them."""
    import numpy as np

    stage = CATALOG.loss(read.loss).stage
    if stage:  # the code gives what comes before it
        ours = _softmax(ours)
    if read.logged:
        return ours, np.exp(theirs)
    return ours, _softmax(theirs) if stage else theirs


def _softmax(a: Array) -> Array:
    import numpy as np

    e = np.exp(a - a.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _code(read: Imported) -> ModuleType:
    return load(derive(network(read.spec)))


# --- What the code is given ---


def _names(code: ModuleType) -> tuple[str, ...]:
    """In the order of the code's arguments, the target last."""
    return tuple(getattr(code, "GIVEN", ("x", "y")))


def _target(code: ModuleType) -> str:
    return _names(code)[-1]


def _shapes(read: Imported, code: ModuleType) -> Mapping[str, Sequence[int | str]]:
    if hasattr(code, "GIVEN"):
        return dict(code.GIVEN)
    widths = [layer.width for layer in read.spec.layers]
    return {"x": ("N", widths[0]), "y": ("N", widths[-1])}


def _drawn(read: Imported, code: ModuleType, random: Array) -> dict[str, Array]:
    """Random numbers for everything but the model's own statistics."""
    loss, tokens = CATALOG.loss(read.loss), getattr(code, "TOKENS", {})
    found = {}
    for name, shape in _shapes(read, code).items():
        sizes = tuple(SAMPLES if size == "N" else int(size) for size in shape)
        if name in read.weights:
            found[name] = read.weights[name]
        elif name in tokens:
            found[name] = random.integers(0, tokens[name], sizes)
        elif name == _target(code):
            found[name] = _labels(loss, random, sizes)
        elif name == "x":
            found[name] = random.normal(size=sizes)
        else:
            found[name] = random.integers(0, 2, sizes).astype(float)
    return found


def _labels(loss: Loss, random: Array, sizes: tuple[int, ...]) -> Array:
    kinds = {
        "binary": lambda: random.integers(0, 2, sizes).astype(float),
        "sign": lambda: random.choice([-1.0, 1.0], sizes),
        "distribution": lambda: _softmax(random.normal(size=sizes)),
        "count": lambda: random.integers(0, 5, sizes).astype(float),
    }
    return kinds.get(loss.label, lambda: random.normal(size=sizes))()


def _masks(read: Imported, given: Mapping[str, Array]) -> dict[int, Array]:
    dropouts = [place.number for place in read.places if place.layer.item.name == "dropout"]
    return {number: given[read.label("m", number)] for number in dropouts}
