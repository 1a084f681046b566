"""A sweep: all networks of a grid, kept in a file as they are measured.

In: a `Grid`, a path, an engine. Out: `Results`. Numbers depend on the grid's seed, the cell and the
network's index alone, not on who measures, in what order or in how many parts. Must not know: how
anything is printed.
"""

import pickle
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from bpderive.backprop import derive_stack
from bpderive.catalog import CATALOG, Catalog
from bpderive.derive import derive
from bpderive.errors import SpecError, UnsupportedError, quoted
from bpderive.network import build
from bpderive.spec import Spec
from bpderive.sweep.cells import base, cells, specified
from bpderive.sweep.engines import Task, available, each, engine_of
from bpderive.sweep.model import Cell, Grid, Interrupted, Plan, Results, Row
from bpderive.sweep.plans import Code, coded, drawn_by, plan
from bpderive.sweep.storing import Store

VERSION = 2
"""Of the way in which numbers are drawn and measured: another gives another sweep."""
TASK = 0.25
"""A task has networks of about so many seconds."""
COSTS = {"python": 2e-7, "numpy": 2e-9, "numpy-inplace": 2e-9}
"""Roughly the seconds of a parameter at each input, by target; a layer costs `LAYER` besides."""
LAYER = 1e-5

Tell = Callable[[int, int], object]


def run(  # noqa: PLR0913 - the options of a sweep, by name
    grid: Grid,
    path: Path | str | None = None,
    *,
    engine: str = "processes",
    workers: int | None = None,
    scheduler: str | None = None,
    tell: Tell | None = None,
    catalog: Catalog = CATALOG,
) -> Results:
    """Measure all networks of a grid that are not in the file already.

    A script that calls this has `if __name__ == "__main__":`, as Python's own process pools ask.

    Args:
        grid: which networks.
        path: of the results, `.csv` or `.parquet`; what a sweep has finished is in it, even where
            it was interrupted, and is not measured again. None: nothing is written.
        engine: `processes` or `dask`.
        workers: how many; by default as many as there are processors.
        scheduler: the address of a Dask scheduler; without one, this machine is the cluster.
        tell: called with the networks done and those in all, at the beginning and as they come.
        catalog: the activations and losses to choose from.

    Raises:
        SpecError: with every problem of the grid.
        UnsupportedError: what is needed is not installed, the cluster does not answer or is lost.
        OutputError: the file is none of this sweep, or cannot be written.
        Interrupted: somebody pressed Ctrl-C; what is finished is kept.
    """
    measure, count = engine_of(engine), _workers(workers)
    found = cells(grid, catalog)
    store = Store(path, fingerprint(base(grid, catalog), grid))
    wanted = [(cell, index) for cell in found for index in range(grid.networks)]
    missing = [key for key in wanted if key not in store.networks]
    told, total = tell or (lambda *_: None), len(wanted)
    told(total - len(missing), total)
    plans = Plans(grid, base(grid, catalog), catalog)
    try:
        if missing:
            with store, closing(measure(tasks(plans, missing), count, scheduler)) as done:
                for cell, index, numbers in each(done):
                    layers = plans.of(cell).layers
                    pairs = zip(layers, numbers, strict=True)
                    store.add(cell, index, tuple(Row(*layer, own) for layer, own in pairs))
                    told(total - len(missing) + len(store.new), total)
        store.finish()
    except KeyboardInterrupt as error:
        raise Interrupted(_interrupted(store, wanted, path)) from error
    drawn = {cell: plans.drawn(cell) for cell in found}
    return Results(grid, found, {key: store.networks[key] for key in wanted}, drawn)


def _workers(given: int | None) -> int:
    """How many workers there are to be.

    Raises:
        SpecError: fewer than one, or very many.
    """
    if given is None:
        return available()
    if not 1 <= given <= 1000:
        raise SpecError.single(f"{quoted(given)} is no number of workers", "--workers", "1 to 1000")
    return given


def _interrupted(store: Store, wanted: list[tuple[Cell, int]], path: Path | str | None) -> str:
    done = sum(key in store.networks for key in wanted)
    if path is None:
        return "interrupted"
    kept = f"{done} of {len(wanted)} networks are in {quoted(store.open_path, 200)}"
    return f"interrupted: {kept}; the same command goes on from there"


def fingerprint(spec: Spec, grid: Grid) -> str:
    """What the numbers depend on besides the cell and the network's index."""
    words = repr((VERSION, spec, grid.inputs, grid.seed))
    return sha256(words.encode(errors="backslashreplace")).hexdigest()[:12]


def tasks(plans: "Plans", missing: list[tuple[Cell, int]]) -> Iterator[Task]:
    """The networks that are missing, some of one cell at a time."""
    by_cell: dict[Cell, list[int]] = {}
    for cell, index in missing:
        by_cell.setdefault(cell, []).append(index)
    for cell, indices in by_cell.items():
        found = plans.of(cell)
        packed, size = pickle.dumps(found), networks_of(found)
        prefix = plans.prefix(cell)
        for start in range(0, len(indices), size):
            yield Task(cell, packed, prefix, tuple(indices[start : start + size]))


def networks_of(plan: Plan) -> int:
    """How many networks make a task."""
    once = sum(plan.sizes.values()) * COSTS[plan.target] + len(plan.layers) * LAYER
    return max(1, int(TASK / (once * plan.inputs * plan.batch)))


@dataclass(frozen=True)
class Plans:
    """The plans of a grid's cells, each made when it is first asked for."""

    grid: Grid
    spec: Spec
    catalog: Catalog

    def of(self, cell: Cell) -> Plan:
        """The plan of a cell.

        Raises:
            SpecError: the network cannot be built.
            UnsupportedError: it cannot be measured.
        """
        return _plan(self, cell)

    def prefix(self, cell: Cell) -> str:
        """What the random numbers of its networks begin with: those that `measured` draws by."""
        spec, scheme = specified(self.grid, self.spec, cell) or (self.spec, None)
        return drawn_by(self.grid.seed, spec.slug, scheme.name if scheme else "")

    def drawn(self, cell: Cell) -> tuple[str, int]:
        """The name of its scheme, and how many samples it is given at a time."""
        spec, scheme = specified(self.grid, self.spec, cell) or (self.spec, None)
        return scheme.name if scheme else "", self.of(cell).batch if spec.items else 1


@lru_cache(maxsize=64)
def _plan(plans: Plans, cell: Cell) -> Plan:
    found = specified(plans.grid, plans.spec, cell)
    if found is None:
        raise UnsupportedError(f"the remedy {cell.remedy} cannot be applied to this network")
    spec, scheme = found
    return plan(_code(spec, plans.catalog), scheme, plans.grid.inputs)


@lru_cache(maxsize=8)
def _code(spec: Spec, catalog: Catalog) -> Code:
    """The code of a network, which all schemes share."""
    if not spec.items:
        return coded(derive(build(spec, catalog)))
    from bpderive.stack import build as stack_up

    return coded(derive_stack(stack_up(spec, catalog)))
