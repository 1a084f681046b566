"""The layers that there are, one row each: arguments, what they take, and a line for people.

In: nothing. Out: `LAYERS`, a table; `modules.rows` knows which file of equations each row means.
To add a layer, add a row here and there, and its file of equations. Must not know SymPy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Literal

from bpderive.grammar.model import Shapes

Kind = Literal["size", "count", "whole", "window", "decimal", "truth"]
"""`size`: a number or a symbol; `count`: from 1; `whole`: from 0; `window`: `3`, or `3x5`."""


@dataclass(frozen=True)
class Argument:
    """One argument; without a default it must be given."""

    name: str
    kind: Kind
    default: str | None = None

    @property
    def text(self) -> str:
        """`out`, or `stride=1`."""
        return self.name if self.default is None else f"{self.name}={self.default}"


@dataclass(frozen=True)
class Layer:
    """One row.

    `takes` are the shapes that it can follow, and `gives` the shape that comes out (None: the same,
    or what a file says); `biased`, that it can have biases; `activates`, that `:relu` may follow,
    and then `activation` is its own default; `learns`, that it has parameters besides; `block`,
    that it holds other items.
    """

    name: str
    told: str
    arguments: tuple[Argument, ...] = ()
    takes: tuple[Shapes, ...] = ()
    gives: Shapes | None = None
    biased: bool = False
    activates: bool = False
    activation: str = "linear"
    learns: bool = False
    block: bool = False

    @cached_property
    def by_name(self) -> Mapping[str, Argument]:
        """Each argument by its name."""
        return {argument.name: argument for argument in self.arguments}

    @cached_property
    def required(self) -> frozenset[str]:
        """The arguments that must be given."""
        return frozenset(one.name for one in self.arguments if one.default is None)

    @property
    def options(self) -> tuple[str, ...]:
        """What may be given by name besides the arguments."""
        ties = (self.biased or self.learns) and not self.block
        return ("bias",) * self.biased + ("activation",) * self.activates + ("tie",) * ties

    @property
    def signature(self) -> str:
        """`conv(out,kernel,stride=1,…)`."""
        told = ["items…"] * (self.name == "residual") + [one.text for one in self.arguments]
        return self.name + (f"({','.join(told)})" if told else "")


_ALL: tuple[Shapes, ...] = ("vector", "signal", "image", "sequence")
_PLACES: tuple[Shapes, ...] = ("signal", "image")
_FEATURES: tuple[Shapes, ...] = ("vector", "sequence")
_STEPS: tuple[Shapes, ...] = ("sequence",)
_TOKENS: tuple[Shapes, ...] = ("tokens",)
_EPS = Argument("eps", "decimal", "1e-5")
_RECURRENT = (Argument("units", "size"), Argument("truncate", "count", "none"))
_WORDS = (Argument("vocab", "size"), Argument("dim", "size"))
_WINDOW = (Argument("kernel", "window"), Argument("stride", "count", "kernel"))
_HEADS = Argument("heads", "count", "1")
_CAUSAL = Argument("causal", "truth", "false")
_CONV = (
    Argument("out", "size"),
    Argument("kernel", "window"),
    Argument("stride", "count", "1"),
    Argument("padding", "whole", "0"),
    Argument("dilation", "count", "1"),
    Argument("groups", "count", "1"),
)

_ROWS = (
    Layer(
        "dense",
        "a weighted sum for each neuron; a plain width is the same",
        (Argument("width", "size"),),
        _FEATURES,
        biased=True,
        activates=True,
    ),
    Layer(
        "conv",
        "convolution along one axis or of images",
        _CONV,
        _PLACES,
        biased=True,
        activates=True,
    ),
    Layer("maxpool", "the largest value in each window", _WINDOW, _PLACES),
    Layer("avgpool", "the mean of each window", _WINDOW, _PLACES),
    Layer("globalpool", "the mean over all positions", (), _PLACES, "vector"),
    Layer("globalmaxpool", "the largest value over all positions", (), _PLACES, "vector"),
    Layer("flatten", "all axes of a sample as one", (), (*_PLACES, "sequence"), "vector"),
    Layer("embedding", "a vector for each token", _WORDS, _TOKENS, "sequence", learns=True),
    Layer(
        "embeddingbag",
        "the mean of the vectors of all tokens",
        _WORDS,
        _TOKENS,
        "vector",
        learns=True,
    ),
    Layer(
        "batchnorm",
        "normalised over the batch; inference: with statistics that are given",
        (_EPS, Argument("inference", "truth", "false")),
        ("vector", *_PLACES),
        learns=True,
    ),
    Layer(
        "layernorm", "normalised over the features of each sample", (_EPS,), _FEATURES, learns=True
    ),
    Layer("rmsnorm", "divided by the root of the mean square", (_EPS,), _FEATURES, learns=True),
    Layer("dropout", "with a mask that is given", (Argument("rate", "decimal", "0.5"),), _ALL),
    Layer(
        "rnn",
        "a recurrent layer; truncate: its gradient stops at every so many steps",
        _RECURRENT,
        _STEPS,
        biased=True,
        activates=True,
        activation="tanh",
    ),
    Layer("lstm", "long short-term memory; truncate: as for rnn", _RECURRENT, _STEPS, biased=True),
    Layer("gru", "gated recurrent unit; truncate: as for rnn", _RECURRENT, _STEPS, biased=True),
    Layer("last", "the last step of a sequence", (), _STEPS, "vector"),
    Layer(
        "attention",
        "of a sequence to itself; project=false: without weights",
        (_HEADS, _CAUSAL, Argument("project", "truth", "true")),
        _STEPS,
        biased=True,
    ),
    Layer(
        "transformer",
        "a block: attention, then two dense layers, each normalised first and added to its input",
        (_HEADS, Argument("hidden", "size", "4*width"), _CAUSAL),
        _STEPS,
        biased=True,
        activates=True,
        activation="relu",
        block=True,
    ),
    Layer(
        "bilinear",
        "a weighted sum of the products of all pairs of inputs",
        (Argument("out", "size"),),
        ("vector",),
        biased=True,
        activates=True,
    ),
    Layer(
        "residual",
        "layers whose output is added to their input; project: to a linear map of it",
        (Argument("project", "truth", "false"),),
        _ALL,
        activates=True,
        block=True,
    ),
    Layer(
        "activation",
        "an activation alone: its name is enough, such as tanh or softmax",
        (),
        _ALL,
        activates=True,
    ),
    Layer(
        "equations",
        "a file of equations: its path, such as squeeze.eq or squeeze.eq(H=4)",
        (Argument("file", "size"),),
        (*_ALL, "tokens"),
        activates=True,
        biased=True,
    ),
    Layer("group", "items in square brackets, to be repeated: [conv(4,3),relu]*2", block=True),
)

LAYERS: Mapping[str, Layer] = MappingProxyType({row.name: row for row in _ROWS})
"""Every layer by its name."""

INTERNAL = ("equations", "group")
"""Rows that are not written by their name."""
SPOKEN = tuple(name for name in LAYERS if name not in INTERNAL)
"""The names that a list may hold."""

ADD = Layer("add", "the sum of two layers' outputs", (), _ALL)
"""What a residual block ends with; no item has this name."""

CALLED: Mapping[str, str] = MappingProxyType(
    {
        "linear": "dense",
        "fc": "dense",
        "mha": "attention",
        "multiheadattention": "attention",
        "globalavgpool": "globalpool",
        "bn": "batchnorm",
        "block": "residual",
        "skip": "residual",
    }
)
"""What other libraries call them, for suggestions."""

NEURONS = ("dense", "conv", "rnn", "bilinear")
"""What takes the options `--activation` and `--output-activation` where it names no activation."""
