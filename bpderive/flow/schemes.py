"""How weights are drawn at initialisation: one row for each scheme.

In: a text such as `he` or `scaled(1.5,0.1)`. Out: a `Scheme`: variances and the shape of the
distribution. Must not know: how random numbers are made.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from bpderive.errors import SpecError, quoted, suggest

Shape = Literal["normal", "uniform", "truncated", "orthogonal", "zeros"]
Variance = Callable[[int, int], float]

_TAIL = math.exp(-2) * math.sqrt(2 / math.pi)
TRUNCATED = 1 - 2 * _TAIL / math.erf(math.sqrt(2))
"""The variance of a normal distribution that is cut at two standard deviations."""


@dataclass(frozen=True)
class Scheme:
    """How the weights of a network are drawn; its biases have the variance `bias`.

    `variance` is that of one weight of a layer with so many inputs and outputs. Weights have the
    mean 0. `branch` multiplies the standard deviation of the last layer of a residual branch, and
    `fixup` says that the branch's other layers are scaled as Fixup has it. `source` is where it was
    published.
    """

    name: str
    shape: Shape
    variance: Variance
    bias: float = 0.0
    branch: float = 1.0
    fixup: bool = False
    source: str = ""


def _one(_inputs: int, _outputs: int) -> float:
    return 1.0


def _glorot(inputs: int, outputs: int) -> float:
    return 2 / (inputs + outputs)


def _he(inputs: int, _outputs: int) -> float:
    return 2 / inputs


def _lecun(inputs: int, _outputs: int) -> float:
    return 1 / inputs


GLOROT = "X. Glorot, Y. Bengio, AISTATS 2010, equation 12"
HE = "K. He, X. Zhang, S. Ren, J. Sun, ICCV 2015, equation 10"
_ROWS = (
    Scheme("normal", "normal", _one),
    Scheme("uniform", "uniform", lambda _inputs, _outputs: 1 / 3),
    Scheme("truncated_normal", "truncated", lambda _inputs, _outputs: TRUNCATED),
    Scheme("xavier", "normal", _glorot, source=GLOROT),
    Scheme("xavier_uniform", "uniform", _glorot, source=GLOROT),
    Scheme("he", "normal", _he, source=HE),
    Scheme("he_uniform", "uniform", _he, source=HE),
    Scheme(
        "lecun", "normal", _lecun, source="Y. LeCun et al., Efficient BackProp, 1998, section 4.6"
    ),
    Scheme(
        "orthogonal",
        "orthogonal",
        lambda inputs, outputs: 1 / max(inputs, outputs),
        source="A. M. Saxe, J. L. McClelland, S. Ganguli, ICLR 2014",
    ),
    Scheme(
        "zero_residual",
        "normal",
        _he,
        branch=0.0,
        source="P. Goyal et al., arXiv:1706.02677, section 5.1",
    ),
    Scheme(
        "fixup",
        "normal",
        _he,
        branch=0.0,
        fixup=True,
        source="H. Zhang, Y. N. Dauphin, T. Ma, ICLR 2019",
    ),
    Scheme("zeros", "zeros", lambda _inputs, _outputs: 0.0),
)
SCHEMES: Mapping[str, Scheme] = {row.name: row for row in _ROWS}
XAVIER = "xavier"
"""The scheme where none is named."""
LARGEST = 1e100
SCALED = re.compile(r"scaled\(\s*([0-9.eE+-]+)\s*(?:,\s*([0-9.eE+-]+)\s*)?\)")
"""`scaled(1.5,0.1)`: weights of standard deviation 1.5/√inputs, biases of 0.1."""


def scheme(text: str) -> Scheme:
    """The scheme of a name, or of `scaled(σ_w)` or `scaled(σ_w,σ_b)`.

    Raises:
        SpecError: there is no such scheme, or a number is negative or not finite.
    """
    if text in SCHEMES:
        return SCHEMES[text]
    found = SCALED.fullmatch(text)
    if found is None:
        accepted = f"{', '.join(SCHEMES)}, scaled(SIGMA_W,SIGMA_B)"
        raise SpecError.single(
            f"unknown initialisation {quoted(text)}{suggest(text, SCHEMES)}", "--init", accepted
        )
    weights, biases = (_number(part, text) for part in (found[1], found[2] or "0"))
    return scaled(weights, biases)


def scaled(weights: float, biases: float = 0.0) -> Scheme:
    """Normal weights of standard deviation `weights/√inputs`, normal biases of that of `biases`."""
    name = f"scaled({weights:g})" if biases == 0 else f"scaled({weights:g},{biases:g})"
    row = Scheme(name, "normal", lambda inputs, _outputs: weights**2 / inputs)
    return replace(row, bias=biases**2)


def _number(text: str, whole: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= LARGEST:
        raise SpecError.single(
            f"{quoted(text)} in {quoted(whole)} is no standard deviation",
            "--init",
            f"a number from 0 to {LARGEST:g}",
        )
    return value
