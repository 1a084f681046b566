"""What is found out about the gradients of a network: bounds, expectation, measurement, dangers.

In: a derivation, or somebody's model, and how the weights are drawn.  Out: `Findings`, which a
document, JSON and pictures are made of.  Must not know: the command line, words.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from math import inf, isfinite, log10
from typing import TYPE_CHECKING, Any

from bpderive.catalog import CATALOG
from bpderive.derive import derive
from bpderive.document import layers
from bpderive.document.flow.side_by_side import deep
from bpderive.errors import UnsupportedError
from bpderive.flow.dangers import warned
from bpderive.flow.expectation import expected
from bpderive.flow.model import Expectation, Expected, Measurement, Spread, Warned
from bpderive.flow.passing import Share, shares
from bpderive.flow.remedies import REMEDIES, shortened
from bpderive.flow.schemes import XAVIER, Scheme, scheme
from bpderive.network import Network
from bpderive.network import build as dense
from bpderive.spec import Spec

if TYPE_CHECKING:  # a dense network does without
    from bpderive.backprop import AnyDerivation
    from bpderive.stack import Stack
    from bpderive.sweep import Cell, Results

AS_GIVEN = "as_given"
NETWORKS, INPUTS, SEED = 100, 4, 1
USUAL = ("normal", "uniform", "truncated_normal", "xavier", "he", "orthogonal")
"""The schemes that course notes compare."""


@dataclass(frozen=True)
class Remedied:
    """A remedy, applied: the network that it gives and what is found of that.

    `power` is the decimal logarithm of the gradient of the first layer by that of the last, as
    expected; None where nothing is established.
    """

    remedy: str
    layers: str
    scheme: str
    expectation: Expectation
    measurement: Measurement | None = None

    @property
    def power(self) -> float | None:
        """The decimal logarithm of the first layer's gradient by the last's, as expected."""
        return power_of(self.expectation)


@dataclass(frozen=True)
class Findings:
    """All that is found out. Made by `flow`.

    `shares` has for each layer how many slopes stand on the way of its gradients and what they let
    through at most; `expectation` is None for a model whose weights are given.
    """

    derivation: "AnyDerivation"
    scheme: str
    shares: tuple[Share, ...]
    expectation: Expectation | None
    measurement: Measurement | None
    remedies: tuple[Remedied, ...]
    warnings: tuple[Warned, ...]

    @property
    def power(self) -> float | None:
        """The decimal logarithm of the first layer's gradient by the last's, as expected."""
        return None if self.expectation is None else power_of(self.expectation)

    @property
    def known(self) -> bool:
        """Whether anything is expected, or was measured."""
        levels = self.expectation.levels if self.expectation else ()
        return self.measurement is not None or any(one.gradient is not None for one in levels)

    def as_dict(self) -> dict[str, Any]:
        """All numbers, ready for JSON: what is not established or not finite is None."""
        network = self.derivation.network
        return {
            "network": named(network),
            "loss": network.loss.name,
            "initialisation": self.scheme,
            "layers": [dict(self._layer(number)) for number in self._numbers()],
            "remedies": [_remedy(one) for one in self.remedies],
            "measured": _how(self.measurement),
            "warnings": [plain(one) for one in self.warnings],
            "in_danger": bool(self.warnings),
        }

    def json(self) -> str:
        """The same bytes for the same network, scheme and seed."""
        return json.dumps(self.as_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def _numbers(self) -> list[int]:
        found = {one.number for one in self.shares}
        found |= {one.number for one in (self.expectation.levels if self.expectation else ())}
        found |= {one.number for one in (self.measurement.spreads if self.measurement else ())}
        return sorted(found)

    def _layer(self, number: int) -> Iterator[tuple[str, Any]]:
        yield "layer", number
        for share in (one for one in self.shares if one.number == number):
            yield "slopes", int(share.count) if share.count.is_Integer else str(share.count)
            yield "largest_product", None if share.product is None else str(share.product)
        levels = self.expectation.levels if self.expectation else ()
        expectations = [plain(one) for one in levels if one.number == number]
        if expectations:
            yield "expected", expectations
        spreads = self.measurement.spreads if self.measurement else ()
        measurements = [plain(one) for one in spreads if one.number == number]
        if measurements:
            yield "measured", measurements


def flow(  # noqa: PLR0913 - what is chosen, by name
    derivation: "AnyDerivation",
    *,
    init: str = XAVIER,
    measure: bool = True,
    remedies: bool = False,
    networks: int = NETWORKS,
    inputs: int = INPUTS,
    seed: int = SEED,
) -> Findings:
    """How large the gradients of a network can be, are expected to be, and are.

    Args:
        derivation: made by `derive`.
        init: how the weights are drawn: `xavier`, `he`, `scaled(1.5,0.1)`, …
        measure: whether networks are drawn and run through the generated code.
        remedies: whether those of every remedy are measured too, and not only expected.
        networks: how many are drawn.
        inputs: how many samples each is given, one at a time.
        seed: of the random numbers.

    Raises:
        SpecError: no such scheme; a number below 1.
        UnsupportedError: to be measured, the network needs NumPy, or sizes that are numbers.
    """
    chosen = scheme(init)
    many = networks if remedies and measure else 0
    expectation = expected(derivation.network, chosen)
    measurement = measured(derivation, chosen, networks, inputs, seed) if measure else None
    return Findings(
        derivation,
        chosen.name,
        shares(derivation),
        expectation,
        measurement,
        tuple(remedied(shortened(derivation.network.spec), chosen, many, inputs, seed)),
        warned(expectation, measurement, derivation.network.spec, chosen),
    )


def model(
    derivation: "AnyDerivation",
    arrays: Mapping[str, Any],
    *,
    inputs: int = INPUTS,
    seed: int = SEED,
) -> Findings:
    """The same for weights that are given, such as those of somebody's model.

    Args:
        derivation: made by `derive`.
        arrays: parameters and data under their names in the generated code.
        inputs: how many random samples it is given.
        seed: of these samples.

    Raises:
        UnsupportedError: NumPy is not installed.
    """
    from bpderive.sweep import AS_GIVEN as GIVEN
    from bpderive.sweep import measured_model

    measurement = measured_model(derivation, arrays, inputs=inputs, seed=seed)
    warnings = warned(None, measurement, derivation.network.spec, scheme(XAVIER))
    return Findings(derivation, GIVEN, shares(derivation), None, measurement, (), warnings)


def remedied(
    spec: Spec, chosen: Scheme, networks: int = 0, inputs: int = INPUTS, seed: int = SEED
) -> Iterator[Remedied]:
    """The network as it is, then every remedy that can be applied to it.

    They are measured too where `networks` are to be drawn.

    Raises:
        UnsupportedError: to be measured, a network needs NumPy, or sizes that are numbers.
    """
    tried = [(AS_GIVEN, (spec, chosen))]
    tried += [
        (name, found) for name, row in REMEDIES.items() if (found := row.applied(spec, chosen))
    ]
    for name, (changed, drawn) in tried:
        network = _built(changed)
        measurement = None
        if networks:
            measurement = measured(_derived(network), drawn, networks, inputs, seed)
        yield Remedied(name, named(network), drawn.name, expected(network, drawn), measurement)


# --- For course notes ---


def spreads(
    derivation: "AnyDerivation", init: str = XAVIER, *, large: bool = False
) -> tuple[Measurement, ...]:
    """What was measured under each of the usual schemes, and under the one that is chosen.

    Small networks run through the generated plain Python code, which gives the same numbers
    everywhere; of others, nothing is measured unless the `large` are wanted too.

    Raises:
        SpecError: no such scheme.
        UnsupportedError: a large network needs NumPy.
    """
    from bpderive import sweep

    chosen = scheme(init)
    names = dict.fromkeys((*USUAL, chosen.name))
    every = [chosen if name == chosen.name else scheme(name) for name in names]
    try:
        return sweep.measured_each(
            derivation, every, networks=NETWORKS, inputs=INPUTS, seed=SEED, large=large
        )
    except UnsupportedError:
        if large:
            raise
        return ()  # sizes that are symbols, or a loss without a value at random outputs


def compared(spec: Spec, init: str = XAVIER) -> dict[str, Measurement]:
    """What was measured of the deep network that remedies are compared on, by remedy.

    Raises:
        SpecError: no such scheme.
        UnsupportedError: NumPy is not installed.
    """
    found = remedied(deep(spec), scheme(init), NETWORKS, INPUTS, SEED)
    return {one.remedy: one.measurement for one in found if one.measurement is not None}


# --- Sweeps ---


@dataclass(frozen=True)
class Swept:
    """One kind of network of a sweep: what is expected of it beside what was measured."""

    title: str
    cell: "Cell"
    expectation: Expectation
    measurement: Measurement
    warnings: tuple[Warned, ...]

    @property
    def expected_power(self) -> float | None:
        """The decimal logarithm of the first layer's gradient by the last's, as expected."""
        return power_of(self.expectation)


def swept(results: "Results") -> tuple[Swept, ...]:
    """The cells of a sweep in their order."""
    from bpderive.sweep.cells import base, specified

    spec = base(results.grid, CATALOG)
    found = []
    for one in results.summary():
        own, drawn = specified(results.grid, spec, one.cell) or (spec, scheme(one.cell.scheme))
        hoped = expected(_built(own), drawn)
        wrong = warned(hoped, one.measurement, own, drawn)
        found.append(Swept(_title(one.cell), one.cell, hoped, one.measurement, wrong))
    return tuple(found)


def _title(cell: "Cell") -> str:
    """`10 x 64 tanh, he, batchnorm`: what tells the cell from others."""
    size = f"{cell.depth} x {cell.width}" if cell.width else ""
    parts = (f"{size} {cell.activation}".strip(), cell.scheme, cell.remedy)
    return ", ".join(part for part in parts if part)


def measured(
    derivation: "AnyDerivation", drawn: Scheme, networks: int, inputs: int, seed: int
) -> Measurement:
    """Networks drawn and run through the generated code; only then is it imported.

    Raises:
        SpecError: a number below 1.
        UnsupportedError: the network needs NumPy, or sizes that are numbers.
    """
    from bpderive import sweep

    return sweep.measured(derivation, drawn, networks=networks, inputs=inputs, seed=seed)


def named(network: "Network | Stack") -> str:
    """The layers in a line: `2-2-2-1`, or a list as it is given."""
    if isinstance(network, Network):
        return layers(network)
    from bpderive.document.layered import layers as listed

    return listed(network)


def _built(spec: Spec) -> "Network | Stack":
    if not spec.items:
        return dense(spec, CATALOG)
    from bpderive.stack import build

    return build(spec, CATALOG)


def _derived(network: "Network | Stack") -> "AnyDerivation":
    if isinstance(network, Network):
        return derive(network)
    from bpderive.layered import layered

    return layered(network)


# --- As plain data ---


def _remedy(one: Remedied) -> dict[str, Any]:
    found = {
        "remedy": one.remedy,
        "layers": one.layers,
        "initialisation": one.scheme,
        "log10_first_by_last_expected": finite(one.power),
    }
    if one.measurement is not None:
        found["log10_first_by_last_measured"] = finite(first_by_last(one.measurement))
    return found


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


def _how(measurement: Measurement | None) -> dict[str, Any] | None:
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
