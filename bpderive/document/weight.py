"""Section 4: one weight in full, path by path."""

from collections.abc import Iterator, Sequence
from math import log10

from sympy import Expr, Integer, Symbol

from bpderive.derive import Derivation
from bpderive.document.blocks import (
    Block,
    Cell,
    Equations,
    Items,
    Listed,
    Paragraph,
    Row,
    Section,
    Table,
    Words,
)
from bpderive.document.mathematics import (
    Coloured,
    Formula,
    Math,
    Near,
    Ordered,
    OrderedSum,
    Plain,
    Route,
)
from bpderive.document.request import Request
from bpderive.errors import UnsupportedError
from bpderive.forms.chosen import chosen
from bpderive.forms.paths import Factor, path_factors
from bpderive.forms.routes import route_count, routes, stops
from bpderive.forms.scalar import delta_form, symbol_of
from bpderive.functions import select
from bpderive.index import Partial, parse_label
from bpderive.network import Network
from bpderive.reference import Reference

SHOWN = 8
"""At most this many paths are printed."""

WRITTEN = 10**15
"""Counts from here on are told by their power of ten."""

FACTORS = 120
"""At most this many factors, over all paths."""

SHORT = 6
"""A slope's formula with more operations is left to section 3."""

Paths = tuple[tuple[Factor, ...], ...]


def one_weight(derivation: Derivation, request: Request) -> Section:
    """The chain of one weight, its factors with their reasons, and the result."""
    network, reference = derivation.network, chosen(derivation, request.weight)
    count = route_count(network, reference)
    length = 2 * (network.depth - (reference.layer or 0)) + 3
    if not count.is_Integer or count > SHOWN or count * length > FACTORS:
        blocks = _elided(derivation, reference, count, figures=request.figures)
        return Section("weight", tuple(blocks))
    found = tuple(routes(network, reference))
    try:
        paths = tuple(path_factors(derivation, reference, route) for route in found)
    except UnsupportedError:  # the error at an output that mixes symbolically many neurons
        return Section("weight", tuple(_summed(derivation, reference)))
    full = _full(derivation, reference, found, paths, figures=request.figures)
    return Section("weight", tuple(full))


def _partial(reference: Reference) -> Expr:
    return Partial(Symbol("L"), symbol_of(reference))


def _elided(
    derivation: Derivation, reference: Reference, count: Expr, *, figures: bool
) -> Iterator[Block]:
    """Too many paths to print: the count, the recurrence's product, one path as a sample."""
    slots = {"weight": Formula(symbol_of(reference)), "count": exact(count)}
    yield Paragraph(Words("weight.elided", slots))
    if figures and reference.layer is not None:
        from bpderive.document.illustrations import paths_block

        yield paths_block(derivation.network, reference, exact(count), ())
    yield _short(derivation, reference)


def _listed_routes(routes: tuple[Route, ...]) -> Items:
    return Items(tuple(Words("weight.route", {"route": route}) for route in routes))


def _drawn(
    network: Network,
    reference: Reference,
    found: Sequence[tuple[int, ...]],
    routes: tuple[Route, ...],
    chains: tuple[Ordered, ...],
) -> Iterator[Block]:
    """The paths in one figure, and each beside its chain where a small picture has room."""
    from bpderive.document.illustrations import Told, fits_small, path_block, paths_block

    yield paths_block(network, reference, Formula(Integer(len(routes))), routes)
    if not fits_small(network):
        yield _listed_routes(routes)
        return
    for number, (path, route, chain) in enumerate(zip(found, routes, chains, strict=True), 1):
        yield path_block(network, reference, path, Coloured(chain), Told(number, route))


def _summed(derivation: Derivation, reference: Reference) -> Iterator[Block]:
    """A sum over a symbolic number of outputs stands in every path: the delta has it."""
    yield Paragraph(Words("weight.summed", {"weight": Formula(symbol_of(reference))}))
    yield _short(derivation, reference)


def exact(number: Expr | int) -> Cell:
    """An exact count, or a formula; a very long count as the power of ten that it is near."""
    if isinstance(number, Expr) and not number.is_Integer:
        return Formula(number.expand())
    value = int(number)
    return Plain(str(value)) if value < WRITTEN else Near(round(log10(value)))


def _short(derivation: Derivation, reference: Reference) -> Equations:
    product = Formula(delta_form(derivation, reference))
    return Equations((Row(Formula(_partial(reference)), product),))


def _full(
    derivation: Derivation,
    reference: Reference,
    found: tuple[tuple[int, ...], ...],
    paths: Paths,
    *,
    figures: bool,
) -> Iterator[Block]:
    network, weight = derivation.network, Formula(symbol_of(reference))
    one = len(paths) == 1
    slots = {"weight": weight, "count": Formula(Integer(len(paths)))}
    yield Paragraph(Words("weight.intro_one" if one else "weight.intro", slots))
    shown_routes = tuple(_route(network, reference, route) for route in found)
    chains = tuple(map(_chain, paths))
    drawn = figures and reference.layer is not None
    if drawn:
        yield from _drawn(network, reference, found, shown_routes, chains)
    else:
        yield _listed_routes(shown_routes)
    if _ties(network):
        yield Paragraph(Words("weight.mixed"))
    yield Paragraph(Words("weight.chain_one" if one else "weight.chain"))
    yield _equation(reference, OrderedSum(chains), coloured=drawn)
    yield Paragraph(Words("weight.factors"))
    yield _factors(network, paths, coloured=drawn)
    yield Paragraph(Words("weight.parts"))
    yield Items(tuple(_parts(network, paths)))
    yield Paragraph(Words("weight.result"))
    yield _equation(reference, OrderedSum(tuple(map(shown, paths))), coloured=drawn)
    yield Paragraph(Words("weight.short"))
    yield _short(derivation, reference)


