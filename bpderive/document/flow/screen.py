"""One screen about the gradients of a network: bounds, sizes by layer, remedies, dangers.

In: a derivation, and what was found out about it (`flow.model`).  Out: a `Document`.  Must not
know: letters, words, how anything was found.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import TYPE_CHECKING

from sympy import Float, Integer

from bpderive.derive import Derivation
from bpderive.document.blocks import (
    Block,
    Cell,
    Document,
    Items,
    Listed,
    Paragraph,
    Section,
    Table,
    Words,
)
from bpderive.document.flow.bounding import bounds
from bpderive.document.flow.passing import table as slopes_table
from bpderive.document.mathematics import Formula, Layer, Named, Near, Plain, Value
from bpderive.flow.model import Expectation, Expected, Measurement, Spread, Warned
from bpderive.notation import Setting

if TYPE_CHECKING:  # a dense network does without
    from bpderive.backprop import StackDerivation

DIGITS = 3
MOST = 24
"""So many layers have room; of more, some are shown."""
FAR = 250
"""A power of ten beyond the range of floats."""


@dataclass(frozen=True)
class Told:
    """What one remedy does: the logarithms of the first layer's gradient by the last's."""

    remedy: str
    layers: str
    scheme: str
    expected: float | None
    measured: float | None


@dataclass(frozen=True)
class Found:
    """What was found out, as the screen tells it."""

    scheme: str
    expectation: Expectation | None
    measurement: Measurement | None
    remedies: tuple[Told, ...]
    warnings: tuple[Warned, ...]


def screen(derivation: "Derivation | StackDerivation", found: Found) -> Document:
    """All that was found out, on one screen."""
    title, letters = _title(derivation)
    sections = (
        Section("flow_bounds", tuple(_bounds(derivation))),
        Section("flow_sizes", tuple(_sizes(found))),
        Section("flow_remedies", tuple(_remedies(found.remedies))),
        Section("flow_dangers", tuple(_dangers(found.warnings))),
    )
    return Document(title, tuple(one for one in sections if one.blocks), letters)


def _title(derivation: "Derivation | StackDerivation") -> tuple[Words, Setting]:
    from bpderive.document import headline, setting

    if isinstance(derivation, Derivation):
        return headline(derivation.network), setting(derivation.network)
    from bpderive.document import layered  # a dense network does without

    return layered.headline(derivation), layered.setting(derivation.stack)


def _bounds(derivation: "Derivation | StackDerivation") -> Iterator[Block]:
    """The bounds alone, without the words of the notes."""
    if isinstance(derivation, Derivation):
        yield from bounds(derivation)
        yield slopes_table(derivation)
        return
    from bpderive.document.layered.flow import bounds as layered_bounds

    yield from layered_bounds(derivation)


# --- Sizes, layer by layer ---

Place = tuple[int, str]
"""A layer's number and the name of its weights."""


def _sizes(found: Found) -> Iterator[Block]:
    expected = {(one.number, one.parameter): one for one in _levels(found)}
    spreads = {(one.number, one.parameter): one for one in _spreads(found)}
    places = sorted(expected | spreads)
    if not places:
        return
    if not spreads and all(one.gradient is None for one in expected.values()):
        yield Paragraph(Words("flow.screen_unknown"))
        return
    if found.expectation is not None:
        yield from _drawn(found.scheme, found.expectation)
    if found.measurement is not None:
        yield Paragraph(_how(found.measurement))
        if any(spread.bound is not None for spread in spreads.values()):
            yield Paragraph(Words("flow.screen_bound"))
    if all(one.gradient is None for one in expected.values()):
        expected = {}
    bounded = any(spread.bound is not None for spread in spreads.values())
    measured = MEASURED if bounded else MEASURED[:-1]
    columns = (*PLACE, *(EXPECTED if expected else ()), *(measured if spreads else ()))
    rows = (_row(at, expected, spreads) for at in _shown(places))
    yield Table(columns, tuple(row[: len(columns)] for row in rows))


PLACE = ("layer", "weights")
EXPECTED = ("expected_rms",)
MEASURED = ("measured_rms", "from_to", "zero_share", "largest_possible")


def _levels(found: Found) -> Sequence[Expected]:
    return found.expectation.levels if found.expectation else ()


def _spreads(found: Found) -> Sequence[Spread]:
    return found.measurement.spreads if found.measurement else ()


def _shown(places: Sequence[Place]) -> list[Place]:
    """Those that a screen has room for: the first, some between, the last."""
    if len(places) <= MOST:
        return list(places)
    last = len(places) - 1
    return [places[round(at * last / (MOST - 1))] for at in range(MOST)]


