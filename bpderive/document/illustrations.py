"""The figures as blocks: each drawing with its caption, and with words for who cannot see it.

In: a `Network`, and what of it shall stand out. Out: `Figure` and `Beside` blocks. Must not know:
letters, words, formats. What draws is imported where it is called: most documents have no figures.
"""

from typing import NamedTuple

from sympy import Expr, Integer, Symbol

from bpderive.document.blocks import Beside, Cell, Equations, Figure, Listed, Paragraph, Row, Words
from bpderive.document.mathematics import Formula, Layer, Math, Matrix, Plain, Route, Shape
from bpderive.document.runs import Run, runs
from bpderive.equations import SAMPLES
from bpderive.forms.arrays import Leaf
from bpderive.forms.scalar import quantity, symbol_of
from bpderive.network import Network
from bpderive.reference import Reference
from bpderive.weights import in_order

LOSS = Formula(Symbol("L"))
I, J = Symbol("_i"), Symbol("_j")


class Told(NamedTuple):
    """A path in words: its number, and what it leads through."""

    number: int
    route: Route


def network_block(network: Network) -> Figure:
    """Fig. 1: the whole network."""
    from bpderive.document.figures.network import is_whole, network_figure

    kind = "network" if is_whole(network) else "network_some"
    slots: dict[str, Cell] = {
        "inputs": Formula(network.inputs),
        "layers": Listed(tuple(_layer(network, run) for run in runs(network))),
        "biases": Words("alternative.biases") if network.spec.bias else Plain(""),
        "loss": LOSS,
    }
    told = Words("alternative.network", slots)
    return Figure("network", network_figure(network), Words(f"figure.{kind}"), told)


def _layer(network: Network, run: Run) -> Words:
    """One layer, or a run of equal ones, in words."""
    layer = network.layer(run.first)
    row = layer.activation
    slots: dict[str, Cell] = {
        "layer": at(run),
        "count": Formula(layer.width),
        "activation": Plain(row.formula if row.given else row.name),
    }
    return Words("alternative.layer_one" if layer.width == 1 else "alternative.layer", slots)


def paths_block(
    network: Network, reference: Reference, count: Cell, routes: tuple[Route, ...]
) -> Figure:
    """Fig. 3: the paths of a parameter; `routes` are all of them, or none where they are many."""
    from bpderive.document.figures.network import paths_figure

    weight = Formula(symbol_of(reference))
    slots: dict[str, Cell] = {"weight": weight, "count": count}
    key = "paths_one" if len(routes) == 1 else "paths"
    told = Words(f"alternative.{key}", {**slots, "paths": Listed(routes)})
    if not routes:
        total = Formula(_sum(network, reference))
        told = Words("alternative.paths_many", {**slots, "sum": total})
    caption = Words("figure.paths", {"weight": weight})
    return Figure("paths", paths_figure(network, reference), caption, told)


def path_block(
    network: Network, reference: Reference, route: tuple[int, ...], chain: Math, told: Told
) -> Beside:
    """Fig. 4: one path, small, beside its chain of factors."""
    from bpderive.document.figures.path import path_figure

    drawing = path_figure(network, reference, route)
    alternative = Words("alternative.path", {"route": told.route})
    label: dict[str, Cell] = {"number": Plain(str(told.number)), "route": told.route}
    blocks = (Paragraph(Words("figure.path", label)), Equations((Row(None, chain),)))
    return Beside(f"path-{told.number}", drawing, alternative, blocks)


def fits_small(network: Network) -> bool:
    """Whether a small picture of the network has room for its letters."""
    from bpderive.document.figures.path import DEEPEST

    return network.depth <= DEEPEST


def shared_block(network: Network, one: Reference, other: Reference) -> Figure:
    """Fig. 6: two weights of one neuron, and what their gradients share."""
    from bpderive.document.figures.network import shared_figure

    names: dict[str, Cell] = {
        "one": Formula(symbol_of(one)),
        "other": Formula(symbol_of(other)),
    }
    slots = {
        **names,
        "sum": Formula(_sum(network, one)),
        "loss": LOSS,
        "first": Formula(_input(network, one)),
        "second": Formula(_input(network, other)),
    }
    drawing = shared_figure(network, one, other)
    return Figure(
        "shared", drawing, Words("figure.shared", names), Words("alternative.shared", slots)
    )