def _chain(path: tuple[Factor, ...]) -> Ordered:
    """A path as a product of derivatives."""
    return Ordered(tuple(Partial(f.numerator, f.denominator) for f in path))


def _equation(reference: Reference, rhs: Math, *, coloured: bool) -> Equations:
    """The derivative of the loss, in the figures' colours where there are figures."""
    lhs: Math = Formula(_partial(reference))
    return Equations((Row(_tinted(lhs, coloured), _tinted(rhs, coloured)),))


def shown(path: tuple[Factor, ...]) -> Ordered:
    """The product of a path: slopes by name, a long error as the derivative that it is."""
    return Ordered(tuple(_shown(factor) for factor in path if factor.value != 1) or (Integer(1),))


def _shown(factor: Factor) -> Expr:
    if factor.slope is not None:
        return factor.slope
    return _named(factor) if _is_long(factor) else factor.value


def _is_long(factor: Factor) -> bool:
    return bool(factor.value.has(select) or factor.value.count_ops() > SHORT)


def _named(factor: Factor) -> Expr:
    """A long factor by its name: the delta of a weighted sum, else the derivative as such."""
    name, _ = _place(factor.denominator)
    if factor.numerator.name == "L" and name == "z":
        return Symbol("delta" + factor.denominator.name[1:])
    return Partial(factor.numerator, factor.denominator)


def _route(network: Network, reference: Reference, route: tuple[int, ...]) -> Route:
    visited = [symbol_of(stop) for stop in stops(network, reference, route)]
    top = () if _ties(network) else (Symbol(f"a{network.depth}[{route[-1]}]"),)
    return Route((symbol_of(reference), *visited, *top, Symbol("L")))


def _ties(network: Network) -> bool:
    """Whether the output activation takes in all outputs."""
    return not network.layers[-1].activation.elementwise


def _factors(network: Network, paths: Paths, *, coloured: bool) -> Table:
    """Each factor once, in the order of the paths, with its value and its reason."""
    unique = dict.fromkeys(factor for path in paths for factor in path)
    ordered = sorted(unique, key=lambda f: -_level(network, f))
    rows = tuple(
        (
            _tinted(Formula(Partial(factor.numerator, factor.denominator)), coloured),
            _value(factor, coloured=coloured),
            Words(f"weight.reason_{_role(factor)}"),
        )
        for factor in ordered
    )
    return Table(("factor", "value", "reason"), rows)


def _tinted(math: Math, coloured: bool) -> Math:
    return Coloured(math) if coloured else math


def _value(factor: Factor, *, coloured: bool) -> Cell:
    if factor.slope is None:
        tall = factor.value.count_ops() > SHORT
        return _tinted(Formula(_named(factor) if tall else factor.value), coloured)
    if factor.value.count_ops() > SHORT:
        return _tinted(Formula(factor.slope), coloured)
    slots = {
        "slope": _tinted(Formula(factor.slope), coloured),
        "value": _tinted(Formula(factor.value), coloured),
    }
    return Words("weight.equal", slots)


def _place(symbol: Symbol) -> tuple[str, int]:
    name, layer = parse_label(symbol.name.partition("[")[0])
    return name, layer if isinstance(layer, int) else 0


def _level(network: Network, factor: Factor) -> int:
    """How far from the input a factor stands."""
    if factor.numerator.name == "L":
        return 2 * network.depth + 2
    name, layer = _place(factor.numerator)
    return 2 * layer + (name == "a")


def _role(factor: Factor) -> str:
    """What a factor is, by what it differentiates: the id of its reason."""
    lower, upper = _place(factor.denominator)[0], factor.numerator.name[0]
    if upper == "L":
        return "loss" if lower in "ap" else "error"
    if lower == "w":
        return "input"
    if lower == "b":
        return "bias"
    if lower == "a":
        return "weight"
    if factor.value == 1:
        return "linear"
    return "slope" if factor.slope is not None else "jacobian"


def _parts(network: Network, paths: Paths) -> Iterator[Words]:
    """The three parts of the article, the elements of a Jacobian, and the input."""
    found = dict.fromkeys(factor for path in paths for factor in path)
    by_role: dict[str, list[Expr]] = {}
    for factor in sorted(found, key=lambda f: -_level(network, f)):
        by_role.setdefault(_role(factor), []).append(_shown(factor))
    errors = [*by_role.get("loss", ()), *by_role.get("error", ())]
    yield Words("weight.part_error", {"error": _listed(errors)})
    for role, key in PARTS:
        if role in by_role:
            yield Words(f"weight.{key}", {"list": _listed(by_role[role])})


PARTS = (
    ("weight", "part_sum"),
    ("slope", "part_slopes"),
    ("jacobian", "part_jacobian"),
    ("input", "part_input"),
)
"""The role of a factor, and the sentence of all that have it."""


def _listed(values: list[Expr]) -> Cell:
    return Listed(tuple(Formula(value) for value in values))
