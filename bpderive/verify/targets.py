"""The generated code, run as its user would run it.

In: a `Subject`. Out: a `Check` of the loss and of every gradient that each target's code returns:
element by element at the small network, and along random directions at the size that was asked for.
A target with no row in `RUNNERS` is refused, so that none goes unproved.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bpderive.errors import UnsupportedError
from bpderive.program import Program, build
from bpderive.proof import Check, Skip
from bpderive.targets import TARGETS, files, generate
from bpderive.targets.modules import module
from bpderive.verify import directions
from bpderive.verify.arithmetic import MP, ROUGH, digits
from bpderive.verify.directions import directional
from bpderive.verify.guard import refusing
from bpderive.verify.model import oracle_of, parameters
from bpderive.verify.oracle import Tensor
from bpderive.verify.subject import Subject, labels_of, rows_of

WANTED = 9
"""Of the 15 digits of the machine's numbers, what sums that nearly cancel may lose."""
LARGEST, DEEPEST = 10**7, 2000
"""A network of at most so many parameters and layers is run at its own size."""


def _compiled(program: Program, target: str) -> Any:
    """C, compiled for double precision."""
    from bpderive.verify.compiled_c import load

    code, header = files(program, target, "proof").values()
    return load(code, header, "proof")


def _module(program: Program, target: str) -> Any:
    """A Python module."""
    return module(generate(program, target), "proof")


@dataclass(frozen=True)
class Lists:
    """A module that takes lists, as one that takes arrays."""

    code: Any

    def forward(self, params: Any, x: Any) -> Any:
        return _arrays(self.code.forward(_lists(params), _lists(x)))

    def loss(self, params: Any, x: Any, y: Any) -> Any:
        return self.code.loss(_lists(params), _lists(x), _lists(y))

    def loss_and_grad(self, params: Any, x: Any, y: Any) -> Any:
        loss, grads = self.code.loss_and_grad(_lists(params), _lists(x), _lists(y))
        return loss, _arrays(grads)

    def step(self, params: Any, grads: Any, lr: float) -> Any:
        return _arrays(self.code.step(_lists(params), _lists(grads), lr))


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: array.tolist() for key, array in value.items()}
    return value.tolist()


def _arrays(value: Any) -> Any:
    import numpy as np

    if isinstance(value, dict):
        return {key: np.array(rows) for key, rows in value.items()}
    return np.array(value)


RUNNERS: Mapping[str, Callable[[Program, str], Any]] = {
    **dict.fromkeys(("numpy", "numpy-inplace", "array-api"), _module),
    "python": lambda program, target: Lists(_module(program, target)),
    "c": _compiled,
}
"""By target, its code with the functions `forward`, `loss`, `loss_and_grad` and `step`.

They take and give NumPy arrays: parameters `W1`, `b1` …, samples and labels as rows.
"""


@refusing("code", "numpy")
def check(subject: Subject) -> Iterator[Check | Skip]:
    """Every target's code."""
    for target in TARGETS:
        for family in (_small, _full):
            try:
                yield from family(subject, target)
            except UnsupportedError as error:
                yield Skip("code", target, str(error))


def _small(subject: Subject, target: str) -> Iterator[Check | Skip]:
    """Every element, at the points of the small network."""
    if subject.points is None:
        yield Skip("code", target, "no_point")
        return
    given = _given(subject)
    code = RUNNERS[target](build(subject.model), target)
    params = given[0]
    loss, gradients = code.loss_and_grad(*given)
    scale = max(abs(sample["L"][()]) for sample in subject.points.samples)
    pairs = [(MP.mpf(found), _loss(subject)) for found in (loss, code.loss(*given))]
    yield Check("code", "L", target, len(pairs), digits(pairs, scale), WANTED)
    for label in subject.parameters:
        pairs = _pairs(gradients[key(label)], subject.expected(label))
        agreed = digits(pairs, subject.rough(label))
        yield Check("code", label, target, len(pairs), agreed, WANTED)
    yield _forward(subject, target, code, *given[:2])
    moved = code.step(params, gradients, 0.5)
    pairs = [(_exact(moved[k]), _exact(params[k] - 0.5 * gradients[k])) for k in params]
    agreed = digits([pair for found, wanted in pairs for pair in zip(found, wanted, strict=True)])
    yield Check("code", "step", target, len(pairs), agreed, WANTED)