def neighbours(network: Network, chosen: Reference) -> tuple[Reference, Reference] | None:
    """Two weights of the neuron of a parameter, one of them the parameter if it is a weight."""
    from bpderive.document.figures.parts import ends

    if chosen.name not in ("w", "b") or chosen.layer is None:
        return None
    if network.layer(chosen.layer).inputs == 1:
        return None
    neuron, *source = ends(network, chosen)
    first = source[0] if source else 1
    one, other = sorted((first, 2 if first == 1 else 1))
    order = network.spec.weights
    return (
        Reference("w", chosen.layer, in_order(order, neuron, one)),
        Reference("w", chosen.layer, in_order(order, neuron, other)),
    )


def _sum(network: Network, reference: Reference) -> Expr:
    from bpderive.document.figures.parts import ends

    neuron, *_ = ends(network, reference)
    return quantity(f"z{reference.layer}", (neuron,))


def _input(network: Network, reference: Reference) -> Expr:
    from bpderive.document.figures.parts import ends

    _, source = ends(network, reference)
    below = (reference.layer or 1) - 1
    return quantity(f"a{below}" if below else "x", (source,))


def flow_block(network: Network, *, batch: bool) -> Figure:
    """The way forward and the way back, with shapes."""
    from bpderive.document.figures.shapes import flow_figure

    found = runs(network)
    forward = [
        _sized(network, _below(run), batch=batch, size=_inputs(network, run)) for run in found
    ]
    last = Run(network.depth, network.depth)
    forward.append(_sized(network, _label("a", last), batch=batch, size=network.outputs))
    back = [
        _sized(network, _label("delta", run), batch=batch, size=network.layer(run.first).width)
        for run in reversed(found)
    ]
    gradients = [told for run in found for told in _gradients(network, run)]
    slots: dict[str, Cell] = {
        "loss": LOSS,
        "forward": Listed(tuple(forward)),
        "back": Listed(tuple(back)),
        "gradients": Listed(tuple(gradients)),
    }
    kind = "flow_batch" if batch else "flow_sample"
    caption = Words(f"figure.{kind}", {"n": Formula(SAMPLES)} if batch else {})
    name = "flow-batch" if batch else "flow"
    return Figure(
        name, flow_figure(network, batch=batch), caption, Words("alternative.flow", slots)
    )


def _inputs(network: Network, run: Run) -> Expr:
    return network.layer(run.first).inputs


def _label(letter: str, run: Run) -> str:
    return f"{letter}{{l}}" if run.general else f"{letter}{run.first}"


def _below(run: Run) -> str:
    if run.general:
        return "a{l-1}"
    return f"a{run.first - 1}" if run.first > 1 else "x"


def _sized(network: Network, label: str, *, batch: bool, size: Expr) -> Words:
    """A vector, or the matrix of a batch, with its shape."""
    sizes = (SAMPLES, size) if batch else (size,)
    shape = Shape(sizes[::-1] if network.spec.orientation == "columns" else sizes)
    array = Matrix(Leaf((I, J) if batch else (I,), label))
    return Words("alternative.sized", {"quantity": array, "shape": shape})


def _gradients(network: Network, run: Run) -> list[Words]:
    layer = network.layer(run.first)
    sizes: dict[str, tuple[Expr, ...]] = {
        "w": in_order(network.spec.weights, layer.width, layer.inputs)
    }
    if network.spec.bias:
        sizes["b"] = (layer.width,)
    return [
        Words(
            "alternative.sized",
            {
                "quantity": Matrix(Leaf((I, J)[: len(shape)], "d" + _label(letter, run))),
                "shape": Shape(shape),
            },
        )
        for letter, shape in sizes.items()
    ]


def at(run: Run) -> Cell:
    """Which layers a run has."""
    return run.words or Layer(Integer(run.first))
