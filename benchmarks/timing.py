"""Functions that take turns: medians of the time of one call, in one run.

In: functions. Out: the time of each. Each runs for a few milliseconds, then the next, so that each
has the processor's caches to itself; the rounds are many, so that all share whatever the machine
does besides. Only ratios mean something, and only on a machine that does nothing else.
"""

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter

BLOCK = 2e-3  # seconds of one function before the next has its turn
SECONDS = 2.0  # of all functions of one case


def medians(functions: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """The median over the rounds of a call's time in seconds, for each function."""
    calls = {name: _calls(function) for name, function in functions.items()}
    spent = sum(_block(functions[name], calls[name]) * calls[name] for name in functions)
    rounds = max(7, round(SECONDS / spent))
    times = [
        {name: _block(functions[name], calls[name]) for name in functions} for _ in range(rounds)
    ]
    return {name: median(row[name] for row in times) for name in functions}


def _calls(function: Callable[[], object]) -> int:
    """How many calls make a block."""
    for _ in range(3):
        once = _block(function, 1)
    return max(1, round(BLOCK / once))


def _block(function: Callable[[], object], calls: int) -> float:
    """The time of a call, of several in a row."""
    start = perf_counter()
    for _ in range(calls):
        function()
    return (perf_counter() - start) / calls
