"""Which networks a grid is made of.

In: a `Grid`. Out: its `Cell`s, and the spec and the scheme of each; or a `SpecError` that names all
that is wrong. Must not know: random numbers, files.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise, product

from bpderive.catalog import Catalog
from bpderive.errors import Problem, SpecError, quoted, suggest
from bpderive.flow.schemes import Scheme
from bpderive.flow.schemes import scheme as scheme_of
from bpderive.grammar.widths import LayerSpec
from bpderive.spec import Spec, parse_spec
from bpderive.sweep.model import Cell, Grid

MOST = {"networks": 1_000_000, "inputs": 100_000, "depths": 10_000, "widths": 100_000}
"""No number of a grid is larger."""
ROWS = 5_000_000
"""No sweep measures more layers than this, over all networks."""
PARAMETERS = 50_000_000
"""No network has more."""


def base(grid: Grid, catalog: Catalog) -> Spec:
    """The spec that the grid begins with.

    Raises:
        SpecError: its layers are wrong.
    """
    if isinstance(grid.layers, Spec):
        return grid.layers
    return parse_spec(grid.layers, catalog.names)


def cells(grid: Grid, catalog: Catalog) -> tuple[Cell, ...]:
    """Every cell once, in the grid's order.

    Raises:
        SpecError: with every problem.
    """
    spec = base(grid, catalog)
    problems = [*counts(networks=grid.networks, inputs=grid.inputs, seed=grid.seed)]
    problems += [*_sizes(grid, spec), *_names(grid, catalog)]
    if problems:
        raise SpecError(problems)
    axes = (
        grid.depths or (_depth(spec),),
        grid.widths or (_width(spec),),
        grid.activations or (_activation(spec),),
        grid.schemes,
        ("", *grid.remedies),
    )
    every = (Cell(*row) for row in product(*axes))
    found = tuple(dict.fromkeys(cell for cell in every if specified(grid, spec, cell)))
    _check_size(grid, spec, found)
    return found


def counts(**given: object) -> Iterator[Problem]:
    """What is wrong with numbers of networks and inputs, and with a seed."""
    for name, value in given.items():
        least, most = (0, 2**63) if name == "seed" else (1, MOST[name])
        if not _whole(value, least, most):
            what = "seed" if name == "seed" else f"number of {name}"
            accepted = f"whole numbers from {least} to {most}"
            yield Problem(f"{quoted(value)} is no {what}", f"--{name}", accepted)


def _sizes(grid: Grid, spec: Spec) -> Iterator[Problem]:
    """What is wrong with depths and widths."""
    for name, values in (("depths", grid.depths), ("widths", grid.widths)):
        if values and spec.stacked:
            accepted = "a list of plain widths, such as 2,64*10,1"
            yield Problem(f"{name} are for lists of plain widths alone", f"--{name}", accepted)
        for value in values:
            if not _whole(value, 1, MOST[name]):
                accepted = f"whole numbers from 1 to {MOST[name]}"
                yield Problem(f"{quoted(value)} is none of the {name}", f"--{name}", accepted)
    if grid.depths and not grid.widths and not spec.stacked and not _width(spec):
        yield Problem("the hidden layers of the network have no common width", "--widths", "widths")


def _whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _names(grid: Grid, catalog: Catalog) -> Iterator[Problem]:
    """What is wrong with the names of activations, schemes and remedies."""
    for find, texts in ((catalog.activation, grid.activations), (scheme_of, grid.schemes)):
        for text in dict.fromkeys(texts):
            yield from _wrong(find, text)
    if not grid.schemes:
        yield Problem("there is no scheme", "--init", "at least one")
    if grid.remedies:
        from bpderive.flow.remedies import REMEDIES

        for text in (text for text in dict.fromkeys(grid.remedies) if text not in REMEDIES):
            message = f"unknown remedy {quoted(text)}{suggest(text, REMEDIES)}"
            yield Problem(message, "--remedies", ", ".join(REMEDIES))


def _wrong(find: Callable[[str], object], text: str) -> Iterator[Problem]:
    try:
        find(text)
    except SpecError as error:
        yield from error.problems


def specified(grid: Grid, spec: Spec, cell: Cell) -> tuple[Spec, Scheme] | None:
    """The network of a cell and its scheme; None where the remedy cannot be applied to it."""
    own = spec if spec.stacked else _hidden(grid, spec, cell)
    if grid.activations:
        own = replace(own, activation=cell.activation)
    scheme = scheme_of(cell.scheme)
    if not cell.remedy:
        return own, scheme
    from bpderive.flow.remedies import REMEDIES

    found: tuple[Spec, Scheme] | None = REMEDIES[cell.remedy].applied(own, scheme)
    return found


def _hidden(grid: Grid, spec: Spec, cell: Cell) -> Spec:
    """The spec with as many hidden layers as the cell has, so wide, with the shared activation."""
    first, *hidden, last = spec.layers
    if grid.depths:
        own = hidden[0].activation if hidden else None
        hidden = [LayerSpec(cell.width, own)] * cell.depth
    if grid.widths:
        hidden = [replace(layer, width=cell.width) for layer in hidden]
    if grid.activations:
        hidden = [replace(layer, activation=None) for layer in hidden]
    return replace(spec, layers=(first, *hidden, last))


def _depth(spec: Spec) -> int:
    return 0 if spec.stacked else len(spec.layers) - 2


def _width(spec: Spec) -> int:
    """The common width of the hidden layers; 0 where they have none."""
    widths = {layer.width for layer in spec.layers[1:-1]}
    (width,) = widths if len(widths) == 1 else (0,)
    return width if isinstance(width, int) else 0


def _activation(spec: Spec) -> str:
    """The common activation of the hidden layers; nothing where they have none."""
    own = set() if spec.stacked else {la.activation or spec.activation for la in spec.layers[1:-1]}
    return own.pop() if len(own) == 1 else ""


def _check_size(grid: Grid, spec: Spec, found: tuple[Cell, ...]) -> None:
    """Refuse sweeps that nobody's memory holds.

    Raises:
        SpecError: it is too large.
    """
    rows = sum(max(cell.depth, 1) + 1 for cell in found) * grid.networks
    if rows > ROWS:
        message = f"the sweep has {rows} layers over all networks"
        raise SpecError.single(message, "sweep", f"at most {ROWS}: fewer cells or networks")
    for cell in found:
        found_spec, _ = specified(grid, spec, cell) or (spec, None)
        widths = [layer.width for layer in found_spec.layers if isinstance(layer.width, int)]
        size = sum(n * m for n, m in pairwise(widths))
        if size > PARAMETERS:
            message = f"a network of depth {cell.depth} and width {cell.width} has {size} weights"
            raise SpecError.single(message, "sweep", f"at most {PARAMETERS}")
