"""From a stack to the plain data that its oracle reads: texts, sizes, formulas.

In: a `Stack` whose sizes are numbers. Out: an `Oracle`. No equation of the stack's is looked at, so
that what its reader made of a text is put to the test too. Must not know: gradients.
"""

from fractions import Fraction
from math import prod
from typing import Any

from sympy import Integer

from bpderive.catalog import CATALOG
from bpderive.index import size_symbol
from bpderive.stack.model import Place, Stack
from bpderive.verify.layered.oracle import Layer, Oracle
from bpderive.verify.points import Labels

FORMULAS = {row.name: row.formula for row in CATALOG.activations}


def oracle_of(stack: Stack) -> Oracle:
    """The oracle of a stack whose sizes are numbers: from the texts of its files alone."""
    loss = stack.loss
    stage = FORMULAS[loss.stage] if loss.stage else ""
    places = [place for place in stack.places if not behind(stack, place)]
    shape = tuple(int(a.size) if a.size.is_Integer else 2 for a in stack.input.axes)
    return Oracle(
        layers=tuple(_layer(place) for place in places),
        shape=shape if stack.samples or not _by_samples(places) else (1, *shape),
        loss=loss.formula,
        stage=stage,
        mean_of_outputs=loss.combine == "mean",
        mean=stack.spec.reduction == "mean",
        samples=stack.samples or _by_samples(places),
        formulas=FORMULAS,
        input=stack.input.label,
        target=stack.target.label,
        numbered=not stack.alone,
    )


def behind(stack: Stack, place: Place) -> bool:
    """Whether a place is no layer that was asked for, but the loss's stage, or a copy for it."""
    last = stack.depth - place.number < 2
    return last and (place.row == "copy" or (place.row == stack.loss.stage and last))


def _by_samples(places: list[Place]) -> bool:
    """Whether the files write out an axis of samples, or leave it to `*`."""
    return any("[n" in place.source or "[*" in place.source for place in places)


def _layer(place: Place) -> Layer:
    module = place.module
    known = {size_symbol(k): v for k, v in place.names.items() if isinstance(v, Integer)}
    told = {k for k, size in module.sizes.items() if size.xreplace(known) == known[size_symbol(k)]}
    sizes = {s.name: int(size) for s, size in known.items() if s.name not in {*told, "N"}}
    return Layer(
        text=place.source,
        sources=place.sources,
        sizes=sizes,
        numbers={name: _decimal(value) for name, value in module.numbers.items()},
        activation=place.activation.formula if place.activation is not None else "z",
        bias=place.bias,
        tied=place.tied or 0,
    )


def _decimal(value: Any) -> str:
    """A constant as a text: a decimal where it is one."""
    exact = Fraction(int(value.p), int(value.q))
    for places in range(40):
        if (exact * 10**places).denominator == 1:
            return f"{int(exact * 10**places)}e-{places}"
    return repr(float(exact))


def widths(stack: Stack) -> tuple[int, ...]:
    """The numbers of elements of a sample's input, and of each layer's output."""
    tensors = (stack.input, *(place.output for place in stack.places))
    return tuple(
        prod(int(a.size) for a in tensor.axes if a.name != "n" and a.size.is_Integer)
        for tensor in tensors
    )


def labels_of(stack: Stack) -> Labels:
    """What the stack's loss asks of its outputs and labels."""
    loss = stack.loss
    return Labels(loss.label, loss.domain, tuple(kink.at for kink in loss.kinks))