def _forward(subject: Subject, target: str, code: Any, params: Any, x: Any) -> Check:
    """The outputs of all samples, and of the first one by itself."""
    assert subject.points is not None  # noqa: S101 - `_small` has looked
    last, samples = f"a{subject.oracle.depth}", subject.points.samples
    found = (*code.forward(params, x), code.forward(params, x[0]))
    wanted = (*samples, samples[0])
    rows = [_pairs(a, sample[last]) for a, sample in zip(found, wanted, strict=True)]
    pairs = [pair for row in rows for pair in row]
    sums = [value for sample in samples for value in sample[last.replace("a", "z")].values()]
    scale = ROUGH * max(map(abs, sums))  # `1 + tanh(z)` is 0 in these numbers, far below 0
    return Check("code", last, target, len(pairs), digits(pairs, scale), WANTED)


def _given(subject: Subject) -> tuple[dict[str, Any], Any, Any]:
    """Parameters, samples and labels as arrays.

    Raises:
        UnsupportedError: NumPy is not installed.
    """
    try:
        import numpy as np
    except ModuleNotFoundError as error:
        raise UnsupportedError("running the code needs NumPy: pip install numpy") from error
    assert subject.points is not None  # noqa: S101 - `_small` has looked
    samples = subject.points.samples
    params = {key(label): np.array(_floats(samples[0][label])) for label in subject.parameters}
    x, y = (np.array([list(map(float, s[name].values())) for s in samples]) for name in "xy")
    return params, x, y


def _loss(subject: Subject) -> Any:
    """The loss of the batch of all samples."""
    assert subject.points is not None  # noqa: S101 - `_small` has looked
    losses = [sample["L"][()] for sample in subject.points.samples]
    return sum(losses) / (len(losses) if subject.network.spec.reduction == "mean" else 1)


def _pairs(found: Any, expected: Tensor) -> list[tuple[Any, Any]]:
    """The elements of an array, and what they should be."""
    return [
        (MP.mpf(float(found[tuple(k - 1 for k in at)])), value) for at, value in expected.items()
    ]


def _exact(array: Any) -> list[Any]:
    return [MP.mpf(float(value)) for value in array.flat]


def _full(subject: Subject, target: str) -> Iterator[Check | Skip]:
    """Random directions, at the network's own size; a small network has been run at it."""
    network = subject.derivation.network
    if subject.own or network.symbolic:
        return
    count, depth = parameters(network), network.depth
    if count > LARGEST or depth > DEEPEST:
        raise UnsupportedError(
            f"run at full size for at most {LARGEST} parameters and {DEEPEST} layers, "
            f"and here are {count} and {depth}"
        )
    run = RUNNERS[target](build(subject.derivation), target).loss_and_grad
    reduction = network.spec.reduction
    found = directional(oracle_of(network), labels_of(network), reduction, run, subject.seed)
    for label, slopes in found.items():
        agreed, count = digits(slopes.pairs, slopes.scale), len(slopes.pairs)
        yield Check("full_size", label, target, count, agreed, directions.WANTED)


def key(label: str) -> str:
    """A parameter's name in the generated code: `w1` → `W1`."""
    return label.replace("w", "W")


def _floats(tensor: Tensor) -> list[Any]:
    """A weight as rows, a bias as a list."""
    rows = [[float(value) for value in row] for row in rows_of(tensor)]
    return rows if len(next(iter(tensor))) == 2 else [value for (value,) in rows]
