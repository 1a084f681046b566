"""What was found out as plain data: decimal logarithms, dictionaries for JSON.

In: expectations, measurements, warnings.  Out: numbers and dictionaries.  Must not know: how
anything is found out.
"""

from collections.abc import Sequence
from dataclasses import fields
from math import inf, isfinite, log10
from typing import Any

from bpderive.flow.model import Expectation, Expected, Measurement, Spread, Warned


def power_of(expectation: Expectation) -> float | None:
    """The decimal logarithm of the first layer's gradient by the last's, as expected."""
    return _power([level.gradient for level in expectation.levels])


def first_by_last(measurement: Measurement) -> float | None:
    """The decimal logarithm of the first layer's gradient by the last's, as measured."""
    sizes = [spread.rms for spread in measurement.spreads]
    return _power([log10(size) if size > 0 else -inf for size in sizes])


def _power(powers: Sequence[float | None]) -> float | None:
    first, last = (powers[0], powers[-1]) if powers else (None, None)
    if first is None or last is None or last == -inf:
        return None
    return first - last


def how(measurement: Measurement | None) -> dict[str, Any] | None:
    """How it was measured."""
    if measurement is None:
        return None
    names = ("scheme", "networks", "inputs", "seed", "batch")
    return {name: getattr(measurement, name) for name in names}


def plain(one: Expected | Spread | Warned) -> dict[str, Any]:
    """The fields of a row, by name."""
    names = ((field.name, NAMES.get(field.name, field.name)) for field in fields(one))
    return {told: finite(getattr(one, name)) for name, told in names}


NAMES = {"number": "layer", "gradient": "log10_rms", "power": "log10_ratio"}
"""What plain data calls fields: a logarithm says that it is one."""


def finite(value: Any) -> Any:
    """A number that JSON has, else None."""
    if isinstance(value, tuple):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not isfinite(value) else value
