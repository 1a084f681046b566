"""Measuring on a Dask cluster: one of this machine, or that of a scheduler.

In: tasks, an address. Out: each task with its numbers. Whatever is wrong with the cluster is told
in one message. Must not know: files, what the numbers mean.
"""

import asyncio
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from importlib import import_module
from itertools import islice
from time import monotonic
from typing import Any

from bpderive._version import __version__
from bpderive.errors import UnsupportedError, quoted
from bpderive.sweep.engines import AHEAD, Found, Measured, Task, deaf, one_thread
from bpderive.sweep.running import work

PATIENCE = 10
"""Seconds to wait for a scheduler, and for its workers."""


def results(tasks: Iterator[Task], workers: int, scheduler: str | None) -> Measured:
    """See `engines.dask`."""
    with _client(workers, scheduler) as client:
        threads = _threads(client, scheduler)
        running: dict[Any, Task] = {}
        while True:
            for task in islice(tasks, AHEAD * threads - len(running)):
                given = (task.packed, task.prefix, task.indices)
                running[client.submit(work, *given, pure=False)] = task
            if not running:
                return
            for future in _done(client, list(running), scheduler):
                yield running.pop(future), _result(future, scheduler)


def library() -> Any:
    """dask.distributed.

    Raises:
        UnsupportedError: it is not installed.
    """
    try:
        return import_module("distributed")
    except ImportError as error:
        raise UnsupportedError(
            "the engine dask needs dask.distributed: pip install 'bpderive[dask]'"
        ) from error


@contextmanager
def _client(workers: int, scheduler: str | None) -> Iterator[Any]:
    """A client of the scheduler, or of a new cluster; closed at the end, whatever happens."""
    distributed = library()
    options = {"timeout": PATIENCE, "set_as_default": False}
    if scheduler is None:
        own = {"threads_per_worker": 1, "dashboard_address": None, "silence_logs": 50}
        with (
            _started(distributed, workers, own) as cluster,
            distributed.Client(cluster, **options) as client,
        ):
            yield client
        return
    try:
        asyncio.run(_answer(distributed, scheduler))
        client = distributed.Client(scheduler, **options)
    except Exception as error:
        raise UnsupportedError(f"no scheduler answers at {_at(scheduler)}") from error
    with client:
        yield client


async def _answer(distributed: Any, scheduler: str) -> None:
    """Ask whether somebody is there: a client that failed would wait once more at its end."""
    async with asyncio.timeout(PATIENCE):
        connection = await distributed.comm.connect(scheduler)
        await connection.close()


@contextmanager
def _started(distributed: Any, workers: int, own: dict[str, Any]) -> Iterator[Any]:
    with one_thread():
        with deaf():
            cluster = distributed.LocalCluster(n_workers=workers, processes=True, **own)
        with cluster:
            yield cluster


def _threads(client: Any, scheduler: str | None) -> int:
    """How many threads the workers have together.

    Raises:
        UnsupportedError: there are no workers, or they cannot give the same numbers.
    """
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError as error:
        raise UnsupportedError(f"the scheduler at {_at(scheduler)} has no workers") from error
    try:
        own, found = versions(), client.run(versions)
    except ModuleNotFoundError as error:
        message = f"a worker of {_at(scheduler)} has no {error.name}: pip install 'bpderive[dask]'"
        raise UnsupportedError(message) from error
    for worker, theirs in found.items():
        if theirs != own:
            raise UnsupportedError(
                f"the worker {worker} has {_told(theirs)}, and here is {_told(own)}"
            )
    threads: int = sum(client.nthreads().values())
    return max(1, threads)


def versions() -> dict[str, str]:
    """What decides which numbers come out."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        numpy = version("numpy")
    except PackageNotFoundError:
        numpy = "none"
    return {"bpderive": __version__, "numpy": numpy}


def _told(found: dict[str, str]) -> str:
    return " with ".join(f"{name} {version}" for name, version in found.items())


def _done(client: Any, running: list[Any], scheduler: str | None) -> list[Any]:
    """The futures that are ready, at least one.

    Raises:
        UnsupportedError: all workers are gone for some time.
    """
    wait = library().wait
    seen = monotonic()
    while True:
        try:
            with client.as_current():
                return list(wait(running, timeout=1, return_when="FIRST_COMPLETED").done)
        except TimeoutError:
            alive = client.status == "running" and client.scheduler_info()["workers"]
            seen = monotonic() if alive else seen
        except (OSError, RuntimeError, CancelledError) as error:
            raise _lost(scheduler) from error
        if monotonic() - seen > PATIENCE:
            raise _lost(scheduler)


def _result(future: Any, scheduler: str | None) -> Found:
    killed = library().scheduler.KilledWorker
    try:
        found: Found = future.result()
    except (killed, CancelledError, OSError) as error:
        raise _lost(scheduler) from error
    return found


def _lost(scheduler: str | None) -> UnsupportedError:
    return UnsupportedError(
        f"the workers of {_at(scheduler)} are lost; what they finished is kept, and the same "
        "command goes on from there"
    )


def _at(scheduler: str | None) -> str:
    return "this machine's cluster" if scheduler is None else quoted(scheduler, 100)
