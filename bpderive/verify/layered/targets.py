"""The generated code of a network of any layers, run as its user would run it.

In: a `StackSubject`. Out: a `Check` of the outputs, the loss and every gradient that each target's
code returns at the small twin. To try a target, add its row to `RUNNERS`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bpderive import schedule
from bpderive.backprop import StackDerivation
from bpderive.equations import SAMPLES
from bpderive.errors import UnsupportedError
from bpderive.index import Tensor
from bpderive.proof import Check, Skip
from bpderive.schedule.model import Computation
from bpderive.stack.model import Stack
from bpderive.targets import LAYERED, files, generate
from bpderive.targets.modules import module
from bpderive.verify.arithmetic import MP, digits
from bpderive.verify.guard import ERRORS
from bpderive.verify.layered.oracle import Tensor as Values
from bpderive.verify.layered.subject import StackSubject

WANTED = 9
"""Of the 15 digits of the machine's numbers, what sums that nearly cancel may lose."""


@dataclass(frozen=True)
class Lists:
    """A module that takes lists, as one that takes arrays."""

    code: Any

    def forward(self, params: Any, *given: Any) -> Any:
        """The outputs."""
        return _arrays(self.code.forward(_lists(params), *map(_lists, given)))

    def loss(self, params: Any, *given: Any) -> Any:
        """The loss."""
        return self.code.loss(_lists(params), *map(_lists, given))

    def loss_and_grad(self, params: Any, *given: Any) -> Any:
        """The loss and its gradient."""
        loss, grads = self.code.loss_and_grad(_lists(params), *map(_lists, given))
        return loss, {name: _arrays(found) for name, found in grads.items()}


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: array.tolist() for key, array in value.items()}
    return value.tolist()


def _arrays(value: Any) -> Any:
    import numpy as np

    return np.array(value)


def _compiled(computation: Computation) -> Any:
    """C, compiled for double precision."""
    from bpderive.verify.layered.compiled import load

    parameters = (one for one in computation.given if one.role == "parameter")
    shapes = {one.label: tuple(map(int, one.sizes)) for one in parameters}
    source, header = files(computation, "c", "proof").values()
    return load(source, header, shapes)


RUNNERS: Mapping[str, Callable[[Computation], Any]] = {
    "numpy": lambda computation: module(generate(computation, "numpy"), "proof"),
    "python": lambda computation: Lists(module(generate(computation, "python"), "proof")),
    "c": _compiled,
}
"""By target, its code with the functions `forward`, `loss` and `loss_and_grad`.

They take and give NumPy arrays: parameters by name, then what is given, the target last.
"""


def check(subject: StackSubject) -> Iterator[Check | Skip]:
    """Every target's code; a target that has no row in `RUNNERS` raises."""
    for target in LAYERED:
        if subject.point is None:
            yield Skip("code", target, "no_point")
            continue
        try:
            model = StackDerivation(batched(subject.small), subject.derivation._sweeps)  # noqa: SLF001
            yield from _checked(subject, target, schedule.build(model))
        except UnsupportedError as error:
            yield Skip("code", target, str(error))
        except (*ERRORS, RecursionError, SyntaxError) as error:
            yield Check("code", "all", target, 0, 0, WANTED, f"{type(error).__name__}: {error}")


def batched(stack: Stack) -> Stack:
    """The small stack for any number of samples, as its code is written."""
    places = tuple(
        replace(
            place,
            names={**place.names, **({"N": SAMPLES} if "N" in place.names else {})},
            output=_any(place.output),
        )
        for place in stack.places
    )
    return replace(stack, input=_any(stack.input), target=_any(stack.target), places=places)


def _any(tensor: Tensor) -> Tensor:
    """A tensor whose axis of samples has any size."""
    axes = (replace(axis, size=SAMPLES) if axis.name == "n" else axis for axis in tensor.axes)
    return replace(tensor, axes=tuple(axes))


def _checked(subject: StackSubject, target: str, computation: Computation) -> Iterator[Check]:
    oracle, point = subject.oracle, subject.point or {}
    params = {k: _array(subject.seen(k, point[k])) for k in oracle.parameters()}
    every = sorted(computation.given, key=lambda one: one.role == "target")
    given = [_given(subject, one.label) for one in every if one.role != "parameter"]
    code = RUNNERS[target](computation)
    outputs = code.forward(params, *given[:-1])
    loss, gradients = code.loss_and_grad(params, *given)
    expected = [(MP.mpf(float(v)), point["L"][()]) for v in (loss, code.loss(params, *given))]
    yield Check("code", "L", target, len(expected), digits(expected), WANTED)
    last = "p" if oracle.stage else oracle.output[0]
    expected_outputs = subject.seen(oracle.output[0], point[last])
    shaped = outputs.reshape(max(expected_outputs, default=()))
    yield _compared(shaped, expected_outputs, last, target, 0)
    count = oracle.shape[0] if oracle.mean and oracle.samples else 1
    for name in oracle.parameters():
        slopes = {at: value / count for at, value in subject.expected[name].items()}
        scale = subject.rough(name) / count
        yield _compared(gradients[name], slopes, f"d{name}", target, scale)


def _compared(found: Any, expected: Values, name: str, target: str, scale: Any) -> Check:
    pairs = [(MP.mpf(float(found[tuple(k - 1 for k in at)])), v) for at, v in expected.items()]
    return Check("code", name, target, len(pairs), digits(pairs, scale), WANTED)


def _given(subject: StackSubject, name: str) -> Any:
    """What a function of the code takes; its tokens count from 0."""
    point = subject.point or {}
    found = _array(subject.seen(name, point[name]))
    return found.astype(int) - 1 if name in subject.oracle.tokens else found


def _array(tensor: Values) -> Any:
    """A tensor as an array.

    Raises:
        UnsupportedError: NumPy is not installed.
    """
    try:
        import numpy as np
    except ModuleNotFoundError as error:
        raise UnsupportedError("running the code needs NumPy: pip install numpy") from error
    values = [float(tensor[at]) for at in sorted(tensor)]
    return np.array(values).reshape(max(tensor))