def _drawn(scheme: str, expectation: Expectation) -> Iterator[Block]:
    """How the weights are drawn, and what is expected for which layers."""
    known = any(one.gradient is not None for one in expectation.levels)
    drawn = "flow.screen_drawn" if known else "flow.screen_only_drawn"
    yield Paragraph(Words(drawn, {"scheme": Plain(scheme)}))
    if expectation.stopped:
        kinds = Listed(tuple(Named(kind) for kind in expectation.stopped))
        yield Paragraph(Words("flow.screen_stopped", {"kinds": kinds}))
    if expectation.relative and known:
        yield Paragraph(Words("flow.screen_relative"))


def _how(measurement: Measurement) -> Words:
    slots: dict[str, Cell] = {
        "networks": Formula(Integer(measurement.networks)),
        "inputs": Formula(Integer(measurement.inputs)),
    }
    if measurement.batch > 1:
        slots["batch"] = Formula(Integer(measurement.batch))
        return Words("flow.screen_batch", slots)
    given = measurement.scheme == "as given"
    return Words("flow.screen_model" if given else "flow.screen_how", slots)


def _row(
    at: Place, expected: Mapping[Place, Expected], spreads: Mapping[Place, Spread]
) -> tuple[Cell, ...]:
    cells: list[Cell] = [Layer(Integer(at[0])), Plain(at[1])]
    if expected:
        cells.append(power(expected[at].gradient if at in expected else None))
    if spreads:
        cells += _measured(spreads[at]) if at in spreads else [NONE] * len(MEASURED)
    return tuple(cells)


def _measured(spread: Spread) -> list[Cell]:
    low, *_, high = spread.quantiles
    band = Words("flow.screen_band", {"low": _size(low), "high": _size(high)})
    zero = Words("flow.screen_percent", {"share": Value(Float(100 * spread.dead, 15), 2)})
    bound = NONE if spread.bound is None else _size(spread.bound)
    return [_size(spread.rms), band, zero, bound]


NONE = Plain("–")


def _size(size: float) -> Cell:
    if size == 0:
        return Formula(Integer(0))
    return Value(Float(size, 15), DIGITS) if isfinite(size) else NONE


def power(power: float | None) -> Cell:
    """A number by its decimal logarithm, which may be far out of the range of floats."""
    if power is None:
        return NONE
    if power == inf:
        return NONE
    if power == -inf:
        return Formula(Integer(0))
    if abs(power) > FAR:
        return Near(round(power))
    return _size(10**power)


# --- Remedies, dangers ---


def _remedies(rows: Sequence[Told]) -> Iterator[Block]:
    if all(row.expected is None and row.measured is None for row in rows):
        return
    measured = any(row.measured is not None for row in rows)
    yield Paragraph(Words("flow.screen_remedies", {"layers": Plain(rows[0].layers)}))
    columns = ("remedy", "scheme", "expected_ratio", *(("measured_ratio",) if measured else ()))
    yield Table(columns, tuple(_told(row, measured=measured) for row in rows))


def _told(row: Told, *, measured: bool) -> tuple[Cell, ...]:
    cells: tuple[Cell, ...] = (
        Words(f"remedy.{row.remedy}"),
        Plain(row.scheme),
        power(row.expected),
    )
    return (*cells, power(row.measured)) if measured else cells


def _dangers(warnings: Sequence[Warned]) -> Iterator[Block]:
    if warnings:
        yield Items(tuple(_danger(one) for one in warnings))


def _danger(one: Warned) -> Words:
    """`vanishing: layer 1 is expected at 1e-7 of layer 10; try …`."""
    slots: dict[str, Cell] = {
        "layer": Layer(Integer(one.layer)),
        "against": Layer(Integer(one.against)),
        "size": power(one.power),
    }
    if not one.against:
        del slots["against"]
    alone = "" if one.against else "_all"
    if one.kind == "overflow":
        what = Words("flow.danger_overflow", {"layer": slots["layer"]})
    else:
        what = Words(f"flow.danger_{one.kind}_{one.source}{alone}", slots)
    if not one.remedies:
        return what
    names = Listed(tuple(Words(f"remedy.{name}") for name in one.remedies))
    return Words("flow.danger_try", {"what": what, "remedies": names})


def dangers(derivation: "Derivation | StackDerivation", found: Found) -> Document:
    """What is wrong with the gradients of a network, or that nothing is."""
    title, letters = _title(derivation)
    told = "flow.no_danger" if is_known(found) else "flow.unknown_danger"
    blocks = tuple(_dangers(found.warnings)) or (Paragraph(Words(told)),)
    return Document(title, (Section("flow_dangers", blocks),), letters)


def is_known(found: Found) -> bool:
    """Whether anything is expected, or was measured."""
    return found.measurement is not None or any(one.gradient is not None for one in _levels(found))
