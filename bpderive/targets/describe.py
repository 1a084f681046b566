"""What the docstrings of generated code say of a network.

In: a `Program`. Out: text in lines of 88 columns. Must not know: the module's code.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from textwrap import fill

from sympy import Abs, Expr

from bpderive.catalog import CATALOG, Activation, Kink, Loss
from bpderive.errors import UnsupportedError
from bpderive.formula import parse
from bpderive.functions import select
from bpderive.network import Network
from bpderive.program import Program
from bpderive.targets.layout import WIDTH

LABELS = {
    "real": "",
    "binary": ", each 0 or 1",
    "sign": ", each -1 or 1",
    "distribution": ", the sum of each row being 1",
    "count": ", each a count",
}
DOMAINS = {"unit": ("unit",), "positive": ("unit", "positive")}


def need_numbers(program: Program) -> None:
    """For targets whose code has the sizes in it.

    Raises:
        UnsupportedError: sizes that are no numbers.
    """
    if program.network.symbolic:
        names = ", ".join(sorted(program.network.size_names))
        raise UnsupportedError(
            f"this target needs the sizes as numbers, and here are {names}: "
            "take the target numpy or array-api, or give the sizes"
        )


def title(program: Program) -> str:
    """The first line: the sizes, or how many layers there are."""
    sizes = ", ".join(_sizes(map(str, program.widths)))
    line = f"A dense network of sizes {sizes}, and the gradient of its loss."
    if len(line) + 3 <= WIDTH:
        return line
    return f"A dense network of {program.network.depth} layers, and the gradient of its loss."


def _sizes(widths: Iterable[str]) -> Iterator[str]:
    for width, run in groupby(widths):
        count = len(list(run))
        yield f"{width} ({count} times)" if count > 4 else ", ".join([width] * count)


def about(program: Program) -> str:
    """The activations, the loss, and the conventions at kinks."""
    network = program.network
    reduction = "mean" if program.mean else "sum"
    sentences = [
        f"Activations: {', '.join(_activations(program))}.",
        f"Loss: {_name(network.loss)}, its {reduction} over the N samples.",
        *_kinks(program),
        *_order(network),
        "A number in a comment is that of the equation in the derivation; dW1 is the gradient "
        "with respect to W1.",
    ]
    return fill(" ".join(sentences), WIDTH)


def _order(network: Network) -> Iterator[str]:
    """Which index of a weight comes first, where it is not the neuron's."""
    if network.spec.weights == "input_first":
        yield "W1 has a row for each input of layer 1 and a column for each neuron."


def _activations(program: Program) -> Iterator[str]:
    """Each activation with its layers."""
    layers = program.network.layers
    told: set[str] = set()
    for row, run in groupby(layers, key=lambda layer: layer.activation):
        first, *rest = [layer.index for layer in run]
        where = f"layers {first} to {rest[-1]}" if rest else f"layer {first}"
        yield f"{row.name if row.name in told else _name(row)} ({where})"
        told.add(row.name)


def _name(row: Activation | Loss) -> str:
    """The name, with the formula of one that is not in the catalogue."""
    known = row in CATALOG.activations or row in CATALOG.losses
    variable = "z" if isinstance(row, Activation) else f"{row.argument}, y"
    return row.name if known else f"{row.name}({variable}) = {row.formula}"


def _kinks(program: Program) -> Iterator[str]:
    """The slope that is taken where there are two."""
    rows: list[Activation | Loss] = [*program.network.activations.values(), program.network.loss]
    told = [_kink(row, kink) for row in rows for kink in row.kinks]
    if told:
        yield f"At its kinks: {', '.join(told)}."
    if any(row.given and row.definition.has(select, Abs) for row in rows):
        yield (
            "At a kink of a formula, the slope is that of the case which holds there; "
            "that of an absolute value is 0."
        )


def _kink(row: Activation | Loss, kink: Kink) -> str:
    slope = f"{float(parse(kink.slope, ())):.6g}"
    if isinstance(row, Activation):
        return f"{row.name}'({kink.at}) = {slope}"
    return f"the slope of {row.name} is {slope} at {row.argument} = {kink.at}"


def samples(name: str, meaning: str, size: Expr, more: str = "", indent: int = 8) -> str:
    """`x: the samples, (N, 2), or (2,) for a single one.`, as an item of a docstring's list."""
    text = f"{name}: {meaning}, (N, {size}), or ({size},) for a single sample{more}."
    margin = " " * indent
    return fill(text, WIDTH, initial_indent=margin, subsequent_indent=f"{margin}    ")


def is_partial(program: Program) -> bool:
    """Whether the loss may have no value somewhere: at outputs out of range, or by a formula."""
    network = program.network
    output, loss = network.layers[-1].activation, network.loss
    foreign = any(row not in CATALOG.activations for row in network.activations.values())
    allowed = DOMAINS.get(loss.domain, (output.range,))
    return foreign or loss not in CATALOG.losses or output.range not in allowed
