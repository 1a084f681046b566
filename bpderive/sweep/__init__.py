"""Gradients measured: networks drawn at random, run through the generated code.

In: a `Derivation` or a grid of networks. Out: `Measurement`s, a file of results. Must not know: the
command line, how anything is printed. The names below are resolved when first used: a worker
process needs neither SymPy nor what plans a sweep.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bpderive.sweep.api import measured, measured_each, measured_model
    from bpderive.sweep.engines import ENGINES
    from bpderive.sweep.model import AS_GIVEN, Cell, Grid, Interrupted, Results, Summary
    from bpderive.sweep.sweeping import run

__all__ = [
    "AS_GIVEN",
    "ENGINES",
    "Cell",
    "Grid",
    "Interrupted",
    "Results",
    "Summary",
    "measured",
    "measured_each",
    "measured_model",
    "run",
]
_HOMES = {
    "AS_GIVEN": "model",
    "ENGINES": "engines",
    "Cell": "model",
    "Grid": "model",
    "Interrupted": "model",
    "Results": "model",
    "Summary": "model",
    "measured": "api",
    "measured_each": "api",
    "measured_model": "api",
    "run": "sweeping",
}
"""The module in which each name is defined."""


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"bpderive.sweep.{_HOMES[name]}"), name)
