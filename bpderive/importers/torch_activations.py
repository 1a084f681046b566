"""PyTorch's activations: names of the catalogue, or formulas where their settings are others.

In: the name of a module or function, its settings. Out: a name or a formula in z. To read another
activation, add a row. Must not know: graphs.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from bpderive.importers.graph import require

Settings = Mapping[str, Any]


def _plain(name: str) -> Callable[[Settings], str]:
    return lambda _: name


def _leaky(of: Settings) -> str:
    slope = float(of.get("negative_slope", 0.01))
    return "leaky_relu" if slope == 0.01 else f"where(z > 0, z, {slope!r}*z)"


def _elu(of: Settings) -> str:
    alpha = float(of.get("alpha", 1.0))
    return "elu" if alpha == 1 else f"where(z > 0, z, {alpha!r}*(exp(z) - 1))"


def _softplus(of: Settings) -> str:
    beta = float(of.get("beta", 1.0))
    return "softplus" if beta == 1 else f"log(1 + exp({beta!r}*z))/{beta!r}"


def _gelu(of: Settings) -> str:
    return {"none": "gelu", "tanh": "gelu_tanh"}[of.get("approximate", "none")]


def _hardtanh(of: Settings) -> str:
    low, high = float(of.get("min_val", -1.0)), float(of.get("max_val", 1.0))
    plain = f"where(z < {high!r}, where(z > {low!r}, z, {low!r}), {high!r})"
    return "hardtanh" if (low, high) == (-1, 1) else plain


def _hardsigmoid(_: Settings) -> str:
    return "where(z < 3, where(z > -3, (z + 3)/6, 0), 1)"


def _hardswish(_: Settings) -> str:
    return "where(z < 3, where(z > -3, z*(z + 3)/6, 0), z)"


def _celu(of: Settings) -> str:
    alpha = float(of.get("alpha", 1.0))
    return "elu" if alpha == 1 else f"where(z > 0, z, {alpha!r}*(exp(z/{alpha!r}) - 1))"


FORMULAS: Mapping[str, Callable[[Settings], str]] = MappingProxyType(
    {
        "ReLU": _plain("relu"),
        "ReLU6": lambda _: "where(z < 6, where(z > 0, z, 0), 6)",
        "Tanh": _plain("tanh"),
        "Sigmoid": _plain("sigmoid"),
        "LeakyReLU": _leaky,
        "ELU": _elu,
        "CELU": _celu,
        "SELU": _plain("selu"),
        "Softplus": _softplus,
        "Softsign": _plain("softsign"),
        "SiLU": _plain("silu"),
        "GELU": _gelu,
        "Mish": _plain("mish"),
        "Hardtanh": _hardtanh,
        "Hardsigmoid": _hardsigmoid,
        "Hardswish": _hardswish,
        "LogSigmoid": lambda _: "log(sigmoid(z))",
        "Tanhshrink": lambda _: "z - tanh(z)",
        "Exp": _plain("exp"),
    }
)
"""By the name of the class in torch.nn."""

FUNCTIONS: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "relu": ("ReLU", ()),
        "relu_": ("ReLU", ()),
        "relu6": ("ReLU6", ()),
        "tanh": ("Tanh", ()),
        "tanh_": ("Tanh", ()),
        "sigmoid": ("Sigmoid", ()),
        "sigmoid_": ("Sigmoid", ()),
        "leaky_relu": ("LeakyReLU", ("negative_slope",)),
        "elu": ("ELU", ("alpha",)),
        "celu": ("CELU", ("alpha",)),
        "selu": ("SELU", ()),
        "softplus": ("Softplus", ("beta", "threshold")),
        "softsign": ("Softsign", ()),
        "silu": ("SiLU", ()),
        "gelu": ("GELU", ("approximate",)),
        "mish": ("Mish", ()),
        "hardtanh": ("Hardtanh", ("min_val", "max_val")),
        "hardsigmoid": ("Hardsigmoid", ()),
        "hardswish": ("Hardswish", ()),
        "logsigmoid": ("LogSigmoid", ()),
        "exp": ("Exp", ()),
    }
)
"""By the name of the function or method: the class, and its settings in order."""


def activation(name: str, settings: Settings) -> str:
    """The name, or formula, of an activation.

    Raises:
        Unread: it has settings that no formula here says.
    """
    threshold = settings.get("threshold", 20)
    require(name != "Softplus" or threshold >= 20, f"linear from {threshold} on", "threshold=20")
    return FORMULAS[name](settings)
