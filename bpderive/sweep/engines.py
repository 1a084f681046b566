"""Who measures: processes of this machine, or a Dask cluster.

In: tasks, one after another; how many workers, or the address of a scheduler. Out: each task with
its numbers, in the order in which they are done. To add an engine, add a row to `ENGINES`. Must not
know: files, what the numbers mean.
"""

import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context, parent_process, resource_tracker

from bpderive.errors import SpecError, UnsupportedError, quoted, suggest
from bpderive.sweep.model import Cell, Numbers
from bpderive.sweep.running import work

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
AHEAD = 2
"""So many tasks for each worker are made before they are wanted."""

Found = list[tuple[Numbers, ...]]


@dataclass(frozen=True)
class Task:
    """Some networks of one cell; `packed` is their plan, `prefix` begins the text of each."""

    cell: Cell
    packed: bytes
    prefix: str
    indices: tuple[int, ...]


Measured = Generator[tuple[Task, Found], None, None]
Engine = Callable[[Iterator[Task], int, str | None], Measured]


def engine_of(name: str) -> Engine:
    """The engine of a name.

    Raises:
        SpecError: there is none.
    """
    if name not in ENGINES:
        message = f"unknown engine {quoted(name)}{suggest(name, ENGINES)}"
        raise SpecError.single(message, "--engine", ", ".join(ENGINES))
    return ENGINES[name]


def available() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processes(tasks: Iterator[Task], workers: int, scheduler: str | None) -> Measured:
    """By processes of this machine, each with one thread.

    Raises:
        SpecError: a scheduler is given.
        UnsupportedError: a process was killed.
    """
    if scheduler is not None:
        raise SpecError.single("a scheduler is for the engine dask", "--scheduler", "--engine dask")
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=watch_parent)
    running: dict[Future[Found], Task] = {}
    try:
        with one_thread():
            while True:
                for task in islice(tasks, AHEAD * workers - len(running)):
                    with deaf():
                        running[pool.submit(work, task.packed, task.prefix, task.indices)] = task
                if not running:
                    break
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(future), future.result()
        pool.shutdown()
    except BrokenProcessPool as error:
        raise UnsupportedError(
            "a worker process ended by itself, perhaps for want of memory: take fewer workers"
        ) from error
    finally:
        _kill(pool)


def watch_parent() -> None:
    """End this worker when the process that made it is gone, however that ended."""
    parent = parent_process()
    if parent is None:
        return

    def wait_for_end() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait_for_end, daemon=True).start()


def _kill(pool: ProcessPoolExecutor) -> None:
    """End the processes that are still at work."""
    left = list((pool._processes or {}).values())  # noqa: SLF001 - shutdown waits for what runs
    pool.shutdown(wait=False, cancel_futures=True)
    for process in left:
        process.terminate()


@contextmanager
def one_thread() -> Iterator[None]:
    """Processes that start here have one thread for their matrices: the same sums, whoever asks."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            os.environ.update({} if value is None else {name: value})


@contextmanager
def deaf() -> Iterator[None]:
    """Processes that start here do not hear Ctrl-C: whoever started them ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # where it starts later, it lets the signal through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def dask(tasks: Iterator[Task], workers: int, scheduler: str | None) -> Measured:
    """By the workers of a Dask scheduler; without one, by a cluster of this machine.

    Raises:
        UnsupportedError: dask.distributed is not installed, the scheduler does not answer, has no
            workers or other versions, or workers are lost.
    """
    from bpderive.sweep.cluster import results

    return results(tasks, workers, scheduler)


ENGINES: Mapping[str, Engine] = {"processes": processes, "dask": dask}


def each(found: Iterable[tuple[Task, Found]]) -> Iterator[tuple[Cell, int, tuple[Numbers, ...]]]:
    """The networks of tasks."""
    for task, numbers in found:
        for index, own in zip(task.indices, numbers, strict=True):
            yield task.cell, index, own
