"""Networks measured, one after another, in whatever process.

In: a `Plan`, texts that tell the random numbers. Out: `Numbers` by layer. What a network gives
depends on its plan and text alone. Must not know: SymPy, cells, files.
"""

import pickle
from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from math import gcd
from threading import get_ident
from types import ModuleType

from bpderive.errors import UnsupportedError
from bpderive.sweep.model import Numbers, Plan, Runner

_MODULES = {"python": "plain", "numpy": "arrays", "numpy-inplace": "arrays"}
_GOLDEN = (5**0.5 - 1) / 2


def runner(plan: Plan) -> Runner:
    """What measures networks of a plan.

    Raises:
        UnsupportedError: NumPy is not installed, and networks of this size need it.
    """
    try:
        found = import_module(f"bpderive.sweep.{_MODULES[plan.target]}")
    except ModuleNotFoundError as error:
        raise UnsupportedError(
            f"measuring networks of this size needs {error.name}: pip install 'bpderive[flow]'"
        ) from error
    made: Runner = found.Runner(plan)
    return made


def load(source: str) -> ModuleType:
    """The module of a plan's code."""
    found = ModuleType("network")
    exec(compile(source, "<bpderive sweep>", "exec", dont_inherit=True), vars(found))  # noqa: S102 - our own code
    return found


def elements(size: int, most: int) -> range | list[int]:
    """Which gradients of a layer are recorded: all of few, else some, evenly spread.

    Steps of the golden ratio without a common factor with the size meet all rows and columns alike.
    """
    if size <= most:
        return range(size)
    step = round(size * _GOLDEN)
    while gcd(step, size) > 1:
        step += 1
    return sorted(k * step % size for k in range(most))


def work(packed: bytes, prefix: str, indices: Sequence[int]) -> list[tuple[Numbers, ...]]:
    """Some networks of a pickled plan; the code is compiled once in each thread.

    Raises:
        UnsupportedError: NumPy is needed and not installed.
    """
    found = _kept(packed, get_ident())
    return [found.network(prefix, index) for index in indices]


@lru_cache(maxsize=4)
def _kept(packed: bytes, _thread: int) -> Runner:
    return runner(pickle.loads(packed))  # noqa: S301 - our own plan
