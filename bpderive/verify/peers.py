"""Derivatives by other libraries' automatic differentiation: autograd, JAX and PyTorch.

In: an `Oracle` and samples. Out: the gradient of each sample's loss, in float64. The oracle's plain
loops run on each library's own scalars, so that of a `where` only the branch that holds is
differentiated: in arrays the other one is too, and 0·nan is nan. To add a library, add its row.
Must not know: the engine; an import contract keeps it apart.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace
from typing import Any

from bpderive.errors import UnsupportedError
from bpderive.verify.arithmetic import MP
from bpderive.verify.formulas import NAMES, Domain
from bpderive.verify.oracle import Element, Oracle, Point, Tensor

WANTED = 9
# Of float64's 15 digits, 13 are left over the catalogue, and 12 with a pole in every layer.

Loss = Callable[[Sequence[Any]], Any]
"""The loss of one sample as a function of all parameters, in a row."""


@dataclass(frozen=True)
class Peer:
    """One library: its name, the domain of its scalars, and its gradient of a loss at floats."""

    title: str
    domain: Callable[[], Domain]
    gradient: Callable[[Loss, list[float]], Iterable[Any]]


def gradients(
    name: str, oracle: Oracle, samples: Sequence[Point]
) -> Sequence[Mapping[str, Tensor]]:
    """The gradient of each sample's loss by every parameter.

    Raises:
        UnsupportedError: the library is not installed, or float64 does not hold the derivatives.
    """
    peer = PEERS[name]
    if find_spec(name) is None:
        raise UnsupportedError(f"{peer.title} is not installed: pip install {name}")
    return [_gradient(peer, oracle, sample) for sample in samples]


def _gradient(peer: Peer, oracle: Oracle, sample: Point) -> Mapping[str, Tensor]:
    elements, domain = list(oracle.parameters()), peer.domain()
    ends = {label: {at: float(u) for at, u in sample[label].items()} for label in "xy"}

    def loss(values: Sequence[Any]) -> Any:
        found = oracle.forward(ends | _tensors(elements, values), domain)["L"][()]
        return found + 0 * sum(values)  # where no parameter leads to the loss, it is no constant

    values = [float(sample[label][at]) for label, at in elements]
    slopes = [float(slope) for slope in peer.gradient(loss, values)]
    if not all(map(math.isfinite, slopes)):
        raise UnsupportedError(f"float64 does not hold the derivatives that {peer.title} needs")
    return _tensors(elements, map(MP.mpf, slopes))


def _tensors(elements: Iterable[Element], values: Iterable[Any]) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for (label, indices), value in zip(elements, values, strict=True):
        found.setdefault(label, {})[indices] = value
    return found


def _domain(
    source: ModuleType, erf: Callable[[Any], Any], scalar: Callable[[Any], Any] = lambda u: u
) -> Domain:
    """The functions of a library, which may take its own scalars alone."""

    def own(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda u: function(scalar(u))

    names = [name for name in NAMES if name not in ("erf", "pi", "e")]
    functions = {name: own(getattr(source, name)) for name in names} | {"erf": own(erf)}
    return Domain(float, SimpleNamespace(**functions, pi=math.pi, e=math.e))


# --- autograd ---


@cache
def _autograd() -> Domain:
    import autograd.numpy
    from autograd.extend import defvjp, primitive

    erf = primitive(math.erf)  # autograd's own needs SciPy
    slope = 2 / math.sqrt(math.pi)
    defvjp(erf, lambda _, u: lambda g: g * slope * autograd.numpy.exp(-u * u))
    return _domain(autograd.numpy, erf)


def _autograd_gradient(loss: Loss, values: list[float]) -> Iterable[Any]:
    import autograd
    import numpy as np

    with np.errstate(all="ignore"):
        return list(autograd.grad(loss)(values))


# --- JAX ---


@cache
def _jax() -> Domain:
    import jax

    return _domain(jax.numpy, jax.scipy.special.erf)


def _jax_gradient(loss: Loss, values: list[float]) -> Iterable[Any]:
    import jax

    if not hasattr(jax, "enable_x64"):
        raise UnsupportedError("JAX 0.8 or newer is needed: pip install --upgrade jax")
    with jax.enable_x64(True), jax.default_device(jax.devices("cpu")[0]):
        return [float(slope) for slope in jax.grad(loss)(values)]


# --- PyTorch ---


@cache
def _torch() -> Domain:
    import torch

    return _domain(torch, torch.erf, lambda u: torch.as_tensor(u, dtype=torch.float64))


def _torch_gradient(loss: Loss, values: list[float]) -> Iterable[Any]:
    import torch

    with torch.enable_grad():
        leaves = [
            torch.tensor(value, dtype=torch.float64, device="cpu", requires_grad=True)
            for value in values
        ]
        return list(torch.autograd.grad(loss(leaves), leaves))


PEERS: Mapping[str, Peer] = {
    "autograd": Peer("autograd", _autograd, _autograd_gradient),
    "jax": Peer("JAX", _jax, _jax_gradient),
    "torch": Peer("PyTorch", _torch, _torch_gradient),
}
"""The libraries, by the names under which they are installed and imported."""
