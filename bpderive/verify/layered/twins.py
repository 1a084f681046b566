"""A small twin of a network: the same kinds of layers at small sizes.

In: a `Stack`. Out: the same with numbers for all sizes, few enough for every element of every
gradient to be compared. What was derived belongs to a kind of layer at any size, so a twin tries
all of it. Must not know: how anything is compared.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import prod
from random import Random

from sympy import Expr, Integer, S

from bpderive.errors import UnsupportedError
from bpderive.index import Axis, Tensor, size_symbol
from bpderive.modules.model import Module
from bpderive.stack.model import Place, Stack
from bpderive.verify.layered.sizing import constant

KEPT = 3
"""Sizes up to this stay as they are."""
LEVELS = ((2, 3), (2, 3, 4), (2, 3, 4, 5, 6), (3, 4, 5, 6, 7, 8, 9), tuple(range(4, 17)))
"""Small sizes, and larger ones where windows need room or heads a divisor."""
TRIES = 150
RARE = 0.3
"""The part of sizes that are drawn from a larger level."""
Sizes = Mapping[str, Expr]
Smaller = Mapping[Expr, Expr]


class Unfit(Exception):  # noqa: N818 - no error of anyone's: the next sizes are tried
    """Some sizes do not fit a layer."""


def twin(stack: Stack, seed: int) -> Stack:
    """The stack with small sizes; equal sizes stay equal.

    Raises:
        UnsupportedError: no small sizes were found that fit.
    """
    random, best = Random(seed), list[Stack]()
    for level in LEVELS:
        found = list(_tried(stack, level, random))
        best += [min(found, key=_cost)] if found else []
        if best and (len(best) > 1 or not _dull(best[0])):
            return min(best, key=_cost)
    if best:
        return best[0]
    raise UnsupportedError("no small sizes were found at which this network can be compared")


def _tried(stack: Stack, level: tuple[int, ...], random: Random) -> Iterator[Stack]:
    every = sorted({size for place in stack.places for size in _sizes(place).values()}, key=str)
    every += [a.size for a in stack.input.axes if a.size not in every]
    for _ in range(TRIES):
        smaller = {
            size: size if size.is_Integer and size <= KEPT else _drawn(level, random)
            for size in every
        }
        try:
            yield sized(stack, smaller)
        except Unfit:
            continue


def _drawn(level: tuple[int, ...], random: Random) -> Expr:
    return Integer(random.choice(level if random.random() < RARE else LEVELS[0]))


def _cost(stack: Stack) -> float:
    """Few elements, tensors whose sizes are not alike (a transpose may hide), varied conditions."""
    shapes = [
        [_axis(axis, place.names) for axis in tensor.axes]
        for place in stack.places
        for tensor in place.module.tensors
        if tensor.axes and tensor.role != "defined"
    ]
    unlike = sum(len(set(shape)) / len(shape) for shape in shapes) / max(len(shapes), 1)
    return float(sum(map(prod, shapes)) / max(unlike, 0.1) ** 3 * 4 ** _dull(stack))


def _dull(stack: Stack) -> int:
    """How many conditions hold everywhere, or nowhere: what they keep apart would not show."""
    sizes = ((p, {k: int(v) for k, v in _sizes(p).items()}) for p in stack.places)
    return sum(constant(place.module.equations, found) for place, found in sizes)


def _axis(axis: Axis, names: Mapping[str, Expr | str]) -> int:
    table = {s: S(names[s.name]) for s in axis.size.free_symbols}
    return int(axis.size.xreplace(table))


def _sizes(place: Place) -> dict[str, Expr]:
    """The sizes of a place by their letters."""
    return {k: v for k, v in place.names.items() if isinstance(v, Expr)}


def sized(stack: Stack, smaller: Smaller) -> Stack:
    """The stack with these sizes instead.

    Raises:
        Unfit: they do not fit.
    """
    ends = [_tensor(stack.input, [smaller[a.size] for a in stack.input.axes])]
    places: list[Place] = []
    for place in stack.places:
        sizes = _bound(place, [ends[source] for source in place.sources], smaller)
        output = place.module.by_name[place.module.output]
        axes = [_value(axis.size, sizes) for axis in output.axes]
        small = replace(place, names={**place.names, **sizes}, output=_tensor(place.output, axes))
        places.append(small)
        ends.append(small.output)
    target = _tensor(stack.target, [a.size for a in places[-1].output.axes])
    return replace(stack, input=ends[0], places=tuple(places), target=target)


def _tensor(tensor: Tensor, sizes: list[Expr]) -> Tensor:
    pairs = zip(tensor.axes, sizes, strict=True)
    return replace(tensor, axes=tuple(Axis(axis.name, size) for axis, size in pairs))


def _bound(place: Place, inputs: list[Tensor], smaller: Smaller) -> dict[str, Expr]:
    """The sizes of a place: those that come in, those that follow, and smaller ones."""
    module, before = place.module, _sizes(place)
    found: dict[str, Expr] = {}
    follows = {
        k: e for k, e in module.sizes.items() if k in before and _value(e, before) == before[k]
    }
    entries = module.of_role("input") or module.of_role("data")[:1]
    asked = [k for k in before if k not in follows]
    told = _letters(module, [axis for entry in entries for axis in entry.axes])
    found |= {k: smaller[before[k]] for k in asked if k not in told}
    for entry, tensor in zip(entries, inputs, strict=True):
        for axis, given in zip(entry.axes, tensor.axes, strict=True):
            _tell(found, _names(module, axis), given.size, before, smaller)
    for name in asked:
        found.setdefault(name, smaller[before[name]])
    whole = _followed(found, follows)
    if any(whole.get(str(s), 1) < 1 for size in module.ranges.values() for s in size.free_symbols):
        raise Unfit
    return whole


def _tell(
    found: dict[str, Expr], names: list[str], size: Expr, before: Sizes, smaller: Smaller
) -> None:
    """The sizes of an axis that comes in; of several in one, the last but one unknown is chosen."""
    unknown = [name for name in names if name not in found]
    for name in unknown[:-1]:
        found[name] = smaller[before[name]]
    rest = prod((found[name] for name in names if name in found), start=Integer(1))
    quotient = size / rest
    if not quotient.is_Integer or (not unknown and quotient != 1):
        raise Unfit
    if unknown:
        found[unknown[-1]] = quotient


def _letters(module: Module, axes: list[Axis]) -> set[str]:
    return {name for axis in axes if "," not in axis.name for name in _names(module, axis)}


def _names(module: Module, axis: Axis) -> list[str]:
    """The sizes of an axis by their letters."""
    return [str(module.range_of(letter)) for letter in axis.name.split(",")]


def _followed(found: dict[str, Expr], follows: Mapping[str, Expr]) -> dict[str, Expr]:
    left = dict(follows)
    while left:
        ready = {k: _value(e, found) for k, e in left.items()}
        ready = {k: e for k, e in ready.items() if e.is_number}
        if not ready or any(not e.is_Integer or e < 0 for e in ready.values()):
            raise Unfit
        for name, size in ready.items():
            if found.setdefault(name, size) != size:
                raise Unfit
        left = {k: e for k, e in left.items() if k not in ready}
    return found


def _value(expr: Expr, sizes: Sizes) -> Expr:
    return S(expr.xreplace({size_symbol(k): v for k, v in sizes.items()}))
